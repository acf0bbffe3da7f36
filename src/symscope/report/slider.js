"use strict";
// A slider over steps of something, with buttons, play and arrow keys.
//
// Slider(root, {label, count, words, changed, bands}) fills `root`. `words(i)` says the i-th step;
// `changed(i)` is called whenever another is chosen; `bands` are named stretches of the track, from
// and to as places between steps. The result's `set(i)` chooses a step, `playing()` says whether it
// moves by itself.
const Slider = (() => {
  const PAUSE = 420; // milliseconds a step is shown
  const TYPING = "input, select, textarea, [role=grid], .plot";

  function button(name, sign, act) {
    const made = Words.make("button", { type: "button", class: "go", "aria-label": name }, sign);
    made.addEventListener("click", act);
    return made;
  }

  function slider(root, { label, count, words, changed, bands = [] }) {
    let at = 0;
    let timer = null;
    const last = count - 1;
    const range = Words.make("input", {
      type: "range",
      min: 0,
      max: last,
      step: 1,
      value: 0,
      "aria-label": label,
      autocomplete: "off",
    });
    const shown = Words.make("output");
    const play = button("play", "▶", () => (timer ? stop() : start()));
    const strip = Words.make("div", { class: "bands", "aria-hidden": "true" });

    function set(i) {
      at = Math.min(Math.max(i, 0), last);
      range.value = at;
      range.setAttribute("aria-valuetext", words(at));
      shown.textContent = words(at);
      changed(at);
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "▶";
      play.setAttribute("aria-label", "play");
    }

    function start() {
      play.textContent = "❚❚";
      play.setAttribute("aria-label", "pause");
      timer = setInterval(() => (at < last ? set(at + 1) : stop()), PAUSE);
      if (at === last) set(0);
    }

    function moved(i) {
      stop();
      set(i);
    }

    range.addEventListener("input", () => moved(Number(range.value)));
    document.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      const used = event.altKey || event.ctrlKey || event.metaKey || event.shiftKey;
      if (!by || used || event.target.closest(TYPING)) return;
      event.preventDefault();
      moved(at + by);
    });
    bands.forEach((band) => {
      const part = Words.make("span", { title: band.name }, band.name);
      part.style.left = `${(100 * band.from) / Math.max(last, 1)}%`;
      part.style.width = `${(100 * (band.to - band.from)) / Math.max(last, 1)}%`;
      strip.append(part);
    });
    const track = Words.make("div", { class: "track" }, range, strip);
    root.classList.add("slider");
    root.setAttribute("role", "group");
    root.setAttribute("aria-label", label);
    root.append(
      button("one step back", "‹", () => moved(at - 1)),
      play,
      button("one step on", "›", () => moved(at + 1)),
      track,
      shown,
    );
    return { set: moved, playing: () => timer !== null };
  }

  return slider;
})();

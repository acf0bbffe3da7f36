"use strict";
// The neurons that are shown, each as a small map; a map is drawn when it comes into sight.
const Tiles = (app) => {
  const { view, state, of } = app;
  const { make } = Words;
  const box = of("tiles");
  const size = view.cells * Math.max(Math.round(110 / view.cells), 1);
  const inSight = new Set();
  const made = new Map();
  let listed = [];

  box.style.setProperty("--tile", `${Math.min(size, 160)}px`);

  function tile(neuron) {
    const image = make("canvas", { "aria-hidden": "true" });
    const [share, label] = [make("span", { class: "num" }), make("small", {})];
    const name = make("span", {}, make("b", {}, app.named(neuron)), " ", share);
    const button = make("button", { type: "button", class: "tile", tabindex: -1 });
    button.append(image, name, label);
    button.dataset.neuron = app.key(neuron);
    watch.observe(button);
    return { neuron, button, image, share, label, drawn: "" };
  }

  function paint(one) {
    const wanted = `${state.sign} ${app.scheme}`;
    if (one.drawn === wanted) return;
    one.drawn = wanted;
    const map = Colours.bytes(one.neuron.maps[state.sign]);
    Colours.paint(one.image, map, app.legal[state.sign], view.cells);
  }

  const watch = new IntersectionObserver(
    (entries) =>
      entries.forEach((entry) => {
        const one = made.get(entry.target.dataset.neuron);
        if (!entry.isIntersecting) return inSight.delete(one);
        inSight.add(one);
        paint(one);
      }),
    { root: box, rootMargin: "300px" },
  );

  function caption(one, labels) {
    const [best] = labels;
    one.label.textContent = best ? best.name : "no label";
    one.share.textContent = best ? best.share.toFixed(2) : "";
    const said = `${one.label.textContent} ${one.share.textContent}`.trim();
    one.button.setAttribute("aria-label", `${app.spoken(one.neuron)}, ${said}`);
  }

  // Shows these, [{neuron, labels}] in order.
  function show(found) {
    listed = found.map(({ neuron, labels }) => {
      const key = app.key(neuron);
      if (!made.has(key)) made.set(key, tile(neuron));
      caption(made.get(key), labels);
      return made.get(key);
    });
    const none = make("p", { class: "note" }, "No neuron fits all of these choices.");
    box.replaceChildren(...(listed.length ? listed.map((one) => one.button) : [none]));
    box.scrollTop = 0;
    again();
    choose();
  }

  // Draws anew what is in sight; the rest follows when it comes there.
  function again() {
    inSight.forEach(paint);
  }

  function choose() {
    listed.forEach(({ button }) => {
      const chosen = button.dataset.neuron === state.neuron;
      button.setAttribute("aria-pressed", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    });
    const chosen = listed.find(({ button }) => button.tabIndex === 0);
    if (chosen) reveal(chosen.button);
    else if (listed.length) listed[0].button.tabIndex = 0;
  }

  // Scrolls the box, never the page.
  function reveal(button) {
    const [top, low] = [button.offsetTop, button.offsetTop + button.offsetHeight];
    if (top < box.scrollTop) box.scrollTop = top - 8;
    else if (low > box.scrollTop + box.clientHeight) box.scrollTop = low - box.clientHeight + 8;
  }

  function columns() {
    const top = listed[0].button.offsetTop;
    const below = listed.findIndex(({ button }) => button.offsetTop > top);
    return below < 0 ? listed.length : below;
  }

  box.addEventListener("click", (event) => {
    const button = event.target.closest(".tile");
    if (button) app.open(button.dataset.neuron, event.detail === 0);
  });
  box.addEventListener("keydown", (event) => {
    const at = listed.findIndex(({ button }) => button === event.target);
    const move = { ArrowLeft: -1, ArrowRight: 1, Home: -at, End: listed.length - 1 - at };
    const wide = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    const by = wide ? wide * columns() : move[event.key];
    if (at < 0 || by === undefined) return;
    event.preventDefault();
    const next = listed[at + by];
    if (!next) return;
    listed.forEach(({ button }) => (button.tabIndex = -1));
    next.button.tabIndex = 0;
    next.button.focus({ preventScroll: true });
    reveal(next.button);
  });

  function focus() {
    box.querySelector(".tile[tabindex='0']")?.focus();
  }

  return { show, again, choose, focus };
};

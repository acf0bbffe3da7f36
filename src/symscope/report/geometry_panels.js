"use strict";
// A figure for each part; where there are more than so many, of one network at a time.
//
// Panels(app, name, parts, most, figure) fills the place of that name, keeps the choice in the
// address, and returns a function that draws anew; `figure(part)` makes an element.
const Panels = (app, name, parts, most, figure) => {
  const { make } = Words;
  const box = app.of(name);
  if (!box) return () => {};
  const networks = [...new Set(parts.map((p) => p.network))];
  const some = parts.length > most && networks.length > 1;
  const panels = make("div", { class: "drawings" });
  const select = make("select", { id: `${name}-network` });
  select.append(...networks.map((n) => make("option", { value: n }, n)));
  select.addEventListener("change", () => app.choose({ [name]: select.value }));
  const label = make("label", { for: `${name}-network` }, "Network");
  box.replaceChildren(...(some ? [make("div", { class: "chooser" }, label, select)] : []), panels);

  function draw() {
    const now = networks.includes(app.state[name]) ? app.state[name] : networks[0];
    select.value = now;
    panels.replaceChildren(...parts.filter((p) => !some || p.network === now).map(figure));
  }

  app.shows(name, draw);
  return draw;
};

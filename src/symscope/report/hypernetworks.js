"use strict";
// What the reader has chosen, and the parts that follow.
(() => {
  const view = JSON.parse(document.getElementById("view").textContent);
  const PANELS = ["fronts", "orders", "encoder", "phases", "sizes", "tests"];
  const panels = Object.fromEntries(PANELS.map((p) => [p, null]));
  const state = { dial: 0, step: null, beta: 0, ...panels };
  const parts = [];

  const app = {
    view,
    state,
    kinds: Kinds(view.classes),
    of: (name) => document.querySelector(`[data-view="${name}"]`),
    ids: (name) => document.getElementById(name),
    // A part is drawn anew whenever what it shows is chosen.
    shows: (thing, draw) => parts.push({ thing, draw }),
    choose(choice) {
      const changed = Object.keys(choice).filter((k) => state[k] !== choice[k]);
      Object.assign(state, choice);
      if (changed.length) remember();
      draw((thing) => changed.includes(thing));
    },
  };

  // Each function once, even where two things that it shows have changed.
  function draw(things) {
    new Set(parts.filter((p) => things(p.thing)).map((p) => p.draw)).forEach((f) => f());
  }

  function remember() {
    const said = new URLSearchParams();
    const dial = view.hypernetworks[state.dial];
    if (dial) {
      said.set("hypernetwork", dial.name);
      said.set("beta", state.beta);
      if (state.step !== null) said.set("step", state.step);
    }
    PANELS.filter((p) => state[p]).forEach((p) => said.set(p, state[p]));
    history.replaceState(null, "", `#${said}`);
  }

  // The choice that the address names, as far as it names one that there is.
  function remembered() {
    const given = new URLSearchParams(location.hash.slice(1));
    const at = view.hypernetworks.findIndex((d) => d.name === given.get("hypernetwork"));
    state.dial = Math.max(at, 0);
    const count = (name, most) => {
      const found = Number(given.get(name) ?? NaN);
      return Number.isInteger(found) && found >= 0 && found <= most ? found : null;
    };
    const dial = view.hypernetworks[state.dial];
    state.beta = (dial && count("beta", dial.betas.length - 1)) ?? 0;
    state.step = dial ? count("step", dial.steps.length) : null;
    PANELS.forEach((p) => (state[p] = given.get(p)));
  }

  remembered();
  if (view.hypernetworks.length) DialViews(app);
  FrontViews(app);
  MapViews(app);
  TableViews(app);
  draw((thing) => thing !== "scheme");
  Theme.onScheme(() => draw((thing) => thing === "scheme"));
  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return;
    remembered();
    draw((thing) => thing !== "scheme");
  });
  document.documentElement.dataset.drawn = "yes";
})();

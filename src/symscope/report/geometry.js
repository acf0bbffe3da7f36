"use strict";
// What the reader has chosen, and the parts that follow.
(() => {
  const view = JSON.parse(document.getElementById("view").textContent);
  const PANELS = ["interventions", "off_circle", "residuals", "spectra"];
  const state = { cloud: 0, hidden: new Set(), ...Object.fromEntries(PANELS.map((p) => [p, null])) };
  const parts = [];

  const app = {
    view,
    state,
    of: (name) => document.querySelector(`[data-view="${name}"]`),
    ids: (name) => document.getElementById(name),
    // A part is drawn anew whenever what it shows is chosen.
    shows: (thing, draw) => parts.push({ thing, draw }),
    choose(choice) {
      const changed = Object.keys(choice).filter((k) => state[k] !== choice[k]);
      Object.assign(state, choice);
      if (changed.length) remember();
      parts.filter((p) => changed.includes(p.thing)).forEach((p) => p.draw());
    },
  };

  function remember() {
    const said = new URLSearchParams();
    const cloud = view.clouds[state.cloud];
    if (cloud) {
      said.set("group", cloud.group);
      said.set("cloud", cloud.name);
    }
    PANELS.filter((p) => state[p]).forEach((p) => said.set(p, state[p]));
    history.replaceState(null, "", `#${said}`);
  }

  // The choice that the address names, as far as it names one that there is.
  function remembered() {
    const given = new URLSearchParams(location.hash.slice(1));
    const at = view.clouds.findIndex(
      (c) => c.group === given.get("group") && c.name === given.get("cloud"),
    );
    state.cloud = Math.max(at, 0);
    PANELS.forEach((p) => (state[p] = given.get(p)));
  }

  const draw = (things) => parts.filter((p) => things(p.thing)).forEach((p) => p.draw());

  remembered();
  if (view.clouds.length) CloudViews(app);
  HistogramViews(app);
  CurveViews(app);
  ResidualViews(app);
  SpectrumViews(app);
  draw((thing) => thing !== "scheme");
  Theme.onScheme(() => {
    Colours.forget();
    draw((thing) => thing === "scheme");
  });
  addEventListener("hashchange", () => {
    if (!location.hash.includes("=")) return;
    remembered();
    draw((thing) => thing !== "scheme");
  });
  document.documentElement.dataset.drawn = "yes";
})();

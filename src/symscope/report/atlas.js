"use strict";
// What the reader has chosen, which neurons that leaves, and the parts that follow.
(() => {
  const view = JSON.parse(document.getElementById("view").textContent);
  const { percent } = Words;
  const width = view.operands / view.cells;
  const of = (name) => document.querySelector(`[data-view="${name}"]`);
  const ids = (name) => document.getElementById(name);
  const key = (neuron) => `${neuron.layer}.${neuron.neuron}`;
  const start = {
    sign: view.signs[0],
    layer: "",
    kind: "",
    of: "",
    search: "",
    sort: "effect",
    kept: false,
    neuron: null,
    label: null,
    outline: false,
  };
  const state = { ...start };
  const CONTROLS = ["sign", "layer", "kind", "of", "search", "sort", "kept"];
  const byKey = new Map(view.neurons.map((n) => [key(n), n]));
  const decoded = (maps) =>
    Object.fromEntries(view.signs.map((sign) => [sign, Colours.bytes(maps[sign])]));

  const app = {
    view,
    state,
    of,
    ids,
    key,
    scheme: 0,
    found: [],
    legal: decoded(view.legal),
    right: decoded(view.right),
    neuron: (name) => byKey.get(name),
    named: (n) => `L${n.layer} N${n.neuron}`,
    spoken: (n) => `layer ${n.layer}, neuron ${n.neuron}`,
    fitting,
    prompt,
    choose,
    open,
    back: () => tiles.focus(),
  };

  // The labels of a neuron, on the chosen operator, that the filters leave.
  function fitting(neuron) {
    const wanted = state.search.trim().toLowerCase();
    return neuron.labels.filter(
      (l) =>
        l.sign === state.sign &&
        (!state.kept || l.kept) &&
        (!state.kind || state.kind === "none" || l.kind === state.kind) &&
        (!state.of || l.of === state.of) &&
        l.name.toLowerCase().includes(wanted),
    );
  }

  const ORDER = {
    effect: ({ neuron }) => neuron.effect,
    share: ({ labels }) => Math.max(...labels.map((l) => l.share)),
    kappa: ({ labels }) => Math.max(...labels.map((l) => l.kappa)),
    patterns: ({ neuron: { explained } }) =>
      explained.patterns === null || explained.waves === null
        ? -Infinity
        : explained.patterns - explained.waves,
  };

  // The neurons that are shown, in order, each with its labels that fit.
  function selection() {
    const asks = state.kind || state.of || state.kept || state.search.trim();
    const all = view.neurons
      .filter((n) => state.layer === "" || String(n.layer) === state.layer)
      .map((neuron) => ({ neuron, labels: fitting(neuron) }))
      .filter(({ labels }) => (state.kind === "none" ? !labels.length : labels.length || !asks));
    const score = new Map(all.map((one) => [one, ORDER[state.sort](one)]));
    return all.sort(
      (a, b) =>
        (score.get(b) === score.get(a) ? 0 : score.get(b) - score.get(a)) ||
        a.neuron.layer - b.neuron.layer ||
        a.neuron.neuron - b.neuron.neuron,
    );
  }

  // A cell's prompts as text: 12 + 34 = 46, or 12–14 + 33–35.
  function prompt(sign, cell) {
    const [a, b] = [Math.floor(cell / view.cells) * width, (cell % view.cells) * width];
    const last = (from) => (width > 1 ? `${from}–${from + width - 1}` : from);
    const asked = `${last(a)} ${Patterns.written(sign)} ${last(b)}`;
    const answer = Patterns.answer(sign, a, b, view.modulus);
    if (width > 1 || answer === null || !app.legal[sign][cell]) return asked;
    const said = String(answer).replace("-", "−");
    return `${asked} = ${said}${view.modulus ? ` mod ${view.modulus}` : ""}`;
  }

  function choose(choice) {
    const changed = Object.keys(choice).filter((k) => state[k] !== choice[k]);
    if (!changed.length) return;
    Object.assign(state, choice);
    const anew = changed.some((k) => CONTROLS.includes(k));
    if (anew) app.found = selection();
    // A filter that leaves the chosen neuron out chooses the first that it leaves.
    if (anew && app.found.length && !app.found.some(({ neuron }) => key(neuron) === state.neuron)) {
      state.neuron = key(app.found[0].neuron);
    }
    remember();
    draw(anew);
  }

  function draw(anew) {
    if (anew) {
      CONTROLS.forEach((c) => {
        if (c === "kept") ids(c).checked = state.kept;
        else if (ids(c).value !== state[c]) ids(c).value = state[c];
      });
      ids("count").textContent = `showing ${app.found.length} of ${view.neurons.length}`;
      tiles.show(app.found);
    } else tiles.choose();
    detail.draw();
  }

  // Shows a neuron; where it was asked for by key, the focus goes there.
  function open(name, byKeyboard) {
    choose({ neuron: name, label: null });
    if (byKeyboard) of("name").focus();
    else if (matchMedia("(max-width: 900px)").matches) of("detail").scrollIntoView();
  }

  function remember() {
    const said = Object.entries(state).filter(([k, v]) => v !== start[k]);
    history.replaceState(null, "", `#${new URLSearchParams(said)}`);
  }

  // The choice that the address names, as far as it names one that there is.
  function remembered() {
    const given = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
    const offered = (name) => [...ids(name).options].map((o) => o.value);
    Object.assign(state, start, { neuron: key(app.first) });
    ["sign", "layer", "kind", "of", "sort"]
      .filter((name) => offered(name).includes(given[name]))
      .forEach((name) => (state[name] = given[name]));
    state.search = given.search || "";
    state.kept = given.kept === "true";
    if (byKey.has(given.neuron)) state.neuron = given.neuron;
    state.label = given.label || null;
    state.outline = given.outline === "true";
  }

  function listen() {
    CONTROLS.forEach((name) => {
      const read = () => (name === "kept" ? ids(name).checked : ids(name).value);
      const what = name === "search" ? "input" : "change";
      ids(name).addEventListener(what, () => choose({ [name]: read(), label: null }));
    });
    ids("filters").addEventListener("submit", (event) => event.preventDefault());
    addEventListener("hashchange", () => {
      if (!location.hash.includes("=")) return;
      remembered();
      app.found = selection();
      draw(true);
    });
  }

  // Where the network is right, one map for each operator.
  function rightMaps() {
    return view.signs.map((sign) => {
      const read = (cell) =>
        `${prompt(sign, cell)}: ` +
        (app.legal[sign][cell] ? Scores.verdict(app.right[sign][cell]) : "no prompt here");
      const box = document.querySelector(`[data-right="${sign}"]`);
      const map = OperandMap(box, { cells: view.cells, width, label: "share right", read });
      const legal = app.right[sign].filter((_, i) => app.legal[sign][i]);
      const mean = legal.reduce((sum, v) => sum + v, 0) / 255 / legal.length;
      const said = legal.length ? `Right in ${percent(mean)}, the mean over cells.` : "No prompt.";
      document.querySelector(`[data-right-mean="${sign}"]`).textContent = said;
      return () => map.draw(app.right[sign], app.legal[sign], percent(0, 0), percent(1, 0));
    });
  }

  app.first = selection()[0].neuron;
  remembered();
  const pick = view.circuit ? CircuitGraph.draw(of("circuit"), of("node"), view.circuit) : () => {};
  if (view.places) PlacesMap(of("places"), view.places, view.circuit, pick);
  const tiles = Tiles(app);
  const detail = Detail(app);
  const right = rightMaps();
  listen();
  app.found = selection();
  draw(true);
  right.forEach((drawn) => drawn());
  Theme.onScheme(() => {
    Colours.forget();
    app.scheme += 1;
    tiles.again();
    detail.draw();
    right.forEach((drawn) => drawn());
  });
  document.documentElement.dataset.drawn = "yes";
})();

"use strict";
// One neuron: its map, with the cells that have a pattern outlined, and its numbers.
const Detail = (app) => {
  const { view, state, of, ids } = app;
  const { make, number } = Words;
  const width = view.operands / view.cells;
  const map = OperandMap(of("map"), { cells: view.cells, width, label: "activation", read });
  let [values, marks, label] = [null, null, null];

  const neuron = () => app.neuron(state.neuron);

  // The labels on the chosen operator first, the rest as they are.
  function labels() {
    const here = (l) => l.sign === state.sign;
    const all = neuron().labels;
    return [...all.filter(here), ...all.filter((l) => !here(l))];
  }

  // The pattern to outline: the one that was chosen, else the best that the filters leave.
  function chosen() {
    const here = labels().filter((l) => l.sign === state.sign);
    const named = here.find((l) => l.name === state.label);
    return named || app.fitting(neuron())[0] || here[0] || null;
  }

  function read(cell) {
    const { low, high } = neuron();
    if (!app.legal[state.sign][cell]) return `${app.prompt(state.sign, cell)}: no prompt here`;
    const value = low + ((high - low) * values[cell]) / 255;
    const said = [
      `${app.prompt(state.sign, cell)}: ${width > 1 ? "mean activation" : "activation"} ${number(value)}`,
      Scores.verdict(app.right[state.sign][cell]),
    ];
    if (label && width > 1) said.push(`${marks[cell]} of ${width * width} have the pattern`);
    else if (label) said.push(marks[cell] ? "has the pattern" : "does not have the pattern");
    return said.join(" · ");
  }

  function facts() {
    const { layer, neuron: index, rank, effect } = neuron();
    of("name").textContent = `Layer ${layer}, neuron ${index}`;
    const at = app.found.findIndex((f) => app.key(f.neuron) === state.neuron);
    const place = at < 0 ? "not among those shown" : `${at + 1} of ${app.found.length} shown`;
    of("facts").textContent =
      `Effect ${number(effect)}, rank ${rank} of its layer · ${place}`;
  }

  // The maps of all operators, small; one of them is the large one.
  function signs() {
    of("signs").hidden = view.signs.length < 2;
    const buttons = view.signs.map((sign) => {
      const image = make("canvas", { "aria-hidden": "true" });
      Colours.paint(image, Colours.bytes(neuron().maps[sign]), app.legal[sign], view.cells);
      const button = make("button", { type: "button", "data-sign": sign }, image);
      button.append(`first ${Patterns.written(sign)} second`);
      button.setAttribute("aria-pressed", String(sign === state.sign));
      button.addEventListener("click", () => app.choose({ sign, label: null }));
      return button;
    });
    const held = of("signs").contains(document.activeElement);
    of("signs").replaceChildren(...buttons);
    if (held) of("signs").querySelector("[aria-pressed=true]").focus();
  }

  function overlay() {
    label = chosen();
    const legal = app.legal[state.sign];
    marks = label && Patterns.marks(label, view.cells, width, legal, view.modulus);
    ids("overlay").disabled = !label;
    of("pattern").textContent = label ? label.name : "no label on this operator";
    ids("overlay").checked = state.outline;
    map.outline(state.outline ? marks : null);
    const pick = ({ sign, name }) => app.choose({ sign, label: name, outline: true });
    const held = of("scores").contains(document.activeElement);
    of("scores").replaceChildren(Scores.labels(labels(), label, pick));
    if (held) of("scores").querySelector("[aria-pressed=true]").focus();
  }

  function draw() {
    const { low, high, explained, knockout, top } = neuron();
    facts();
    signs();
    values = Colours.bytes(neuron().maps[state.sign]);
    overlay();
    map.draw(values, app.legal[state.sign], number(low), number(high));
    of("explained").replaceChildren(Scores.explained(explained));
    of("knockout").replaceChildren(Scores.knockout(knockout));
    of("top").replaceChildren(Scores.top(top));
  }

  // The neuron so many places on in the list that is shown; the first where there is none.
  function step(by) {
    const keys = app.found.map((f) => app.key(f.neuron));
    const next = keys[keys.indexOf(state.neuron) + by];
    if (keys.length) app.choose({ neuron: next ?? keys[by > 0 ? 0 : keys.length - 1], label: null });
  }

  ids("previous").addEventListener("click", () => step(-1));
  ids("next").addEventListener("click", () => step(1));
  ids("back").addEventListener("click", () => app.back());
  ids("overlay").addEventListener("change", (e) => app.choose({ outline: e.target.checked }));
  of("detail").addEventListener("keydown", (event) => event.key === "Escape" && app.back());

  return { draw };
};

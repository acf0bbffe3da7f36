"use strict";
// The circuit as a graph from the embedding up to the logits, and the map of patched places.
const CircuitGraph = (() => {
  const { make, number } = Words;
  const KINDS = ["embed", "head", "mlp", "logits"];
  const NODE = { wide: 82, high: 26, row: 74 };
  const [NARROW, ROOMY] = [94, 158]; // from node to node, without and with what a head attends to
  const MOST = 640; // as wide as a graph may be for the roomy form

  const called = (node) => (node.kind === "head" ? `head ${node.name}` : node.name);
  const signed = (value) => `${value > 0 ? "+" : ""}${number(value)}`;
  const height = (node) => node.layer * KINDS.length + KINDS.indexOf(node.kind);

  // Where each node stands. MLPs have a column of their own at the right: residual edges pass left.
  function placed(nodes) {
    const levels = [...new Set(nodes.map(height))].sort((a, b) => a - b);
    const heads = levels.map((l) => nodes.filter((n) => height(n) === l && n.kind === "head"));
    const widest = Math.max(...heads.map((l) => l.length), 1);
    const roomy = widest * ROOMY + NARROW <= MOST;
    const pitch = roomy ? ROOMY : NARROW;
    const wide = widest * pitch + NARROW;
    const high = levels.length * NODE.row;
    const places = new Map();
    nodes.forEach((node) => {
      const level = levels.indexOf(height(node));
      const among = heads[level];
      const middle = (widest * pitch) / 2;
      const x =
        node.kind === "head"
          ? middle + (among.indexOf(node) - (among.length - 1) / 2) * pitch
          : node.kind === "mlp"
            ? wide - NARROW / 2
            : middle;
      places.set(node.name, { node, level, x, y: high - NODE.row * (level + 0.5) });
    });
    return { places, wide, high, roomy };
  }

  // From the top of one node to the bottom of another; long ways bend aside.
  function curve(from, to, wide) {
    const [y1, y2] = [from.y - NODE.high / 2, to.y + NODE.high / 2];
    const bend = 0.5 * (y1 - y2);
    const side = from.x + to.x > wide ? 1 : -1;
    const aside = to.level - from.level > 1 ? side * Math.min(16 * (to.level - from.level), 60) : 0;
    return `M${from.x} ${y1}C${from.x + aside} ${y1 - bend} ${to.x + aside} ${y2 + bend} ${to.x} ${y2}`;
  }

  function drawnEdge([start, end, weight], { places, wide }, limit) {
    const d = curve(places.get(start), places.get(end), wide);
    const size = 0.8 + 4.2 * (limit ? Math.abs(weight) / limit : 0);
    return make(
      "g",
      { class: `edge ${weight < 0 ? "minus" : "plus"}`, "data-from": start, "data-to": end },
      make("path", { d, class: "line", "stroke-width": size.toFixed(2) }),
      make("path", { d, class: "hit" }),
    );
  }

  function drawnNode({ node, x, y }, roomy) {
    const words = [
      make("text", { x, y: y + 4 }, node.name),
      ...(roomy && node.attends
        ? [make("text", { x, y: y + 28, class: "attends" }, node.attends)]
        : []),
    ];
    return make(
      "g",
      { class: `node ${node.kind}`, role: "button", tabindex: -1, "data-node": node.name },
      make("rect", {
        x: x - NODE.wide / 2,
        y: y - NODE.high / 2,
        width: NODE.wide,
        height: NODE.high,
        rx: node.kind === "head" ? 13 : 4,
      }),
      ...words,
    );
  }

  // What a node is and does, in words.
  function about(circuit, node) {
    const edges = circuit.edges;
    const out = edges.filter(([from]) => from === node.name);
    const into = edges.filter(([, to]) => to === node.name);
    const effect = node.effect ?? null;
    const list = (which, at) =>
      which.map((e) => `${e[at]} ${signed(e[2])}`).join(", ") || "nothing in the circuit";
    return [
      called(node),
      ...(effect === null ? [] : [`effect ${number(effect)}`]),
      ...(node.attends ? [`attends ${node.attends}`] : []),
      ...(node.kind === "embed" ? [] : [`from ${list(into, 0)}`]),
      ...(node.kind === "logits" ? [] : [`to ${list(out, 1)}`]),
    ].join(" · ");
  }

  function listen(svg, circuit, { tell, back, choose }) {
    const nodes = [...svg.querySelectorAll(".node")];
    const named = (name) => circuit.nodes.find((n) => n.name === name);
    const of = (event) => event.target.closest(".node, .edge");
    nodes[0].tabIndex = 0;
    svg.addEventListener("mouseover", (event) => {
      const part = of(event);
      if (!part) return back();
      const { node, from, to } = part.dataset;
      const weight = !node && circuit.edges.find(([a, b]) => a === from && b === to)[2];
      tell(node ? about(circuit, named(node)) : `${from} → ${to}: weight ${signed(weight)}`);
    });
    svg.addEventListener("mouseleave", back);
    svg.addEventListener("focusin", (event) => tell(about(circuit, named(of(event).dataset.node))));
    svg.addEventListener("click", (event) => of(event)?.dataset.node && choose(of(event)));
    svg.addEventListener("keydown", (event) => {
      const at = nodes.indexOf(event.target);
      const by = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (by && nodes[at + by]) {
        nodes.forEach((node) => (node.tabIndex = -1));
        nodes[at + by].tabIndex = 0;
        nodes[at + by].focus();
      } else if (event.key === "Enter" || event.key === " ") choose(event.target);
      else if (!by) return;
      event.preventDefault();
    });
  }

  // Draws the graph into `box` and tells of it in `said`; gives back how to choose a node by name.
  function draw(box, said, circuit) {
    const graph = placed(circuit.nodes);
    const limit = Math.max(...circuit.edges.map((e) => Math.abs(e[2])), 0);
    const order = [...graph.places.values()].sort((a, b) => a.level - b.level || a.x - b.x);
    const svg = make(
      "svg",
      {
        viewBox: `0 0 ${graph.wide} ${graph.high}`,
        style: `max-width:${graph.wide}px;min-width:${Math.min(graph.wide, 620)}px`,
        role: "group",
        "aria-label": "the circuit",
      },
      ...circuit.edges.map((edge) => drawnEdge(edge, graph, limit)),
      ...order.map((place) => drawnNode(place, graph.roomy)),
    );
    svg.querySelectorAll(".node").forEach((node) => {
      const named = circuit.nodes.find((n) => n.name === node.dataset.node);
      node.setAttribute("aria-label", about(circuit, named));
    });
    let chosen = "";
    const tell = (text) => (said.textContent = text);
    const back = () => tell(chosen || "Point at a node or an edge.");
    function choose(node) {
      const { name } = circuit.nodes.find((n) => n.name === node.dataset.node);
      chosen = about(
        circuit,
        circuit.nodes.find((n) => n.name === name),
      );
      svg.querySelectorAll(".node").forEach((n) => {
        n.setAttribute("aria-pressed", String(n === node));
      });
      svg.querySelectorAll(".edge").forEach((e) => {
        e.classList.toggle("off", e.dataset.from !== name && e.dataset.to !== name);
      });
      tell(chosen);
    }
    listen(svg, circuit, { tell, back, choose });
    box.replaceChildren(svg);
    back();
    return (name) => {
      const node = [...svg.querySelectorAll(".node")].find((n) => n.dataset.node === name);
      if (node) choose(node);
    };
  }

  return { draw };
})();

// Rows of heads and MLPs over the positions of a prompt; a row that is in the circuit is bold.
const PlacesMap = (box, places, circuit, pick) => {
  const { short, number } = Words;
  const inside = new Set((circuit ? circuit.nodes : []).map((n) => n.name));
  const limit = Math.max(...places.values.flat().map((v) => Math.abs(v ?? 0)), 0);
  Heat.draw(box, {
    label: "effect of patching each place",
    columns: places.positions.map((label) => ({ label })),
    rows: places.rows.map((label) => ({ label, strong: inside.has(label) })),
    parts: [{ low: number(-limit), high: number(limit) }],
    cell: (r, c) => {
      const value = places.values[r][c];
      return Heat.cell(value, limit, value === null ? "·" : short(value));
    },
    tell: (r, c) => `${places.rows[r]} at ${places.positions[c]}: ${number(places.values[r][c])}`,
    pick: (r) => pick(places.rows[r]),
  });
};

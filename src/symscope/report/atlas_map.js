"use strict";
// One map, large: axes, a scale, a cell to point at, and an outline around chosen cells.
//
// OperandMap(box, {cells, width, label, read}) makes it; `read(cell)` says what a cell is. Then
//   draw(map, legal, low, high)  draws bytes, and the words at the ends of the scale
//   outline(marks)               outlines the cells whose mark is not 0; null for none
const OperandMap = (box, { cells, width, label, read }) => {
  const { make } = Words;
  const ROOM = 400; // pixels that a map is wide at most, in whole pixels for each cell
  const size = Math.max(Math.floor(ROOM / cells), 1);
  const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  let at = null;

  const image = make("canvas", { class: "image" });
  const over = make("canvas", { class: "over" });
  const cursor = make("i", { class: "cursor", hidden: true });
  const plane = make(
    "div",
    { class: "plane", tabindex: 0, role: "application", "aria-label": `${label} by operands` },
    image,
    over,
    cursor,
  );
  const said = make("output", { class: "said" }, "Point at a cell to read it.");
  const [low, high] = [make("span", { class: "num" }), make("span", { class: "num" })];
  const scale = make("p", { class: "scale" }, low, make("i", { class: "ramp map" }), high);

  // Operands to write at an axis, about five.
  function ticks() {
    const most = cells * width;
    const step = [1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500].find((s) => most / s <= 6) || most;
    return [...Array(Math.ceil(most / step)).keys()].map((i) => i * step);
  }

  function axis(kind, side) {
    const marks = ticks().map((value) => {
      const place = (100 * (Math.floor(value / width) + 0.5)) / cells;
      return make("span", { style: `${side}:${place}%` }, value);
    });
    return make("div", { class: `axis ${kind}`, "aria-hidden": "true" }, ...marks);
  }

  function point(row, column) {
    at = [row, column].map((v) => Math.min(Math.max(v, 0), cells - 1));
    const share = 100 / cells;
    cursor.style.cssText =
      `top:${at[0] * share}%;left:${at[1] * share}%;width:${share}%;height:${share}%`;
    cursor.hidden = false;
    said.textContent = read(at[0] * cells + at[1]);
  }

  function under(event) {
    const place = plane.getBoundingClientRect();
    const along = (value, from, wide) => Math.floor(((value - from) / wide) * cells);
    point(
      along(event.clientY, place.top, place.height),
      along(event.clientX, place.left, place.width),
    );
  }

  plane.addEventListener("pointermove", under);
  plane.addEventListener("pointerdown", under);
  plane.addEventListener("focus", () => at || point(0, 0));
  plane.addEventListener("keydown", (event) => {
    const by = STEPS[event.key];
    if (!by) return;
    event.preventDefault();
    point(at[0] + by[0], at[1] + by[1]);
  });

  function draw(map, legal, from, to) {
    Colours.paint(image, map, legal, cells);
    [low.textContent, high.textContent] = [from, to];
    if (at) point(...at);
  }

  // A line inside each marked cell, along its sides to cells that are not marked.
  function outline(marks) {
    over.width = over.height = cells * size;
    over.hidden = !marks;
    if (!marks) return;
    const context = over.getContext("2d");
    context.fillStyle = getComputedStyle(document.documentElement).getPropertyValue("--outline");
    const marked = (r, c) => r >= 0 && c >= 0 && r < cells && c < cells && marks[r * cells + c] > 0;
    for (let r = 0; r < cells; r++) {
      for (let c = 0; c < cells; c++) {
        if (!marked(r, c)) continue;
        const [x, y] = [c * size, r * size];
        if (!marked(r - 1, c)) context.fillRect(x, y, size, 1);
        if (!marked(r + 1, c)) context.fillRect(x, y + size - 1, size, 1);
        if (!marked(r, c - 1)) context.fillRect(x, y, 1, size);
        if (!marked(r, c + 1)) context.fillRect(x + size - 1, y, 1, size);
      }
    }
  }

  box.replaceChildren(
    said,
    make(
      "div",
      { class: "operands", style: `--wide:${cells * size}px` },
      make("span", { class: "name across" }, "second operand →"),
      make("span", { class: "name down" }, "first operand →"),
      axis("across", "left"),
      axis("down", "top"),
      plane,
    ),
    scale,
  );
  return { draw, outline };
};

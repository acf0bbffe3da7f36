"use strict";
// A map of cells that are read by pointer and by arrow keys.
//
// Grid(box, figure) draws, and again whenever the box is as wide as another number of pixels.
//   label            what it is, for a reader who does not see it
//   rows, columns    their names, rows from below
//   x, y             titles of the axes
//   fill(r, c)       a colour, or null for a blank cell;  text(r, c)  {text, kind} in it, or null
//   words(r, c)      what is said of it
//   over(place)      elements above the cells; `place(r, c)` is {left, top, wide, high}
//   gap              the column before which there is a gap, if any
const Grid = (() => {
  const { make } = Words;
  const [LEFT, RIGHT, TOP, BELOW, HIGH, APART] = [58, 8, 24, 42, 300, 10];
  const watch = new ResizeObserver((all) => all.forEach(({ target }) => again(target)));

  function places({ rows, columns, gap = null }, wide) {
    const room = wide - LEFT - RIGHT - (gap === null ? 0 : APART);
    const [w, h] = [room / columns.length, Math.min(HIGH / rows.length, 26)];
    return (r, c) => ({
      left: LEFT + c * w + (gap !== null && c >= gap ? APART : 0),
      top: TOP + (rows.length - 1 - r) * h, wide: w, high: h,
    });
  }

  function cells({ rows, columns, fill, text = () => null }, place) {
    const parts = [];
    const all = rows.flatMap((_, r) => columns.map((_, c) => text(r, c)?.text.length ?? 0));
    const fits = place(0, 0).wide > 6.2 * Math.max(...all) + 4 && place(0, 0).high > 13;
    rows.forEach((_, r) => columns.forEach((_, c) => {
      const colour = fill(r, c);
      const { left, top, wide, high } = place(r, c);
      const [width, height] = [wide - 1, high - 1].map((v) => Math.max(v, 1));
      const size = { x: left + 0.5, y: top + 0.5, width, height };
      const filled = { class: "filled", style: `fill:${colour}` };
      const paint = colour === null ? { class: "blank" } : filled;
      parts.push(make("rect", { ...size, ...paint }));
      const written = fits && text(r, c);
      if (written) {
        const at = { x: left + wide / 2, y: top + high / 2 + 4, class: `middle ${written.kind}` };
        parts.push(make("text", at, written.text));
      }
    }));
    return parts;
  }

  function names({ rows, columns, x, y }, place) {
    const first = place(0, 0);
    const bottom = first.top + first.high;
    const across = Math.ceil((7 * Math.max(...columns.map((t) => t.length))) / first.wide) || 1;
    const down = Math.ceil(13 / first.high);
    const parts = columns.map((text, c) => {
      const { left, wide } = place(0, c);
      return (c % across === 0 || c === columns.length - 1 && across === 1) &&
        make("text", { x: left + wide / 2, y: bottom + 16, class: "middle" }, text);
    });
    rows.forEach((text, r) => {
      const { top, high } = place(r, 0);
      const at = { x: LEFT - 6, y: top + high / 2 + 4, class: "end" };
      if (r % down === 0) parts.push(make("text", at, text));
    });
    const last = place(0, columns.length - 1);
    const middle = (LEFT + last.left + last.wide) / 2;
    parts.push(make("text", { x: middle, y: bottom + 35, class: "middle" }, x));
    parts.push(make("text", { x: 2, y: 12 }, y));
    return parts.filter(Boolean);
  }

  function again(box) {
    const { grid } = box;
    const wide = Math.floor(box.clientWidth);
    if (!wide || grid.wide === wide) return;
    grid.wide = wide;
    grid.place = places(grid.figure, wide);
    const bottom = grid.place(0, 0).top + grid.place(0, 0).high + BELOW;
    const svg = make("svg", { viewBox: `0 0 ${wide} ${bottom}`, width: wide, height: bottom });
    svg.setAttribute("aria-hidden", "true");
    grid.cursor = make("rect", { class: "cell-cursor", width: 0, height: 0 });
    const over = grid.figure.over ?? (() => []);
    svg.append(...[cells, names].flatMap((draw) => draw(grid.figure, grid.place)));
    svg.append(...over(grid.place), grid.cursor);
    grid.plane.replaceChildren(svg);
    if (grid.at) point(grid, ...grid.at);
  }

  function point(grid, r, c) {
    const { rows, columns, words } = grid.figure;
    const inside = (v, list) => Math.min(Math.max(v, 0), list.length - 1);
    grid.at = [inside(r, rows), inside(c, columns)];
    const { left, top, wide, high } = grid.place(...grid.at);
    Object.entries({ x: left, y: top, width: wide, height: high })
      .forEach(([name, v]) => grid.cursor.setAttribute(name, v.toFixed(1)));
    grid.said.textContent = words(...grid.at);
  }

  function listen(grid) {
    const under = (event) => {
      const rect = grid.plane.getBoundingClientRect();
      const [x, y] = [event.clientX - rect.left, event.clientY - rect.top];
      const { rows, columns } = grid.figure;
      const c = columns.findIndex((_, i) => x < grid.place(0, i).left + grid.place(0, i).wide);
      const r = rows.findIndex((_, i) => y > grid.place(i, 0).top);
      const bottom = grid.place(0, 0).top + grid.place(0, 0).high;
      if (x >= LEFT && y >= TOP && y < bottom && r >= 0 && c >= 0) point(grid, r, c);
    };
    grid.plane.addEventListener("pointermove", under);
    grid.plane.addEventListener("pointerdown", under);
    grid.plane.addEventListener("focus", () => point(grid, ...(grid.at ?? [0, 0])));
    grid.plane.addEventListener("keydown", (event) => {
      const [r, c] = grid.at ?? [0, 0];
      const to = {
        ArrowLeft: [r, c - 1], ArrowRight: [r, c + 1], ArrowUp: [r + 1, c], ArrowDown: [r - 1, c],
      }[event.key];
      if (!to) return;
      event.preventDefault();
      point(grid, ...to);
    });
  }

  return (box, figure) => {
    const plane = make("div", { class: "chart cells", tabindex: 0, role: "application" });
    plane.setAttribute("aria-label", `${figure.label}. Arrow keys read it.`);
    const said = make("output", { class: "said" }, "Point at a cell to read it.");
    box.replaceChildren(plane, said);
    box.grid = { plane, said, figure, at: null, wide: null };
    listen(box.grid);
    watch.observe(box);
    again(box);
  };
})();

"use strict";
// A table of numbers as a table of colours, with the numbers in it where they have room.
//
// Heat.draw(box, map) draws into `box`, or changes what is there if the shape is the same. A map is
//   label    what the table is, for a reader who does not see it
//   columns  [{label, group, strong, title}]: heads; neighbours of one group share a head above
//   rows     [{label, part, strong}]: `part` is the index of the part they belong to
//   parts    [{name, said, low, high}]: a line above the rows; low and high are the scale's ends
//   cell     (row, column) → {share, kind, text}: share 0 to 1 of the colour of that kind
//   tell     (row, column) → what the cell means, in words
//   pick     (row, column) → called when a cell is chosen; may be absent
//   chosen   {row, column}: what is marked now; may be absent
const Heat = (() => {
  // From these shares on, text is written in the colour of the page: first in dark schemes.
  const DEEP = { plus: [0.68, 0.79], minus: [0.68, 0.92] };
  const FAINT = 0.06;
  const { make } = Words;
  let tip = null;

  // The cell of a number on a scale that is symmetric about 0.
  function cell(value, limit, text) {
    if (value === null || value === undefined) return { kind: "none", share: 0, text: "·" };
    const share = limit > 0 ? Math.min(Math.abs(value) / limit, 1) : 0;
    return { kind: value < 0 ? "minus" : "plus", share, text };
  }

  function runs(columns) {
    const found = [];
    columns.forEach((c) => {
      const last = found[found.length - 1];
      if (last && last.group === c.group) last.span += 1;
      else found.push({ group: c.group, span: 1 });
    });
    return found;
  }

  function heads(map) {
    const above = make("tr", {}, make("td", { class: "corner" }));
    runs(map.columns).forEach(({ group, span }) =>
      above.append(make("th", { colspan: span, scope: "colgroup" }, group || "")),
    );
    const names = make("tr", {}, make("td", { class: "corner" }));
    map.columns.forEach((c, i) => {
      const edge = i && c.group !== map.columns[i - 1].group ? "edge" : "";
      const kind = `${c.strong ? "strong" : ""} ${edge}`.trim();
      names.append(make("th", { scope: "col", class: kind, title: c.title || "" }, c.label));
    });
    const grouped = map.columns.some((c) => c.group);
    return make("thead", {}, ...(grouped ? [above, names] : [names]));
  }

  function partHead(part, wide) {
    const [name, said] = [make("b", {}), make("span", { class: "said" })];
    const [low, high] = [make("span", { class: "num" }), make("span", { class: "num" })];
    const ramp = make("i", { class: `ramp ${part.ramp || ""}` });
    const scale = make("span", { class: "scale" }, low, ramp, high);
    const inner = make("div", {}, name, scale, said);
    const row = make(
      "tr",
      {},
      make("th", { colspan: wide + 1, class: "part", scope: "rowgroup" }, inner),
    );
    return { row, name, said, low, high, scale };
  }

  function build(box, map) {
    const body = [];
    const parts = [];
    const cells = map.rows.map((row, r) => {
      if (!r || row.part !== map.rows[r - 1].part) {
        const part = partHead(map.parts[row.part || 0], map.columns.length);
        parts.push(part);
        body.push(make("tbody", {}, part.row));
      }
      const made = map.columns.map((c, i) => {
        const edge = i && c.group !== map.columns[i - 1].group ? " edge" : "";
        return make("td", { tabindex: -1, "data-row": r, "data-column": i, class: edge });
      });
      const head = make("th", { scope: "row", class: row.strong ? "strong" : "" }, row.label);
      body[body.length - 1].append(make("tr", {}, head, ...made));
      return made;
    });
    const table = make(
      "table",
      { role: "grid", "aria-readonly": "true", "aria-label": map.label },
      heads(map),
      ...body,
    );
    box.replaceChildren(table);
    box.classList.add("heat");
    if (cells.length && cells[0].length) cells[0][0].tabIndex = 0;
    return { cells, parts, table };
  }

  function draw(box, map) {
    const shape = JSON.stringify([map.columns, map.rows, map.label]);
    if (box.shape !== shape) {
      box.drawn = build(box, map);
      if (!box.shape) listen(box);
      box.shape = shape;
      box.column = null;
    }
    box.map = map;
    const { cells, parts, table } = box.drawn;
    parts.forEach((part, i) => {
      const now = map.parts[i];
      [part.name.textContent, part.said.textContent] = [now.name || "", now.said || ""];
      [part.low.textContent, part.high.textContent] = [now.low || "", now.high || ""];
      part.scale.hidden = !now.high;
      part.row.hidden = !(now.name || now.said || now.high);
    });
    const { row, column } = map.chosen || {};
    cells.forEach((line, r) =>
      line.forEach((td, c) => paint(td, map.cell(r, c), row === r, column === c)),
    );
    table
      .querySelectorAll("thead tr:last-child th")
      .forEach((th, c) => th.classList.toggle("chosen", c === column));
    table
      .querySelectorAll("th[scope=row]")
      .forEach((th, r) => th.classList.toggle("chosen", r === row));
    if (tip && tip.owner && box.contains(tip.owner)) show(tip.owner);
    if (box.column === column) return;
    box.column = column;
    reveal(box);
  }

  // Scrolls the box, never the page, until the marked column is in sight.
  function reveal(box) {
    const td = (box.drawn.cells[0] || [])[box.column];
    if (!td || box.scrollWidth <= box.clientWidth) return;
    const left = box.querySelector("th[scope=row]").offsetWidth;
    const [from, to] = [td.offsetLeft - left, td.offsetLeft + td.offsetWidth];
    if (from < box.scrollLeft) box.scrollLeft = from;
    if (to > box.scrollLeft + box.clientWidth) box.scrollLeft = to - box.clientWidth;
  }

  function paint(td, { kind, share, text }, inRow, inColumn) {
    const edge = td.classList.contains("edge") ? " edge" : "";
    const [dark, light] = DEEP[kind] || [2, 2];
    const deep = `${share > dark ? " deep" : ""}${share > light ? " deepest" : ""}`;
    const faint = kind in DEEP && share < FAINT ? " faint" : "";
    const marks = `${inRow ? " row" : ""}${inColumn ? " column" : ""}`;
    td.className = `${kind}${deep}${faint}${edge}${marks}`;
    td.style.setProperty("--share", `${Math.round(100 * share)}%`);
    td.textContent = text || "";
  }

  function show(td) {
    const box = td.closest(".heat");
    if (!tip) {
      tip = make("div", { class: "tip", "aria-hidden": "true" });
      document.body.append(tip);
    }
    tip.owner = td;
    tip.textContent = box.map.tell(Number(td.dataset.row), Number(td.dataset.column));
    td.setAttribute("aria-label", tip.textContent);
    tip.hidden = false;
    const at = td.getBoundingClientRect();
    const left = Math.min(
      Math.max(at.left + at.width / 2 - tip.offsetWidth / 2, 8),
      document.documentElement.clientWidth - tip.offsetWidth - 8,
    );
    const over = at.top - tip.offsetHeight - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${over > 0 ? over : at.bottom + 8}px`;
  }

  function hide() {
    if (!tip) return;
    tip.hidden = true;
    tip.owner = null;
  }

  function listen(box) {
    new ResizeObserver(() => reveal(box)).observe(box);
    const of = (event) => event.target.closest("td[data-row]");
    box.addEventListener("mouseover", (event) => (of(event) ? show(of(event)) : hide()));
    box.addEventListener("mouseleave", hide);
    box.addEventListener("focusin", (event) => of(event) && show(of(event)));
    box.addEventListener("focusout", hide);
    box.addEventListener("click", (event) => of(event) && pick(box, of(event)));
    box.addEventListener("keydown", (event) => {
      const td = of(event);
      if (!td) return;
      if (event.key === "Enter" || event.key === " ") pick(box, td);
      else if (!step(box, td, event.key)) return;
      event.preventDefault();
    });
  }

  // The one cell that Tab reaches is where the reader left the map.
  function step(box, td, key) {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
    const next =
      by &&
      (box.drawn.cells[Number(td.dataset.row) + by[0]] || [])[Number(td.dataset.column) + by[1]];
    if (next) {
      box.querySelectorAll("td[tabindex='0']").forEach((other) => (other.tabIndex = -1));
      next.tabIndex = 0;
      next.focus();
    }
    return Boolean(by);
  }

  function pick(box, td) {
    if (box.map.pick) box.map.pick(Number(td.dataset.row), Number(td.dataset.column));
  }

  function moved() {
    if (tip && tip.owner && tip.owner === document.activeElement) show(tip.owner);
    else hide();
  }

  addEventListener("scroll", moved, { passive: true, capture: true });
  return { draw, cell };
})();

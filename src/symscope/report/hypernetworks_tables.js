"use strict";
// Bars of the tests of an algorithm beside their controls; and tables that are put in order.
const TableViews = (app) => {
  const { view, kinds } = app;
  const { make } = Words;

  function rail({ measure, controls }) {
    const others = Object.values(controls);
    const known = [measure.score, measure.low, measure.high, ...others]
      .filter((v) => (v ?? null) !== null);
    const [low, high] = [Math.min(0, ...known), Math.max(...known, 1e-9)];
    const place = (v) => (98 * (v - low)) / (high - low || 1);
    const made = make("div", { class: "rail", "aria-hidden": "true" });
    if (low < 0) made.append(make("span", { class: "nil", style: `left:${place(0)}%` }));
    if (measure.score !== null) {
      const ends = [Math.min(0, measure.score), Math.max(0, measure.score)].map(place);
      const bar = `left:${ends[0]}%;width:${ends[1] - ends[0]}%`;
      made.append(make("span", { class: "fill", style: bar }));
      const { score, low: from, high: to } = measure;
      const [first, last] = [from ?? score, to ?? score].map(place);
      const style = `left:${first}%;width:${last - first}%`;
      made.append(make("span", { class: "whisker", style }));
    }
    others.forEach((v) => made.append(make("span", { class: "ring", style: `left:${place(v)}%` })));
    return made;
  }

  function row(test) {
    const { name, measure, controls, expected, said } = test;
    const about = [...(said ? [said] : []), ...(expected ? [`expected: ${expected}`] : [])];
    const first = make("td", {}, name, ...about.map((text) => make("small", {}, text)));
    const value = measure.score === null
      ? make("td", { class: "why" }, measure.reason)
      : make("td", { class: "n" }, make("b", {}, Say.number(measure.score)),
        make("small", {}, Say.between(measure)));
    const beside = Object.entries(controls)
      .map(([control, v]) => make("small", {}, `${control.replaceAll("_", " ")} ${Say.number(v)}`));
    const last = make("td", { class: "controls-of" }, ...(beside.length ? beside : ["–"]));
    return make("tr", {}, first, make("td", { class: "wide-cell" }, rail(test)), value, last);
  }

  Panels(app, "tests", view.tests, 4, (part) => {
    const heads = ["Test", "", "Here", "Controls"]
      .map((name, i) => make("th", i === 2 ? { class: "n" } : {}, name));
    const head = make("thead", {}, make("tr", {}, ...heads));
    const table = make("table", {}, head, make("tbody", {}, ...part.rows.map(row)));
    const named = [make("b", {}, part.network), `: ${kinds.said(part.class)}. `, part.said ?? ""];
    return make("figure", { "data-network": part.network }, make("figcaption", {}, ...named),
      make("div", { class: "bars tests" }, table));
  });

  // Rows by the value of the chosen column, the least first, and the other way the second time;
  // rows without a value come last.
  function sortable(table) {
    const heads = [...table.querySelectorAll("thead th")];
    const body = table.querySelector("tbody");
    heads.forEach((head, column) => head.querySelector("button")?.addEventListener("click", () => {
      const up = head.getAttribute("aria-sort") !== "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", up ? "ascending" : "descending");
      const value = (tr) => {
        const { value: given } = tr.cells[column].dataset;
        if (given === undefined) return tr.cells[column].textContent.trim();
        return given === "" ? null : Number(given);
      };
      const order = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
      const compare = (a, b) => (up ? order(a, b) : order(b, a));
      const rows = [...body.rows].map((tr) => [value(tr), tr]);
      const known = ([v]) => v !== null;
      const others = rows.filter((row) => !known(row));
      const sorted = rows.filter(known).sort(([a], [b]) => compare(a, b));
      body.append(...[...sorted, ...others].map(([, tr]) => tr));
    }));
  }

  document.querySelectorAll("table.sortable").forEach(sortable);
};

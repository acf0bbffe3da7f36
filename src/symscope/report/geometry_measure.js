"use strict";
// Measures, {score, low, high, null, reason}, as a reader sees them; shares in percent.
const Measure = (() => {
  const { make, number, percent } = Words;

  const value = (v, share) => {
    if ((v ?? null) === null) return "–";
    return share ? percent(v) : number(v);
  };
  // A count, a frequency or a place: whole numbers stay whole.
  const plain = (v) => (Number.isInteger(v) ? String(v).replace("-", "−") : value(v, false));
  const between = ({ low, high }, share) =>
    (low ?? null) === null || (high ?? null) === null
      ? ""
      : `${value(low, share)} to ${value(high, share)}`;

  // Score and interval in a line; the reason where there is no score.
  function told(measure, share) {
    if (measure.score === null) return measure.reason;
    const range = between(measure, share);
    return value(measure.score, share) + (range && ` (${range})`);
  }

  // The least and the greatest of the measures, their intervals, and what else is to be in sight.
  function extent(measures, more = []) {
    const all = measures.flatMap((m) => [m.score, m.low, m.high]).concat(more);
    const known = all.filter((v) => (v ?? null) !== null);
    return known.length ? [Math.min(...known), Math.max(...known)] : [0, 1];
  }

  function table(caption, heads, rows) {
    const cell = (tag, content, i) => make(tag, i ? { class: "n" } : {}, content);
    return make(
      "table",
      {},
      make("caption", {}, caption),
      make("thead", {}, make("tr", {}, ...heads.map((h, i) => cell("th", h, i)))),
      make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((c, i) => cell("td", c, i))))),
    );
  }

  return { value, plain, between, told, extent, table };
})();

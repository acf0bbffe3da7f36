"use strict";
// Numbers of any size, measures, and the colour and the shape of each class of algorithm.
const Say = (() => {
  const RAISED = "⁰¹²³⁴⁵⁶⁷⁸⁹";
  const raised = (n) => [...String(n)].map((c) => RAISED[c] ?? "⁻").join("");
  const minus = (text) => text.replace("-", "−");

  // 3.2·10⁻⁷; a power of ten alone is 10⁻⁷.
  function power(v) {
    if (v === 1) return "1";
    const [digits, exponent] = v.toExponential(1).split("e");
    const ten = `10${raised(Number(exponent))}`;
    return Number(digits) === 1 ? ten : `${minus(String(Number(digits)))}·${ten}`;
  }

  // Three digits that count.
  function number(v) {
    if ((v ?? null) === null) return "–";
    const size = Math.abs(v);
    if (v === 0 || (size >= 1e-3 && size < 1000)) return minus(String(Number(v.toPrecision(3))));
    return size < 1e-3 || size >= 1e7 ? power(v) : minus(Math.round(v).toLocaleString("en-US"));
  }

  const between = ({ low, high }) =>
    (low ?? null) === null || (high ?? null) === null ? "" : `${number(low)} to ${number(high)}`;

  // Score and interval in a line; the reason where there is no score.
  function measure(m) {
    if (m.score === null) return m.reason;
    const range = between(m);
    return number(m.score) + (range && ` (${range})`);
  }

  const floors = (all) => Object.entries(all).map(([name, v]) => `${name} ${number(v)}`).join(", ");

  // From the least to the greatest of the values with some room, on a logarithmic axis or a plain
  // one. `at` says where a value stands; one that a logarithmic axis does not have is at its edge.
  function axis(values, { title, log = true }) {
    const known = values.filter((v) => (v ?? null) !== null && (!log || v > 0));
    const of = log ? Math.log10 : Number;
    const ends = known.length ? [Math.min(...known), Math.max(...known)].map(of) : [0, 1];
    const room = 0.06 * (ends[1] - ends[0]) || 0.5;
    const [from, to] = [ends[0] - room, ends[1] + room];
    const at = (v) => ((v ?? null) === null ? null : log && v <= 0 ? from : of(v));
    return { from, to, title, at, ticks: log ? decades(from, to) : Chart.nice(from, to, 6) };
  }

  // Powers of ten, or round numbers between them where there are few.
  function decades(from, to) {
    const [first, last] = [Math.floor(from), Math.ceil(to)];
    const parts = to - from > 2 ? [1] : to - from > 0.9 ? [1, 2, 5] : [1, 1.5, 2, 3, 4, 5, 6, 8];
    const every = Math.ceil((to - from) / 7);
    const all = [...Array(last - first + 1).keys()].map((i) => first + i);
    return all.filter((n) => parts.length > 1 || n % every === 0)
      .flatMap((n) => parts.map((p) => n + Math.log10(p)))
      .filter((at) => at >= from && at <= to)
      // A chart marks the tick at 0 as its zero, which 1 is not.
      .map((at) => [at || 1e-9, number(Number((10 ** at).toPrecision(2)))]);
  }

  return { number, power, between, measure, floors, axis };
})();

// Kinds(classes): what stands for each class in charts and maps. Without a class all is grey.
const Kinds = (classes) => {
  const { make } = Words;
  const GREY = ["none", "other", "mixed"];
  const SHAPES = ["circle", "square", "diamond", "up", "down", "cross"];
  const told = classes.map((c) => c.name);
  const hued = told.filter((name) => !GREY.includes(name));
  const place = (name) => hued.indexOf(name);

  const colour = (name) =>
    place(name) < 0 ? "var(--floor)" : `var(--curve-${"abcdef"[place(name) % 6]})`;

  const said = (name) => (name === null ? "not classified" : name.replaceAll("_", " "));

  // The outline around (x, y), so many pixels to each side.
  function outline(name, x, y, r) {
    const shape = place(name) < 0 ? "cross" : SHAPES[place(name) % 5];
    const [a, b] = [0.9 * r, 1.25 * r];
    return {
      circle: `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0Z`,
      square: `M${x - a} ${y - a}h${2 * a}v${2 * a}h${-2 * a}Z`,
      diamond: `M${x} ${y - b}L${x + b} ${y}L${x} ${y + b}L${x - b} ${y}Z`,
      up: `M${x} ${y - b}L${x + b} ${y + a}H${x - b}Z`,
      down: `M${x} ${y + b}L${x + b} ${y - a}H${x - b}Z`,
      cross: `M${x - r} ${y - r}L${x + r} ${y + r}M${x + r} ${y - r}L${x - r} ${y + r}`,
    }[shape];
  }

  function mark(name, x, y, r, style = "") {
    const open = place(name) < 0;
    const paint = open ? `stroke:${colour(name)};stroke-width:2` : `fill:${colour(name)}`;
    const d = outline(name, x, y, r);
    return make("path", { d, class: "dot-mark", style: `${paint};${style}` });
  }

  // A key of those that are named.
  function legend(names) {
    const among = told.filter((name) => names.includes(name));
    return make("p", { class: "note kinds" }, ...among.map((name) => {
      const size = { viewBox: "0 0 14 14", width: 14, height: 14 };
      const svg = make("svg", { ...size, "aria-hidden": "true" }, mark(name, 7, 7, 5));
      return make("span", { class: "key" }, svg, " ", said(name));
    }));
  }

  return { colour, said, mark, legend };
};

// A figure with its caption and legend, in which `draw(box)` draws when it is on the page.
const Framed = (name, said, legend, draw) => {
  const { make } = Words;
  const box = make("div", { class: "plot" });
  const caption = make("figcaption", {}, make("b", {}, name), said ? `: ${said}` : "");
  requestAnimationFrame(() => draw(box));
  return make("figure", { "data-network": name }, caption, legend, box);
};

"use strict";
// The colours of a variable's values, and its legend: a ring, a ramp or a list.
const Hues = (() => {
  const { make } = Words;
  const CURVES = [..."abcdef"].map((letter) => `--curve-${letter}`);
  const PALE = 70; // of 256 colours: paler ones are hard to see as dots
  const dark = matchMedia("(prefers-color-scheme: dark)");

  // OKLCH as red, green, blue (Ottosson 2020): a turn of the hue with nearly even lightness.
  function rgb(light, chroma, turn) {
    const [a, b] = [chroma * Math.cos(2 * Math.PI * turn), chroma * Math.sin(2 * Math.PI * turn)];
    const [l, m, s] = [
      light + 0.3963377774 * a + 0.2158037573 * b,
      light - 0.1055613458 * a - 0.0638541728 * b,
      light - 0.0894841775 * a - 1.291485548 * b,
    ].map((v) => v ** 3);
    const linear = [
      4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s,
      -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
      -0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s,
    ];
    const bytes = linear.map((v) => {
      const one = Math.min(Math.max(v, 0), 1);
      return Math.round(255 * (one <= 0.0031308 ? 12.92 * one : 1.055 * one ** (1 / 2.4) - 0.055));
    });
    return `rgb(${bytes.join(" ")})`;
  }

  // Lighter on one side of the ring, darker on the other, so that hue is not all there is.
  function cyclic(share) {
    const light = (dark.matches ? 0.76 : 0.58) + 0.08 * Math.cos(2 * Math.PI * (share - 0.2));
    return rgb(light, dark.matches ? 0.13 : 0.15, share + 0.07);
  }

  const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

  function ramp(share) {
    const [r, g, b] = Colours.colours()[Math.round(PALE + (255 - PALE) * share)];
    return `rgb(${Math.round(r)} ${Math.round(g)} ${Math.round(b)})`;
  }

  function range(variable) {
    const known = variable.values.filter((v) => v !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    return known.length ? [low, high] : [0, 0];
  }

  // value → colour; values that are not known are grey.
  function scale(variable) {
    const { period, labels } = variable;
    const none = style("--floor");
    const known = (colour) => (value) => (value === null ? none : colour(value));
    if (period) return known((v) => cyclic((((v / period) % 1) + 1) % 1));
    if (labels && labels.length <= CURVES.length) {
      const six = CURVES.map(style);
      return known((v) => six[v]);
    }
    if (labels) return known((v) => cyclic(v / labels.length));
    const [low, high] = range(variable);
    return known((v) => ramp(high > low ? (v - low) / (high - low) : 1));
  }

  // A value as it is told.
  function told(variable, value) {
    if (value === null) return "not known";
    if (variable.labels) return String(variable.labels[value]);
    return Measure.plain(value);
  }

  const name = (variable) => make("p", { class: "over" }, make("b", {}, variable.name));

  // A place on the ring; 0 is at the right and values go round against the clock, as angles do.
  const on = (turn, radius) => [
    radius * Math.cos(2 * Math.PI * turn),
    -radius * Math.sin(2 * Math.PI * turn),
  ];

  function wedge(from, to, colour) {
    const [a, b, c, d] = [on(from, 46), on(to, 46), on(to, 28), on(from, 28)].map((p) =>
      p.map((v) => v.toFixed(2)).join(" "),
    );
    return make("path", { d: `M${a} A46 46 0 0 0 ${b} L${c} A28 28 0 0 1 ${d} Z`, fill: colour, stroke: colour });
  }

  // What is written at the ring: each label where there is room, else quarters of the period.
  function marks({ period, labels }) {
    const all = labels && labels.length <= 12 ? labels.map((text, v) => [v, text]) : null;
    if (all) return all;
    if (Number.isInteger(period) && period <= 12) {
      return [...Array(period).keys()].map((v) => [v, String(v)]);
    }
    return [0, 1, 2, 3].map((q) => {
      const v = Number.isInteger(period) ? Math.round((q * period) / 4) : (q * period) / 4;
      return [v, labels ? labels[v] : told({}, v)];
    });
  }

  function ring(variable) {
    const { period } = variable;
    const parts = Math.min(Number.isInteger(period) && period >= 3 ? period : 72, 180);
    const colour = scale(variable);
    const wedges = [...Array(parts).keys()].map((i) => {
      const [from, to] = [(i - 0.5) / parts, (i + 0.5) / parts];
      return wedge(from, to, colour((i * period) / parts));
    });
    const texts = marks(variable).map(([v, text]) => {
      const [x, y] = on(v / period, 53);
      const anchor = x > 14 ? "start" : x < -14 ? "end" : "middle";
      const down = y + 4 + 5 * (y / 53);
      return make("text", { x: x.toFixed(1), y: down.toFixed(1), "text-anchor": anchor }, text);
    });
    const said = `${variable.name}: colours go round once from 0 to ${told({}, period)}`;
    const svg = make(
      "svg",
      { viewBox: "-125 -68 250 136", class: "hues", role: "img", "aria-label": said },
      ...wedges,
      ...texts,
    );
    return make("div", { class: "legend", "data-kind": "ring" }, name(variable), svg);
  }

  function list(variable) {
    const colour = scale(variable);
    const keys = variable.labels.map((text, v) => {
      const swatch = make("i", { class: "swatch", style: `background:${colour(v)}` });
      return make("span", { class: "key" }, swatch, text);
    });
    return make("div", { class: "legend", "data-kind": "list" }, name(variable), ...keys);
  }

  function strip(variable) {
    const stops = [...Array(9).keys()].map((i) => ramp(i / 8)).join(", ");
    const [low, high] = range(variable).map((v) => told({}, v));
    const bar = make("i", { class: "ramp", style: `background:linear-gradient(90deg, ${stops})` });
    const scaled = make("p", { class: "scale" }, low, bar, high);
    return make("div", { class: "legend", "data-kind": "ramp" }, name(variable), scaled);
  }

  function legend(variable) {
    if (variable.period) return ring(variable);
    return variable.labels ? list(variable) : strip(variable);
  }

  return { scale, told, legend, style };
})();

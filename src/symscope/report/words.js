"use strict";
// Numbers, steps and tokens as a reader sees them.
const Words = (() => {
  const minus = (text) => text.replace("-", "−");

  function percent(share, digits = 1) {
    return (share ?? null) === null ? "–" : `${(100 * share).toFixed(digits)}\u00a0%`;
  }

  // At most three digits, and a true minus sign.
  function number(value) {
    if (value === null || value === undefined) return "not measured";
    const size = Math.abs(value);
    return minus(value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2));
  }

  // For a cell a few letters wide.
  function short(value) {
    const size = Math.abs(value);
    if (size < 0.05) return "0";
    return minus(size >= 9.95 ? value.toFixed(0) : value.toFixed(1));
  }

  const step = (value) => `step ${value.toLocaleString("en-US")}`;

  // A step as the head of a narrow column.
  function mark(value) {
    if (value < 1000) return String(value);
    return `${Number((value / 1000).toFixed(value < 10000 ? 1 : 0))}k`;
  }

  // Plotly reads a part of HTML in text, formulas between $, and places such as %{x}.
  const safe = (text) => text.replace(/[&<$%]/g, (letter) => `&#${letter.charCodeAt(0)};`);

  const token = (text) => (text === "\n" ? "⏎" : text === " " ? "␣" : text);

  // Wilson's interval of a share, 95 %.
  function wilson(right, n) {
    if (!n) return [0, 1];
    const z = 1.96;
    const middle = (right + (z * z) / 2) / (n + z * z);
    const half = (z / (n + z * z)) * Math.sqrt((right * (n - right)) / n + (z * z) / 4);
    return [Math.max(middle - half, 0), Math.min(middle + half, 1)];
  }

  // The place in `indices` of the last that is not after `at`; the first where all are.
  function nearest(indices, at) {
    return Math.max(indices.filter((i) => i <= at).length - 1, 0);
  }

  // An element with attributes and content; text is text, never HTML.
  function make(tag, attributes = {}, ...content) {
    const drawn = ["svg", "g", "path", "text", "rect", "tspan"].includes(tag);
    const made = drawn
      ? document.createElementNS("http://www.w3.org/2000/svg", tag)
      : document.createElement(tag);
    Object.entries(attributes).forEach(([name, value]) => {
      if (value !== false && value !== null) made.setAttribute(name, value === true ? "" : value);
    });
    made.append(...content);
    return made;
  }

  return { percent, number, short, step, mark, safe, token, wilson, nearest, make };
})();

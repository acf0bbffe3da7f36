"use strict";
// The numbers of one neuron as tables: its labels, what explains it, and what it is good for.
const Scores = (() => {
  const { make, number, percent } = Words;
  const FAMILIES = { patterns: "the list of patterns", tables: "tables of operands", waves: "waves" };
  const CHANGES = {
    accuracy: "on all prompts",
    satisfying: "with its best pattern",
    others: "without it",
  };
  const n = { class: "n" };
  const told = (value) => ((value ?? null) === null ? "–" : number(value));

  function points(value) {
    if ((value ?? null) === null) return "–";
    return `${value > 0 ? "+" : ""}${number(100 * value)}`;
  }

  const cell = (text, attributes = {}) => make("td", attributes, text);

  function table(caption, heads, rows) {
    const head = make("tr", {}, ...heads.map((h, i) => make("th", i ? n : {}, h)));
    return make(
      "table",
      {},
      make("caption", {}, caption),
      make("thead", {}, head),
      make("tbody", {}, ...rows),
    );
  }

  // The labels; `chosen` is the one that is outlined, `pick` is called with another.
  function labels(list, chosen, pick) {
    if (!list.length) return make("p", { class: "note" }, "No pattern of the list fits this map.");
    const rows = list.map((label) => {
      const button = make("button", { type: "button" }, label.name);
      button.setAttribute("aria-pressed", String(label === chosen));
      button.addEventListener("click", () => pick(label));
      return make(
        "tr",
        { class: label === chosen ? "chosen" : "" },
        make("td", {}, button),
        cell(Patterns.written(label.sign), n),
        cell(told(label.share), n),
        cell(told(label.kappa), n),
        cell(label.kept ? "yes" : "no", n),
      );
    });
    const heads = ["Pattern", "Operator", "Share", "Kappa", "Passes"];
    const said = "Labels: of its strongest prompts, the share that has the pattern";
    return make("div", { class: "few" }, table(said, heads, rows));
  }

  function explained(values) {
    const rows = Object.entries(FAMILIES).map(([family, name]) => {
      const value = values[family] ?? null;
      const share = Math.min(Math.max(value || 0, 0), 1);
      const bar = make("span", { class: "whisker", style: `left:0;width:${100 * share}%` });
      return make(
        "tr",
        {},
        make("td", {}, name),
        make("td", { class: "wide-cell" }, make("div", { class: "rail", "aria-hidden": "true" }, bar)),
        cell(told(value), n),
      );
    });
    return table("How much of the map is explained", ["Family", "", "R²"], rows);
  }

  function knockout(values) {
    const rows = Object.entries(CHANGES).map(([key, name]) =>
      make("tr", {}, make("td", {}, name), cell(points(values[key]), n)),
    );
    return table("Accuracy when it is silenced", ["Prompts", "Points"], rows);
  }

  function top(list) {
    if (!list.length) return make("p", { class: "note" }, "Its strongest prompts were not kept.");
    const rows = list.map((p) => {
      const right = String(p.said) === String(p.answer);
      return make(
        "tr",
        {},
        make("td", {}, make("code", {}, p.text)),
        cell(p.answer, n),
        make("td", n, make("span", { class: `token ${right ? "right" : "first"}` }, p.said)),
        cell(number(p.value), n),
      );
    });
    return table("Its strongest prompts", ["Prompt", "Right", "Network", "Activation"], rows);
  }

  // What the network made of a cell, whose share of right answers is a byte.
  function verdict(byte) {
    if (byte === 255) return "answered right";
    return byte === 0 ? "answered wrong" : `${percent(byte / 255, 0)} answered right`;
  }

  return { labels, explained, knockout, top, verdict, told };
})();

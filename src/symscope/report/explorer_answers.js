"use strict";
// What the network says, program by program, by attribute and at two checkpoints.
const AnswerViews = (app) => {
  const { view, state, of, ids } = app;
  const { percent, step, mark, token, wilson, make } = Words;
  const steps = view.checkpoints;

  function predictions() {
    const share = ids("shade").value === "share";
    const every = Math.ceil(steps.length / 10);
    const told = (r, c) => {
      const p = view.programs[r];
      return (
        `${r + 1}. ${p.name}, ${step(steps[c])}: says ${token(p.predictions[c])}, ` +
        `${app.said(p, p.predictions[c])}; right is ${token(p.answer)}, ` +
        `with probability ${percent(p.probability[c])}`
      );
    };
    ids("keys").hidden = share;
    Heat.draw(of("predictions"), {
      label: share
        ? "probability of the right answer by program and checkpoint"
        : "predicted token by program and checkpoint",
      columns: steps.map((s, i) => ({ label: i % every ? "" : mark(s), title: step(s) })),
      rows: view.programs.map((p, i) => ({ label: `${i + 1}. ${p.name}` })),
      parts: [{ ramp: "one", low: share ? percent(0, 0) : "", high: share ? percent(1, 0) : "" }],
      cell: (r, c) => {
        const p = view.programs[r];
        const text = token(p.predictions[c]);
        return share
          ? { kind: "plus", share: p.probability[c], text }
          : { kind: app.verdict(p, p.predictions[c]), share: 0, text };
      },
      tell: told,
      pick: (r, c) => (app.choose({ program: r }), app.go(c)),
      chosen: { row: state.program, column: state.at },
    });
  }

  function bar([right, n], [right0, n0]) {
    const place = (share) => `left:${(100 * share).toFixed(2)}%`;
    const [low, high] = wilson(right, n);
    const track = make("div", { class: "rail", "aria-hidden": "true" });
    if (n) {
      track.append(
        make("span", {
          class: "whisker",
          style: `${place(low)};width:${(100 * (high - low)).toFixed(2)}%`,
        }),
      );
      track.append(make("span", { class: "point", style: place(right / n) }));
    }
    if (n0) track.append(make("span", { class: "ring", style: place(right0 / n0) }));
    return track;
  }

  function change([right, n], [right0, n0]) {
    if (!n || !n0) return "–";
    const by = Math.round(100 * (right / n - right0 / n0));
    return by > 0 ? `+${by}` : String(by).replace("-", "−");
  }

  function breakdown() {
    of("here").textContent = step(steps[state.at]);
    const tables = Object.entries(view.breakdown).map(([attribute, values]) => {
      const rows = Object.entries(values).map(([value, counts]) => {
        const [now, then] = [counts[state.at], counts[state.other]];
        const [low, high] = wilson(...now);
        return make(
          "tr",
          {},
          make("th", { scope: "row" }, value),
          make("td", { class: "wide-cell" }, bar(now, then)),
          make(
            "td",
            { class: "n", title: `95 %: ${percent(low)} to ${percent(high)}` },
            now[1] ? percent(now[0] / now[1], 0) : "–",
            make("small", {}, ` of ${now[1].toLocaleString("en-US")}`),
          ),
          make("td", { class: "n" }, change(now, then)),
        );
      });
      return make("table", {}, make("caption", {}, attribute), make("tbody", {}, ...rows));
    });
    of("breakdown").replaceChildren(...tables);
  }

  function changed() {
    const found = { "now right": [], "no longer right": [], "another wrong answer": [] };
    view.programs.forEach((p, i) => {
      const [then, now] = [p.predictions[state.other], p.predictions[state.at]];
      if (then === now) return;
      const kind =
        now === p.answer
          ? "now right"
          : then === p.answer
            ? "no longer right"
            : "another wrong answer";
      found[kind].push([i, p, then, now]);
    });
    const lists = Object.entries(found)
      .filter(([, list]) => list.length)
      .map(([kind, list]) =>
        make(
          "div",
          {},
          make("h3", {}, `${kind}: ${list.length}`),
          make("ul", {}, ...list.map(item)),
        ),
      );
    const same = view.programs.length - Object.values(found).flat().length;
    const told = make(
      "p",
      { class: "note" },
      state.other === state.at
        ? "The two checkpoints are the same: choose another to compare with."
        : `From ${step(steps[state.other])} to ${step(steps[state.at])}; ${same} of ` +
            `${view.programs.length} programs have the same answer.`,
    );
    of("changed").replaceChildren(told, ...lists);
  }

  function item([i, p, then, now]) {
    const button = make("button", { type: "button" }, `${i + 1}. ${p.name}`);
    button.addEventListener("click", () => app.choose({ program: i }));
    return make(
      "li",
      {},
      button,
      " ",
      make("span", { class: `token ${app.verdict(p, then)}` }, token(then)),
      " → ",
      make("span", { class: `token ${app.verdict(p, now)}` }, token(now)),
    );
  }

  ids("other").append(...steps.map((s, i) => make("option", { value: i }, step(s))));
  state.other = Math.floor(steps.length / 2);
  ids("other").value = state.other;
  ids("other").addEventListener("change", (e) => app.choose({ other: Number(e.target.value) }));
  ids("shade").addEventListener("change", predictions);
  app.shows("program at", predictions);
  app.shows("at other", breakdown);
  app.shows("at other", changed);
};

"use strict";
// The program and how training goes: the explorer's first views.
const TrainingViews = (app) => {
  const { view, state, of, ids } = app;
  const { percent, step, safe, token, make } = Words;
  const steps = view.checkpoints;
  const COLOURS = [..."abcdef"].map((letter) => `var(--curve-${letter})`);
  const DASHES = ["solid", "dash", "dot"];

  function graph() {
    const p = app.program();
    const at = app.lineOf(p, state.token);
    ProgramGraph.draw(of("graph"), p, at, (line) => {
      const query = line > p.lines.length;
      app.choose({ token: query ? p.tokens.length - 1 : rightOf(p, line) });
    });
    const start = at > p.lines.length ? p.query_line : at;
    const chain = ProgramGraph.chain(p, start);
    const way = chain.map((n) => `${p.lines[n - 1].left} = ${p.lines[n - 1].right}`).join(" ← ");
    const hops = `${chain.length} hop${chain.length > 1 ? "s" : ""}`;
    const asked = at > p.lines.length || p.lines[at - 1].chain ? "" : " Not queried.";
    of("chain").textContent =
      at > p.lines.length
        ? `The queried chain: ${way}, ${hops}.`
        : `The chain of line ${at}: ${way}, ${hops}.${asked}`;
  }

  // The token at the right of a line, the last before its end.
  function rightOf(p, line) {
    let ends = 0;
    return p.tokens.findIndex((t) => t === "\n" && (ends += 1) === line) - 1;
  }

  function answer() {
    const p = app.program();
    const says = p.predictions[state.at];
    of("answer").replaceChildren(
      "Right answer ",
      make("b", { class: "token" }, token(p.answer)),
      ", first line's digit ",
      make("b", { class: "token" }, token(p.first)),
      `. At ${step(steps[state.at])} the network says `,
      make("b", { class: `token ${app.verdict(p, says)}` }, token(says)),
      `; the right answer has probability ${percent(p.probability[state.at])}.`,
    );
  }

  function curve(name, y, colour, more = {}) {
    return {
      type: "scatter",
      mode: "lines",
      name,
      x: steps,
      y,
      connectgaps: false,
      line: { color: colour, width: 1.8, ...more.line },
      hovertemplate: `${name} %{y:.1%}<extra></extra>`,
      ...more.trace,
    };
  }

  // Labels of dashed lines at the right, moved up where they would lie on each other.
  function floors() {
    const named = Object.entries(view.trajectory.floors).sort((a, b) => a[1] - b[1]);
    let free = 0;
    return named.map(([name, value]) => {
      const at = Math.max(value, free);
      free = at + 0.055;
      return { name, value, at };
    });
  }

  function annotations() {
    const common = { showarrow: false, font: { size: 11, color: "var(--muted)" } };
    const lines = floors().map(({ name, value, at }) => ({
      ...common,
      text: `${safe(name)} ${percent(value, 0)}`,
      x: 1,
      xref: "paper",
      y: at,
      xanchor: "right",
      yanchor: "bottom",
      borderpad: 1,
    }));
    return [...lines, ...phaseNames(common)];
  }

  // Above their bands, one row higher where the name before would run into the next.
  function phaseNames(common) {
    const wide =
      (steps[steps.length - 1] - steps[0]) / Math.max(of("trajectory").clientWidth - 60, 1);
    let [ends, row] = [-Infinity, 0];
    return view.trajectory.phases.map((p) => {
      row = p.from < ends ? (row + 1) % 3 : 0;
      ends = p.from + 6.4 * wide * p.name.length;
      const over = ends > steps[steps.length - 1];
      return {
        ...common,
        text: safe(p.name),
        x: over ? steps[steps.length - 1] : p.from,
        xanchor: over ? "right" : "left",
        yref: "paper",
        y: 1 + 0.055 * row,
        yanchor: "bottom",
      };
    });
  }

  function shapes() {
    const band = (p) => ({
      type: "rect",
      x0: p.from,
      x1: p.to,
      y0: 0,
      y1: 1,
      yref: "paper",
      layer: "below",
      fillcolor: "var(--none)",
      opacity: 0.45,
      line: { width: 0 },
    });
    const floor = ({ value }) => ({
      type: "line",
      x0: 0,
      x1: 1,
      xref: "paper",
      y0: value,
      y1: value,
      layer: "below",
      line: { color: "var(--floor)", width: 1, dash: "dash" },
    });
    const now = {
      type: "line",
      x0: steps[state.at],
      x1: steps[state.at],
      y0: 0,
      y1: 1,
      yref: "paper",
      line: { color: "var(--ink)", width: 1.4 },
    };
    return [...view.trajectory.phases.map(band), ...floors().map(floor), now];
  }

  function trajectory() {
    const { accuracy, low, high, series } = view.trajectory;
    const group = Object.entries(series[ids("series").value] || {});
    const edge = {
      line: { width: 0 },
      trace: { hoverinfo: "skip", hovertemplate: null, showlegend: false },
    };
    const data = [
      curve("low", low, "var(--found)", edge),
      curve("high", high, "var(--found)", {
        ...edge,
        trace: { ...edge.trace, fill: "tonexty", fillcolor: "var(--found)" },
      }),
      ...group.map(([name, y], i) =>
        curve(safe(name), y, COLOURS[i % 6], {
          line: { width: 1.4, dash: DASHES[Math.floor(i / 6) % 3] },
        }),
      ),
      curve("p of the right answer, this program", app.program().probability, "var(--muted)", {
        line: { width: 1.4, dash: "dot" },
      }),
      curve("accuracy, all programs", accuracy, "var(--ink)", { line: { width: 2.4 } }),
    ];
    const layout = {
      height: 430,
      margin: { l: 48, r: 12, t: 44, b: 40 },
      hovermode: "x unified",
      shapes: shapes(),
      annotations: annotations(),
      xaxis: {
        title: { text: "training step" },
        zeroline: false,
        range: [steps[0], steps[steps.length - 1]],
      },
      yaxis: { range: [0, 1.04], tickformat: ".0%", zeroline: false },
      legend: {
        traceorder: "normal",
        orientation: "h",
        x: 0,
        y: -0.16,
        yanchor: "top",
        font: { size: 12 },
      },
    };
    const plot = of("trajectory");
    Theme.plot(plot, { data, layout });
    if (plot.listens) return;
    plot.listens = true;
    plot.on("plotly_click", (event) => app.go(event.points[0].pointIndex));
  }

  // The line of the chosen checkpoint alone, which is the last of the shapes.
  function line() {
    const last = `shapes[${shapes().length - 1}]`;
    const at = steps[state.at];
    Plotly.relayout(of("trajectory"), { [`${last}.x0`]: at, [`${last}.x1`]: at });
  }

  ids("series").addEventListener("change", trajectory);
  app.shows("program token", graph);
  app.shows("program at", answer);
  app.shows("program scheme", trajectory);
  app.shows("at", line);
};

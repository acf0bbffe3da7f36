"use strict";
// What edits do to the answer, by layer or site or by name; and what happens off the circle.
const CurveViews = (app) => {
  const { view, of, state } = app;
  const { make } = Words;
  const COLOURS = [..."abcdef"].map((letter) => `var(--curve-${letter})`);
  const DASHES = ["", "7 4", "2 3"];
  const MOST = 4; // panels at once; with more, the reader chooses the network
  const names = Object.keys(view.words);
  const look = (name) => {
    const at = names.indexOf(name);
    return { colour: COLOURS[at % 6], dash: DASHES[Math.floor(at / 6) % 3] };
  };

  const column = (measures, key) => measures.map((m) => m[key]);
  const missing = (parts) => {
    const said = parts.filter(([, m]) => m.score === null).map(([name, m]) => `${name}: ${m.reason}`);
    return [...new Set(said)].join("; ");
  };
  const shown = (part) => Object.entries(part.series).filter(([name]) => !state.hidden.has(name));

  // The axis of values: whole percents from 0 to 100, or round numbers with some room.
  function upright(measures, share, title, more = []) {
    if (share) return { from: 0, to: 1.02, title, ticks: Chart.shares(5) };
    const [low, high] = Measure.extent(measures, [0, ...more]);
    const room = 0.06 * (high - low || 1);
    const [from, to] = [low - room, high + room];
    return { from, to, title, ticks: Chart.nice(from, to, 6) };
  }

  function lines(box, part) {
    const share = part.unit === "share";
    const [series, xs] = [shown(part), [...part.x.keys()]];
    const label = (name) => view.words[name].label;
    const layer = ([name, measures]) => {
      const { colour, dash } = look(name);
      const wide = name === "circle" ? 3 : 1.8;
      return [
        Chart.band(xs, column(measures, "low"), column(measures, "high"), colour),
        Chart.line(xs, column(measures, "score"), colour, { dash, wide }),
      ];
    };
    const all = Object.values(part.series).flat();
    Chart.draw(box, {
      label: `${part.metric} of ${part.network} by ${part.x.length} places, ${series.length} series`,
      x: { from: 0, to: xs.length - 1, title: "layer or site", ticks: xs.map((i) => [i, part.x[i]]) },
      y: upright(all, share, part.metric),
      layers: series.flatMap(layer),
      read: xs.map((i) => ({
        at: i,
        words: `${part.x[i]}: ${series.map(([n, m]) => `${label(n)} ${Measure.told(m[i], share)}`).join(" · ")}`,
      })),
    });
  }

  // A row of a dot with its interval for each series, the largest first.
  function dots(box, part) {
    const share = part.unit === "share";
    const all = Object.values(part.series).map(([m]) => m);
    const [low, high] = share ? [0, 1] : Measure.extent(all, [0]);
    const place = (v) => (100 * (v - low)) / (high - low || 1);
    const rows = shown(part)
      .map(([name, [measure]]) => ({ name, measure }))
      .sort((a, b) => (b.measure.score ?? -Infinity) - (a.measure.score ?? -Infinity))
      .map(({ name, measure }) => {
        const rail = make("div", { class: "rail", "aria-hidden": "true" });
        if (low < 0) rail.append(make("span", { class: "nil", style: `left:${place(0)}%` }));
        const colour = look(name).colour;
        if (measure.score !== null) {
          const [from, to] = [place(measure.low ?? measure.score), place(measure.high ?? measure.score)];
          const whisker = `left:${from}%;width:${to - from}%;background:${colour}`;
          rail.append(make("span", { class: "whisker", style: whisker }));
          const dot = `left:${place(measure.score)}%;background:${colour}`;
          rail.append(make("span", { class: "point", style: dot }));
        }
        const range = Measure.between(measure, share);
        const value = measure.score === null ? measure.reason : Measure.value(measure.score, share);
        return make(
          "tr",
          { "data-series": name },
          make("td", {}, view.words[name].label),
          make("td", { class: "wide-cell" }, rail),
          make("td", { class: measure.score === null ? "why" : "n" }, make("b", {}, value), " ", make("small", {}, range)),
        );
      });
    const ends = [low, high].map((v) => make("span", {}, Measure.value(v, share)));
    const foot = make("tr", { class: "ends" });
    foot.append(make("td", {}), make("td", {}, make("div", {}, ...ends)), make("td", {}));
    box.className = "bars dots";
    box.replaceChildren(make("table", {}, make("caption", {}, part.x[0]), make("tbody", {}, ...rows, foot)));
  }

  function effect(box, part) {
    if (part.x.length > 1) lines(box, part);
    else dots(box, part);
  }

  function figure(part, draw, title, parts) {
    const box = make("div", {});
    const caption = make("figcaption", {}, make("b", {}, part.network), title, " ", part.said || "");
    const why = missing(parts);
    const note = why ? [make("p", { class: "note why" }, `Not measured: ${why}.`)] : [];
    requestAnimationFrame(() => draw(box, part));
    return make("figure", { "data-network": part.network }, caption, box, ...note);
  }

  const effects = Panels(app, "interventions", view.interventions, MOST, (part) => {
    const parts = Object.entries(part.series).flatMap(([name, all]) =>
      all.map((m, i) => [`${view.words[name].label} at ${part.x[i]}`, m]),
    );
    const said = part.x.length > 1 ? parts : [];
    return figure(part, effect, `: ${part.metric}.`, said);
  });

  function toggle(name) {
    const { colour, dash } = look(name);
    const stroke = `stroke:${colour};stroke-dasharray:${dash || "none"}`;
    const swatch = make("svg", { viewBox: "0 0 26 10", width: 26, height: 10, "aria-hidden": "true" });
    swatch.append(make("path", { d: "M1 5H25", style: `${stroke};stroke-width:3` }));
    const button = make("button", { type: "button", "aria-pressed": "true", "data-series": name }, swatch);
    button.append(view.words[name].label);
    button.addEventListener("click", () => {
      const hide = !state.hidden.has(name);
      state.hidden[hide ? "add" : "delete"](name);
      button.setAttribute("aria-pressed", String(!hide));
      effects();
    });
    return make("div", {}, button, make("span", { class: "note" }, view.words[name].said));
  }

  of("toggles")?.replaceChildren(...names.map(toggle));

  function radii(box, part) {
    const { radius, accuracy, chance, circle } = part;
    const ends = [Math.min(...radius), Math.max(...radius)];
    Chart.draw(box, {
      label: `Accuracy of ${part.network} by radius`,
      x: { from: ends[0], to: ends[1], title: "radius", ticks: Chart.nice(...ends, 6) },
      y: upright(accuracy, true, "accuracy"),
      rows: circle === null ? 0 : 1,
      layers: [
        Chart.band(radius, column(accuracy, "low"), column(accuracy, "high"), COLOURS[0]),
        Chart.line(radius, column(accuracy, "score"), COLOURS[0], { wide: 2.4 }),
        ...(chance === null ? [] : [Chart.level(chance, `chance ${Words.percent(chance)}`)]),
        ...(circle === null ? [] : [Chart.marks([{ x: circle, label: "the network's own radius" }])]),
      ],
      read: radius.map((r, i) => ({
        at: r,
        words: `radius ${Measure.plain(r)}: ${Measure.told(accuracy[i], true)}`,
      })),
    });
  }

  Panels(app, "off_circle", view.off_circle, MOST, (part) =>
    figure(part, radii, ".", part.radius.map((r, i) => [`radius ${r}`, part.accuracy[i]])),
  );
};

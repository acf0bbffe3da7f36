"use strict";
// How an index is spread over clusters, the null outlined, with named marks.
const HistogramViews = (app) => {
  const { view, of } = app;
  const { make, percent } = Words;
  const [LEAST, MOST] = [8, 40]; // bars

  // Bars of equal width by the rule of Freedman and Diaconis, on round numbers.
  function edges(all) {
    const sorted = [...all].sort((a, b) => a - b);
    const [low, high] = [sorted[0], sorted[sorted.length - 1]];
    const quarter = (q) => sorted[Math.floor(q * (sorted.length - 1))];
    const wide = (2 * (quarter(0.75) - quarter(0.25))) / Math.cbrt(sorted.length);
    const count = wide > 0 ? Math.ceil((high - low) / wide) : LEAST;
    const room = high > low ? high - low : Math.abs(low) || 1;
    const parts = Math.min(Math.max(count, LEAST), MOST);
    const from = high > low ? low : low - room / 2;
    return [...Array(parts + 1).keys()].map((i) => from + (room * i) / parts);
  }

  // The share of the values in each bar; the last one has both of its ends.
  function counted(values, at) {
    const parts = at.length - 1;
    const wide = (at[parts] - at[0]) / parts;
    const counts = new Array(parts).fill(0);
    values.forEach((v) => (counts[Math.min(Math.floor((v - at[0]) / wide), parts - 1)] += 1));
    const share = (n) => (values.length ? n / values.length : 0);
    return counts.map((n, i) => ({ from: at[i], to: at[i + 1], value: share(n) }));
  }

  function draw(box, part) {
    const share = part.unit === "share";
    const told = (v) => Measure.value(v, share);
    const known = [...part.values, ...part.null];
    const at = edges(known.length ? known : [0, 1]);
    const [bars, floor] = [counted(part.values, at), counted(part.null, at)];
    const [from, to] = Measure.extent([], [at[0], at[at.length - 1], ...part.marks.map((m) => m.x)]);
    const room = 0.03 * (to - from);
    const top = 1.06 * Math.max(...bars.map((b) => b.value), ...floor.map((b) => b.value), 0.01);
    const x = { from: from - room, to: to + room, title: share ? "" : part.unit };
    x.ticks = (share ? Chart.shares(5) : Chart.nice(x.from, x.to, 5)).filter(
      ([v]) => v >= x.from && v <= x.to,
    );
    if (share && x.ticks.length < 3) {
      x.ticks = Chart.nice(100 * x.from, 100 * x.to, 5).map(([v, text]) => [v / 100, `${text} %`]);
    }
    const y = { from: 0, to: top, title: "share of all" };
    y.ticks = Chart.nice(0, 100 * top, 4).map(([v, text]) => [v / 100, `${text} %`]);
    Chart.draw(box, {
      label: `Histogram of ${part.name}, ${part.values.length} values`,
      x, y,
      rows: Math.min(part.marks.length, 5),
      layers: [
        Chart.bars(bars),
        ...(part.null.length ? [Chart.steps(floor, "null")] : []),
        Chart.marks(part.marks),
      ],
      read: bars.map((bar, i) => ({
        at: (bar.from + bar.to) / 2,
        words:
          `${told(bar.from)} to ${told(bar.to)}: ${percent(bar.value)}` +
          (part.null.length ? `, of the null ${percent(floor[i].value)}` : ""),
      })),
    });
  }

  function figure(part) {
    const box = make("div", {});
    const key = (kind, text, n) =>
      make("span", { class: "key" }, make("i", { class: `swatch ${kind}` }), `${text} (n = ${n})`);
    const keys = make("p", { class: "note" }, key("seen", "measured", part.values.length));
    if (part.null.length) keys.append(" ", key("null", "null", part.null.length));
    const caption = make("figcaption", {}, make("b", {}, part.name), ". ", part.said || "");
    const made = make("figure", {}, caption, keys, box);
    requestAnimationFrame(() => draw(box, part));
    return made;
  }

  of("histograms")?.replaceChildren(...view.histograms.map(figure));
};

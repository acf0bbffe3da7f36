"use strict";
// The power of each frequency, with the floor that chance gives.
const SpectrumViews = (app) => {
  const { view } = app;
  const { make } = Words;

  function draw(box, part) {
    const { frequencies, power, floor, key } = part;
    const wide = Math.min(...frequencies.slice(1).map((f, i) => f - frequencies[i]), 1) || 1;
    const [first, last] = [Math.min(...frequencies), Math.max(...frequencies)];
    const top = 1.06 * Math.max(...power, ...(floor || []), 1e-9);
    const at = frequencies.map((f) => [f - 0.4 * wide, f + 0.4 * wide]);
    const bars = power.map((value, i) => ({
      from: at[i][0], to: at[i][1], value: value ?? 0,
      kind: key.includes(frequencies[i]) ? "used" : "",
    }));
    const ticks = frequencies.map((f) => [f, String(f)]);
    Chart.draw(box, {
      label: `Power by frequency of ${part.network}`,
      x: { from: first - 0.7 * wide, to: last + 0.7 * wide, title: "frequency", ticks },
      y: { from: 0, to: top, title: "power", ticks: Chart.nice(0, top, 5) },
      layers: [Chart.bars(bars), ...(floor ? [Chart.line(frequencies, floor, "var(--ink)", { dash: "5 4", wide: 1.4 })] : [])],
      read: frequencies.map((f, i) => ({
        at: f,
        words:
          `frequency ${f}: ${Measure.value(power[i])}` +
          (floor ? `, floor ${Measure.value(floor[i])}` : "") +
          (key.includes(f) ? " · used" : ""),
      })),
    });
  }

  Panels(app, "spectra", view.spectra, 6, (part) => {
    const box = make("div", {});
    const key = (kind, text) => make("span", { class: "key" }, make("i", { class: `swatch ${kind}` }), text);
    const keys = make("p", { class: "note" });
    if (part.key.length) keys.append(key("used", "used"), " ", key("seen", "other"), " ");
    if (part.floor) keys.append(key("dashes", "null floor"));
    const of = part.of ? `: ${part.of}. ` : ". ";
    const caption = make("figcaption", {}, make("b", {}, part.network), of, part.said || "");
    requestAnimationFrame(() => draw(box, part));
    return make("figure", { "data-network": part.network }, caption, keys, box);
  });
};

"use strict";
// Which algorithm at which step and β; and the loss at sizes that were never trained.
const MapViews = (app) => {
  const { view, kinds } = app;
  const { make } = Words;
  const unique = (list) => [...new Set(list)];

  function phase(box, part) {
    const { steps, betas, classes, losses } = part;
    const loss = (s, b) => (losses ? `, loss ${Say.number(losses[s][b])}` : "");
    Grid(box, {
      label: `The class of ${part.network} at ${steps.length} steps and ${betas.length} β`,
      rows: betas.map(Say.power), columns: steps.map(Words.mark),
      x: "training step", y: "β",
      fill: (b, s) => (classes[s][b] === null ? null : kinds.colour(classes[s][b])),
      words: (b, s) =>
        `step ${steps[s].toLocaleString("en-US")}, β = ${Say.power(betas[b])}: ` +
        kinds.said(classes[s][b]) + loss(s, b),
    });
  }

  Panels(app, "phases", view.phases, 6, (part) => {
    const pattern = part.pattern ? `pattern “${part.pattern}”` : "";
    const said = [pattern, part.said ?? ""].filter(Boolean).join(". ");
    const legend = kinds.legend(unique(part.classes.flat()));
    return Framed(part.network, said, legend, (box) => phase(box, part));
  });

  // From 0 at the greatest loss to 1 at the least, by the logarithm.
  function shade(part) {
    const known = [...part.losses.flat().map((m) => m.score), ...part.radial].filter((v) => v > 0);
    const [low, high] = [Math.min(...known), Math.max(...known)].map(Math.log);
    const of = (v) => (high - Math.log(Math.max(v, 1e-12))) / (high - low || 1);
    return { low: Math.exp(low), high: Math.exp(high), of };
  }

  function heat(share) {
    const [from, to] = share < 0.5 ? ["low", "middle"] : ["middle", "high"];
    const part = share < 0.5 ? 2 * share : 2 * share - 1;
    const percent = (100 * Math.min(Math.max(part, 0), 1)).toFixed(1);
    return `color-mix(in oklab, var(--heat-${from}), var(--heat-${to}) ${percent}%)`;
  }

  const onto = (share) => (share < 0.39 ? "on-low" : share < 0.65 ? "on-middle" : "on-high");

  // Where cells below the level have a neighbour that is not, the side between them.
  function contour(part, level, kind) {
    const under = (r, c) => {
      const v = part.losses[r]?.[c]?.score ?? null;
      return v === null ? null : v < level;
    };
    return (place) => {
      const sides = [];
      part.losses.forEach((row, r) => row.forEach((_, c) => {
        const { left, top, wide, high } = place(r, c);
        if (under(r, c + 1) !== null && under(r, c) !== null && under(r, c + 1) !== under(r, c)) {
          sides.push(`M${left + wide} ${top}v${high}`);
        }
        if (under(r + 1, c) !== null && under(r, c) !== null && under(r + 1, c) !== under(r, c)) {
          sides.push(`M${left} ${top}h${wide}`);
        }
      }));
      const drawn = (as) => make("path", { d: sides.join(""), class: `contour ${as}` });
      return sides.length ? [drawn("under-contour"), drawn(kind)] : [];
    };
  }

  const KINDS = ["first", "second"];

  function sizes(box, part) {
    const { inputs, hidden, losses, radial } = part;
    const scale = shade(part);
    const floors = hidden.length;
    const value = (r, c) => (c === floors ? radial[r] : losses[r][c].score);
    const trained = (place) => part.trained
      .map(([n, h]) => [inputs.indexOf(n), hidden.indexOf(h)])
      .filter(([r, c]) => r >= 0 && c >= 0)
      .flatMap(([r, c]) => {
        const { left, top, wide, high } = place(r, c);
        const size = { width: Math.max(wide - 5, 1), height: Math.max(high - 5, 1), rx: 3 };
        const at = { x: left + 2.5, y: top + 2.5, ...size };
        return ["trained below", "trained"].map((kind) => make("rect", { ...at, class: kind }));
      });
    Grid(box, {
      label: `Loss of ${part.network} at ${inputs.length} × ${hidden.length} sizes`,
      rows: inputs.map(String), columns: [...hidden.map(String), "radial"], gap: floors,
      x: "hidden units", y: "inputs",
      fill: (r, c) => (value(r, c) === null ? null : heat(scale.of(value(r, c)))),
      text: (r, c) => {
        const v = value(r, c);
        if (v === null) return null;
        const digits = Say.number(Number(v.toPrecision(2))).replace(/^0\./, ".");
        return { text: digits, kind: onto(scale.of(v)) };
      },
      words: (r, c) => {
        const floor = `the radial floor is ${Say.number(radial[r])}`;
        if (c === floors) return `${inputs[r]} inputs: ${floor}`;
        const m = losses[r][c];
        const below = m.score < radial[r] ? " (below it)" : " (not below it)";
        const beside = floor + (m.score === null || radial[r] === null ? "" : below);
        return `${inputs[r]} inputs, ${hidden[c]} hidden units: loss ${Say.measure(m)}; ${beside}`;
      },
      over: (place) => [
        ...part.contours.flatMap((level, i) => contour(part, level, KINDS[i % 2])(place)),
        ...trained(place),
      ],
    });
  }

  Panels(app, "sizes", view.sizes, 4, (part) => {
    const scale = shade(part);
    const key = (kind, ...content) => make("span", { class: `key ${kind}` }, ...content);
    const sign = (kind) => make("i", { class: kind });
    const ends = [`loss ${Say.number(scale.high)}`, sign("heat-ramp"), Say.number(scale.low)];
    const levels = part.contours.map((level, i) =>
      key("", sign(`line-key ${KINDS[i % 2]}`), ` loss ${Say.number(level)}`));
    const trained = key("", sign("trained-key"), " trained there");
    const legend = make("p", { class: "note kinds" }, key("scale", ...ends), ...levels, trained);
    return Framed(part.network, part.said, legend, (box) => sizes(box, part));
  });
};

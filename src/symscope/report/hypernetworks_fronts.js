"use strict";
// Loss against KL, the order parameters with their boundaries, and the loss without the encoder.
const FrontViews = (app) => {
  const { view, kinds } = app;
  const { make } = Words;
  const spread = (measures) => measures.flatMap((m) => [m.score, m.low, m.high]);
  const unique = (list) => [...new Set(list)];

  function whiskers(points, x, y) {
    const known = points.filter((p) => Say.between(p.loss) && p.kl.score !== null);
    return (frame) => known.map((p) => {
      const left = frame.x(x.at(p.kl.score)).toFixed(1);
      const [low, high] = [p.loss.low, p.loss.high].map((v) => frame.y(y.at(v)).toFixed(1));
      return make("path", { d: `M${left} ${low}V${high}`, class: "whisker-line" });
    });
  }

  function front(box, parts) {
    const points = parts.flatMap(({ network, points: all }) => all.map((p) => ({ ...p, network })));
    const floors = Object.assign({}, ...parts.map((p) => p.floors));
    const x = Say.axis(points.map((p) => p.kl.score), { title: "KL, nats" });
    const losses = spread(points.map((p) => p.loss));
    const y = Say.axis([...losses, ...Object.values(floors)], { title: "loss" });
    const path = (part) => {
      const all = [...part.points].sort((a, b) => a.beta - b.beta);
      const xs = all.map((p) => x.at(p.kl.score));
      const ys = all.map((p, i) => (xs[i] === null ? null : y.at(p.loss.score)));
      return Chart.line(xs, ys, "var(--floor)", { wide: 1 });
    };
    Scatter(box, {
      label: `Loss against KL of ${parts.length} hypernetworks, ${points.length} networks`,
      x, y,
      under: [Floors(floors, y), ...parts.map(path), whiskers(points, x, y)],
      points: points.map((p) => ({
        x: p.kl.score, y: p.loss.score,
        words:
          `${p.network}, β = ${Say.power(p.beta)}: loss ${Say.measure(p.loss)}, ` +
          `KL ${Say.measure(p.kl)}, ${kinds.said(p.class)}`,
        mark: (a, b) => kinds.mark(p.class, a, b, 4.5),
      })),
    });
  }

  const tasks = unique(view.fronts.map((p) => p.task)).map((task) => {
    const parts = view.fronts.filter((p) => p.task === task);
    return { network: task, parts };
  });
  Panels(app, "fronts", tasks, 6, ({ network, parts }) => {
    const classes = unique(parts.flatMap((p) => p.points.map((q) => q.class)));
    return Framed(network, "", kinds.legend(classes), (box) => front(box, parts));
  });

  function boundary(line, x, y) {
    return (frame) => {
      const place = ([a, b]) => `${frame.x(x.at(a)).toFixed(1)} ${frame.y(y.at(b)).toFixed(1)}`;
      if (line.points) {
        const [a, b] = line.points.at(-1);
        const end = Math.min(frame.x(x.at(a)), frame.right);
        return [
          make("path", { d: `M${line.points.map(place).join("L")}`, class: "level" }),
          make("text", { x: end, y: frame.y(y.at(b)) - 5, class: "end halo" }, line.name),
        ];
      }
      if ((line.y ?? null) !== null) return Floors({ [line.name]: line.y }, y)(frame);
      const at = frame.x(x.at(line.x));
      const end = at > (frame.left + frame.right) / 2;
      const beside = { x: at + (end ? -5 : 5), y: frame.bottom - 8 };
      return [
        make("path", { d: `M${at.toFixed(1)} ${frame.top}V${frame.bottom}`, class: "level" }),
        make("text", { ...beside, class: end ? "end halo" : "halo" },
          `${line.name} ${Say.number(line.x)}`),
      ];
    };
  }

  function order(box, part) {
    const all = [...part.generated, ...part.made];
    const lines = part.boundaries;
    const along = (axis) => [...all.map((p) => p[axis]), ...lines.map((l) => l[axis])];
    const of = (axis) => Say.axis(along(axis), { title: part[axis], log: part.log.includes(axis) });
    const [x, y] = [of("x"), of("y")];
    const faint = (p) => (a, b) => kinds.mark(p.class, a, b, 2.8, "opacity:0.28");
    const outlined = "stroke:var(--ink);stroke-width:1.4";
    const strong = (p) => (a, b) => kinds.mark(p.class, a, b, 5.5, outlined);
    const words = (p, kind) =>
      `${p.name ? `${p.name}, ` : ""}${kind}: ${part.x} ${Say.number(p.x)}, ` +
      `${part.y} ${Say.number(p.y)}, ${kinds.said(p.class)}`;
    Scatter(box, {
      label:
        `${part.y} against ${part.x}: ${part.generated.length} generated and ` +
        `${part.made.length} hand-built networks`,
      x, y,
      under: [
        ...lines.map((line) => boundary(line, x, y)),
        (frame) => part.made.filter((p) => p.x !== null && p.y !== null)
          .map((p) => faint(p)(frame.x(x.at(p.x)), frame.y(y.at(p.y)))),
      ],
      points: [...part.generated].sort((a, b) => a.x - b.x)
        .map((p) => ({ x: p.x, y: p.y, words: words(p, "generated"), mark: strong(p) })),
    });
  }

  Panels(app, "orders", view.orders.map((p) => ({ ...p, network: p.task })), 6, (part) => {
    const legend = kinds.legend(unique([...part.made, ...part.generated].map((p) => p.class)));
    legend.append(make("span", {}, "faint: built by hand; outlined: generated"));
    const made = Framed(part.task, part.said, legend, (box) => order(box, part));
    if (part.confusion) made.append(confusion(part.confusion));
    return made;
  });

  function confusion({ labels, counts }) {
    const rows = counts.map((row, i) => [kinds.said(labels[i]), ...row.map(String)]);
    const caption = "Hand-built networks held out, by true label and by class";
    const table = Measure.table(caption, ["label", ...labels.map(kinds.said)], rows);
    const region = { class: "wide plot", tabindex: 0, role: "region", "aria-label": "Confusion" };
    return make("div", region, table);
  }

  const CURVES = {
    with: ["with the encoder", "var(--curve-a)", ""],
    without: ["without it", "var(--curve-b)", "7 4"],
  };

  function encoder(box, part) {
    const x = Say.axis(part.betas, { title: "β" });
    const losses = spread([...part.with, ...part.without]);
    const y = Say.axis([...losses, ...Object.values(part.floors)], { title: "loss" });
    const xs = part.betas.map(x.at);
    const curve = ([key, [, colour, dash]]) => {
      const side = (name) => part[key].map((m) => y.at(m[name]));
      return [
        Chart.band(xs, side("low"), side("high"), colour),
        Chart.line(xs, side("score"), colour, { dash, wide: 2.2 }),
      ];
    };
    Chart.draw(box, {
      label: `Loss of ${part.network} over β, with and without the encoder`,
      x, y,
      layers: [...Object.entries(CURVES).flatMap(curve), Floors(part.floors, y)],
      read: part.betas.map((b, i) => ({
        at: xs[i],
        words: `β = ${Say.power(b)}: ${Object.entries(CURVES)
          .map(([key, [name]]) => `${name} ${Say.measure(part[key][i])}`).join(" · ")}`,
      })),
    });
  }

  Panels(app, "encoder", view.encoder, 6, (part) => {
    const keys = Object.values(CURVES).map(([name, colour, dash]) => {
      const style = `stroke:${colour};stroke-width:3;stroke-dasharray:${dash || "none"}`;
      const size = { viewBox: "0 0 26 10", width: 26, height: 10, "aria-hidden": "true" };
      const svg = make("svg", size, make("path", { d: "M1 5H25", style }));
      return make("span", { class: "key" }, svg, " ", name);
    });
    const legend = make("p", { class: "note kinds" }, ...keys);
    return Framed(part.network, part.said, legend, (box) => encoder(box, part));
  });
};

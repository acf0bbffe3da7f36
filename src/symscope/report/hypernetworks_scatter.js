"use strict";
// A chart of dots that are read one by one, by pointer or by keys, in the order they are given.
//
// Scatter(box, {label, x, y, under, points}): axes are of `Say.axis`; `points` hold {x, y, words,
// mark: (x, y) → an element}; `under` are layers behind the dots.
const Scatter = (box, { label, x, y, under, points }) => {
  const { make } = Words;
  const ring = make("path", { class: "read-ring" });
  const seen = points
    .map((p) => ({ ...p, x: x.at(p.x), y: y.at(p.y) }))
    .filter((p) => p.x !== null && p.y !== null);
  let at = null;

  const dots = (frame) => [
    ...seen.map((p) => p.mark(Number(frame.x(p.x).toFixed(1)), Number(frame.y(p.y).toFixed(1)))),
    placed(frame),
  ];

  function placed(frame) {
    if (at === null) return ring;
    const [cx, cy] = [frame.x(seen[at].x), frame.y(seen[at].y)];
    ring.setAttribute("d", `M${cx - 9} ${cy}a9 9 0 1 0 18 0a9 9 0 1 0 -18 0Z`);
    return ring;
  }

  Chart.draw(box, { label, x, y, layers: [...under, dots], read: [], rows: 0 });
  const { chart } = box;
  chart.said.textContent = "Point at a dot to read it.";

  function point(i) {
    at = Math.min(Math.max(i, 0), seen.length - 1);
    placed(chart.frame);
    chart.said.textContent = seen[at].words;
  }

  function nearest(event) {
    const rect = chart.plane.getBoundingClientRect();
    const [left, top] = [event.clientX - rect.left, event.clientY - rect.top];
    const far = seen.map((p) => Math.hypot(chart.frame.x(p.x) - left, chart.frame.y(p.y) - top));
    const least = Math.min(...far);
    if (least < 40) point(far.indexOf(least));
  }

  chart.plane.addEventListener("pointermove", nearest);
  chart.plane.addEventListener("pointerdown", nearest);
  chart.plane.addEventListener("focus", () => seen.length && point(at ?? 0));
  chart.plane.addEventListener("keydown", (event) => {
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: Infinity }[event.key];
    if (to === undefined || !seen.length) return;
    event.preventDefault();
    point(to);
  });
};

// Dashed lines across the chart at {name: value}; names that would run into each other change
// sides.
const Floors = (floors, axis) => (frame) => {
  const { make } = Words;
  let [last, right] = [Infinity, true];
  return Object.entries(floors).sort((a, b) => a[1] - b[1]).flatMap(([name, value]) => {
    const y = frame.y(axis.at(value));
    right = last - y < 15 ? !right : true;
    last = y;
    const words = `${name} ${Say.number(value)}`;
    const [x, kind] = right ? [frame.right, "end halo"] : [frame.left + 6, "halo"];
    return [
      make("path", { d: `M${frame.left} ${y.toFixed(1)}H${frame.right}`, class: "level" }),
      make("text", { x, y: (y - 5).toFixed(1), class: kind }, words),
    ];
  });
};

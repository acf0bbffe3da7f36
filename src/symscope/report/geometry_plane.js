"use strict";
// The plane of a cloud, both axes on one scale, with the names of its values where they are few.
const PlaneView = (box, choose) => {
  const MARGIN = { left: 40, right: 8, top: 8, bottom: 26 };
  const NAMED = 24; // at most so many values have their name in the picture
  let [at, shown, order, frame] = [null, null, [], null];

  function fitted(cloud, wide) {
    const { middles, half } = Points.box(cloud, cloud.plane);
    const room = wide - MARGIN.left - MARGIN.right;
    const high = wide - MARGIN.top - MARGIN.bottom;
    const scale = Math.min(room, high) / 2 / (half * 1.06);
    const centre = [MARGIN.left + room / 2, MARGIN.top + high / 2];
    return {
      x: (v) => centre[0] + (v - middles[0]) * scale,
      y: (v) => centre[1] - (v - middles[1]) * scale,
      span: (side) => [-1, 1].map((s) => middles[side] + (s * [room, high][side]) / 2 / scale),
    };
  }

  function place(cloud, wide) {
    frame = fitted(cloud, wide);
    const points = Points.of(cloud);
    const column = (axis, along) =>
      Float32Array.from({ length: points.count }, (_, i) => along(points.get(i, axis)));
    return { x: column(cloud.plane[0], frame.x), y: column(cloud.plane[1], frame.y) };
  }

  function under(context, wide) {
    const [right, bottom] = [wide - MARGIN.right, wide - MARGIN.bottom];
    context.font = `11px ${Hues.style("--sans")}`;
    context.fillStyle = Hues.style("--muted");
    context.lineWidth = 1;
    const line = (value, ...d) => {
      context.strokeStyle = Hues.style(value === 0 ? "--floor" : "--line");
      context.beginPath();
      context.moveTo(d[0], d[1]);
      context.lineTo(d[2], d[3]);
      context.stroke();
    };
    context.textAlign = "center";
    Chart.nice(...frame.span(0), 5).forEach(([v, text]) => {
      const x = Math.round(frame.x(v)) + 0.5;
      line(v, x, MARGIN.top, x, bottom);
      if (x < right - 8) context.fillText(text, x, bottom + 16);
    });
    context.textAlign = "right";
    Chart.nice(...frame.span(1), 5).forEach(([v, text]) => {
      const y = Math.round(frame.y(v)) + 0.5;
      line(v, MARGIN.left, y, right, y);
      context.fillText(text, MARGIN.left - 6, y + 4);
    });
  }

  // The middle of the points of each value, where there are few values.
  function middles(cloud) {
    const { variable, plane } = cloud;
    const sums = new Map();
    for (let i = 0; i < variable.values.length; i++) {
      const value = variable.values[i];
      if (value === null) continue;
      if (!sums.has(value)) sums.set(value, [0, 0, 0]);
      if (sums.size > NAMED) return [];
      const sum = sums.get(value);
      plane.forEach((axis, side) => (sum[side] += Points.of(cloud).get(i, axis)));
      sum[2] += 1;
    }
    return [...sums].map(([value, [x, y, n]]) => [Hues.told(variable, value), x / n, y / n]);
  }

  // Names that would lie on one that is there already are left out.
  function over(context, wide, cloud) {
    const taken = [];
    context.font = `650 12px ${Hues.style("--sans")}`;
    context.textAlign = "center";
    context.lineWidth = 4;
    context.lineJoin = "round";
    context.strokeStyle = Hues.style("--card");
    context.fillStyle = Hues.style("--ink");
    middles(cloud).forEach(([text, v, w]) => {
      const half = context.measureText(text).width / 2 + 3;
      const x = Math.min(Math.max(frame.x(v), half), wide - half);
      const y = frame.y(w) + 4;
      if (taken.some((t) => Math.abs(t.y - y) < 14 && Math.abs(t.x - x) < t.half + half)) return;
      taken.push({ x, y, half });
      context.strokeText(text, x, y);
      context.fillText(text, x, y);
    });
  }

  const view = PointCanvas(box, { label: "The plane", place, under, over, choose });

  view.canvas.addEventListener("focus", () => at === null && step(0));
  view.canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const to = { Home: -Infinity, End: Infinity }[event.key];
    if (!by && !to) return;
    event.preventDefault();
    step(by || to);
  });

  // So many points on, in the order of their values.
  function step(by) {
    const now = at === null ? 0 : order.indexOf(at) + by;
    choose(order[Math.min(Math.max(now, 0), order.length - 1)]);
  }

  function show(cloud, colours) {
    if (shown !== cloud) [at, order] = [null, Points.order(cloud)];
    shown = cloud;
    view.show(cloud, colours);
  }

  function ring(i) {
    at = i;
    view.ring(i);
  }

  return { show, ring };
};

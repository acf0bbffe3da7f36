"use strict";
// A cloud in three dimensions that turns by itself, by drag, or by arrow keys.
const TurnView = (box, button, choose) => {
  const [SPEED, DRAG, STEP, EYE] = [0.35, 0.01, 0.12, 4]; // per second, pixel, key; in radii
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let [yaw, pitch] = [0.6, 0.5];
  let [moving, inSight, running] = [!still.matches, false, false];
  let [shown, dragged, last] = [null, null, null];

  // Where a place in the cloud, in parts of its radius from its middle, is seen: right, down, and towards.
  function turned([x, y, z]) {
    const [c, s, d, t] = [Math.cos(yaw), Math.sin(yaw), Math.cos(pitch), Math.sin(pitch)];
    const [right, deep] = [c * x - s * y, s * x + c * y];
    const [up, near] = [d * z + t * deep, t * z - d * deep];
    const zoom = EYE / (EYE - near);
    return [right * zoom, -up * zoom, near];
  }

  const reach = (wide) => wide / 2 / 1.36;

  function place(cloud, wide) {
    const points = Points.of(cloud);
    const { middles, far } = Points.box(cloud, [0, 1, 2]);
    const [x, y, near] = [0, 1, 2].map(() => new Float32Array(points.count));
    for (let i = 0; i < points.count; i++) {
      const seen = turned([0, 1, 2].map((axis) => (points.get(i, axis) - middles[axis]) / far));
      x[i] = wide / 2 + reach(wide) * seen[0];
      y[i] = wide / 2 + reach(wide) * seen[1];
      near[i] = Math.min(Math.max(0.5 + seen[2] / 2, 0), 1);
    }
    return { x, y, near };
  }

  function under(context, wide, cloud) {
    context.font = `11px ${Hues.style("--sans")}`;
    context.textAlign = "center";
    context.lineWidth = 1;
    context.strokeStyle = Hues.style("--line");
    context.fillStyle = Hues.style("--muted");
    [0, 1, 2].forEach((axis) => {
      const [from, to, name] = [-1, 1, 1.12].map((v) => {
        const seen = turned([0, 1, 2].map((a) => (a === axis ? v : 0)));
        return [0, 1].map((side) => wide / 2 + reach(wide) * seen[side]);
      });
      context.beginPath();
      context.moveTo(...from);
      context.lineTo(...to);
      context.stroke();
      const half = context.measureText(cloud.axes[axis]).width / 2 + 2;
      const left = Math.min(Math.max(name[0], half), wide - half);
      context.fillText(cloud.axes[axis], left, Math.min(Math.max(name[1] + 4, 10), wide - 3));
    });
  }

  const view = PointCanvas(box, { label: "In three dimensions", place, under, over() {}, choose });
  const { canvas } = view;

  function frame(now) {
    if (!moving || !inSight || !shown) {
      running = false;
      return;
    }
    if (last !== null && !dragged) turn((SPEED * Math.min(now - last, 100)) / 1000, 0);
    last = now;
    requestAnimationFrame(frame);
  }

  function turn(right, down) {
    yaw += right;
    pitch = Math.min(Math.max(pitch + down, -Math.PI / 2), Math.PI / 2);
    view.paint();
  }

  function move(on) {
    moving = on;
    button.textContent = on ? "pause" : "rotate";
    button.setAttribute("aria-label", on ? "pause the rotation" : "rotate the cloud");
    begin();
  }

  function begin() {
    if (!moving || !inSight || !shown || running) return;
    [running, last] = [true, null];
    requestAnimationFrame(frame);
  }

  canvas.addEventListener("pointerdown", (event) => {
    dragged = [event.clientX, event.clientY];
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const [x, y] = dragged;
    dragged = [event.clientX, event.clientY];
    turn(DRAG * (event.clientX - x), DRAG * (event.clientY - y));
  });
  ["pointerup", "pointercancel"].forEach((end) =>
    canvas.addEventListener(end, () => (dragged = null)),
  );
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!by) return;
    event.preventDefault();
    turn(STEP * by[0], STEP * by[1]);
  });
  button.addEventListener("click", () => move(!moving));
  still.addEventListener("change", () => move(!still.matches));
  new IntersectionObserver(([entry]) => {
    inSight = entry.isIntersecting;
    begin();
  }).observe(canvas);

  // A cloud of two dimensions has nothing to turn.
  function show(cloud, colours) {
    shown = cloud.dimensions > 2 ? cloud : null;
    if (!shown) return;
    view.show(cloud, colours);
    begin();
  }

  move(moving);
  return { show, ring: (i) => shown && view.ring(i) };
};

"use strict";
// A canvas of a cloud's points: it follows the size of its box, and tells which point is pointed at.
//
// PointCanvas(box, {label, place, under, over, choose}) makes it.
//   place(cloud, wide)  {x, y, near}: where points are; `near`, 0 to 1 each, may be absent
//   under, over         (context, wide, cloud): what is drawn below and above the points
//   choose(i)           a point was pointed at
// The result's show(cloud, colours), paint() and ring(i) draw; `canvas` is the element.
const PointCanvas = (box, { label, place, under, over, choose }) => {
  const { make } = Words;
  const REACH = 14; // pixels from a point that still point at it
  const canvas = make("canvas", { class: "points", tabindex: 0, role: "application" });
  let [shown, placed, ringed] = [null, null, null];

  const dot = (count) => (count > 900 ? 2.3 : count > 250 ? 3 : 4.2);

  function dots(context) {
    const { x, y, near } = placed;
    const radius = dot(x.length);
    const order = near ? [...x.keys()].sort((a, b) => near[a] - near[b]) : x.keys();
    for (const i of order) {
      context.globalAlpha = near ? 0.3 + 0.7 * near[i] : 0.8;
      context.fillStyle = shown.colours[i];
      context.beginPath();
      context.arc(x[i], y[i], near ? radius * (0.75 + 0.5 * near[i]) : radius, 0, 7);
      context.fill();
    }
    context.globalAlpha = 1;
  }

  function circle(context) {
    if (ringed === null || ringed >= placed.x.length) return;
    context.strokeStyle = Hues.style("--ink");
    context.lineWidth = 2;
    context.beginPath();
    context.arc(placed.x[ringed], placed.y[ringed], 7, 0, 7);
    context.stroke();
  }

  function paint() {
    const wide = canvas.clientWidth;
    if (!shown || !wide) return;
    const sharp = Math.min(window.devicePixelRatio || 1, 2);
    const pixels = Math.round(wide * sharp);
    if (canvas.width !== pixels) canvas.width = canvas.height = pixels;
    const context = canvas.getContext("2d");
    context.setTransform(sharp, 0, 0, sharp, 0, 0);
    context.clearRect(0, 0, wide, wide);
    placed = place(shown.cloud, wide);
    under(context, wide, shown.cloud);
    dots(context);
    over(context, wide, shown.cloud);
    circle(context);
  }

  function show(cloud, colours) {
    if (!shown || shown.cloud !== cloud) ringed = null;
    shown = { cloud, colours };
    canvas.setAttribute("aria-label", `${label} of ${cloud.name}, ${colours.length} points`);
    paint();
  }

  function ring(i) {
    ringed = i;
    paint();
  }

  // The point nearest to a place, null where none is within reach.
  function nearest(left, top) {
    let [best, least] = [null, REACH ** 2];
    for (let i = 0; placed && i < placed.x.length; i++) {
      const far = (placed.x[i] - left) ** 2 + (placed.y[i] - top) ** 2;
      if (far < least) [best, least] = [i, far];
    }
    return best;
  }

  function under_pointer(event) {
    if (event.buttons > 1) return;
    const { left, top } = canvas.getBoundingClientRect();
    const found = nearest(event.clientX - left, event.clientY - top);
    if (found !== null) choose(found);
  }

  canvas.addEventListener("pointermove", (event) => event.buttons || under_pointer(event));
  canvas.addEventListener("pointerdown", under_pointer);
  new ResizeObserver(paint).observe(canvas);
  box.replaceChildren(canvas);
  return { canvas, show, paint, ring };
};

"use strict";
// One network on a canvas, which moves from one to the next: nodes and weights slide into place.
//
// NetworkView(canvas, said) draws; `said(text)` is told what a node reads and writes.
const NetworkView = (canvas, said) => {
  const { number } = Say;
  const [MOVE, FAINTEST, MARGIN] = [360, 0.08, 16]; // milliseconds; share of the largest; pixels
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const read = new Map();
  let [from, to, now, began, chosen, sizes, box] = [null, null, null, 0, null, [], null];

  // Nodes' places; weights one by one, their ends, and their shares of their layer's largest.
  function of(network) {
    if (read.has(network)) return read.get(network);
    const floats = (text) => new Float32Array(Colours.bytes(text).buffer);
    const [all, places] = [floats(network.weights), floats(network.positions)];
    const [shares, ends] = [[], []];
    let [first, at] = [0, 0];
    for (let layer = 0; layer + 1 < sizes.length; layer++) {
      const [rows, columns] = [sizes[layer], sizes[layer + 1]];
      const part = all.subarray(at, at + rows * columns);
      const most = part.reduce((m, w) => Math.max(m, Math.abs(w)), 1e-30);
      part.forEach((w, i) => {
        shares.push(w / most);
        ends.push([first + Math.floor(i / columns), first + rows + (i % columns)]);
      });
      at += rows * columns;
      first += rows;
    }
    const found = { weights: all, places, shares, ends };
    read.set(network, found);
    return found;
  }

  // One frame for all networks between which the picture moves.
  function framed(networks) {
    const all = networks.flatMap((network) => [...of(network).places]);
    const range = (axis) => {
      const values = all.filter((_, i) => i % 2 === axis);
      return [Math.min(...values), Math.max(...values)];
    };
    const [x, y] = [range(0), range(1)];
    return { x, y };
  }

  const layerOf = (node) => {
    let rest = node;
    return sizes.findIndex((n) => (rest < n ? true : ((rest -= n), false)));
  };
  const placeIn = (node) => node - sizes.slice(0, layerOf(node)).reduce((a, b) => a + b, 0);

  function name(node) {
    const [layer, at] = [layerOf(node), placeIn(node) + 1];
    if (layer === 0) return `input ${at}`;
    if (layer === sizes.length - 1) return sizes[layer] > 1 ? `output ${at}` : "output";
    return sizes.length > 3 ? `unit ${at} of layer ${layer}` : `hidden unit ${at}`;
  }

  // Pixels of the canvas, and a function from a node to its pixels.
  function pixels() {
    const [wide, high] = [canvas.clientWidth, canvas.clientHeight];
    const [w, h] = [box.x[1] - box.x[0] || 1, box.y[1] - box.y[0] || 1];
    const scale = Math.min((wide - 2 * MARGIN) / w, (high - 2 * MARGIN) / h);
    const middle = [(box.x[0] + box.x[1]) / 2, (box.y[0] + box.y[1]) / 2];
    return {
      wide, high,
      at: (node) => [
        wide / 2 + scale * (now.places[2 * node] - middle[0]),
        high / 2 - scale * (now.places[2 * node + 1] - middle[1]),
      ],
    };
  }

  function paint() {
    const { wide, high, at } = pixels();
    if (!wide) return;
    const ratio = devicePixelRatio || 1;
    [canvas.width, canvas.height] = [Math.round(wide * ratio), Math.round(high * ratio)];
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    const style = getComputedStyle(canvas);
    const colour = (key) => style.getPropertyValue(`--${key}`).trim();
    lines(context, at, colour);
    nodes(context, at, colour);
  }

  function lines(context, at, colour) {
    const [red, blue] = [colour("positive"), colour("negative")];
    context.lineCap = "round";
    const order = [...now.shares.keys()].filter((i) => Math.abs(now.shares[i]) >= FAINTEST)
      .sort((a, b) => Math.abs(now.shares[a]) - Math.abs(now.shares[b]));
    order.forEach((i) => {
      const size = Math.abs(now.shares[i]);
      const away = chosen !== null && !to.ends[i].includes(chosen);
      context.globalAlpha = (0.15 + 0.8 * size) * (away ? 0.15 : 1);
      context.lineWidth = 0.5 + 3.5 * size;
      context.strokeStyle = now.shares[i] > 0 ? red : blue;
      context.beginPath();
      context.moveTo(...at(to.ends[i][0]));
      context.lineTo(...at(to.ends[i][1]));
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  function nodes(context, at, colour) {
    const count = now.places.length / 2;
    const [first, last] = [sizes[0], count - sizes[sizes.length - 1]];
    [context.textAlign, context.textBaseline] = ["center", "middle"];
    context.font = `600 10px ${colour("sans")}`;
    for (let node = 0; node < count; node++) {
      const end = node < first || node >= last;
      const [x, y] = at(node);
      context.fillStyle = colour(node < first ? "input" : node < last ? "hidden" : "output");
      context.strokeStyle = node === chosen ? colour("ink") : colour("card");
      context.lineWidth = node === chosen ? 2.5 : 1.5;
      context.beginPath();
      context.arc(x, y, end ? 8.5 : 5, 0, 2 * Math.PI);
      context.fill();
      context.stroke();
      if (!end) continue;
      context.fillStyle = colour("card");
      const output = sizes.at(-1) > 1 ? node - last + 1 : "y";
      context.fillText(node < first ? node + 1 : output, x, y + 0.5);
    }
  }

  // A share of the way from where the picture was to where it goes.
  function between(share) {
    const mix = (a, b) => Float32Array.from(b, (v, i) => a[i] + share * (v - a[i]));
    const edge = (a, b) => a.map((v, i) => v + share * (b[i] - v));
    now = { places: mix(from.places, to.places), shares: mix(from.shares, to.shares) };
    box = { x: edge(from.box.x, to.box.x), y: edge(from.box.y, to.box.y) };
  }

  function frame(time) {
    const share = Math.min(Math.max((time - began) / MOVE, 0), 1);
    between(share * share * (3 - 2 * share));
    paint();
    if (share < 1) requestAnimationFrame(frame);
    else canvas.dataset.moving = "no";
  }

  // Draws the network; all of `among` fit into the frame. It moves there where it was of one size.
  function show(network, given, among) {
    const same = now && given.join() === sizes.join();
    sizes = given;
    if (!same) chosen = null;
    const [target, wanted] = [of(network), framed(among)];
    from = same ? { ...now, box } : { ...target, box: wanted };
    to = { ...target, box: wanted };
    tell();
    const moving = canvas.dataset.moving === "yes";
    if (!same || calm.matches) {
      between(1);
      paint();
      canvas.dataset.moving = "no";
      return;
    }
    began = performance.now();
    canvas.dataset.moving = "yes";
    if (!moving) requestAnimationFrame(frame);
  }

  // The node's strongest weights to those before it, and to those behind.
  function strongest(node, side) {
    const weights = [...to.ends.keys()].filter((i) => to.ends[i][side] === node)
      .sort((a, b) => Math.abs(to.weights[b]) - Math.abs(to.weights[a]));
    const told = (i) => `${name(to.ends[i][1 - side])} ${number(to.weights[i])}`;
    return weights.slice(0, 3).map(told).join(", ") + (weights.length > 3 ? ", …" : "");
  }

  function tell() {
    if (chosen === null) {
      said("Point at a unit, or walk from unit to unit by arrow keys, to read its weights.");
      return;
    }
    const [reads, writes] = [strongest(chosen, 1), strongest(chosen, 0)];
    const parts = [reads && `reads ${reads}`, writes && `writes to ${writes}`];
    said(`${name(chosen)}: ${parts.filter(Boolean).join("; ")}`);
  }

  function choose(node) {
    if (node === chosen) return;
    chosen = node;
    tell();
    paint();
  }

  function under(event) {
    const rect = canvas.getBoundingClientRect();
    const { at } = pixels();
    const far = [...Array(now.places.length / 2).keys()].map((node) => {
      const [x, y] = at(node);
      return Math.hypot(event.clientX - rect.left - x, event.clientY - rect.top - y);
    });
    const least = Math.min(...far);
    choose(least < 24 ? far.indexOf(least) : null);
  }

  canvas.addEventListener("pointermove", under);
  canvas.addEventListener("pointerdown", under);
  canvas.addEventListener("pointerleave", () => document.activeElement !== canvas && choose(null));
  canvas.addEventListener("keydown", (event) => {
    const count = now.places.length / 2;
    const at = chosen ?? -1;
    const ways = { ArrowRight: at + 1, ArrowLeft: Math.max(at, 0) - 1, Home: 0, End: count - 1 };
    const next = ways[event.key];
    if (event.key === "Escape") choose(null);
    if (next === undefined) return;
    event.preventDefault();
    choose((next + count) % count);
  });
  new ResizeObserver(() => now && paint()).observe(canvas);

  return { show, paint: () => now && paint() };
};

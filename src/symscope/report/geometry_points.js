"use strict";
// A cloud's points as numbers, read once from base64, and what is said of one.
const Points = (() => {
  const { number } = Words;
  const read = new Map();

  function of(cloud) {
    if (read.has(cloud)) return read.get(cloud);
    // Floats are little-endian in a view, and on all machines that browsers run on.
    const at = new Float32Array(Colours.bytes(cloud.points).buffer);
    const count = at.length / cloud.dimensions;
    const found = { count, get: (i, axis) => at[i * cloud.dimensions + axis] };
    read.set(cloud, found);
    return found;
  }

  // The points in the order of their values, in which keys walk through them.
  function order(cloud) {
    const { values } = cloud.variable;
    return [...values.keys()].sort(
      (a, b) => (values[a] ?? Infinity) - (values[b] ?? Infinity) || a - b,
    );
  }

  // The middle of each of the axes, half the widest range, and how far a point is from the middle at
  // most; 1 where all points are one.
  function box(cloud, axes) {
    const points = of(cloud);
    const ranges = axes.map((axis) => {
      let [low, high] = [Infinity, -Infinity];
      for (let i = 0; i < points.count; i++) {
        const v = points.get(i, axis);
        if (v < low) low = v;
        if (v > high) high = v;
      }
      return [low, high];
    });
    const half = Math.max(...ranges.map(([low, high]) => (high - low) / 2)) || 1;
    const middles = ranges.map(([low, high]) => (low + high) / 2);
    let far = 0;
    for (let i = 0; i < points.count; i++) {
      far = Math.max(far, Math.hypot(...axes.map((axis, s) => points.get(i, axis) - middles[s])));
    }
    return { middles, half, far: far || 1 };
  }

  function told(cloud, i) {
    const { variable, texts, axes, dimensions } = cloud;
    const value = `${variable.name}: ${Hues.told(variable, variable.values[i])}`;
    const places = axes.map((name, axis) => `${name} ${number(of(cloud).get(i, axis))}`);
    return [...(texts ? [texts[i]] : []), value, places.slice(0, dimensions).join(", ")].join(" · ");
  }

  return { of, order, box, told };
})();

"use strict";
// Maps as images: bytes as colours of the style sheet, from pale to deep or from deep to pale.
const Colours = (() => {
  const STOPS = ["--heat-low", "--heat-middle", "--heat-high"];
  let scale = null;

  // 256 colours [r, g, b] along the three of the style sheet, whose lightness is in order.
  function colours() {
    if (scale) return scale;
    const style = getComputedStyle(document.documentElement);
    const stops = STOPS.map((name) => {
      const text = style.getPropertyValue(name).trim().slice(1);
      return [0, 2, 4].map((at) => parseInt(text.slice(at, at + 2), 16));
    });
    scale = [...Array(256).keys()].map((i) => {
      const at = (i / 255) * (STOPS.length - 1);
      const low = Math.min(Math.floor(at), STOPS.length - 2);
      return stops[low].map((v, c) => v + (at - low) * (stops[low + 1][c] - v));
    });
    return scale;
  }

  // The colour scheme is another now.
  function forget() {
    scale = null;
  }

  const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

  // Draws a map, one pixel for each cell; cells that are not legal stay blank.
  function paint(canvas, map, legal, cells) {
    canvas.width = canvas.height = cells;
    const context = canvas.getContext("2d");
    const image = context.createImageData(cells, cells);
    const all = colours();
    for (let i = 0; i < map.length; i++) {
      if (legal[i]) image.data.set([...all[map[i]], 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }

  return { colours, forget, bytes, paint };
})();

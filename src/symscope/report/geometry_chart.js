"use strict";
// Charts as SVG in the colours of the page, as wide as their box, with places to point at.
//
// Chart.draw(box, figure) draws, and again whenever the box is as wide as another number of pixels.
//   label   what the chart is, for a reader who does not see it
//   x, y    {from, to, title, ticks: [[at, text]]}; y goes up
//   layers  frame → elements, back to front: line, band, bars, steps, level and marks make them
//   read    [{at, words}]: what is said where the reader points, from left to right
//   rows    how many rows of words stand above the frame
const Chart = (() => {
  const { make } = Words;
  const [LEFT, RIGHT, BELOW, ROW, HIGH] = [46, 14, 44, 15, 300];
  const watch = new ResizeObserver((all) => all.forEach(({ target }) => again(target)));
  const path = (d, attributes) => make("path", { d, ...attributes });
  const px = (v) => v.toFixed(1);

  // Round numbers from one to the other, about so many.
  function nice(from, to, about) {
    const raw = (to - from) / about || 1;
    const ten = 10 ** Math.floor(Math.log10(raw));
    const step = ten * [1, 2, 5, 10].find((s) => s * ten >= raw * 0.999);
    const first = Math.ceil(from / step - 1e-9);
    const count = Math.floor(to / step + 1e-9) - first + 1;
    const digits = Math.max(-Math.floor(Math.log10(step) + 1e-9), 0);
    return [...Array(Math.max(count, 0)).keys()].map((i) => {
      const v = (first + i) * step;
      return [v, (v === 0 ? 0 : v).toFixed(digits).replace("-", "−")];
    });
  }

  const shares = (about) => nice(0, 100, about).map(([v, text]) => [v / 100, `${text} %`]);

  function axes(frame, { x, y }) {
    const { left, right, top, bottom } = frame;
    const parts = y.ticks.map(([at, text]) => [
      path(`M${left} ${px(frame.y(at))}H${right}`, { class: at === 0 ? "zero" : "grid" }),
      make("text", { x: left - 6, y: px(frame.y(at) + 4), class: "end" }, text),
    ]);
    // Every tick has its words, or every second, or third: as many as there is room for.
    const widest = 6.6 * Math.max(...x.ticks.map(([, text]) => text.length), 1) + 8;
    const every = Math.ceil((widest * (x.ticks.length - 1)) / (right - left)) || 1;
    x.ticks.filter((_, i) => i % every === 0).forEach(([at, text]) => {
      const half = 3.3 * text.length;
      const inside = Math.min(Math.max(frame.x(at), half + 2), right + RIGHT - half - 2);
      parts.push([make("text", { x: px(inside), y: bottom + 17, class: "middle" }, text)]);
    });
    parts.push([path(`M${left} ${bottom}H${right}`, { class: "rule" })]);
    const middle = (left + right) / 2;
    parts.push([make("text", { x: px(middle), y: bottom + 36, class: "middle" }, x.title)]);
    parts.push([make("text", { x: 2, y: 12, class: "title" }, y.title)]);
    return parts.flat();
  }

  function again(box) {
    const { chart } = box;
    const wide = Math.floor(box.clientWidth);
    if (!chart || !wide || chart.wide === wide) return;
    chart.wide = wide;
    const { figure } = chart;
    const top = 24 + ROW * (figure.rows || 0);
    const [left, right, bottom] = [LEFT, wide - RIGHT, top + HIGH - BELOW - 24];
    const along = (axis, from, to) => (v) => from + ((v - axis.from) / (axis.to - axis.from)) * (to - from);
    const frame = {
      left, right, top, bottom, x: along(figure.x, left, right), y: along(figure.y, bottom, top),
    };
    const high = bottom + BELOW;
    const svg = make("svg", { viewBox: `0 0 ${wide} ${high}`, width: wide, height: high });
    svg.setAttribute("aria-hidden", "true");
    svg.append(...axes(frame, figure), ...figure.layers.flatMap((layer) => layer(frame)));
    chart.cursor = path("", { class: "cursor-line" });
    svg.append(chart.cursor);
    chart.frame = frame;
    chart.plane.replaceChildren(svg);
    if (chart.at !== null) point(chart, chart.at);
  }

  function point(chart, at) {
    const { read } = chart.figure;
    chart.at = Math.min(Math.max(at, 0), read.length - 1);
    const x = px(chart.frame.x(read[chart.at].at));
    chart.cursor.setAttribute("d", `M${x} ${chart.frame.top}V${chart.frame.bottom}`);
    chart.said.textContent = read[chart.at].words;
  }

  function listen(chart) {
    const { plane } = chart;
    const under = (event) => {
      const { read } = chart.figure;
      const x = event.clientX - plane.getBoundingClientRect().left;
      const far = read.map(({ at }) => Math.abs(chart.frame.x(at) - x));
      if (read.length) point(chart, far.indexOf(Math.min(...far)));
    };
    plane.addEventListener("pointermove", under);
    plane.addEventListener("pointerdown", under);
    plane.addEventListener("focus", () => chart.figure.read.length && point(chart, chart.at ?? 0));
    plane.addEventListener("keydown", (event) => {
      const { read } = chart.figure;
      const to = { ArrowLeft: chart.at - 1, ArrowRight: chart.at + 1, Home: 0, End: Infinity }[event.key];
      if (to === undefined || !read.length) return;
      event.preventDefault();
      point(chart, to);
    });
  }

  function draw(box, figure) {
    if (!box.chart) {
      const plane = make("div", { class: "chart", tabindex: 0, role: "application" });
      const said = make("output", { class: "said" });
      box.replaceChildren(plane, said);
      box.chart = { plane, said, at: null };
      listen(box.chart);
      watch.observe(box);
    }
    const { chart } = box;
    Object.assign(chart, { figure, wide: null });
    chart.plane.setAttribute("aria-label", `${figure.label}. Arrow keys read it.`);
    chart.said.textContent ||= figure.read.length ? "Point at the chart to read it." : "";
    again(box);
  }

  // A line that breaks where a value is missing; a value that stands alone is a dot.
  function line(xs, ys, colour, { dash = "", wide = 1.8 } = {}) {
    return (frame) => {
      let pen = false;
      const d = ys.map((v, i) => {
        const place = v === null ? "" : `${px(frame.x(xs[i]))} ${px(frame.y(v))}`;
        const command = v === null ? "" : pen ? `L${place}` : `M${place}h0`;
        pen = v !== null;
        return command;
      });
      const style = `stroke:${colour};stroke-width:${wide};stroke-dasharray:${dash || "none"}`;
      return [path(d.join(""), { class: "curve", style })];
    };
  }

  // Between low and high, wherever both are known.
  function band(xs, lows, highs, colour) {
    const runs = [[]];
    xs.forEach((_, i) => {
      if ((lows[i] ?? null) === null || (highs[i] ?? null) === null) runs.push([]);
      else runs[runs.length - 1].push(i);
    });
    return (frame) =>
      runs.filter((run) => run.length > 1).map((run) => {
        const side = (is, vs) => is.map((i) => `${px(frame.x(xs[i]))} ${px(frame.y(vs[i]))}`).join("L");
        const d = `M${side(run, highs)}L${side([...run].reverse(), lows)}Z`;
        return path(d, { class: "band", style: `fill:${colour}` });
      });
  }

  // Bars {from, to, value, kind} upon zero.
  const bars = (all) => (frame) =>
    all.filter((b) => b.value > 0).map(({ from, to, value, kind = "" }) => {
      const [l, r, t] = [frame.x(from), frame.x(to), frame.y(value)].map(px);
      return path(`M${l} ${px(frame.y(0))}V${t}H${r}V${px(frame.y(0))}Z`, { class: `bar ${kind}` });
    });

  // The outline of bars.
  const steps = (all, kind) => (frame) => {
    const tops = all.map((b) => `V${px(frame.y(b.value))}H${px(frame.x(b.to))}`).join("");
    const start = `M${px(frame.x(all[0].from))} ${px(frame.y(0))}`;
    return [path(`${start}${tops}V${px(frame.y(0))}`, { class: `steps ${kind}` })];
  };

  // A dashed line at a value, with words over it at the right.
  const level = (value, words) => (frame) => [
    path(`M${frame.left} ${px(frame.y(value))}H${frame.right}`, { class: "level" }),
    make("text", { x: frame.right, y: px(frame.y(value) - 5), class: "end halo" }, words),
  ];

  // In which row each mark's words stand, so that they do not run into each other, for a width.
  function placed(marks, frame) {
    const ends = [];
    return [...marks].sort((a, b) => a.x - b.x).map((mark) => {
      const [at, long] = [frame.x(mark.x), 6.4 * mark.label.length + 8];
      const left = Math.min(Math.max(at - long / 2, 0), frame.right + RIGHT - long);
      let row = ends.findIndex((end) => end <= left);
      if (row < 0) row = ends.length;
      ends[row] = left + long;
      return { ...mark, at, row, middle: left + long / 2 };
    });
  }

  // Vertical lines with words above the frame.
  const marks = (all) => (frame) => {
    const found = placed(all, frame).map((m) => ({ ...m, y: frame.top - 6 - ROW * m.row }));
    return [
      ...found.map(({ at, y }) => path(`M${px(at)} ${px(y + 3)}V${frame.bottom}`, { class: "mark" })),
      ...found.map(({ middle, y, label }) =>
        make("text", { x: px(middle), y: px(y), class: "middle halo strong" }, label),
      ),
    ];
  };

  return { draw, nice, shares, line, band, bars, steps, level, marks };
})();

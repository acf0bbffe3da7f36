"use strict";
// What is left of the states after each step of the regression, as maps in red, green and blue.
const ResidualViews = (app) => {
  const { view } = app;
  const { make } = Words;

  function paint(canvas, grid, [rows, columns]) {
    const bytes = Colours.bytes(grid);
    canvas.width = columns;
    canvas.height = rows;
    const context = canvas.getContext("2d");
    const image = context.createImageData(columns, rows);
    for (let i = 0; i < rows * columns; i++) {
      image.data.set([bytes[3 * i], bytes[3 * i + 1], bytes[3 * i + 2], 255], 4 * i);
    }
    context.putImageData(image, 0, 0);
  }

  function spoken(part, at) {
    const step = part.steps[at];
    const [rows, columns] = part.shape;
    return `What is left of ${part.network} after ${at + 1} of ${part.steps.length} steps, the last ` +
      `of them ${step.added}: r² ${Measure.told(step.r2)}. ${rows} × ${columns} cells, ` +
      `${part.rows} down and ${part.columns} across, coloured by the residual's three components.`;
  }

  function row(part, at, choose) {
    const { added, r2 } = part.steps[at];
    const button = make("button", { type: "button", "data-step": at }, `${at + 1}. ${added}`);
    button.addEventListener("click", () => choose(at));
    const rail = make("div", { class: "rail", "aria-hidden": "true" });
    const place = (v) => 100 * Math.min(Math.max(v, 0), 1);
    if ((r2.null ?? null) !== null) {
      rail.append(make("span", { class: "ring", style: `left:${place(r2.null)}%` }));
    }
    if (r2.score !== null) {
      const [low, high] = [place(r2.low ?? r2.score), place(r2.high ?? r2.score)];
      const whisker = `left:${low}%;width:${high - low}%`;
      rail.append(make("span", { class: "whisker", style: whisker }));
      rail.append(make("span", { class: "point", style: `left:${place(r2.score)}%` }));
    }
    return make(
      "tr",
      { "data-step": at },
      make("td", {}, button),
      make("td", { class: "wide-cell" }, rail),
      r2.score === null
        ? make("td", { class: "why" }, r2.reason)
        : make("td", { class: "n" }, Measure.value(r2.score), " ", make("small", {}, Measure.between(r2))),
      make("td", { class: "n" }, Measure.value(r2.null)),
    );
  }

  function small(part, at, choose) {
    const { added, grid, r2 } = part.steps[at];
    const canvas = make("canvas", { "aria-hidden": "true" });
    if (grid) paint(canvas, grid, part.shape);
    const button = make("button", { type: "button", class: "small", "data-step": at }, canvas);
    const said = r2.score === null ? "" : `r² ${Measure.value(r2.score)}`;
    button.append(make("b", {}, `${at + 1}. ${added}`), make("small", {}, said));
    button.addEventListener("click", () => choose(at));
    return button;
  }

  function large(part) {
    const canvas = make("canvas", { class: "rgb", role: "img" });
    const down = make("span", { class: "down" }, `${part.rows} →`);
    const across = make("span", { class: "across" }, `${part.columns} →`);
    return { canvas, box: make("div", { class: "grid" }, across, down, canvas) };
  }

  function figure(part) {
    const { canvas, box } = large(part);
    const title = make("p", { class: "over" });
    const none = make("p", { class: "note" }, "No map was kept of this step.");
    const all = [...part.steps.keys()];
    const smalls = all.map((at) => small(part, at, choose));
    const rows = all.map((at) => row(part, at, choose));
    const head = ["Added", "", "r²", "Null"].map((h, i) => make("th", i > 1 ? { class: "n" } : {}, h));
    const table = make("table", {}, make("thead", {}, make("tr", {}, ...head)), make("tbody", {}, ...rows));
    const ring = make("span", { class: "key" }, make("i", { class: "ring" }), "null: as many functions at random");
    const group = { class: "smalls", role: "group", "aria-label": "Steps" };

    function choose(at) {
      const { grid, added } = part.steps[at];
      box.hidden = !grid;
      none.hidden = Boolean(grid);
      if (grid) paint(canvas, grid, part.shape);
      canvas.setAttribute("aria-label", spoken(part, at));
      title.replaceChildren(make("b", {}, `After ${at + 1}. ${added}`));
      smalls.forEach((button, i) => button.setAttribute("aria-pressed", String(i === at)));
      rows.forEach((tr, i) => tr.classList.toggle("chosen", i === at));
    }

    choose(0);
    return make(
      "figure",
      { class: "steps", "data-network": part.network },
      make("figcaption", {}, make("b", {}, part.network), ". ", part.said || ""),
      make("div", { class: "beside-map" }, make("div", {}, title, box, none),
        make("div", { class: "bars" }, make("div", {}, table, make("p", { class: "note" }, ring)))),
      make("div", group, ...smalls),
    );
  }

  Panels(app, "residuals", view.residuals, 1, figure);
};

"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const plots = [...document.querySelectorAll(".plot")];
  const select = document.getElementById("variable");
  const options = { displayModeBar: false, responsive: true, showTips: false };

  // "var(--name)" in a figure stands for what the style sheet says in the current colour scheme.
  function coloured(value, style) {
    if (typeof value === "string") {
      const name = /^var\((--[a-z-]+)\)$/.exec(value);
      return name ? style.getPropertyValue(name[1]).trim() || value : value;
    }
    if (Array.isArray(value)) return value.map((v) => coloured(v, style));
    if (value === null || typeof value !== "object") return value;
    return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, coloured(v, style)]));
  }

  function themed(layout, style) {
    const axis = { gridcolor: "var(--line)", linecolor: "var(--line)", automargin: true };
    const common = {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      autosize: true,
      dragmode: false,
      font: { family: style.getPropertyValue("--sans"), size: 13, color: "var(--ink)" },
      hoverlabel: {
        bgcolor: "var(--card)",
        bordercolor: "var(--muted)",
        align: "left",
        font: { size: 13, color: "var(--ink)" },
      },
    };
    const axes = Object.keys(layout).filter((key) => /^[xy]axis/.test(key));
    const given = Object.fromEntries(
      axes.map((key) => {
        const font = { size: 13, color: "var(--muted)" };
        const title = { font, standoff: 12, ...layout[key].title };
        return [key, { ...axis, ...layout[key], title }];
      }),
    );
    return coloured({ ...common, ...layout, ...given }, style);
  }

  function figureOf(name) {
    if (name in figures) return figures[name];
    return select ? figures.claims[Number(select.value)][name] : null;
  }

  function draw(plot) {
    const name = plot.dataset.figure;
    const figure = figureOf(name);
    const missing = document.querySelector(`[data-missing="${name}"]`);
    plot.hidden = !figure;
    if (missing) missing.hidden = Boolean(figure);
    if (!figure) return;
    const style = getComputedStyle(document.documentElement);
    const layout = themed(figure.layout, style);
    plot.style.height = `${layout.height}px`;
    Plotly.react(plot, coloured(figure.data, style), layout, options);
  }

  function choose() {
    document.querySelectorAll("[data-claim]").forEach((part) => {
      part.hidden = part.dataset.claim !== select.value;
    });
    plots.filter((plot) => !(plot.dataset.figure in figures)).forEach(draw);
  }

  if (select) {
    select.addEventListener("change", choose);
    document.querySelectorAll("[data-choose]").forEach((button) =>
      button.addEventListener("click", () => {
        select.value = button.dataset.choose;
        choose();
        document.getElementById("claim").scrollIntoView();
      }),
    );
  }
  plots.forEach(draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => plots.forEach(draw));
  document.documentElement.dataset.drawn = "yes";
})();

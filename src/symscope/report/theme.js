"use strict";
// Plots in the colours of the style sheet, light or dark.
const Theme = (() => {
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

  // Draws a figure, `data` and `layout` as plotly takes them, or draws it again.
  function plot(element, figure) {
    const style = getComputedStyle(document.documentElement);
    const layout = themed(figure.layout, style);
    element.style.height = `${layout.height}px`;
    return Plotly.react(element, coloured(figure.data, style), layout, options);
  }

  function onScheme(redraw) {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  }

  return { plot, onScheme };
})();

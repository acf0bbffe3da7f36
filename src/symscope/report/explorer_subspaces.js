"use strict";
// Where names and constants lie in the plane, over training.
const SubspaceViews = (app) => {
  const { view, of } = app;
  const { percent, safe } = Words;

  // The share of the points' variance that is between labels, and what chance gives.
  function spread(labels, points) {
    const middle = (list) => [0, 1].map((d) => list.reduce((s, v) => s + v[d], 0) / list.length);
    const apart = (list, at) =>
      list.reduce((s, v) => s + (v[0] - at[0]) ** 2 + (v[1] - at[1]) ** 2, 0);
    const names = [...new Set(labels)];
    const groups = names.map((name) => points.filter((_, i) => labels[i] === name));
    const total = apart(points, middle(points));
    const within = groups.reduce((s, g) => s + apart(g, middle(g)), 0);
    return {
      names,
      groups,
      centres: groups.map(middle),
      share: total ? 1 - within / total : 0,
      chance: points.length > 1 ? (names.length - 1) / (points.length - 1) : 1,
    };
  }

  function subspace(plot) {
    const { labels, points } = view.subspaces.groups[plot.dataset.group];
    const { names, groups, centres, share, chance } = spread(
      labels,
      points[app.place(view.subspaces)],
    );
    const colour = (i) => `hsl(${(360 * i) / names.length + 205} 62% 55%)`;
    const column = (list, d) => list.map((v) => v[d]);
    const data = groups.map((group, i) => ({
      type: "scatter",
      mode: "markers",
      x: column(group, 0),
      y: column(group, 1),
      name: safe(names[i]),
      marker: { color: colour(i), size: 6, opacity: 0.7 },
      hovertemplate: `${safe(names[i])} (%{x:.2f}, %{y:.2f})<extra></extra>`,
    }));
    data.push({
      type: "scatter",
      mode: "text",
      x: column(centres, 0),
      y: column(centres, 1),
      text: names.map((n) => `<b>${safe(n)}</b>`),
      hoverinfo: "skip",
      textfont: { size: 15 },
    });
    // Margins that follow the labels and axes of one scale would each wait for the other.
    const axis = { zeroline: false, tickfont: { size: 11 }, nticks: 6, automargin: false };
    Theme.plot(plot, {
      data,
      layout: {
        height: 400,
        margin: { l: 40, r: 8, t: 8, b: 32 },
        showlegend: false,
        hovermode: "closest",
        xaxis: axis,
        yaxis: { ...axis, scaleanchor: "x" },
      },
    });
    document.querySelector(`[data-spread="${CSS.escape(plot.dataset.group)}"]`).textContent =
      `${percent(share, 0)} of the points' variance is between labels; labels given by chance: ` +
      `${percent(chance, 0)}.`;
  }

  function subspaces() {
    of("subspaces-at").textContent = app.told(view.subspaces);
    document.querySelectorAll("[data-group]").forEach(subspace);
  }

  if (view.subspaces) app.shows("at scheme", subspaces);
};

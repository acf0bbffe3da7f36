"use strict";
(() => {
  const figures = JSON.parse(document.getElementById("figures").textContent);
  const plots = [...document.querySelectorAll(".plot")];
  const select = document.getElementById("variable");

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
    Theme.plot(plot, figure);
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
  Theme.onScheme(() => plots.forEach(draw));
  document.documentElement.dataset.drawn = "yes";
})();

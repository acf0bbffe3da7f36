"use strict";
(() => {
  const box = document.getElementById("filter");
  const parts = [...document.querySelectorAll("[data-words]")];
  const told = document.getElementById("told");

  function choose() {
    const wanted = box.value.toLowerCase().split(/\s+/).filter(Boolean);
    parts.forEach((part) => {
      part.hidden = !wanted.every((word) => part.dataset.words.includes(word));
    });
    const left = parts.filter((part) => part.tagName === "TR" && !part.hidden).length;
    told.textContent = wanted.length ? `${left} tasks` : "";
  }

  box.addEventListener("input", choose);
  document.documentElement.dataset.drawn = "yes";
})();

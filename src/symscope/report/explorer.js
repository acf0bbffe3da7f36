"use strict";
// What the reader has chosen, and the views that follow it.
(() => {
  const view = JSON.parse(document.getElementById("view").textContent);
  const { step, percent, token } = Words;
  const last = view.checkpoints.length - 1;
  const state = {
    program: 0,
    at: last,
    kind: (view.patching || { kinds: [] }).kinds[0],
    token: 0,
    other: 0,
    site: view.patching ? Object.keys(view.patching.rows)[0] : null,
  };
  const views = [];
  const of = (name) => document.querySelector(`[data-view="${name}"]`);
  const ids = (name) => document.getElementById(name);

  const app = {
    view,
    state,
    of,
    ids,
    program: () => view.programs[state.program],
    // A view is drawn anew whenever one of the things it shows is chosen.
    shows: (things, draw) => views.push({ things: things.split(" "), draw }),
    choose(choice) {
      const changed = Object.keys(choice).filter((k) => state[k] !== choice[k]);
      Object.assign(state, choice);
      if (changed.includes("program")) {
        state.token = app.program().tokens.length - 1;
        changed.push("token");
      }
      views.filter((v) => v.things.some((t) => changed.includes(t))).forEach((v) => v.draw());
    },
    // The line of a token, numbered from 1; the query is the last.
    lineOf: (program, at) => program.tokens.slice(0, at).filter((t) => t === "\n").length + 1,
    columns,
    // The place in a part's own checkpoints, and what a reader is told about it.
    place: (part) => Words.nearest(part.checkpoints, state.at),
    told: (part) => told(part.checkpoints[Words.nearest(part.checkpoints, state.at)]),
  };

  function columns(program) {
    return program.tokens.map((text, i) => {
      const line = app.lineOf(program, i);
      const query = line > program.lines.length;
      const strong =
        text !== "\n" && (query ? text === program.query : program.lines[line - 1].chain);
      return { label: token(text), group: query ? "query" : `line ${line}`, strong };
    });
  }

  function told(index) {
    const shown = step(view.checkpoints[index]);
    if (index === state.at) return `Shown: ${shown}.`;
    if (index > state.at)
      return `Shown: ${shown}, the first there is: nothing was measured before.`;
    const wanted = step(view.checkpoints[state.at]);
    return `Shown: ${shown}, the nearest before ${wanted} that was measured.`;
  }

  // What the prediction is, in one word: right, the first line's digit, or other.
  app.verdict = (program, says) => {
    if (says === program.answer) return "right";
    return says === program.first ? "first" : "other";
  };
  app.said = (program, says) =>
    ({
      right: "right",
      first: "the first line's digit",
      other: "neither right nor the first line's digit",
    })[app.verdict(program, says)];

  function phase(value) {
    const found = view.trajectory.phases.find((p) => p.from <= value && value <= p.to);
    return found ? `${found.name} · ` : "";
  }

  function status() {
    const p = app.program();
    const says = p.predictions[state.at];
    ids("told").textContent =
      `${phase(view.checkpoints[state.at])}accuracy ` +
      `${percent(view.trajectory.accuracy[state.at])} · this program: says ${token(says)}, ` +
      `${app.said(p, says)}`;
  }

  // Where a step lies on the slider's track, whose places are checkpoints.
  function place(value) {
    const after = view.checkpoints.findIndex((s) => s >= value);
    if (after === -1) return last;
    if (after === 0) return 0;
    const [low, high] = [view.checkpoints[after - 1], view.checkpoints[after]];
    return after - 1 + (value - low) / (high - low);
  }

  function remember() {
    const kind = state.kind ? `&kind=${encodeURIComponent(state.kind)}` : "";
    history.replaceState(
      null,
      "",
      `#program=${state.program + 1}&step=${view.checkpoints[state.at]}${kind}`,
    );
  }

  // The choice that the address names, as far as it names one that there is.
  function remembered() {
    const given = new URLSearchParams(location.hash.slice(1));
    const program = Number(given.get("program")) - 1;
    const at = view.checkpoints.indexOf(Number(given.get("step") ?? NaN));
    const kind = given.get("kind");
    if (view.programs[program]) state.program = program;
    if (at >= 0) state.at = at;
    if (view.patching && view.patching.kinds.includes(kind)) state.kind = kind;
  }

  function listen(name, thing, read = (v) => v) {
    const select = ids(name);
    if (!select) return;
    select.value = state[thing];
    select.addEventListener("change", () => app.choose({ [thing]: read(select.value) }));
    app.shows(thing, () => (select.value = state[thing]));
  }

  remembered();
  state.token = app.program().tokens.length - 1;
  TrainingViews(app);
  AnswerViews(app);
  InsideViews(app);
  SubspaceViews(app);
  listen("program", "program", Number);
  listen("kind", "kind");
  app.shows("program at", status);
  app.shows("program at kind", remember);
  const slider = Slider(ids("time"), {
    label: "checkpoint",
    count: last + 1,
    words: (i) => step(view.checkpoints[i]),
    bands: view.trajectory.phases.map((p) => ({
      name: p.name,
      from: place(p.from),
      to: place(p.to),
    })),
    changed: (at) => {
      ids("told").setAttribute("aria-live", slider && slider.playing() ? "off" : "polite");
      app.choose({ at });
    },
  });
  app.go = (at) => slider.set(at);
  slider.set(state.at);
  views.forEach((v) => v.draw());
  Theme.onScheme(() => views.filter((v) => v.things.includes("scheme")).forEach((v) => v.draw()));
  document.documentElement.dataset.drawn = "yes";
})();

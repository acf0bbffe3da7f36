"use strict";
// The dial: a hypernetwork, a step of its training and a β, the network there, and its numbers.
const DialViews = (app) => {
  const { view, of, ids, state } = app;
  const { make } = Words;
  const dials = view.hypernetworks;
  const canvas = of("network");
  const picture = NetworkView(canvas, (text) => (of("unit").textContent = text));
  const most = Math.max(...dials.map((d) => d.betas.length));
  const dial = () => dials[state.dial];
  const place = () => Math.min(state.beta, dial().betas.length - 1);

  // Earlier steps and the last one, in order.
  const stages = () => [...dial().steps, { step: dial().step, networks: dial().networks }];
  const stage = () => stages()[Math.min(state.step ?? Infinity, stages().length - 1)];
  const named = ({ step }) => (step === null ? "the end" : step.toLocaleString("en-US"));
  const beta = (i) => `β = ${Say.power(dial().betas[Math.min(i, dial().betas.length - 1)])}`;

  const slider = Slider(ids("beta"), {
    label: "β, from exact to simple",
    count: most,
    words: (i) => beta(i),
    changed: (i) => app.choose({ beta: i }),
  });
  const range = ids("beta").querySelector("input");
  const strip = ids("beta").querySelector(".bands");

  // Which class there is along the slider.
  function bands() {
    const last = Math.max(most - 1, 1);
    const parts = [];
    stage().networks.forEach((network, i) => {
      const before = parts.at(-1);
      if (before && before.name === network.class) before.to = i;
      else parts.push({ name: network.class, from: i, to: i });
    });
    strip.replaceChildren(...parts.map(({ name, from, to }) => {
      const [low, high] = [Math.max(from - 0.5, 0), Math.min(to + 0.5, last)];
      const part = make("span", { title: app.kinds.said(name) }, app.kinds.said(name));
      part.style.left = `${(100 * low) / last}%`;
      part.style.width = `calc(${(100 * (high - low)) / last}% - 2px)`;
      part.style.background = `color-mix(in oklab, ${app.kinds.colour(name)} 30%, var(--card))`;
      return part;
    }));
  }

  function fact(name, value, under) {
    const small = under ? [make("br"), make("small", {}, under)] : [];
    return make("div", {}, make("dt", {}, name), make("dd", {}, value, ...small));
  }

  function facts(network) {
    const value = (m) => (m.score === null ? m.reason : Say.number(m.score));
    const floor = Say.floors(dial().floors);
    const chance = (m) => ((m.null ?? null) === null ? [] : [`chance ${Say.number(m.null)}`]);
    const under = (m, more = []) =>
      [Say.between(m), ...chance(m), ...more].filter(Boolean).join("; ");
    const { loss, kl, confidence } = network;
    const said = view.classes.find((c) => c.name === network.class)?.said;
    const parts = [
      fact("β", Say.power(dial().betas[place()])),
      fact("Loss", value(loss), under(loss, floor ? [`floors: ${floor}`] : [])),
      fact("KL, nats", value(kl), under(kl)),
      fact("Algorithm", app.kinds.said(network.class), said),
      fact("Confidence", value(confidence), under(confidence)),
    ];
    of("numbers").replaceChildren(...parts);
    const kind = app.kinds.said(network.class);
    return `${beta(place())}: loss ${Say.measure(loss)}, KL ${Say.measure(kl)}, ${kind}`;
  }

  function chosen() {
    const all = stages();
    ids("step").replaceChildren(...all.map((s, i) => make("option", { value: i }, named(s))));
    ids("step").closest("span").hidden = all.length < 2;
    ids("step").value = all.indexOf(all[Math.min(state.step ?? Infinity, all.length - 1)]);
    ids("hypernetwork").value = state.dial;
    const { task, sizes, seed, said } = dial();
    of("dial-said").textContent =
      `${task}, networks of ${sizes.join(" × ")} units, seed ${seed}. ${said ?? ""}`;
  }

  function draw() {
    const network = stage().networks[place()];
    const words = facts(network);
    const keys = "Arrow keys walk from unit to unit.";
    canvas.setAttribute("aria-label", `The network at ${words}. ${keys}`);
    bands();
    picture.show(network, dial().sizes, stage().networks);
    if (Number(range.value) !== state.beta) slider.set(state.beta);
    range.setAttribute("aria-valuetext", words);
    ids("beta").querySelector("output").textContent = beta(state.beta);
  }

  ids("hypernetwork").append(...dials.map((d, i) => make("option", { value: i }, d.name)));
  ids("hypernetwork").addEventListener("change", () =>
    app.choose({ dial: Number(ids("hypernetwork").value), step: null }));
  ids("step").addEventListener("change", () => app.choose({ step: Number(ids("step").value) }));
  ids("dial-chooser").addEventListener("submit", (event) => event.preventDefault());
  ids("dial-chooser").hidden = dials.length < 2 && dials[0].steps.length === 0;
  ["dial", "step"].forEach((thing) => app.shows(thing, chosen));
  ["dial", "step", "beta"].forEach((thing) => app.shows(thing, draw));
  app.shows("scheme", picture.paint);
};

"use strict";
// The cloud that is chosen: its pictures, its legend, what is known of it, and how to choose another.
const CloudViews = (app) => {
  const { view, of, ids } = app;
  const { make } = Words;
  const SMALL = 400; // at most so many points of a cloud are in its small picture
  const plane = PlaneView(of("plane"), read);
  const turn = TurnView(of("turn"), ids("turning"), read);
  let group = null;

  const chosen = () => view.clouds[app.state.cloud];
  const among = (name) => [...view.clouds.keys()].filter((i) => view.clouds[i].group === name);

  function read(i) {
    of("point").textContent = Points.told(chosen(), i);
    plane.ring(i);
    turn.ring(i);
  }

  function colours(cloud) {
    const scale = Hues.scale(cloud.variable);
    return cloud.variable.values.map(scale);
  }

  function small(canvas, cloud) {
    const [wide, points] = [88, Points.of(cloud)];
    const { middles, half } = Points.box(cloud, cloud.plane);
    const context = canvas.getContext("2d");
    canvas.width = canvas.height = 2 * wide;
    context.scale(2, 2);
    const every = Math.max(Math.ceil(points.count / SMALL), 1);
    const colour = Hues.scale(cloud.variable);
    for (let i = 0; i < points.count; i += every) {
      const [x, y] = cloud.plane.map((axis, s) => (points.get(i, axis) - middles[s]) / half);
      context.fillStyle = colour(cloud.variable.values[i]);
      context.fillRect(wide * (0.5 + 0.45 * x) - 1, wide * (0.5 - 0.45 * y) - 1, 2, 2);
    }
  }

  // The clouds of the group, as small pictures and as names.
  function choices() {
    const names = among(group).map((i) => make("option", { value: i }, view.clouds[i].name));
    ids("cloud").replaceChildren(...names);
    const thumbs = among(group).map((i) => {
      const canvas = make("canvas", { "aria-hidden": "true" });
      small(canvas, view.clouds[i]);
      const button = make("button", { type: "button", "data-cloud": i }, canvas);
      button.append(make("span", {}, view.clouds[i].name));
      button.addEventListener("click", () => app.choose({ cloud: i }));
      return button;
    });
    of("thumbs").replaceChildren(...thumbs);
  }

  function draw(anew) {
    const cloud = chosen();
    if (anew || group !== cloud.group) {
      group = cloud.group;
      choices();
    }
    ids("group").value = group;
    ids("cloud").value = app.state.cloud;
    of("thumbs").querySelectorAll("button").forEach((button) => {
      button.setAttribute("aria-pressed", String(Number(button.dataset.cloud) === app.state.cloud));
    });
    of("name").textContent = cloud.name;
    of("said").textContent = cloud.said;
    of("axes").textContent = cloud.plane.map((axis) => cloud.axes[axis]).join(" across, ") + " up";
    of("round").hidden = of("to-turn").hidden = cloud.dimensions < 3;
    of("legend").replaceChildren(Hues.legend(cloud.variable));
    of("indices").replaceChildren(...Facts.indices(cloud));
    of("facts").replaceChildren(...Facts.facts(cloud));
    const all = colours(cloud);
    plane.show(cloud, all);
    turn.show(cloud, all);
    if (!anew) of("point").textContent = "Point at a dot to read it.";
  }

  // The cloud so many places on in the group, round and round.
  function step(by) {
    const all = among(group);
    const at = all.indexOf(app.state.cloud) + by;
    app.choose({ cloud: all[(at + all.length) % all.length] });
  }

  ids("group").addEventListener("change", () => app.choose({ cloud: among(ids("group").value)[0] }));
  ids("cloud").addEventListener("change", () => app.choose({ cloud: Number(ids("cloud").value) }));
  ids("previous").addEventListener("click", () => step(-1));
  ids("next").addEventListener("click", () => step(1));
  ids("chooser").addEventListener("submit", (event) => event.preventDefault());
  document.querySelectorAll("#ranking tr[data-cloud]").forEach((row) =>
    row.addEventListener("click", (event) => {
      app.choose({ cloud: Number(row.dataset.cloud) });
      of("name").focus({ preventScroll: true });
      ids("clouds").querySelector("figure").scrollIntoView();
      event.preventDefault();
    }),
  );
  app.shows("cloud", () => draw(false));
  app.shows("scheme", () => draw(true));
};

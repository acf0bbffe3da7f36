"use strict";
// A straight-line program as a graph: its lines in order, an arc for each value that is taken.
const ProgramGraph = (() => {
  const { make } = Words;
  const HIGH = 24;
  const X = { arcs: 76, number: 94, code: 106, value: 178, tags: 218, wide: 384 };

  // The lines that a line's value comes through, itself first and the constant last.
  function chain(program, line) {
    const found = [line];
    while (program.lines[found[found.length - 1] - 1].from) {
      found.push(program.lines[found[found.length - 1] - 1].from);
    }
    return found;
  }

  const value = (program, line) => program.lines[chain(program, line).pop() - 1].right;

  function arc(from, to, kind) {
    const [high, low] = [HIGH * (from - 0.5), HIGH * (to - 0.5)];
    const out = X.arcs - 14 - Math.min(9 * (to - from), 56);
    const [tail, tip] = [`${X.arcs} ${high + 3}`, `${X.arcs - 6} ${low - 3}`];
    const curve = `M${tail}C${out} ${high + 3} ${out} ${low - 3} ${tip}`;
    const head = `M${X.arcs + 1} ${low - 3}l-8 -4v8z`;
    return make(
      "g",
      { class: kind },
      make("path", { d: curve, class: "edge" }),
      make("path", { d: head, class: "head" }),
    );
  }

  function tags(program, line) {
    const said = [];
    if (line === 1) said.push("first line");
    if (line === program.root_line) said.push("root");
    if (line === program.query_line) said.push("queried");
    return said.join(" · ");
  }

  function row(program, at, followed, choose) {
    const query = at > program.lines.length;
    const line = program.lines[at - 1];
    const code = query ? `# ${program.query} :` : `${line.left} = ${line.right}`;
    const holds = value(program, query ? program.query_line : at);
    const on = query || line.chain ? "on" : "";
    const kind = `line ${on} ${followed.includes(at) ? "followed" : ""}`;
    const words = query
      ? `the query of ${program.query}, ${holds}`
      : `line ${at}, ${code}, holds ${holds}`;
    const y = HIGH * (at - 0.5) + 5;
    const made = make(
      "g",
      {
        class: kind,
        role: "button",
        tabindex: 0,
        "data-line": at,
        "aria-pressed": String(followed[0] === at),
        "aria-label": words,
      },
      make("rect", {
        x: X.arcs + 2,
        y: y - 17,
        width: X.wide - X.arcs - 6,
        height: HIGH - 2,
        rx: 5,
      }),
      make("text", { x: X.number, y, class: "number" }, query ? "" : at),
      make("text", { x: X.code, y, class: "code" }, code),
      make("text", { x: X.value, y, class: "holds" }, `→ ${holds}`),
      make("text", { x: X.tags, y, class: "tags" }, query ? "the right answer" : tags(program, at)),
    );
    made.addEventListener("click", () => choose(at));
    made.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      choose(at);
    });
    return made;
  }

  // Draws the program into `box`; `at` is the line whose chain is followed, lines + 1 the query.
  function draw(box, program, at, choose) {
    const count = program.lines.length;
    const start = at > count ? program.query_line : at;
    const followed = at > count ? [at, ...chain(program, start)] : chain(program, start);
    const edges = program.lines.map((line, i) => [line.from, i + 1]).filter(([from]) => from);
    edges.push([program.query_line, count + 1]);
    const kind = ([from, to]) => {
      const on = to > count || program.lines[to - 1].chain ? "on" : "";
      return `arc ${on} ${followed.includes(from) && followed.includes(to) ? "followed" : ""}`;
    };
    const arcs = edges.map((edge) => [kind(edge), edge]).sort();
    const rows = [...Array(count + 1).keys()].map((i) => row(program, i + 1, followed, choose));
    const held = box.contains(document.activeElement) && document.activeElement.dataset.line;
    box.replaceChildren(
      make(
        "svg",
        {
          viewBox: `0 0 ${X.wide} ${HIGH * (count + 1) + 4}`,
          class: "program",
          role: "group",
          "aria-label": `the program ${program.name}`,
        },
        ...arcs.map(([said, [from, to]]) => arc(from, to, said)),
        ...rows,
      ),
    );
    if (held) box.querySelector(`[data-line="${held}"]`)?.focus();
  }

  return { draw, chain, value };
})();

"use strict";
// Logit lens, patching and heads: the explorer inside the network.
const InsideViews = (app) => {
  const { view, state, of, ids } = app;
  const { number, short, step, mark, token, make } = Words;
  const FEW = 40; // columns up to which cells hold their numbers
  const steps = view.checkpoints;

  const largest = (tables) => Math.max(...tables.flat(2).map((v) => Math.abs(v ?? 0)), 0);
  const where = (p, c) => `${token(p.tokens[c])} in ${app.columns(p)[c].group}`;
  const ends = (limit) => ({ low: number(-limit), high: number(limit) });

  // Rows over tokens: what the lens and the patches of one checkpoint have in common.
  function overTokens(box, { label, parts, rows, value, written, unit }) {
    const p = app.program();
    const columns = app.columns(p);
    const few = columns.length <= FEW;
    of(box).classList.toggle("numbers", few);
    Heat.draw(of(box), {
      label,
      columns,
      rows,
      parts,
      cell: (r, c) => {
        const v = value(r, c);
        const text = few && v !== null ? written(v, r) : "";
        return Heat.cell(v, parts[rows[r].part || 0].limit, text);
      },
      tell: (r, c) =>
        `${rows[r].says || rows[r].label}, ${where(p, c)}: ${unit(r)} ${number(value(r, c))}`,
      pick: (r, c) => app.choose({ token: c, site: rows[r].site || state.site }),
      chosen: { column: state.token },
    });
  }

  // Rows over the checkpoints of a part, at the chosen token.
  function overTime(box, part, { label, rows, value, limit, name, written }) {
    const p = app.program();
    Heat.draw(of(box), {
      label,
      rows: rows.map((r) => ({ label: r })),
      columns: part.checkpoints.map((i) => ({ label: mark(steps[i]), title: step(steps[i]) })),
      parts: [{ name, limit, ...ends(limit) }],
      cell: (r, k) =>
        Heat.cell(value(r, k), limit, value(r, k) === null ? "·" : written(value(r, k))),
      tell: (r, k) =>
        `${rows[r]}, ${where(p, state.token)}, ${step(steps[part.checkpoints[k]])}: ` +
        `${name} ${number(value(r, k))}`,
      pick: (r, k) => app.go(part.checkpoints[k]),
      chosen: { column: app.place(part) },
    });
  }

  // The logit shown: right answer − first line's digit, or one of the two.
  function logit(maps, r, c) {
    const which = ids("logit").value;
    if (which !== "both") return maps[which][r][c];
    const [a, b] = [maps.answer[r][c], maps.first[r][c]];
    return a === null || b === null ? null : a - b;
  }

  const LOGITS = {
    both: "right answer − first line's digit",
    answer: "logit of the right answer",
    first: "logit of the first line's digit",
  };

  function lens() {
    const { lens: part } = view;
    const p = app.program();
    const maps = part.maps[state.program];
    const k = app.place(part);
    const grid = maps.map((m) => m.answer.map((row, r) => row.map((_, c) => logit(m, r, c))));
    const limit = largest(grid);
    const name = LOGITS[ids("logit").value];
    const same =
      p.answer === p.first && ids("logit").value === "both"
        ? " In this program the two are the same digit, so the difference is 0: choose one of them."
        : "";
    of("lens-at").textContent = app.told(part) + same;
    overTokens("lens", {
      label: `logit lens: ${name}`,
      rows: part.rows.map((label) => ({ label })),
      parts: [{ name, limit, ...ends(limit), said: "one scale for all checkpoints" }],
      value: (r, c) => grid[k][r][c],
      written: short,
      unit: () => name,
    });
    of("lens-token").textContent = where(p, state.token);
    overTime("lens-time", part, {
      label: `logit lens over training: ${name}`,
      rows: part.rows,
      limit,
      name,
      written: short,
      value: (r, j) => grid[j][r][state.token],
    });
  }

  const cellNow = () => view.patching.cells[state.program][state.kind];

  function counterfactual() {
    const box = of("counterfactual");
    const cell = cellNow();
    const p = app.program();
    if (!cell) {
      const all = view.patching.cells[state.program];
      const there = Object.keys(all).filter((kind) => all[kind]);
      box.replaceChildren(
        make(
          "p",
          { class: "missing" },
          `This program has no counterfactual “${state.kind}”. ` +
            (there.length ? `It has: ${there.join(", ")}.` : "It has none of any kind."),
        ),
      );
      return;
    }
    const said = (t) => (t === "\n" ? " ⏎ " : token(t));
    const written = (tokens, others) =>
      make(
        "code",
        { class: "tokens" },
        ...tokens.map((t, i) => make("span", { class: t === others[i] ? "" : "differs" }, said(t))),
      );
    box.replaceChildren(
      make(
        "dl",
        { class: "two" },
        make("dt", {}, "Program"),
        make("dd", {}, written(p.tokens, cell.tokens), ` ${token(p.answer)}`),
        make("dt", {}, `Counterfactual: ${state.kind}`),
        make(
          "dd",
          {},
          written(cell.tokens, p.tokens),
          ` ${token(cell.expected)}`,
          cell.note ? make("small", {}, ` ${cell.note}`) : "",
        ),
      ),
    );
  }

  // One map with its scale: divided by its maximum where the reader wants that and it can be.
  function scaled(name, times, k) {
    const table = times[k];
    const whole = largest(times.filter(Boolean));
    const peak = table ? Math.max(...table.flat().map((v) => v ?? -Infinity)) : 0;
    const divided = ids("normalise").checked && peak > 0;
    const limit = divided ? 1 : whole;
    let said = `largest shift ${number(peak)}`;
    if (!table) said = "not measured at this checkpoint";
    else if (ids("normalise").checked && !divided) said += ": left unnormalised";
    return {
      name,
      limit,
      said,
      ...(table ? ends(limit) : {}),
      written: divided ? fraction : short,
      unit: divided ? "share of the largest shift" : "logit shift",
      value: (r, c) => (!table || table[r][c] === null ? null : table[r][c] / (divided ? peak : 1)),
    };
  }

  // Two decimals without the leading zero where the largest is 1.
  const fraction = (v) =>
    Math.abs(v) < 0.005
      ? "0"
      : v
          .toFixed(2)
          .replace("-", "−")
          .replace(/^(−?)0/, "$1")
          .replace(/^(−?)1\.00$/, "$11");

  function patching() {
    const part = view.patching;
    const cell = cellNow();
    const k = app.place(part);
    of("patching-at").textContent = cell ? app.told(part) : "";
    of("patched").hidden = !cell;
    if (!cell) return;
    const sites = Object.keys(part.rows).filter((site) => cell.maps[site]);
    const parts = sites.map((site) => scaled(site, cell.maps[site], k));
    const rows = sites.flatMap((site, i) =>
      part.rows[site].map((label, r) => ({
        label,
        part: i,
        r,
        site,
        says: `${site}, ${label}`,
      })),
    );
    overTokens("patching", {
      label: `patching, ${state.kind}`,
      rows,
      parts,
      value: (r, c) => parts[rows[r].part].value(rows[r].r, c),
      written: (v, r) => parts[rows[r].part].written(v),
      unit: (r) => parts[rows[r].part].unit,
    });
    heads(cell, k);
    patchingTime(cell, sites);
  }

  function heads(cell, k) {
    const table = (cell.heads || []).find(Boolean);
    of("heads").hidden = !table;
    of("no-heads").hidden = Boolean(table);
    if (!table) return;
    const part = scaled("logit shift", cell.heads, k);
    Heat.draw(of("heads"), {
      label: `attention heads patched, ${state.kind}`,
      parts: [part],
      rows: table.map((_, r) => ({ label: `layer ${r + 1}` })),
      columns: table[0].map((_, c) => ({ label: `head ${c + 1}` })),
      cell: (r, c) => {
        const v = part.value(r, c);
        return Heat.cell(v, part.limit, v === null ? "·" : part.written(v));
      },
      tell: (r, c) => `layer ${r + 1}, head ${c + 1}: ${part.unit} ${number(part.value(r, c))}`,
    });
  }

  function patchingTime(cell, sites) {
    const p = app.program();
    const site = sites.includes(state.site) ? state.site : sites[0];
    of("patching-site").textContent = site || "";
    of("patching-token").textContent = where(p, state.token);
    if (!site) return;
    const times = cell.maps[site];
    overTime("patching-time", view.patching, {
      label: `patching over training, ${site}, ${state.kind}`,
      rows: view.patching.rows[site],
      limit: largest(times.filter(Boolean)),
      name: "logit shift",
      written: short,
      value: (r, j) => (times[j] ? times[j][r][state.token] : null),
    });
  }

  if (view.lens) {
    app.shows("program at token", lens);
    ids("logit").addEventListener("change", lens);
  }
  if (view.patching) {
    app.shows("program kind", counterfactual);
    app.shows("program at kind token site", patching);
    ids("normalise").addEventListener("change", patching);
  }
};

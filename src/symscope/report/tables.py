"""Tables of README and docs, generated from `results/` and checked against it.

A page marks the place of a table with `<!-- table NAME FILE -->` and `<!-- end -->`; what stands
between them is made by the function of that name from the evidence in that file.

    python -m symscope.report.tables           writes the tables
    python -m symscope.report.tables --check   exits 1 where one does not agree with results/
"""

import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from symscope.evidence import Evidence, read_evidence

Records = dict[str, Evidence]
_PLACE = re.compile(r"(<!-- table (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)
_KINDS = ("multi", "single", "same")
_ARCHITECTURES = ("gru", "lstm", "transformer")
_COLUMNS = {
    "Count (Up-Down)": "up_down.count.iia",
    "Phase (Up-Down)": "up_down.phase.iia",
    "Demo (Up-Up)": "up_up.demo.iia",
    "Resp (Up-Up)": "up_up.resp.iia",
    "Progress": "progress.progress.iia",
    "unchanged (Ctx-Distr)": "ctx_distr.unchanged.iia",
}


def main_table(records: Records) -> str:
    """IIA with interval, published value and the no-op floor, by network and task."""
    rows = []
    for arch in _ARCHITECTURES:
        for kind in _KINDS:
            cells = [_cell(records.get(f"numbers.{kind}.{arch}.{c}")) for c in _COLUMNS.values()]
            seeds = _seeds(records.get(f"numbers.{kind}.{arch}.up_down.count.iia"))
            rows.append([arch, kind, seeds, *cells])
    return _table(["network", "task", "seeds", *_COLUMNS], rows)


def short_table(records: Records) -> str:
    """Count's IIA beside the published value and its strongest floor."""
    rows = []
    for arch in _ARCHITECTURES:
        for kind in _KINDS:
            record = records.get(f"numbers.{kind}.{arch}.up_down.count.iia")
            unchanged = records.get(f"numbers.{kind}.{arch}.ctx_distr.unchanged.iia")
            if record is None or record.score is None:
                continue
            floor = max(record.controls.get(c, 0.0) for c in ("no_op", "random_subspace"))
            rows.append([
                arch, kind, _seeds(record), _score(record), _published(record), f"{floor:.3f}",
                _score(unchanged), _published(unchanged),
            ])  # fmt: skip
    head = ["network", "task", "seeds", "Count IIA", "published", "floor", "full swap changes"
            " nothing", "published"]  # fmt: skip
    return _table(head, rows)


def controls_table(records: Records) -> str:
    """Every control of every variable, one line per claim."""
    claims = [r for c, r in records.items() if re.fullmatch(r"numbers\.\w+\.\w+\.\w+\.\w+\.iia", c)
              and r.score is not None and not c.startswith("numbers.gradience")]  # fmt: skip
    names = list(dict.fromkeys(n for r in claims for n in r.controls))
    rows = [
        [f"`{r.claim.removeprefix('numbers.').removesuffix('.iia')}`", f"**{r.score:.3f}**"]
        + [f"{r.controls[n]:.2f}" if n in r.controls else "" for n in names]
        for r in claims
    ]
    return _table(["claim", "IIA", *(n.replace("_", " ") for n in names)], rows)


def size_table(records: Records) -> str:
    """Count's IIA in GRUs of several widths."""
    rows = []
    for width in (8, 16, 20, 32, 48, 96):
        key = (
            "numbers.multi.gru.up_down.count.iia"
            if width == 20
            else f"numbers.size.{width}.count.iia"
        )
        record = records.get(key)
        if record is not None:
            no_op = "" if record.score is None else f"{record.controls['no_op']:.3f}"
            rows.append([str(width), _seeds(record), _score(record), _published(record), no_op,
                         record.note])  # fmt: skip
    return _table(["width", "seeds", "Count IIA", "published", "no-op", "remark"], rows)


def training_table(records: Records) -> str:
    """Accuracy and Count's IIA over training."""
    rows = []
    for epoch in (50, 100, 200, 400, 600):
        cells = []
        for width in (8, 16, 32, 48):
            record = records.get(f"numbers.training.{width}.epoch{epoch}.count.iia")
            if record is None or record.score is None:
                cells.append("")
                continue
            published = f" ({record.source['value']})" if record.source else ""
            cells.append(f"{record.controls['accuracy']:.2f} / {record.score:.3f}{published}")
        rows.append([str(epoch), *cells])
    return _table(
        ["epoch", *(f"width {w}: accuracy / IIA (published IIA)" for w in (8, 16, 32, 48))], rows
    )


def extrapolation_table(records: Records) -> str:
    """Accuracy beyond the trained range."""
    rows = []
    for arch in _ARCHITECTURES:
        for kind in _KINDS:
            found = [records.get(f"numbers.extrapolation.{kind}.{arch}.n{n}")
                     for n in (21, 22, 23, 24, 25, 30)]  # fmt: skip
            if all(r is None for r in found):
                continue
            rows.append([arch, kind, *(
                "" if r is None or r.score is None else f"{r.score:.3f}{_bracket(r)}" for r in found
            )])  # fmt: skip
    return _table(["network", "task", "N 21", "22", "23", "24", "25", "30"], rows)


def distance_table(records: Records) -> str:
    """Count's IIA by |source − base|."""
    rows = []
    for claim, record in records.items():
        if claim.startswith("numbers.gradience.") and "difference" in record.config:
            cells = record.config["difference"]
            held = record.config.get("held_out", [0, 0])
            seen = record.config.get("seen", [0, 0])
            rows.append([
                f"`{claim.split('.', 2)[2].removesuffix('.count.iia')}`",
                *(_share(cells.get(str(d))) for d in (0, 5, 10, 15, 19)),
                _share(seen), _share(held),
            ])  # fmt: skip
    return _table(["task.network.width", "0", "5", "10", "15", "19", "trained N only",
                   "a held-out N"], rows)  # fmt: skip


def gradience_table(records: Records) -> str:
    """Count's IIA by source count (rows) and base count (columns), all GRUs on Multi-Object."""
    total: dict[tuple[int, int], list[int]] = {}
    for claim, record in records.items():
        if claim.startswith("numbers.gradience.multi.gru."):
            for key, (right, n) in record.config.get("value", {}).items():
                cell = total.setdefault(tuple(map(int, key.split(":"))), [0, 0])  # type: ignore[arg-type]
                cell[0], cell[1] = cell[0] + right, cell[1] + n
    rows = [[str(s), *(_share(total.get((s, b))) for b in (1, 5, 10, 15, 20))]
            for s in (1, 4, 8, 12, 16, 20)]  # fmt: skip
    return _table(["source \\ base", "1", "5", "10", "15", "20"], rows)


def other_table(records: Records) -> str:
    """Everything that is in no other table, one line per claim."""
    shown = re.compile(r"numbers\.(\w+\.\w+\.(up_down\.(count|phase)|up_up|progress)\b"
                       r"|size|training|gradience|extrapolation)|.*\.accuracy$")  # fmt: skip
    rest = [r for c, r in records.items() if not shown.match(c)]
    rows = [
        [f"`{r.claim}`", _seeds(r), _score(r), _published(r), str(r.n),
         ", ".join(f"{k.replace('_', ' ')} {v:.2f}" for k, v in r.controls.items()), r.note]
        for r in rest
    ]  # fmt: skip
    return _table(["claim", "seeds", "score", "published", "n", "controls", "remark"], rows)


TABLES: dict[str, Callable[[Records], str]] = {
    f.__name__.removesuffix("_table"): f
    for f in (main_table, short_table, controls_table, size_table, training_table,
              extrapolation_table, distance_table, gradience_table, other_table)
}  # fmt: skip


def filled(page: str, root: Path) -> str:
    """The text of a page with its tables made anew."""

    def fill(place: re.Match[str]) -> str:
        path = root / place[3]
        records = {r.claim: r for r in read_evidence(path)}
        return f"{place[1]}{TABLES[place[2]](records)}\n{place[4]}"

    return _PLACE.sub(fill, page)


def main() -> None:
    """Write the tables of README.md and docs/, or check them."""
    check, wrong = "--check" in sys.argv, []
    for path in (Path("README.md"), *sorted(Path("docs").rglob("*.md"))):
        text = path.read_text(encoding="utf8")
        made = filled(text, Path())
        if made != text and check:
            wrong.append(str(path))
        elif made != text:
            path.write_text(made, encoding="utf8")
    if wrong:
        sys.exit(f"tables differ from results/ in {', '.join(wrong)}: run this without --check")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _score(record: Evidence | None) -> str:
    if record is None:
        return ""
    if record.score is None:
        return "not analysed"
    return f"**{record.score:.3f}** ({record.low:.3f}–{record.high:.3f})"


def _cell(record: Evidence | None) -> str:
    if record is None or record.score is None:
        return _score(record)
    no_op = f", no-op {record.controls['no_op']:.2f}" if "no_op" in record.controls else ""
    return f"{_score(record)}{_bracket(record)}{no_op}"


def _bracket(record: Evidence) -> str:
    return f" [{_published(record)}]" if record.source else ""


def _published(record: Evidence | None) -> str:
    if record is None or not record.source:
        return ""
    value = record.source["value"]
    return "; ".join(f"{v:.3f}" for v in (value if isinstance(value, list | tuple) else [value]))


def _seeds(record: Evidence | None) -> str:
    return "" if record is None else str(len(record.seeds))


def _share(cell: list[int] | None) -> str:
    return "" if not cell or not cell[1] else f"{cell[0] / cell[1]:.3f}"


if __name__ == "__main__":
    main()

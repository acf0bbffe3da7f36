"""The tables of docs/performance.md, from the files that the scripts wrote."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Layout:
    """The tables of one script: a title per part, a heading per contender beside symscope.

    `setup` says whether there is something that symscope does once, before the first step. With
    `vectors` in a step, it is vectors per second that are shown of symscope, not the time.
    """

    script: str
    titles: Mapping[str, str]
    names: Mapping[str, str]
    setup: bool = True
    vectors: int | None = None


def write(page: Path, results: Path, layout: Layout) -> None:
    """Put the tables between the page's markers."""
    script = layout.script
    begin = f"<!-- {script}: begin (benchmarks/{script}.py --table) -->"
    end = f"<!-- {script}: end -->"
    before, rest = page.read_text().split(begin)
    _, after = rest.split(end)
    records = [json.loads(path.read_text()) for path in sorted(results.glob(f"{script}.*.json"))]
    page.write_text(f"{before}{begin}\n\n{tables(records, layout)}\n{end}{after}")


def tables(records: list[dict[str, Any]], layout: Layout) -> str:
    """One table per part, then how the numbers were made."""
    blocks = []
    for part, title in layout.titles.items():
        rows = [row for record in records for row in record["rows"] if row["part"] == part]
        if rows:
            table = _table if rows[0].get("loss") is None else _losses
            blocks += [f"### {title}", table(rows, layout), *_failures(rows, layout)]
    blocks.append("\n".join(_origin(record) for record in records))
    return "\n\n".join(blocks) + "\n"


def _table(rows: list[dict[str, Any]], layout: Layout) -> str:
    """A line per case; where two files hold the same contender, the first one's numbers."""
    cells: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault(row["case"], {}).setdefault(row["contender"], row)
    others = [n for n in layout.names if any(n in c and not c[n]["error"] for c in cells.values())]
    setup = ["set-up"] if layout.setup else []
    headings = [layout.names[n] for n in others]
    head = ["case", "symscope", *setup, *headings, "peak MiB, in this order"]
    lines = [head, ["---"] * len(head)]
    for case, found in cells.items():
        peaks = [_peak(found.get(name)) for name in ("symscope", *others)]
        ratios = [_ratio(found.get(name)) for name in others]
        own = found["symscope"]
        before = [f"{own['setup_milliseconds'] / 1e3:.1g} s"] if layout.setup else []
        speed = _speed(own["milliseconds"], layout.vectors)
        lines.append([case, speed, *before, *ratios, " / ".join(peaks)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _losses(rows: list[dict[str, Any]], layout: Layout) -> str:
    """A line per case: each contender's loss, and how far it is from symscope's."""
    cases = dict.fromkeys(row["case"] for row in rows)
    losses = {(row["case"], row["contender"]): row for row in rows}
    others = [name for name in layout.names if any((case, name) in losses for case in cases)]
    lines = [["case", "symscope", *(layout.names[name] for name in others)]]
    lines.append(["---"] * len(lines[0]))
    for case in cases:
        cells = [losses.get((case, name)) for name in others]
        told = ["–" if c is None else f"{c['loss']:.4f} ({c['difference']:+.2%})" for c in cells]
        lines.append([case, f"{losses[case, 'symscope']['loss']:.4f}", *told])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _speed(milliseconds: float, vectors: int | None) -> str:
    if vectors is not None:
        return f"{1e3 * vectors / milliseconds:,.0f} vectors/s"
    return f"{milliseconds:.3g} ms" if milliseconds < 1e3 else f"{milliseconds / 1e3:.3g} s"


def _ratio(row: dict[str, Any] | None) -> str:
    if row is None or row["ratio"] is None:
        return "–"
    low, middle, high = row["ratio"]
    digits = 2 if middle < 10 else 1 if middle < 100 else 0
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def _peak(row: dict[str, Any] | None) -> str:
    return "–" if row is None or row["peak_mib"] is None else f"{row['peak_mib']:.0f}"


def _failures(rows: list[dict[str, Any]], layout: Layout) -> list[str]:
    errors: dict[str, list[str]] = {}
    for row in rows:
        if row["error"]:
            errors.setdefault(row["contender"], []).append(row["error"])
    return [
        f"{layout.names[name]} does not run in {len(told)} of these cases, for example:"
        f" `{told[0]}`."
        for name, told in errors.items()
    ]


def _origin(record: dict[str, Any]) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in record["versions"].items())
    machine = record["machine"]
    changed = " with changes" if record["changed_files"] else ""
    return (
        f"- `{record['command']}`: commit {record['commit'][:10]}{changed}; {versions};"
        f" {machine['processor']}, {machine['cores']} cores, {machine['threads']} thread;"
        f" {record['seconds']:.0f} s."
    )

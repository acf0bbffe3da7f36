"""The tables of docs/performance.md, from the files that `das.py` wrote."""

import json
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- das: begin (benchmarks/das.py --table) -->", "<!-- das: end -->"
TITLES = {
    "gru": "(a) Inside a GRU",
    "gpt2": "(b) At the middle layer of a GPT-2-shaped network",
    "rotation": "(c) The rotation alone",
}
NAMES = {
    "bare": "the bare cost",
    "split": "`nn.GRU` split",
    "loop": "cell loop",
    "hooks": "plain hooks",
    "pyvene": "pyvene",
    "fit_das": "TransformerLens `fit_das`",
    "torch": "torch's `orthogonal`",
}


def write(page: Path, results: Path) -> None:
    """Put the tables between the page's markers."""
    text = page.read_text()
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    records = [json.loads(path.read_text()) for path in sorted(results.glob("das.*.json"))]
    page.write_text(f"{before}{BEGIN}\n\n{tables(records)}\n{END}{after}")


def tables(records: list[dict[str, Any]]) -> str:
    """One table per part, then how the numbers were made."""
    blocks = []
    for part, title in TITLES.items():
        rows = [row for record in records for row in record["rows"] if row["part"] == part]
        if rows:
            blocks += [f"### {title}", _table(rows), *_failures(rows)]
    blocks.append("\n".join(_origin(record) for record in records))
    return "\n\n".join(blocks) + "\n"


def _table(rows: list[dict[str, Any]]) -> str:
    """A line per case; where two files hold the same contender, the first one's numbers."""
    cells: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        cells.setdefault(row["case"], {}).setdefault(row["contender"], row)
    others = [n for n in NAMES if any(n in c and not c[n]["error"] for c in cells.values())]
    head = ["case", "symscope", "set-up", *(NAMES[n] for n in others), "peak MiB, in this order"]
    lines = [head, ["---"] * len(head)]
    for case, found in cells.items():
        peaks = [_peak(found.get(name)) for name in ("symscope", *others)]
        ratios = [_ratio(found.get(name)) for name in others]
        own = found["symscope"]
        step, before = f"{own['milliseconds']:.3g} ms", f"{own['setup_milliseconds'] / 1e3:.1g} s"
        lines.append([case, step, before, *ratios, " / ".join(peaks)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _ratio(row: dict[str, Any] | None) -> str:
    if row is None or row["ratio"] is None:
        return "–"
    low, middle, high = row["ratio"]
    digits = 2 if middle < 10 else 1 if middle < 100 else 0
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f})"


def _peak(row: dict[str, Any] | None) -> str:
    return "–" if row is None or row["peak_mib"] is None else f"{row['peak_mib']:.0f}"


def _failures(rows: list[dict[str, Any]]) -> list[str]:
    errors: dict[str, list[str]] = {}
    for row in rows:
        if row["error"]:
            errors.setdefault(row["contender"], []).append(row["error"])
    return [
        f"{NAMES[name]} does not run in {len(told)} of these cases, for example: `{told[0]}`."
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

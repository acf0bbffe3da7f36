"""The tables of README and docs, and what else is made from `results/`, checked against it.

python -m symscope.studies.tables           writes them
python -m symscope.studies.tables --check   exits 1 where one does not agree with results/
"""

import sys
from collections.abc import Iterator
from pathlib import Path

from symscope.evidence import read_evidence
from symscope.report.tables import Maker, filled
from symscope.studies.binding.tables import TABLES as BINDING
from symscope.studies.dictionaries.tables import TABLES as DICTIONARIES
from symscope.studies.geometry.tables import TABLES as GEOMETRY
from symscope.studies.heuristics.tables import TABLES as HEURISTICS
from symscope.studies.hypernetworks.tables import TABLES as HYPERNETWORKS
from symscope.studies.numbers.extracted_table import extracted_table
from symscope.studies.numbers.tables import TABLES as NUMBERS
from symscope.studies.programs.controls.counting import TABLES as CONTROLS
from symscope.studies.programs.tables import TABLES as PROGRAMS
from symscope.studies.reliability_numerics import TABLES as NUMERICS
from symscope.studies.reliability_tables import TABLES as RELIABILITY
from symscope.studies.truth.pictures import error_rates, roc_picture
from symscope.studies.truth.tables import TABLES as TRUTH

TABLES: dict[str, Maker] = {
    **{f"numbers.{name}": maker for name, maker in NUMBERS.items()},
    "numbers.extracted": extracted_table,
    **{f"programs.{name}": maker for name, maker in (PROGRAMS | CONTROLS).items()},
    **{f"binding.{name}": maker for name, maker in BINDING.items()},
    **{f"dictionaries.{name}": maker for name, maker in DICTIONARIES.items()},
    **{f"geometry.{name}": maker for name, maker in GEOMETRY.items()},
    **{f"heuristics.{name}": maker for name, maker in HEURISTICS.items()},
    **{f"hypernetworks.{name}": maker for name, maker in HYPERNETWORKS.items()},
    **{f"reliability.{name}": maker for name, maker in (RELIABILITY | NUMERICS).items()},
    **{f"truth.{name}": maker for name, maker in TRUTH.items()},
}
FILES: dict[str, tuple[str, Maker]] = {
    "docs/pictures/roc.svg": ("results/truth/full.json", roc_picture),
    "src/symscope/align/error_rates.json": ("results/truth/full.json", error_rates),
}
"""File → the results that it is made from, and by what."""


def made() -> Iterator[tuple[Path, str]]:
    """Every file that results stand in, and its text as it should be."""
    for page in (Path("README.md"), *sorted(Path("docs").rglob("*.md"))):
        yield page, filled(page.read_text(encoding="utf8"), Path(), TABLES)
    for path, (source, maker) in FILES.items():
        yield Path(path), maker({r.claim: r for r in read_evidence(Path(source))})


def main() -> None:
    """Write or check the files of the checkout in the working directory."""
    check, wrong = "--check" in sys.argv, []
    for path, text in made():
        if path.exists() and path.read_text(encoding="utf8") == text:
            continue
        wrong.append(str(path))
        if not check:
            path.write_text(text, encoding="utf8")
    if wrong and check:
        sys.exit(f"{', '.join(wrong)}: not what results/ says; type make tables")


if __name__ == "__main__":
    main()

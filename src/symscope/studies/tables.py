"""The tables of README and docs, made from `results/` and checked against it.

python -m symscope.studies.tables           writes them
python -m symscope.studies.tables --check   exits 1 where one does not agree with results/
"""

import sys
from pathlib import Path

from symscope.report.tables import Maker, filled
from symscope.studies.numbers.tables import TABLES as NUMBERS
from symscope.studies.truth.tables import TABLES as TRUTH

TABLES: dict[str, Maker] = {
    **{f"numbers.{name}": maker for name, maker in NUMBERS.items()},
    **{f"truth.{name}": maker for name, maker in TRUTH.items()},
}


def main() -> None:
    """Write or check the tables of the checkout in the working directory."""
    check, wrong = "--check" in sys.argv, []
    for path in (Path("README.md"), *sorted(Path("docs").rglob("*.md"))):
        text = path.read_text(encoding="utf8")
        made = filled(text, Path(), TABLES)
        if made != text and check:
            wrong.append(str(path))
        elif made != text:
            path.write_text(made, encoding="utf8")
    if wrong:
        sys.exit(f"tables differ from results/ in {', '.join(wrong)}: type make tables")


if __name__ == "__main__":
    main()

"""Markdown tables made from evidence files, put into pages at marked places.

A page marks the place with `<!-- table NAME FILE -->` and `<!-- end -->`; what stands between them
is made by the function of that name from the evidence in that file.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from symscope.align.accept import verdict
from symscope.causal_model import UnknownName
from symscope.evidence import Evidence, read_evidence
from symscope.report.claims import is_claim

Records = dict[str, Evidence]
"""Evidence by claim."""
Maker = Callable[[Records], str]
_PLACE = re.compile(r"(<!-- table (\S+) (\S+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(page: str, root: Path, makers: Mapping[str, Maker]) -> str:
    """The text of a page with its tables made anew from the files under `root`."""

    def fill(place: re.Match[str]) -> str:
        begin, name, path, end = place.groups()
        if name not in makers:
            raise UnknownName("table", name, makers)
        records = {r.claim: r for r in read_evidence(root / path)}
        return f"{begin}{makers[name](records)}\n{end}"

    return _PLACE.sub(fill, page)


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A Markdown table."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def score(record: Evidence | None) -> str:
    """Score, interval and, for a claim, the rule's verdict; empty where there is no record."""
    if record is None:
        return ""
    if record.score is None:
        return "not analysed"
    return f"**{record.score:.3f}** ({record.low:.3f}–{record.high:.3f}){word(record)}"


def word(record: Evidence) -> str:
    """The rule's verdict in italics, after a space; nothing where nothing is claimed."""
    return f" *{verdict(record).word}*" if is_claim(record) else ""


def published(record: Evidence | None) -> str:
    """The published value that the record answers, or values where there are several."""
    if record is None or not record.source:
        return ""
    value = record.source["value"]
    return "; ".join(f"{v:.3f}" for v in (value if isinstance(value, list | tuple) else [value]))


def bracketed(record: Evidence | None) -> str:
    """The published value in brackets, after a space, if there is one."""
    return f" [{published(record)}]" if published(record) else ""


def seeds(record: Evidence | None) -> str:
    """How many networks stand behind the record."""
    return "" if record is None else str(len(record.seeds))


def share(cell: Iterable[int] | None) -> str:
    """A share from its [right, n]."""
    right, n = cell or (0, 0)
    return f"{right / n:.3f}" if n else ""

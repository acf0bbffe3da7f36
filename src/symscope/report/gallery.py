"""All tasks on one page: of each the network, its program, what is proven, the pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from symscope.report.found import Found, headline
from symscope.report.pictures import Picture
from symscope.report.program_page import parts
from symscope.report.render import rendered, script


@dataclass(frozen=True)
class Entry:
    """One task: what its networks are, what was found in each, the pictures of the one shown.

    `networks` says how many were trained; `found` holds one for each extraction; `drawn` are the
    pictures of the one that `best` gives.
    """

    name: str
    published: bool
    trained: str
    networks: int
    found: Sequence[Found] = ()
    drawn: Sequence[Picture] = ()


def best(found: Sequence[Found]) -> Found | None:
    """The first that is proved; else the first that is solved, has a program, or is there."""
    order = sorted(found, key=lambda f: (f.chip != "found", not f.solved, not f.source))
    return order[0] if order else None


def gallery(entries: Sequence[Entry], made: Mapping[str, Any], command: str) -> str:
    """The page as text, self-contained; `made` says with what the networks were made."""
    solved = sum(any(f.solved for f in e.found) for e in entries)
    proven = sum(any(f.chip == "found" for f in e.found) for e in entries)
    tried = sum(bool(e.found) for e in entries)
    return rendered(
        "gallery.html", [script("gallery.js")], entries=[_shown(e) for e in entries],
        headline=f"Programs found in networks: {solved} of {len(entries)} tasks solved, {proven}"
        " proved for all lengths",
        lead=f"{tried} tasks were tried. A task counts where a program that was extracted from at"
        " least one of its trained networks equals the task's rule.",
        made=list(made.items()), command=command,
    )  # fmt: skip


def _shown(entry: Entry) -> dict[str, Any]:
    """What the template shows of a task."""
    chosen = best(entry.found)
    missing = "not trained yet" if not entry.networks else "no program was looked for yet"
    words = [entry.name, chosen.word if chosen else missing]
    words += [str(chosen.config.get("route", ""))] if chosen else []
    words.append("published" if entry.published else "unpublished")
    solved = sum(f.solved for f in entry.found)
    return {
        "name": entry.name,
        "anchor": f"task-{entry.name}",
        "words": " ".join(words).lower(),
        "published": entry.published,
        "trained": entry.trained,
        "solved": f"{solved} of {len(entry.found)}" if entry.found else "–",
        "missing": missing,
        "shown": None if chosen is None else parts(chosen, entry.drawn),
        "headline": "" if chosen is None else headline(chosen),
        "others": [f for f in entry.found if f is not chosen],
    }

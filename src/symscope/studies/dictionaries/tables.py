"""The tables of the page on dictionaries, from the bench's pooled evidence."""

import re
from collections.abc import Sequence
from functools import partial

from symscope.align.accept import verdict
from symscope.evidence import Evidence
from symscope.report.tables import Maker, Records, table
from symscope.studies.dictionaries.settings import ALL

DAS = "das"
PLACES = ("stories260k", "counting_gru", "counting_transformer")
NUMBERS = (1, 2, 4, 8, 16, 32, 64)
SHORT = {"difference_in_means": "means", "matching_pursuit": "pursuit"}
CONTROLS = ("random_features", "random_dictionary", "shuffled_labels", "random_subspace", "pca",
            "no_op", "full_swap", "untrained_network")  # fmt: skip


def worth_table(records: Records, place: str) -> str:
    """Each method at one place: explained variance, features per vector, dead, loss recovered."""
    rows = []
    for method in ALL:
        explained, l0, dead, spliced = (
            records.get(f"dictionaries.{place}.{method}.{what}")
            for what in ("explained", "l0", "dead", "spliced")
        )
        if l0 is None:
            continue
        rows.append([
            f"`{method}`", _size(l0), _plain(l0, ".1f"), _interval(explained),
            _control(explained, "random"), _control(explained, "pca"),
            _control(explained, "untrained"), _plain(dead, ".2f"), _interval(spliced),
            _control(spliced, "random"), _control(spliced, "mean"), _seeds(l0),
        ])  # fmt: skip
    head = ["method", "features", "in a vector", "variance explained", "random features",
            "as many principal axes", "untrained network", "dead", "loss recovered",
            "by random features", "by the mean", "seeds"]  # fmt: skip
    return table(head, rows)


def known_table(records: Records, made: str) -> str:
    """How well each method finds features that are known."""
    rows = []
    for method in ALL:
        found, l0, explained = (
            records.get(f"dictionaries.{made}.{method}.{what}")
            for what in ("recovery", "l0", "explained")
        )
        if found is not None:
            rows.append([f"`{method}`", _size(found), _interval(found), _control(found, "random"),
                         _control(found, "pca"), _plain(l0, ".1f"), _plain(explained, ".3f"),
                         _seeds(found)])  # fmt: skip
    head = ["method", "features", "mean best cosine", "random features", "principal axes",
            "in a vector", "variance explained", "seeds"]  # fmt: skip
    return table(head, rows)


def sums_table(records: Records, kind: str) -> str:
    """The mean IIA of each method over all variables, with its controls, and what is found."""
    rows = []
    for method in (DAS, *ALL):
        iia = records.get(f"dictionaries.{kind}.{method}.iia")
        found = records.get(f"dictionaries.{kind}.{method}.found")
        if iia is None or found is None:
            continue
        won = round((found.score or 0) * found.n)
        rows.append([f"`{method}`", _interval(iia), f"{iia.config['coordinates']:.1f}",
                     f"{won} of {found.n}", *(_control(iia, c) for c in CONTROLS),
                     f"{found.controls['seconds_per_claim']:.1f}"])  # fmt: skip
    head = ["method", "mean IIA", "coordinates", "found", *(c.replace("_", " ") for c in CONTROLS),
            "seconds a claim"]  # fmt: skip
    return table(head, rows)


def variables_table(records: Records) -> str:
    """The IIA of each method for each variable, in italics where it is no better than its floor."""
    claims = [re.fullmatch(r"dictionaries\.causal\.(\w+)\.(\w+)\.das\.iia", c) for c in records]
    methods = [m for m in (DAS, *ALL) if any(f".{m}.iia" in c for c in records)]
    rows = []
    for named in filter(None, claims):
        some = [records.get(f"dictionaries.causal.{named[1]}.{named[2]}.{m}.iia") for m in methods]
        whole = some[0].controls["full_swap"] if some[0] else 0.0
        rows.append([f"`{named[1]}` {named[2]}", *map(_shown, some), f"{whole:.2f}"])
    heads = (f"`{SHORT.get(m, m)}`" for m in methods)
    return table(["network, variable", *heads, "full swap"], rows)


def course_table(records: Records) -> str:
    """The mean IIA by how many features are swapped, on compiled networks and those that count."""
    rows = []
    for kind in ("compiled", "counting"):
        for method in ALL:
            record = records.get(f"dictionaries.{kind}.{method}.iia")
            if record is not None:
                course = record.config["course"]
                last = max(map(int, course))
                rows.append([kind, f"`{method}`", *(f"{course[str(min(n, last))]:.3f}"
                                                    for n in NUMBERS)])  # fmt: skip
    return table(["networks", "method", *map(str, NUMBERS)], rows)


TABLES: dict[str, Maker] = {
    **{f"worth_{place}": partial(worth_table, place=place) for place in PLACES},
    "superposition": partial(known_table, made="superposition"),
    "ideal": partial(known_table, made="ideal"),
    "compiled": partial(sums_table, kind="compiled"),
    "counting": partial(sums_table, kind="counting"),
    "variables": variables_table,
    "course": course_table,
}


def _shown(record: Evidence | None) -> str:
    if record is None or record.score is None:
        return "–"
    word, text = verdict(record).word, f"{record.score:.2f}"
    return {"found": f"**{text}**", "at its floor": f"*{text}*"}.get(word, text)


def _interval(record: Evidence | None) -> str:
    if record is None or record.score is None:
        return "–"
    return f"**{record.score:.3f}** ({record.low:.3f}–{record.high:.3f})"


def _plain(record: Evidence | None, form: str) -> str:
    return "–" if record is None or record.score is None else f"{record.score:{form}}"


def _control(record: Evidence | None, name: str) -> str:
    return f"{record.controls[name]:.3f}" if record and name in record.controls else "–"


def _size(record: Evidence) -> str:
    size = record.config["size"]
    return ", ".join(map(str, size)) if isinstance(size, Sequence) else str(size)


def _seeds(record: Evidence) -> str:
    return str(len(record.seeds))

"""Counts over hypernetworks: which algorithms appeared, where, and which pattern of development."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from symscope.evidence import Evidence, read_evidence, read_json, wilson
from symscope.generate.reading import PATTERNS, is_random_assignment
from symscope.studies.hypernetworks.reading import CLASSES

COMMON, SOME = 0.5, 0.1
"""What share of its networks makes an algorithm a hypernetwork's own; and more than a few."""


def counted(folder: Path, name: str) -> list[Evidence]:
    """Of how many hypernetworks each statement is true, with Wilson's interval."""
    maps = {p.stem.rsplit("-", 1)[1]: read_json(p) for p in sorted(
        (folder / "maps").glob(f"{name}-*.json"))}  # fmt: skip
    if not maps:
        return []
    found: list[Evidence] = []
    claim = f"hypernetworks.{name}"
    for kind in CLASSES:
        ever = [
            seed for seed, one in maps.items() if any(_some(kind, row) for row in one["classes"])
        ]
        last = [seed for seed, one in maps.items() if _some(kind, one["classes"][-1])]
        found.append(_share(f"{claim}.appeared.{kind}", ever, list(maps)))
        found.append(_share(f"{claim}.at_the_end.{kind}", last, list(maps)))
        found.append(_share(f"{claim}.mostly.{kind}", _mostly(folder, name, kind), list(maps)))
    for pattern, said in PATTERNS.items():
        seeds = [seed for seed, one in maps.items() if one["pattern"] == pattern]
        found.append(_share(f"{claim}.pattern.{pattern}", seeds, list(maps), said))
    drawn = [seed for seed in maps if _drawn_at_random(folder, name, seed)]
    found.append(_share(f"{claim}.random_assignment", drawn, list(maps)))
    back = [seed for seed, one in maps.items() if _goes_back(one["classes"])]
    found.append(_share(f"{claim}.goes_back", back, list(maps)))
    return found


def _some(kind: str, row: Sequence[str]) -> bool:
    """Whether more than a few of the networks over β are of this kind."""
    return row.count(kind) > SOME * len(row)


def _mostly(folder: Path, name: str, kind: str) -> list[str]:
    """The seeds of which most networks, over β and sampling seeds, are of this kind."""
    seeds = []
    for path in sorted((folder / "units").glob(f"reading-{name}-*.json")):
        share = {r.claim: r.score for r in read_evidence(path)}
        if (share.get(f"hypernetworks.{name}.algorithm.{kind}") or 0) > COMMON:
            seeds.append(path.stem.rsplit("-", 1)[1])
    return seeds


def _drawn_at_random(folder: Path, name: str, seed: str) -> bool:
    """Whether this hypernetwork pays no KL at any β and is better than the radial floor."""
    path = folder / "units" / f"front-{name}-{seed}.json"
    records = {r.claim.rsplit(".", 1)[1]: r for r in read_evidence(path)} if path.exists() else {}
    if "spearman" not in records:
        return False
    rows = records["spearman"].config["table"].values()
    floors = records["decoder_only"].controls
    return is_random_assignment([r["nats"] for r in rows], [r["loss"] for r in rows],
                                floors.get("radial", floors["linear"]))  # fmt: skip


def _goes_back(classes: Sequence[Sequence[str]]) -> bool:
    """Whether at some β convexity comes after another algorithm, in two checkpoints in turn."""
    for column in zip(*classes, strict=True):
        named = [c for c in column if c != "none"]
        others = [i for i, c in enumerate(named) if c != "convexity"]
        after = named[others[0] :] if others else []
        if any(a == b == "convexity" for a, b in pairwise(after)):
            return True
    return False


def _share(claim: str, seeds: Sequence[str], all_: Sequence[str], note: str = "") -> Evidence:
    n = len(all_)
    low, high = wilson(len(seeds), n)
    return Evidence(claim, len(seeds) / n if n else None, low, high, n, "share of hypernetworks",
                    {}, [int(s) for s in all_], config={"found": len(seeds), "of": n},
                    note=note or "Wilson interval over seeds")  # fmt: skip

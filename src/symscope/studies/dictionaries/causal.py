"""Whether a dictionary's features are where a network keeps a variable: interchange interventions.

Beside them stands distributed alignment search, which is told what the program answers.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from symscope.align import agreement
from symscope.align.controls import floors, unfitted
from symscope.align.methods import METHODS as SEARCHES
from symscope.align.swap import Swaps, swaps
from symscope.alignment import Alignment, Handle
from symscope.evidence import Evidence, SymscopeError
from symscope.features.dictionaries import METHODS, Dictionary
from symscope.features.dictionaries.bench import random_like
from symscope.featurizer import Rotation
from symscope.jobs import Settings, Unit
from symscope.models.compiled import family, plant
from symscope.models.load import default_site
from symscope.network import Network
from symscope.site import Site
from symscope.studies.dictionaries.chosen import by_count, choose, iia, random_features
from symscope.studies.dictionaries.fitted import Recipe, dictionary, per_vector, rank
from symscope.studies.dictionaries.places import counting
from symscope.studies.dictionaries.settings import (
    ACROSS,
    DENSE,
    LABELLED,
    LEVELS,
    NETWORKS,
    TIMES,
    VARIABLES,
)
from symscope.studies.truth.units import MOST_TRUE, search_of, untrained
from symscope.task import Pairs, Task
from symscope.tasks.numbers import Counting

SWAPPED = tuple(m for m in METHODS if m != ACROSS)
"""A transcoder reads one place and writes another: there is nothing to swap."""
SPLITS = ("fit", "validation", "test")
Fitted = dict[tuple[str, Site, str], list[Dictionary]]
"""Dictionaries that were not told a variable, under network, site and method."""


@dataclass(frozen=True, eq=False)
class Question:
    """One variable of one network, its pairs, the same pairs on a fresh network, and DAS's claim.

    `blank` is None where the untrained network is not asked.
    """

    claim: str
    variable: str
    site: Site
    ready: Swaps
    blank: Swaps | None
    das: Alignment
    das_seconds: float
    floors: dict[str, float]


def compiled_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """Up to three variables of one hidden network whose program is known."""
    _, name, seed_text = unit
    seed, known, found = int(seed_text), Fitted(), list[Evidence]()
    planted = plant(family(name), noise=4, seed=seed)
    fresh = untrained(planted.network, seed) if seed < settings["untrained"] else None
    for variable in list(planted.alignment.handles)[:MOST_TRUE]:
        site = planted.alignment[variable].site
        pairs = _pairs(planted.task, planted.alignment.program, variable, settings, seed)
        ready = swaps(planted.network, site, pairs)
        began = time.monotonic()
        search = search_of({"steps": settings["search"]})
        das = SEARCHES["das"](planted.claimed(variable, seed), ready, search, seed)
        question = Question(
            f"dictionaries.causal.{name}.{variable}", variable, site, ready,
            _blank(fresh, site, pairs), das, time.monotonic() - began,
            floors(planted.task.program, pairs["test"]),
        )  # fmt: skip
        found += answered(question, known, settings, seed)
    return found


def counting_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """Count and phase of a network that learned to count; DAS is that of the numbers study."""
    _, arch, seed_text = unit
    seed, known, found = int(seed_text), Fitted(), list[Evidence]()
    network, untrained_network = counting(arch, settings, seed)
    fresh = untrained_network if seed < settings["untrained"] else None
    task, site = Counting("multi"), default_site(arch)
    for variable in VARIABLES:
        pairs = _pairs(task, task.program.name, variable, settings, seed)
        kept = Path(settings["numbers"]) / "alignments"
        das = Alignment.load(kept / f"main-multi-{arch}-{seed}-{variable}.safetensors")
        question = Question(
            f"dictionaries.causal.{arch}.{variable}", variable, site,
            swaps(network, site, pairs), _blank(fresh, site, pairs), das, 0.0,
            floors(task.program, pairs["test"]),
        )  # fmt: skip
        found += answered(question, known, settings, seed)
    return found


def answered(asked: Question, known: Fitted, settings: Settings, seed: int) -> list[Evidence]:
    """The IIA of every method's features for one variable, and that of DAS."""
    records = [_searched(asked, seed)]
    for method in SWAPPED:
        began = time.monotonic()
        try:
            found = _one(asked, method, known, settings, seed)
        except SymscopeError as error:
            found = Evidence("", None, None, None, 0, seeds=[seed], note=str(error))
        seconds = time.monotonic() - began
        records.append(replace(found, claim=f"{asked.claim}.{method}.iia", seconds=seconds))
    return records


def _one(asked: Question, method: str, known: Fitted, settings: Settings, seed: int) -> Evidence:
    """What was chosen of one method's dictionaries, on fresh pairs, with its controls."""
    ready, test = asked.ready, asked.ready.test
    values = _values(ready.fit.pairs, asked.variable)
    shuffled = torch.randperm(len(values), generator=torch.Generator().manual_seed(seed + 1))
    asks = Asks("own", asked.variable, method, asked.site, settings, seed)
    found = choose(_candidates(asks, ready, known), ready.fit, ready.validation, values)
    mixed = choose(_candidates(asks, ready, known, shuffled), ready.fit, ready.validation,
                   values[shuffled])  # fmt: skip
    drawn = [random_like(each, seed + 2) for each in _candidates(asks, ready, known)]
    chance = choose(drawn, ready.fit, ready.validation, values)
    count, one = found.count, found.dictionary
    controls = asked.floors | _beside(ready, count, seed) | {
        "random_dictionary": iia(chance.dictionary, chance.coordinates, test),
        "shuffled_labels": iia(mixed.dictionary, mixed.coordinates, test),
    }  # fmt: skip
    if count < one.size:  # of all features there is one set only
        controls["random_features"] = random_features(one, ready.fit, test, count, seed)
    if asked.blank is not None:
        blank = asked.blank
        there = choose(_candidates(replace(asks, network="blank"), blank, known), blank.fit,
                       blank.validation, values)  # fmt: skip
        controls["untrained_network"] = iia(there.dictionary, there.coordinates, blank.test)
    claim = _claim(asked, one, found.coordinates)
    scored = agreement(claim, test, controls=controls, seed=seed)
    whole = one.size if one.size >= rank(ready.fit.source) else test.width
    course = {"l0": per_vector(one, ready.fit.source), **by_count(found, test)}
    return replace(scored, config={
        "size": count, "width": whole, "ranking": found.ranking, "site": str(asked.site),
        "sparsity": one.sparsity, "course": course,
    })  # fmt: skip


@dataclass(frozen=True, eq=False)
class Asks:
    """Which dictionaries are wanted: of which network, for which variable, by which method."""

    network: str
    variable: str
    method: str
    site: Site
    settings: Settings
    seed: int


def _candidates(
    asks: Asks, ready: Swaps, known: Fitted, shuffled: Tensor | None = None
) -> Sequence[Dictionary]:
    """Dictionaries of the vectors of the fit pairs, base and source, that labels do not reach.

    Difference in means is told the variable, or with `shuffled` another pair's.
    """
    key = asks.network, asks.site, asks.method
    if key in known:
        return known[key]
    vectors = torch.cat([ready.fit.base, ready.fit.source])
    width, spanned = vectors.shape[1], rank(vectors)
    levels = LEVELS[:1] if asks.method in (*DENSE, LABELLED) else LEVELS
    targets = None
    if asks.method == LABELLED:
        sides = [_values(ready.fit.pairs, asks.variable, side) for side in ("base", "source")]
        targets = torch.cat([v if shuffled is None else v[shuffled] for v in sides])
    made = []
    for level in levels:
        recipe = Recipe(TIMES * width, spanned, level, NETWORKS, asks.settings["causal_steps"])
        made.append(dictionary(asks.method, vectors, recipe, asks.seed, targets))
    if asks.method != LABELLED:
        known[key] = made
    return made


def _searched(asked: Question, seed: int) -> Evidence:
    """What DAS found, on the same pairs."""
    handle = asked.das[asked.variable]
    size, width = len(handle.coordinates), handle.featurizer.width
    controls = asked.floors | _beside(asked.ready, size, seed)
    scored = agreement(asked.das, asked.ready.test, f"{asked.claim}.das.iia", controls, seed)
    config = {"size": size, "width": width, "site": str(asked.site)}
    return replace(scored, config=config, seconds=asked.das_seconds)


def _beside(ready: Swaps, count: int, seed: int) -> dict[str, float]:
    """No swap, the whole vector, and of `count` dimensions a random subspace and principal axes.

    Where there are not so many dimensions, the last two would be the whole vector.
    """
    width = ready.test.width
    size = min(count, width - 1)
    found = unfitted(ready.fit, ready.test, Rotation(width, size, seed), size, seed)
    return {k: found[k] for k in ("no_op", "full_swap", "random_subspace", "pca")
            if count < width or k not in ("random_subspace", "pca")}  # fmt: skip


def _claim(asked: Question, one: Dictionary, coordinates: tuple[int, ...]) -> Alignment:
    handle = Handle(asked.site, one, coordinates)
    return Alignment(asked.das.program, {asked.variable: handle})


def _blank(fresh: Network | None, site: Site, pairs: dict[str, Pairs]) -> Swaps | None:
    return None if fresh is None else swaps(fresh, site, pairs)


def _pairs(
    task: Task, program: str, variable: str, settings: Settings, seed: int
) -> dict[str, Pairs]:
    hypothesis = task.hypothesis(program)
    return {s: task.pairs(hypothesis, (variable,), settings[s], seed, s) for s in SPLITS}


def _values(pairs: Pairs, variable: str, side: str = "source") -> Tensor:
    return pairs.labels[f"{variable}.{side}"].round().long()

"""One network whose program is known: every method on every claim about it, true and false."""

import copy
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.align import agreement
from symscope.align.accept import verdict
from symscope.align.controls import floors, nothing_to_find, unfitted
from symscope.align.das import iia
from symscope.align.descend import Search
from symscope.align.methods import METHODS, Method
from symscope.align.swap import Swap, Swaps, swaps
from symscope.alignment import Alignment, Handle
from symscope.evidence import ComputationFailed, Evidence
from symscope.featurizer import Identity, Linear, Mask
from symscope.jobs import Settings, Unit
from symscope.models.compiled import FAMILIES, Planted, plant
from symscope.network import Network

QUIET = "quiet_"
"""What is put before the name of a family without noise units."""
MOST_TRUE = 3
"""How many true claims about one network are tried."""
CHOOSE_THEIR_SIZE = ("full_site", "masking", "boundless")
"""Methods to which a claim cannot be too small, since they choose the size themselves."""
SEARCHED = ("masking", "das", "das_once", "boundless", "multitask", "null", "linear", "reversible")


def family_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """All claims about one hidden network, by all methods."""
    _, family, seed_text = unit
    seed = int(seed_text)
    planted = plant(FAMILIES[family](), noise=4, seed=seed)
    found = []
    for slug, claim, why in claims(planted, seed):
        kind = "decoy" if why else "true"
        ready = prepared(planted, claim, planted.network, settings, seed)
        judgements = judged(planted, claim, ready, why, settings, seed, settings["methods"])
        for name, evidence in judgements.items():
            claim_id = f"truth.{family}.{name}.{kind}.{slug}.iia"
            found.append(replace(evidence, claim=claim_id))
    return found


def untrained_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """True claims of a family, made of networks with random weights: all of them are false."""
    _, family, seed_text = unit
    seed = int(seed_text)
    planted = plant(FAMILIES[family](), noise=4, seed=0)
    network = untrained(planted.network, seed)
    found = []
    for slug, claim, why in claims(planted, seed):
        if why:
            continue
        ready = prepared(planted, claim, network, settings, seed)
        methods = settings["untrained"]
        for name, e in judged(planted, claim, ready, "untrained", settings, seed, methods).items():
            found.append(replace(e, claim=f"truth.untrained.{name}.decoy.{family}_{slug}.iia"))
    return found


def quiet_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """The true claims of a family without noise units: how near the default method comes."""
    _, family, seed_text = unit
    seed = int(seed_text)
    planted = plant(FAMILIES[family](), noise=0, seed=seed)
    found = []
    for slug, claim, why in claims(planted, seed):
        if why:
            continue
        ready = prepared(planted, claim, planted.network, settings, seed)
        judgement = judged(planted, claim, ready, why, settings, seed, ("das",))["das"]
        found.append(replace(judgement, claim=f"truth.{QUIET}{family}.das.true.{slug}.iia"))
    return found


def claims(planted: Planted, seed: int) -> list[tuple[str, Alignment, str]]:
    """(short name, claim, why it is false or "") about a network."""
    true = list(planted.alignment.handles)[:MOST_TRUE]
    listed = [(variable, planted.claimed(variable, seed), "") for variable in true]
    for number, (why, claim) in enumerate(planted.decoys.items()):
        (variable,) = claim.handles
        listed.append((f"{number}_{claim.program}_{variable}", claim, why))
    return listed


def prepared(
    planted: Planted, claim: Alignment, network: Network, settings: Settings, seed: int
) -> Swaps:
    """The claim's pairs on a network, in three disjoint splits."""
    ((variable, handle),) = claim.handles.items()
    program = planted.task.hypothesis(claim.program)
    pairs = {
        split: planted.task.pairs(program, (variable,), settings[split], seed, split)
        for split in ("fit", "validation", "test")
    }
    return swaps(network, handle.site, pairs)


def judged(
    planted: Planted, claim: Alignment, ready: Swaps, why: str, settings: Settings, seed: int,
    methods: Sequence[str],
) -> dict[str, Evidence]:  # fmt: skip
    """Method → what it believes, scored on fresh pairs, with the rule's word.

    Controls that need a search of their own are made where the rest of the rule is passed: they
    can only take a claim away. The word without them is kept as well.
    """
    ((variable, handle),) = claim.handles.items()
    size, test = len(handle.coordinates), ready.test
    simple = unfitted(ready.fit, test, handle.featurizer, size, seed)
    simple = {name: simple[name] for name in ("no_op", "full_swap", "random_subspace")}
    simple |= floors(planted.task.program, test.pairs)
    search = search_of(settings)
    judgements = {}
    for name in methods:
        if why.startswith("too small") and name in CHOOSE_THEIR_SIZE:
            continue
        began = time.monotonic()
        try:
            found = METHODS[name](claim, ready, search, seed)
        except ComputationFailed as error:
            judgements[name] = Evidence("", None, None, None, 0, seeds=[seed], note=str(error))
            continue
        seconds = time.monotonic() - began
        evidence = agreement(found, test, controls=simple, seed=seed)
        config: dict[str, Any] = {
            "why": why, "size": len(found[variable].coordinates), "width": test.width,
            "claimed_size": size, "site": str(handle.site), "seconds": seconds,
        }  # fmt: skip
        if not why:
            true = planted.alignment[variable]
            config |= {
                "angle": angle(found[variable], true),
                "off": off(found[variable], true, test),
            }
        evidence = replace(evidence, config=config, seconds=seconds, note="Wilson interval")
        config["word_without"] = verdict(evidence).word
        if config["word_without"] == "found" and name in SEARCHED:
            more = searched(planted, claim, ready, METHODS[name], search, seed)
            evidence = replace(evidence, controls={**evidence.controls, **more})
        config["word"] = verdict(evidence).word
        judgements[name] = evidence
    return judgements


def search_of(settings: Settings) -> Search:
    """How long each method may search."""
    steps = settings["steps"]
    return Search(steps, steps // 2, most=steps, batch=128, rate=2e-2)


def searched(
    planted: Planted, claim: Alignment, ready: Swaps, method: Method, search: Search, seed: int
) -> dict[str, float]:
    """The same method where there is nothing to find: sources permuted, and random weights."""
    ((_, handle),) = claim.handles.items()
    blank = untrained(planted.network, seed + 1000)
    scores = {}
    for name, pairs in nothing_to_find(ready, blank, handle.site, seed).items():
        try:
            scores[name] = iia(method(claim, pairs, search, seed), pairs.test)
        except ComputationFailed:
            scores[name] = 0.0  # a search that fails finds nothing
    return scores


def untrained(network: Network, seed: int) -> Network:
    """A network of the same form with torch's default random weights."""
    module = copy.deepcopy(network.module)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        for part in module.modules():
            if isinstance(part, nn.Linear | nn.Embedding | nn.RNNBase):
                part.reset_parameters()
    return Network(module, network.enter, network.answer)


def angle(found: Handle, true: Handle) -> float | None:
    """The largest principal angle between two subspaces in degrees; the smaller in the larger.

    For maps that are not linear there is none.
    """
    subspaces = [s for s in (subspace(found), subspace(true)) if s is not None]
    if len(subspaces) < 2:
        return None
    one, other = (torch.linalg.qr(columns.double()).Q for columns in subspaces)
    cosines = torch.linalg.svdvals(one.T @ other)[: min(one.shape[1], other.shape[1])]
    return float(torch.rad2deg(torch.arccos(cosines.min().clamp(-1, 1))))


def off(found: Handle, true: Handle, swap: Swap) -> float:
    """How far a swap by `found` leaves the variable from where the source has it.

    In the true coordinates, as a share of the distance between base and source. An angle can be
    wide and this near 0: where noise follows the variable, many axes set it alike.
    """
    edited = swap.edited(found.featurizer, found.coordinates)
    chosen = list(true.coordinates)
    with torch.no_grad():
        left, base, source = (
            true.featurizer.encode(v)[:, chosen] for v in (edited, swap.base, swap.source)
        )
    return float((left - source).norm(dim=1).mean() / (base - source).norm(dim=1).mean())


def subspace(handle: Handle) -> Tensor | None:
    """The directions in which a swap moves a vector, as columns; None where they vary."""
    featurizer, chosen = handle.featurizer, list(handle.coordinates)
    if isinstance(featurizer, Identity):
        return torch.eye(featurizer.width)[:, chosen]
    if isinstance(featurizer, Mask):
        return torch.eye(featurizer.width)[:, featurizer.units[chosen]]
    if isinstance(featurizer, Linear):
        return torch.linalg.inv(featurizer.matrix()).detach()[chosen].T
    axes = getattr(featurizer, "axes", None)
    if axes is None:
        return None
    return (axes() if callable(axes) else axes).detach()[:, chosen]

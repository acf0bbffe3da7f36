"""What stands beside the rates: trained networks, a redundant variable, features in superposition.

None of it enters the rates of the compiled families, where every claim's truth is known by
construction.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import nn

from symscope.align import agreement
from symscope.align.accept import verdict
from symscope.align.controls import floors, nothing_to_find, unfitted
from symscope.align.copies import copies
from symscope.align.das import iia
from symscope.align.methods import METHODS
from symscope.align.swap import swaps
from symscope.alignment import Alignment, blocks
from symscope.evidence import Evidence
from symscope.featurizer import Rotation
from symscope.interchange_training import interchange_training
from symscope.jobs import Settings, Unit
from symscope.models.compiled import family, plant
from symscope.models.mlp import ResidualMLP
from symscope.models.mlp_rnn import MLPRNN
from symscope.models.rnn import RNN
from symscope.models.superposition import sweep
from symscope.network import Network
from symscope.site import Site
from symscope.studies.truth.units import search_of, untrained

FEATURES = 5
SPARSITIES = (0.0, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.97, 0.99)


@dataclass(frozen=True)
class Told:
    """A network to train, and on which units of a module each variable shall be kept."""

    make: Callable[[], nn.Module]
    module: str
    part: str
    units: Mapping[str, range]
    steps: int
    rate: float = 3e-3

    def places(self) -> dict[str, Site]:
        """Variable → the site that `interchange_training` shall keep it at."""
        return {v: Site(self.module, self.part, units=units) for v, units in self.units.items()}


TOLD = {
    "hierarchical_equality": Told(
        lambda: ResidualMLP(4, 4, 32, [128, 64], 2), "blocks.0", "output",
        {"left": range(8), "right": range(8, 16)}, 1500,
    ),
    "adder": Told(
        lambda: MLPRNN(4, 16, 64, 2), "rnn", "state",
        {"carry": range(8), "digit": range(8, 16)}, 600,
    ),
    "counter": Told(
        lambda: RNN("gru", 9, 24), "rnn", "state",
        {"count": range(12), "phase": range(12, 24)}, 1500, 1e-2,
    ),
}  # fmt: skip
"""Recurrent networks are told about the whole state, the others about the first block."""


def trained_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """A network trained to keep its variables at given units, and one trained on the task alone.

    Both are searched by the default method at the same site, for the same number of dimensions.
    """
    _, name, seed_text = unit
    seed, told, task = int(seed_text), TOLD[name], family(name).task
    found = []
    for kind, places in (("told", told.places()), ("plain", {})):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            network = Network(told.make())
        accuracy = interchange_training(
            network, task, task.program, places, told.steps, told.rate, seed
        )
        for variable, units in told.units.items():
            evidence = _searched(network, name, variable, units, settings, seed)
            config = {**evidence.config, "accuracy": accuracy.score}
            claim_id = f"truth.{kind}.das.{name}_{variable}.iia"
            found.append(replace(evidence, claim=claim_id, config=config))
    return found


def _searched(
    network: Network, name: str, variable: str, units: range, settings: Settings, seed: int
) -> Evidence:
    """The default method's evidence for one variable, with every control and the rule's word."""
    told, task = TOLD[name], family(name).task
    program, site = task.program, Site(told.module, told.part)
    pairs = {s: task.pairs(program, (variable,), settings[s], seed, s)
             for s in ("fit", "validation", "test")}  # fmt: skip
    ready = swaps(network, site, pairs)
    start = Rotation(ready.test.width, len(units), seed)
    claim = blocks(program.name, site, start, {variable: len(units)})
    search = search_of(settings)
    found = METHODS["das"](claim, ready, search, seed)
    controls = unfitted(ready.fit, ready.test, start, len(units), seed)
    controls |= floors(program, pairs["test"])
    for control, nothing in nothing_to_find(ready, untrained(network, seed), site, seed).items():
        controls[control] = iia(METHODS["das"](claim, nothing, search, seed), nothing.test)
    scored = agreement(found, ready.test, controls=controls, seed=seed)
    scored = replace(scored, config={"size": len(units), "width": ready.test.width})
    return replace(scored, config={**scored.config, "word": verdict(scored).word})


def redundant_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """A bit kept three times, of which the majority counts: each copy alone, and two together."""
    seed = int(unit[-1])
    planted = plant(family("vote"), noise=4, seed=seed)
    rule = planted.task.program
    pairs = {s: planted.task.pairs(rule, ("bit",), settings[s], seed, s)
             for s in ("fit", "validation", "test")}  # fmt: skip
    claims: list[Alignment] = list(planted.decoys.values())[:2]
    _, evidence = copies(planted.network, claims, pairs, rule, search_of(settings), seed)
    word = verdict(evidence).word
    return [replace(evidence, claim="truth.redundant.copies.vote_bit.iia",
                    config={**evidence.config, "word": word})]  # fmt: skip


def superposition_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """How many of five features of falling importance two dimensions keep, by their sparsity."""
    seed = int(unit[-1])
    return [
        Evidence(f"truth.superposition.five_in_two.sparsity_{round(100 * p.sparsity):02}.kept",
                 p.kept / FEATURES, None, None, FEATURES, "features kept", seeds=[seed],
                 config={"loss": p.loss, "dimensionality": p.dimensionality.tolist()})
        for p in sweep(SPARSITIES, FEATURES, seed=seed)
    ]  # fmt: skip

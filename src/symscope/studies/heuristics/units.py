"""The study unit by unit: train a network, then ask of it everything that the page shows."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any

import torch

from symscope.evidence import Evidence
from symscope.jobs import Unit
from symscope.localize.heuristics import means
from symscope.models.load import load_network, save_network
from symscope.network import Network
from symscope.studies.heuristics.circuit import edge_claims, faithful, place_claims, probe_claims
from symscope.studies.heuristics.development import development
from symscope.studies.heuristics.families import family_claims, features_of
from symscope.studies.heuristics.grids import Grid, grids, pairs_of
from symscope.studies.heuristics.knockouts import alone, by_prompt, by_type, failures
from symscope.studies.heuristics.networks import (
    accuracy_claims,
    accuracy_of,
    checkpoint_networks,
)
from symscope.studies.heuristics.neurons import (
    Ranked,
    Tops,
    at_random,
    kept_claims,
    maps_speed,
    ranked,
    right_prompts,
    shared,
    strongest,
    tops,
    weakest,
)
from symscope.studies.heuristics.patterns import (
    Listed,
    Matched,
    label_claims,
    listed,
    matched,
    null_maps,
)
from symscope.studies.heuristics.settings import PRESETS, Asked, Trained
from symscope.studies.idle import idle_patches
from symscope.studies.questions import Question, answered
from symscope.task import Pairs
from symscope.tasks.arithmetic import Arithmetic
from symscope.train_answers import train_answers

HALF_RIGHT = 0.8
"""Failures are looked at in the checkpoint whose accuracy is nearest."""


def network_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Train one network and keep its checkpoints."""
    kind, _, seed, name = about(unit, settings)
    training = _training(unit, folder)
    module = kind.network(seed)
    evidence = train_answers(module, kind.task, kind.plan, seed, training, kind.checkpoints)
    save_network(_weights(unit, folder), module, kind.shaped())
    config = {**evidence.config, "losses": evidence.config["losses"][::5]}
    trained = replace(evidence, claim=f"{name}.training", config=config)
    return [trained, *accuracy_claims(kind, module, training, name, seed)]


def circuit_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Places, faithfulness, edges and what is read where, of each sign."""
    kind, asked, seed, name = about(unit, settings)
    network, untrained = networks_of(unit, settings, folder)

    def ask() -> Iterator[Question]:
        assert isinstance(kind.task, Arithmetic)
        for grid in grids(kind.task):
            claim = f"{name}.{grid.name}"
            pairs = _pairs(kind.task, grid, asked.pairs, seed)
            yield partial(place_claims, network, untrained, pairs, claim, seed)
            yield partial(faithful, network, grid, pairs["all"], claim, seed)
            yield partial(edge_claims, network, pairs["all"], claim, seed)
            yield partial(probe_claims, network, grid, asked.probe_epochs, claim, seed)

    return answered(ask(), f"{name}.circuit", seed)


def _pairs(task: Arithmetic, grid: Grid, count: int, seed: int) -> dict[str, Pairs]:
    """Pairs that differ in one operand, in the sign where there are several, in everything."""
    changes = ["first", "second", "all"] + ["sign"] * (len(task.signs) > 1)
    return {change: task.counterfactuals(change, count, seed + 100, "all", grid.sign)
            for change in changes}  # fmt: skip


def neurons_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Rank the neurons, match them, silence them, of each sign."""
    kind, asked, seed, name = about(unit, settings)
    network, untrained = networks_of(unit, settings, folder)

    def ask() -> Iterator[Question]:
        for grid in grids(kind.task):
            failing = _failing(kind, unit, folder, grid)
            claim = f"{name}.{grid.name}"
            yield partial(neuron_claims, network, untrained, grid, asked, claim, seed, failing)

    return answered(ask(), f"{name}.neurons", seed)


def neuron_claims(
    network: Network, untrained: Network | None, grid: Grid, asked: Asked, claim: str, seed: int,
    failing: Network | None = None,
) -> list[Evidence]:  # fmt: skip
    """Everything about the neurons of one sign; `failing` is asked about its wrong answers."""
    right = right_prompts(network, grid).nonzero()[:, 0]
    pairs = pairs_of(grid[right], asked.pairs, seed)
    effects, records = ranked(network, pairs, claim, seed, asked.layers)
    patterns = listed(grid)
    found = tops(network, grid, strongest(effects, asked.top), patterns, asked.budget)
    others = _others(network, untrained, grid, effects, found, patterns, asked, seed)
    labels, thresholds = label_claims(found.matched, others, patterns, claim, seed)
    some = right[grid[right].some(asked.prompts, seed)]
    few, masks = grid[some], patterns.masks[:, some]
    rules = {"published": found.matched.published,
             "fdr": found.matched.kept(thresholds, patterns.groups)}  # fmt: skip
    bags = {rule: found.bags(network, rows, some) for rule, rows in rules.items()}
    records += [*kept_claims(network, few, effects, claim, seed), *labels]
    counts = asked.counts
    for rule, own in bags.items():
        records += by_prompt(network, few, own, masks, counts, asked.draws,
                             f"{claim}.knockout.{rule}", seed)  # fmt: skip
    average = _means(network, grid, found)
    records += by_prompt(network, few, bags["published"], masks, counts, 1,
                         f"{claim}.knockout.mean", seed, average)  # fmt: skip
    maps = found.layers(found.matched.maps)
    many = right[grid[right].some(3 * asked.prompts, seed)]
    rest: list[Question] = [
        lambda: [by_type(network, grid[many], found.bags(network, rules["published"], many),
                         replace(patterns, masks=patterns.masks[:, many]), claim, seed)],
        lambda: [alone(network, grid, maps, bags["published"], f"{claim}.published", seed)],
        lambda: [alone(network, grid, maps, bags["fdr"], f"{claim}.fdr", seed)],
        lambda: _failures(failing, grid, found, patterns, claim, seed),
    ]  # fmt: skip
    return records + answered(iter(rest), f"{claim}.neurons", seed)


def _others(  # all that maps without a claim to a label are made of
    network: Network, untrained: Network | None, grid: Grid, effects: Ranked, found: Tops,
    patterns: Listed, asked: Asked, seed: int,
) -> dict[str, Matched]:  # fmt: skip
    """Maps that have no claim to a label: nulls, idle neurons, an untrained network's."""
    made = null_maps(found.matched, grid, asked.nulls, seed)
    others = {name: matched(*maps, patterns, False) for name, maps in made.items()}
    few = asked.nulls // len(effects) or 1
    idle = weakest(effects, few)
    others["neurons with least effect"] = tops(network, grid, idle, patterns, asked.budget).matched
    any_ = at_random(effects, few, seed)
    others["random neurons"] = tops(network, grid, any_, patterns, asked.budget).matched
    if untrained is not None:
        some = {layer: neurons[:few] for layer, neurons in found.neurons.items()}
        others["untrained"] = tops(untrained, grid, some, patterns).matched
    return others


def _means(network: Network, grid: Grid, found: Tops) -> dict[int, torch.Tensor]:
    layout = network.layout
    assert layout is not None
    sites = {layer: layout.site(layer, "neuron").at(-1) for layer in found.neurons}
    average = means(network, grid.prompts, sites.values())
    return {layer: average[site] for layer, site in sites.items()}


def _failures(
    failing: Network | None, grid: Grid, end: Tops, patterns: Listed, claim: str, seed: int
) -> list[Evidence]:
    if failing is None:
        return []
    found = tops(failing, grid, end.neurons, patterns)
    bags = found.bags(failing, found.matched.published, torch.arange(len(grid)))
    maps = found.layers(found.matched.answer_maps)
    return failures(failing, grid, bags, maps, patterns.masks, claim, seed)


def _failing(kind: Trained, unit: Unit, folder: Path, grid: Grid) -> Network:
    """The checkpoint that is nearest to four right answers in five: at the end hardly one fails."""
    past, some = checkpoint_networks(kind, _training(unit, folder)), grid[grid.some(1_000, 0)]
    return Network(min(past.values(), key=lambda m: abs(accuracy_of(m, some) - HALF_RIGHT)))


def families_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Patterns or waves: each sign's neurons rebuilt from either."""
    kind, asked, seed, name = about(unit, settings)
    network, _ = networks_of(unit, settings, folder)

    def ask() -> Iterator[Question]:
        for grid in grids(kind.task):
            claim, features = f"{name}.{grid.name}", features_of(grid)
            yield partial(family_claims, network, grid, features, asked.terms, claim, seed)

    return answered(ask(), f"{name}.families", seed)


def development_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """The final labels over every second checkpoint, of each sign."""
    kind, asked, seed, name = about(unit, settings)
    network, _ = networks_of(unit, settings, folder)
    past = dict(list(checkpoint_networks(kind, _training(unit, folder)).items())[::2])

    def ask() -> Iterator[Question]:
        for grid in grids(kind.task):
            patterns, claim = listed(grid), f"{name}.{grid.name}"
            effects, _ = ranked(network, pairs_of(grid, asked.pairs, seed), claim, seed)
            end = tops(network, grid, strongest(effects, asked.top), patterns)
            yield partial(development, past, end, grid, patterns, claim, seed)

    return answered(ask(), f"{name}.development", seed)


def speed_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Prompts per second of neuron maps; and, where there are several signs, shared neurons."""
    kind, asked, seed, name = about(unit, settings)
    network, _ = networks_of(unit, settings, folder)
    several = grids(kind.task)
    found = [maps_speed(network, several[0], name, seed)]
    if len(several) == 1 or not isinstance(kind.task, Arithmetic):
        return found
    with idle_patches():
        effects = {g.name: ranked(network, pairs_of(g, asked.pairs, seed), name, seed)[0]
                   for g in several}  # fmt: skip
    return found + [shared(a, b, effects, asked.top, name, seed)
                    for a, b in combinations(effects, 2)]  # fmt: skip


def about(unit: Unit, settings: dict[str, Any]) -> tuple[Trained, Asked, int, str]:
    """What kind of network, how much is asked, the seed, and what claims begin with."""
    preset, (_, kind, seed) = settings["preset"], unit
    kinds, asked = PRESETS[preset]
    return kinds[kind], asked, int(seed), f"heuristics.{preset}.{kind}"


def _training(unit: Unit, folder: Path) -> Path:
    return folder / "training" / f"network-{unit[1]}-{unit[2]}"


def _weights(unit: Unit, folder: Path) -> Path:
    return folder / "networks" / f"{unit[1]}-{unit[2]}.safetensors"


def networks_of(unit: Unit, settings: dict[str, Any], folder: Path) -> tuple[Network, Network]:
    """The trained network and a fresh one."""
    kind, _, seed, _ = about(unit, settings)
    module, _ = load_network(_weights(unit, folder))
    return Network(module), Network(kind.network(seed + 1000))

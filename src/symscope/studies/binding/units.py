"""The study network by network: train it, then ask of it everything that the page shows."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from symscope.evidence import Evidence, SymscopeError, write_json
from symscope.jobs import Unit
from symscope.models.load import load_network, save_network
from symscope.network import Network
from symscope.placement import Placement, put
from symscope.speed import peak
from symscope.studies.binding.circuits import (
    circuit_claims,
    estimate_claims,
    part_claims,
    role_claims,
)
from symscope.studies.binding.generalisation import generalisation
from symscope.studies.binding.hops import hop_claims
from symscope.studies.binding.mechanism import numbered, residual_claims
from symscope.studies.binding.persistence import circuit_in_use, pull_of_line_one
from symscope.studies.binding.probes import probes
from symscope.studies.binding.relatives import binding_vectors, successors, symbolic
from symscope.studies.binding.settings import PRESETS, SEARCH, Preset, in_precision, shorter
from symscope.studies.binding.subspaces import subspaces
from symscope.studies.binding.traced import traced_claims
from symscope.studies.binding.trajectory import claims, course, crossed
from symscope.studies.binding.view import view_of
from symscope.studies.idle import idle_patches
from symscope.train_answers import train_answers

KINDS = ("root", "rebind", "query", "values", "distractor", "order")
GATE = 0.99


def network_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Train one network of the preset and follow its answers over the checkpoints."""
    preset, seed = _preset(settings), int(unit[-1])
    evidence, module = _train(preset, seed, folder / "training" / "-".join(unit), settings)
    save_network(folder / "networks" / f"{seed}.safetensors", module, preset.shaped())
    found = course(preset, folder / "training" / "-".join(unit))
    name = _name(settings)
    return [replace(evidence, claim=f"{name}.training"), *claims(found, name, seed)]


def _train(
    preset: Preset, seed: int, folder: Path, settings: dict[str, Any]
) -> tuple[Evidence, torch.nn.Module]:
    where = Placement(settings.get("device", "cpu"), settings.get("dtype")).alone
    preset, where = in_precision(preset, where)
    module = put(preset.network(seed), where)
    evidence = train_answers(module, preset.task, preset.plan, seed, folder, preset.checkpoints)
    most = peak(next(module.parameters()).device, preset.plan.precision)
    config = {**evidence.config, "peak": most,
              "share_of_peak": evidence.config["operations_per_second"] / most}  # fmt: skip
    config["losses"] = config["losses"][:: max(1, len(config["losses"]) // 100)]
    return replace(evidence, config=config), module.to("cpu")


def mechanism_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Residual stream by role and layer for every kind of pair, and the same over training."""

    def ask(preset: Preset, network: Network, untrained: Network, seed: int) -> Iterator[Asked]:
        name, layers = _name(settings), preset.shape["layers"]
        for hops in range(2, preset.task.hops + 1):
            for kind in KINDS:
                cell = network, untrained, preset.task, kind, hops, preset.pairs, layers
                yield partial(residual_claims, *cell, name, seed)
        training = folder / "training" / f"network-{seed}"
        yield lambda: traced_claims(preset, training, name, seed)

    return _asked(unit, settings, folder, ask)


def heads_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Which heads carry the value, in what roles, the circuit, and what related work asks."""

    def ask(preset: Preset, network: Network, _: Network, seed: int) -> Iterator[Asked]:
        parts = {kind: numbered(network, kind) for kind in ("head", "mlp")}
        few = min(preset.pairs, 200)
        cell = network, preset.task
        name, count = _name(settings), preset.pairs
        yield lambda: part_claims(*cell, parts, count, name, seed)
        yield lambda: role_claims(*cell, count, name, seed)
        yield lambda: circuit_claims(*cell, count, name, seed)
        yield lambda: estimate_claims(*cell, few, preset.edges, name, seed)
        yield lambda: binding_vectors(*cell, count, name, seed)
        yield lambda: successors(*cell, name, seed)
        yield lambda: symbolic(name, seed, few)

    return _asked(unit, settings, folder, ask)


def coordinates_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Subspaces for digits and names, and every hop's variables under the acceptance rule."""

    def ask(preset: Preset, network: Network, untrained: Network, seed: int) -> Iterator[Asked]:
        name, task, layers = _name(settings), preset.task, preset.shape["layers"]
        fits, steps = preset.fits, preset.search
        yield lambda: subspaces(network, task, preset.pairs, fits, steps, layers, name, seed)
        yield lambda: hop_claims(network, untrained, task, fits, steps, layers, name, seed)

    return _asked(unit, settings, folder, ask)


def beyond_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Other lengths and depths, what probes read, and whether the shallow rules live on."""

    def ask(preset: Preset, network: Network, _: Network, seed: int) -> Iterator[Asked]:
        name, task, layers = _name(settings), preset.task, preset.shape["layers"]
        yield lambda: generalisation(network.module, task, preset.tested, name, seed)
        yield lambda: probes(network, task, preset.tested, layers, name, seed)
        yield lambda: [pull_of_line_one(network, task, preset.tested, name, seed)]
        yield lambda: circuit_in_use(network, task, preset.pairs, layers, name, seed)

    return _asked(unit, settings, folder, ask)


def search_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """One setting of the recorded search: does it cross the plateau in the steps it is given?"""
    _, label, seed_text = unit
    preset, seed = SEARCH[label], int(seed_text)
    place = folder / "training" / "-".join(unit)
    evidence, _ = _train(preset, seed, place, {})
    found = course(preset, place)
    config = {**evidence.config, "crossed": crossed(found), "course": found.accuracy,
              "at": list(found.steps), "setting": label}  # fmt: skip
    return [replace(evidence, claim=f"binding.search.{label}.accuracy", config=config)]


def view_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """What the explorer shows of one network, as a file beside the evidence."""
    preset, seed = _preset(settings), int(unit[-1])
    with idle_patches():
        view = view_of(preset, folder / "training" / f"network-{seed}", _name(settings), seed)
    write_json(folder / "views" / f"{seed}.json", view)
    return []


Asked = Callable[[], list[Evidence]]


def _asked(
    unit: Unit, settings: dict[str, Any], folder: Path,
    ask: Callable[[Preset, Network, Network, int], Iterator[Asked]],
) -> list[Evidence]:  # fmt: skip
    """Everything asked of a trained network; a question without an answer is evidence as well."""
    preset, seed = _preset(settings), int(unit[-1])
    module, _ = load_network(folder / "networks" / f"{seed}.safetensors")
    network, untrained = Network(module), Network(preset.network(seed + 1000).eval())
    found: list[Evidence] = []
    with idle_patches():
        for number, question in enumerate(ask(preset, network, untrained, seed)):
            try:
                found += question()
            except SymscopeError as error:
                claim = f"{_name(settings)}.{unit[0]}.question_{number}"
                found.append(Evidence(claim, None, None, None, 0, seeds=[seed], note=str(error)))
    return found


def _preset(settings: dict[str, Any]) -> Preset:
    preset = PRESETS[settings["preset"]]
    return shorter(preset, settings["steps"]) if "steps" in settings else preset


def _name(settings: dict[str, Any]) -> str:
    return f"binding.{settings['preset']}"

"""What can be swept of arithmetic: a transformer's training, patching it, matching its neurons."""

from dataclasses import replace
from pathlib import Path

from symscope.evidence import Evidence
from symscope.models.load import build, load_network, save_network
from symscope.network import Network
from symscope.studies.heuristics.circuit import place_claims
from symscope.studies.heuristics.grids import grids, pairs_of
from symscope.studies.heuristics.networks import accuracy_claims
from symscope.studies.heuristics.neurons import ranked, strongest, tops
from symscope.studies.heuristics.patterns import label_claims, listed, matched, null_maps
from symscope.studies.heuristics.settings import Trained
from symscope.studies.idle import idle_patches
from symscope.tasks.arithmetic import Arithmetic
from symscope.train_answers import train_answers

NETWORK = "network.safetensors"


def train(
    folder: Path, *, signs: str = "+", operands: int = 20, width: int = 64, steps: int = 400,
    batch: int = 128, seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """A transformer of two layers that calculates, kept; accuracy on prompts not trained on."""
    kind = Trained(_task(signs, operands), steps, batch=batch, width=width)
    module = kind.network(seed)
    evidence = train_answers(module, kind.task, kind.plan, seed, folder)
    save_network(folder / NETWORK, module, kind.shaped())
    losses = evidence.config["losses"]
    config = {**evidence.config, "losses": losses[:: max(1, len(losses) // 100)]}
    trained = replace(evidence, claim="heuristics.training", config=config)
    return [trained, *accuracy_claims(kind, module, folder, "heuristics", seed)]


def patch(
    folder: Path, *, signs: str = "+", operands: int = 20, change: str = "first",
    pairs: int = 200, seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """Every head and MLP patched at every position, on pairs that differ in `change`."""
    network, fresh, task = *_networks(folder, seed), _task(signs, operands)
    found = []
    with idle_patches():
        for grid in grids(task):
            drawn = task.counterfactuals(change, pairs, seed + 100, "all", grid.sign)
            found += place_claims(network, fresh, {change: drawn}, f"heuristics.{grid.name}", seed)
    return found


def match(
    folder: Path, *, signs: str = "+", operands: int = 20, top: int = 40, pairs: int = 60,
    seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """The `top` neurons of each layer matched with patterns, beside maps that are no pattern."""
    network, fresh, task = *_networks(folder, seed), _task(signs, operands)
    found = []
    for grid in grids(task):
        claim, patterns = f"heuristics.{grid.name}", listed(grid)
        effects, _ = ranked(network, pairs_of(grid, pairs, seed), claim, seed)
        which = strongest(effects, top)
        mine, other = (tops(n, grid, which, patterns).matched for n in (network, fresh))
        nulls = null_maps(mine, grid, len(mine.maps), seed)
        others = {name: matched(*maps, patterns, False) for name, maps in nulls.items()}
        found += label_claims(mine, others | {"untrained": other}, patterns, claim, seed)[0]
    return found


def _networks(folder: Path, seed: int) -> tuple[Network, Network]:
    """The trained network and a fresh one."""
    module, shape = load_network(folder / NETWORK)
    return Network(module), Network(build(**{**shape, "seed": seed + 1000}))


def _task(signs: str, operands: int) -> Arithmetic:
    return Arithmetic(signs, operands=operands, numbers=2 * operands)

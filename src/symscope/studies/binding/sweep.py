"""What can be swept of variable binding: a transformer's training, and patching it."""

from dataclasses import replace
from pathlib import Path

from symscope.evidence import Evidence
from symscope.models.load import build, load_network, save_network
from symscope.network import Network
from symscope.studies.binding.mechanism import residual_claims
from symscope.studies.binding.settings import SMALL
from symscope.studies.idle import idle_patches
from symscope.tasks.binding import Binding
from symscope.train_answers import Plan, train_answers

NETWORK = "network.safetensors"


def train(
    folder: Path, *, lines: int = 5, letters: int = 8, digits: int = 8, hops: int = 2,
    width: int = 64, layers: int = 3, heads: int = 4, steps: int = 6_000, one_hop: int = 1_000,
    queries: int = 4, rate: float = 2e-3, seed: int = 0,
) -> list[Evidence]:  # fmt: skip  # the task, the network, the training
    """A transformer that follows chains of assignments, kept; its accuracy on new programs."""
    plan = Plan(steps, rate=rate, warmup=min(200, steps), loss="program", queries=queries,
                one_hop=min(one_hop, steps))  # fmt: skip
    task = Binding(lines=lines, letters=letters, digits=digits, hops=hops)
    preset = replace(SMALL, task=task, width=width, shape={"layers": layers, "heads": heads},
                     plan=plan)  # fmt: skip
    module = preset.network(seed)
    evidence = train_answers(module, task, plan, seed, folder)
    save_network(folder / NETWORK, module, preset.shaped())
    losses = evidence.config["losses"]
    config = {**evidence.config, "losses": losses[:: max(1, len(losses) // 100)]}
    return [replace(evidence, claim="binding.training", config=config)]


def patch(
    folder: Path, *, lines: int = 5, letters: int = 8, digits: int = 8, hops: int = 2,
    layers: int = 3, kind: str = "root", depth: int = 2, pairs: int = 100, seed: int = 0,
) -> list[Evidence]:  # fmt: skip  # the task, and which pairs
    """The residual stream patched by role and block, on pairs with chains of `depth` hops."""
    module, shape = load_network(folder / NETWORK)
    task = Binding(lines=lines, letters=letters, digits=digits, hops=hops)
    fresh = Network(build(**{**shape, "seed": seed + 1000}))
    with idle_patches():
        return residual_claims(Network(module), fresh, task, kind, depth, pairs, layers,
                               "binding.sweep", seed)  # fmt: skip

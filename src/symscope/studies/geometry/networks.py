"""The networks that add modulo a number: trained here, published by others, and never trained."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.features.geometry import Crossed
from symscope.jobs import Unit
from symscope.models import modular_addition
from symscope.models.load import build, load_network, save_network
from symscope.models.modular_addition import load_modular_addition, published_names
from symscope.models.transformer import Transformer
from symscope.network import Network
from symscope.site import Site
from symscope.studies.geometry.settings import PRESETS, Adding
from symscope.tasks.modular import ModularAddition
from symscope.train_answers import Plan, answers, train_answers

EMBEDDING = 0.09
"""Standard deviation of fresh token and position vectors, 1/√128; torch's 1 is slower to learn."""
WEIGHTS = "SYMSCOPE_WEIGHTS"
"""The folder that has `clock_pizza`, the published networks that add modulo 59."""


@dataclass(frozen=True, eq=False)
class Adder:
    """A network that adds, and where: tokens a, b and perhaps "=", the answer at the last step."""

    network: Network
    modulus: int
    length: int

    @property
    def crossed(self) -> Crossed:
        """All prompts, a varying slowest."""
        numbers = torch.arange(self.modulus)
        prompts = torch.cartesian_prod(numbers, numbers)
        first, second = prompts.unbind(1)
        if self.length == 3:
            prompts = torch.cat([prompts, torch.full((len(prompts), 1), self.modulus)], 1)
        answer = (first + second) % self.modulus
        return Crossed(prompts, first, second, answer)

    @property
    def layers(self) -> int:
        """How many blocks it has."""
        assert self.network.layout is not None
        return self.network.layout.layers

    def site(self, layer: int, kind: str) -> Site:
        """A place in a block at the last step."""
        assert self.network.layout is not None
        return self.network.layout.site(layer, kind).at(-1)


def network_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Train one network on four in five of all pairs, in full batches."""
    _, kind, seed_text = unit
    adding, seed = PRESETS[settings["preset"]].adding, int(seed_text)
    assert adding is not None
    claim = f"geometry.{settings['preset']}.{kind}.accuracy"
    training = folder / "training" / f"{kind}-{seed}"
    module, evidence = train_adder(adding, seed, training, claim)
    save_network(_weights(folder, kind, seed), module, shape(adding))
    return [evidence]


def train_adder(
    adding: Adding, seed: int, training: Path, claim: str
) -> tuple[Transformer, Evidence]:
    """A network that adds, trained from where `training` stands; its accuracy on the other pairs.

    Controls: a fresh network, and chance.
    """
    task, module = ModularAddition(adding.modulus), fresh(adding, seed)
    size = int(task.trained_on.sum())
    plan = Plan(adding.steps, 0, 1e-3, 0, adding.decay, power=0, queries=0, programs=size)
    found = train_answers(module, task, plan, seed, training)
    held_out = task.prompts[~task.trained_on]
    right = answers(module, held_out) == task.correct(held_out)[:, -1]
    other = answers(fresh(adding, seed + 1000), held_out) == task.correct(held_out)[:, -1]
    low, high = wilson(int(right.sum()), len(right))
    return module, Evidence(
        claim, float(right.float().mean()), low, high, len(right), "accuracy",
        {"untrained": float(other.float().mean()), "chance": 1 / adding.modulus}, [seed],
        found.seconds, {"losses": found.config["losses"], "plan": found.config["plan"]},
    )  # fmt: skip


def adder(kind: str, name: str, settings: dict[str, Any], folder: Path) -> Adder:
    """The network of a unit: "trained" and "untrained" by seed, "published" by its place.

    Raises `SymscopeError` where it is not there.
    """
    if kind == "published" and "weights" not in settings:
        raise SymscopeError(f"{WEIGHTS} names no folder, so the published networks are not there")
    if kind == "published":
        return published_adder(
            Path(settings["weights"]), published_names(Path(settings["weights"]))[int(name)]
        )
    adding = PRESETS[settings["preset"]].adding
    assert adding is not None
    if kind == "untrained":
        return Adder(Network(fresh(adding, int(name) + 1000).eval()), adding.modulus, 3)
    module, _ = load_network(_weights(folder, kind, int(name)))
    return Adder(Network(module.eval()), adding.modulus, 3)


def published_adder(weights: Path, name: str) -> Adder:
    """One of the published transformers."""
    module = load_modular_addition(weights / "clock_pizza" / f"model_{name}.pt")
    if not isinstance(module, modular_addition.ModularAddition):
        raise SymscopeError(f"{name} is no transformer: it has no attention")
    return Adder(Network(module), module.modulus, 2)


def shape(adding: Adding) -> dict[str, Any]:
    """The arguments of `build`: one block, four heads, 4 · width neurons, no LayerNorm."""
    return {"architecture": "transformer", "vocabulary": adding.modulus + 1, "width": adding.width,
            "layers": 1, "heads": 4, "positions": "learned", "length": 3, "norm": False,
            "activation": "relu"}  # fmt: skip


def fresh(adding: Adding, seed: int) -> Transformer:
    """A network as it is before training."""
    module = build(seed=seed, **shape(adding))
    assert isinstance(module, Transformer) and module.place is not None
    generator = torch.Generator().manual_seed(seed)
    for table in (module.embed, module.place):
        nn.init.normal_(table.weight, 0, EMBEDDING, generator=generator)
    return module


@torch.no_grad()
def states(adder: Adder, site: Site, prompts: Tensor) -> Tensor:
    """What the network has at a site on each prompt, (prompt, …)."""
    return torch.cat([adder.network.run(p.to(adder.network.device), read=[site]).values[site].cpu()
                      for p in prompts.split(1024)])  # fmt: skip


def _weights(folder: Path, kind: str, seed: int) -> Path:
    return folder / "networks" / f"{kind}-{seed}.safetensors"

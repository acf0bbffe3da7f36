"""The networks of the study: task, form, training; and the language models it can be asked of."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import nn

from symscope.localize.heuristics import BUDGET
from symscope.models.load import build
from symscope.models.transformer import Transformer
from symscope.tasks.arithmetic import Arithmetic
from symscope.tasks.long_addition import LongAddition
from symscope.train_answers import Plan

EMBEDDING = 0.02
"""Standard deviation of fresh token and position vectors, found by trial."""


@dataclass(frozen=True)
class Trained:
    """A kind of network that the study trains; `shape` are the transformer's own options."""

    task: Arithmetic | LongAddition
    steps: int
    seeds: int = 3
    shape: dict[str, Any] = field(default_factory=dict)
    batch: int = 512
    width: int = 128

    @property
    def plan(self) -> Plan:
        """AdamW, 1e-3 after 100 steps of warm-up, falling with the root of what is left."""
        warmup = min(100, self.steps // 2)
        return Plan(self.steps, self.batch, 1e-3, warmup, 0.1, power=0.5, queries=0)

    @property
    def checkpoints(self) -> list[int]:
        """Twelve steps, evenly spaced, the last is the end; and the start."""
        return sorted({0, *(round(self.steps * k / 12) for k in range(1, 13))})

    def shaped(self) -> dict[str, Any]:
        """The arguments of `build`: two pre-norm layers with four heads."""
        task = self.task
        length = task.length if isinstance(task, Arithmetic) else task.length + task.digits
        return {"architecture": "transformer", "vocabulary": len(task.vocabulary),
                "width": self.width, "layers": 2, "heads": 4, "positions": "learned",
                "length": length, "activation": "relu", **self.shape}  # fmt: skip

    def network(self, seed: int) -> Transformer:
        """A fresh network: torch's own weights, small vectors for tokens and positions."""
        module = build(seed=seed, **self.shaped())
        assert isinstance(module, Transformer) and module.place is not None
        generator = torch.Generator().manual_seed(seed)
        for table in (module.embed, module.place):
            nn.init.normal_(table.weight, 0, EMBEDDING, generator=generator)
        return module


@dataclass(frozen=True)
class Asked:
    """How much is asked of each network.

    Of each layer the `top` neurons are matched with patterns. Places and neurons are patched on
    `pairs` pairs; knock-outs by prompt are on `prompts` prompts, with `counts` neurons of each
    layer and `draws` random sets. `terms` are how many features each neuron may have where a
    family has to rebuild it. Neurons are those of `layers`, of all without. Their maps take
    `budget` bytes at a time.
    """

    top: int = 100
    pairs: int = 500
    prompts: int = 1_000
    counts: tuple[int, ...] = (5, 10, 20, 50)
    draws: int = 10
    terms: tuple[int, ...] = (1, 2, 4, 8, 16, 32)
    nulls: int = 60
    probe_epochs: int = 20
    layers: range | None = None
    budget: int = BUDGET


SMALL: dict[str, Trained] = {
    "plus": Trained(Arithmetic("+"), 1_250),
    "plus_minus": Trained(Arithmetic("+-"), 6_000),
    "gated": Trained(Arithmetic("+"), 1_250, shape={"activation": "gated"}),
}
MORE: dict[str, Trained] = {
    "four": Trained(Arithmetic("+-*/"), 6_000, seeds=1),
    "units_first": Trained(LongAddition(2), 2_000, seeds=1),
    "units_last": Trained(LongAddition(2, units_first=False), 2_000, seeds=1),
}
"""All four signs, and the same sums digit by digit: one network of each."""
TINY = {"plus": Trained(Arithmetic("+", operands=20, numbers=40), 400, 1, batch=128, width=64)}
"""One network that is trained in seconds, to see that everything runs."""
FEW = replace(Asked(), top=40, pairs=60, prompts=200, counts=(5, 10), draws=3, terms=(1, 4),
              nulls=40, probe_epochs=2)  # fmt: skip
PRESETS: dict[str, tuple[dict[str, Trained], Asked]] = {
    "small": (SMALL, Asked()), "more": (MORE, Asked()), "tiny": (TINY, FEW),
}  # fmt: skip

"""The networks of the study: task, form, training. `small` was found by the search of search.py."""

from dataclasses import dataclass, field, replace
from typing import Any

from symscope.models.load import build
from symscope.models.transformer import Transformer
from symscope.tasks.binding import Binding
from symscope.train_answers import Plan, fan_in, log_spaced


@dataclass(frozen=True)
class Preset:
    """One size of the study; `shape` are the transformer's own options.

    `pairs` is the number of counterfactual pairs of each kind, `fits` that of the pairs that
    alignments are fitted on, `seeds` how many networks, `dense` checkpoints per factor of ten,
    `traced` how many of them are patched as well.
    """

    task: Binding
    width: int
    plan: Plan
    shape: dict[str, Any] = field(default_factory=dict)
    seeds: int = 3
    pairs: int = 500
    fits: int = 2_000
    dense: int = 20
    traced: int = 16
    embedding: float = 1.0

    @property
    def checkpoints(self) -> list[int]:
        """The steps at which weights are kept."""
        return log_spaced(self.plan.steps, self.dense)

    def network(self, seed: int) -> Transformer:
        """A fresh network, weights drawn N(0, 1/fan-in)."""
        module = build("transformer", len(self.task.vocabulary), self.width, seed, **self.shape)
        assert isinstance(fan_in(module, seed, self.embedding), Transformer)
        return module  # type: ignore[return-value]

    def shaped(self) -> dict[str, Any]:
        """The arguments of `build` for a network like these."""
        return {"architecture": "transformer", "vocabulary": len(self.task.vocabulary),
                "width": self.width, **self.shape}  # fmt: skip


SIX_LINES = Binding(lines=6, letters=8, digits=8, hops=3)
SMALL = Preset(
    task=SIX_LINES, width=64, shape={"layers": 5, "heads": 4},
    plan=Plan(steps=6_000, loss="program", queries=4),
)  # fmt: skip
TINY = Preset(
    task=Binding(lines=5, letters=8, digits=8, hops=2), width=64, shape={"layers": 3, "heads": 4},
    plan=Plan(steps=6_000, loss="program", queries=4, one_hop=1_000),
    seeds=1, pairs=100, fits=500, dense=6, traced=4,
)  # fmt: skip
PUBLISHED = Preset(
    task=Binding(), width=512, shape={"layers": 12, "heads": 8, "dropout": 0.1},
    plan=Plan(
        steps=105_400, rate=3e-4, warmup=2_000, decay=0.01, second=0.95, loss="program",
        programs=450_000, precision="bfloat16", compiled=True,
    ),
    seeds=1, embedding=0.02,
)  # fmt: skip
PRESETS = {"tiny": TINY, "small": SMALL, "published": PUBLISHED}


def shorter(preset: Preset, steps: int) -> Preset:
    """The same preset for fewer steps, to see that it runs."""
    return replace(preset, plan=replace(preset.plan, steps=steps))

"""The networks of the study: task, form, training; and the settings tried on the way to `small`."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from symscope.models.load import build
from symscope.models.transformer import Transformer
from symscope.placement import Placement
from symscope.tasks.binding import Binding
from symscope.train_answers import Plan, fan_in, log_spaced


@dataclass(frozen=True)
class Preset:
    """One size of the study; `shape` are the transformer's own options.

    `pairs` is the number of counterfactual pairs of each kind, `fits` that of the pairs that
    alignments are fitted on, `search` for so many steps at first, `edges` are patched by
    themselves at most, `seeds` is how many networks there are,
    `dense` checkpoints per factor of ten, `traced` how many of them are patched as well. Accuracies
    are of `tested` programs; an explorer shows `each` programs of a kind and the inside at `inside`
    checkpoints.
    """

    task: Binding
    width: int
    plan: Plan
    shape: dict[str, Any] = field(default_factory=dict)
    seeds: int = 3
    pairs: int = 500
    fits: int = 2_000
    search: int = 300
    edges: int = 1_000
    dense: int = 20
    traced: int = 16
    embedding: float = 1.0
    tested: int = 2_000
    each: int = 2
    inside: int = 10

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
    seeds=1, embedding=0.02, each=1, inside=6,
)  # fmt: skip
PRESETS = {"tiny": TINY, "small": SMALL, "published": PUBLISHED}
"""`tiny` begins with a curriculum of one-hop programs; the others have none."""
PHASES_AT = 12
"""Checkpoints per factor of ten in the search: enough to see a plateau."""


def _tried(
    plan: Mapping[str, Any] = {}, shape: Mapping[str, Any] = {}, task: Mapping[str, Any] = {},
    width: int = SMALL.width, embedding: float = SMALL.embedding,
) -> Preset:  # fmt: skip
    """`small` with something else, and half the steps."""
    return replace(
        SMALL, task=replace(SMALL.task, **task), width=width, embedding=embedding,
        shape={**SMALL.shape, **shape}, plan=replace(SMALL.plan, **{"steps": 3_000, **plan}),
        dense=PHASES_AT,
    )  # fmt: skip


SEARCH = {
    "as_small": _tried(),
    "one_query": _tried({"queries": 1, "steps": 4_000}),
    "answer_only": _tried({"loss": "answer"}),
    "small_embedding": _tried(embedding=0.02),
    "four_layers": _tried(shape={"layers": 4}),
    "programs_20000": _tried({"programs": 20_000}),
    "rate_5e-4": _tried({"rate": 5e-4}),
    "rate_5e-3": _tried({"rate": 5e-3}),
    "width_32": _tried(width=32),
    "eight_lines": _tried(task={"lines": 8}),
    "balanced_roots": _tried(task={"balance": "root"}),
}
"""Label → `small` with one thing changed, for 3,000 steps; 4,000 with one query."""


def shorter(preset: Preset, steps: int) -> Preset:
    """The same preset for fewer steps and on a handful of programs, to see that it runs."""
    return replace(
        preset, plan=replace(preset.plan, steps=steps, warmup=min(20, steps)), pairs=4, fits=16,
        search=1, edges=20, traced=2, dense=6, tested=100, each=1, inside=1,
    )  # fmt: skip


def in_precision(preset: Preset, where: Placement) -> tuple[Preset, Placement]:
    """The preset trained in the precision asked for; bfloat16 is torch's autocast.

    Weights are float32 then, as Adam's steps are lost in fewer bits.
    """
    if where.dtype is None:
        return preset, where
    mixed = "bfloat16" if where.dtype == "bfloat16" else "float32"
    held = "float64" if where.dtype == "float64" else "float32"
    plan = replace(preset.plan, precision=mixed)
    return replace(preset, plan=plan), replace(where, dtype=held)

"""Train a transformer to answer prompts: teacher-forced, seeded, resumable.

AdamW with a linear warm-up and decay, gradients clipped to norm 1. All randomness of a step comes
from (seed, step), so a training that was ended goes on as if nothing had happened.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from symscope.causal_model import UnknownName
from symscope.evidence import ComputationFailed, Evidence, SymscopeError, wilson
from symscope.models.transformer import Transformer
from symscope.speed import clock
from symscope.task import IGNORE
from symscope.tasks.binding import Binding
from symscope.tasks.binding.alphabet import QUERY
from symscope.train_state import checkpoint, keep, restore

LOSSES = ("answer", "program")
CHUNK = 50
"""Steps whose programs are drawn at once; what is kept is kept at the end of one."""
KEEP_EVERY, SCORED, MOST_DRAWS = 500, 2_000, 1_000

Progress = Callable[[int, int, str], None]
"""Receives steps done, steps in all, and a line about how it stands."""


@dataclass(frozen=True)
class Plan:
    """How long and on what.

    `loss` is "answer" or "program" (every next token as well). `queries` letters are asked for in
    each program of `Binding`, which is run once (`Transformer.branched`): the same loss as that
    many samples with one query each; with 0 prompts are run as they are, which any task can.
    `programs` is the size of the training set; None draws new ones each time. With a `batch` of 0
    every step is on the whole of it. `one_hop` steps come first in which only digits are bound
    (`Binding`): a curriculum, to be said so. The rate falls with the `power` of what is left.
    `precision` is "float32" or "bfloat16" (autocast); `compiled` uses torch.compile.
    """

    steps: int
    batch: int = 64
    rate: float = 2e-3
    warmup: int = 200
    decay: float = 0.0
    second: float = 0.98
    power: float = 1.0
    loss: str = "answer"
    queries: int = 1
    programs: int | None = None
    one_hop: int = 0
    precision: str = "float32"
    compiled: bool = False

    def __post_init__(self) -> None:
        if self.loss not in LOSSES:
            raise UnknownName("loss", self.loss, LOSSES)
        if self.batch < 0 or (self.batch == 0 and (not self.programs or self.one_hop)):
            raise SymscopeError("a batch of 0, all programs: say how many programs, no one_hop")

    @property
    def size(self) -> int:
        """Prompts of one step."""
        return self.batch or self.programs or 0

    def rate_at(self, step: int) -> float:
        """Linear up to `warmup`, then down to 0 at the end, linearly or as another `power`."""
        if step < self.warmup:
            return self.rate * (step + 1) / self.warmup
        left, whole = self.steps - step, max(1, self.steps - self.warmup)
        return self.rate * left**self.power / whole**self.power


class Prompts(Protocol):
    """What a task says to be trained on here; its answer is the next token after the prompt."""

    @property
    def name(self) -> str:
        """What claims call it."""

    @property
    def length(self) -> int:
        """Tokens of a prompt."""

    def drawn(self, count: int, generator: torch.Generator, split: str = "train") -> Tensor:
        """Prompts of one split, (sample, step)."""

    def correct(self, inputs: Tensor) -> Tensor:
        """The answers, each at the step before it, `IGNORE` elsewhere, (sample, step)."""

    def floors(self, tokens: Tensor) -> dict[str, float]:
        """How often simple rules give the right answer on these prompts."""


def fan_in(module: nn.Module, seed: int, embedding: float = 1.0) -> nn.Module:
    """The module with weights drawn N(0, 1/fan-in), embeddings N(0, `embedding`²), biases 0."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for part in module.modules():
            if isinstance(part, nn.Linear):
                part.weight.normal_(0, part.in_features**-0.5, generator=generator)
                part.bias.zero_()
            elif isinstance(part, nn.Embedding):
                part.weight.normal_(0, embedding, generator=generator)
    return module


def log_spaced(steps: int, per_decade: int = 12, first: int = 10) -> list[int]:
    """0 and checkpoints from `first` to `steps`, `per_decade` of them for each factor of ten.

    >>> log_spaced(100, per_decade=4)
    [0, 10, 18, 32, 56, 100]
    """
    found, k = [0], 0
    while (step := round(first * 10 ** (k / per_decade))) < steps:
        found.append(step)
        k += 1
    return [*found, steps]


def train_answers(
    module: Transformer, task: Prompts, plan: Plan, seed: int = 0, folder: Path | None = None,
    checkpoints: Sequence[int] = (), progress: Progress = lambda *_: None,
) -> Evidence:  # fmt: skip
    """Train `module` in place; the evidence is its accuracy on programs it cannot have seen.

    With a `folder` the state is kept there and training goes on from it; weights at `checkpoints`
    go to `checkpoints/step-000250.safetensors`. The evidence's config holds the losses, the steps
    per second, and the floating-point operations per second. Raises `ComputationFailed` when the
    loss is not finite; what was kept before stays.
    """
    optimiser = torch.optim.AdamW(
        module.parameters(), lr=plan.rate, betas=(0.9, plan.second), weight_decay=plan.decay,
        fused=True,
    )  # fmt: skip
    settings = {"plan": asdict(plan), "seed": seed}
    history: dict[str, Any] = {"step": 0, "seconds": 0.0, "losses": []}
    kept = folder / "training.safetensors" if folder else None
    if kept is not None and kept.exists():
        form = {"history": history | {"losses": [[0.0, 0.0]]}}
        history = restore(kept, module, optimiser, settings, form)["history"]
    device = next(module.parameters()).device
    forward = torch.compile(_loss) if plan.compiled else _loss
    pool = _pool(task, plan, seed)
    module.train()
    while (first := history["step"]) < plan.steps:
        began = clock(device)
        drawn = [part.split(plan.size) for part in _chunk(task, plan, pool, seed, first)]
        for step, batch in enumerate(zip(*drawn, strict=True), first):
            if folder and step in checkpoints:
                checkpoint(_place(folder, step), module)
            for group in optimiser.param_groups:
                group["lr"] = plan.rate_at(step)
            loss = _step(module, optimiser, plan, seed * 1_000_003 + step, batch, forward)
        history["step"] = step + 1
        history["losses"].append([step + 1, float(loss)])
        history["seconds"] += clock(device) - began
        done = history["step"] == plan.steps
        if kept is not None and (done or history["step"] % KEEP_EVERY == 0):
            keep(kept, module, optimiser, {"history": history, **settings})
        progress(history["step"], plan.steps, f"loss {float(loss):.4f}")
    if folder and plan.steps in checkpoints:
        checkpoint(_place(folder, plan.steps), module)
    return _evidence(module.eval(), task, plan, history, seed)


def checkpoints_in(folder: Path) -> dict[int, Path]:
    """Step → the weights that were kept there, in the order of the steps."""
    paths = sorted((folder / "checkpoints").glob("step-*.safetensors"))
    return {int(path.stem.removeprefix("step-")): path for path in paths}


def _place(folder: Path, step: int) -> Path:
    return folder / "checkpoints" / f"step-{step:06}.safetensors"


def answers(module: nn.Module, tokens: Tensor) -> Tensor:
    """The network's answer to each prompt, (sample,): its most likely token of all."""
    return _said(module, tokens)[:, -1]


@torch.no_grad()
def _said(module: nn.Module, tokens: Tensor) -> Tensor:
    """The most likely next token at every step, (sample, step)."""
    device = next(module.parameters()).device
    return torch.cat([module(part.to(device)).argmax(-1).cpu() for part in tokens.split(512)])


def _pool(task: Prompts, plan: Plan, seed: int) -> Tensor | None:
    """The training set, all of it different, or None where programs are drawn as they are used."""
    if plan.programs is None:
        return None
    generator = torch.Generator().manual_seed(seed * 1_000_003 + 1)
    pool, draws = task.drawn(plan.programs, generator).unique(dim=0), 1
    while len(pool) < plan.programs and (draws := draws + 1) < MOST_DRAWS:
        pool = torch.cat([pool, task.drawn(plan.programs, generator)]).unique(dim=0)
    if len(pool) < plan.programs:
        raise SymscopeError(f"{plan.programs} different programs: {task.name} has {len(pool)}")
    return pool[torch.randperm(len(pool), generator=generator)[: plan.programs]]


Batch = tuple[Tensor, Tensor, Tensor]
"""Prompts (sample, step), the letters asked for instead of their own (sample, query), and targets:
one for each query, or without queries one for each step."""


def _chunk(task: Prompts, plan: Plan, pool: Tensor | None, seed: int, step: int) -> Batch:
    """What the steps from `step` on are trained on."""
    generator = torch.Generator().manual_seed(seed * 1_000_003 + 2 + step)
    count = min(CHUNK, plan.steps - step) * plan.size
    if pool is not None and not plan.batch:
        tokens = pool.repeat(count // plan.size, 1)
    elif step < plan.one_hop:
        tokens = replace(_binding(task), hops=1, constants=1.0).drawn(count, generator)
    elif pool is not None:
        tokens = pool[torch.randint(len(pool), (count,), generator=generator)]
    else:
        tokens = task.drawn(count, generator)
    if not plan.queries:
        return tokens, tokens[:, :0], task.correct(tokens)
    return tokens, *_binding(task).asked_too(tokens, plan.queries, generator)


def _binding(task: Prompts) -> Binding:
    if not isinstance(task, Binding):
        raise SymscopeError(f"{task.name} has no queries and no hops: use queries=0 and one_hop=0")
    return task


def _step(
    module: Transformer, optimiser: torch.optim.Optimizer, plan: Plan, key: int, batch: Batch,
    forward: Callable[..., Tensor],
) -> Tensor:  # fmt: skip
    """One update on a batch; `key` fixes the dropout."""
    device = next(module.parameters()).device
    torch.manual_seed(key)
    with torch.autocast(device.type, torch.bfloat16, enabled=plan.precision == "bfloat16"):
        loss = forward(module, *(part.to(device) for part in batch), plan.loss == "program")
    if not torch.isfinite(loss):
        raise ComputationFailed(f"the loss is {loss.item()}; use a lower rate than {plan.rate}")
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), 1.0)
    optimiser.step()
    return loss.detach()


def _loss(
    module: Transformer, tokens: Tensor, asked: Tensor, target: Tensor, program_too: bool
) -> Tensor:
    """Mean cross-entropy of the answers; with `program_too` plus that of every other token."""
    if not asked.shape[1]:
        logits = module.readout(module.hidden(tokens))
        loss = cross_entropy(logits.flatten(0, 1), target.flatten(), ignore_index=IGNORE)
        if not program_too:
            return loss
        return loss + cross_entropy(logits[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    trunk, (mark, _, colon) = tokens[:, :-3], tokens[:, -3:].unbind(1)
    branches = torch.stack([mark[:, None].expand_as(asked), asked,
                            colon[:, None].expand_as(asked)], 2)  # fmt: skip
    before, after = module.branched(trunk, branches)
    loss = cross_entropy(module.readout(after[:, :, -1]).flatten(0, 1), target.flatten())
    if not program_too:
        return loss
    found = module.readout(torch.cat([before, after[:, 0, :-1]], 1))
    return loss + cross_entropy(found.flatten(0, 1), tokens[:, 1:].flatten())


def _evidence(
    module: nn.Module, task: Prompts, plan: Plan, history: Mapping[str, Any], seed: int
) -> Evidence:
    tokens = task.drawn(SCORED, torch.Generator().manual_seed(10**6), "test")
    target = task.correct(tokens)
    right = ((_said(module, tokens) == target) | (target == IGNORE)).all(1)
    low, high = wilson(int(right.sum()), len(right))
    per_second = history["step"] / max(history["seconds"], 1e-9)
    work = operations(module, plan, task) * per_second
    config = {"plan": asdict(plan), "losses": history["losses"], "steps": history["step"],
              "steps_per_second": per_second, "operations_per_second": work}  # fmt: skip
    return Evidence(
        f"train.{task.name}.accuracy", float(right.float().mean()), low, high, len(right),
        unit="accuracy", controls=task.floors(tokens), seeds=[seed],
        seconds=history["seconds"], config=config, note="Wilson interval, one seed",
    )  # fmt: skip


def operations(module: nn.Module, plan: Plan, task: Prompts) -> float:
    """Floating-point operations of one step: 6 for each weight of a matrix and token.

    Attention's own products are left out, as in Kaplan et al. (2020): a few per cent here.
    """
    named = dict(module.named_parameters())
    weights = sum(p.numel() for n, p in named.items() if p.dim() == 2 and n != "embed.weight")
    return 6.0 * weights * plan.size * (task.length + QUERY * max(0, plan.queries - 1))

"""The one loop that trains dictionaries: seeded, checkpointed, resumable with equal results.

Adam on vectors scaled to a root mean square distance of 1 from their mean, so that rates, penalties
and thresholds mean the same everywhere; the scale is put back at the end. The rows of the decoder
have length 1: what would change it is taken off their gradient, and they are normalised after each
step. The rate grows over the warm-up and falls to 0 in the last fifth; the penalty grows likewise.
"""

import copy
import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from symscope.evidence import ComputationFailed, SymscopeError
from symscope.features.dictionaries.check import finite
from symscope.features.dictionaries.dead import resample
from symscope.features.dictionaries.dictionary import Dictionary, Moment
from symscope.features.dictionaries.files import save_dictionary
from symscope.features.dictionaries.jumprelu import FIRST
from symscope.train_state import keep, restore

Vectors = Tensor | Iterable[Tensor]
"""All of them, (sample, width), or batches of them, as often as they are asked for."""
BIASES = ("encoder_bias", "threshold", "gate_bias", "magnitude_bias")
"""What is in units of the coordinates."""
LAST = 0.2
"""The share of the steps in which the rate falls."""
LARGE = 2**16
"""How many numbers a decoder has from which on the quick loss is quicker."""


@dataclass(frozen=True)
class Training:
    """How long, with what and where: `steps` of `batch` vectors at Adam's `rate` after `warm_up`.

    A feature is dead after `dead_after` steps without a vector that has it. With a `folder`, the
    state is kept there every `save_every` steps and training goes on from it, and the dictionaries
    after the steps in `checkpoints` are in `checkpoints/step-000500.safetensors`. `progress`
    receives steps done, steps in all and a line about how it stands, every 100 steps.
    """

    steps: int = 4000
    batch: int = 256
    rate: float = 1e-3
    warm_up: int = 200
    dead_after: int = 400
    folder: Path | None = None
    save_every: int = 500
    checkpoints: Sequence[int] = ()
    progress: Callable[[int, int, str], None] = lambda *_: None

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "dead_after", "save_every"):
            if getattr(self, name) < 1:
                raise SymscopeError(f"a training with {name} {getattr(self, name)}: 1 or more")
        if not 0 < self.rate < math.inf:
            raise SymscopeError(f"a learning rate of {self.rate}: above 0, finite")


DEFAULT = Training()


class _State(nn.Module):
    """What is kept beside the optimiser's: weights, and since when each feature is silent."""

    silent: Tensor

    def __init__(self, dictionary: Dictionary):
        super().__init__()
        self.dictionary = dictionary
        self.register_buffer("silent", torch.zeros(dictionary.size, dtype=torch.int64))


@dataclass(frozen=True)
class _Scale:
    """Where the vectors read and the vectors given lie, and how far they spread."""

    mean: Tensor
    spread: float
    given_mean: Tensor
    given_spread: float


def trained(
    dictionary: Dictionary, vectors: Vectors, first: Tensor, targets: Tensor | None,
    training: Training, seed: int,
) -> Dictionary:  # fmt: skip
    """`dictionary` fitted, in place, to give `targets`, or the vectors themselves.

    Scale and mean are those of `first`: all vectors, or the first batch of a stream. Raises
    `ComputationFailed` when the loss is not finite; what was kept before stays.
    """
    scale = _Scale(*_spread(first), *_spread(first if targets is None else targets))
    with torch.no_grad():
        state = _State(_begun(dictionary, scale, seed)).to(scale.mean.device)
    weights = [w for w in dictionary.parameters() if w.requires_grad]
    quick = scale.mean.device.type in ("cpu", "cuda")  # where torch has Adam in one pass
    optimiser = torch.optim.Adam(weights, lr=training.rate, fused=quick)
    settings = {**dictionary.config(), "seed": seed, "steps": training.steps,
                "batch": training.batch, "rate": training.rate, "warm_up": training.warm_up,
                "dead_after": training.dead_after}  # fmt: skip
    kept = training.folder / "dictionary_training.safetensors" if training.folder else None
    done = 0
    if kept is not None and kept.exists():
        done = restore(kept, state, optimiser, settings, {"done": 0})["done"]
    batches = _batches(vectors, targets, training.batch, seed, done)
    for step, (x, y) in zip(range(done, training.steps), batches, strict=False):
        x, y = x / scale.spread, y / scale.given_spread
        line = _update(state, optimiser, (x, y), step, training, seed)
        done = step + 1
        if training.folder and done in training.checkpoints:
            now = rescaled(copy.deepcopy(dictionary), scale.spread, scale.given_spread)
            save_dictionary(training.folder / "checkpoints" / f"step-{done:06}.safetensors", now)
        if kept is not None and (done % training.save_every == 0 or done == training.steps):
            keep(kept, state, optimiser, {**settings, "done": done})
        if done % 100 == 0 or done == training.steps:
            training.progress(done, training.steps, line)
    return rescaled(dictionary, scale.spread, scale.given_spread)


@torch.no_grad()
def rescaled(dictionary: Dictionary, spread: float, given: float) -> Dictionary:
    """The dictionary, in place, for vectors `spread` times as long that give `given` times as much.

    Features keep their length, so coordinates grow by `given`.
    """
    dictionary.bias.mul_(given)
    for part in dictionary.method.parts:
        if part in BIASES:
            getattr(dictionary, part).mul_(given)
    if "encoder" in dictionary.method.parts:
        dictionary.encoder.mul_(given / spread)
    if "log_threshold" in dictionary.method.parts:
        dictionary.log_threshold.add_(math.log(given))
    return dictionary


def _update(
    state: _State, optimiser: torch.optim.Optimizer, batch: tuple[Tensor, Tensor], step: int,
    training: Training, seed: int,
) -> str:  # fmt: skip
    dictionary = state.dictionary
    dead = state.silent >= training.dead_after
    warm = min(1.0, (step + 1) / max(1, training.warm_up))
    left = (training.steps - step) / max(1.0, LAST * training.steps)
    for group in optimiser.param_groups:
        group["lr"] = training.rate * min(warm, left, 1.0)
    with torch.enable_grad():
        loss, counts = _loss(dictionary, batch, Moment(dead, warm))
        if not bool(loss.isfinite()):
            raise ComputationFailed(f"the loss is {loss.item()} at step {step + 1}")
        optimiser.zero_grad()
        loss.backward()
    _off_the_radius(dictionary.decoder)
    optimiser.step()
    with torch.no_grad():
        dictionary.decoder.copy_(normalize(dictionary.decoder, dim=1))
        state.silent.copy_(torch.where(counts > 0, 0, state.silent + 1))
    if dictionary.method.resampled and _time_to_resample(step + 1, training):
        _anew(state, optimiser, batch, training, seed * 1_000_003 + step)
    per_vector = float(counts.sum()) / len(batch[0])
    return f"loss {loss.item():.4f}, {per_vector:.1f} features, {int(dead.sum())} dead"


def _loss(
    dictionary: Dictionary, batch: tuple[Tensor, Tensor], moment: Moment
) -> tuple[Tensor, Tensor]:
    """The loss, and how many vectors of the batch have each feature, (size,)."""
    method = dictionary.method
    large = batch[0].device.type == "cpu" and dictionary.decoder.numel() >= LARGE
    if method.quick is not None and large:
        return method.quick(dictionary, *batch, moment)
    assert method.loss is not None, "methods without a loss are not trained"
    loss, codes = method.loss(dictionary, *batch, moment)
    return loss, (codes.detach() != 0).to(codes.dtype).sum(0)


def _off_the_radius(decoder: nn.Parameter) -> None:
    """Keep of the gradient what turns the features, not what lengthens them."""
    if decoder.grad is not None:
        along = (decoder.grad * decoder.detach()).sum(1, keepdim=True)
        decoder.grad -= along * decoder.detach()


def _time_to_resample(done: int, training: Training) -> bool:
    """Every `dead_after` steps, but not so late that a new feature has no time to learn."""
    return done % training.dead_after == 0 and done <= (1 - 2 * LAST) * training.steps


def _anew(
    state: _State, optimiser: torch.optim.Optimizer, batch: tuple[Tensor, Tensor],
    training: Training, seed: int,
) -> None:  # fmt: skip
    """Resample the dead features and forget what the optimiser knew of them."""
    dead = state.silent >= training.dead_after
    if not bool(dead.any()):
        return
    dictionary = state.dictionary
    resample(dictionary, *batch, dead, seed)
    state.silent[dead] = 0
    for name, weight in dictionary.named_parameters():
        if name != "bias" and weight in optimiser.state:
            for moment in (
                optimiser.state[weight]["exp_avg"],
                optimiser.state[weight]["exp_avg_sq"],
            ):
                (moment.T if name == "encoder" else moment)[dead] = 0


def _begun(dictionary: Dictionary, scale: _Scale, seed: int) -> Dictionary:
    """Random features of length 1, the encoder their transpose, the bias at the mean."""
    generator = torch.Generator().manual_seed(seed)
    directions = torch.randn(dictionary.decoder.shape, generator=generator)
    dictionary.decoder.copy_(normalize(directions, dim=1))
    dictionary.bias.copy_(scale.given_mean / scale.given_spread)
    parts = dictionary.method.parts
    if "encoder" in parts:
        same = dictionary.outputs is None
        reads = directions if same else torch.randn(
            dictionary.size, dictionary.width, generator=generator
        )  # fmt: skip
        dictionary.encoder.copy_(normalize(reads, dim=1).T)
    if "encoder_bias" in parts and not dictionary.centred:
        mean = (scale.mean / scale.spread).to(dictionary.encoder)
        dictionary.encoder_bias.copy_(-mean @ dictionary.encoder)
    if "log_threshold" in parts:
        dictionary.log_threshold.fill_(math.log(FIRST))
    return dictionary


def _spread(vectors: Tensor) -> tuple[Tensor, float]:
    spread = float(vectors.var(0, correction=0).double().sum().sqrt())
    if not math.isfinite(spread):
        raise ComputationFailed("the vectors are so large that their variance is not finite")
    return vectors.mean(0), spread


def _batches(
    vectors: Vectors, targets: Tensor | None, batch: int, seed: int, first: int
) -> Iterator[tuple[Tensor, Tensor]]:
    """What is read and what shall be given, from step `first` on, without end."""
    if not isinstance(vectors, Tensor):
        for x in itertools.islice(_passes(vectors), first, None):
            yield x, x
        return
    vectors = finite(vectors)
    given = vectors if targets is None else targets
    for step in itertools.count(first):
        generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
        rows = torch.randint(len(vectors), (batch,), generator=generator).to(vectors.device)
        yield vectors[rows], given[rows]


def _passes(vectors: Iterable[Tensor]) -> Iterator[Tensor]:
    while True:
        count = 0
        for batch in vectors:
            count += 1
            yield finite(batch)
        if not count:
            raise SymscopeError("the stream gives no vectors")

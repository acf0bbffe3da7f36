"""How many vectors per second sparse dictionaries are trained on, beside SAELens and others.

A step is what each library's own trainer does with one batch that is already in memory: loss,
backward, Adam, and whatever belongs to it, such as the decoder's norms and counting which features
are there. Vectors have width 512 and are sums of 16 of 4,096 random directions, each 0.5 to 1.5
times, centred and scaled as a whole; a dictionary has 8,192 features, a batch 4,096 vectors. All
contenders of a case run in one process in turns, on the same batches and from the same weights,
after their reconstructions have been found equal within 1e-4; times are CPU times of one thread,
and a ratio is taken within each round. Weights are random ones, or those after the training below.

    symscope             a step of `fit_dictionary` with `Training`
    literal              the same with the method's `loss` as the page writes it: no `quick`
    saelens              `SAETrainer.step` of `TopKTrainingSAE` or `StandardTrainingSAE`
    saelens_sparse       the same with `use_sparse_activations`, which its top-k has; it does not
                         run beside `rescale_acts_by_decoder_norm`, a default, so that is off
    dictionary_learning  `TopKTrainer.update` or `StandardTrainer.update`

Adam's rate is 0.001 for all. No feature is silent for so long that one of them counts it as dead.
dictionary_learning counts its steps from 1, since at step 0 its top-k replaces the bias.

The losses: each is trained from the same random weights on the same 1,000 batches of 512 vectors
(rate and penalty grow for 100 steps, the rate falls over the last 200), at width 128 with 2,048
features, since a step at the size above takes seconds; then the method's `loss`, as written, on
4,096 other vectors with each one's weights, features scaled to length 1. SAELens, and the top-k of
dictionary_learning, shorten gradients to length 1, which symscope does not: `clipped` is symscope
with that. Exit status 1: the other that does what symscope does, symscope as it comes or `clipped`,
is more than 2 % away. SAELens leaves the length of its features free.

Both peers fit in one environment (from the repository's root):

    python -m venv .peers/sae
    .peers/sae/bin/pip install -c constraints.txt -e . sae-lens==6.54.12 nnsight==0.8.0
    .peers/sae/bin/pip install --no-deps dictionary-learning==0.1.0

(dictionary-learning asks for an nnsight that would replace torch; its trainers only import it.)

    OMP_NUM_THREADS=1 .peers/sae/bin/python benchmarks/dictionary.py
    python benchmarks/dictionary.py --table

Without the peers the rest still runs. `--device cuda` takes the time of the clock instead, and
writes another file. `--quick` compares small dictionaries in a few rounds and writes nothing.
"""

import argparse
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import embedding_bag, normalize

sys.path.insert(0, str(Path(__file__).parent))

import tables
from dictionary_trainers import (
    Setting,
    Trainer,
    clipped,
    dictionary_learning,
    literal,
    saelens,
    saelens_sparse,
    symscope,
)
from interleaved import Row, apart, side_by_side
from recorded import PAGE, RESULTS, command, save, show
from symscope.features.dictionaries import METHODS, Dictionary
from symscope.features.dictionaries.dictionary import Moment
from symscope.features.dictionaries.methods import empty

TOLERANCE, LOSS_TOLERANCE = 1e-4, 0.02
SPARSITY = {"topk": 32, "relu": 0.1}
PEERS = ("sae_lens", "dictionary_learning")
LAYOUT = tables.Layout(
    "dictionary",
    {"topk": "(f) TopK, k 32", "relu": "(g) ReLU with L1, λ 0.1",
     "loss": "(h) Held-out loss after the same training"},
    {"literal": "as written", "clipped": "symscope, clipped", "saelens": "SAELens",
     "saelens_sparse": "SAELens, sparse", "dictionary_learning": "dictionary_learning"},
    setup=False, vectors=4096,
)  # fmt: skip


@dataclass(frozen=True)
class Size:
    """How large everything is; it is trained for `steps` on batches of `small`."""

    width: int = 512
    features: int = 8192
    directions: int = 4096
    batch: int = 4096
    batches: int = 8
    rounds: int = 5
    small: int = 512
    steps: int = 200


LARGE, SMALL = Size(), Size(128, 2048, 1024, steps=1000)
QUICK = Size(64, 1024, 256, 128, 2, 2, 64, 40)


def superposed(size: Size, count: int, seed: int, device: str) -> Tensor:
    """`count` sums of 16 random directions each, about 0 and with a mean square length of 1."""
    ways = torch.randn(size.directions, size.width, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(seed)
    which = torch.randint(size.directions, (count, 16), generator=generator)
    amounts = 0.5 + torch.rand(count, 16, generator=generator)
    ways = normalize(ways, dim=1)
    found = embedding_bag(which, ways, mode="sum", per_sample_weights=amounts) - 16 * ways.mean(0)
    return found.div_(found.square().sum(1).mean().sqrt()).to(device)


def ways(method: str, peers: bool) -> list[Callable[[Setting], Trainer]]:
    """The contenders there are, symscope first."""
    sparse = [saelens_sparse] * (method == "topk")
    return [symscope, literal, *([saelens, *sparse, dictionary_learning] if peers else [])]


def random_start(method: str, size: Size, device: str) -> Dictionary:
    """Random features of length 1, the encoder their transpose."""
    start = empty(size.width, size.features, method, min(SPARSITY[method], size.features // 8))
    features = torch.randn(start.decoder.shape, generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        start.decoder.copy_(normalize(features, dim=1))
        start.encoder.copy_(start.decoder.T)
    return start.to(device)


def trained(way: Callable[[Setting], Trainer], setting: Setting, size: Size) -> Dictionary:
    """What one makes of the vectors, each of which is seen once."""
    trainer = way(setting)
    for batch in torch.arange(len(setting.vectors)).split(size.small):
        trainer.step(batch)
    found = empty(**setting.start.config()).to(setting.vectors.device)
    found.load_state_dict(trainer.weights())
    return found


def course(method: str, size: Size, device: str) -> Setting:
    """All of the training: its vectors, and random weights to start from."""
    vectors = superposed(size, size.steps * size.small, 2, device)
    return Setting(vectors, random_start(method, size, device), size.steps)


def losses(
    method: str, size: Size, contenders: Sequence[Callable[[Setting], Trainer]], device: str
) -> list[Row]:
    """The held-out loss of each after the same training."""
    setting, held_out = course(method, size, device), superposed(size, size.batch, 3, device)
    case = f"{method}, d {size.width}, {size.features} features, {size.steps} steps"
    found = {w.__name__: held_out_loss(trained(w, setting, size), held_out) for w in contenders}
    own = found["symscope"]
    return [Row("loss", case, n, difference=x / own - 1, loss=x) for n, x in found.items()]


@torch.no_grad()
def held_out_loss(dictionary: Dictionary, vectors: Tensor) -> float:
    """The method's `loss` as it is written, no feature being dead and the penalty full."""
    dead = torch.zeros(dictionary.size, dtype=torch.bool, device=vectors.device)
    loss = METHODS[dictionary.method.name].loss
    return loss(dictionary, vectors, vectors, Moment(dead, 1.0))[0].item()


def compare(
    method: str, size: Size, contenders: Sequence[Callable[[Setting], Trainer]],
    start: Dictionary, when: str, device: str,
) -> list[Row]:  # fmt: skip
    """One case: a step of each from `start`."""
    setting = Setting(superposed(size, size.batch * size.batches, 2, device), start)
    batches = list(torch.arange(len(setting.vectors)).split(size.batch))
    with torch.no_grad():
        codes = start.encode(setting.vectors[batches[0]])
    case = f"{when}, {float(codes.count_nonzero()) / size.batch:.0f} features per vector"
    builders = {way.__name__: partial(way, setting) for way in contenders}
    return side_by_side(method, case, builders, batches, size.rounds, tolerance=TOLERANCE)


def measured(
    method: str, quick: bool, peers: bool, device: str, keep: Callable[[list[Row]], None]
) -> bool:
    """Both cases and the losses of one method; whether those that have to agree do."""
    large, small = (QUICK, QUICK) if quick else (LARGE, SMALL)
    contenders = ways(method, peers)
    learned = trained(symscope, course(method, large, device), large)
    starts = {"random weights": random_start(method, large, device),
              f"after {large.steps} steps": learned}  # fmt: skip
    for when, start in starts.items():
        work = partial(compare, method, large, contenders, start, when, device)
        keep(apart(work) if device == "cpu" else work())
    rows = losses(method, small, [symscope, literal, clipped, *contenders[2:]], device)
    keep(rows)
    found = {row.contender: row.loss for row in rows}
    same = [("symscope", "literal"),
            ("clipped" if method == "topk" else "symscope", "dictionary_learning")]  # fmt: skip
    ratios = [found[other] / found[own] for own, other in same if other in found]
    return all(abs(ratio - 1) <= LOSS_TOLERANCE for ratio in ratios)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or write the table; 0 when all went well and the losses agree."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=SPARSITY, help="default: both")
    parser.add_argument("--device", default="cpu", choices=("cpu", "cuda"))
    parser.add_argument("--quick", action="store_true", help="small ones, nothing written")
    parser.add_argument("--table", action="store_true", help="write the table from the results")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results")
    chosen = parser.parse_args(arguments)
    if chosen.table:
        tables.write(PAGE, chosen.out, LAYOUT)
        return 0
    torch.set_num_threads(1)
    peers = not chosen.quick and all(importlib.util.find_spec(module) for module in PEERS)
    environment = "sae" if peers else "plain"
    options = [word for part in chosen.part or [] for word in ("--part", part)]
    options += [] if chosen.device == "cpu" else ["--device", chosen.device]
    name = ".".join(["dictionary", environment, *[chosen.device] * (chosen.device != "cpu")])
    began = time.monotonic()
    found: list[Row] = []

    def keep(rows: list[Row]) -> None:
        show(rows)
        found.extend(rows)
        if not chosen.quick:
            line = command(environment, "dictionary", options)
            save(chosen.out / f"{name}.json", found, line, began)

    agreed = [
        measured(method, chosen.quick, peers, chosen.device, keep)
        for method in chosen.part or SPARSITY
    ]
    if not all(agreed):
        print(f"losses differ by more than {LOSS_TOLERANCE:.0%}", flush=True)
    return 0 if all(agreed) else 1


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # what peers warn of is theirs
    sys.exit(main())

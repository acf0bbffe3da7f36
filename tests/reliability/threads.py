"""The same work on one thread and on two: is what comes out the same, to the last bit?

Each run is a process of its own with `torch.set_num_threads`, and writes what came out.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

import by_hand
from symscope.align.das import fit, iia
from symscope.align.descend import Search
from symscope.align.swap import swaps
from symscope.alignment import blocks
from symscope.evidence import Evidence
from symscope.extract import extract, machine_of
from symscope.features.dictionaries import Training, bench, fit_dictionary
from symscope.featurizer import Rotation
from symscope.generate.sampling import losses, sampled
from symscope.generate.training import Plan, train_hypernetwork
from symscope.models.rnn import RNN
from symscope.network import Network
from symscope.site import Site
from symscope.tasks import Counting
from symscope.tasks.functions import function
from symscope.train import Schedule, train

Made = tuple[dict[str, Tensor], float]
"""What came out, tensor by tensor, and its score."""
TASK, STATE = Counting("multi", highest=6, held_out=()), Site("rnn", "state")


def _gru(seed: int, epochs: int) -> tuple[RNN, float]:
    torch.manual_seed(seed)
    module = RNN("gru", len(TASK.vocabulary), 64)
    record = train(module, TASK, None, Schedule(epochs=epochs, stop=False), seed)
    return module, record.score or 0.0


def training(seed: int) -> Made:
    """A GRU of 64 units, ten epochs."""
    module, score = _gru(seed, 10)
    return dict(module.state_dict()), score


def align(seed: int) -> Made:
    """Sixteen dimensions of a GRU's state, 50 steps."""
    module, _ = _gru(0, 5)
    pairs = {s: TASK.pairs(TASK.hypothesis("up_down"), ("count",), 1000, seed, s)
             for s in ("fit", "validation", "test")}  # fmt: skip
    ready = swaps(Network(module), STATE, pairs)
    start = blocks("up_down", STATE, Rotation(64, 16, seed), {"count": 16})
    found = fit(start, [ready.fit], [ready.validation], Search(steps=50, most=50), seed)
    return dict(found["count"].featurizer.state_dict()), iia(found, ready.test)


def extraction(seed: int) -> Made:
    """A network by hand, its state turned; the program's text."""
    machine = machine_of(by_hand.hidden(by_hand.parity(), seed), by_hand.BIT, 8)
    chosen = extract(machine, seconds=4, seed=seed).chosen
    assert chosen is not None, "it is found on one thread"
    text = repr((dict(chosen.program.rules), chosen.program.output))
    return {"program": torch.tensor(list(text.encode()))}, float(len(text))


def dictionary(seed: int) -> Made:
    """512 features of 8,192 vectors of width 64, 100 steps."""
    generator = torch.Generator().manual_seed(seed)
    codes = torch.randn(8192, 128, generator=generator).relu()
    codes *= torch.rand(8192, 128, generator=generator) > 0.9
    vectors = codes @ torch.randn(128, 64, generator=generator)
    plan = Training(steps=100, batch=1024, warm_up=10)
    found = fit_dictionary(vectors, "topk", size=512, sparsity=16, training=plan, seed=seed)
    return dict(found.state_dict()), bench(found, vectors)[0].score or 0.0


def hypernetwork(seed: int) -> Made:
    """Twenty steps for networks of 8 inputs and 48 units."""
    task = function("l1_norm", 8)
    made, _ = train_hypernetwork(task, (8, 48, 1), Plan(steps=20, warmup=10), seed)
    return dict(made.state_dict()), float(losses(sampled(made, 1e-3).weights, task, 2000).mean())


METHODS: Mapping[str, Callable[[int], Made]] = {
    f.__name__: f for f in (training, align, extraction, dictionary, hypernetwork)
}
RUNS = {"one": (1, 0), "one_again": (1, 0), "two": (2, 0), "two_again": (2, 0), "other": (1, 1)}
"""Name → threads, seed."""
COMPARED = {"one_thread": ("one", "one_again"), "two_threads": ("two", "two_again"),
            "one_and_two": ("one", "two")}  # fmt: skip


def threads(
    folder: Path, names: Sequence[str] = tuple(METHODS), claims: Sequence[str] = tuple(COMPARED)
) -> list[Evidence]:
    """Per method: one thread twice, two threads twice, and one beside two.

    The score is the share of tensors that are the same to the last bit; the control the share for
    another seed.
    """
    found, began = [], time.monotonic()
    wanted = ["one", "other", *(run for claim in claims for run in COMPARED[claim])]
    outcomes = {run: _in_process(folder, names, run) for run in dict.fromkeys(wanted)}
    for name in names:
        made = {run: outcome[name] for run, outcome in outcomes.items()}
        control = _share(made["one"][0], made["other"][0])
        for claim in claims:
            (one, first), (other, second) = (made[run] for run in COMPARED[claim])
            config = {"largest_difference": _largest(one, other), "scores": [first, second]}
            share = _share(one, other)
            found.append(Evidence(
                f"reliability.threads.{name}.{claim}", share, share, share, len(one),
                "share of identical tensors", {"another seed": control}, [0],
                time.monotonic() - began, config,
            ))  # fmt: skip
    return found


def _in_process(folder: Path, names: Sequence[str], run: str) -> dict[str, Made]:
    """What a process of its own makes of these, by name."""
    count, seed = RUNS[run]
    here = folder / run
    here.mkdir(parents=True, exist_ok=True)
    places = os.pathsep.join(filter(None, [str(Path(__file__).parent.parent),
                                           os.environ.get("PYTHONPATH", "")]))  # fmt: skip
    subprocess.run(
        [sys.executable, "-m", "reliability.threads", str(here), str(count), str(seed), *names],
        env=os.environ | {"OMP_NUM_THREADS": str(count), "PYTHONPATH": places}, check=True,
    )  # fmt: skip
    scores = json.loads((here / "scores.json").read_text(encoding="utf8"))
    return {name: (load_file(here / f"{name}.safetensors"), scores[name]) for name in names}


def _share(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    same = [name in other and torch.equal(value, other[name]) for name, value in one.items()]
    return sum(same) / len(same)


def _largest(one: Mapping[str, Tensor], other: Mapping[str, Tensor]) -> float:
    """The largest difference of two numbers, as a share of the largest of its tensor."""
    found = [0.0]
    for name, value in one.items():
        if value.shape != other[name].shape:
            return 1.0
        if value.numel():
            apart = (value.double() - other[name].double()).abs().max()
            found.append(float(apart / value.double().abs().max().clamp(min=1e-12)))
    return max(found)


def child(here: str, count: str, seed: str, *names: str) -> None:
    """The runs of this process."""
    torch.set_num_threads(int(count))
    scores = {}
    for name in names:
        tensors, scores[name] = METHODS[name](int(seed))
        kept = {k: v.detach().contiguous().clone() for k, v in tensors.items() if v.numel()}
        save_file(kept, Path(here) / f"{name}.safetensors")
    (Path(here) / "scores.json").write_text(json.dumps(scores), encoding="utf8")


if __name__ == "__main__":
    child(*sys.argv[1:])

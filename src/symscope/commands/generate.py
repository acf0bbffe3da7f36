"""Networks written at the command line: train a hypernetwork, turn its dial, read the result."""

import math
import re
import time
import warnings
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import torch
import typer

from symscope.commands.options import (
    MOST_STEPS,
    NOT_GENERATED,
    Device,
    Dtype,
    Force,
    Json,
    Out,
    Resume,
    Seed,
)
from symscope.commands.run_directory import described, opened, record, spent
from symscope.commands.terminal import progress, say, show
from symscope.evidence import Evidence, SymscopeError
from symscope.generate.files import load_hypernetwork, save_hypernetwork
from symscope.generate.hypernetwork import BETAS, Hypernetwork, extrapolated
from symscope.generate.sampling import Extrapolated, losses, sampled
from symscope.generate.training import Plan, train_hypernetwork
from symscope.models.load import save_network
from symscope.models.perceptron import checked_sizes, perceptron
from symscope.placement import placement
from symscope.report import write_page
from symscope.report.generated import HYPERNETWORK, algorithm_of
from symscope.tasks.functions import Function, function

MOST_EDGES = 100_000
"""Weights of a network that is written; the hypernetwork's own grow with them."""
SAMPLES = 100_000
"""Fresh inputs on which a loss is measured."""


def generate_command(  # one parameter per option
    target: Annotated[str, typer.Argument(
        help="l1_norm, sum_of_squares, maximum, sorted_two, parity_3, modular_addition.")],
    inputs: Annotated[int | None, typer.Option(
        min=1, max=MOST_EDGES, help="Of the function.")] = None,
    hidden: Annotated[str, typer.Option(help="Units of the hidden layer, or 16,16.")] = "24",
    beta: Annotated[float, typer.Option(help="The dial: 1e-12 exact … 1 simple.")] = 1e-6,
    draws: Annotated[int, typer.Option(
        min=1, max=10_000, help="Networks drawn; the best is kept.")] = 8,
    written: Annotated[str | None, typer.Option(
        help="Write networks of other sizes, such as 16,48, by the decoder alone.")] = None,
    steps: Annotated[int | None, typer.Option(
        min=1, max=MOST_STEPS, help="Of training.")] = None,
    seed: Seed = 0, out: Out = None, device: Device = "cpu", dtype: Dtype = None,
    resume: Resume = False, force: Force = False, json: Json = False,
) -> int:  # fmt: skip
    """Write a network whose algorithm can be read: train a hypernetwork, then turn its dial.

    \b
    symscope generate l1_norm --out runs/l1                minutes; writes runs/l1/report.html
    symscope generate l1_norm --out runs/l1 --resume --beta 1e-2
    symscope generate l1_norm --out runs/l1 --resume --written 16,48
    """
    where = placement(device, dtype, NOT_GENERATED).alone
    if not 0 < beta < math.inf:
        raise SymscopeError(f"--beta {beta}: a positive number, trained on 1e-12 to 1")
    task = function(target, inputs)
    sizes = _bounded(checked_sizes((task.inputs, *_sizes(hidden, "--hidden"), task.outputs)))
    other = None if written is None else _other(_sizes(written, "--written"), task)
    written_for = task if other is None else task.at(other[0])
    if task.kind == "l1_norm" and min(sizes[1:-1]) < task.inputs + 1:
        say(f"{min(sizes[1:-1])} hidden units for {task.inputs} inputs: pudding needs"
            f" {task.inputs + 1}, double-sided {2 * task.inputs}")  # fmt: skip
    plan = Plan() if steps is None else replace(Plan(), steps=steps)
    run = out or Path("runs") / f"generate-{task.name}-{seed}"
    settings = {"task": task.name, "sizes": list(sizes), "steps": plan.steps}
    opened(run, described("generate", seed, **settings), resume, force)
    began = time.monotonic()
    module = _trained(run, task, sizes, plan, seed, where.device)
    evidence = _written(run, module, written_for, beta, (draws, seed), other)
    record(run, evidence)
    spent(run, began)
    if not json:
        _tell(evidence[0])
    show(evidence, json, run=run, report=write_page(run))
    return 0


def _trained(
    run: Path, task: Function, sizes: tuple[int, ...], plan: Plan, seed: int, device: str
) -> Hypernetwork:
    """The run's hypernetwork, trained from where it stands."""
    path = run / HYPERNETWORK
    if path.exists():
        return load_hypernetwork(path, sizes, task.name)
    with progress() as bar:
        module, history = train_hypernetwork(task, sizes, plan, seed, run, device, bar)
    module = module.cpu()
    told = history["told"]
    speed = history["step"] / max(history["seconds"], 1e-9)
    record(run, [Evidence(
        f"generate.{task.name}.training", told[-1][1], None, None, plan.betas * plan.batch,
        "squared error", {"constant": 1.0}, [seed], history["seconds"],
        {"told": told, "plan": asdict(plan), "steps_per_second": speed},
        note="mean over the last steps of training",
    )])  # fmt: skip
    save_hypernetwork(path, module, task.name)  # last: where it is, all of this is done
    return module


def _written(  # what writes, for what, and how
    run: Path, module: Hypernetwork, task: Function, beta: float, drawn: tuple[int, int],
    sizes: tuple[int, ...] | None,
) -> list[Evidence]:  # fmt: skip
    """The best network of several draws, kept in the run, with its loss and its algorithm."""
    draws, seed = drawn
    betas = torch.full((draws,), beta)
    with warnings.catch_warnings():  # it is said in a line of its own
        warnings.simplefilter("ignore", Extrapolated)
        found = sampled(module, betas, seed, sizes, encoder=sizes is None)
    each = losses(found.weights, task, SAMPLES, seed)
    # one is chosen by these inputs and scored on others
    best = int(each.mean(1).argmin())
    weights = found.weights.of(best)
    fresh = losses(weights, task, SAMPLES, seed + 1)[0].numpy()
    save_network(run / "network.safetensors", perceptron(weights),
                 {"architecture": "perceptron", "sizes": list(weights.sizes)})  # fmt: skip
    half = 1.96 * float(fresh.std()) / SAMPLES**0.5
    config: dict[str, Any] = {
        "beta": beta, "nats": float(found.nats[best]), "draws": draws,
        "sizes": list(weights.sizes), "all": each.mean(1).tolist(),
    }  # fmt: skip
    config |= algorithm_of(weights, task, seed) | {"extrapolated": bool(extrapolated(betas).any())}
    return [Evidence(
        f"generate.{task.name}.loss", float(fresh.mean()), float(fresh.mean()) - half,
        float(fresh.mean()) + half, SAMPLES, "squared error",
        {"mean of all draws": float(each.mean()), **task.floors(SAMPLES)}, [seed],
        config=config, note=config.get("said", ""),
    )]  # fmt: skip


def _tell(record: Evidence) -> None:
    """One line about the network that was written; one on stderr where β is out of range."""
    config = record.config
    if config["extrapolated"]:
        low, high = BETAS
        say(f"beta {config['beta']:g} is extrapolated: it was trained on {low:g} to {high:g}")
    floor = "radial" if "radial" in record.controls else "linear"
    named = f", {config['said']}" if "said" in config else ""
    print(f"loss {record.score:.4f} (best {floor} function {record.controls[floor]:.4f}),"
          f" {config['nats']:.2f} nats at beta {config['beta']:g}{named}")  # fmt: skip


def _sizes(text: str, option: str) -> tuple[int, ...]:
    if not re.fullmatch(r"\d{1,9}(,\d{1,9})*", text):
        raise SymscopeError(f"{option} {text!r}: numbers of units such as 24 or 16,48")
    return tuple(int(part) for part in text.split(","))


def _other(sizes: tuple[int, ...], task: Function) -> tuple[int, ...]:
    """Inputs and hidden units of other sizes, with the outputs there have to be."""
    if len(sizes) < 2:
        raise SymscopeError(f"--written {sizes}: inputs and hidden units, such as 16,48")
    return _bounded(checked_sizes((*sizes, task.outputs)))


def _bounded(sizes: tuple[int, ...]) -> tuple[int, ...]:
    """The sizes; raises `SymscopeError` where they make too many weights."""
    weights = sum(a * b for a, b in pairwise(sizes))
    if weights > MOST_EDGES:
        raise SymscopeError(
            f"sizes {sizes} make {weights:,} weights; {MOST_EDGES:,} can be written"
        )
    return sizes

"""Contenders timed side by side: equal outputs first, then CPU seconds in turns, then memory."""

import ctypes
import math
import multiprocessing
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal

TOLERANCE = 1e-5
RATE = 1e-3


class Contender:
    """One way to make a training step: forward after the swap, loss, backward, Adam."""

    steps = 1
    """How many training steps one call of `step` makes."""
    measured = 3
    """How many calls are made to measure the peak memory."""
    clock: Callable[[], float] = staticmethod(time.process_time)
    """Seconds: the processor's, unless the work is done elsewhere."""

    def __init__(self, outputs: Callable[[Tensor], Tensor], loss: Callable[[Tensor], Tensor],
                 parameters: Any):  # fmt: skip
        self.outputs, self.loss = outputs, loss
        self.adam = torch.optim.Adam(list(parameters), lr=RATE)

    def step(self, rows: Tensor) -> None:
        """One training step on the pairs in `rows`."""
        loss = self.loss(rows)
        self.adam.zero_grad()
        loss.backward()
        self.adam.step()


@dataclass(frozen=True)
class Row:
    """What was measured of one contender in one case.

    `ratio` is its CPU time over symscope's in the same round: 10th percentile, median, 90th.
    `difference` is the largest absolute difference of its outputs from symscope's before training;
    where a `loss` after training was compared, that loss's relative difference from symscope's.
    """

    part: str
    case: str
    contender: str
    milliseconds: float | None = None
    ratio: tuple[float, float, float] | None = None
    difference: float | None = None
    peak_mib: float | None = None
    setup_milliseconds: float | None = None
    error: str | None = None
    loss: float | None = None


def side_by_side(
    part: str,
    case: str,
    builders: Mapping[str, Callable[[], Contender]],
    rows: list[Tensor],
    rounds: int,
    at_least: float = 0.03,
    tolerance: float = TOLERANCE,
) -> list[Row]:
    """All contenders of one case; the first is symscope, to which the others are compared.

    A contender that raises, or whose outputs differ, is reported with what happened and not timed.
    """
    _warm_up()
    names = list(builders)
    peaks = {name: peak_memory(builders[name], rows) for name in names}
    contenders, failed, differences, setup = {}, {}, {}, {}
    for name in names:
        began = time.process_time()
        try:
            contenders[name] = builders[name]()
            setup[name] = 1e3 * (time.process_time() - began)
            found = contenders[name].outputs(rows[0]).detach()
        except Exception as error:  # whatever a peer raises is its result here
            if name == names[0]:
                raise
            contenders.pop(name, None)
            failed[name] = f"{type(error).__name__}: {error}".split("\n")[0][:160]
            continue
        reference = found if name == names[0] else reference
        same = found.shape == reference.shape
        differences[name] = float((found - reference).abs().max()) if same else math.inf
        if not differences[name] <= tolerance:
            del contenders[name]
            failed[name] = f"other outputs: differs by {differences[name]:.2g}"
    seconds = _in_turns(contenders, rows, rounds, at_least)
    return [
        Row(part, case, name, error=failed[name], difference=differences.get(name))
        if name in failed
        else Row(
            part, case, name,
            milliseconds=1e3 * statistics.median(seconds[name]),
            ratio=_spread([a / b for a, b in zip(seconds[name], seconds[names[0]], strict=True)]),
            difference=differences[name],
            peak_mib=peaks[name],
            setup_milliseconds=setup[name],
        )
        for name in names
    ]  # fmt: skip


def _in_turns(
    contenders: Mapping[str, Contender], rows: list[Tensor], rounds: int, at_least: float
) -> dict[str, list[float]]:
    """CPU seconds per training step, once per round; who begins a round moves on by one."""
    calls = {}
    for name, contender in contenders.items():
        contender.step(rows[0])
        calls[name] = max(1, math.ceil(at_least / _seconds(contender, rows[:1])))
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    order = list(contenders)
    for _ in range(rounds):
        for name in order:
            drawn = [rows[i % len(rows)] for i in range(calls[name])]
            contender = contenders[name]
            seconds[name].append(_seconds(contender, drawn) / len(drawn) / contender.steps)
        order = order[1:] + order[:1]
    return seconds


def _seconds(contender: Contender, drawn: list[Tensor]) -> float:
    began = contender.clock()
    for rows in drawn:
        contender.step(rows)
    return contender.clock() - began


def _spread(ratios: list[float]) -> tuple[float, float, float]:
    if len(ratios) < 2:
        return ratios[0], ratios[0], ratios[0]
    tenths = statistics.quantiles(ratios, n=10, method="inclusive")
    return tenths[0], statistics.median(ratios), tenths[-1]


def apart(work: Callable[[], list[Row]]) -> list[Row]:
    """`work` done in a process of its own, where no earlier case has left holes in the memory."""
    if "fork" not in multiprocessing.get_all_start_methods():
        return work()
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(work()))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise RuntimeError("the process of this case ended without a result") from None
    finally:
        child.join()


def peak_memory(build: Callable[[], Contender], rows: list[Tensor]) -> float | None:
    """MiB that building and `measured` steps add at most to a forked process; None if not known.

    Whatever is kept from step to step counts, symscope's store of the natural run included. What
    any first step costs the process has been paid before. Linux only.
    """
    if not Path("/proc/self/clear_refs").exists():
        return None
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_measure_peak, args=(build, rows, sender))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        return None
    finally:
        child.join()


def _measure_peak(build: Callable[[], Contender], rows: list[Tensor], sender: Any) -> None:
    _warm_up()
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the highest resident size starts anew
    before = _highest()
    try:
        contender = build()
        for _ in range(contender.measured):
            contender.step(rows[0])
    except Exception:  # the caller runs it again and reports what it raises
        sender.send(None)
        return
    sender.send((_highest() - before) / 2**10)


def _warm_up() -> None:
    """What a first step loads, Adam above all, is not to be counted as anyone's."""
    module = nn.Sequential(nn.Linear(8, 8), nn.GELU(), orthogonal(nn.Linear(8, 4)))
    adam = torch.optim.Adam(module.parameters())
    module(nn.GRU(8, 8)(torch.ones(2, 2, 8))[0]).sum().backward()
    adam.step()


def _highest() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))

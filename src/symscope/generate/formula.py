"""Which formula does a network of a few real inputs compute, and with which error?

Our choice of a procedure. Hypotheses (`hypotheses.py`, and what can be read in the hidden units,
`read_out.py`) are fitted by least squares to the network's own outputs. On other inputs of the task
each has an error σ², and the one with the least BIC wins, 512 log σ² + k log 512 with k numbers:
as if 512 outputs were known. With all the outputs one could compute, the most flexible hypothesis
would always win, since no network is exactly its formula; for the same reason an error below 2 % of
the variance counts as 2 %: |x| made of SiLUs of gain 2 is off by 1.5 %. Of hypotheses that are the
same function of the inputs, the reading of the units comes first: it says how it is computed.
"""

import math
import time
from collections.abc import Callable
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import ComputationFailed, Evidence
from symscope.generate.hypotheses import Hypothesis, added, hypotheses
from symscope.generate.read_out import read_out
from symscope.models.perceptron import Weights
from symscope.program import Program

FIT_ON, FRESH = 8192, 20_000
AS_IF = 512
"""The number of outputs in the BIC."""
GOOD = 0.9
"""Below this R² on fresh inputs no formula is returned."""
SPARSE, FAR = 0.25, 5.0
"""The share of entries that sparse inputs keep, and by how much far inputs are larger."""
NEAR = 0.02
"""Smaller errors, in units of the outputs' variance, count as this."""
SEEN = 1e-3
"""A term that varies less than this share of the output is left out of the program."""
_DRAWS, _DIGITS = 1000, 5


class Drawn(Protocol):
    """A task that is known by its inputs alone."""

    @property
    def name(self) -> str:
        """What claims call it."""
        ...

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """Inputs, (sample, inputs)."""
        ...


def formula_of(
    network: Weights | Callable[[Tensor], Tensor], task: Drawn, seed: int = 0,
    activation: str = "silu",
) -> tuple[Program | None, list[Evidence]]:  # fmt: skip
    """The formula as a program of the network's own outputs, and R² of all hypotheses, best first.

    Scores are R² on 20,000 fresh inputs; config["sparse"] and config["far"] are R² on inputs of
    which a quarter of the entries is kept, the rest 0, and on ones five times as large (None where
    inputs are few discrete values). Controls: "constant", and the hypothesis fitted to "shuffled"
    outputs. No program is returned where the best R² is below 0.9. Raises `ComputationFailed`
    where outputs are not finite.
    """
    generator = torch.Generator().manual_seed(seed)
    fit, fresh = (task.sample(count, generator) for count in (FIT_ON, FRESH))
    others = {} if len(fresh[:, 0].unique()) < AS_IF else {
        "sparse": fresh * (torch.rand(fresh.shape, generator=generator) < SPARSE),
        "far": FAR * fresh,
    }  # fmt: skip
    sets = {"fit": fit, "fresh": fresh, **others}
    outputs = {name: _outputs(network, x, activation) for name, x in sets.items()}
    read = read_out(network, fit, activation) if isinstance(network, Weights) else []
    found = [_scored(one, task.name, sets, outputs, seed) for one in [*read, *hypotheses(fit)]]
    found.sort(key=lambda pair: round(pair[1].config["bic"]))  # stable: readings stand first
    program, best = found[0]
    good = best.score is not None and best.score >= GOOD
    return program if good else None, [evidence for _, evidence in found]


def _scored(
    one: Hypothesis, task: str, sets: dict[str, Tensor], outputs: dict[str, Tensor], seed: int
) -> tuple[Program, Evidence]:
    began = time.monotonic()
    design = one.design(sets["fit"])
    program, size = _fitted(one, sets["fit"], design, outputs["fit"])
    lost = {name: outputs[name] - _answers(program, sets[name]) for name in list(sets)[1:]}
    scores = {name: _r2(lost[name], outputs[name]) for name in lost}
    error = lost["fresh"].square().mean(0)
    error = error.clamp(min=NEAR * float(_centred(outputs["fresh"]).mean()))
    bic = AS_IF * float(error.log().sum()) + size * math.log(AS_IF)
    order = torch.randperm(FIT_ON, generator=torch.Generator().manual_seed(seed))
    mixed, _ = _fitted(one, sets["fit"], design, outputs["fit"][order])
    shuffled = _r2(outputs["fresh"] - _answers(mixed, sets["fresh"]), outputs["fresh"])
    low, high = _interval(lost["fresh"], outputs["fresh"], seed)
    config = {"bic": bic, "parameters": size, "sparse": scores.get("sparse"),
              "far": scores.get("far"), "output": program.output, **one.config}  # fmt: skip
    return program, Evidence(
        f"{task}.formula.{one.name}.r2", scores["fresh"], low, high, FRESH, "R²",
        {"constant": 0.0, "shuffled": shuffled}, [seed], time.monotonic() - began, config,
        note="bootstrap interval over inputs, one network",
    )  # fmt: skip


def _fitted(one: Hypothesis, x: Tensor, design: Tensor, outputs: Tensor) -> tuple[Program, int]:
    """The program with its factors, to 5 digits, and how many numbers were free."""
    scale = design.norm(dim=0).clamp(min=1e-30)
    free = torch.linalg.lstsq(design / scale, outputs, driver="gelsd")
    factors = free.solution / scale[:, None]
    matters = factors.abs() * design.std(0)[:, None] > SEEN * outputs.std(0)
    matters[0] = True
    texts = [_text(column, one.terms) for column in (factors * matters).T.tolist()]
    output = texts[0] if len(texts) == 1 else f"({', '.join(texts)})"
    return one.program(x.shape[1], output), int(free.rank) * outputs.shape[1]


def _text(factors: list[float], terms: tuple[str, ...]) -> str:
    """c + c_1 * term_1 + …, without the terms whose factor is 0."""
    numbers = [float(f"{factor:.{_DIGITS}g}") for factor in factors]
    grouped = [f"({term})" if " " in term else term for term in terms]
    products = [f"{c!r} * {t}" for c, t in zip(numbers[1:], grouped, strict=True) if c]
    return added([repr(numbers[0]), *products]).replace("+ -", "- ")


def _outputs(network: Weights | Callable[[Tensor], Tensor], x: Tensor, activation: str) -> Tensor:
    """The network's outputs, (sample, outputs), in double precision."""
    with torch.no_grad():
        found = network(x) if not isinstance(network, Weights) else (
            network.run(x.to(network.matrices[0]), activation))  # fmt: skip
    if not bool(found.isfinite().all()):
        raise ComputationFailed("the network's outputs are not finite: it has no formula")
    return found.double().reshape(len(x), -1)


def _answers(program: Program, x: Tensor) -> Tensor:
    output = program.run(x.double()).output
    parts = output if isinstance(output, tuple) else (output,)
    return torch.stack([torch.as_tensor(p).double().expand(len(x)) for p in parts], 1)


def _r2(lost: Tensor, outputs: Tensor) -> float:
    return 1 - float(lost.square().sum() / _centred(outputs).sum().clamp(min=1e-30))


def _interval(lost: Tensor, outputs: Tensor, seed: int) -> tuple[float, float]:
    """95 % of R² over inputs drawn again; as multinomial counts of blocks of 100 inputs."""
    blocks = len(lost) // 100
    left, whole = (v.sum(1).view(blocks, -1).sum(1).numpy()
                   for v in (lost.square(), _centred(outputs)))  # fmt: skip
    rows = np.random.default_rng(seed).integers(blocks, size=(_DRAWS, blocks))
    low, high = np.percentile(1 - left[rows].sum(1) / whole[rows].sum(1), [2.5, 97.5])
    return float(low), float(high)


def _centred(outputs: Tensor) -> Tensor:
    return (outputs - outputs.mean(0)).square()

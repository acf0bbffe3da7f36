"""Functions of a few real numbers: the L1 norm, a sum of squares, maximum, sorting, parity, sums.

The L1 norm is that of Liao, Liu and Tegmark (2023), arXiv 2312.03051; the others are our choice of
what small perceptrons can be asked for besides.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
import torch
from torch import Tensor

from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.program import Program
from symscope.programs.functions import (
    l1_programs,
    maximum_programs,
    modular_programs,
    parity_programs,
    sorting_programs,
    square_programs,
)
from symscope.task import Pairs, Task

_SPLITS = {"fit": range(1), "validation": range(1, 2), "test": range(2, 3)}
"""One stream of random numbers each."""
_AT_ONCE = 4096
_BINS, _IN_BIN = 200, 50


@dataclass(frozen=True, eq=False)
class Function(Task):
    """A function of `inputs` real numbers, asked for in units of its own spread.

    `raw` maps inputs (sample, inputs) to values (sample, outputs); the right answer is (value −
    `centre`) / `scale`, mean 0 and variance 1 over the function's own inputs, so that a network
    that always says 0 has a mean squared error of 1. Inputs are independent, standard normal, or
    uniform over `levels` where there are such. `write` returns the programs, the task's own first.
    `resized` makes the same function of another number of inputs, where it is one of any number.

    >>> function("l1_norm", 2).value(torch.tensor([[1.0, -2.0]])).tolist()
    [[3.0]]
    """

    name: str
    kind: str
    inputs: int
    raw: Callable[[Tensor], Tensor]
    centre: Tensor
    scale: Tensor
    write: Callable[[], tuple[Program, ...]]
    levels: tuple[float, ...] = ()
    resized: Callable[[int], "Function"] | None = None

    vocabulary = ()

    @property
    def outputs(self) -> int:
        """How many numbers it returns."""
        return len(self.centre)

    @cached_property
    def programs(self) -> Mapping[str, Program]:  # type: ignore[override]
        """Algorithms for it by name, that compute the raw value."""
        return {program.name: program for program in self.write()}

    @property
    def program(self) -> Program:
        """The task's own rule, the first of its programs."""
        return next(iter(self.programs.values()))

    def at(self, inputs: int) -> "Function":
        """The same function of another number of inputs; raises where that number is fixed."""
        if inputs == self.inputs:
            return self
        if self.resized is None:
            raise SymscopeError(
                f"{self.name} has {self.inputs} inputs, not {inputs}; functions of any number:"
                " l1_norm, sum_of_squares"
            )
        return self.resized(inputs)

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` inputs, float32 (sample, inputs); nothing is held out."""
        if not self.levels:
            return torch.randn(count, self.inputs, generator=generator)
        drawn = torch.randint(len(self.levels), (count, self.inputs), generator=generator)
        return torch.tensor(self.levels)[drawn]

    def value(self, inputs: Tensor) -> Tensor:
        """The function itself, (sample, outputs)."""
        return self.raw(inputs)

    def correct(self, inputs: Tensor) -> Tensor:
        """The value in units of its own spread, (sample, outputs)."""
        return self._standard(self.raw(inputs))

    def _standard(self, value: Tensor) -> Tensor:
        return (value - self.centre.to(value)) / self.scale.to(value)

    def gate(self, generator: torch.Generator) -> Tensor:
        """All inputs where they are finite, else 2,048 of them."""
        if not self.levels:
            return self.sample(2048, generator)
        return torch.cartesian_prod(*[torch.tensor(self.levels)] * self.inputs)

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """Pairs of inputs drawn apart; `target`, (pair, outputs), is in units of the spread.

        Splits are other draws, which never meet where inputs are normal; where they are few, the
        same pairs come again.
        """
        asked = program, variables, seed, split, _SPLITS, same_phase
        generator = self.pairs_generator(*asked)
        base, source = (self.sample(count, generator) for _ in range(2))
        target = self._standard(_columns(interchange(program, base, source, variables)))
        labels: dict[str, Tensor] = {}
        for end, inputs in (("base", base), ("source", source)):
            values = program.run(inputs, read=program.names).values
            labels |= {f"{name}.{end}": values[name] for name in program.names}
        steps = torch.zeros(count, dtype=torch.long)
        return Pairs(base, steps, source, steps.clone(), target, labels, variables)

    def error(self, program: Program, count: int = 100_000, seed: int = 0) -> float:
        """The mean squared error of a program of the raw value, in units of the spread."""
        inputs = self.sample(count, torch.Generator().manual_seed(seed))
        found = self._standard(_columns(program.run(inputs).output))
        return float((found - self.correct(inputs)).double().square().mean())

    def floors(
        self, count: int = 100_000, seed: int = 0, only: tuple[str, ...] = ()
    ) -> dict[str, float]:
        """Mean squared errors of what knows nothing of the algorithm, fitted and scored apart.

        "constant": 1. "linear", "quadratic": the best such function of the inputs. "radial", for
        two normal inputs or more: the best function of |x|₂ alone. `only` names the ones asked for.
        """
        generator = torch.Generator().manual_seed(seed)
        fit, fresh = (self.sample(count, generator) for _ in range(2))
        ways: dict[str, Callable[[], float]] = {
            "constant": lambda: 1.0,
            "linear": lambda: self._regressed(_linear, fit, fresh),
            "quadratic": lambda: self._regressed(_quadratic, fit, fresh),
        }
        if not self.levels and self.inputs > 1:
            ways["radial"] = lambda: self._radial(fit, fresh)
        return {name: way() for name, way in ways.items() if not only or name in only}

    def _regressed(self, features: Callable[[Tensor], Tensor], fit: Tensor, fresh: Tensor) -> float:
        """The error on fresh inputs of least squares on others."""
        gram = moment = torch.zeros(())
        for part in fit.double().split(_AT_ONCE):
            seen = features(part)
            gram, moment = gram + seen.T @ seen, moment + seen.T @ self.correct(part)
        weights = torch.linalg.pinv(gram, hermitian=True, rtol=1e-9) @ moment
        lost = [(features(part) @ weights - self.correct(part)).square().sum()
                for part in fresh.double().split(_AT_ONCE)]  # fmt: skip
        return float(sum(lost)) / len(fresh) / self.outputs

    def _radial(self, fit: Tensor, fresh: Tensor) -> float:
        """The error of the mean answer at each radius, linear between means of 200 bins at most."""
        order, count = fit.norm(dim=1).argsort(), min(_BINS, max(1, len(fit) // _IN_BIN))
        bins = order[: len(order) // count * count].view(count, -1)
        radius, wanted = fit.norm(dim=1)[bins].mean(1), self.correct(fit)[bins].mean(1)
        seen, target = fresh.norm(dim=1).numpy(), self.correct(fresh).numpy()
        found = [np.interp(seen, radius.numpy(), column.numpy()) for column in wanted.T]
        return float(np.square(np.stack(found, 1) - target).mean())


def l1_norm(inputs: int = 8) -> Function:
    """Σ|x_i|: centre n √(2/π), scale² n (1 − 2/π)."""
    _at_least_one("l1_norm", inputs)
    centre, scale = inputs * math.sqrt(2 / math.pi), math.sqrt(inputs * (1 - 2 / math.pi))
    return Function(
        f"l1_norm_{inputs}", "l1_norm", inputs, _absolute_sum, torch.tensor([centre]),
        torch.tensor([scale]), partial(l1_programs, inputs), resized=l1_norm,
    )  # fmt: skip


def sum_of_squares(inputs: int = 4) -> Function:
    """Σ x_i²: centre n, scale² 2n."""
    _at_least_one("sum_of_squares", inputs)
    return Function(
        f"sum_of_squares_{inputs}", "sum_of_squares", inputs, _square_sum,
        torch.tensor([float(inputs)]), torch.tensor([math.sqrt(2 * inputs)]),
        partial(square_programs, inputs), resized=sum_of_squares,
    )  # fmt: skip


def maximum() -> Function:
    """The larger of two: centre 1/√π, scale² 1 − 1/π."""
    centre, scale = 1 / math.sqrt(math.pi), math.sqrt(1 - 1 / math.pi)
    return Function(
        "maximum", "maximum", 2, _largest, torch.tensor([centre]), torch.tensor([scale]),
        maximum_programs,
    )  # fmt: skip


def sorted_two() -> Function:
    """Two numbers in order, the smaller first: centre ∓1/√π, scale² 1 − 1/π."""
    centre, scale = 1 / math.sqrt(math.pi), math.sqrt(1 - 1 / math.pi)
    return Function(
        "sorted_two", "sorted_two", 2, _in_order, torch.tensor([-centre, centre]),
        torch.tensor([scale, scale]), sorting_programs,
    )  # fmt: skip


def parity_3() -> Function:
    """1 where an odd number of three signs is +1, else 0: centre and scale ½."""
    return Function(
        "parity_3", "parity_3", 3, _odd, torch.tensor([0.5]), torch.tensor([0.5]),
        parity_programs, levels=(-1.0, 1.0),
    )  # fmt: skip


def modular_addition(modulus: int = 3) -> Function:
    """(a + b) mod m of two numbers from 0 to m − 1: centre (m − 1)/2, scale² (m² − 1)/12."""
    if modulus < 2:
        raise SymscopeError(f"modulus {modulus}: 2 or more")
    centre, scale = (modulus - 1) / 2, math.sqrt((modulus**2 - 1) / 12)
    return Function(
        f"modular_addition_{modulus}", "modular_addition", 2, partial(_wrapped, modulus),
        torch.tensor([centre]), torch.tensor([scale]), partial(modular_programs, modulus),
        levels=tuple(map(float, range(modulus))),
    )  # fmt: skip


FUNCTIONS: Mapping[str, Callable[[], Function]] = {
    "l1_norm": l1_norm, "sum_of_squares": sum_of_squares, "maximum": maximum,
    "sorted_two": sorted_two, "parity_3": parity_3, "modular_addition": modular_addition,
}  # fmt: skip
"""What makes each, of its usual number of inputs."""


def function(name: str, inputs: int | None = None) -> Function:
    """The function of that name; raises `UnknownName` with those there are."""
    if name not in FUNCTIONS:
        raise UnknownName("function", name, FUNCTIONS)
    made = FUNCTIONS[name]()
    return made if inputs is None else made.at(inputs)


def _at_least_one(name: str, inputs: int) -> None:
    if inputs < 1:
        raise SymscopeError(f"{name} of {inputs} inputs: 1 or more")


def _columns(output: Tensor | tuple[Tensor, ...]) -> Tensor:
    """A program's output as float32 (sample, outputs)."""
    parts = output if isinstance(output, tuple) else (output,)
    return torch.stack([part.float() for part in parts], -1)


def _linear(x: Tensor) -> Tensor:
    return torch.cat([torch.ones_like(x[:, :1]), x], 1)


def _quadratic(x: Tensor) -> Tensor:
    first, second = torch.triu_indices(x.shape[1], x.shape[1])
    return torch.cat([_linear(x), x[:, first] * x[:, second]], 1)


def _absolute_sum(x: Tensor) -> Tensor:
    return x.abs().sum(-1, keepdim=True)


def _square_sum(x: Tensor) -> Tensor:
    return x.square().sum(-1, keepdim=True)


def _largest(x: Tensor) -> Tensor:
    return x.amax(-1, keepdim=True)


def _in_order(x: Tensor) -> Tensor:
    return x.sort(-1).values


def _odd(x: Tensor) -> Tensor:
    return (1 + x.prod(-1, keepdim=True)) / 2


def _wrapped(modulus: int, x: Tensor) -> Tensor:
    return x.sum(-1, keepdim=True) % modulus

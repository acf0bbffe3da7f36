"""What a network of a few real inputs may compute: hypotheses as variables and terms to be added.

Each becomes a program output = c + Σ_k c_k term_k. All are our choice; "absolute" is what
double-sided and pudding networks have in common as functions, "radial" what convexity approaches.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, combinations_with_replacement

import torch
from torch import Tensor

from symscope.program import Program, Variable

REACH = 8.0
"""Inputs are taken to lie within ± this."""
ROOT_STEPS = 8
"""Newton's steps from (1 + q)/2 to √q: 1e-6 for q from 0.05 to 400."""
_TOGETHER = 16
_KNOTS = (-2.0, -1.0, 0.0, 1.0, 2.0)
_MOST_PAIRS = 8


@dataclass(frozen=True)
class Hypothesis:
    """`rules` name the variables, in order; `terms` are the expressions that are added.

    `config` is what else is known of it.
    """

    name: str
    rules: Mapping[str, str]
    terms: tuple[str, ...]
    config: Mapping[str, float] = field(default_factory=dict)

    def program(self, inputs: int, output: str) -> Program:
        """The program of these variables with this output."""
        x = tuple(Variable(name, -REACH, REACH, "real") for name in names(inputs))
        far = inputs * REACH**2
        variables = tuple(Variable(name, -far, far, "real") for name in self.rules)
        return Program(self.name, x, variables, self.rules, output)

    def design(self, x: Tensor) -> Tensor:
        """The terms on inputs (sample, inputs), after a column of ones, in double precision."""
        if not self.terms:
            return torch.ones(len(x), 1, dtype=torch.float64)
        program = self.program(x.shape[1], f"({', '.join(self.terms)},)")
        values = program.run(x.double()).output
        ones = torch.ones_like(values[0])
        return torch.stack([ones, *values], 1)


def names(inputs: int) -> list[str]:
    """The names of the inputs."""
    return [f"x_{i}" for i in range(inputs)]


def added(parts: Sequence[str]) -> str:
    """The sum of some expressions, in groups, so that long ones are not nested too deeply."""
    if len(parts) <= _TOGETHER:
        return " + ".join(parts)
    groups = [parts[i : i + _TOGETHER] for i in range(0, len(parts), _TOGETHER)]
    return added([f"({added(group)})" for group in groups])


def hinge(name: str, threshold: float) -> str:
    """max(name − threshold, 0)."""
    if threshold == 0:
        return f"max({name}, 0)"
    return f"max({name} {'-' if threshold > 0 else '+'} {abs(threshold):g}, 0)"


def hypotheses(x: Tensor) -> list[Hypothesis]:
    """All that are tried for inputs like these, (sample, inputs)."""
    made: list[Callable[[Tensor], Hypothesis]] = [linear, of_sum, quadratic]
    distinct = len(x[:, 0].unique())
    if distinct > 2:
        made += [absolute, absolute_each, squares, additive_shared, additive]
        made += [differences] if 1 < x.shape[1] <= _MOST_PAIRS else []
        made += [radial] if x.shape[1] > 1 else []
    return [make(x) for make in made]


def linear(x: Tensor) -> Hypothesis:
    """Σ b_i x_i."""
    return Hypothesis("linear", {}, tuple(names(x.shape[1])))


def of_sum(x: Tensor) -> Hypothesis:
    """g(Σ x_i) with g piecewise linear: at the values there are, or at five quantiles."""
    total = x.sum(1)
    values = total.unique()
    knots = values[1:-1] if len(values) <= 16 else total.quantile(torch.linspace(0.1, 0.9, 5))
    kinks = tuple(hinge("s", round(t, 2)) for t in knots.tolist())
    return Hypothesis("of_sum", {"s": added(names(x.shape[1]))}, ("s", *kinks))


def quadratic(x: Tensor) -> Hypothesis:
    """Any polynomial of degree 2."""
    products = [f"{a} * {b}" for a, b in combinations_with_replacement(names(x.shape[1]), 2)]
    return Hypothesis("quadratic", {}, (*names(x.shape[1]), *products))


def absolute(x: Tensor) -> Hypothesis:
    """a Σ|x_i| + b Σ x_i: the kinks of all inputs are alike."""
    rules = {f"a_{i}": f"abs({v})" for i, v in enumerate(names(x.shape[1]))}
    return Hypothesis("absolute", rules, (added(list(rules)), added(names(x.shape[1]))))


def absolute_each(x: Tensor) -> Hypothesis:
    """Σ a_i |x_i| + b_i x_i."""
    rules = {f"a_{i}": f"abs({v})" for i, v in enumerate(names(x.shape[1]))}
    return Hypothesis("absolute_each", rules, (*rules, *names(x.shape[1])))


def squares(x: Tensor) -> Hypothesis:
    """a Σ x_i²."""
    rules = {f"q_{i}": f"{v} * {v}" for i, v in enumerate(names(x.shape[1]))}
    return Hypothesis("squares", rules, (added(list(rules)),))


def additive_shared(x: Tensor) -> Hypothesis:
    """Σ g(x_i) with one piecewise linear g, whose knots are at −2, −1, 0, 1, 2."""
    x_names = names(x.shape[1])
    bent = [added([hinge(v, t) for v in x_names]) for t in _KNOTS]
    return Hypothesis("additive_shared", {}, (added(x_names), *bent))


def additive(x: Tensor) -> Hypothesis:
    """Σ g_i(x_i) with free piecewise linear g_i."""
    x_names = names(x.shape[1])
    return Hypothesis("additive", {}, (*x_names, *(hinge(v, t) for v in x_names for t in _KNOTS)))


def differences(x: Tensor) -> Hypothesis:
    """Σ b_i x_i + Σ a_ij |x_i − x_j|: what orders the inputs."""
    x_names = names(x.shape[1])
    rules = {
        f"d_{i}_{j}": f"abs({x_names[i]} - {x_names[j]})"
        for i, j in combinations(range(len(x_names)), 2)
    }
    return Hypothesis("differences", rules, (*x_names, *rules))


def radial(x: Tensor) -> Hypothesis:
    """a |x|₂, with the root by Newton's method."""
    rules = {"q": added([f"{v} * {v}" for v in names(x.shape[1])]), "root_0": "(1 + q) / 2"}
    for i in range(ROOT_STEPS):
        rules[f"root_{i + 1}"] = f"(root_{i} + q / root_{i}) / 2"
    return Hypothesis("radial", rules, (f"root_{ROOT_STEPS}",))

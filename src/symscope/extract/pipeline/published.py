"""The pipeline of Michaud et al. (2024, arXiv 2402.05110): a Python program from a trained network.

Simplify the network, find its integers or bits, fit formulas to the next-state and output maps.
"""

import ast
from collections.abc import Mapping, Sequence
from functools import cache
from itertools import islice

import numpy as np
from torch import nn

from symscope.expression import names_in, parse
from symscope.extract.pipeline.boolean_states import fixes
from symscope.extract.pipeline.coded import Coded, boolean_codes, integer_codes, observe
from symscope.extract.pipeline.regression import Regress, published_regression
from symscope.extract.pipeline.simplify import simplify
from symscope.extract.pipeline.truth_table import boolean_formula
from symscope.extract.pipeline.weights import Array, outputs, sequences, weights_of
from symscope.program import Program, Variable


def published(
    module: nn.Module, inputs: Sequence[Variable], length: int, seed: int = 0,
    regress: Regress = published_regression, seconds: float = 60.0,
) -> list[Program]:  # fmt: skip
    """Programs that answer as the network does, the shortest first; none where the method fails.

    A program's registers are integers `z0`, `z1`, …, or bits `q0`, …, which begin with the code of
    the network's first state; its name says by which route it was found. Every one gives the
    network's own rounded outputs on 65,536 fresh sequences of `length` steps (or all there are).
    `regress` writes the formulas, `seconds` is its limit for each. `inputs` are integers with
    their ranges. Raises `SymscopeError` for inputs or a network of another form.
    """
    simplified = simplify(module, inputs, length, seed).weights
    seen = observe(simplified, inputs, length, seed)
    fresh = sequences(inputs, length, seed + 1)
    answers = np.round(outputs(weights_of(module), fresh))
    named_by_bits = boolean_codes(seen, lambda code: _cost(code, inputs))
    found: list[Program] = []
    for codes in (integer_codes(simplified, seen, seed), named_by_bits):
        programs = (program_of(code, inputs, regress, seconds) for code in codes)
        right = (p for p in programs if p is not None and agrees(p, fresh, answers))
        # more clusters than needed are not looked at; lattices of the same states compete
        found += islice(right, 1) if codes is named_by_bits else right
    return sorted(found, key=size)


def program_of(
    coded: Coded, inputs: Sequence[Variable], regress: Regress, seconds: float = 60.0
) -> Program | None:
    """The program with a formula for the outputs and for each register they depend on.

    None where an integer is not fixed by what it shall be computed from, or no formula is found.
    """
    names = _names(coded, inputs)
    found = _formulas(coded, inputs, regress, seconds)
    if found is None:
        return None
    rules, output = found
    kept = [i for i, n in enumerate(names) if n in rules]
    return Program(
        f"published.{coded.route}",
        tuple(inputs),
        tuple(_register(names[i], coded, i) for i in kept),
        {names[i]: rules[names[i]] for i in kept},
        output,
        start={names[i]: coded.start[i] for i in kept},
    )


def _formulas(
    coded: Coded, inputs: Sequence[Variable], regress: Regress, seconds: float
) -> tuple[dict[str, str], str] | None:
    """The rule of each register that is needed, and the output's."""
    names = _names(coded, inputs)
    after = dict(zip(names, coded.after.T, strict=True))
    before = dict(zip(names, coded.before.T, strict=True))
    before |= {v.name: column for v, column in zip(inputs, coded.inputs.T, strict=True)}

    def formula(columns: Mapping[str, Array], target: Array) -> str | None:
        if not fixes(np.column_stack(list(columns.values())), target):
            return None
        return regress(columns, target, seconds=seconds)

    parts = [formula(after, target) for target in coded.answers.T]
    if any(part is None for part in parts):
        return None
    output, rules = ", ".join(part for part in parts if part is not None), dict[str, str]()
    needed = [n for n in names if n in _read(output)] or names[:1]
    for name in needed:  # grows as it goes
        rule = formula(before, after[name])
        if rule is None:
            return None
        rules[name] = rule
        needed += [n for n in names if n in _read(rule) and n not in needed]
    return rules, output


def agrees(program: Program, x: Array, answers: Array) -> bool:
    """Whether a program gives these answers, (sample, step, output), on these sequences."""
    try:
        given = program.run(x[..., 0] if x.shape[-1] == 1 else x).output
    except (OverflowError, ZeroDivisionError):
        return False
    return bool((np.asarray(given).reshape(answers.shape) == answers).all())


def size(program: Program) -> int:
    """How many nodes the formulas of a program have, and 1 for each register."""
    trees = program.trees.values()
    return len(program.variables) + sum(sum(1 for _ in ast.walk(tree)) for tree in trees)


def _cost(coded: Coded, inputs: Sequence[Variable]) -> float:
    """How long a program is by its text, which is quicker to count than its nodes."""

    def quick(columns: Mapping[str, Array], target: Array, *, seconds: float) -> str | None:
        return boolean_formula(columns, target)

    found = _formulas(coded, inputs, quick, 0.0)
    return np.inf if found is None else len(found[1]) + sum(map(len, found[0].values()))


@cache
def _read(text: str) -> frozenset[str]:
    return frozenset(names_in(parse(text)))


def _names(coded: Coded, inputs: Sequence[Variable]) -> list[str]:
    """The registers' names, none of which an input has."""
    prefix = coded.prefix
    while any(v.name.startswith(prefix) for v in inputs):
        prefix += "_"
    return [f"{prefix}{i}" for i in range(len(coded.start))]


def _register(name: str, coded: Coded, place: int) -> Variable:
    values = np.concatenate([coded.before[:, place], coded.after[:, place], [coded.start[place]]])
    return Variable(name, int(values.min()), int(values.max()))

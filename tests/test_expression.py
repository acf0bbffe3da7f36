"""One text, four kinds of value: Python's own arithmetic is the reference for all of them."""

import numpy as np
import pytest
import torch
import z3
from hypothesis import example, given, settings
from hypothesis import strategies as st

from symscope.evidence import SymscopeError
from symscope.expression import FUNCTIONS, evaluate, names_in, parse, totals_in

NAMES = ("a", "b", "c")
VALUES = st.lists(st.tuples(*[st.integers(-9, 9)] * 3), min_size=1, max_size=4)
DIVISORS = st.integers(-5, 5).filter(bool)


def _join(parts):
    return "(" + " ".join(map(str, parts)) + ")"


def _grow(inner):
    compare = st.sampled_from(["==", "!=", "<", "<=", ">", ">="])
    return st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "and", "or"]), inner).map(_join),
        st.tuples(inner, st.sampled_from(["//", "%"]), DIVISORS).map(_join),
        st.tuples(inner, compare, inner).map(_join),
        st.tuples(inner, compare, inner, compare, inner).map(_join),
        st.tuples(inner, st.just("if"), inner, st.just("else"), inner).map(_join),
        st.tuples(inner, st.sampled_from(["in", "not in"]), st.just("(1, 3, -2)")).map(_join),
        st.tuples(st.sampled_from(["not", "-"]), inner).map(_join),
        st.builds("({} < 2) ^ ({} == 1)".format, inner, inner).map("({})".format),
        st.builds("min({}, {}, 2)".format, inner, inner),
        st.builds("max({}, {})".format, inner, inner),
        st.builds("abs({})".format, inner),
    )


TEXTS = st.recursive(
    st.one_of(st.sampled_from(NAMES), st.integers(-4, 4).map(str)), _grow, max_leaves=8
)


def python(text, values):
    """Python's own value of an expression, truth as 0 and 1."""
    return int(eval(text, {"__builtins__": {}, "min": min, "max": max, "abs": abs}, values))


def solved(term):
    """The number that a closed z3 term simplifies to."""
    term = z3.simplify(term)
    if z3.is_bool(term):
        return int(z3.is_true(term))
    return float(term.as_fraction()) if z3.is_rational_value(term) else term.as_long()


@settings(max_examples=200)
@given(TEXTS, VALUES)
@example("(a if b < c else (b < c))", [(5, 1, 0)])
@example("(a or (b < c))", [(5, 1, 0)])
@example("((a < b) in (1, 3, -2))", [(1, 2, 3)])
@example("abs((a < b))", [(1, 2, 3)])
def test_the_same_text_has_the_same_value_on_numbers_batches_and_terms(text, rows):
    tree, columns = parse(text), list(zip(*rows, strict=True))
    expected = [python(text, dict(zip(NAMES, row, strict=True))) for row in rows]
    numbers = [evaluate(tree, dict(zip(NAMES, row, strict=True))) for row in rows]
    assert [int(v) for v in numbers] == expected
    arrays = evaluate(tree, dict(zip(NAMES, map(np.array, columns), strict=True)))
    assert np.broadcast_to(arrays, len(rows)).astype(int).tolist() == expected
    tensors = evaluate(tree, dict(zip(NAMES, map(torch.tensor, columns), strict=True)))
    assert torch.as_tensor(tensors).expand(len(rows)).long().tolist() == expected
    symbols = [z3.Int(name) for name in NAMES]
    term = evaluate(tree, dict(zip(NAMES, symbols, strict=True)))
    for row, value in zip(rows, expected, strict=True):
        found = term
        if z3.is_expr(term):
            numerals = [z3.IntVal(v) for v in row]
            found = solved(z3.substitute(term, *zip(symbols, numerals, strict=True)))
        assert int(found) == value


@pytest.mark.parametrize("text", ["x / 4 + 1", "x // 2", "x % 2", "x // -0.5", "x / y", "7 / x"])
@pytest.mark.parametrize("x", [-3.5, -2.0, 0.25, 3.0])
def test_real_arithmetic_is_the_same_on_all_four(text, x):
    expected, y = eval(text, {"x": x, "y": 3}), 3
    assert evaluate(parse(text), {"x": x, "y": y}) == expected
    array = evaluate(parse(text), {"x": np.array([x]), "y": np.array([y])})
    assert array.tolist() == pytest.approx([expected])
    tensor = evaluate(parse(text), {"x": torch.tensor([x]), "y": torch.tensor([y])})
    assert tensor.tolist() == pytest.approx([expected])
    term = evaluate(parse(text), {"x": z3.RealVal(x), "y": z3.IntVal(y)})
    assert solved(term) == pytest.approx(expected)


@pytest.mark.parametrize("text", ["a // b", "a % b", "a // b if b != 0 else 7"])
def test_a_batch_divides_by_zero_without_a_word(text):
    a, b = [5, 5], [0, 2]
    expected = {"a // b": [0, 2], "a % b": [5, 1]}.get(text, [7, 2])
    assert evaluate(parse(text), {"a": np.array(a), "b": np.array(b)}).tolist() == expected
    assert evaluate(parse(text), {"a": torch.tensor(a), "b": torch.tensor(b)}).tolist() == expected


def test_a_term_of_xor_is_decided_for_bits_and_for_nothing_else():
    x, y = z3.Ints("x y")
    term = evaluate(parse("x ^ y"), {"x": x, "y": y})

    def possible(*facts):
        solver = z3.Solver()
        solver.add(*facts)
        return solver.check() == z3.sat

    assert possible(x == 1, y == 1, term == 0) and not possible(x == 1, y == 1, term != 0)
    assert possible(x == 5, y == 3, term == 6) and possible(x == 5, y == 3, term != 1)
    nested = evaluate(parse("(x > 0) ^ (y > 0) ^ 1"), {"x": x, "y": y})
    assert not possible(x == 5, y == 3, nested != 1)


def test_only_the_branch_that_is_taken_is_computed_on_numbers():
    assert evaluate(parse("7 if b == 0 else a // b"), {"a": 5, "b": 0}) == 7
    assert evaluate(parse("b == 0 or a // b"), {"a": 5, "b": 0}) is True


REFUSED = {
    "attribute": "a.real",
    "dunder attribute": "a.__class__",
    "dunder call": "__import__(1)",
    "unknown call": "print(a)",
    "called call": "abs(a)(b)",
    "keyword": "min(a, key=b)",
    "spread": "min(*(1, 2))",
    "lambda": "lambda: 1",
    "list": "[a]",
    "comprehension": "[x for x in (1, 2)]",
    "generator": "max(x for x in (1, 2))",
    "dictionary": "{1: 2}",
    "string": "'a'",
    "bytes": "b'a'",
    "f-string": "f'{a}'",
    "none": "None",
    "complex": "2j",
    "ellipsis": "...",
    "walrus": "(a := 1)",
    "subscript": "a[0]",
    "await": "await a",
    "power": "9 ** 9 ** 9",
    "shift": "1 << 99",
    "two statements": "a; b",
    "assignment": "a = 1",
    "import": "import os",
    "empty": "",
    "half": "a +",
    "null byte": "a\0",
    "many brackets": "(" * 500 + "a" + ")" * 500,
    "endless minus": "-" * 100_000 + "a",
    "deep": "not " * 2_000 + "a",
    "long sum": "a" + "+a" * 5_000,
    "no argument": "min()",
    "two arguments": "abs(a, b)",
    "two sums": "total(a, b)",
    "a function as a name": "abs + 1",
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_not_on_the_whitelist_is_refused(what):
    with pytest.raises(SymscopeError):
        parse(REFUSED[what])


def test_a_refusal_says_what_may_be_called():
    with pytest.raises(SymscopeError, match=", ".join(FUNCTIONS)):
        parse("open(a)")


def test_names_and_sums_of_an_expression_are_found():
    tree = parse("total(a > 0) + min(b, 2) - total(c)")
    assert names_in(tree) == {"a", "b", "c"}
    assert len(totals_in(tree)) == 2

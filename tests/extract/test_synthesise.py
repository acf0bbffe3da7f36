"""From rows to a rule: the rules of the published sequence tasks, and laws for all others."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symscope.evidence import SymscopeError
from symscope.expression import evaluate, number, parse
from symscope.extract import cost, synthesise
from symscope.extract.formula.decision_tree import pairs_of
from symscope.extract.formula.holds import holds

BIT = (0, 1)
WIDE = (-100, 99)
COUNT = (0, 10)
POWER = (1, 1024)
DEAD = {"depth": COUNT, "dead": BIT, "x": BIT}
PALINDROME = {"f": POWER, "r": POWER, "p": POWER, "x": BIT}
BODY = {"v": (-30, 30), "p": WIDE, "x": (-10, 10)}


def _columns(names, low_high):
    return dict.fromkeys(names, low_high)


def _largest(*counts):
    return np.argmax(np.stack(counts), 0)  # the first of equals


def _table():
    yield "digit of a binary sum", _columns("stc", BIT), lambda s, t, c: (s + t + c) % 2, 5
    yield "carry of a binary sum", _columns("stc", BIT), lambda s, t, c: (s + t + c) // 2, 6
    seven = {"s": (0, 6), "t": (0, 6), "c": BIT}
    yield "digit in base 7", seven, lambda s, t, c: (s + t + c) % 7, 10
    yield "carry in base 7", seven, lambda s, t, c: (s + t + c) // 7, 11
    yield "parity of four bits", _columns("abcd", BIT), lambda a, b, c, d: (a + b + c + d) % 2, 7
    yield "three alternate", _columns("abc", BIT), lambda a, b, c: (a != b) & (b != c), 5
    yield (
        "four alternate", _columns("abcd", BIT),
        lambda a, b, c, d: (a != b) & (b != c) & (c != d), 7,
    )  # fmt: skip
    yield "equal", _columns("xy", (0, 7)), lambda x, y: x == y, 3
    yield "size", {"x": WIDE}, abs, 2
    yield "distance", _columns("xy", WIDE), lambda x, y: abs(x - y), 4
    yield "difference of sizes", _columns("xy", WIDE), lambda x, y: abs(x) - abs(y), 5
    yield "largest so far", {"m": (-1, 9), "x": (0, 9)}, np.maximum, 3
    yield "smallest so far", {"m": (-1, 9), "x": (0, 9)}, np.minimum, 3
    yield "more ones", _columns(("c0", "c1"), COUNT), _largest, 3
    yield "most frequent of three", _columns(("c0", "c1", "c2"), COUNT), _largest, 11
    yield "most frequent of four", _columns(("c0", "c1", "c2", "c3"), COUNT), _largest, 21
    yield "even", {"x": (0, 9)}, lambda x: x % 2 == 0, 6
    yield "evens so far", {"n": COUNT, "x": (0, 9)}, lambda n, x: n + (x % 2 == 0), 8
    yield "square", {"x": (0, 19)}, lambda x: np.isin(x, (0, 1, 4, 9, 16)), 21
    yield "depth", {"depth": COUNT, "x": BIT}, lambda depth, x: depth + 1 - 2 * x, 10
    yield (
        "depth while alive", DEAD,
        lambda depth, dead, x: np.where(dead, depth, depth + 1 - 2 * x), 13,
    )  # fmt: skip
    yield "dead", DEAD, lambda depth, dead, x: (dead == 1) | (depth + 1 - 2 * x < 0), 5
    balanced = {"depth": (-1, 10), "dead": BIT}
    yield "balanced", balanced, lambda depth, dead: (depth == 0) & (dead == 0), 6
    for k in range(3, 9):
        residues = _columns("sx", (0, k - 1))
        yield f"sum modulo {k}", residues, lambda s, x, k=k: (s + x) % k, 9
    for m in (3, 5, 7):
        digit = {"r": (0, m - 1), "x": BIT}
        yield f"remainder by {m}", digit, lambda r, x, m=m: (2 * r + x) % m, 12
        yield f"quotient by {m}", digit, lambda r, x, m=m: (2 * r + x) // m, 12
    grey = {"S": (0, 14), "x": (0, 15)}
    yield "rest of dithering", grey, lambda S, x: (S + x) % 15, 9
    yield "dithering", grey, lambda S, x: (S + x) // 15, 9
    yield "bits forwards", PALINDROME, lambda f, r, p, x: 2 * f + x, 7
    yield "bits backwards", PALINDROME, lambda f, r, p, x: r + x * p, 5
    yield "place value", PALINDROME, lambda f, r, p, x: 2 * p, 5
    yield "speed", BODY, lambda v, p, x: v + x, 3
    yield "place", BODY, lambda v, p, x: p + v, 3
    yield "speed on a spring", BODY, lambda v, p, x: v + x - p, 5
    yield "toggle", {"s": BIT}, lambda s: 1 - s, 2
    yield "product of bits, summed", _columns("sab", BIT), lambda s, a, b: (s + a * b) % 2, 5
    yield "palindrome", {"f": (0, 20), "r": (0, 20)}, lambda f, r: f == r, 3


def rows(ranges, rule, n, seed):
    generator = np.random.default_rng(seed)
    columns = {k: generator.integers(low, high + 1, n) for k, (low, high) in ranges.items()}
    return columns, np.asarray(rule(*columns.values())).astype(int)


@pytest.mark.parametrize(
    ("ranges", "rule", "dearest"), [pytest.param(*case[1:], id=case[0]) for case in _table()]
)
def test_the_rule_of_a_task_is_found_and_holds_on_fresh_rows(ranges, rule, dearest):
    columns, target = rows(ranges, rule, 1500, seed=1)
    sizes = {high + 1 for low, high in ranges.values() if low == 0}
    found = synthesise(columns, target, constants=sorted(sizes))
    assert found is not None and cost(found) <= dearest, found
    assert holds(found, *rows(ranges, rule, 10_000, seed=2)), found


def test_a_random_target_has_no_rule():
    generator = np.random.default_rng(0)
    grid = np.meshgrid(range(7), range(7), range(5))
    columns = {name: column.ravel() for name, column in zip("abc", grid, strict=True)}
    assert synthesise(columns, generator.integers(0, 9, 245), seconds=1) is None
    assert synthesise(columns, generator.integers(0, 2, 245), seconds=1) is None


def test_the_same_inputs_beside_different_targets_have_no_rule_and_none_is_looked_for(monkeypatch):
    recipe = sys.modules["symscope.extract.formula.synthesise"]
    monkeypatch.setattr(recipe, "QUICK", ())
    monkeypatch.setattr(recipe, "enumerated_rule", lambda *_, **__: pytest.fail("looked for"))
    x = np.arange(50) % 5
    assert synthesise({"x": x}, np.arange(50) // 25, seconds=1e9) is None


def test_what_never_changes_is_a_constant():
    assert synthesise({"x": np.arange(5)}, np.full(5, -3)) == "-3"
    assert synthesise({}, np.full(5, 4)) == "4"
    assert synthesise({}, np.arange(5)) is None


def test_a_modulus_beyond_sixteen_is_found_when_it_is_named():
    s, x = (v.ravel() for v in np.meshgrid(range(23), range(23)))
    assert synthesise({"s": s, "x": x}, (s + x) % 23, constants=(23,)) == "(s + x) % 23"


def test_a_rule_without_a_modulus_or_order_is_a_tree_of_conditions():
    generator = np.random.default_rng(0)
    x, y = generator.integers(-20, 20, (2, 800))
    target = np.where(x < -3, y, np.where(y < x, 7, x - y))
    found = synthesise({"x": x, "y": y}, target, seconds=40)
    assert found is not None
    x, y = generator.integers(-20, 20, (2, 5000))
    assert holds(found, {"x": x, "y": y}, np.where(x < -3, y, np.where(y < x, 7, x - y)))


def test_what_is_no_table_of_integers_is_refused_in_the_callers_words():
    x = np.arange(4)
    with pytest.raises(SymscopeError, match="x holds float64; round it"):
        synthesise({"x": x / 2}, x)
    with pytest.raises(SymscopeError, match="the target holds"):
        synthesise({"x": x}, x / 2)
    with pytest.raises(SymscopeError, match=r"x has the shape \(4,\), the target \(3,\)"):
        synthesise({"x": x}, x[:3])
    with pytest.raises(SymscopeError, match="at least one row"):
        synthesise({"x": x[:0]}, x[:0])
    with pytest.raises(SymscopeError, match="no name"):
        synthesise({"x + 1": x}, x)


def _number(inner):
    pair = st.tuples(inner, inner)
    return st.one_of(
        pair.flatmap(lambda p: st.sampled_from(
            [f"({p[0]} + {p[1]})", f"({p[0]} - {p[1]})", f"{p[0]} * {p[1]}",
             f"max({p[0]}, {p[1]})", f"min({p[0]}, {p[1]})"])),
        st.builds("abs({})".format, inner),
        st.builds("({} % {})".format, inner, st.sampled_from((2, 3, 5))),
        st.builds("({} // {})".format, inner, st.sampled_from((2, 3, 5))),
        st.builds("({} if {} < {} else {})".format, inner, inner, inner, inner),
        st.builds("({} == {})".format, inner, inner),
        st.builds("(not {} < {})".format, inner, inner),
        st.builds("({} < {} and {} <= {})".format, inner, inner, inner, inner),
    )  # fmt: skip


SMALL = st.recursive(st.sampled_from(("x", "y", "1", "2")), _number, max_leaves=4).filter(
    lambda text: cost(text) <= 7
)


@settings(max_examples=25)
@given(SMALL)
def test_a_small_expression_is_found_again_and_is_no_longer_than_it_was(text):
    generator = np.random.default_rng(0)
    columns = {n: generator.integers(-9, 10, 500) for n in "xy"}
    target = np.broadcast_to(number(evaluate(parse(text), columns)), (500,))
    found = synthesise(columns, target)
    assert found is not None and holds(found, columns, target)
    assert cost(found) <= cost(text), (found, text)


def test_pairs_are_the_first_of_all_and_no_more_are_built():
    left, right = np.array([5, 7, 9]), np.array([1, 2])
    every = [(a, b) for a in left for b in right]
    for most in range(8):
        assert list(zip(*pairs_of(left, right, most), strict=True)) == every[:most]
    assert len(pairs_of(left, right[:0], 4)[0]) == 0
    many = np.arange(10**6)  # of all pairs no memory could hold the list
    assert [part.tolist() for part in pairs_of(many, many, 2)] == [[0, 0], [0, 1]]

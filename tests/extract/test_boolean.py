"""Bits in disguise, and formulas of bits and integers."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from symscope.expression import evaluate, parse
from symscope.extract.pipeline.boolean_states import (
    as_bits,
    clusters,
    complements,
    fixes,
    labellings,
    shortest_labels,
)
from symscope.extract.pipeline.regression import (
    published_regression,
    reverse_polish,
    rounded_least_squares,
)
from symscope.extract.pipeline.truth_table import boolean_formula

ALL = {k: np.array(list(product((0, 1), repeat=k))) for k in range(1, 5)}


def named(rows):
    return dict(zip("abcdef", rows.T, strict=False))


def value(text, columns):
    return np.broadcast_to(evaluate(parse(text), columns), len(next(iter(columns.values()))))


@given(st.integers(1, 4), st.data())
def test_a_formula_gives_the_truth_table_on_the_rows_that_are_known(k, data):
    target = np.array(data.draw(st.lists(st.integers(0, 1), min_size=2**k, max_size=2**k)))
    known = np.array(data.draw(st.lists(st.booleans(), min_size=2**k, max_size=2**k)))
    known[0] = True
    columns = named(ALL[k][known])
    formula = boolean_formula(columns, target[known])
    assert (value(formula, columns) == target[known]).all()


A, B, C = ALL[3].T


@pytest.mark.parametrize("target, formula", [
    (A ^ B ^ C, "(a + b + c) % 2"),
    (1 - (A ^ B), "(a + b + 1) % 2"),
    (B, "b"), (1 - B, "1 - b"), (0 * A, "0"), (0 * A + 1, "1"),
    (A & B, "1 if a and b else 0"), (A | B, "1 if a or b else 0"),
    ((A + B + C > 1).astype(int), "1 if a + b + c > 1 else 0"),
    (A & (1 - C), "1 if a and not c else 0"),
    (np.isin(A + B + C, (0, 3)).astype(int), "1 if a + b + c in (0, 3) else 0"),
])  # fmt: skip
def test_the_shorter_of_a_disjunction_and_a_condition_on_the_sum_is_written(target, formula):
    assert boolean_formula(named(ALL[3]), target) == formula


def test_rows_that_never_occur_may_give_anything():
    seen = ALL[2][:3]  # not both
    assert boolean_formula(named(seen), seen.sum(1)) == "(a + b) % 2"
    assert boolean_formula(named(seen[1:]), seen[1:, 1]) == "b"


def test_equal_rows_with_different_values_have_no_formula():
    assert boolean_formula({"a": np.array([0, 0])}, np.array([0, 1])) is None
    assert boolean_formula({"a": np.array([0, 2])}, np.array([0, 1])) is None


def test_least_squares_are_rounded_and_checked_on_all_rows():
    a, b = ALL[2].T * 7 + np.arange(4)[None]
    assert rounded_least_squares({"a": a, "b": b}, 3 * a - b - 2) == "3 * a - 2 - b"
    assert rounded_least_squares({"a": a, "b": a + 1}, 2 * a) == "2 * a"
    assert rounded_least_squares({"a": a, "b": b}, a * b) is None


X, Y = (v.ravel() for v in np.meshgrid(np.arange(-6, 7), np.arange(-5, 6)))


@pytest.mark.parametrize("target, formula", [
    (np.abs(X - Y), "abs(x - y)"),
    ((X == Y).astype(int), "1 if x - y == 0 else 0"),
    ((X + Y) % 3, "(x + y) % 3"),
    (X * Y + 3, "x * y + 3"),
])  # fmt: skip
def test_six_symbols_are_searched_the_shortest_first(target, formula):
    found = reverse_polish({"x": X, "y": Y}, target)
    assert (value(found, {"x": X, "y": Y}) == target).all() and len(found) <= len(formula)


def test_a_search_ends_without_a_formula_or_at_its_time():
    target = np.random.default_rng(0).integers(0, 9, len(X))
    assert reverse_polish({"x": X, "y": Y}, target, seconds=0.2) is None
    assert reverse_polish({"x": X}, X + 1, seconds=-1) is None


def test_a_formula_that_fails_on_one_row_of_many_is_none():
    x = np.random.default_rng(1).integers(0, 6, 3000)
    target = x.copy()
    target[np.flatnonzero(x == 2)[200]] = 3
    assert reverse_polish({"x": x}, x) == "x"
    assert reverse_polish({"x": x}, target) is None


def test_nothing_is_divided_by_zero():
    x = np.array([0, 1, 2, 3] * 40)
    formula = reverse_polish({"x": x, "m": np.array([3, 4] * 80)}, x % 3)
    assert "% x" not in formula and "% (" not in formula


def test_formulas_are_for_any_columns():
    columns = {"x": X, "y": Y}
    for target in (2 * X - 3 * Y, np.abs(X), (X > Y).astype(int)):
        formula = published_regression(columns, target, seconds=30)
        assert (value(formula, columns) == target).all()


def machine(rows=200, seed=0):
    """Two registers of one bit at ±1 with noise; the first state, 0, is at neither."""
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (rows, 5))
    bits = np.hstack([np.zeros((rows, 1), int), bits])
    clean = 2.0 * np.cumsum(bits, 1) % 4 - 1
    states = clean + rng.uniform(-0.1, 0.1, clean.shape)
    states[:, 0] = 0
    before, after = states[:, :-1].reshape(-1, 1), states[:, 1:].reshape(-1, 1)
    return before, after, bits[:, 1:].reshape(-1, 1), np.cumsum(bits, 1)[:, 1:].reshape(-1, 1) % 2


def test_the_first_state_is_in_a_cluster_like_any_other():
    found = next(clusters(*machine(), np.zeros(1)))
    assert found.count in (2, 3)
    before, _, inputs, answers = machine()
    assert fixes(np.column_stack([found.before, inputs]), found.after)
    assert fixes(found.after[:, None], answers)
    assert set(found.before[(before == 0).ravel()]) == {0}


def test_clusters_that_do_not_fix_the_output_are_refused():
    before, after, inputs, answers = machine()
    noise = np.random.default_rng(0).integers(0, 2, answers.shape)
    assert list(clusters(before, after, inputs, noise, np.zeros(1))) == []


def test_clusters_that_do_not_fix_the_next_are_refused():
    before, after, inputs, answers = machine()
    assert list(clusters(before, after, 0 * inputs, answers, np.zeros(1))) == []


def test_more_than_eight_clusters_are_too_many():
    h = np.arange(12.0)[:, None]
    x = np.zeros((11, 1), int)
    assert list(clusters(h[:-1], h[1:], x, np.arange(1, 12)[:, None], h[0])) == []


def test_labellings_are_all_up_to_the_order_of_the_bits():
    assert list(labellings(1)) == [(0,)]
    assert list(labellings(3)) == [(0, 1, 2), (0, 1, 3), (0, 3, 1)]
    assert sum(1 for _ in labellings(8)) == 5040 // 6
    assert all(len(set(labels)) == 4 for x in labellings(4) for labels in complements(x))
    assert as_bits(np.array([0, 1, 6]), 3).tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 1]]


def test_bits_are_turned_where_that_is_shorter():
    assert shortest_labels(2, lambda labels: labels[0] == 0) == (1, 0)

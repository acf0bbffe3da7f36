"""The methods one by one: each is right where it answers, and as short as a literal search says."""

import re
from itertools import count, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from symscope.expression import evaluate, number, parse
from symscope.extract.cost import cost
from symscope.extract.formula.affine_rule import affine_rule
from symscope.extract.formula.bank import Bank
from symscope.extract.formula.boolean_rule import boolean_rule
from symscope.extract.formula.decision_tree import decision_trees
from symscope.extract.formula.enumerated_rule import enumerated_rule
from symscope.extract.formula.equations import equations
from symscope.extract.formula.holds import holds, wrong_rows
from symscope.extract.formula.integer_program import Weights, between
from symscope.extract.formula.member_rule import member_rule
from symscope.extract.formula.plain import plain
from symscope.extract.formula.remainders import congruent
from symscope.extract.formula.sum_of_products import sum_of_products
from symscope.extract.formula.weighted_sum import above_zero, weighted_sum

METHODS = (affine_rule, boolean_rule, member_rule, enumerated_rule)
TEXTS = (
    "a", "-7", "a + b * 3", "not a", "max(a, b, 2)", "a < b < 4", "a and b or not c",
    "a if b else c", "a in (1, 2, -3)", "abs(a - b) % 5",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_a_name_costs_the_same_whatever_it_is(text):
    renamed = re.sub(r"\ba\b", "long_name", text)
    assert cost(renamed) == cost(text) == cost(f"( {text} )")
    assert cost(f"-({text})") == cost(text) + 1


def test_a_constant_costs_its_bits():
    assert [cost(str(k)) for k in (0, 1, 2, 3, 4, 7, 8, 16)] == [1, 2, 3, 3, 4, 4, 5, 6]
    assert cost("-3") == 4 and cost("0.5") == 54 and cost("2.0") == 3
    assert cost("max(a, b, c)") == cost("max(a, max(b, c))") == cost("a + b + c") == 5
    assert cost("a in (1, 2)") == 8


def test_an_expression_fails_on_the_rows_where_python_fails():
    x = np.arange(-3, 40)
    assert holds("x // 2", {"x": x}, x // 2)
    assert list(wrong_rows("x + (x == 5)", {"x": x}, x)) == [8]
    assert list(wrong_rows("0 // x", {"x": x}, 0 * x)) == [3]  # a batch says 0 there
    assert holds("0 if x == 0 else 0 // x", {"x": x}, 0 * x)


@settings(max_examples=40)
@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-40, 40))
def test_whole_weights_are_found_from_bounds(first, second, offset):
    matrix = np.random.default_rng(0).integers(-9, 10, (200, 3))
    value = matrix @ (first, second, 0) + offset
    assert between(matrix, value, value) == Weights((first, second, 0), offset)
    assert between(matrix, value + 0.25, value + 0.75) is None


@settings(max_examples=40)
@given(st.integers(2, 16), st.lists(st.integers(-20, 20), min_size=3, max_size=3))
def test_weights_modulo_m_are_found(modulus, weights):
    matrix = np.random.default_rng(0).integers(-50, 50, (300, 2))
    target = (matrix @ weights[:2] + weights[2]) % modulus
    found = congruent(matrix, target, modulus)
    assert found is not None
    assert [w % modulus for w in (*found.slopes, found.offset)] == [w % modulus for w in weights]
    assert max(map(abs, (*found.slopes, found.offset))) <= modulus / 2
    target[17] = (target[17] + 1) % modulus
    assert congruent(matrix, target, modulus) is None


@given(st.lists(st.integers(-3, 3), min_size=3, max_size=3))
def test_a_sum_and_its_comparison_are_written_as_they_are_computed(weights):
    grid = {
        n: c.ravel() for n, c in zip("ab", np.meshgrid(range(-5, 6), range(-5, 6)), strict=True)
    }
    given_ = Weights(tuple(weights[:2]), weights[2])
    value = weights[0] * grid["a"] + weights[1] * grid["b"] + weights[2]
    assert holds(weighted_sum("ab", given_), grid, value)
    assert holds(above_zero("ab", given_), grid, (value > 0).astype(int))


@pytest.mark.parametrize(
    "rule",
    [
        "x - 3 * y + 100", "(2 * x + 5 * y) % 11", "(3 * x + y - 1) // 5", "2 * x < y + 3",
        "max(x - y, 0)", "min(x + y, 7)", "min(max(x, -4), 4)", "2 * x == y + 1", "250 * x - y",
    ],
)  # fmt: skip
def test_every_way_to_wrap_a_weighted_sum_is_found(rule):
    x, y = (v.ravel() for v in np.meshgrid(range(-9, 10), range(-9, 10)))
    target = np.asarray(number(evaluate(parse(rule), {"x": x, "y": y})))
    found = affine_rule({"x": x, "y": y}, target)
    assert found is not None and cost(found) <= cost(rule) + 1, found


def test_columns_that_are_not_needed_are_left_out():
    columns = dict(zip("abcd", np.random.default_rng(0).integers(0, 9, (4, 300)), strict=True))
    assert affine_rule(columns | {"e": columns["a"] + columns["b"]}, columns["c"] + 2) == "c + 2"


def _cheapest_sums(bits):
    """The price of the cheapest sum of products of every set of inputs, by trying all unions."""
    every = list(product((0, 1), repeat=bits))
    prices = {}
    for literals in product((0, 1, 2), repeat=bits):
        rows = sum(
            1 << i for i, row in enumerate(every)
            if all(b in (2, v) for b, v in zip(literals, row, strict=True))
        )  # fmt: skip
        prices[rows] = 2 * sum(b != 2 for b in literals) + sum(b == 0 for b in literals)
    best = dict(prices)
    open_ = set(best)
    while open_:
        changed = set()
        for one in open_:
            for other, price in prices.items():
                if best[one] + price < best.get(one | other, 1000):
                    best[one | other] = best[one] + price
                    changed.add(one | other)
        open_ = changed
    return best


def test_a_sum_of_products_of_three_bits_is_the_cheapest():
    best = _cheapest_sums(3)
    matrix = np.array(list(product((0, 1), repeat=3)))
    for code in range(1, 255, 7):
        target = np.array([code >> i & 1 for i in range(8)])
        text = sum_of_products("abc", matrix, target)
        assert holds(text, dict(zip("abc", matrix.T, strict=True)), target)
        assert cost(text) == best[code] - 1, text


def test_inputs_that_were_not_seen_may_be_answered_either_way():
    matrix = np.array([[0, 0, 1], [1, 1, 1], [1, 1, 0]])
    assert sum_of_products("abc", matrix, np.array([0, 1, 1])) in ("a", "b")


@settings(max_examples=25)
@given(st.lists(st.integers(0, 1), min_size=16, max_size=16))
def test_a_boolean_rule_is_right_and_no_longer_than_the_table(target):
    matrix = np.array(list(product((0, 1), repeat=4)))
    columns, target = dict(zip("abcd", matrix.T, strict=True)), np.array(target)
    found = boolean_rule(columns, target)
    if found is not None:
        assert holds(found, columns, target) and cost(found) <= 16
    for form in (equations, sum_of_products):
        text = form("abcd", matrix, target)
        assert text is None or holds(text, columns, target)


def test_boolean_rules_take_their_shortest_form():
    columns = dict(zip("abcde", np.array(list(product((0, 1), repeat=5))).T, strict=True))
    a, b, c, d, e = columns.values()
    assert boolean_rule(columns, a ^ c ^ e) == "a ^ c ^ e"
    assert boolean_rule(columns, (a + b + c + d + e > 2) * 1) == "2 < a + b + c + d + e"
    assert boolean_rule(columns, (a != b) & (b == d) & (d != e)) == "a != b == d != e"
    assert boolean_rule(columns, a & b | c & d) == "a and b or (c and d)"
    assert boolean_rule(columns | {"n": a + 5 * b}, b & (1 - e)) == "b and (not e)"
    assert boolean_rule(columns, a + b) is None


def test_a_set_of_values_is_listed_from_its_smaller_side():
    x = np.arange(-2, 12)
    assert member_rule({"x": x}, np.isin(x, (-1, 4)) * 1) == "x in (-1, 4)"
    assert member_rule({"x": x}, 1 - np.isin(x, (3, 4))) == "x not in (3, 4)"
    assert member_rule({"x": x}, (x != 3) * 1) == "x != 3"
    assert member_rule({"x": np.arange(30)}, (np.arange(30) == 3) * 1) is None


def test_every_expression_in_a_bank_has_the_values_that_stand_beside_it():
    generator = np.random.default_rng(0)
    columns = {"x": generator.integers(-9, 10, 40), "bit": generator.integers(0, 2, 40)}
    bank = Bank(columns, (0, 1, 2, 3, -1), most=4000, nodes=12)
    assert next(level for level in count(1) if not bank.grow(level, end=np.inf)) > 6
    for i in range(0, bank.size, 7):
        text = bank.text(i)
        assert holds(text, columns, bank.values[i].astype(int)), text
        assert cost(text) == bank.costs[i], text
    assert len(np.unique(bank.values, axis=0)) == bank.size
    assert np.all(bank.find(bank.hashes) == np.arange(bank.size))


def test_no_expression_in_a_bank_has_more_nodes_than_allowed():
    bank = Bank({"x": np.arange(9), "y": np.arange(9) % 4}, (1, 2), most=3000, nodes=3)
    for level in range(1, 9):
        assert bank.grow(level, end=np.inf)
    assert bank.find(bank.projected(np.arange(9)[None] + 2)) >= 0
    assert bank.find(bank.projected((np.arange(9) + 2)[None] * (np.arange(9) % 4))) < 0


def test_a_tree_of_conditions_joins_what_is_right_in_part():
    generator = np.random.default_rng(0)
    columns = dict(zip("xyz", generator.integers(-20, 20, (3, 130)), strict=True))
    x, y, z = columns.values()
    bank = Bank(columns, (0, 1, 2, 3), most=2000, nodes=12)
    for level in range(1, 5):
        bank.grow(level, end=np.inf)
    for target in (np.where(x < y, z, x), np.where(x < y, z, np.where(y < z + 2, 3, y))):
        (found,) = decision_trees(bank, target, 7, 100)
        assert holds(found, columns, target), found
        assert not list(decision_trees(bank, target, 7, cost(found)))
    assert not list(decision_trees(bank, generator.integers(0, 9, 130), 7, 100))


@pytest.mark.parametrize("method", METHODS)
def test_every_method_finds_nothing_in_a_random_target(method):
    grid = np.meshgrid(range(5), range(6), range(5))
    columns = {n: c.ravel() for n, c in zip("abc", grid, strict=True)}
    target = np.random.default_rng(0).integers(0, 2, 150)
    assert method(columns, target, seconds=1, most_nodes=5, constants=(5,)) is None


@pytest.mark.parametrize(
    ("nested", "flat"),
    [
        ("(a + (b + c))", "a + b + c"),
        ("a + (b - (c + d))", "a + b - (c + d)"),
        ("a + ((b + c) - d)", "a + b + c - d"),
        ("a and (b and c)", "a and b and c"),
        ("a - (b - c)", "a - (b - c)"),
        ("a * (b + c)", "a * (b + c)"),
        ("a + b * c", "a + b * c"),
        ("(a == b) == c", "(a == b) == c"),
    ],
)
def test_a_sum_is_written_as_one_row_of_terms(nested, flat):
    assert plain(nested) == flat and cost(nested) == cost(flat)

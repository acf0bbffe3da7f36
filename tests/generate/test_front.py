"""Maps of algorithms over training and β: known courses have known names."""

import math

import pytest

from symscope.evidence import SymscopeError
from symscope.generate.reading import (
    PATTERNS,
    count_patterns,
    is_random_assignment,
    pattern,
    phases_of,
    rank_correlation,
    transition,
    transitions,
)

BETAS = [1e-8, 1e-6, 1e-4, 1e-2]
C, P, N, D = "convexity", "pudding_positive", "pudding_negative", "double_sided"


def grown(*lefts: int, name: str = P) -> list[list[str]]:
    """A map in which at each step so many of the lowest betas have left convexity."""
    return [[name] * left + [C] * (4 - left) for left in lefts]


def kl(phases, nats=3.0):
    return [[nats] * 4 for _ in phases]


def test_kl_that_falls_with_beta_has_a_rank_correlation_of_minus_one():
    assert rank_correlation(BETAS, [9, 5, 4, 0]) == pytest.approx(-1)
    assert rank_correlation(BETAS, [0, 0, 0, 0]) is None
    assert rank_correlation(BETAS[:2], [1, 2]) is None
    with pytest.raises(SymscopeError, match="one for each"):
        rank_correlation(BETAS, [1])


def test_assignment_is_random_when_nothing_is_memorised_and_the_loss_is_below_the_floor():
    assert is_random_assignment([0.01, 0.09], [0.2, 0.04], floor=0.099)
    assert not is_random_assignment([0.01, 0.1], [0.2, 0.04], floor=0.099)
    assert not is_random_assignment([0.01, 0.09], [0.2, 0.1], floor=0.099)


def test_the_transition_is_between_the_last_beta_that_left_and_the_next():
    assert transition(BETAS, [P, P, C, C]) == pytest.approx(1e-5)
    assert transition(BETAS, [C] * 4) is None
    assert transition(BETAS, [D] * 4) == math.inf
    assert transition(BETAS, ["none"] * 4) is None


def test_betas_may_come_in_any_order_and_unread_networks_are_passed_over():
    assert transition(BETAS[::-1], [C, C, P, P]) == pytest.approx(1e-5)
    assert transition(BETAS, [P, "none", "none", C]) == pytest.approx(1e-5)


def test_a_network_out_of_place_does_not_move_the_transition():
    betas = [10.0**-k for k in range(7, 0, -1)]
    assert transition(betas, [P, C, P, P, C, C, C]) == pytest.approx(10**-3.5)


def test_the_transition_of_a_map_rises_with_training():
    assert transitions(BETAS, grown(0, 1, 3)) == (
        None, pytest.approx(1e-7), pytest.approx(1e-3)
    )  # fmt: skip


@pytest.mark.parametrize(("letter", "phases"), [
    ("a", grown(0, 1, 2, 3)),
    ("a", grown(0, 1, 2, 3, name=N)),
    ("b", grown(0, 1, 2, 3, name=D)),
    ("c", [*grown(0, 1, 2), [D, P, C, C], [D, D, P, C]]),
    ("e", grown(0, 0, 0, 0)),
    ("e", [[D] * 4, [P] * 4, [C] * 4]),
    ("e", [["none"] * 4] * 3),
])  # fmt: skip
def test_known_courses_have_known_letters(letter, phases):
    assert pattern(BETAS, phases, kl(phases)) == letter


def test_a_change_at_every_beta_at_once_is_insensitive_only_with_a_kl_near_0():
    phases = grown(0, 0, 4, 4)
    assert pattern(BETAS, phases, kl(phases, 0.01)) == "d"
    assert pattern(BETAS, phases, kl(phases, 3.0)) == "a"
    assert pattern(BETAS, grown(0, 1, 2, 3), kl(phases, 0.01)) == "a"
    assert pattern(BETAS, grown(0, 1, 2, 3, 4), kl(grown(0, 1, 2, 3, 4), 0.01)) == "a"


def test_a_change_that_comes_to_each_beta_at_its_own_time_but_in_no_order_is_insensitive():
    mixed = [[C] * 4, [P, C, C, P], [P, P, C, P], [P] * 4]
    assert pattern(BETAS, mixed, kl(mixed, 0.01)) == "d"
    assert pattern(BETAS, mixed, kl(mixed, 3.0)) == "a"


def test_the_order_of_phases_is_that_of_training_and_signs_of_a_pudding_are_one():
    assert phases_of([[C, C], [P, N], [D, D]]) == ("convexity", "pudding", "double_sided")
    # one cell of twenty is no phase
    assert phases_of([[C] * 10, [P] * 9 + [D]]) == ("convexity", "pudding")


def test_patterns_are_counted_with_those_that_do_not_appear():
    assert count_patterns(["a", "a", "e"]) == {"a": 2, "b": 0, "c": 0, "d": 0, "e": 1}
    assert set(PATTERNS) == set("abcde")
    with pytest.raises(SymscopeError, match="no pattern"):
        count_patterns(["z"])


def test_a_map_whose_rows_do_not_fit_the_betas_is_refused():
    with pytest.raises(SymscopeError, match="a map of 4 betas"):
        pattern(BETAS, [[C, C]], [[0, 0]])
    with pytest.raises(SymscopeError, match="a KL is needed"):
        pattern(BETAS, grown(0, 1), [[0.0] * 4])

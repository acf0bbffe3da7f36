"""The name of an algorithm: right on held-out networks, "none" where nothing fits, and why."""

from dataclasses import replace

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.generate.by_hand import by_hand
from symscope.generate.reading import (
    ALGORITHMS,
    causal_tests,
    confusion,
    draw,
    fitted_boundaries,
    half_and_half,
    look,
    read_algorithm,
    right,
    shuffled,
)
from symscope.generate.reading.boundaries import SIDES, fit_boundaries, place
from symscope.generate.reading.classify import BEHAVES, CHOSEN, LOOKS, WORDS, _confirmed
from symscope.generate.reading.labelled import NONE, labelled
from symscope.models.perceptron import Weights
from symscope.tasks.functions import function

L1, SIZES = function("l1_norm", 8), (8, 24, 1)


def test_networks_of_other_seeds_than_the_bounds_were_fitted_on_are_named_right():
    good, count = right(confusion(21, seed=2, kinds=ALGORITHMS))
    assert count == 84 and good >= 0.95 * count


def test_networks_that_follow_no_algorithm_are_none():
    table = confusion(14, seed=2, kinds=NONE)
    assert right(table) == (56, 56), table


def test_interventions_confirm_what_the_weights_suggest():
    good, count = right(confusion(3, seed=3, causal=True, samples=1000))
    assert count == 24 and good >= 22


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_reading_says_which_conditions_speak_for_the_algorithm(algorithm):
    found = read_algorithm(by_hand(algorithm, SIZES, 4, 0.05), L1, samples=1000)
    assert found.algorithm == algorithm and 0.1 <= found.confidence <= 1
    cast = found.votes[algorithm]
    assert {vote.measure for vote in cast} == {m for m, _ in (*LOOKS[algorithm],
                                                              *BEHAVES[algorithm])}  # fmt: skip
    assert found.confidence == min(vote.margin for vote in cast)
    assert len(found.reasons) == len(cast)
    assert all(reason.startswith(f"for {algorithm}: ") for reason in found.reasons)
    for other in set(ALGORITHMS) - {algorithm}:
        assert not all(vote.holds for vote in found.votes[other])


def test_a_network_with_half_of_each_algorithm_is_none_with_a_reason_against_each():
    pair = [by_hand(a, SIZES, 5, 0.05) for a in ("double_sided", "pudding_negative")]
    found = look(half_and_half(*pair), draw(L1, 8, 0, 2000))
    assert found.algorithm == "none" and found.confidence == 0 and found.loss < 0.1
    for name in ALGORITHMS:
        assert any(reason.startswith(f"against {name}: ") for reason in found.reasons)


def test_a_pudding_of_mixed_signs_is_none_but_said_to_be_that():
    pair = [by_hand(a, SIZES, 5, 0.05) for a in ("pudding_positive", "pudding_negative")]
    found = look(half_and_half(*pair), draw(L1, 8, 0, 2000))
    assert found.algorithm == "none"
    assert found.reasons[0] == (
        "a pudding of mixed signs: kinks right of 0 for 4 inputs, left for 4"
    )


def test_a_network_that_does_not_compute_the_function_is_none():
    weights = by_hand("double_sided", SIZES, 4, 0.05)
    zero = Weights(*(tuple(torch.zeros_like(p) for p in parts) for parts in weights))
    turned = Weights((weights.matrices[0], -weights.matrices[1]), weights.biases)
    for other in (zero, turned, shuffled(weights)):
        found = read_algorithm(other, L1, samples=500)
        assert found.algorithm == "none" and found.loss > 0.9
        assert any("double_sided: loss" in reason for reason in found.reasons)
    assert read_algorithm(zero, L1, samples=500).order.double_sidedness is None


def test_a_network_that_looks_like_an_algorithm_but_does_not_behave_like_it_is_none():
    weights = by_hand("double_sided", SIZES, 4, 0.05)
    seen = look(weights, draw(L1, 8, 0, 1000))
    tests = causal_tests(weights, L1, "double_sided", 0, 1000, 3)
    assert _confirmed(seen, tests).algorithm == "double_sided"
    close = [replace(t, config={**t.config, "added": fitted_boundaries()["free_bends"].value})
             if t.claim == "linear_replacement" else t for t in tests]  # fmt: skip
    found = _confirmed(seen, tuple(close))
    assert found.algorithm == "double_sided" and found.confidence == 0
    for claim in ("rotation", "permuted_owners", "sided_ablation", "rebuilt.sparse"):
        wrong = {"rotation": 1.0, "permuted_owners": 1000.0}.get(claim, 0.1)
        failed = [replace(t, score=wrong) if t.claim == claim else t for t in tests]
        found = _confirmed(seen, tuple(failed))
        assert (found.algorithm, found.confidence) == ("none", 0)
        assert found.reasons[0] == "looks like double_sided, but does not behave like it"
        assert found.reasons[1].startswith("against double_sided: ") and len(found.reasons) == 2


def test_a_kink_made_by_units_that_nobody_owns_is_found_out():
    # the slopes of the owners are right, but half of the units' work is undone and done elsewhere:
    # two units read |x₀ + x₁| and take it away, the answer is no longer a sum over inputs
    first, last = by_hand("double_sided", SIZES, 4).matrices
    bias, offset = by_hand("double_sided", SIZES, 4).biases
    pair = torch.zeros(8, 2)
    pair[:2] = torch.tensor([[4.0, -4.0], [4.0, -4.0]])
    spoiled = Weights(
        (torch.cat([first, pair], 1), torch.cat([last, torch.full((2, 1), -0.08)])),
        (torch.cat([bias, torch.zeros(2)]), offset + 0.3),
    )
    seen = look(spoiled, draw(L1, 8, 0, 2000))
    assert seen.measures["kink"] > 0.7 and seen.measures["balance"] > 0.5
    assert read_algorithm(spoiled, L1, samples=1000).confidence < seen.confidence or (
        seen.algorithm == "none"
    )


def test_the_same_seed_reads_the_same_and_leaves_the_global_random_state_alone():
    weights, state = by_hand("pudding_positive", SIZES, 6, 0.2), torch.get_rng_state()
    first, second = (read_algorithm(weights, L1, 3, 500) for _ in range(2))
    assert first == second
    assert torch.equal(state, torch.get_rng_state())


def test_what_cannot_be_read_is_refused_in_the_users_words():
    weights = by_hand("convexity", (4, 8, 1), 0)
    with pytest.raises(SymscopeError, match="not the L1 norm"):
        read_algorithm(weights, function("sum_of_squares", 4))
    with pytest.raises(SymscopeError, match="a network of 4 inputs, but l1_norm_8 has 8"):
        read_algorithm(weights, L1)
    batch = Weights(*(tuple(p[None] for p in parts) for parts in weights))
    with pytest.raises(SymscopeError, match="choose one with"):
        read_algorithm(batch, function("l1_norm", 4))


def test_a_bound_is_in_the_middle_between_the_sides():
    assert place({"a": [3.0, 4.0]}, {"b": [0.0, 1.0]}) == (2.0, 1.0)
    assert place({"a": [3.0]}, {"far": [-9.0], "near": [1.0]}) == (2.0, 1.0)


def test_every_kind_counts_the_same_and_one_odd_network_of_many_does_not_move_a_bound():
    # the one network of "b" at 5 weighs as much as all of "c": best is to give up "b"
    assert place({"a": [3.0] * 4}, {"b": [5.0], "c": [1.0] * 50})[1] == 0.75
    value, accuracy = place({"a": [4.0] * 199 + [0.5]}, {"b": [0.0] * 200})
    assert (value, accuracy) == (2.0, 0.9975)
    with pytest.raises(SymscopeError, match="both of its sides"):
        place({"a": []}, {"b": [1.0]})


def test_every_condition_has_a_bound_that_separates_and_words_to_say_it():
    found = fitted_boundaries()
    assert list(found) == list(SIDES)
    for conditions in (*LOOKS.values(), *BEHAVES.values()):
        for measure, sign in conditions:
            assert measure in WORDS
            if measure in CHOSEN:
                continue
            bound = found[measure]
            typical = bound.typical_above if sign > 0 else bound.typical_below
            assert bound.accuracy > 0.95 and (typical - bound.value) * sign > 0


def test_bounds_fitted_again_on_few_networks_agree_with_those_kept():
    again = fit_boundaries(3, seed=9)
    for name in ("balance", "left", "right", "beyond_radius"):
        low, high = sorted((again[name].typical_below, again[name].typical_above))
        assert low < fitted_boundaries()[name].value < high
        assert again[name].accuracy > 0.95


def test_labelled_networks_are_the_same_for_the_same_seed_and_others_for_another():
    first, second, other = (
        list(labelled(("pudding_positive", "mixed"), 2, seed)) for seed in (0, 0, 1)
    )
    assert [network.kind for network in first] == ["pudding_positive"] * 2 + ["mixed"] * 2
    for a, b, c in zip(first, second, other, strict=True):
        assert torch.equal(a.weights.matrices[0], b.weights.matrices[0])
        assert not torch.equal(a.weights.matrices[1], c.weights.matrices[1])

"""What each change does to networks whose algorithm is known."""

import numpy as np
import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.generate.by_hand import by_hand
from symscope.generate.reading import (
    causal_tests,
    draw,
    formula_network,
    linear_replacement,
    owners,
    permuted_owners,
    rebuilt,
    rotation,
    shares,
    shuffled,
    sided_ablation,
)
from symscope.tasks.functions import function

SIZES, SAMPLES, DRAWS = (8, 24, 1), 2000, 5
L1 = function("l1_norm", 8)
OWNED = ("double_sided", "pudding_positive", "pudding_negative")
ASKED = {"samples": SAMPLES, "draws": DRAWS}


def made(algorithm, noise=0.05, seed=1):
    return by_hand(algorithm, SIZES, seed, noise)


def test_only_convexity_survives_rotations_and_every_algorithm_survives_renumbered_inputs():
    found = {name: rotation(made(name), L1, **ASKED) for name in (*OWNED, "convexity")}
    assert found["convexity"].score == pytest.approx(1, abs=0.15)
    for name in OWNED:
        assert found[name].low > 2
        assert found[name].controls["inputs renumbered"] == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("algorithm", OWNED)
def test_sided_ablation_takes_away_what_the_right_formula_predicts_and_no_other(algorithm):
    found = sided_ablation(made(algorithm), L1, algorithm, **ASKED)
    assert found.score > 0.9 and found.low <= found.score <= found.high
    assert max(found.controls.values()) < 0.7
    assert set(found.controls) == {*OWNED, "random units"} - {algorithm}
    assert found.config["own_side"] > 0.9


def test_sided_ablation_needs_an_algorithm_that_has_owners():
    with pytest.raises(UnknownName, match="convexity"):
        sided_ablation(made("double_sided"), L1, "convexity")


def test_what_nobody_owns_is_linear_in_a_pudding_and_is_all_there_is_in_convexity():
    pudding = linear_replacement(made("pudding_positive"), L1, **ASKED)
    assert pudding.score == pytest.approx(1, abs=0.1) and pudding.controls["random units"] > 2
    broken = linear_replacement(made("convexity"), L1, **ASKED)
    assert broken.score > 2


def test_a_linear_unit_is_its_own_linear_replacement():
    weights = made("pudding_negative", 0)
    found = linear_replacement(weights, L1, **ASKED)
    assert found.score == pytest.approx(1, abs=0.05)
    assert 0 < found.config["replaced"] < found.config["units"]


@pytest.mark.parametrize("algorithm", OWNED)
def test_owners_may_change_inputs_together_but_not_apart(algorithm):
    found = permuted_owners(made(algorithm), L1, **ASKED)
    assert found.score < 2 < found.controls["scattered"]


@pytest.mark.parametrize("algorithm", OWNED)
def test_the_network_is_rebuilt_from_its_formula_on_all_kinds_of_inputs(algorithm):
    found = {e.claim: e for e in rebuilt(made(algorithm), L1, algorithm, samples=SAMPLES)}
    assert set(found) == {"rebuilt.inputs", "rebuilt.sparse", "rebuilt.far"}
    for evidence in found.values():
        assert evidence.score > 0.93 and evidence.low <= evidence.score <= evidence.high
        assert evidence.controls["convexity"] < evidence.score - 0.1


def test_a_network_of_a_formula_is_rebuilt_exactly():
    x = draw(L1, 8, 0, 1000).x
    for name in OWNED:
        first = formula_network(made(name), name, x)
        again = formula_network(first, name, x)
        torch.testing.assert_close(
            again.run(torch.from_numpy(x).float()),
            first.run(torch.from_numpy(x).float()),
            atol=1e-3,
            rtol=0,
        )
    assert formula_network(made("double_sided"), "double_sided", x).sizes == (8, 16, 1)
    assert formula_network(made("pudding_positive"), "pudding_positive", x).sizes == (8, 9, 1)


def test_the_network_of_a_formula_has_its_owners():
    x = draw(L1, 8, 0, 1000).x
    for name in OWNED:
        assert shares(owners(formula_network(made(name), name, x))).rule == name


def test_convexity_is_rebuilt_from_other_directions():
    weights = by_hand("convexity", (4, 48, 1), 0)
    found = rebuilt(weights, function("l1_norm", 4), "convexity", samples=SAMPLES)
    assert found[0].score > 0.99


def test_shuffling_keeps_the_entries_and_loses_the_algorithm():
    weights = made("double_sided", 0)
    mixed = shuffled(weights, 3)
    first, after = weights.matrices[0], mixed.matrices[0]
    assert not torch.equal(first, after)
    assert torch.equal(first.flatten().sort().values, after.flatten().sort().values)
    assert torch.equal(after, shuffled(weights, 3).matrices[0])
    before = draw(L1, 8, 0, SAMPLES)
    outputs = mixed.run(torch.from_numpy(before.x).float())[:, 0].numpy()
    assert ((outputs - before.target) ** 2).mean() > 0.5


def test_the_tests_say_the_same_twice_and_leave_weights_and_random_state_alone():
    weights = made("double_sided")
    copies = [part.clone() for part in weights.matrices]
    state = torch.get_rng_state()
    first, second = (causal_tests(weights, L1, "double_sided", 5, 500, 3) for _ in range(2))
    assert first == second
    assert torch.equal(state, torch.get_rng_state())
    for part, copy in zip(weights.matrices, copies, strict=True):
        assert torch.equal(part, copy)
    assert {e.claim for e in first} - {e.claim for e in causal_tests(
        weights, L1, "none", 5, 500, 3)} == {"sided_ablation", "rebuilt.inputs", "rebuilt.sparse",
                                             "rebuilt.far"}  # fmt: skip


def test_the_slope_of_the_target_is_one_over_its_spread():
    drawn = draw(L1, 8, 0, 500)
    assert drawn.slope == pytest.approx(1 / float(L1.scale), rel=1e-4)
    np.testing.assert_allclose(drawn.target, L1.correct(torch.from_numpy(drawn.x))[:, 0], atol=1e-4)


def test_other_functions_and_other_sizes_are_refused():
    with pytest.raises(SymscopeError, match="not the L1 norm"):
        rotation(by_hand("convexity", (4, 8, 1), 0), function("sum_of_squares", 4), samples=100)
    with pytest.raises(SymscopeError, match="8 inputs, but l1_norm_4 has 4"):
        rotation(made("convexity"), function("l1_norm", 4), samples=100)

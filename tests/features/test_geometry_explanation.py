"""States made of known functions of the operands are explained by those, and by nothing else."""

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.features.geometry import (
    candidates,
    circles,
    explained_by,
    explanation,
    power_spectrum,
    random_functions,
    residual_colours,
)
from symscope.features.geometry.regression import held_out, in_sample

MODULUS = 7
BOTH = torch.cartesian_prod(torch.arange(MODULUS), torch.arange(1, MODULUS + 1))
A, B = BOTH.T
C = (A + B) % MODULUS
GROUPS = candidates(A, B, MODULUS)


def normal(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed)).double()


def made_of(noise=0.05, **parts):
    """States (49, 16): each named group in random directions, at the given size."""
    states = noise * normal(len(BOTH), 16, seed=9)
    for seed, (name, size) in enumerate(parts.items()):
        columns = GROUPS[name.replace("_", " ")]
        states += size * columns @ normal(columns.shape[1], 16, seed=seed)
    return states


def test_the_dictionary_has_every_word_once():
    kinds = [name.split(" of ")[0] for name in GROUPS]
    assert kinds.count("table") == kinds.count("parity") == 4 and "carry" in GROUPS
    assert sum(k.startswith("circle") for k in kinds) == 3 * 4
    assert torch.equal(GROUPS["carry"][:, 0] > 0, A + B >= MODULUS)
    assert torch.equal(GROUPS["table of c"].argmax(1), C)
    assert torch.allclose(GROUPS["circle 2 of c"], circles(A + B, MODULUS, (2,)))
    assert GROUPS["circle 1 of a − b"].shape == (49, 2)


def test_half_of_an_even_modulus_has_no_sine_and_constants_are_left_out():
    first, second = torch.cartesian_prod(torch.arange(4), torch.arange(4)).T
    assert candidates(first, second, 4)["circle 2 of a"].shape[1] == 1
    still = candidates(torch.zeros(4, dtype=torch.long), torch.arange(4), 4)
    assert "table of a" not in still and "parity of a" not in still and "table of b" in still


def test_what_states_are_made_of_is_found_the_strongest_first():
    states = made_of(circle_1_of_c=3.0, circle_2_of_a=1.0)
    steps = explanation(states, GROUPS, C)
    assert [s.config["group"] for s in steps] == ["circle 1 of c", "circle 2 of a"]
    assert steps[0].score < steps[1].score and steps[1].score > 0.97
    assert steps[1].controls["before"] == steps[0].score
    assert steps[0].controls["random_gain"] < steps[0].config["gain"] - 0.2
    assert steps[0].low < steps[0].score < steps[0].high


def test_noise_is_explained_by_nothing():
    assert explanation(normal(49, 16), GROUPS, C) == []


def test_a_table_that_is_needed_is_found():
    states = made_of(table_of_a=2.0)
    assert explanation(states, {k: v for k, v in GROUPS.items() if "table" in k})[0].config[
        "group"
    ] == ("table of a")


def test_in_sample_random_functions_explain_and_held_out_they_do_not():
    states, design = normal(49, 16), normal(49, 30, seed=3)
    assert in_sample(states, design) > 0.5 > 0 > held_out(states, design)
    told = explained_by(states, {"random": design})
    assert told.score < 0 and told.controls["in_sample"] > 0.5


def test_r2_is_that_of_the_pseudo_inverse():
    y, design = normal(49, 5), normal(49, 4, seed=2)
    centred, f = y - y.mean(0), design - design.mean(0)
    left = centred - f @ torch.linalg.pinv(f) @ centred
    expected = 1 - left.square().sum() / centred.square().sum()
    assert in_sample(y, design) == pytest.approx(float(expected))
    twice = torch.cat([design, design[:, :2], torch.ones(49, 1)], 1)  # nothing new in these
    assert in_sample(y, twice) == pytest.approx(float(expected))


def test_random_functions_are_functions_of_their_number():
    found = random_functions(C, 3)
    assert torch.equal(found[C == 2], found[C == 2][:1].expand(7, 3))
    assert not torch.equal(found, random_functions(C, 3, seed=1))


def test_colours_show_what_is_left():
    states = made_of(0.0, circle_1_of_c=3.0, circle_2_of_a=1.0)
    left = residual_colours(states, {"c": GROUPS["circle 1 of c"]}, A, B)
    assert left.shape == (MODULUS, MODULUS + 1, 3) and bool(left[:, 0].isnan().all())
    shown = left[:, 1:]
    assert float(shown.amin()) == 0.0 and float(shown[..., :2].amax()) == 1.0
    assert torch.allclose(shown, shown[:, :1].expand_as(shown), atol=1e-6)  # it depends on a alone
    nothing = residual_colours(states, {k: GROUPS[k] for k in ("circle 1 of c", "circle 2 of a")},
                               A, B)  # fmt: skip
    assert torch.equal(nothing[:, 1:], torch.full((7, 7, 3), 0.5).double())


def test_groups_of_other_prompts_and_moduli_are_refused():
    with pytest.raises(SymscopeError, match=r"'c' has the shape \(48, 2\), for 49 prompts"):
        explained_by(normal(49, 5), {"c": GROUPS["circle 1 of c"][1:]})
    with pytest.raises(SymscopeError, match="a modulus of 2 or more"):
        candidates(A, B, 1)


def test_numbers_that_share_a_vector_have_no_spectrum_of_rounding():
    with pytest.raises(SymscopeError, match="the same vector"):
        power_spectrum(torch.full((17, 3), 0.1))

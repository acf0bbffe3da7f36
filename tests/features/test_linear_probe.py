"""A linear read-out: what it reads, what it cannot, and that it leaves nothing behind."""

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.features import read_out


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


LABELS = torch.randint(5, (600,), generator=torch.Generator().manual_seed(1))
CODES = normal(5, 128)
CODED = CODES[LABELS] + normal(600, 128, seed=2) + 10.0
"""Each label has its direction, with noise, far from the origin."""
FITTED = normal(600, seed=3) > -0.5


def test_a_label_that_is_coded_linearly_is_read():
    right = read_out(CODED, LABELS, FITTED)
    assert right.dtype == torch.bool and len(right) == int((~FITTED).sum())
    assert float(right.float().mean()) > 0.95


def test_shuffled_labels_are_read_by_chance():
    mixed = LABELS[torch.randperm(600, generator=torch.Generator().manual_seed(4))]
    assert float(read_out(CODED, mixed, FITTED).float().mean()) < 0.3


def test_the_answers_stand_in_the_order_of_the_samples_left_out():
    """Those whose vectors are another label's are read wrong, and only those."""
    vectors, wrong = CODED.clone(), torch.zeros(600, dtype=torch.bool)
    wrong[:300] = ~FITTED[:300]
    vectors[wrong] = CODES[(LABELS[wrong] + 1) % 5] + 10.0
    right = read_out(vectors, LABELS, FITTED)
    assert float((right == ~wrong[~FITTED]).float().mean()) > 0.95


def test_the_scale_of_the_vectors_does_not_matter():
    right = read_out(CODED, LABELS, FITTED)
    assert torch.equal(read_out(1_000 * CODED - 7, LABELS, FITTED), right)


def test_unseen_numbers_are_read_digit_by_digit_where_digits_are_coded():
    numbers = torch.arange(100).repeat(12)
    digits = torch.stack([numbers % 10, numbers // 10], 1)
    codes = normal(2, 10, 96)
    vectors = codes[0, digits[:, 0]] + codes[1, digits[:, 1]] + 0.1 * normal(1_200, 96, seed=1)
    unseen = torch.isin(numbers, torch.tensor([7, 18, 23, 35, 42, 56, 61, 74, 89, 90]))
    by_digit = read_out(vectors, digits, ~unseen, epochs=15)
    assert float(by_digit.float().mean()) > 0.9
    whole = read_out(vectors, numbers, ~unseen, epochs=10)
    assert not bool(whole.any())
    half = digits.clone()  # one digit that nothing tells is enough for the whole to be wrong
    half[:, 1] = torch.randint(10, (1_200,), generator=torch.Generator().manual_seed(2))
    assert float(read_out(vectors, half, ~unseen, epochs=10).float().mean()) < 0.3


def test_the_same_seed_reads_the_same_and_torch_s_own_chance_is_left_alone():
    few = normal(600, 16, seed=5)
    torch.manual_seed(11)
    before = torch.get_rng_state()
    first = read_out(few, LABELS, FITTED, 0, 2)
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(12)
    assert torch.equal(read_out(few, LABELS, FITTED, 0, 2), first)
    assert not torch.equal(read_out(few, LABELS, FITTED, 1, 2), first)


def test_it_learns_where_gradients_are_switched_off():
    with torch.no_grad():
        assert float(read_out(CODED, LABELS, FITTED, epochs=10).float().mean()) > 0.5


def test_too_few_samples_to_fit_on_or_none_to_read_are_refused():
    few = torch.arange(600) < 19
    with pytest.raises(SymscopeError, match="19 of 600 samples to fit on"):
        read_out(CODED, LABELS, few)
    with pytest.raises(SymscopeError, match="600 of 600"):
        read_out(CODED, LABELS, torch.ones(600, dtype=torch.bool))

"""A few features of a family for each map: which are chosen, and what they say of it."""

from itertools import pairwise

import numpy as np
import pytest
import torch

from symscope.localize.heuristics.sparse import pursued

PROMPTS = 400
EVERY = torch.ones(PROMPTS, dtype=torch.bool)


def normal(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def orthogonal(count: int) -> torch.Tensor:
    """Features without a mean that have nothing to do with each other."""
    columns = normal(PROMPTS, count)
    return torch.linalg.qr(columns - columns.mean(0)).Q * 20


def test_of_orthogonal_features_the_true_ones_are_found_the_largest_first():
    features, weights = orthogonal(12), torch.tensor([[3.0, -2.0, 0.5], [0.4, 1.0, -5.0]])
    at = torch.tensor([[7, 2, 11], [0, 5, 3]])
    maps = torch.stack([features[:, at[i]] @ weights[i] + 4.0 for i in range(2)])
    found = {
        count: (fits, chosen) for count, fits, chosen in pursued(maps, features, EVERY, [1, 3])
    }
    assert list(found) == [1, 3]
    assert found[3][1].tolist() == [[7, 2, 11], [3, 5, 0]]
    torch.testing.assert_close(found[3][0], maps, atol=5e-3, rtol=0)
    alone = features[:, 7] * 3.0 + 4.0
    assert found[1][1].tolist() == [[7], [3]]
    torch.testing.assert_close(found[1][0][0], alone, atol=5e-3, rtol=0)


def test_the_fit_is_that_of_least_squares_on_the_features_chosen():
    features, maps = normal(PROMPTS, 30) + 2.0, normal(3, PROMPTS, seed=1)
    on = normal(PROMPTS, seed=2) > 0
    for count, fits, chosen in pursued(maps, features, on, [1, 2, 5]):
        assert chosen.shape == (3, count)
        for i in range(3):
            x = torch.cat([features[:, chosen[i]], torch.ones(PROMPTS, 1)], 1).double().numpy()
            weights, *_ = np.linalg.lstsq(x[on.numpy()], maps[i, on].double().numpy(), rcond=None)
            np.testing.assert_allclose(fits[i].numpy(), x @ weights, atol=2e-3)


def test_each_further_feature_leaves_less_and_the_first_are_kept():
    features, maps = normal(PROMPTS, 40), normal(5, PROMPTS, seed=1)
    found = list(pursued(maps, features, EVERY, range(1, 13)))
    left = torch.stack([(maps - fits).square().sum(1) for _, fits, _ in found])
    assert bool((left.diff(dim=0) < 0).all())
    assert bool((left[0] < (maps - maps.mean(1, keepdim=True)).square().sum(1)).all())
    for (_, _, fewer), (_, _, more) in pairwise(found):
        assert torch.equal(more[:, :-1], fewer)


def test_what_maps_are_elsewhere_does_not_matter():
    features, maps = normal(PROMPTS, 20), normal(3, PROMPTS, seed=1)
    on = torch.arange(PROMPTS) < 150
    other = maps.clone()
    other[:, ~on] = 100.0
    for (_, fits, chosen), (_, again, same) in zip(
        pursued(maps, features, on, [1, 4]), pursued(other, features, on, [1, 4]), strict=True
    ):
        assert torch.equal(fits, again) and torch.equal(chosen, same)
    ((_, _, everywhere),) = pursued(other, features, EVERY, [4])
    assert not torch.equal(everywhere, chosen)


def test_no_feature_is_chosen_twice_nor_its_twin_while_another_tells_more():
    features = normal(PROMPTS, 20)
    twins = torch.cat([features, features, 3 * features + 1], 1)
    maps = (twins[:, [4, 9]] @ torch.tensor([5.0, 3.0]))[None] + normal(4, PROMPTS, seed=1)
    ((_, _, chosen),) = pursued(maps, twins, EVERY, [15])
    assert all(len(set(row)) == 15 for row in chosen.tolist())
    assert all(len({c % 20 for c in row}) == 15 for row in chosen.tolist())


def test_a_map_that_is_one_feature_gets_others_rather_than_that_one_again():
    features = orthogonal(6)
    ((_, fits, chosen),) = pursued(100 * features.T[:2], features, EVERY, [4])
    assert chosen[:, 0].tolist() == [0, 1]
    assert all(len(set(row)) == 4 for row in chosen.tolist())
    torch.testing.assert_close(fits, 100 * features.T[:2], atol=0.1, rtol=0)


def test_a_feature_that_never_changes_is_of_no_use():
    features = torch.cat([torch.full((PROMPTS, 1), 7.0), normal(PROMPTS, 3)], 1)
    maps = normal(2, PROMPTS, seed=1)
    ((_, fits, chosen),) = pursued(maps, features, EVERY, [3])
    assert not bool((chosen == 0).any()) and bool(fits.isfinite().all())


@pytest.mark.parametrize("scale", [1e-2, 1e3])
def test_the_length_of_a_feature_does_not_matter(scale):
    features, maps = normal(PROMPTS, 20), normal(3, PROMPTS, seed=1)
    lengths = scale ** torch.rand(20, generator=torch.Generator().manual_seed(2))
    ((_, fits, chosen),) = pursued(maps, features, EVERY, [5])
    ((_, same, again),) = pursued(maps, features * lengths, EVERY, [5])
    assert torch.equal(chosen, again)
    torch.testing.assert_close(fits, same, atol=1e-4, rtol=1e-4)

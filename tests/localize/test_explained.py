"""What families of features explain of a map, on prompts it was not fitted on."""

import pytest
import torch

from symscope.localize.heuristics.explained import (
    explained,
    fitted,
    operand_tables,
    waves,
    with_fits,
)
from symscope.localize.heuristics.maps import neuron_maps
from symscope.localize.heuristics.types import heuristics
from symscope.models.load import build
from symscope.network import Network
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=30, numbers=60)
PROMPTS = TASK.prompts()
A, B, Y = PROMPTS[:, 0], PROMPTS[:, 2], TASK.answers(PROMPTS)
HALF = torch.rand(len(A), generator=torch.Generator().manual_seed(0)) < 0.5
MAPS = {
    "table": torch.randn(30, generator=torch.Generator().manual_seed(1))[A]
    + torch.randn(30, generator=torch.Generator().manual_seed(2))[B],
    "wave of the sum": torch.cos(2 * torch.pi * Y / 7),
    "pattern": ((Y % 5 == 2) & (Y >= 0)).float() + (A < 10).float(),
}
FAMILIES = {
    "tables": operand_tables(A, B),
    "waves": waves((A, B, Y), (7, 11)),
    "patterns": heuristics(A, B, Y)[1].T.float(),
}


@pytest.mark.parametrize(
    ("name", "by", "high"),
    [
        ("table", "tables", True), ("table", "waves", False),
        ("wave of the sum", "waves", True), ("wave of the sum", "tables", False),
        ("pattern", "patterns", True), ("pattern", "waves", False),
        ("wave of the sum", "patterns", True),  # it is a sum of "answer = r mod 7"
    ],
)  # fmt: skip
def test_a_map_is_explained_by_what_it_was_made_of_and_not_by_others(name, by, high):
    maps = MAPS[name][None]
    found = float(explained(maps, fitted(maps, FAMILIES[by], HALF), ~HALF)[0])
    assert (found > 0.97) == high and (high or found < 0.6)


def test_noise_is_not_explained_on_prompts_it_was_not_fitted_on():
    noise = torch.randn(3, len(A), generator=torch.Generator().manual_seed(3))
    fits = fitted(noise, FAMILIES["patterns"], HALF)
    assert explained(noise, fits, HALF).min() > 0.15 and explained(noise, fits, ~HALF).max() < 0
    assert bool(explained(torch.ones(1, len(A)), fits[:1], HALF).isnan())


def test_a_network_with_perfect_fits_answers_as_it_did_and_with_means_all_alike():
    network = Network(build("transformer", len(TASK.vocabulary), 16, 0, layers=2, heads=2))
    maps = {layer: m for layer, _, m in neuron_maps(network, PROMPTS)}
    with torch.no_grad():
        plain = network.run(PROMPTS).output[:, -1]
    near = {layer: m + 1e-6 for layer, m in maps.items()}
    torch.testing.assert_close(with_fits(network, PROMPTS, near), plain, atol=1e-3, rtol=1e-3)
    last = {1: maps[1].mean(1, keepdim=True).expand_as(maps[1])}
    assert not torch.allclose(with_fits(network, PROMPTS, last), plain, atol=1e-3)

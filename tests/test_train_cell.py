"""Training a GRU or an Elman network on integers: perfect on easy tasks, the scales taken in."""

import pytest
import torch

from symscope import train_cell as module
from symscope.evidence import ComputationFailed
from symscope.models.copies import Scales
from symscope.models.real_rnn import build_real, shape_of
from symscope.tasks import algorithm
from symscope.train_cell import CellPlan, train_cell

QUICK = CellPlan(batch=32, steps=500, rate=2e-2, cool=250)


@pytest.fixture(autouse=True)
def fewer_sequences(monkeypatch):
    for name, count in (("_POOL", 2048), ("LOOKED_AT", 512), ("ACCEPTED", 2000)):
        monkeypatch.setattr(f"symscope.train_copies.{name}", count)


@pytest.mark.parametrize("architecture", ["real_gru", "real_elman"])
def test_an_easy_task_is_learned_and_the_evidence_says_how(architecture):
    network, evidence = train_cell(algorithm("bitwise_xor"), architecture, 6, QUICK)
    assert shape_of(network)["architecture"] == architecture
    assert evidence.score == 1 and evidence.config["margin"] > 0.1
    assert evidence.controls["untrained"] < 0.1 and evidence.config["first"] <= 500


def test_the_scales_become_part_of_the_weights():
    network = build_real("real_gru", 2, 4, 1, seed=3)
    scales = Scales(*map(torch.tensor, ([3.0, -1.0], [2.0, 5.0], [7.0], [1.5])))
    x = torch.randn(6, 5, 2)
    read = network((x - scales.middle) / scales.half) * 1.5 + 7.0
    assert torch.allclose(module._as_they_are(network, scales)(x), read, atol=1e-5)


def test_a_loss_that_is_no_number_is_an_error():
    with pytest.raises(ComputationFailed, match="at step"):
        train_cell(algorithm("sum_all"), "real_elman", 4, CellPlan(rate=float("inf"), steps=50))

"""A network trained to keep variables at given units keeps them there; plain training does not."""

import pytest
import torch

from symscope.align.swap import Swap
from symscope.evidence import ComputationFailed
from symscope.featurizer import Identity
from symscope.interchange_training import interchange_training
from symscope.models.compiled import family
from symscope.models.mlp import ResidualMLP
from symscope.models.mlp_rnn import MLPRNN
from symscope.models.rnn import RNN
from symscope.network import Network
from symscope.site import Site
from symscope.tasks import Counting

FEED_FORWARD = {
    "left": Site("blocks.0", units=range(8)),
    "right": Site("blocks.0", units=range(8, 16)),
}
RECURRENT = {
    "carry": Site("rnn", "state", units=range(8)),
    "digit": Site("rnn", "state", units=range(8, 16)),
}


def fresh(make) -> Network:
    torch.manual_seed(0)
    return Network(make())


def mlp() -> ResidualMLP:
    return ResidualMLP(4, 4, 32, [128, 64], 2)


def iia(network, task, program, variable, site):
    pairs = task.pairs(program, (variable,), 200, 9, "test")
    swap = Swap(network, Site(site.module, site.part), pairs)
    return float(swap.right(Identity(swap.width), list(site.units)).float().mean())


@pytest.mark.parametrize(
    ("name", "make", "places", "steps"),
    [
        ("hierarchical_equality", mlp, FEED_FORWARD, 800),
        ("adder", lambda: MLPRNN(4, 16, 64, 2), RECURRENT, 250),
    ],
)
def test_variables_are_kept_where_they_were_told_to(name, make, places, steps):
    task = family(name).task
    told, plain = fresh(make), fresh(make)
    assert interchange_training(told, task, task.program, places, steps).score > 0.99
    assert interchange_training(plain, task, task.program, {}, steps).score > 0.99
    for variable, site in places.items():
        assert iia(told, task, task.program, variable, site) > 0.95
        assert iia(plain, task, task.program, variable, site) < 0.8


def test_a_gru_learns_to_count_on_given_units():
    task = Counting("multi", highest=3, held_out=())
    network = fresh(lambda: RNN("gru", 9, 24))
    places = {"count": Site("rnn", "state", units=range(12))}
    before = iia(network, task, task.program, "count", places["count"])
    interchange_training(network, task, task.program, places, steps=150, rate=1e-2)
    assert iia(network, task, task.program, "count", places["count"]) > before + 0.3


def test_the_same_seed_trains_the_same_network():
    task = family("hierarchical_equality").task
    weights = []
    for _ in range(2):
        network = fresh(mlp)
        interchange_training(network, task, task.program, FEED_FORWARD, 5, seed=4)
        weights.append(network.module.readout.weight.detach().clone())
    assert torch.equal(*weights)


def test_a_training_that_meets_no_number_stops_and_says_when():
    task = family("hierarchical_equality").task
    network = fresh(mlp)
    with torch.no_grad():
        network.module.readout.weight[0, 0] = float("nan")
    with pytest.raises(ComputationFailed, match="nan at training step 1"):
        interchange_training(network, task, task.program, FEED_FORWARD, 3)

"""Lists of places: what there is, under which keys, and what is not there."""

import pytest
import torch
from torch import nn

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.localize.places import KINDS, places, stage_of
from symscope.models.transformer import Transformer
from symscope.network import Network
from symscope.site import Site

NETWORK = Network(Transformer(7, 8, layers=2, heads=2))


def test_the_residual_stream_is_listed_by_block_and_position():
    found = places(NETWORK, "residual", range(3))
    assert list(found) == [(b, p) for b in range(2) for p in range(3)]
    assert found[1, 2] == Site("blocks.1", "input", 2)


def test_heads_and_neurons_are_listed_by_block_and_column():
    heads = places(NETWORK, "head")
    assert list(heads) == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert heads[1, 0] == Site("blocks.1.attention.out", "input", head=(0, 2))
    neurons = places(NETWORK, "neuron")
    assert len(neurons) == 2 * 32 and neurons[1, 31] == Site("blocks.1.mlp.1", units=(31,))


def test_positions_come_third_where_there_are_columns():
    found = places(NETWORK, "q", [4], blocks=[1])
    assert found == {(1, h, 4): Site("blocks.1.attention.q", position=4, head=(h, 2))
                     for h in range(2)}  # fmt: skip


def test_positions_may_have_names_and_differ_between_samples():
    found = places(NETWORK, "mlp", {"end": -1, "root": torch.tensor([0, 3])})
    assert found[0, "root"] == Site("blocks.0.mlp", position=(0, 3))
    assert found[1, "end"] == Site("blocks.1.mlp", position=-1)


def test_without_positions_all_steps_are_one_place():
    found = places(NETWORK, "attention")
    assert found == {(b, None): Site(f"blocks.{b}.attention") for b in range(2)}


def test_some_blocks_and_columns_may_be_kept():
    assert list(places(NETWORK, "pattern", blocks=[1], columns=[0])) == [(1, 0)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_a_stage_that_the_network_has(kind):
    for (block, *_), site in places(NETWORK, kind).items():
        NETWORK.at(site)
        stage = stage_of(site)
        assert stage is not None and stage[0] == block


def test_what_leaves_a_block_is_what_enters_the_next():
    assert stage_of(Site("blocks.0")) == stage_of(Site("blocks.1", "input")) == (1, "input")
    assert stage_of(Site("embed")) is None and stage_of(Site("blocks.0.norm1")) is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "layer"}, "unknown kind of place 'layer'; there is 'residual'"),
        ({"blocks": [2]}, "unknown block 2; there is 0, 1"),
        ({"columns": [2]}, "unknown head 2; there is 0, 1"),
        ({"kind": "neuron", "columns": [32]}, "unknown unit 32"),
        ({"positions": [5], "length": 5}, "unknown position 5; there is 0, 1, 2, 3, 4"),
        ({"positions": {"a": (0, -6)}, "length": 5}, "unknown position -6"),
    ],
)
def test_what_is_not_there_is_named_with_what_there_is(options, message):
    with pytest.raises(UnknownName, match=message):
        places(NETWORK, **{"kind": "head", **options})


def test_another_network_s_sites_are_named():
    with pytest.raises(SymscopeError, match=r"layout of a Sequential is not known.*\['0'\]"):
        places(Network(nn.Sequential(nn.Linear(2, 2))), "residual")

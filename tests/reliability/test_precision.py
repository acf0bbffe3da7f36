"""Every kind of method gives in float32 what it gives in float64, but for rounding."""

import copy

import pytest
import torch

from oracles import UP_DOWN
from reliability.in_two_precisions import STATE, Found
from reliability.precision import APART, BOUND, CASES, difference, precision
from symscope.align import Search, examine
from symscope.align.real import RealSwap
from symscope.alignment import Alignment, blocks
from symscope.features.dictionaries import (
    Training,
    fit_dictionary,
    load_dictionary,
    save_dictionary,
)
from symscope.featurizer import Rotation
from symscope.generate.baselines import untrained
from symscope.models.perceptron import perceptron
from symscope.network import Network
from symscope.site import Site
from symscope.tasks import Counting
from symscope.tasks.functions import function

KINDS = ("run", "interchange", "featurizer", "patching", "attribution", "integrated_gradients",
         "edges", "explanation", "circle", "classifier_axes", "hypernetwork")  # fmt: skip
QUICK = [name for name in CASES if name.split(".")[0] in KINDS]
FITTED = ["align.das_once", "align.null", "dictionary.topk", "dictionary.gated", "dictionary.pca"]


def test_what_is_computed_without_a_search_is_the_same_but_for_rounding():
    for found in precision(QUICK, seeds=1):
        assert found.score <= BOUND and not found.note, found
        assert max(found.controls.values()) > BOUND, found  # the check sees what is no rounding


@pytest.mark.parametrize("name", FITTED)
def test_what_is_fitted_ends_with_as_good_a_score(name):
    (found,) = precision([name], seeds=1)
    assert found.score <= (APART if found.config["searches"] else BOUND), found
    assert min(found.controls.values()) > found.config["largest_difference"], found


def test_a_claim_about_a_network_in_float64_has_all_its_controls():
    task, network = Counting("multi"), Network(copy.deepcopy(UP_DOWN.network.module).double())
    blank = Network(copy.deepcopy(network.module))
    counts, few = {"fit": 60, "validation": 40, "test": 40}, Search(steps=2, most=2)
    found, record = examine(network, task, blocks("up_down", STATE, Rotation(8, 1), {"count": 1}),
                            blank, few, 0, counts)  # fmt: skip
    assert found["count"].featurizer.weight.dtype == torch.float64
    assert {"untrained_rotation", "random_subspace", "probe_direction"} <= set(record.controls)


def test_numbers_are_given_to_a_network_in_float64_in_its_precision():
    task = function("l1_norm", 3)
    network = Network(perceptron(untrained((3, 6, 1), 0), "relu").double())
    pairs = task.pairs(task.hypothesis("double_sided"), ("p_0",), 20, 0, "test")
    swap = RealSwap(network, Site("hidden.0"), pairs)
    assert swap.base.dtype == swap.target.dtype == torch.float64
    swap.loss(Rotation(6, 2).double(), [0], torch.arange(20)).backward()


def test_the_difference_is_a_share_of_the_largest_number_and_1_where_shapes_differ():
    one, other = Found(torch.tensor([1.0, 4.0])), Found(torch.tensor([1.0, 5.0]))
    assert difference(one, other) == pytest.approx(0.2) and difference(one, one) == 0
    assert difference(Found(torch.zeros(3)), other) == 1


def test_an_alignment_in_float64_is_read_as_it_was_written(tmp_path):
    rotation = Rotation(6, 2, seed=1).double()
    with torch.no_grad():
        rotation.weight += 1e-12
    begun = blocks("program", Site("rnn", "state"), rotation, {"count": 2})
    begun.save(tmp_path / "alignment.safetensors")
    read = Alignment.load(tmp_path / "alignment.safetensors")["count"].featurizer
    assert torch.equal(read.weight, rotation.weight) and read.weight.dtype == torch.float64


def test_a_dictionary_in_float64_is_fitted_and_read_in_float64(tmp_path):
    vectors = torch.randn(200, 6, generator=torch.Generator().manual_seed(0)).double()
    plan = Training(steps=3, batch=50)
    fitted = fit_dictionary(vectors, "topk", size=8, sparsity=2, training=plan)
    save_dictionary(tmp_path / "dictionary.safetensors", fitted)
    read = load_dictionary(tmp_path / "dictionary.safetensors")
    for one in (fitted, read):
        assert one.decoder.dtype == torch.float64 and one.encode(vectors).dtype == torch.float64
    assert torch.equal(read.decoder, fitted.decoder)

"""Every method that there is runs on a language model as it does on any other network."""

from functools import partial

import pytest
import torch

from families import folder
from symscope.align import Search, blocks, examine
from symscope.features import classifier_axes
from symscope.features.probe import probed
from symscope.featurizer import Rotation
from symscope.intervention.natural import natural_vectors
from symscope.localize import (
    attribution,
    edges,
    edges_against_patching,
    find_circuit,
    literal_patched,
    patched,
    places,
    smallest_set,
    sweep,
)
from symscope.network import Network
from symscope.site import Site
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=8, numbers=16)
FAMILIES = pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox"])


def network(family: str) -> Network:
    return Network.from_pretrained(folder(family))


@FAMILIES
def test_a_patch_of_everything_is_the_source_and_of_nothing_the_base(family):
    net = network(family)
    pairs = TASK.counterfactuals("all", 12, 0)
    whole = [Site(net.layout.embed)]
    kinds = ("residual", "attention", "head", "q", "k", "v", "mlp")
    some = [site for kind in kinds for site in places(net, kind, [3]).values()]
    found = patched(net, pairs.base, pairs.source, [*whole, *some])
    with torch.no_grad():
        source = net.run(pairs.source).output[:, -1]
    torch.testing.assert_close(found[0], source, atol=1e-4, rtol=1e-4)
    assert torch.equal(found, literal_patched(net, pairs.base, pairs.source, [*whole, *some]))
    assert bool((found[1:] != source).any(-1).all())


@FAMILIES
def test_sweeps_and_smallest_sets(family):
    net = network(family)
    pairs = TASK.counterfactuals("all", 24, 1)
    with torch.no_grad():  # what the source makes it say, so that a patch can succeed
        pairs.target[:, -1] = net.run(pairs.source).output[:, -1].argmax(-1)
    (swept,) = sweep(net, pairs, places(net, "residual", [0, 3]))
    assert len(swept.config["places"]) == 4 and 0 <= swept.score <= 1
    few = smallest_set(net, pairs, places(net, "head") | places(net, "mlp"))
    assert few.n == 12 and len(few.config["set"]) >= 1


@FAMILIES
def test_an_alignment_is_searched_for_with_all_its_controls(family):
    net = network(family)
    site = Site(f"{net.layout.blocks}.0")
    start = blocks("arithmetic", site, Rotation(16, 4), {"first": 4})
    counts = {"fit": 40, "validation": 20, "test": 20}
    search = Search(steps=4, most=4, batch=20)
    untrained = Network(network(family).module)
    _, evidence = examine(net, TASK, start, untrained, search, 0, counts)
    assert 0 <= evidence.score <= 1 and len(evidence.controls) >= 6


def test_probes_and_axes():
    net = network("llama")
    prompts = TASK.prompts()
    site = net.layout.site(1, "residual").at(3)
    vectors = natural_vectors(net, prompts, site)
    axes = classifier_axes(vectors, TASK.answers(prompts) % 2, 2)
    assert axes.size == 2
    read = natural_vectors(net, prompts, Site(net.layout.embed, position=0))
    assert probed(read, prompts[:, 0]).accuracy > 0.9


@FAMILIES
def test_attribution_estimates_patching_between_prompts_that_hardly_differ(family):
    """The tokens' vectors are drawn together, so that the network is linear in the difference."""
    net = network(family)
    with torch.no_grad():
        weight = net.modules[net.layout.embed].weight
        mean = weight.mean(0)
        weight.sub_(mean).mul_(1e-3).add_(mean)
    net.module.double()
    pairs = TASK.counterfactuals("all", 8, 0)
    listed = (places(net, "residual", [0, 3]), places(net, "mlp", [3]), places(net, "v", [3]),
              places(net, "neuron", [3], [1], [2]))  # fmt: skip
    at = [site for some in listed for site in some.values()]

    def metric(logits: torch.Tensor) -> torch.Tensor:
        return logits[:, 0] - logits[:, 1]

    with torch.no_grad():
        plain = metric(net.run(pairs.base).output[:, -1])
        exact = metric(patched(net, pairs.base, pairs.source, at).flatten(0, 1))
    exact = exact.view(len(at), -1) - plain
    found = attribution(net, pairs.base, pairs.source, at, metric)
    moves = exact.abs().amax(1) > 0  # "=" is the same in all prompts until it has seen them
    error = (found - exact).abs().amax(1)[moves] / exact.abs().amax(1)[moves]
    assert float(error.max()) < 0.1 and int(moves.sum()) >= 8
    assert not bool(found[~moves].any())


@pytest.mark.parametrize("family", ["llama", "gpt2", "gpt_neox", "gemma2"])
def test_a_circuit_is_found_and_scored_beside_random_ones(family):
    net = network(family)
    pairs = TASK.counterfactuals("all", 40, 0)
    with torch.no_grad():
        base, source = (net.run(x).output[:, -1] for x in (pairs.base, pairs.source))
    circuit, found = find_circuit(
        net, pairs.base, pairs.source, family, partial(along, source - base), steps=2
    )
    assert [one.claim.removeprefix(family) for one in found] == [
        ".faithfulness", ".completeness", ".minimality"
    ]  # fmt: skip
    assert 0 < len(circuit) < len(edges(net)) and circuit <= set(edges(net))
    faithful = found[0]
    assert abs(1 - faithful.controls["on_the_pairs_it_was_chosen_on"]) <= 0.1
    assert abs(1 - faithful.score) < abs(1 - faithful.controls["random_circuits"])
    ranked = edges_against_patching(
        net, pairs.base, pairs.source, family, partial(along, source - base), most=40
    )
    assert ranked.score > ranked.controls["shuffled_95"]


def along(change: torch.Tensor, logits: torch.Tensor) -> torch.Tensor:
    """How far the logits lie in the direction in which the source changes them."""
    return (logits * change).sum(-1) / change.norm(dim=-1)

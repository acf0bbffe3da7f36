"""Attribution: what patching would do, from one backward pass; edges' scores likewise."""

import pytest
import torch

from attention_by_hand import induction, induction_inputs
from symscope.evidence import SymscopeError
from symscope.localize import literal_patched
from symscope.localize.attribution import (
    against_patching,
    agreement,
    attribution,
    rank_correlation,
    towards_source,
)
from symscope.localize.eap import edge_scores
from symscope.localize.edges import edge_runs, edges
from symscope.localize.head_roles import head_sites
from symscope.models.transformer import Transformer
from symscope.network import Network
from symscope.site import Site

EMBED = Site("embed")
TOKENS, STEPS, PAIRS = 9, 6, 70
"""More pairs than are taken at once."""


def build(norm: bool = True) -> Network:
    torch.manual_seed(3)
    return Network(Transformer(TOKENS, 16, 2, 2, norm=norm).requires_grad_(False))


def draw(seed: int) -> torch.Tensor:
    return torch.randint(TOKENS, (PAIRS, STEPS), generator=torch.Generator().manual_seed(seed))


BASE, SOURCE = draw(0), draw(1)
LAST = STEPS - 1
PLACES = [
    Site("blocks.1", "input", LAST),
    Site("blocks.0.attention", position=LAST),
    Site("blocks.1.attention.out", "input", head=(1, 2)),
    Site("blocks.0.attention.k", position=2, head=(0, 2)),
    Site("blocks.1.mlp", position=LAST),
    Site("blocks.0.mlp.1", position=LAST, units=(3,)),
    Site("blocks.1", "input", tuple(i % STEPS for i in range(PAIRS))),
]


def hardly_differ() -> Network:
    """A network whose tokens differ so little that it is linear in the difference.

    What queries and keys do is then of second order, as the values they choose from hardly differ.
    """
    network = build()
    with torch.no_grad():
        mean = network.module.embed.weight.mean(0)
        network.module.embed.weight.sub_(mean).mul_(1e-3).add_(mean)
    network.module.double()
    return network


def first_two(logits):
    return logits[:, 0] - logits[:, 1]


def exact(network, places, base, source, metric=None):
    metric = metric or towards_source(network, BASE, SOURCE)
    with torch.no_grad():
        plain = metric(network.run(base).output[:, -1])
        return torch.stack([metric(x) - plain
                            for x in literal_patched(network, base, source, places)])  # fmt: skip


@pytest.mark.parametrize("steps", [0, 4])
def test_a_small_change_is_estimated_exactly(steps):
    network = hardly_differ()
    truth = exact(network, PLACES, BASE, SOURCE, first_two)
    found = attribution(network, BASE, SOURCE, PLACES, first_two, steps)
    size = truth.abs().amax(1)
    error = (found - truth).abs().amax(1) / size
    first_order = torch.tensor(["attention.k" not in str(place) for place in PLACES]) | (steps == 0)
    assert error[first_order].max() < 0.05 and size[first_order].min() > 1e-8


def test_a_place_that_acts_linearly_is_estimated_exactly():
    network = build(norm=False)
    places = [Site("blocks.1.mlp", position=LAST), Site("blocks.1", position=LAST),
              Site("blocks.1.mlp.1", position=LAST, units=(5,))]  # fmt: skip
    found = attribution(network, BASE, SOURCE, places)
    torch.testing.assert_close(found, exact(network, places, BASE, SOURCE), atol=1e-4, rtol=1e-3)


def test_of_a_pattern_the_row_of_the_step_is_meant():
    network = hardly_differ()
    sites = [Site("blocks.1.attention.pattern", position=LAST, head=(1, 2)),
             Site("blocks.1.attention.pattern", position=LAST)]  # fmt: skip
    truth = exact(network, sites, BASE, SOURCE, first_two)
    found = attribution(network, BASE, SOURCE, sites, first_two)
    torch.testing.assert_close(found, truth, atol=0.02 * truth.abs().max(), rtol=0)
    assert (found[0] != found[1]).all()


def test_several_sites_in_one_place_add_up_and_may_be_taken_elsewhere():
    network = build(norm=False)
    one, other = Site("blocks.1.mlp", position=LAST), Site("blocks.0.mlp", position=LAST)
    single = attribution(network, BASE, SOURCE, [one, other])
    torch.testing.assert_close(attribution(network, BASE, SOURCE, [(one, other)])[0], single.sum(0))
    moved = attribution(network, BASE, SOURCE, [one], at_source=[one.at(0)])
    truth = literal_patched(network, BASE, SOURCE, [one], [one.at(0)])[0]
    metric = towards_source(network, BASE, SOURCE)
    plain = metric(network.run(BASE).output[:, -1])
    torch.testing.assert_close(moved[0], metric(truth) - plain, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("norm", [True, False])
def test_integrated_gradients_of_the_embedding_add_up_to_the_whole_change(norm):
    network, base, source = build(norm), BASE[:20], SOURCE[:20]
    metric = towards_source(network, base, source)
    change = metric(network.run(source).output[:, -1]) - metric(network.run(base).output[:, -1])
    found = attribution(network, base, source, [EMBED], steps=40)[0]
    torch.testing.assert_close(found, change, atol=0.02, rtol=0.02)
    scores = edge_scores(network, base, source, steps=40)
    first = torch.tensor([sender == "embed" for sender, _ in edges(network)])
    torch.testing.assert_close(scores[first].sum(0), found, atol=1e-4, rtol=1e-3)
    assert not torch.allclose(attribution(network, base, source, [EMBED])[0], change, atol=0.1)


def test_an_edge_that_acts_linearly_is_scored_exactly():
    network = build(norm=False)
    metric, every = towards_source(network, BASE, SOURCE), edges(network)
    scores = edge_scores(network, BASE, SOURCE)
    run, plain = edge_runs(network, BASE, SOURCE), metric(network.run(BASE).output[:, -1])
    into_logits = [i for i, (_, receiver) in enumerate(every) if receiver == "logits"]
    for i in into_logits:
        torch.testing.assert_close(scores[i], metric(run([every[i]])) - plain, atol=1e-4, rtol=1e-3)
    change = metric(network.run(SOURCE).output[:, -1]) - plain
    torch.testing.assert_close(scores[into_logits].sum(0), change, atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("steps", [0, 4])
def test_a_small_change_over_an_edge_is_scored_exactly(steps):
    network = hardly_differ()
    run, plain = edge_runs(network, BASE, SOURCE), first_two(network.run(BASE).output[:, -1])
    truth = torch.stack([first_two(run([edge])) - plain for edge in edges(network)])
    found = edge_scores(network, BASE, SOURCE, first_two, steps)
    size = truth.abs().amax(1)
    error = (found - truth).abs().amax(1) / size
    first_order = torch.tensor([r[-1] not in "qk" for _, r in edges(network)]) | (steps == 0)
    assert error[first_order].max() < 0.05 and size[first_order].min() > 1e-8


def test_where_attention_is_saturated_only_integrated_gradients_see_the_first_head():
    """In the induction network a small change of the key moves nothing, the whole one all."""
    network = induction()
    base, source = induction_inputs(100, 0)[0], induction_inputs(100, 1)[0]
    place = [head_sites(network)[1]]
    truth = exact_on(network, base, source, place)
    plain = attribution(network, base, source, place).mean()
    integrated = attribution(network, base, source, place, steps=20).mean()
    assert truth > 3 and plain.abs() < 0.1 and abs(integrated - truth) < 0.4 * truth


def exact_on(network, base, source, places):
    metric = towards_source(network, base, source)
    with torch.no_grad():
        plain = metric(network.run(base).output[:, -1])
        return (metric(literal_patched(network, base, source, places)[0]) - plain).mean()


def test_the_evidence_ranks_places_as_patching_does_and_shuffled_ones_do_not():
    network = hardly_differ()
    places = [Site("blocks.1", "input", step) for step in range(STEPS)] + PLACES
    found = against_patching(network, BASE, SOURCE, places, "attribution", first_two)
    assert found.score > 0.98 and found.low <= found.score <= found.high
    assert abs(found.controls["shuffled"]) < 0.2 and found.controls["shuffled_95"] < found.score
    assert set(found.controls) >= {"halves", "size_of_change"} and found.n == PAIRS


def test_rank_correlation_knows_order_alone():
    x = torch.tensor([3.0, 1.0, 2.0])
    assert rank_correlation(x, x.exp()) == 1.0 and rank_correlation(x, -x) == -1.0
    assert rank_correlation(x, torch.ones(3)) == 0.0


def test_what_does_not_fit_is_said():
    network = build()
    with pytest.raises(SymscopeError, match="need two or more"):
        agreement(torch.zeros(3, 1), torch.zeros(3, 1), "attribution")
    with pytest.raises(SymscopeError, match="1 places on the source for 2"):
        attribution(network, BASE, SOURCE, PLACES[:2], at_source=PLACES[:1])
    with pytest.raises(SymscopeError, match="2 sites on the source for 1"):
        attribution(network, BASE, SOURCE, PLACES[:1], at_source=[tuple(PLACES[:2])])
    with pytest.raises(SymscopeError, match="of one length"):
        attribution(network, BASE, SOURCE[:, :-1], PLACES[:1], steps=3)

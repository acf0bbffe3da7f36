"""Edges: what each sender hands to each input of a later receiver."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor, nn

from symscope.evidence import SymscopeError
from symscope.localize.eap import edge_scores
from symscope.localize.edge_view import senders
from symscope.localize.edges import (
    contributions,
    edge_runs,
    edges,
    path_patched,
    run_edges,
    view_of,
)
from symscope.models.transformer import Transformer, rotate
from symscope.network import Network

TOKENS, STEPS, PAIRS = 9, 6, 20


def build(positions: str = "rope", norm: bool = True, layers: int = 2) -> Network:
    torch.manual_seed(3)
    length = STEPS if positions == "learned" else 0
    model = Transformer(TOKENS, 8, layers, 2, positions, norm, length)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return Network(model)


def inputs(seed: int) -> Tensor:
    return torch.randint(TOKENS, (PAIRS, STEPS), generator=torch.Generator().manual_seed(seed))


CASES = {"rope": build(), "learned, no norm": build("learned", False), "none": build("none")}
CASE = pytest.mark.parametrize("network", CASES.values(), ids=CASES.keys())
BASE, SOURCE = inputs(0), inputs(1)


def literal(network: Network, base: Tensor, source: Tensor, patched: set) -> Tensor:
    """Every receiver for itself: a plain sum over senders, then its own weights."""
    names = senders(view_of(network))
    given = dict(zip(names, written(network, source, {}, set()), strict=True))
    own = written(network, base, given, patched)
    total = sum(given[s] if (s, "logits") in patched else v
                for s, v in zip(names, own, strict=True))  # fmt: skip
    return network.module.readout(network.module.norm(total + biases(network, 2)))[:, -1]


def biases(network: Network, blocks: int) -> Tensor:
    return sum((b.attention.out.bias for b in network.module.blocks[:blocks]), torch.zeros(8))


@torch.no_grad()
def written(network: Network, tokens: Tensor, given: dict, patched: set) -> list[Tensor]:
    model = network.module
    x = model.embed(tokens) + (0 if model.place is None else model.place.weight[:STEPS])
    found, names = [x], senders(view_of(network))

    def read(receiver: str, blocks: int, count: int) -> Tensor:
        parts = [given[n] if (n, receiver) in patched else v
                 for n, v in zip(names[:count], found, strict=False)]  # fmt: skip
        return sum(parts) + biases(network, blocks)

    for layer, block in enumerate(model.blocks):
        attention, count, heads = block.attention, len(found), []
        for head in range(2):
            rows = slice(4 * head, 4 * head + 4)
            q, k, v = (
                (block.norm1(read(f"{layer}.{head}.{part}", layer, count))
                 @ getattr(attention, part).weight[rows].T + getattr(attention, part).bias[rows])
                for part in "qkv"
            )  # fmt: skip
            if attention.rotary:
                at = torch.arange(STEPS)
                q, k = (rotate(y[:, :, None], at)[:, :, 0] for y in (q, k))
            strength = q @ k.transpose(1, 2) / 2
            later = torch.ones(STEPS, STEPS).triu(1).bool()
            weights = strength.masked_fill(later, -torch.inf).softmax(-1)
            heads.append(weights @ v @ attention.out.weight[:, rows].T)
        found += heads
        found.append(block.mlp(block.norm2(read(f"mlp {layer}", layer + 1, count + 2))))
    return found


@CASE
def test_without_a_patched_edge_it_is_the_run_on_the_base(network):
    torch.testing.assert_close(
        run_edges(network, BASE, SOURCE, []), network.run(BASE).output[:, -1], atol=1e-4, rtol=0
    )


@CASE
def test_with_all_edges_patched_it_is_the_run_on_the_source(network):
    torch.testing.assert_close(
        run_edges(network, BASE, SOURCE, edges(network)),
        network.run(SOURCE).output[:, -1],
        atol=1e-4,
        rtol=0,
    )


@CASE
@pytest.mark.parametrize("seed", [0, 1])
def test_any_set_of_edges_is_what_a_plain_sum_per_receiver_gives(network, seed):
    every = edges(network)
    chosen = torch.rand(len(every), generator=torch.Generator().manual_seed(seed)) < 0.4
    some = {edge for edge, kept in zip(every, chosen.tolist(), strict=True) if kept}
    found = run_edges(network, BASE, SOURCE, some)
    torch.testing.assert_close(found, literal(network, BASE, SOURCE, some), atol=1e-4, rtol=0)
    assert not torch.allclose(found, network.run(BASE).output[:, -1], atol=1e-2)


def test_edges_go_forward_from_embed_to_logits():
    every = edges(CASES["rope"])
    assert len(every) == len(set(every)) == 6 + 3 + 4 * 6 + 6 + 7
    assert ("embed", "logits") in every and ("0.1", "mlp 0") in every
    assert ("0.1", "0.0.q") not in every and ("mlp 1", "1.0.k") not in every


@CASE
def test_several_sets_share_one_source(network):
    run = edge_runs(network, BASE, SOURCE)
    for some in ([("embed", "0.1.v")], [("0.0", "logits"), ("mlp 0", "1.1.k")]):
        torch.testing.assert_close(run(some), run_edges(network, BASE, SOURCE, some))


class Told(nn.Module):
    """A transformer that is none by its class, and says where its parts are."""

    def __init__(self, inside: Transformer):
        super().__init__()
        self.inside = inside
        self.layout = replace(
            inside.layout, blocks="inside.blocks", embed="inside.embed", norm="inside.norm",
            readout="inside.readout",
        )  # fmt: skip

    def forward(self, tokens: Tensor) -> Tensor:
        return self.inside(tokens)


@CASE
def test_the_direct_form_gives_what_hooks_give(network):
    hooked, every = Network(Told(network.module)), edges(network)
    assert edges(hooked) == every
    steps = torch.rand(BASE.shape, generator=torch.Generator().manual_seed(0)) < 0.5
    for share, where in ((0, None), (0.4, None), (0.4, steps), (1, None)):
        kept = torch.rand(len(every), generator=torch.Generator().manual_seed(1)) < share
        some = [edge for edge, k in zip(every, kept.tolist(), strict=True) if k]
        both = (run_edges(net, BASE, SOURCE, some, where) for net in (network, hooked))
        torch.testing.assert_close(*both, atol=1e-4, rtol=0)
    both = (contributions(view_of(net), BASE) for net in (network, hooked))
    torch.testing.assert_close(*both, atol=1e-4, rtol=0)
    for count in (0, 3):
        scores = (edge_scores(net, BASE, SOURCE, lambda x: x[:, 0], count)
                  for net in (network, hooked))  # fmt: skip
        torch.testing.assert_close(*scores, atol=1e-4, rtol=1e-4)


def test_where_no_step_is_meant_nothing_is_patched():
    network = CASES["rope"]
    steps = torch.zeros(BASE.shape, dtype=torch.bool)
    found = run_edges(network, BASE, SOURCE, edges(network), steps)
    torch.testing.assert_close(found, network.run(BASE).output[:, -1], atol=1e-4, rtol=0)
    steps[:, -1] = True
    found = run_edges(network, BASE, SOURCE, [("embed", "logits")], steps)
    torch.testing.assert_close(found, run_edges(network, BASE, SOURCE, [("embed", "logits")]))
    steps[:, -1], steps[:, 0] = False, True
    found = run_edges(network, BASE, SOURCE, [("embed", "logits")], steps)
    torch.testing.assert_close(found, network.run(BASE).output[:, -1], atol=1e-4, rtol=0)


def test_a_path_is_the_direct_edges_alone():
    network = CASES["rope"]
    found = path_patched(network, BASE, SOURCE, "0.1", ["1.0.q", "logits"])
    some = {("0.1", "1.0.q"), ("0.1", "logits")}
    torch.testing.assert_close(found, literal(network, BASE, SOURCE, some), atol=1e-4, rtol=0)


def test_what_is_no_edge_or_no_pair_or_no_transformer_is_said():
    network = CASES["rope"]
    with pytest.raises(SymscopeError, match=r"no edge \('mlp 1', '0.0.q'\).*embed, 0.0.*logits"):
        run_edges(network, BASE, SOURCE, [("mlp 1", "0.0.q")])
    with pytest.raises(SymscopeError, match="inputs of one length"):
        run_edges(network, BASE, SOURCE[:, 1:], [])
    with pytest.raises(SymscopeError, match="layout of a Linear is not known"):
        edges(Network(nn.Linear(2, 2)))

"""Answers from memory: what ends before the site, and the past of a decoder."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention

from symscope.intervention.downstream import Downstream, downstream, hooked
from symscope.intervention.replay import _remembered
from symscope.network import Network
from symscope.site import Site


class Past:
    """A store as a Hugging Face decoder returns it: keys and values, layer by layer."""

    def __init__(self, layers: int):
        self.layers = [SimpleNamespace(keys=None, values=None) for _ in range(layers)]

    def grown(self, index: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        layer = self.layers[index]
        if layer.keys is not None:
            keys, values = torch.cat([layer.keys, keys], 1), torch.cat([layer.values, values], 1)
        layer.keys, layer.values = keys, values
        return keys, values


class Block(nn.Module):
    def __init__(self, width: int, index: int):
        super().__init__()
        self.index, self.qkv = index, nn.Linear(width, 3 * width)

    def forward(self, x: Tensor, past: Past) -> Tensor:
        q, k, v = self.qkv(x).chunk(3, -1)
        k, v = past.grown(self.index, k, v)
        reach = torch.ones(k.shape[1], k.shape[1], dtype=torch.bool).tril()[-x.shape[1] :]
        return x + scaled_dot_product_attention(q, k, v, attn_mask=reach)


class Decoder(nn.Module):
    """Three blocks with learned positions, called as Hugging Face's models are."""

    def __init__(self, width: int = 8, vocabulary: int = 5):
        super().__init__()
        self.embed, self.place = nn.Embedding(vocabulary, width), nn.Embedding(16, width)
        self.blocks = nn.ModuleList(Block(width, i) for i in range(3))
        self.head = nn.Linear(width, vocabulary)

    def forward(
        self, tokens: Tensor, past_key_values: Past | None = None, use_cache: bool = False
    ) -> SimpleNamespace:
        past = past_key_values or Past(3)
        before = 0 if past.layers[0].keys is None else past.layers[0].keys.shape[1]
        x = self.embed(tokens) + self.place(before + torch.arange(tokens.shape[1]))
        for block in self.blocks:
            x = block(x, past)
        return SimpleNamespace(logits=self.head(x), past_key_values=past if use_cache else None)


def plans(steps: Tensor) -> tuple[Downstream, Downstream]:
    torch.manual_seed(0)
    network = Network(Decoder().double())
    tokens = torch.randint(5, (12, 9))
    scored = torch.zeros(12, 9, dtype=torch.bool)
    scored[:, 7:] = True
    site = Site("blocks.1").at(steps)
    return downstream(network, tokens, site, scored), hooked(network, tokens, site, scored)


@pytest.mark.parametrize("steps", [torch.full((12,), 5), torch.arange(12) % 6 + 2])
def test_a_decoder_goes_on_from_the_first_edited_position(steps: Tensor) -> None:
    fast, slow = plans(steps)
    assert fast.how == "continued"
    rows = torch.tensor([3, 0, 11, 3])
    vectors = torch.randn(4, 8, dtype=torch.float64, requires_grad=True)
    found, expected = fast.from_vectors(vectors, rows), slow.from_vectors(vectors, rows)
    torch.testing.assert_close(found, expected)
    gradients = [torch.autograd.grad(a.square().sum(), vectors)[0] for a in (found, expected)]
    torch.testing.assert_close(*gradients)


def test_an_edit_at_the_first_position_is_replayed() -> None:
    fast, slow = plans(torch.zeros(12, dtype=torch.long))
    assert fast.how == "replayed"
    rows = torch.arange(12)
    vectors = slow.natural.roll(1, 0)
    torch.testing.assert_close(fast.from_vectors(vectors, rows), slow.from_vectors(vectors, rows))


def test_what_only_replayed_modules_read_is_not_kept() -> None:
    network = Network(
        nn.Sequential(nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)).requires_grad_(False)
    )
    kept = _remembered(network, torch.randn(20, 4), Site("1"))
    assert kept["0"].isnan().all() and kept["0"].untyped_storage().nbytes() == 4 * 4
    assert kept["1"].isfinite().all()

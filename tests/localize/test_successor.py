"""Successor heads: an OV circuit that turns each token's point on a circle by one place."""

import math

import pytest
import torch

from attention_by_hand import NOTHING, attentive, moved
from symscope.evidence import SymscopeError
from symscope.localize.successor import ov_logits, successor_scores
from symscope.models.compiled.heads import Head, circle
from symscope.models.transformer import Transformer
from symscope.network import Network

DIGITS = 6
TURN = 2 * math.pi / (DIGITS + 2)


def turned(angle: float) -> Head:
    cos, sin = math.cos(angle), math.sin(angle)
    return Head([], [({"tx": cos, "ty": -sin}, {"ox": 1.0}), ({"tx": sin, "ty": cos}, {"oy": 1.0})])


def network() -> Network:
    """0.0 brings each digit's successor, 0.1 the digit, 1.0 its predecessor, 1.1 nothing."""
    code = circle("tx", "ty", DIGITS, DIGITS + 2)
    return attentive(
        ("tx", "ty", "ox", "oy"), code, {"tx": torch.zeros(4)},
        [[turned(TURN), Head([], moved("tx", "ty", "ox", "oy"))], [turned(-TURN), NOTHING]],
        {"ox": code["tx"], "oy": code["ty"]},
    )  # fmt: skip


def test_the_head_that_adds_one_is_told_from_those_that_copy_or_subtract():
    records = {e.claim: e for e in successor_scores(network(), range(DIGITS), "successor")}
    assert [records[f"successor.{h}"].score for h in ("0.0", "0.1", "1.0")] == [1, 0, 0]
    assert records["successor.0.1"].controls["same"] == 1
    assert records["successor.1.0"].controls["before"] == 1
    assert records["successor.0.0"].controls["same"] < 0.2
    assert records["successor.0.0"].n == DIGITS - 1


def test_the_order_of_the_tokens_is_the_callers():
    reverse = {e.claim: e for e in successor_scores(network(), range(DIGITS)[::-1], "down")}
    assert reverse["down.1.0"].score == 1 and reverse["down.0.0"].score == 0


@pytest.mark.parametrize("mlp", [True, False])
def test_the_circuit_is_what_a_head_that_looks_at_the_token_alone_adds(mlp):
    torch.manual_seed(0)
    model = Transformer(7, 8, 2, 2)
    with torch.no_grad():
        for weight in model.parameters():
            weight += 0.3 * torch.randn_like(weight)
        block, tokens = model.blocks[1], torch.arange(7)
        x = model.embed(tokens)
        if mlp:
            x = x + model.blocks[0].mlp(model.blocks[0].norm2(x))
        value = block.attention.v(block.norm1(x))[:, 4:] - block.attention.v.bias[4:]
        y = value @ block.attention.out.weight[:, 4:].T
        scale = y.std(1, correction=0, keepdim=True)
        expected = model.readout(model.norm(y)) - model.readout(model.norm.bias)
    found = ov_logits(Network(model), range(7), mlp)[1, 1]
    torch.testing.assert_close(found / scale, expected, atol=1e-2, rtol=1e-2)


def test_two_tokens_are_too_few():
    with pytest.raises(SymscopeError, match="at least 3"):
        successor_scores(network(), [0, 1], "few")

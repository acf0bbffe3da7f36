"""Networks that other people trained, where they are at hand: they do what is known of them."""

import os
import struct
from pathlib import Path

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.localize import patched, places
from symscope.models.llama2c import load_llama2c, vocabulary
from symscope.models.modular_addition import Mixed, load_modular_addition
from symscope.network import Network

WEIGHTS = Path(os.environ.get("SYMSCOPE_WEIGHTS", "/nowhere"))
ADDITION = sorted((WEIGHTS / "clock_pizza").glob("model_*.pt"))
STORIES = WEIGHTS / "stories260k"
PAIRS = torch.cartesian_prod(torch.arange(59), torch.arange(59))
SUMS = PAIRS.sum(1) % 59


@pytest.mark.skipif(not ADDITION, reason="SYMSCOPE_WEIGHTS is not set")
@pytest.mark.parametrize("path", ADDITION, ids=lambda p: p.stem)
def test_every_published_network_adds_all_pairs_modulo_59(path):
    network = Network(load_modular_addition(path))
    with torch.no_grad():
        output = network.run(PAIRS).output
    assert bool((output.reshape(len(PAIRS), -1, 59)[:, -1].argmax(-1) == SUMS).all())


@pytest.mark.skipif(not ADDITION, reason="SYMSCOPE_WEIGHTS is not set")
def test_a_published_transformer_is_patched_like_any_other():
    network = Network(load_modular_addition(WEIGHTS / "clock_pizza" / "model_l8k1hzciux.pt"))
    base, source = PAIRS[:64], PAIRS.flip(0)[:64]
    both = places(network, "residual", {"both": None})
    last = places(network, "residual", [1])
    answers = patched(network, base, source, [*both.values(), *last.values()]).argmax(-1)
    assert answers[0].tolist() == SUMS.flip(0)[:64].tolist()
    assert answers[1].tolist() == ((base[:, 0] + source[:, 1]) % 59).tolist()


def test_a_mixture_with_a_constant_one_is_half_of_both():
    q = torch.tensor([[[[4.0], [4.0]]]])
    k = torch.tensor([[[[50.0], [0.0]]]])
    torch.testing.assert_close(Mixed(0.5)(q, k), torch.tensor([[[[1.0, 0.5], [1.0, 0.5]]]]))


@pytest.mark.skipif(not STORIES.exists(), reason="SYMSCOPE_WEIGHTS is not set")
def test_the_story_teller_tells_its_story():
    pytest.importorskip("transformers")
    network = Network(load_llama2c(STORIES / "stories260K.bin"))
    words = vocabulary(STORIES / "tok512.bin")
    tokens = torch.tensor([[1]])
    with torch.no_grad():
        for _ in range(40):
            tokens = torch.cat([tokens, network.run(tokens).output[:, -1:].argmax(-1)], 1)
    story = b"".join(words[t] for t in tokens[0].tolist()).decode()
    assert "Once upon a time, there was a little girl named Lily. She loved to play" in story
    assert (network.layout.layers, network.layout.heads, network.layout.key_heads) == (5, 8, 4)


def test_a_file_that_is_cut_off_is_said(tmp_path):
    pytest.importorskip("transformers")
    path = tmp_path / "cut.bin"
    path.write_bytes(struct.pack("7i", 8, 16, 1, 2, 1, 10, 32) + bytes(4 * 50))
    with pytest.raises(SymscopeError, match="cut off: it has 50 numbers"):
        load_llama2c(path)
    path.write_bytes(b"1234")
    with pytest.raises(SymscopeError, match=r"no llama2\.c checkpoint"):
        load_llama2c(path)

"""What the network would say if it ended after each block."""

import pytest
import torch

from families import folder
from symscope.localize.lens import logit_lens
from symscope.models.load import build
from symscope.network import Network

TOKENS = torch.randint(9, (3, 4), generator=torch.Generator().manual_seed(0))


def networks():
    yield Network(build("transformer", 9, 8, 0, layers=2, heads=2))
    for family in ("llama", "gpt2", "gpt_neox", "gemma"):
        yield Network.from_pretrained(folder(family))


@pytest.mark.parametrize("network", list(networks()))
def test_after_the_last_block_it_is_what_the_network_says(network):
    found, own = logit_lens(network, TOKENS), network.run(TOKENS).output
    assert found.shape == (3, *own.shape)
    torch.testing.assert_close(found[-1], own, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(logit_lens(network, TOKENS, -1), found[:, :, -1])


def test_before_the_first_block_it_is_the_embedding_read_out():
    network = next(networks())
    module = network.module
    with torch.no_grad():
        wanted = module.readout(module.norm(module.embed(TOKENS)))
        after_one = module.readout(module.norm(module.blocks[0](module.embed(TOKENS))))
    found = logit_lens(network, TOKENS)
    torch.testing.assert_close(found[0], wanted)
    torch.testing.assert_close(found[1], after_one)

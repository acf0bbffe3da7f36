"""The logit lens (nostalgebraist, 2020): what the network would say if a block were the last."""

from typing import Any

import torch
from torch import Tensor

from symscope.localize.places import layout_in
from symscope.network import Network
from symscope.site import Position, Site


@torch.no_grad()
def logit_lens(network: Network, inputs: Any, position: Position = None) -> Tensor:
    """Logits read from the residual stream before each block and after the last.

    (block + 1, sample, step, vocabulary), or without the step at one `position`: the stream through
    the final norm and the readout. The last are the network's own. In models that cap their logits
    (Gemma 2) earlier ones are not capped.
    """
    layout = layout_in(network)
    norm, readout = network.modules[layout.norm], network.modules[layout.readout]
    sites = [layout.site(layer, "residual").at(position) for layer in range(layout.layers)]
    last = Site(layout.norm, "input").at(position)
    values = network.run(inputs, read=[*sites, last]).values
    return torch.stack([network.answer(readout(norm(values[s]))) for s in (*sites, last)])

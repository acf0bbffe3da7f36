"""Successor heads: heads whose OV circuit turns each token into the one that comes next."""

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize.edges_of_transformer import blocks_of, transformer_of
from symscope.network import Network


def ov_logits(network: Network, tokens: Sequence[int], mlp: bool = True) -> Tensor:
    """What each head, looking at each token, adds to the tokens' logits.

    (block, head, token seen, token answered): readout · W_O W_V · norm(e) (Gould et al., 2023),
    where e is the token's vector and, with `mlp`, what the first MLP adds to it. Departure: there,
    the MLP's output alone. The last LayerNorm's scale is the same for all logits of a vector and
    is left out, and so are biases that do not depend on the token seen.
    """
    model = transformer_of(network)
    with torch.no_grad():
        index = torch.as_tensor(tokens, device=network.device)
        x = model.embed(index)
        if mlp:
            first = blocks_of(model)[0]
            x = x + first.mlp(first.norm2(x))
        found = []
        for block in blocks_of(model):
            attention = block.attention
            values = attention.v(block.norm1(x)) - attention.v.bias
            out = attention.out.weight.unflatten(1, (attention.heads, -1))
            moved = torch.einsum("the,dhe->htd", values.unflatten(1, (attention.heads, -1)), out)
            scale = model.norm.weight if isinstance(model.norm, torch.nn.LayerNorm) else 1.0
            centred = moved - moved.mean(-1, keepdim=True) if torch.is_tensor(scale) else moved
            found.append((centred * scale) @ model.readout.weight[index].T)
    return torch.stack(found)


def successor_scores(
    network: Network, tokens: Sequence[int], claim: str, mlp: bool = True
) -> list[Evidence]:
    """Evidence per head: for how many tokens but the last its OV circuit prefers the next one.

    `tokens` are in order; the choice is among them. Controls: the share that prefers the same token
    (a copying head), the one before, and chance.
    """
    if len(tokens) < 3:
        raise SymscopeError(f"{len(tokens)} tokens have too few successors; give at least 3")
    started = time.monotonic()
    best = ov_logits(network, tokens, mlp).argmax(-1)
    order = torch.arange(len(tokens), device=best.device)
    hits = {name: (best == order + step)[..., own].float() for name, step, own in (
        ("successor", 1, slice(0, -1)), ("same", 0, slice(None)), ("before", -1, slice(1, None)),
    )}  # fmt: skip
    seconds = (time.monotonic() - started) / best[..., 0].numel()
    records = []
    for block, head in torch.cartesian_prod(*(torch.arange(n) for n in best.shape[:2])).tolist():
        share = {name: float(hit[block, head].mean()) for name, hit in hits.items()}
        n = len(tokens) - 1
        low, high = wilson(round(share["successor"] * n), n)
        controls = {"same": share["same"], "before": share["before"], "chance": 1 / len(tokens)}
        records.append(Evidence(
            f"{claim}.{block}.{head}", share["successor"], low, high, n, "share of successors",
            controls, seconds=seconds, config={"mlp": mlp},
        ))  # fmt: skip
    return records

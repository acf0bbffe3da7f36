"""Edit what an attention layer sums: one more strength-value pair.

In a transformer without positions that counts by attention, each response adds one pair to the
sum and each demo item another: o = (Σ sᵢ vᵢ + s_x v_x) / (Σ sᵢ + s_x) with sᵢ = exp(q·kᵢ/√d)
(Grant et al., 2025). If +1/−1 is what it sums, an extra response pair brings the end one step
sooner and an extra demo pair brings it one step later.
"""

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.models.transformer import Attention
from symscope.network import Network
from symscope.site import Site
from symscope.tasks.numbers import EOS, KINDS, Counting, R

_EACH = 10


def with_extra_pair(network: Network, layer: str, inputs: Tensor, extra: Tensor) -> Tensor:
    """The output on `inputs` when all steps attend once more to the step `extra`, (sample,).

    `layer` is the path of a `models.transformer.Attention` without positions.
    """
    attention = network.at(Site(layer))
    assert isinstance(attention, Attention) and not attention.rotary
    sites = [Site(f"{layer}.{part}") for part in ("q", "k", "v")]
    values = network.run(inputs, read=sites).values
    q, k, v = (values[s].unflatten(-1, (attention.heads, -1)).transpose(1, 2) for s in sites)
    rows = torch.arange(len(inputs), device=inputs.device)
    strength = (q @ k.transpose(-1, -2)) / q.shape[-1] ** 0.5
    steps = torch.arange(inputs.shape[1], device=inputs.device)
    strength = strength.masked_fill(steps > steps[:, None], -torch.inf)
    added = (q * k[rows, :, extra][:, :, None]).sum(-1, keepdim=True) / q.shape[-1] ** 0.5
    weights = torch.cat([strength, added], dim=-1).softmax(-1)
    extra_value = v[rows, :, extra][:, :, None]
    mixed = weights[..., :-1] @ v + weights[..., -1:] * extra_value
    together = mixed.transpose(1, 2).flatten(2)
    return network.run(inputs, do={Site(f"{layer}.out", "input"): lambda _: together}).output


def edit_shifts_the_end(
    network: Network, task: Counting, claim: str, seed: int = 0
) -> list[Evidence]:
    """How often an extra response pair ends the answer one sooner, a demo pair one later."""
    generator = torch.Generator().manual_seed(seed)
    found = []
    for name, shift, token in (("sooner", -1, R), ("later", 1, KINDS[task.kind][0])):
        counts = torch.arange(2, task.highest).repeat_interleave(_EACH)
        inputs = _with_responses(task, counts, counts + max(shift, 0), generator)
        scores = {
            "edit": with_extra_pair(network, "blocks.0.attention", inputs, _first(inputs, token)),
            "no_op": network.run(inputs).output,
            "opposite_pair": with_extra_pair(
                network,
                "blocks.0.attention",
                inputs,
                _first(inputs, KINDS[task.kind][0] if token == R else R),
            ),
        }
        right = {k: _ends_after(v, inputs, counts + shift) for k, v in scores.items()}
        low, high = wilson(int(right["edit"].sum()), len(counts))
        controls = {k: float(v.float().mean()) for k, v in right.items() if k != "edit"}
        found.append(
            Evidence(
                f"{claim}.{name}",
                float(right["edit"].float().mean()),
                low,
                high,
                len(counts),
                "share of ends shifted by one",
                controls,
                [seed],
            )
        )
    return found


def _with_responses(
    task: Counting, counts: Tensor, responses: Tensor, generator: torch.Generator
) -> Tensor:
    """Sequences of N demo items followed by that many responses, without EOS."""
    tokens = task.sequences(counts, generator)
    tokens = torch.nn.functional.pad(tokens, (0, 2))
    places = torch.arange(tokens.shape[1])
    end = (counts + responses)[:, None]
    return torch.where(places < counts[:, None], tokens, torch.where(places < end, R, 0))


def _first(inputs: Tensor, token: int) -> Tensor:
    """Where `token` stands first; any demo item serves for another."""
    demo = (inputs != R) & (inputs != 0)
    return ((inputs == R) if token == R else demo).int().argmax(1)


def _ends_after(output: Tensor, inputs: Tensor, responses: Tensor) -> Tensor:
    """Whether the network answers R after each response up to that many, and then EOS."""
    answered = (inputs == R).cumsum(1)
    found = output.argmax(-1)
    here = inputs == R
    ends = ((found == EOS) | (answered != responses[:, None]) | ~here).all(1)
    goes_on = ((found == R) | (answered >= responses[:, None]) | ~here).all(1)
    return ends & goes_on

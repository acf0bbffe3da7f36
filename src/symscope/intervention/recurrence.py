"""A GRU's recurrence for frozen weights: the same states as `nn.GRU`, at a lower cost.

Without gradients for the weights a step back in time is one product with the gates' slopes, which
are computed for many steps at once, and one matrix product.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

IN_CACHE = 2**17
"""As many numbers are handled at once as a processor's cache holds beside all else."""


def gru_states(
    state: Tensor, entering: Tensor, weight: Tensor, bias: Tensor, running: Sequence[int]
) -> Tensor:
    """The state and those of all steps after it, (1 + step, batch, width).

    `state` is (batch, width), `entering` the inputs' share of the gates W_i x + b_i, (step, batch,
    3 · width) in torch's order r, z, n, `weight` and `bias` the state's. At step t only the first
    `running[t]` samples go on, a number that never grows; what follows for the others is zero.
    Gradients reach `state` only.
    """
    return _States.apply(state, entering, weight, bias, running)


class _States(Function):
    """h' = n + z (h − n) with r, z = σ(x_r + h_r), σ(x_z + h_z) and n = tanh(x_n + r h_n)."""

    @staticmethod
    def forward(
        ctx: Any, state: Tensor, entering: Tensor, weight: Tensor, bias: Tensor,
        running: Sequence[int],
    ) -> Tensor:  # fmt: skip
        steps, (batch, width) = len(running), state.shape
        states = state.new_zeros(steps + 1, batch, width)
        states[0] = h = state
        gates = state.new_empty(steps, batch, 3 * width)  # r, z and the state's share of n
        new = state.new_empty(steps, batch, width)
        rz, r, z, s = (part.unbind() for part in (gates[..., : 2 * width], *gates.chunk(3, dim=-1)))
        steps_of = (
            running, gates.unbind(), rz, r, z, s, new.unbind(), states[1:].unbind(),
            entering[..., : 2 * width].unbind(), entering[..., 2 * width :].unbind(),
        )  # fmt: skip
        transposed = weight.T
        for count, *parts in zip(*steps_of, strict=True):
            if count < batch:
                parts = [part[:count] for part in parts]
                h = h[:count]
            g_t, rz_t, r_t, z_t, s_t, n_t, h_t, x_rz, x_n = parts
            torch.addmm(bias, h, transposed, out=g_t)
            rz_t.add_(x_rz).sigmoid_()
            torch.addcmul(x_n, r_t, s_t, out=n_t).tanh_()
            h = torch.lerp(n_t, h, z_t, out=h_t)
        ctx.save_for_backward(states, gates, new, weight)
        ctx.running = running
        return states

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, arriving: Tensor) -> tuple[Tensor | None, ...]:
        states, gates, new, weight = ctx.saved_tensors
        running, back = ctx.running, torch.zeros_like(arriving[0])
        block = max(1, IN_CACHE // max(1, gates[:1].numel()))
        room = gates.new_empty(min(block, len(gates)), *new.shape[1:-1], 3, new.shape[-1])
        one = gates.new_ones(())
        for first in reversed(range(0, len(running), block)):
            here = slice(first, first + block)
            (r, z, s), n = gates[here].chunk(3, dim=-1), new[here]
            slopes = room[: len(n)]
            of_r, of_z, of_s = slopes.unbind(-2)
            # (1 − z)(1 − n²) r for h_n, times h_n (1 − r) for h_r, and (h − n) z (1 − z) for h_z,
            # written in place: here allocating costs more than computing.
            torch.addcmul(one, n, n, value=-1, out=of_r)
            torch.addcmul(of_r, of_r, z, value=-1, out=of_s).mul_(r)
            torch.addcmul(of_s, of_s, r, value=-1, out=of_r).mul_(s)
            torch.addcmul(z, z, z, value=-1, out=of_z).mul_(states[:-1][here] - n)
            steps = (running[here], slopes.unbind(), z.unbind(), arriving[1:][here].unbind())
            for count, slope, keep, arrived in reversed(list(zip(*steps, strict=True))):
                now = back
                if count < len(back):
                    now, slope, keep = back[:count], slope[:count], keep[:count]
                    arrived = arrived[:count]
                now += arrived
                slope.mul_(now[:, None])
                now.mul_(keep).addmm_(slope.flatten(1), weight)
        return back + arriving[0], None, None, None, None

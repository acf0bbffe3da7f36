"""The hand-written GRU recurrence is `nn.GRU`, in value and in gradient."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import linear

from symscope.intervention import recurrence
from symscope.intervention.recurrence import gru_states


def by_hand(gru: nn.GRU, state: Tensor, inputs: Tensor, running: list[int]) -> Tensor:
    entering = linear(inputs.transpose(0, 1), gru.weight_ih_l0, gru.bias_ih_l0).detach()
    weight, bias = gru.weight_hh_l0.detach(), gru.bias_hh_l0.detach()
    return gru_states(state, entering, weight, bias, running)


@pytest.mark.parametrize("cached", [1, 2**17])
def test_states_and_their_gradient_are_those_of_the_module(
    cached: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recurrence, "IN_CACHE", cached)
    torch.manual_seed(0)
    gru = nn.GRU(3, 5, batch_first=True).double()
    inputs, wanted = torch.randn(4, 6, 3).double(), torch.randn(4, 6, 5).double()
    state = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    natural, _ = gru(inputs, state[None])
    (expected,) = torch.autograd.grad((natural * wanted).sum(), state)
    states = by_hand(gru, state, inputs, [4] * 6)
    found = states[1:].transpose(0, 1)
    (gradient,) = torch.autograd.grad((found * wanted).sum(), state)
    torch.testing.assert_close(states[0], state)
    torch.testing.assert_close(found, natural)
    torch.testing.assert_close(gradient, expected)


def test_samples_that_have_ended_stay_at_zero_and_pass_no_gradient() -> None:
    torch.manual_seed(0)
    gru = nn.GRU(3, 5, batch_first=True).double()
    inputs = torch.randn(4, 3, 3).double()
    running = [4, 2, 1]
    state = torch.randn(4, 5, dtype=torch.float64, requires_grad=True)
    states = by_hand(gru, state, inputs, running)
    wanted = torch.randn(states.shape, dtype=torch.float64)
    (gradient,) = torch.autograd.grad((states * wanted).sum(), state)
    for sample, steps in enumerate([3, 2, 1, 1]):
        alone = state.detach()[sample : sample + 1].requires_grad_()
        natural, _ = gru(inputs[sample : sample + 1, :steps], alone[None])
        loss = (natural[0] * wanted[1 : steps + 1, sample]).sum() + (
            alone * wanted[0, sample]
        ).sum()
        torch.testing.assert_close(states[1 : steps + 1, sample], natural[0])
        torch.testing.assert_close(gradient[sample], torch.autograd.grad(loss, alone)[0][0])
        assert not states[steps + 1 :, sample].any()


def test_without_a_step_the_state_is_all_there_is() -> None:
    state = torch.randn(2, 5, requires_grad=True)
    states = gru_states(state, torch.empty(0, 2, 15), torch.randn(15, 5), torch.randn(15), [])
    states.sum().backward()
    assert states.shape == (1, 2, 5)
    assert torch.equal(state.grad, torch.ones(2, 5))

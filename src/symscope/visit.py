"""How a value is read or replaced while a module runs: hooks that are gone when the run ends."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from symscope.causal_model import Edit
from symscope.evidence import SymscopeError
from symscope.site import Site, positions


class Recurrent(nn.Module):
    """A recurrent module of one's own, whose state is addressable at every step.

    Its forward takes inputs (batch, step, anything) and a state (1, batch, width) or None, and
    returns the states after each step, (batch, step, width), and the last one, (1, batch, width).
    """

    batch_first, bidirectional, num_layers = True, False, 1


SEQUENCE_CELLS = (nn.GRU, nn.LSTM, nn.RNN, Recurrent)
STEP_CELLS = (nn.GRUCell, nn.LSTMCell, nn.RNNCell)


class SiteNeverRan(SymscopeError):
    """A site whose module did not run, or did not reach the position, on these inputs."""


class Visit:
    """One site during one run: what was found there, and whether the edit fired and changed it."""

    def __init__(self, site: Site, edit: Edit | None):
        self.site, self.edit = site, edit
        self.steps: Any = site.position  # of a carried state: counted from 0, see `_visiting`
        self.value: Tensor | None = None
        self.calls, self.changed = 0, False
        self.reached: Tensor | bool = False

    def whole(self, value: Tensor) -> Tensor:
        """Visit a value that has all its positions on axis 1, or none at all."""
        self.calls += 1
        if not isinstance(value, Tensor):
            raise SymscopeError(
                f"{self.site} is a {type(value).__name__}; name the element with part=0, 1, …"
            )
        if self.site.position is None:
            if self.calls > 1:
                raise SymscopeError(f"{self.site} ran more than once; say which with .at(call)")
            self.reached = True
            return self._visit(value, None)
        if value.dim() == 2:  # called once per step: the position counts calls
            return self.step(value, self.calls - 1)
        rows = torch.arange(len(value), device=value.device)
        index = positions(self.site.position, len(value), value.shape[1]).to(value.device)
        self.reached = True
        old = value[rows, index]
        new = self._visit(old, None)
        if new is old:
            return value
        value = value.clone()
        value[rows, index] = new.to(value.dtype)
        return value

    def step(self, vectors: Tensor, step: int) -> Tensor:
        """Visit the vectors of one step, (batch, width); those for whom it is the right one."""
        if self.steps is None:
            raise SymscopeError(f"{self.site} changes at every step; say which with .at(step)")
        wanted = torch.as_tensor(self.steps, device=vectors.device).expand(len(vectors)) == step
        if not bool(wanted.any()):
            return vectors
        self.reached = self.reached | wanted
        return self._visit(vectors, wanted)

    def _visit(self, value: Tensor, wanted: Tensor | None) -> Tensor:
        units = self.site.selected(value.shape[-1])
        old = value if units is None else value[..., units]
        new = old if self.edit is None else self.edit(old)
        if not isinstance(new, Tensor) or new.shape != old.shape:
            shape = tuple(new.shape) if isinstance(new, Tensor) else type(new).__name__
            raise SymscopeError(
                f"the edit at {self.site} returned {shape}, expected {tuple(old.shape)}"
            )
        if wanted is not None:
            new = torch.where(wanted[:, None], new.to(old.dtype), old)
        previous = self.value if self.value is not None else new
        self.value = new if wanted is None else torch.where(wanted[:, None], new, previous)
        if self.edit is None:
            return value
        self.changed = self.changed or not torch.equal(new, old)
        if units is None:
            return new
        value = value.clone()
        value[..., units] = new.to(value.dtype)
        return value

    def check(self) -> None:
        """Raise if the site never ran."""
        if not bool(torch.as_tensor(self.reached).all()):
            ran = f"ran {self.calls} times" if self.calls else "did not run"
            raise SiteNeverRan(f"{self.site}: the module {ran}, so its value is not there")


@contextmanager
def watched(module: nn.Module, visits: list[Visit]) -> Iterator[None]:
    """`module` with its visits in place; as it was afterwards, whatever happens."""
    inputs = [v for v in visits if v.site.part == "input"]
    states = [v for v in visits if v.site.stateful]
    outputs = [v for v in visits if v.site.part != "input" and not v.site.stateful]

    def before(_: nn.Module, args: tuple) -> tuple:
        first = args[0]
        for visit in inputs:
            first = visit.whole(first)
        return (first, *args[1:])

    def after(_: nn.Module, __: Any, output: Any) -> Any:
        for visit in outputs:
            output = _on_part(output, visit)
        return _on_cell_state(output, states) if isinstance(module, STEP_CELLS) else output

    with ExitStack() as stack:
        if inputs:
            stack.callback(module.register_forward_pre_hook(before).remove)
        if outputs or (states and isinstance(module, STEP_CELLS)):
            stack.callback(module.register_forward_hook(after).remove)
        if states and isinstance(module, SEQUENCE_CELLS):
            stack.enter_context(replaced_forward(module, _visiting(module, states)))
        yield


def _on_part(output: Any, visit: Visit) -> Any:
    if visit.site.part == "output":
        return visit.whole(output)
    part = visit.site.part
    if not isinstance(output, tuple | list) or not isinstance(part, int) or part >= len(output):
        raise SymscopeError(f"{visit.site}: the module returns {type(output).__name__}, no {part}")
    elements = list(output)
    elements[part] = visit.whole(elements[part])
    return type(output)(elements)


@contextmanager
def replaced_forward(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """`module.forward` replaced on the instance; hooks, the user's too, fire as they would."""
    before = module.__dict__.get("forward")
    module.forward = forward
    try:
        yield
    finally:
        del module.__dict__["forward"]
        if before is not None:
            module.forward = before


def _visiting(module: nn.Module, visits: list[Visit]) -> Callable[..., Any]:
    """The forward of a recurrent module, run piece by piece between the steps that are visited."""
    plain = module.forward
    axis = 1 if module.batch_first else 0

    def forward(inputs: Any, state: Any = None) -> Any:
        if not isinstance(inputs, Tensor) or inputs.dim() != 3:
            raise SymscopeError("states are addressable in padded batches of three axes only")
        length, batch = inputs.shape[axis], inputs.shape[1 - axis]
        touched: set[int] = set()
        for visit in visits:
            visit.calls += 1
            if visit.site.position is not None:
                visit.steps = positions(visit.site.position, batch, length)
                touched |= set(visit.steps.tolist())
        pieces, start = [], 0
        if not touched:  # a site without a step: `step` says so
            _through(inputs[:, 0], visits, 0, False)
        for t in sorted(touched):
            out, state = plain(inputs.narrow(axis, start, t + 1 - start), state)
            vectors = join_state(state)
            new = _through(vectors, visits, t, isinstance(state, tuple))
            if new is not vectors:
                state = split_state(new, state)
                top = (state[0] if isinstance(state, tuple) else state)[-1].unsqueeze(axis)
                out = torch.cat([out.narrow(axis, 0, t - start), top], axis)
            pieces.append(out)
            start = t + 1
        if start < length:
            out, state = plain(inputs.narrow(axis, start, length - start), state)
            pieces.append(out)
        return torch.cat(pieces, axis), state

    return forward


def _through(vectors: Tensor, visits: list[Visit], step: int, lstm: bool) -> Tensor:
    """The joined state after all visits of one step; h and c are halves of it."""
    for visit in visits:
        if visit.site.part == "state" or not lstm:
            vectors = visit.step(vectors, step)
            continue
        half = vectors.shape[1] // 2
        part = slice(0, half) if visit.site.part == "h" else slice(half, None)
        new = visit.step(vectors[:, part], step)
        if visit.edit is not None:
            vectors = vectors.clone()
            vectors[:, part] = new
    return vectors


def _on_cell_state(output: Any, visits: list[Visit]) -> Any:
    state = join_state(output)
    for visit in visits:
        visit.calls += 1
    step = visits[0].calls - 1 if visits else 0
    new = _through(state, visits, step, isinstance(output, tuple))
    return output if new is state else split_state(new, output)


def join_state(state: Tensor | tuple[Tensor, Tensor]) -> Tensor:
    """The state of a recurrent module as (batch, width): layers side by side, h before c."""
    if isinstance(state, tuple):
        return torch.cat([join_state(part) for part in state], dim=1)
    return state.transpose(0, 1).flatten(1) if state.dim() == 3 else state


def split_state(vectors: Tensor, like: Any) -> Any:
    """The inverse of `join_state`, in the form of `like`."""
    if isinstance(like, tuple):
        width = join_state(like[0]).shape[1]
        return split_state(vectors[:, :width], like[0]), split_state(vectors[:, width:], like[1])
    if like.dim() == 3:
        layers, _, width = like.shape
        return vectors.unflatten(1, (layers, width)).transpose(0, 1).contiguous()
    return vectors

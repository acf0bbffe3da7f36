"""Any module: the calls that ended before the site are answered from memory."""

import copy
import inspect
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.intervention.natural import CHUNK, of_rows
from symscope.network import Network
from symscope.site import Site, positions
from symscope.visit import replaced_forward

FIRST_ROWS = 8


def replayed(
    network: Network, inputs: Tensor, site: Site, scored: Tensor
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """The whole network runs, but for what had ended before the site."""
    kept = _remembered(network, inputs, site)
    if not kept:
        return None

    def from_vectors(vectors: Tensor, rows: Tensor) -> Tensor:
        with _answered(network, {path: _taken(value, rows) for path, value in kept.items()}):
            run = network.run(inputs[rows], do={of_rows(site, rows): lambda _: vectors})
            return run.output[scored[rows]]

    return from_vectors


def continued(
    network: Network, inputs: Tensor, site: Site, scored: Tensor
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """A decoder that takes `past_key_values`, as those of Hugging Face do.

    It runs from the first edited position on, with the keys and values of earlier ones, which no
    edit reaches, kept from the natural run; what had ended before the site is replayed.
    """
    module = network.module
    takes = "past_key_values" in inspect.signature(module.forward).parameters
    if not takes or inputs.dim() != 2 or scored.shape != inputs.shape or site.position is None:
        return None
    steps = positions(site.position, *inputs.shape)
    start = int(steps.min())
    if start == 0 or bool(scored[:, :start].any()):
        return None
    past = _past(network, inputs, start)
    if past is None:
        return None
    kept = {
        path: value[:, start:] if value.stride(0) == 0 else value[:, start:].contiguous()
        for path, value in _remembered(network, inputs, site).items()
        if isinstance(value, Tensor) and value.shape[1:2] == inputs.shape[1:]
    }

    def run(store: Any, rows: Tensor, do: Mapping[Site, Edit]) -> Tensor:
        forward = partial(module.forward, past_key_values=store, use_cache=True)
        answers = {path: _taken(value, rows) for path, value in kept.items()}
        with replaced_forward(module, forward), _answered(network, answers):
            return network.run(inputs[rows, start:], do=do).output

    def from_vectors(vectors: Tensor, rows: Tensor) -> Tensor:
        place = site.at(steps[rows.cpu()] - start)
        return run(past(rows), rows, {place: lambda _: vectors})[scored[rows, start:]]

    first = torch.arange(min(FIRST_ROWS, len(inputs)))
    with torch.no_grad():
        used = past(first)
        run(used, first, {})
    past.forget([layer.keys.shape[-2] == start for layer in used.layers])
    return from_vectors


class _Past:
    """Gives some samples' `past_key_values`, a new store each time, since a run adds to it."""

    def __init__(self, stores: list[Any]):
        self.store = copy.copy(stores[0])
        self.keys, self.values = (
            [torch.cat(parts) for parts in zip(*layers, strict=True)]
            for layers in (
                [[layer.keys for layer in store.layers] for store in stores],
                [[layer.values for layer in store.layers] for store in stores],
            )
        )

    def __call__(self, rows: Tensor) -> Any:
        store = copy.copy(self.store)
        store.layers = [copy.copy(layer) for layer in store.layers]
        for layer, keys, values in zip(store.layers, self.keys, self.values, strict=True):
            layer.keys, layer.values = _taken(keys, rows), _taken(values, rows)
        return store

    def forget(self, unread: list[bool]) -> None:
        """Keep no more than the shape of these layers: a replayed block reads nothing."""
        for index, never in enumerate(unread):
            if never:
                self.keys[index] = _unknown(self.keys[index], len(self.keys[index]))
                self.values[index] = _unknown(self.values[index], len(self.values[index]))


def _past(network: Network, inputs: Tensor, length: int) -> _Past | None:
    """The keys and values of the first `length` positions; None if the module gives none."""
    module, stores = network.module, []
    with torch.no_grad(), replaced_forward(module, partial(module.forward, use_cache=True)):
        for rows in torch.arange(len(inputs)).split(CHUNK):
            output = network.enter(module, inputs[rows, :length])
            stores.append(getattr(output, "past_key_values", None))
    return _Past(stores) if all(hasattr(store, "layers") for store in stores) else None


def _remembered(network: Network, inputs: Tensor, site: Site) -> dict[str, Any]:
    """What the modules that end before the site return, for all samples.

    What no one reads, since its reader is replayed as well, is not a number and takes no memory.
    """
    few = inputs[:FIRST_ROWS]
    finished = _recorded(network, few, _finished_before(network, few, site))
    unread: dict[str, Tensor] = {}
    with torch.no_grad():
        natural = network.run(few).output
        for path, value in finished.items():
            if not isinstance(value, Tensor) or not value.is_floating_point():
                continue
            nothing = _unknown(value, len(value))
            with _answered(network, {**finished, **unread, path: nothing}):
                same = torch.allclose(network.run(few).output, natural, atol=1e-4, rtol=1e-4)
            if same:
                unread[path] = nothing
    kept = _recorded(network, inputs, [path for path in finished if path not in unread])
    return kept | {path: _unknown(value, len(inputs)) for path, value in unread.items()}


def _unknown(like: Tensor, count: int) -> Tensor:
    return like.new_full((1, *like.shape[1:]), torch.nan).expand(count, *like.shape[1:])


def _recorded(network: Network, inputs: Tensor, paths: list[str]) -> dict[str, Any]:
    """What these modules return, for all samples; those without one value per sample are left."""
    memory: dict[str, list[Any]] = {path: [] for path in paths}
    with torch.no_grad():
        for rows in torch.arange(len(inputs)).split(CHUNK):
            with _recording(network, memory):
                network.enter(network.module, inputs[rows])
    kept = {path: _stacked(parts, len(inputs)) for path, parts in memory.items()}
    return {path: value for path, value in kept.items() if value is not None}


@contextmanager
def _answered(network: Network, answers: Mapping[str, Any]) -> Iterator[None]:
    """These modules return what is given here, whatever they are called with."""
    with ExitStack() as stack:
        for path, answer in answers.items():
            module = network.modules[path]
            stack.enter_context(replaced_forward(module, lambda *_, a=answer, **__: a))
        yield


def _finished_before(network: Network, inputs: Tensor, site: Site) -> list[str]:
    """The outermost modules that ran once, and had ended when the site's value was there."""
    events: list[tuple[str, str]] = []
    with ExitStack() as stack, torch.no_grad():
        for path, module in network.modules.items():
            start = lambda *_, p=path: events.append(("start", p))  # noqa: E731
            end = lambda *_, p=path: events.append(("end", p))  # noqa: E731
            stack.callback(module.register_forward_pre_hook(start).remove)
            stack.callback(module.register_forward_hook(end).remove)
        network.enter(network.module, inputs)
    moment = events.index(("start" if site.part == "input" else "end", site.module))
    calls = [p for kind, p in events if kind == "start"]
    done = [p for kind, p in events[: moment + 1] if kind == "end" and p and calls.count(p) == 1]
    return [p for p in done if not any(p.startswith(f"{q}.") for q in done)]


@contextmanager
def _recording(network: Network, memory: dict[str, list[Any]]) -> Iterator[None]:
    with ExitStack() as stack:
        for path, parts in memory.items():
            keep = lambda _, __, output, parts=parts: parts.append(output)  # noqa: E731
            stack.callback(network.modules[path].register_forward_hook(keep).remove)
        yield


def _stacked(parts: list[Any], count: int) -> Any:
    """All samples' outputs of one module, or None when they are not one tensor per sample."""
    if isinstance(parts[0], Tensor):
        whole = torch.cat(parts) if parts[0].dim() else None
        return whole if whole is not None and len(whole) == count else None
    if isinstance(parts[0], tuple):
        sides = [_stacked([part[i] for part in parts], count) for i in range(len(parts[0]))]
        return None if any(side is None for side in sides) else tuple(sides)
    return None


def _taken(value: Any, rows: Tensor) -> Any:
    if not isinstance(value, Tensor):
        return tuple(_taken(v, rows) for v in value)
    if value.stride(0) == 0:
        return value[:1].expand(len(rows), *value.shape[1:])
    return value.index_select(0, rows.to(value.device))

"""Runs with hooks, many times over: what is left on the modules, and what is left in memory."""

import gc
import time
import tracemalloc
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from families import folder
from symscope.align import Search, Swap, blocks, fit
from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.features.dictionaries import streamed
from symscope.featurizer import Rotation
from symscope.localize import attribution, edge_scores, literal_patched, patched
from symscope.models.rnn import RNN
from symscope.models.transformer import Transformer
from symscope.network import Network, NothingChanged
from symscope.site import Site
from symscope.task import IGNORE, Pairs

TOKENS, STEPS, SAMPLES, WARM = 9, 7, 8, 20
FEW = 50
"""Runs of a control."""
OBJECTS_PER_RUN, BYTES_PER_RUN, RESIDENT_PER_RUN = 0.1, 64, 1_000
SPARE_BYTES, SPARE_RESIDENT = 128 << 10, 4 << 20
"""Beside that, in all: what Python and the allocator keep for the next object of a size."""


@dataclass(frozen=True)
class Subject:
    """A network, the site that is read and edited, a later site, and places for a sweep."""

    network: Network
    site: Site
    later: Site
    places: Sequence[Site]
    base: Tensor
    source: Tensor


def _tokens(seed: int) -> Tensor:
    return torch.randint(TOKENS, (SAMPLES, STEPS), generator=torch.Generator().manual_seed(seed))


def _gru() -> Subject:
    torch.manual_seed(0)
    state = Site("rnn", "state")
    network = Network(RNN("gru", TOKENS, 6))
    return Subject(network, state.at(2), Site("readout"), [state.at(1), state.at(4)],
                   _tokens(0), _tokens(1))  # fmt: skip


def _transformer() -> Subject:
    torch.manual_seed(0)
    return _decoder(Network(Transformer(TOKENS, 8, 2, 2)), Site("blocks.0"), Site("readout"))


def _hugging_face() -> Subject:
    network = Network.from_pretrained(folder("gpt2"))
    assert network.layout is not None, "a family that is known"
    return _decoder(network, network.layout.site(1, "residual"), Site(network.layout.readout))


def _decoder(network: Network, site: Site, later: Site) -> Subject:
    layout = network.layout
    assert layout is not None, "a decoder"
    places = [layout.site(1, "residual").at(STEPS - 1), layout.site(1, "head", 1).at(STEPS - 1),
              layout.site(0, "mlp").at(2)]  # fmt: skip
    return Subject(network, site.at(2), later, places, _tokens(0), _tokens(1))


SUBJECTS: dict[str, Callable[[], Subject]] = {
    "gru": _gru, "transformer": _transformer, "hugging_face": _hugging_face,
}  # fmt: skip


class _Thrown(Exception):
    pass


def _throw(_: Tensor) -> Tensor:
    raise _Thrown


def read(subject: Subject) -> None:
    """Values at two sites."""
    subject.network.run(subject.base, read=[subject.site, *subject.places])


def do(subject: Subject) -> None:
    """An edit, and the gradient through it."""
    shift = torch.zeros((), requires_grad=True)
    run = subject.network.run(subject.base, do={subject.site: lambda v: v + 1 + shift})
    run.output.sum().backward()
    subject.network.module.zero_grad(set_to_none=True)


def raised_in_do(subject: Subject) -> None:
    """An edit that raises, after another one was made."""
    try:
        subject.network.run(subject.base, do={subject.site: lambda v: v + 1, subject.later: _throw})
    except _Thrown:
        return
    raise AssertionError("the edit's exception was swallowed")


def raised_midway(subject: Subject) -> None:
    """A run that fails: a token that is not there, and a site that is never reached."""
    for inputs, site in ((subject.base + 10_000, subject.site),
                         (subject.base, subject.site.at(STEPS + 5))):  # fmt: skip
        try:
            subject.network.run(inputs, do={site: lambda v: v + 1})
        except (IndexError, SymscopeError):
            continue
        raise AssertionError("the run did not fail")


def sweep(subject: Subject) -> None:
    """Places patched one by one, the fast way where there is one."""
    way = literal_patched if subject.network.layout is None else patched
    way(subject.network, subject.base, subject.source, subject.places)


def slopes(subject: Subject) -> None:
    """Attribution of places and of edges, in decoders."""
    if subject.network.layout is None:
        return do(subject)
    attribution(subject.network, subject.base, subject.source, subject.places, steps=2)
    edge_scores(subject.network, subject.base, subject.source, steps=1)
    return None


def das(subject: Subject) -> None:
    """Pairs prepared, and two steps of a search."""
    steps = torch.full((SAMPLES,), 2)
    target = torch.full((SAMPLES, STEPS), IGNORE)
    target[:, -1] = subject.source[:, -1]
    pairs = Pairs(subject.base, steps, subject.source, steps, target, {}, ("count",))
    site = subject.site.at(None)
    swap = Swap(subject.network, site, pairs)
    start = blocks("program", site, Rotation(swap.width, 2), {"count": 2})
    fit(start, [swap], [swap], Search(steps=2, more=2, most=2, batch=4))


def dropped(subject: Subject) -> None:
    """A stream of vectors that is left after its first batch."""
    stream = iter(streamed(subject.network, subject.site.at(None) if subject.network.layout
                           else Site("readout"), [subject.base, subject.source], batch=4,
                           buffer=16))  # fmt: skip
    next(stream)


KINDS: dict[str, Callable[[Subject], None]] = {
    f.__name__: f for f in (read, do, raised_in_do, raised_midway, sweep, slopes, das, dropped)
}


def hook_left(subject: Subject) -> None:
    """A control: a run that leaves its hook."""
    subject.network.at(subject.site).register_forward_hook(lambda *_: None)
    subject.network.run(subject.base)


_KEPT: list[Any] = []


def tensor_kept(subject: Subject) -> None:
    """A control: a run of which one small tensor stays."""
    _KEPT.append(subject.network.run(subject.base).output.detach()[0, 0])


def bytes_kept(_: Subject) -> None:
    """A control: a run of which eight kilobytes stay that no tensor holds."""
    _KEPT.append(bytearray(8 << 10))


def hooks(module: nn.Module) -> list[tuple[str, str, int]]:
    """All that can hang on a module and its parts: (path, kind, id)."""
    found = []
    for path, part in module.named_modules():
        for kind, value in vars(part).items():
            if kind.endswith("hooks") and isinstance(value, dict):
                found += [(path, kind, id(hook)) for hook in value.values()]
        if "forward" in vars(part):
            found.append((path, "forward", id(vars(part)["forward"])))
        found.append((path, "training", int(part.training)))
    frozen = [
        (name, "needs gradient", int(p.requires_grad)) for name, p in module.named_parameters()
    ]
    return sorted(found + frozen)


@contextmanager
def foreign(module: nn.Module) -> Iterator[list[int]]:
    """Hooks of the user's own, of every kind, and a count of how often the first two fired."""
    fired = [0, 0]

    def count(which: int) -> Callable[..., None]:
        def hook(*_: object, **__: object) -> None:
            fired[which] += 1

        return hook

    with ExitStack() as stack:
        for handle in (
            module.register_forward_pre_hook(count(0)), module.register_forward_hook(count(1)),
            module.register_full_backward_hook(lambda *_: None),
            module.register_state_dict_post_hook(lambda *_: None),
            module.register_load_state_dict_post_hook(lambda *_: None),
        ):  # fmt: skip
            stack.callback(handle.remove)
        yield fired


def leaks(
    count: int, subjects: Sequence[str] = tuple(SUBJECTS), kinds: Sequence[str] = tuple(KINDS)
) -> list[Evidence]:
    """`count` runs of each kind on each network: the share after which everything was as before.

    Where memory grew with the runs none counts as right. Controls, on which the same check has to
    say 0: runs that leave a hook, a tensor, or other memory.
    """
    found = []
    for name in subjects:
        controls = {
            f.__name__.replace("_", " "): _share(SUBJECTS[name](), f, FEW)[0]
            for f in (hook_left, tensor_kept, bytes_kept)
        }
        _KEPT.clear()
        for kind in kinds:
            began = time.monotonic()
            share, config, note = _share(SUBJECTS[name](), KINDS[kind], count)
            low, high = wilson(round(share * count), count)
            found.append(Evidence(
                f"reliability.leaks.{name}.{kind}", share, low, high, count, "share of runs",
                controls, seconds=time.monotonic() - began, config=config, note=note,
            ))  # fmt: skip
    return found


def _share(
    subject: Subject, run: Callable[[Subject], None], count: int
) -> tuple[float, dict[str, float], str]:
    """The share of runs that left nothing, what grew for each run, and what was wrong."""
    module, clean = subject.network.module, 0
    with foreign(subject.network.at(subject.site)) as fired, warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)
        before = hooks(module)
        gc.collect()
        gc.freeze()  # what was there before is not looked through again and again
        tracemalloc.start()
        for _ in range(WARM):
            run(subject)
        left = hooks(module) != before
        start = _memory()
        for _ in range(count):
            run(subject)
            clean += hooks(module) == before
        end = _memory()
        tracemalloc.stop()
        gc.unfreeze()
        fired[:] = [0, 0]
        subject.network.run(subject.base)
        silent = 0 in fired
    grown = {k: (end[k] - start[k]) for k in start}
    config = {f"{k}_per_run": v / count for k, v in grown.items() if k != "resident"}
    config["resident_grown"] = grown["resident"]
    notes = [
        "a hook was left" if left or clean < count else "",
        "the user's own hooks did not fire" if silent else "",
        f"{grown['tensors']} tensors were kept" if grown["tensors"] > 0 else "",
        "objects were kept" if grown["objects"] > OBJECTS_PER_RUN * count + 5 else "",
        "memory grew" if grown["bytes"] > BYTES_PER_RUN * count + SPARE_BYTES else "",
        "the process grew" if grown["resident"] > RESIDENT_PER_RUN * count + SPARE_RESIDENT else "",
    ]
    wrong = "; ".join(filter(None, notes))
    share = 0.0 if any(notes[1:]) or left else clean / count
    return share, config, wrong


def _memory() -> dict[str, int]:
    gc.collect()
    gc.collect()
    objects = gc.get_objects()
    tensors = sum(issubclass(type(o), Tensor) for o in objects)
    status = Path("/proc/self/status").read_text(encoding="utf8")
    resident = next(int(line.split()[1]) for line in status.splitlines() if "VmRSS" in line)
    return {"tensors": tensors, "objects": len(objects),
            "bytes": tracemalloc.get_traced_memory()[0], "resident": resident * 1024}  # fmt: skip

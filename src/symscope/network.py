"""A torch module as a causal model: its named values are read and replaced at sites."""

import warnings
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from symscope.causal_model import Edit, Run, UnknownName
from symscope.evidence import SymscopeError
from symscope.layout import Layout, layout_of
from symscope.pretrained import enter as enter_tokens
from symscope.pretrained import pretrained
from symscope.site import Site
from symscope.visit import SEQUENCE_CELLS, STEP_CELLS, Visit, watched


class UnknownSite(UnknownName):
    """A module path that the network does not have."""


class NothingChanged(UserWarning):
    """An edit fired and left every value as it was."""


def call(module: nn.Module, inputs: Any) -> Any:
    """How inputs enter: a mapping as keyword arguments, a tuple as arguments, else as they are."""
    if isinstance(inputs, Mapping):
        return module(**inputs)
    return module(*inputs) if isinstance(inputs, tuple) else module(inputs)


def logits(output: Any) -> Tensor:
    """How the answer is read: `output.logits` if there is one, the first of a tuple, or itself."""
    output = getattr(output, "logits", output)
    return output[0] if isinstance(output, tuple) else output


@dataclass(frozen=True, eq=False)
class Network:
    """Any `nn.Module` as a causal model.

    `enter` says how inputs are given to the module and `answer` how the output tensor is read from
    what it returns. The module is put in evaluation mode, on the device it is on, and is otherwise
    left alone: hooks that were there stay, and those of a run are gone when it ends or raises.
    `layout` says where a decoder's parts are; it is known for symscope's own and for the families
    of `layout.FAMILIES`. `tokenizer` is that of a pretrained model.
    """

    module: nn.Module
    enter: Callable[[nn.Module, Any], Any] = call
    answer: Callable[[Any], Tensor] = logits
    layout: Layout | None = None
    tokenizer: Any = None
    modules: dict[str, nn.Module] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self.module.eval()
        object.__setattr__(self, "modules", dict(self.module.named_modules()))
        object.__setattr__(self, "layout", self.layout or layout_of(self.module))

    @classmethod
    def from_pretrained(
        cls, source: str | Path, dtype: str | torch.dtype = "float32", device: str = "cpu",
        layout: Layout | None = None,
    ) -> "Network":  # fmt: skip
        """A causal language model from a folder or the hub, see `pretrained.pretrained`.

        Its inputs are tokens (batch, step), or what its tokenizer returns, padded on the left.
        """
        found = pretrained(source, dtype, device, layout)
        return cls(found.module, enter_tokens, logits, found.layout, found.tokenizer)

    @property
    def sites(self) -> list[str]:
        """The module paths that a `Site` can name."""
        return [path for path in self.modules if path]

    @property
    def device(self) -> torch.device:
        """Where the parameters are, or of those that are spread the first."""
        here = (p.device for p in self.module.parameters() if not p.is_meta)
        return next(here, torch.device("cpu"))

    def at(self, site: Site) -> nn.Module:
        """The module of a site; raises `UnknownSite`, or `SymscopeError` for a part it lacks."""
        if site.module not in self.modules:
            raise UnknownSite("module", site.module, self.sites)
        module = self.modules[site.module]
        if site.stateful:
            if not isinstance(module, SEQUENCE_CELLS + STEP_CELLS):
                raise SymscopeError(
                    f"{site.module!r} is a {type(module).__name__} and carries no state;"
                    " use part='output'"
                )
            if isinstance(module, SEQUENCE_CELLS) and module.bidirectional:
                raise SymscopeError(f"{site.module!r} runs in both directions: no single state")
            if site.part == "c" and not isinstance(module, nn.LSTM | nn.LSTMCell):
                raise SymscopeError(f"{site.module!r} has no cell state 'c'; use part='h'")
        return module

    def run(self, inputs: Any, *, read: Iterable[Site] = (), do: Mapping[Site, Edit] = {}) -> Run:
        """The answer on `inputs`, with the values at the sites in `read`, after the edits in `do`.

        An edit receives the vectors at its site, (batch, width), or the whole value where the site
        has no position, and returns what shall stand there. With positions that differ between
        samples it is called once per position, always on the whole batch, and must treat the rows
        one by one. Raises `SiteNeverRan` when an edit did not fire; warns `NothingChanged`.
        """
        visits = [Visit(site, do.get(site)) for site in dict.fromkeys([*do, *read])]
        by_module: dict[str, list[Visit]] = defaultdict(list)
        for visit in visits:
            self.at(visit.site)
            by_module[visit.site.module].append(visit)
        with ExitStack() as stack:
            for path, here in by_module.items():
                stack.enter_context(watched(self.modules[path], here))
            output = self.answer(self.enter(self.module, inputs))
        for visit in visits:
            visit.check()
            if visit.edit is not None and not visit.changed:
                warnings.warn(f"the edit at {visit.site} changed nothing", NothingChanged, 2)
        return Run(output, {site: _found(visits, site) for site in read})


def _found(visits: "list[Visit]", site: Site) -> Tensor:
    value = next(v.value for v in visits if v.site == site)
    assert value is not None, "check() lets no visit pass that found nothing"
    return value

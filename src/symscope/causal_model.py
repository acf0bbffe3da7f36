"""The one idea: a program and a network are both causal models, so one interchange serves both."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from symscope.evidence import SymscopeError

Edit = Callable[[Any], Any]
"""Receives the value that a name would have had and returns the one it shall have."""


@dataclass(frozen=True)
class Run:
    """What came out of one run: the output, and the values that were asked for."""

    output: Any
    values: Mapping[Any, Any] = field(default_factory=dict)


class CausalModel(Protocol):
    """Anything that computes an output through named values that can be read and replaced."""

    def run(self, inputs: Any, *, read: Iterable[Any] = (), do: Mapping[Any, Edit] = {}) -> Run:
        """The run on `inputs`, with the values named in `read`, after the edits in `do`.

        A value that is both read and edited is read after its edit.
        """
        ...


def interchange(
    model: CausalModel, base: Any, source: Any, names: Iterable[Any] | Mapping[Any, Any]
) -> Any:
    """The output on `base` with `names` as they are on `source` (Geiger et al., 2021).

    `names` are the model's own: program variables or network sites. A mapping says under which
    name each is found in the source: `{base name: source name}`, for values at different steps.
    """
    pairs = dict(names) if isinstance(names, Mapping) else {n: n for n in names}
    donor = model.run(source, read=list(pairs.values())).values
    return model.run(base, do={b: _constant(donor[s]) for b, s in pairs.items()}).output


def _constant(value: Any) -> Edit:
    return lambda _: value


class UnknownName(SymscopeError):
    """A name that the model does not have; says which it has."""

    def __init__(self, kind: str, name: object, known: Iterable[object]):
        super().__init__(kind, name, tuple(known))  # as given, so that it can be pickled

    def __str__(self) -> str:
        kind, name, known = self.args
        options = ", ".join(repr(k) for k in known)
        return f"unknown {kind} {name!r}; there is {options or 'none'}"

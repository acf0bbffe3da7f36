"""What a page asks of the parts of its view: keys, kinds, lengths, and numbers that JSON has.

Each raises `SymscopeError` that names the place, says what is there and what is needed.
"""

import math
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from symscope.evidence import SymscopeError


def has(part: Any, where: str, fields: Mapping[str, Any] = MappingProxyType({})) -> None:
    """Raises unless `part` is a mapping with these keys, of these kinds; None is any kind."""
    if not isinstance(part, Mapping):
        raise SymscopeError(f"{where} is {kind_of(part)} where a mapping is needed")
    for key, kind in fields.items():
        if key not in part:
            raise SymscopeError(f"{where} has no {key!r}; it has {sorted(map(str, part))}")
        if kind is not None and not isinstance(part[key], kind):
            named = kind.__name__ if isinstance(kind, type) else str(kind)
            wanted = "mapping" if kind is Mapping else named
            raise SymscopeError(
                f"{where}: {key!r} is {kind_of(part[key])} where {wanted} is needed"
            )


def listed(part: Any, count: int | None, where: str, each: str = "") -> None:
    """Raises unless `part` is a list, of that many."""
    if not isinstance(part, list | tuple):
        raise SymscopeError(f"{where} is {kind_of(part)} where a list is needed")
    if count is not None and len(part) != count:
        raise SymscopeError(f"{where} has {len(part)} entries; it needs {count}, {each}")


def table(part: Any, shape: tuple[int, int], where: str) -> None:
    """Raises unless `part` is a list of so many rows, each of so many numbers or None."""
    each = f"a table of {shape[0]} rows × {shape[1]}"
    listed(part, shape[0], where, each)
    for number, row in enumerate(part):
        numbers(row, shape[1], f"{where}, row {number}", each)


def numbers(part: Any, count: int, where: str, each: str) -> None:
    """Raises unless `part` is a list of that many numbers, or None for what was not measured."""
    listed(part, count, where, each)
    other = next((v for v in part if not (v is None or isinstance(v, int | float))), None)
    if other is not None:
        raise SymscopeError(f"{where} holds {other!r}; it has to hold numbers, or None")


def one_of(part: Any, allowed: Sequence[Any], where: str) -> None:
    """Raises unless `part` is one of these."""
    if part not in allowed:
        raise SymscopeError(f"{where} is {part!r}; it has to be one of {list(allowed)}")


def rounded(part: Any, where: str, digits: int) -> Any:
    """The part with its numbers rounded; raises for one that JSON does not have."""
    if isinstance(part, float):
        if not math.isfinite(part):
            raise SymscopeError(f"{where} holds {part}, which is no number")
        return float(f"{part:.{digits}g}")
    if isinstance(part, Mapping):
        return {str(k): rounded(v, f"{where}[{k!r}]", digits) for k, v in part.items()}
    if isinstance(part, list | tuple):
        return [rounded(v, f"{where}[{i}]", digits) for i, v in enumerate(part)]
    return part


def kind_of(part: Any) -> str:
    """What a wrong part is, in a few words."""
    return "nothing" if part is None else f"a {type(part).__name__}"

"""Files that someone else may have written: read within bounds, or refused in one line.

No pipe is waited for and no device is read; a text is at most so long, a document holds at most so
much, and what a reader trips over is said of the file.
"""

import json
import math
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor
from torch.overrides import TorchFunctionMode

from symscope.errors import SymscopeError

MOST_BYTES = 64 * 2**20
"""Of a text. The longest view of a study has 6 MB."""
MOST_VALUES = 1_000_000
"""In a JSON document: what a value takes in memory is many times what it takes in the file."""
MOST_NESTED = 100
"""Levels in a JSON document; Python's stack holds about a thousand."""
MOST_INTEGER = 2**63
_FILLS = ("uniform_", "normal_", "fill_", "zero_")


def regular(path: Path, what: str = "file") -> int:
    """The bytes of a file; raises `SymscopeError` for what is absent, or is no regular file."""
    try:
        found = Path(path).stat()
    except FileNotFoundError:
        raise SymscopeError(f"no {what} {path}") from None
    except (OSError, ValueError) as error:
        said = getattr(error, "strerror", None) or error
        raise SymscopeError(f"{path} is not readable: {said}") from None
    if not stat.S_ISREG(found.st_mode):
        kind = "a directory" if stat.S_ISDIR(found.st_mode) else "a pipe or a device"
        raise SymscopeError(f"{path} is not readable: it is {kind}, a file is needed")
    return found.st_size


@contextmanager
def refusing(why: str) -> Iterator[None]:
    """Whatever a reader of a damaged file raises becomes a refusal that begins with `why`."""
    try:
        yield
    except SymscopeError:
        raise
    except Exception as error:  # readers fail in many ways, and none of them is the user's concern
        raise SymscopeError(f"{why}: {str(error)[:300] or type(error).__name__}") from error


def read_text(path: Path, kind: str = "text") -> str:
    """The text in a file; raises `SymscopeError` where it is too long or is no UTF-8.

    The size that a file system says may be wrong, so that no more is read in any case.
    """
    regular(path)
    with refusing(f"{path} is not readable {kind}"), Path(path).open("rb") as file:
        content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise SymscopeError(f"{path} is longer than {MOST_BYTES:,} bytes")
        return content.decode("utf8")


def read_json(path: Path) -> Any:
    """The JSON document at `path`; raises `SymscopeError` when it is absent or is not JSON.

    NaN and infinities, a key said twice, and text that is no Unicode are refused too.
    """
    text = read_text(path, "JSON")
    with refusing(f"{path} is not readable JSON"):
        return document_in(text)


def document_in(text: str) -> Any:
    """The document that a JSON text holds; raises `ValueError` for what `read_json` refuses."""
    if sum(map(text.count, ",[{")) > MOST_VALUES:
        raise ValueError(f"more than {MOST_VALUES:,} values")
    document = json.loads(text, parse_constant=_refused, object_pairs_hook=_said_once)
    level, depth = [document], 0
    while level:
        for value in level:
            _sound(value)
        level = [child for value in level for child in _children(value)]
        depth += 1
        if depth > MOST_NESTED:
            raise ValueError(f"more than {MOST_NESTED} levels are nested")
    return document


def _refused(constant: str) -> None:
    raise ValueError(f"{constant} is no number of JSON")


def _said_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError(f"{name[:99]!r} is said twice in one object")
        found[name] = value
    return found


def _children(value: Any) -> Sequence[Any]:
    return [*chain(value, value.values())] if isinstance(value, dict) else (
        value if isinstance(value, list) else ())  # fmt: skip


def _sound(value: Any) -> None:
    """Raise for a number or a text that cannot be written again."""
    if isinstance(value, str):
        value.encode("utf8")
    elif isinstance(value, int) and abs(value) > MOST_INTEGER:
        raise ValueError("an integer of more than 63 bits")
    elif isinstance(value, float) and not math.isfinite(value):
        raise ValueError("a number that is too large")


def read_tensors(
    path: Path, what: str = "checkpoint", damaged: str = "is truncated or no safetensors file"
) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors and metadata of a safetensors file; raises `SymscopeError` where it is no such."""
    regular(path, what)
    refused = refusing(f"{path} {damaged}")
    with refused, safe_open(path, framework="pt") as file:
        tensors = {key: file.get_tensor(key).clone() for key in file.keys()}  # noqa: SIM118
        return tensors, file.metadata() or {}


class _Unfilled(TorchFunctionMode):
    """No tensor gets its first numbers."""

    def __torch_function__(  # as torch calls it
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        if getattr(func, "__module__", None) == "torch.nn.init" or func.__name__ in _FILLS:
            return args[0] if args else (kwargs or {})["tensor"]
        return func(*args, **(kwargs or {}))


@contextmanager
def shapes_alone() -> Iterator[None]:
    """Modules that are made here have shapes and no numbers, so that they take no memory.

    Filling them would take none either, but torch loads a large part of itself for that.
    """
    with torch.device("meta"), _Unfilled():
        yield


def said_in(metadata: dict[str, str]) -> dict[str, Any]:
    """What symscope said in a file's metadata; raises `ValueError` where it said nothing."""
    if "symscope" not in metadata:
        raise ValueError("nothing in it says so")
    said = document_in(metadata["symscope"])
    if not isinstance(said, dict):
        raise ValueError("it holds no JSON object")
    return said

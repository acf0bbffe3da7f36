"""What every method returns: a score that cannot be separated from its controls.

An `Evidence` states a claim, its score with n, interval, controls, seeds and cost. Beside it stand
the answers a verifier can give (`proof.py`), the intervals that go into evidence, and the one way
in which symscope writes a file: whole, or not at all.
"""

import json
import math
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from symscope.errors import ClaimFailed, ComputationFailed, SymscopeError  # noqa: F401
from symscope.files import read_json
from symscope.leftovers import PART
from symscope.proof import Counterexample, Proof, Unknown  # noqa: F401 (kinds of evidence too)


@dataclass(frozen=True)
class Evidence:
    """One scored claim. `low`..`high` is a 95 % interval; `score` is null when not analysed."""

    claim: str
    score: float | None
    low: float | None
    high: float | None
    n: int
    unit: str = "IIA"
    controls: Mapping[str, float] = field(default_factory=dict)
    seeds: Sequence[int] = ()
    seconds: float = 0.0
    config: Mapping[str, Any] = field(default_factory=dict)
    source: Mapping[str, Any] | None = None
    note: str = ""

    def __str__(self) -> str:
        if self.score is None:
            return f"{self.claim}: not analysed ({self.note})"
        shown = ", ".join(f"{name} {value:.3f}" for name, value in self.controls.items())
        return (
            f"{self.claim}: {self.unit} {self.score:.3f} [{self.low:.3f}, {self.high:.3f}]"
            f" (n {self.n}; controls: {shown or 'none'})"
        )


def wilson(successes: int, n: int) -> tuple[float, float]:
    """The 95 % Wilson score interval of a proportion (Wilson, 1927).

    >>> tuple(round(x, 3) for x in wilson(9, 10))
    (0.596, 0.982)
    """
    if n == 0:
        return 0.0, 1.0
    z = 1.959964
    share = successes / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap(
    groups: Sequence[Sequence[float] | np.ndarray], draws: int = 2000
) -> tuple[float, float]:
    """The 95 % interval of a mean of group means: seeds are drawn again, then samples in each.

    `groups` holds one sequence of scores per seed; 0/1 scores are drawn as binomials, which is
    the same thing. With a single seed there is nothing to draw: use `wilson` and say so.
    """
    rng = np.random.default_rng(0)
    arrays = [np.asarray(g, dtype=float) for g in groups]
    picks = rng.integers(len(arrays), size=(draws, len(arrays)))
    resampled = np.stack([_resampled_means(rng, a, draws * len(arrays)) for a in arrays])
    columns = np.arange(draws * len(arrays)).reshape(draws, len(arrays))
    means = resampled[picks, columns].mean(axis=1)
    low, high = np.percentile(means, [2.5, 97.5])
    return float(low), float(high)


def _resampled_means(rng: np.random.Generator, scores: np.ndarray, times: int) -> np.ndarray:
    if len(scores) == 1:
        return np.repeat(scores, times)
    if np.isin(scores, (0.0, 1.0)).all():
        return rng.binomial(len(scores), scores.mean(), size=times) / len(scores)
    return np.array([rng.choice(scores, len(scores)).mean() for _ in range(times)])


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Write a file so that a reader sees the old one or the new one, never a part of either.

    `write` receives a temporary path in the same folder, which is renamed when it returned; after
    any failure (a full disk, a signal) the file that was there is untouched.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=PART)
    os.close(handle)
    temporary = Path(name)
    try:
        write(temporary)
        temporary.chmod(0o644)
        temporary.replace(path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename in (None, name):
            error.filename = str(path)  # what was asked for
        raise


def write_json(path: Path, document: Any) -> None:
    """Write `document` as indented JSON, whole or not at all. NaN is refused: it is no evidence."""
    text = json.dumps(document, indent=1, allow_nan=False) + "\n"
    write_whole(path, lambda p: p.write_text(text, encoding="utf8"))


def write_evidence(path: Path, records: Sequence[Evidence]) -> None:
    """Write records as a JSON list, whole or not at all."""
    write_json(path, [asdict(r) for r in records])


def read_evidence(path: Path) -> list[Evidence]:
    """Read what `write_evidence` wrote; raises `SymscopeError` naming the record that is off."""
    document = read_json(path)
    if not isinstance(document, list):
        raise SymscopeError(f"{path} holds no list of evidence records")
    records = []
    for number, record in enumerate(document):
        try:
            records.append(Evidence(**record))
        except TypeError as error:
            raise SymscopeError(f"{path}, record {number}: {error}") from None
        for name, kinds in _KINDS.items():
            value = getattr(records[-1], name)
            parts = value.values() if name == "controls" and isinstance(value, dict) else ()
            if not isinstance(value, kinds) or not all(isinstance(v, float | int) for v in parts):
                raise SymscopeError(f"{path}, record {number}: {name} is {str(value)[:99]!r}")
    return records


_KINDS: Mapping[str, Any] = {
    "claim": str, "score": float | int | None, "low": float | int | None, "n": int, "unit": str,
    "high": float | int | None, "controls": dict, "seeds": list | tuple, "seconds": float | int,
    "config": dict, "source": dict | None, "note": str,
}  # fmt: skip

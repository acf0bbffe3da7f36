"""What can be swept of dictionaries: one fitted to vectors that are made of known features."""

from pathlib import Path

from symscope.evidence import Evidence
from symscope.features.dictionaries import (
    Training,
    bench,
    fit_dictionary,
    recovery,
    save_dictionary,
)
from symscope.studies.dictionaries.known import ideal


def fit(
    folder: Path, *, method: str = "topk", features: int = 72, sparsity: float | None = 2.0,
    steps: int = 1_000, rate: float = 4e-3, vectors: int = 4_000, seed: int = 0,
) -> list[Evidence]:  # fmt: skip  # what a dictionary is made by
    """A dictionary of sums of 48 directions in 24 dimensions: whether it finds them, and the bench.

    `sparsity` is features per vector or a penalty, as `fit_dictionary` has it.
    """
    drawn, truth, _ = ideal({"vectors": vectors}, seed)
    mine, other = drawn.chunk(2)
    training = Training(steps, min(256, len(mine)), rate, min(100, steps // 2),
                        max(1, steps // 5), folder / "training")  # fmt: skip
    found = fit_dictionary(mine, method, size=features, sparsity=sparsity, training=training,
                           seed=seed)  # fmt: skip
    save_dictionary(folder / "dictionary.safetensors", found)
    return [recovery(found, truth, other, seed), *bench(found, other, seed)]

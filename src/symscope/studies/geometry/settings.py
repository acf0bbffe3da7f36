"""How large each part of the study is."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Adding:
    """Networks that add modulo `modulus`, trained for `steps` full batches with weight `decay`."""

    modulus: int = 59
    width: int = 128
    steps: int = 1200
    decay: float = 1.0


@dataclass(frozen=True)
class Search:
    """Dictionaries between an MLP's input and output, one for each penalty; and their clusters.

    Found by trial on the first network that was trained here.
    """

    size: int = 128
    penalties: tuple[float, ...] = (0.003, 0.01)
    steps: int = 1500
    batch: int = 512
    rate: float = 2e-3
    thresholds: tuple[float, ...] = (0.5, 0.7, 0.8)
    neighbours: tuple[int, ...] = (2, 3, 4)
    counts: tuple[int, ...] = (4, 6, 8, 12, 16)
    angles: int = 45


@dataclass(frozen=True)
class Reading:
    """Dictionaries of a language model's residual stream, on `texts` texts of `length` tokens.

    They are the model's own: sampled at temperature 1.
    """

    texts: int = 600
    length: int = 128
    size: int = 1024
    sparsity: int = 8
    steps: int = 4000
    clusters: int = 100
    shown: int = 3


@dataclass(frozen=True)
class Preset:
    """`points` of each toy shape, `toy_steps` of toy dictionaries, `pairs` of each intervention.

    Of the published networks that add the first `published`, of the small language model the
    residual stream at `layers`: 0 is the embedding, 5 what the last block adds to.
    """

    seeds: int = 5
    points: int = 4096
    toy_steps: int = 20_000
    pairs: int = 2_000
    adding: Adding = Adding()
    search: Search = Search()
    reading: Reading = Reading()
    published: int = 7
    layers: tuple[int, ...] = (0, 1, 2, 3, 4, 5)


PRESETS = {
    "small": Preset(),
    "tiny": Preset(
        1, 600, 300, 100, Adding(modulus=23, width=32, steps=150),
        Search(size=32, steps=300, thresholds=(0.5,), neighbours=(2,), counts=(4,), angles=12),
        Reading(texts=10, length=32, size=64, steps=100, clusters=5), 1, (3,),
    ),
}  # fmt: skip

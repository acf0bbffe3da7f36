"""How often the reading is right, on networks written by hand that no bound was fitted on."""

from collections import Counter
from collections.abc import Mapping, Sequence

from symscope.generate.reading.classify import read_algorithm
from symscope.generate.reading.formula_network import ALGORITHMS
from symscope.generate.reading.labelled import NONE, labelled


def confusion(
    networks: int = 100, seed: int = 1, causal: bool = False,
    kinds: Sequence[str] = (*ALGORITHMS, *NONE), samples: int = 2_000,
) -> Mapping[str, Mapping[str, int]]:  # fmt: skip
    """Kind → the name read → how many of `networks` of that kind.

    The bounds are fitted on seed 0: any other is held out.
    """
    table: dict[str, Counter[str]] = {kind: Counter() for kind in kinds}
    for kind, weights, task, own in labelled(tuple(kinds), networks, seed):
        reading = read_algorithm(weights, task, own, samples, causal)
        table[kind][reading.algorithm] += 1
    return table


def right(table: Mapping[str, Mapping[str, int]]) -> tuple[int, int]:
    """How many networks were named as they should be, of how many; what follows none is "none"."""
    good = sum(
        names.get(kind if kind in ALGORITHMS else "none", 0) for kind, names in table.items()
    )
    return good, sum(sum(names.values()) for names in table.values())

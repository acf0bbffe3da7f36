"""A weighted sum of names, and a comparison of one with 0, as text."""

from collections.abc import Sequence

from symscope.extract.formula.integer_program import Weights


def weighted_sum(names: Sequence[str], weights: Weights) -> str:
    """The sum as one would write it: what is added first, then what is taken away.

    >>> weighted_sum(["x", "y"], Weights((-2, 1), 3))
    'y + 3 - 2 * x'
    """
    terms = [(w, n) for w, n in zip(weights.slopes, names, strict=True) if w]
    added = [_term(w, n) for w, n in terms if w > 0]
    taken = [_term(-w, n) for w, n in terms if w < 0]
    if weights.offset > 0:
        added.append(str(weights.offset))
    if weights.offset < 0:
        taken.append(str(-weights.offset))
    if not added and not taken:
        return "0"
    return " + ".join(added) + "".join((" - " if added or i else "-") + t
                                       for i, t in enumerate(taken))  # fmt: skip


def above_zero(names: Sequence[str], weights: Weights) -> str:
    """That the sum is above 0, with what is taken away written on the other side.

    >>> above_zero(["x", "y"], Weights((-2, 1), 3))
    '2 * x < y + 3'
    """
    smaller = Weights(tuple(max(0, -w) for w in weights.slopes), max(0, -weights.offset))
    larger = Weights(tuple(max(0, w) for w in weights.slopes), max(0, weights.offset))
    return f"{weighted_sum(names, smaller)} < {weighted_sum(names, larger)}"


def _term(weight: int, name: str) -> str:
    return name if weight == 1 else f"{weight} * {name}"

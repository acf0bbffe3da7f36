"""The operations that expressions are grown with, on whole columns of values."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


def _choose(test: np.ndarray, yes: np.ndarray, no: np.ndarray) -> np.ndarray:
    return np.where(test == 1, yes, no)


@dataclass(frozen=True)
class Operation:
    """How values are computed and written; `of` says which parts it takes.

    `of` is "any", "numbers" (not two truth values, for which another operation does the same),
    "truths" (0/1 values only) or "divisor" (the right part is nowhere 0).
    """

    text: str
    values: Callable[..., np.ndarray]
    of: str = "any"
    commutes: bool = False
    parts: int = 2


LEAF = Operation("{}", lambda: np.empty(0), parts=0)
NEGATIVE = Operation("-{}", np.negative, parts=1)
BINARY = (
    Operation("({} + {})", np.add, commutes=True),
    Operation("({} - {})", np.subtract),
    Operation("({} * {})", np.multiply, "numbers", commutes=True),
    Operation("max({}, {})", np.maximum, "numbers", commutes=True),
    Operation("min({}, {})", np.minimum, "numbers", commutes=True),
    Operation("({} % {})", np.mod, "divisor"),
    Operation("({} // {})", np.floor_divide, "divisor"),
    Operation("({} == {})", np.equal, commutes=True),
    Operation("({} != {})", np.not_equal, "numbers", commutes=True),
    Operation("({} < {})", np.less),
    Operation("({} <= {})", np.less_equal),
    Operation("({} and {})", np.bitwise_and, "truths", commutes=True),
    Operation("({} or {})", np.bitwise_or, "truths", commutes=True),
    Operation("({} ^ {})", np.bitwise_xor, "truths", commutes=True),
)
UNARY = (
    Operation("abs({})", np.abs, "numbers", parts=1),
    Operation("(not {})", lambda a: 1 - a, "truths", parts=1),
)
IF = Operation("({1} if {0} else {2})", _choose, parts=3)
ALL = (LEAF, NEGATIVE, *BINARY, *UNARY, IF)
NUMBER = {operation: i for i, operation in enumerate(ALL)}

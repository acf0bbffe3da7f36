"""Expressions grown from small to large, one for each list of values on some rows.

Observational equivalence (Udupa et al., 2013; Albarghouthi et al., 2013): of expressions with the
same values on the rows, the cheapest is kept and the others are never built on.
"""

import time
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from symscope.extract.formula.operations import (
    ALL,
    BINARY,
    IF,
    LEAF,
    NEGATIVE,
    NUMBER,
    UNARY,
    Operation,
)

LARGEST = 2**30
"""Expressions with larger values are dropped: their sums would leave 32 bits."""
CELLS = 2**21
"""So many values are computed at a time."""


class Bank:
    """The expressions so far: their values on the rows, their costs, and how each was made.

    Two lists of values count as equal when their random projection modulo 2^64 is: for a million
    of them the chance that any two meet is below 1e-7, and then one expression is missed; none
    is returned unchecked. The projection is linear, so that the values a + b are known to be new
    or not before they are computed.
    """

    def __init__(
        self, columns: Mapping[str, np.ndarray], constants: Sequence[int], most: int, nodes: int
    ) -> None:
        rows = len(next(iter(columns.values())))
        generator = np.random.default_rng(0)
        self.projection = generator.integers(0, 2**64, size=rows, dtype=np.uint64)
        self.names = [*columns, *map(str, constants)]
        self.most, self.most_nodes, self.size = most, nodes, 0
        self.values = np.empty((most, rows), np.int32)
        self.hashes = np.empty(most, np.uint64)
        self.costs, self.nodes = np.empty(most, np.int32), np.empty(most, np.int32)
        self.truths = np.empty(most, bool)
        self.made = np.empty((most, 4), np.int32)  # the operation and its parts
        self.ordered, self.order = np.empty(0, np.uint64), np.empty(0, np.int64)
        self._leaves = np.stack(
            [*columns.values(), *(np.full(rows, c) for c in constants)]
        )  # the order of names
        self._leaf_costs = [1] * len(columns) + [
            1 + (c < 0) + int(c).bit_length() for c in constants
        ]

    def grow(self, cost: int, end: float) -> bool:
        """Add all expressions of this cost; False when the bank is full or the time over."""
        self.cost = cost
        for i in (i for i, c in enumerate(self._leaf_costs) if c == cost):
            nodes = 1 + self.names[i].startswith("-")
            self._keep(LEAF, self._leaves[i : i + 1], np.array([[i, 0, 0]]), np.array([nodes]))
        for operation, parts in self._parts(cost):
            self._apply(operation, parts)
            if self.size == self.most or time.monotonic() > end:
                return False
        return True

    def at(self, cost: int) -> np.ndarray:
        """The indices of the expressions of this cost."""
        return np.flatnonzero(self.costs[: self.size] == cost)

    def find(self, hashes: np.ndarray) -> np.ndarray:
        """For each projection the index of the expression that has it, or -1."""
        if not self.size:
            return np.full(len(hashes), -1)
        place = np.minimum(np.searchsorted(self.ordered, hashes), self.size - 1)
        return np.where(self.ordered[place] == hashes, self.order[place], -1)

    def projected(self, values: np.ndarray) -> np.ndarray:
        """The random projection of lists of values, modulo 2^64."""
        return values.astype(np.int64).view(np.uint64) @ self.projection

    def text(self, index: int) -> str:
        """The expression, parentheses around every part."""
        number, *parts = self.made[index].tolist()
        operation = ALL[number]
        if operation is LEAF:
            return self.names[parts[0]]
        return operation.text.format(*(self.text(p) for p in parts[: operation.parts]))

    def _parts(self, cost: int) -> Iterator[tuple[Operation, np.ndarray]]:
        """Every operation with the indices of its parts, in pieces that fit in memory."""
        before = self.at(cost - 1)
        yield NEGATIVE, before[self.nodes[before] <= 2][:, None]  # elsewhere `-` does it
        for operation in UNARY:
            yield operation, before[:, None]
        for operation in BINARY:
            for left_cost in range(1, cost - 1):
                right_cost = cost - 1 - left_cost
                if operation.commutes and left_cost > right_cost:
                    continue
                yield from self._pairs(operation, self.at(left_cost), self.at(right_cost))
        for test_cost in range(1, cost - 2):
            tests = self.at(test_cost)
            tests = tests[self.truths[tests]]
            for yes_cost in range(1, cost - 1 - test_cost):
                yes, no = self.at(yes_cost), self.at(cost - 1 - test_cost - yes_cost)
                for _, piece in self._pairs(IF, yes, no):
                    yield from ((IF, np.insert(piece, 0, test, axis=1)) for test in tests)

    def _pairs(
        self, operation: Operation, left: np.ndarray, right: np.ndarray
    ) -> Iterator[tuple[Operation, np.ndarray]]:
        left, right = self._allowed(operation, left, right)
        if not len(left) or not len(right):
            return
        step = max(1, CELLS // (self.values.shape[1] * len(right)))
        for i in range(0, len(left), step):
            pairs = np.stack(np.meshgrid(left[i : i + step], right, indexing="ij"), -1)
            pairs = pairs.reshape(-1, 2)
            if operation.commutes and left is not right:
                pairs = pairs[pairs[:, 0] <= pairs[:, 1]]
            if operation.of == "numbers":
                pairs = pairs[~self.truths[pairs].all(1)]
            yield operation, pairs

    def _allowed(
        self, operation: Operation, left: np.ndarray, right: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        if operation.of == "truths":
            return left[self.truths[left]], right[self.truths[right]]
        if operation.of == "divisor":
            return left, right[(self.values[right] != 0).all(1)]
        return left, right

    def _apply(self, operation: Operation, parts: np.ndarray) -> None:
        if operation.parts == 1 and operation.of != "any":
            parts = parts[self.truths[parts[:, 0]] == (operation.of == "truths")]
        nodes = self.nodes[parts].sum(1) + 1
        parts, nodes = parts[nodes <= self.most_nodes], nodes[nodes <= self.most_nodes]
        if not len(parts):
            return
        if operation.values in (np.add, np.subtract):
            hashes = operation.values(self.hashes[parts[:, 0]], self.hashes[parts[:, 1]])
            new = self._new(hashes)
            parts, nodes = parts[new], nodes[new]
        values = operation.values(*(self.values[p].astype(np.int64) for p in parts.T)).astype(
            np.int64
        )
        if operation.of == "numbers" or operation.values in (np.add, np.subtract):
            small = np.abs(values).max(1, initial=0) < LARGEST
            values, parts, nodes = values[small], parts[small], nodes[small]
        self._keep(operation, values, parts, nodes)

    def _new(self, hashes: np.ndarray) -> np.ndarray:
        """The indices of the first of each projection that is not in the bank yet, in order."""
        first = np.unique(hashes, return_index=True)[1]
        return np.sort(first[self.find(hashes[first]) < 0])

    def _keep(
        self, operation: Operation, values: np.ndarray, parts: np.ndarray, nodes: np.ndarray
    ) -> None:
        hashes = self.projected(values)
        new = self._new(hashes)[: self.most - self.size]
        here = slice(self.size, self.size + len(new))
        self.values[here], self.hashes[here] = values[new], hashes[new]
        self.costs[here], self.nodes[here] = self.cost, nodes[new]
        self.truths[here] = (values[new] & ~1 == 0).all(1)
        self.made[here] = 0
        self.made[here, 0] = NUMBER[operation]
        self.made[here, 1 : 1 + parts.shape[1]] = parts[new]
        by_hash = np.argsort(hashes[new])
        place = np.searchsorted(self.ordered, hashes[new][by_hash])
        self.ordered = np.insert(self.ordered, place, hashes[new][by_hash])
        self.order = np.insert(self.order, place, by_hash + self.size)
        self.size += len(new)

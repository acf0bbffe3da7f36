"""Tasks, one file per family."""

from symscope.tasks.algorithms import ALGORITHMS, algorithm
from symscope.tasks.numbers import KINDS, Counting
from symscope.tasks.programmed import Programmed

__all__ = ["ALGORITHMS", "KINDS", "Counting", "Programmed", "algorithm"]

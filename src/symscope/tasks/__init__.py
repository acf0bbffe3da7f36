"""Tasks, one file per family."""

from symscope.tasks.numbers import KINDS, Counting

__all__ = ["KINDS", "Counting"]

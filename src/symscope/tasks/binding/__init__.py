"""Programs of assignments and a query, after Wu, Geiger & Millière (2025)."""

from symscope.tasks.binding.counterfactuals import KINDS, NoPair, counterfactual
from symscope.tasks.binding.task import Binding
from symscope.tasks.binding.trace import Trace, trace

__all__ = ["KINDS", "Binding", "NoPair", "Trace", "counterfactual", "trace"]

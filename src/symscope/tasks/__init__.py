"""Tasks, one file or folder per family."""

from symscope.tasks.algorithms import ALGORITHMS, algorithm
from symscope.tasks.arithmetic import Arithmetic
from symscope.tasks.binding import Binding
from symscope.tasks.cycles import CYCLES, Cycle, CyclePrompts, NotOneToken, cycle_prompts
from symscope.tasks.functions import FUNCTIONS, Function, function
from symscope.tasks.identity_rules import IdentityRules
from symscope.tasks.in_tokens import Spoken, in_tokens
from symscope.tasks.long_addition import LongAddition
from symscope.tasks.modular import ModularAddition
from symscope.tasks.numbers import KINDS, Counting
from symscope.tasks.programmed import Programmed

__all__ = [
    "ALGORITHMS",
    "CYCLES",
    "FUNCTIONS",
    "KINDS",
    "Arithmetic",
    "Binding",
    "Counting",
    "Cycle",
    "CyclePrompts",
    "Function",
    "IdentityRules",
    "LongAddition",
    "ModularAddition",
    "NotOneToken",
    "Programmed",
    "Spoken",
    "algorithm",
    "cycle_prompts",
    "function",
    "in_tokens",
]

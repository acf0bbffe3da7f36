"""Which program? From observed values to rules in the library's own expression language."""

from symscope.extract.cost import cost
from symscope.extract.synthesise import synthesise

__all__ = ["cost", "synthesise"]

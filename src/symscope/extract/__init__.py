"""Which program? From a trained network to a short program that answers as it does."""

from symscope.extract.cost import cost
from symscope.extract.extract import Extraction, extract
from symscope.extract.formula.synthesise import synthesise
from symscope.extract.machine import Grammar, Machine, machine_of
from symscope.extract.token_machine import token_machine

__all__ = [
    "Extraction",
    "Grammar",
    "Machine",
    "cost",
    "extract",
    "machine_of",
    "synthesise",
    "token_machine",
]

"""Which program? From a trained network to a short program that answers as it does."""

from symscope.extract.cost import cost
from symscope.extract.extract import Extraction, extract
from symscope.extract.machine import Machine, machine_of
from symscope.extract.synthesise import synthesise

__all__ = ["Extraction", "Machine", "cost", "extract", "machine_of", "synthesise"]

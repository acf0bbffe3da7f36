"""Sparse dictionaries: fitting them, reading and writing them, and what they are worth."""

from symscope.features.dictionaries.bench import bench, recovery
from symscope.features.dictionaries.dictionary import Dictionary
from symscope.features.dictionaries.dictionary_learning import read_dictionary_learning
from symscope.features.dictionaries.files import load_dictionary, save_dictionary
from symscope.features.dictionaries.fit import fit_dictionary
from symscope.features.dictionaries.methods import METHODS
from symscope.features.dictionaries.saelens import read_saelens, write_saelens
from symscope.features.dictionaries.splice import spliced
from symscope.features.dictionaries.stream import streamed
from symscope.features.dictionaries.toy import superposed
from symscope.features.dictionaries.training import Training

__all__ = [
    "METHODS", "Dictionary", "Training", "bench", "fit_dictionary", "load_dictionary",
    "read_dictionary_learning", "read_saelens", "recovery", "save_dictionary", "spliced",
    "streamed", "superposed", "write_saelens",
]  # fmt: skip

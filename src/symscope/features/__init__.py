"""In what coordinates? Sparse dictionaries, probes, and the axes in which a classifier reads.

What dictionaries are worth is in `features.dictionaries`, the geometry of features of more than one
dimension in `features.geometry`.
"""

from symscope.features.classifier_axes import classifier_axes
from symscope.features.dictionaries import Dictionary, fit_dictionary
from symscope.features.linear_probe import read_out
from symscope.features.probe import Probed, probed

__all__ = ["Dictionary", "Probed", "classifier_axes", "fit_dictionary", "probed", "read_out"]

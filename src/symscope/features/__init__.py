"""In what coordinates? Directions in which a classifier reads a variable, and what probes say."""

from symscope.features.classifier_axes import classifier_axes
from symscope.features.linear_probe import read_out
from symscope.features.probe import Probed, probed

__all__ = ["Probed", "classifier_axes", "probed", "read_out"]

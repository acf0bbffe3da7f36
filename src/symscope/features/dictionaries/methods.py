"""The methods by name."""

from symscope.causal_model import UnknownName
from symscope.features.dictionaries.batchtopk import BATCHTOPK
from symscope.features.dictionaries.dictionary import Dictionary, Method
from symscope.features.dictionaries.difference_in_means import DIFFERENCE_IN_MEANS
from symscope.features.dictionaries.gated import GATED
from symscope.features.dictionaries.ica import ICA
from symscope.features.dictionaries.jumprelu import JUMPRELU
from symscope.features.dictionaries.matching_pursuit import MATCHING_PURSUIT
from symscope.features.dictionaries.pca import PCA
from symscope.features.dictionaries.relu import RELU
from symscope.features.dictionaries.semi_nmf import SEMI_NMF
from symscope.features.dictionaries.topk import TOPK
from symscope.features.dictionaries.transcoder import TRANSCODER

METHODS = {
    m.name: m
    for m in (
        RELU, TOPK, BATCHTOPK, JUMPRELU, GATED, MATCHING_PURSUIT, TRANSCODER, SEMI_NMF, PCA, ICA,
        DIFFERENCE_IN_MEANS,
    )
}  # fmt: skip
"""Every method that fits a dictionary, by name."""


def method_of(name: str) -> Method:
    """The method of this name; raises `UnknownName`."""
    if name not in METHODS:
        raise UnknownName("dictionary method", name, METHODS)
    return METHODS[name]


def empty(
    width: int, size: int, method: str = "topk", sparsity: float | None = None,
    outputs: int | None = None, centred: bool | None = None,
) -> Dictionary:  # fmt: skip
    """A dictionary with all weights 0, by the name of its method, as `Dictionary.config` has it."""
    return Dictionary(width, size, method_of(method), sparsity, outputs, centred)

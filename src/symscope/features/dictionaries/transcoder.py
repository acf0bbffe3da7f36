"""A transcoder: ReLU codes of the vectors at one place that give those at another.

Dunefsky et al. (2024): z = relu(x W + c), ŷ = z D + b, loss ‖y − ŷ‖² + λ Σ z; usually x enters an
MLP and y leaves it. Departure: dead features start anew.
"""

from symscope.features.dictionaries.dictionary import Method
from symscope.features.dictionaries.relu import codes, loss, quick

TRANSCODER = Method(
    "transcoder", codes, loss=loss, quick=quick, sparsity=0.1, centred=False, resampled=True
)

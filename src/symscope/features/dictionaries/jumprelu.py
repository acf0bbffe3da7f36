"""Projections above a threshold of each feature's own, and an L0 penalty (Rajamanoharan et al.).

"Jumping ahead" (2024): z = p · [p > θ], p = x W + c, θ = exp(`log_threshold`), and loss
‖x − x̂‖² + λ Σ [p > θ]. Both have no gradient in θ; the one used is that of a rectangle of width ε
around θ: −(θ/ε) rect((p − θ)/ε) for z and −(1/ε) rect((p − θ)/ε) for the step. The bias is not
taken off before reading. Departures: ε and the first θ are larger than their 0.001, which so few
vectors as we have seldom come near, and Adam's momentum stays.
"""

import torch
from torch import Tensor

from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment

WIDTH = 0.1
"""ε, in units of the vectors' root mean square length."""
FIRST = 0.1
"""θ at the start, likewise."""


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """The projections above the thresholds."""
    raw = dictionary.raw(vectors).relu()
    return raw * (raw > dictionary.log_threshold.exp())


def loss(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """Squared error and λ times the number of features, means over the batch."""
    raw, threshold = dictionary.raw(vectors).relu(), dictionary.log_threshold.exp()
    above = (raw > threshold).to(raw.dtype)
    with torch.no_grad():
        near = ((raw - threshold).abs() < WIDTH / 2).to(raw.dtype) / WIDTH
    moved = threshold - threshold.detach()  # 0, with the gradient of the threshold
    found = raw * above - threshold.detach() * near * moved
    count = above - near * moved
    error = (targets - dictionary.decode(found)).square().sum(1).mean()
    assert dictionary.sparsity is not None, "the method has a default"
    return error + moment.warm * dictionary.sparsity * count.sum(1).mean(), found


JUMPRELU = Method(
    "jumprelu", codes, ("encoder", "encoder_bias", "log_threshold"), loss=loss, sparsity=0.03,
    centred=False,
)  # fmt: skip

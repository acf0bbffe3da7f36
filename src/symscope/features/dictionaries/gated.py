"""Which features there are, and how much of each, decided apart (Rajamanoharan et al., 2024).

"Improving dictionary learning with gated sparse autoencoders": with p = (x − b) W,
z = [p + `gate_bias` > 0] · relu(p · exp(`log_scale`) + `magnitude_bias`). The loss is
‖x − x̂(z)‖² + λ Σ g + ‖x − x̂'(g)‖² with g = relu(p + `gate_bias`) and x̂' a decoder whose weights get
no gradient: the gate learns from the last term alone. Dead features start anew, as published.
"""

from torch import Tensor

from symscope.features.dictionaries.dictionary import Dictionary, Method, Moment


def codes(dictionary: Dictionary, vectors: Tensor) -> Tensor:
    """Magnitudes where the gate is open, else 0."""
    return _read(dictionary, vectors)[0]


def loss(
    dictionary: Dictionary, vectors: Tensor, targets: Tensor, moment: Moment
) -> tuple[Tensor, Tensor]:
    """Squared error, penalty on the gate and squared error of the gate's own reconstruction."""
    found, gate = _read(dictionary, vectors)
    error = (targets - dictionary.decode(found)).square().sum(1).mean()
    by_gate = gate @ dictionary.decoder.detach() + dictionary.bias.detach()
    auxiliary = (targets - by_gate).square().sum(1).mean()
    assert dictionary.sparsity is not None, "the method has a default"
    return error + moment.warm * dictionary.sparsity * gate.sum(1).mean() + auxiliary, found


def _read(dictionary: Dictionary, vectors: Tensor) -> tuple[Tensor, Tensor]:
    raw = dictionary.without_bias(vectors) @ dictionary.encoder
    gate = raw + dictionary.gate_bias
    magnitude = (raw * dictionary.log_scale.exp() + dictionary.magnitude_bias).relu()
    return magnitude * (gate > 0), gate.relu()


GATED = Method(
    "gated", codes, ("encoder", "gate_bias", "log_scale", "magnitude_bias"), loss=loss,
    sparsity=0.1, resampled=True,
)  # fmt: skip

"""What dictionaries cannot be fitted on, and what they say instead."""

import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.features.dictionaries import Training, fit_dictionary

VECTORS = torch.randn(300, 8, generator=torch.Generator().manual_seed(0))

BAD = [
    ({"method": "top_k"}, UnknownName, "'top_k'; there is 'relu', 'topk'"),
    ({"size": 0}, SymscopeError, "0 features: 1 or more"),
    ({"sparsity": 25}, SymscopeError, "25 features per vector .k.: a whole number, 1 to 24"),
    ({"sparsity": 0}, SymscopeError, "0 features per vector"),
    ({"sparsity": 1.5}, SymscopeError, "1.5 features per vector"),
    ({"method": "relu", "sparsity": -1.0}, SymscopeError, "penalty of -1.0"),
    ({"method": "relu", "sparsity": float("nan")}, SymscopeError, "penalty of nan"),
    ({"method": "pca", "size": 4, "sparsity": 1}, SymscopeError, "pca has no sparsity"),
    ({"method": "pca", "size": 9}, SymscopeError, "9 does not fit"),
    ({"method": "ica", "size": 9}, SymscopeError, "9 independent components of 8"),
    ({"method": "semi_nmf", "size": 301}, SymscopeError, "301 features of"),
    ({"method": "difference_in_means"}, SymscopeError, "one label per vector"),
    (
        {"method": "difference_in_means", "targets": torch.arange(300) % 3},
        SymscopeError, "3 classes have 2 differences, not 24",
    ),
    ({"method": "transcoder"}, SymscopeError, "a transcoder needs targets"),
    ({"targets": torch.zeros(3, 3)}, SymscopeError, "topk gives the vectors back"),
    ({"training": Training(batch=10_000)}, SymscopeError, "are fewer than a batch of 10000"),
]  # fmt: skip


@pytest.mark.parametrize("asked, error, said", BAD, ids=[said for *_, said in BAD])
def test_what_cannot_be_is_refused_with_what_can(asked, error, said):
    with pytest.raises(error, match=said):
        fit_dictionary(VECTORS, **{"size": 24, **asked})


def test_vectors_that_nothing_can_be_fitted_on_are_refused():
    bad = VECTORS.clone()
    bad[17, 3] = float("nan")
    bad[40, 0] = float("inf")
    with pytest.raises(SymscopeError, match=r"row 17 of the vectors is not finite \(2 such rows"):
        fit_dictionary(bad, size=8)
    with pytest.raises(SymscopeError, match="all 300 vectors are the same"):
        fit_dictionary(torch.ones(300, 8), size=8)
    with pytest.raises(SymscopeError, match=r"shape \(300, 8, 2\)"):
        fit_dictionary(torch.ones(300, 8, 2), size=8)
    with pytest.raises(SymscopeError, match=r"shape \(0, 8\)"):
        fit_dictionary(torch.ones(0, 8), size=8)
    with pytest.raises(SymscopeError, match=r"\(4, 7\): this dictionary reads \(sample, 8\)"):
        fit_dictionary(VECTORS, size=8, training=Training(steps=1)).encode(torch.ones(4, 7))


@pytest.mark.parametrize("value", [{"steps": 0}, {"batch": 0}, {"rate": 0.0}, {"save_every": 0}])
def test_a_training_that_is_none_is_refused(value):
    with pytest.raises(SymscopeError, match=next(iter(value)).replace("rate", "learning rate")):
        Training(**value)

"""Axes that a sparse classifier uses, and probes with their controls."""

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.features import classifier_axes, probed


def hidden(seed=0, classes=6, width=24, rank=5):
    """Vectors that hold a class along the first principal-like axes, and noise along others."""
    generator = torch.Generator().manual_seed(seed)
    basis = torch.linalg.qr(torch.randn(width, width, generator=generator)).Q
    labels = torch.randint(classes, (1500,), generator=generator)
    code = 8 * torch.randn(classes, rank, generator=generator)
    noise = torch.randn(1500, width, generator=generator) @ torch.diag(
        torch.linspace(0.2, 1, width)
    )
    return noise @ basis.T + code[labels] @ basis[:, :rank].T, labels, basis[:, :rank]


def test_the_axes_span_where_the_classes_differ():
    vectors, labels, truth = hidden()
    axes = classifier_axes(vectors, labels, 5).axes().detach()
    overlap = torch.linalg.svdvals(axes.T @ truth)
    assert float(overlap.mean()) > 0.9 and float(overlap[:4].min()) > 0.95
    assert torch.allclose(axes.T @ axes, torch.eye(5), atol=1e-5)


def test_swapping_the_axes_swaps_the_class_and_nothing_else():
    vectors, labels, _ = hidden()
    axes = classifier_axes(vectors, labels, 5)
    mixed = axes.swap(vectors[:200], vectors[200:400], range(5)).detach()
    centres = torch.stack([vectors[labels == c].mean(0) for c in range(6)])
    found = torch.cdist(mixed, centres).argmin(1)
    assert float((found == labels[200:400]).float().mean()) > 0.9


@pytest.mark.parametrize("size", [0, 25])
def test_more_axes_than_components_are_refused(size):
    vectors, labels, _ = hidden()
    with pytest.raises(SymscopeError, match=f"{size} axes of 24 components"):
        classifier_axes(vectors, labels, size)


def test_one_class_is_refused():
    vectors, labels, _ = hidden()
    with pytest.raises(SymscopeError, match="1 classes"):
        classifier_axes(vectors, torch.zeros_like(labels), 2)
    with pytest.raises(SymscopeError, match="of 1 classes"):
        probed(vectors, torch.zeros_like(labels))


def test_a_probe_reads_what_is_there_and_nothing_from_shuffled_labels():
    vectors, labels, _ = hidden()
    found = probed(vectors, labels)
    assert found.accuracy > 0.95 and found.shuffled < 0.35 and found.majority < 0.3
    assert found.selectivity == found.accuracy - found.shuffled
    generator = torch.Generator().manual_seed(0)
    noise, random = (
        torch.randn(800, 10, generator=generator),
        torch.randint(4, (800,), generator=generator),
    )
    nothing = probed(noise, random)
    assert nothing.accuracy < 0.4

"""Whether a dictionary finds features that are known, because the vectors were made of them."""

import time
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor
from torch.nn.functional import normalize

from symscope.evidence import Evidence
from symscope.features.dictionaries import Dictionary, bench, recovery, superposed
from symscope.jobs import Settings, Unit
from symscope.models.superposition import packed
from symscope.studies.dictionaries.fitted import Recipe, dictionary
from symscope.studies.dictionaries.settings import ACROSS, ALL, KNOWN, LABELLED

SPARSITY = 0.97
"""The share of zeros among the toy model's features."""
TOY = (24, 8)
"""Features and dimensions of the toy model."""
IDEAL = (48, 24)
"""Features and dimensions of the ideal vectors."""
THERE = 0.04
"""How often each of the ideal features is there."""
APART = 7919
"""Added to seeds: a dictionary that starts from the same draw starts at the true directions."""
MORE = 1.5
"""A dictionary has so many times as many features as there are."""


def known_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """Every method on vectors made of known features."""
    _, name, seed_text = unit
    seed, found = int(seed_text), list[Evidence]()
    vectors, truth, there = (_toy if name == "superposition" else ideal)(settings, seed)
    fit, test = vectors.chunk(2)
    recipe = Recipe(round(MORE * len(truth)), vectors.shape[1], 2, KNOWN, settings["known_steps"])
    for method in ALL:
        if method == ACROSS or (method == LABELLED and there is None):
            continue
        began = time.monotonic()
        one = _labelled(fit, there[: len(fit)]) if method == LABELLED and there is not None else (
            dictionary(method, fit, recipe, seed))  # fmt: skip
        seconds = time.monotonic() - began
        records = [recovery(one, truth, test, seed), *bench(one, test, seed)]
        config = {"size": one.size, "width": one.width, "sparsity": one.sparsity}
        claim = f"dictionaries.{name}.{method}"
        found += [replace(r, claim=f"{claim}.{r.claim.rsplit('.', 1)[1]}", config=config,
                          seconds=seconds) for r in records]  # fmt: skip
    return found


def _toy(settings: Settings, seed: int) -> tuple[Tensor, Tensor, None]:
    """The toy model of superposition, trained here: vectors and the directions that it keeps."""
    model, _ = packed(*TOY, sparsity=SPARSITY, importance=1.0, steps=settings["toy_steps"],
                      seed=seed, restarts=1)  # fmt: skip
    return *superposed(model, 2 * settings["vectors"], SPARSITY, seed), None


def ideal(settings: Settings, seed: int) -> tuple[Tensor, Tensor, Tensor]:
    """Sums of a few random directions, each 0.5 to 1.5 times; the directions; which are there."""
    features, width = IDEAL
    generator = torch.Generator().manual_seed(seed + APART)
    truth = normalize(torch.randn(features, width, generator=generator), dim=1)
    count = 2 * settings["vectors"]
    there = torch.rand(count, features, generator=generator) < THERE
    amount = there * (0.5 + torch.rand(count, features, generator=generator))
    some = there.any(1)
    return amount[some] @ truth, truth, there[some]


def _labelled(vectors: Tensor, there: Tensor) -> Dictionary:
    """Difference in means of the vectors with and without each feature, which it is told."""
    recipe = Recipe(1, 1, 1, KNOWN, 1)
    each = [dictionary(LABELLED, vectors, recipe, 0, has.long()) for has in there.T]
    found = Dictionary(vectors.shape[1], len(each), each[0].method)
    with torch.no_grad():
        found.decoder.copy_(torch.cat([one.decoder for one in each]))
        found.encoder.copy_(torch.linalg.pinv(found.decoder))
        found.bias.copy_(vectors.mean(0))
    return found

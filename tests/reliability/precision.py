"""Each method in float32 beside the same in float64: the same answer with rounding, or another?"""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

import laws
from reliability import geometry_in_two_precisions as shapes
from reliability import in_two_precisions as cases
from reliability.in_two_precisions import Cast, Found
from symscope.evidence import Evidence
from symscope.features.dictionaries import METHODS

BOUND = 2e-5
"""170 ε: what rounding becomes on its way through a network of some layers or steps."""
APART = 0.05
"""Scores of a search that ends elsewhere differ by less than this."""
AS_ONE = 1e-2
"""A search whose numbers differ by less took the same way in both precisions."""


@dataclass(frozen=True)
class Case:
    """How it is computed; whether it searches, so that rounding can lead elsewhere; the control."""

    run: Callable[[Cast, int], Found]
    searches: bool = False
    coarse: bool = True


def _cast(dtype: torch.dtype, through: torch.dtype | None = None) -> Cast:
    """Into `dtype`, on the way rounded to `through`; a module is copied."""

    def cast(thing: Any) -> Any:
        if isinstance(thing, nn.Module):
            thing = copy.deepcopy(thing)
            with torch.no_grad():
                for part in (*thing.parameters(), *thing.buffers()):
                    if through is not None and part.is_floating_point():
                        part.copy_(part.to(through))
            return thing.to(dtype)
        return (thing if through is None else thing.to(through)).to(dtype)

    return cast


SINGLE, DOUBLE = _cast(torch.float32), _cast(torch.float64)
COARSE = _cast(torch.float32, torch.bfloat16)
CASES: Mapping[str, Case] = {
    "run.gru": Case(cases.run_gru),
    "run.transformer": Case(cases.run_transformer),
    "interchange": Case(cases.interchange),
    **{f"featurizer.{name.replace(' ', '_').replace('-', '_')}": Case(cases.featurizer(name))
       for name in laws.FEATURIZERS},
    **{f"align.{name}": Case(cases.search(name), searches=True)
       for name in ("das", "das_once", "boundless", "multitask", "null", "linear", "reversible",
                    "masking")},
    "patching": Case(cases.patching),
    "attribution": Case(cases.attribution_patching),
    "integrated_gradients": Case(cases.integrated_gradients),
    "edges": Case(cases.edges),
    "circuit": Case(cases.circuit),
    "probe": Case(cases.probe),
    "read_out": Case(cases.linear_read_out, searches=True),
    "classifier_axes": Case(cases.axes_of_a_classifier),
    "geometry": Case(shapes.geometry),
    "explanation": Case(shapes.explanation),
    "circle": Case(shapes.circle),
    **{f"dictionary.{name}": Case(cases.dictionary(name), searches=method.loss is not None)
       for name, method in METHODS.items()},
    "extraction": Case(cases.extraction, coarse=False),  # what is no program is looked for long
    "hypernetwork": Case(cases.hypernetwork),
    "reading": Case(cases.reading),
    "training": Case(cases.training, searches=True),
}  # fmt: skip


def precision(names: Sequence[str] = tuple(CASES), seeds: int = 3) -> list[Evidence]:
    """The largest difference of any seed, as a share of the largest number; `low` is the least.

    Of a search it is the difference of the scores, and config has both scores and the difference of
    the numbers. The controls are the same difference where something else than float32's rounding
    is between the two: weights and data rounded to bfloat16, and another seed.
    """
    return [_evidence(name, CASES[name], range(seeds)) for name in names]


def _evidence(name: str, case: Case, seeds: Sequence[int]) -> Evidence:
    began = time.monotonic()
    double = [case.run(DOUBLE, seed) for seed in seeds]
    single = [case.run(SINGLE, seed) for seed in seeds]
    coarse = case.run(COARSE, seeds[0]) if case.coarse else None
    other = double[1] if len(double) > 1 else case.run(DOUBLE, seeds[0] + 1)
    apart = [difference(a, b) for a, b in zip(single, double, strict=True)]
    scored = [abs(a.score - b.score) for a, b in zip(single, double, strict=True)]
    found = scored if case.searches else apart
    controls = {"another seed": difference(other, double[0])}
    if coarse is not None:
        controls["rounded to bfloat16"] = difference(coarse, double[0])
    config = {
        "largest_difference": max(apart), "bound": APART if case.searches else BOUND,
        "searches": int(case.searches), "float32": [s.score for s in single],
        "float64": [d.score for d in double], "same_way": sum(a < AS_ONE for a in apart),
    }  # fmt: skip
    return Evidence(
        f"reliability.precision.{name}", max(found), min(found), max(found),
        sum(len(d.numbers) for d in double),
        "difference of scores" if case.searches else "largest difference", controls, list(seeds),
        time.monotonic() - began, config, note="" if max(found) <= config["bound"] else "apart",
    )  # fmt: skip


def difference(one: Found, other: Found) -> float:
    """The largest difference of two numbers as a share of the largest; 1 where they do not match.

    At most 1e9, so that it can be written.
    """
    if one.numbers.shape != other.numbers.shape:
        return 1.0
    largest = float(other.numbers.double().abs().max().clamp(min=1e-12))
    return min(1e9, float((one.numbers.double() - other.numbers.double()).abs().max()) / largest)

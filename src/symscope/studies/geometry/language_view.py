"""What a page draws of a cycle in a language model, as plain lists."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.features.geometry import fit_circle, in_components, read_circle, residual_colours
from symscope.localize import layout_in
from symscope.studies.geometry.language_circle import layers_of
from symscope.studies.geometry.language_explained import published_groups
from symscope.studies.geometry.language_prompts import Posed, fewer_components
from symscope.tasks.cycles import CYCLES

COMPONENTS, DIGITS = 5, 4


def cycle_view(
    one: Posed, layers: Sequence[int] | None = None, explained: Sequence[int] = ()
) -> dict[str, Any]:
    """States of the start by layer, and what explanations leave of the states at the end.

    "values" are the names of the `period` values, "prompts" the texts; "first", "second" and
    "answers" (prompt,) numbers. "layers" has for each of `layers` (all without) the "states" at the
    start's token in their first five components (prompt, 5 or fewer), their "shares" of the
    variance, and what the probe of all prompts "reads", cosine and sine (prompt, 2), None where it
    has no circle. "residuals" has for each layer of `explained` the "steps": the "groups" so far,
    none first, and the "colours" of the residual, from 0 to 1, (start, duration, 3).
    """
    prompts, count = one.prompts, layout_in(one.network).layers
    states = one.states(layers_of(layers, count), "a")
    ends = one.states(layers_of(explained, count), "last") if explained else {}
    return {
        "cycle": one.name, "wording": one.wording, "period": one.period,
        "values": list(CYCLES[one.name].values), "prompts": list(prompts.texts),
        "first": prompts.first.tolist(), "second": prompts.second.tolist(),
        "answers": prompts.answers.tolist(),
        "layers": [{"layer": layer, **_drawn(one, some)} for layer, some in states.items()],
        "residuals": [{"layer": layer, "steps": _steps(one, some)} for layer, some in ends.items()],
    }  # fmt: skip


def _drawn(one: Posed, states: Tensor) -> dict[str, Any]:
    parts = in_components(states, COMPONENTS)
    whole = (states - states.mean(0)).square().sum()
    return {"states": _listed(parts), "shares": _listed(parts.square().sum(0) / whole),
            "reads": _read(one, states)}  # fmt: skip


def _read(one: Posed, states: Tensor) -> Any:
    try:
        with fewer_components():
            circle = fit_circle(states, one.prompts.first, one.period)
    except SymscopeError:
        return None
    return _listed(read_circle(circle, states))


def _steps(one: Posed, states: Tensor) -> list[dict[str, Any]]:
    first, second = one.prompts.first, one.prompts.second
    groups = published_groups(one.name, first, second, one.period)
    found = []
    for count in range(len(groups) + 1):
        some = dict(list(groups.items())[:count])
        colours = residual_colours(states, some, first, second - 1)
        found.append({"groups": list(some), "colours": _listed(colours)})
    return found


def _listed(numbers: Tensor) -> Any:
    return torch.round(numbers.double(), decimals=DIGITS).tolist()

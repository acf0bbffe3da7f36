"""The published pipeline as one of the routes, with its own regression and a limit of its own."""

import time
from collections.abc import Mapping

import numpy as np

from symscope.evidence import SymscopeError
from symscope.extract.machine import Machine
from symscope.extract.pipeline.published import published
from symscope.extract.pipeline.regression import published_regression
from symscope.extract.rows import Candidate, Nothing, Regress, Rows
from symscope.extras import needed
from symscope.models.real_rnn import MLPStep

SECONDS = 15.0
"""For all formulas together; lattices and labels take a few seconds more."""


def as_published(machine: Machine, rows: Rows, regress: Regress) -> Candidate | Nothing:
    """The shortest program of Michaud et al. (2024), which read a recurrent MLP's weights.

    Formulas are looked for as published, not by `regress`.
    """
    module = machine.module
    if module is None or not isinstance(module.rnn, MLPStep):
        return Nothing("is for recurrent MLPs, and reads their weights")
    try:
        needed("flint", "the published pipeline")
    except SymscopeError as error:
        return Nothing(str(error))
    end = time.monotonic() + SECONDS

    def in_time(
        columns: Mapping[str, np.ndarray], target: np.ndarray, *, seconds: float
    ) -> str | None:
        left = end - time.monotonic()
        return published_regression(columns, target, seconds=left) if left > 0 else None

    found = published(module, machine.inputs, machine.length, regress=in_time)
    if not found:
        over = time.monotonic() > end
        return Nothing(f"gives nothing in {SECONDS:g} seconds" if over else "gives nothing")
    what = {"linear": "a lattice of the weights", "gcd": "a lattice of the states",
            "boolean": "bits"}[found[0].name.removeprefix("published.")]  # fmt: skip
    return Candidate(found[0], "published", f"the pipeline of Michaud et al. (2024), by {what}")

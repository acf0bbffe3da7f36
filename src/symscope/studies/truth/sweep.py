"""What can be swept of networks whose program is known: one method's judgements of them."""

from pathlib import Path

from symscope.align.methods import METHODS
from symscope.causal_model import UnknownName
from symscope.evidence import Evidence
from symscope.studies.truth.units import family_unit


def judge(
    folder: Path, *, family: str = "parity", method: str = "das", fit: int = 600,
    validation: int = 200, test: int = 200, steps: int = 60, seed: int = 0,
) -> list[Evidence]:  # fmt: skip  # the network, the method, the data
    """What a method says of right and wrong claims about one compiled network."""
    if method not in METHODS:
        raise UnknownName("method", method, METHODS)
    settings = {"fit": fit, "validation": validation, "test": test, "steps": steps,
                "methods": [method]}  # fmt: skip
    return family_unit(("family", family, str(seed)), settings, folder)

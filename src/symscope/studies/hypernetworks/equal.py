"""The bits that networks need at one and the same loss, whatever their own is."""

from pathlib import Path
from typing import Any

from symscope.evidence import Evidence, SymscopeError
from symscope.generate.baselines import loss_of
from symscope.generate.length import EXACT, TOLERANCE, description_length
from symscope.generate.reading import shuffled
from symscope.jobs import Unit
from symscope.studies.hypernetworks.chosen import METHODS, kept_weights
from symscope.studies.hypernetworks.networks import function_of

AT = {"equal": 1 + TOLERANCE, "double": 2.0}
"""Which multiple of the generated network's loss the rounded weights may have."""


def equal_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Each method's bits when rounding may go on to the generated one's loss, and to twice it."""
    _, name, seed_text = unit
    seed, found = int(seed_text), list[Evidence]()
    generated = kept_weights(folder, "generated", name, seed)
    task = function_of(name, generated.sizes[0])
    asked = float(loss_of(generated, task))
    for method in METHODS:
        for at, factor in AT.items():
            claim = f"hypernetworks.{name}.{method}.bits_at_{at}"
            try:
                weights = kept_weights(folder, method, name, seed)
                tolerance = factor * asked / max(float(loss_of(weights, task)), EXACT) - 1
                if tolerance < 0:
                    raise SymscopeError("the network's own loss is above that")
                length = description_length(weights, task, tolerance)
            except SymscopeError as error:
                found.append(Evidence(claim, None, None, None, 0, "bits", seeds=[seed],
                                      note=str(error)))  # fmt: skip
                continue
            beside = description_length(shuffled(weights, seed), task, tolerance).bits
            found.append(Evidence(
                claim, length.bits, length.bits, length.bits, length.rounded.matrices[0].numel(),
                "bits", {"shuffled": beside, "loss of the generated": asked}, [seed],
                config={"others": {"loss": length.after, "levels": length.levels}},
                note="one network",
            ))  # fmt: skip
    return found

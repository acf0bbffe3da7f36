"""Where does a computation happen?"""

from symscope.localize.attention import edit_shifts_the_end, with_extra_pair
from symscope.localize.metrics import (
    logit_difference,
    logit_shift,
    normalised,
    probability,
    recovery,
    success,
)
from symscope.localize.patching import literal_patched, patched, patched_with
from symscope.localize.places import places

__all__ = [
    "edit_shifts_the_end",
    "literal_patched",
    "logit_difference",
    "logit_shift",
    "normalised",
    "patched",
    "patched_with",
    "places",
    "probability",
    "recovery",
    "success",
    "with_extra_pair",
]

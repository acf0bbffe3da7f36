"""Networks written by hand, so that program, variables and subspaces are known, and then hidden.

`FAMILIES` names the designs; `plant` hides one: `plant(FAMILIES["parity"](), noise=4, seed=0)`.
"""

from collections.abc import Callable
from functools import partial

from symscope.causal_model import UnknownName
from symscope.models.compiled.attention import (
    counting_by_attention,
    delayed_copy,
    dereference,
    induction,
    vote,
)
from symscope.models.compiled.feedforward import circuit, clock, hierarchical_equality
from symscope.models.compiled.planted import BASES, Decoy, Design, Planted, plant
from symscope.models.compiled.recurrent import (
    adder,
    counter,
    depth_counter,
    modular_counter,
    parity,
    register,
    running_maximum,
    up_up_counter,
)

FAMILIES: dict[str, Callable[[], Design]] = {
    "counter": counter,
    "up_up_counter": up_up_counter,
    "parity": parity,
    "modular_counter": modular_counter,
    "polygon_counter": partial(modular_counter, superposition=True),
    "running_maximum": running_maximum,
    "adder": adder,
    "register": register,
    "depth_counter": depth_counter,
    "circuit_2": partial(circuit, 2),
    "circuit_3": partial(circuit, 3),
    "circuit_4": partial(circuit, 4),
    "hierarchical_equality": hierarchical_equality,
    "clock_7": clock,
    "clock_13": partial(clock, 13, (1, 4)),
    "copy": delayed_copy,
    "induction": induction,
    "dereference_1": partial(dereference, 1),
    "dereference_2": partial(dereference, 2),
    "counting_by_attention": counting_by_attention,
    "vote": vote,
}
"""The designs at their default settings, by name."""


def family(name: str) -> Design:
    """The design of that name; raises `UnknownName` with those there are."""
    if name not in FAMILIES:
        raise UnknownName("family", name, FAMILIES)
    return FAMILIES[name]()


__all__ = ["BASES", "FAMILIES", "Decoy", "Design", "Planted", "family", "plant"]

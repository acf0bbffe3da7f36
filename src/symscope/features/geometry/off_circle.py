"""What does a network answer off the circle, at other radii and between its values?

After Engels, Liao et al. (ICLR 2025, section 5): the state is set to points of the circle's plane
at a radius and an angle, the rest to the mean. If the plane carries the value, the answer is that
of the nearest value, at any angle, and over a range of radii.
"""

import time
from collections.abc import Sequence

import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.features.geometry.circle import Circle, point_on
from symscope.features.geometry.crossed import Crossed
from symscope.features.geometry.intervention import clustered, logits_with
from symscope.network import Network
from symscope.site import Site

RADII, ANGLES = tuple(round(0.1 * i, 1) for i in range(20)), 100


def off_circle(
    network: Network, crossed: Crossed, site: Site, circle: Circle,
    radii: Sequence[float] = RADII, angles: int = ANGLES, claim: str = "geometry.off_circle",
) -> list[Evidence]:  # fmt: skip
    """For each radius, the share of answers that are those of the value nearest to the angle.

    `angles` equally spaced angles, by one prompt of each second operand, its first one's; values
    that have no prompt with that operand are left out. 1 is the natural radius. Controls: "chance"
    (one answer in as many as there are), and "radius_0", where every angle is the same point. The
    interval draws angles again.
    """
    began = time.monotonic()
    places, turns, wanted, values = _asked(crossed, circle, angles)
    choices = len(crossed.answers.unique())
    right = {}
    for radius in dict.fromkeys((0.0, *radii)):
        states = point_on(circle, values, radius)
        logits = logits_with(network, crossed.prompts[places], site, states, crossed.choices)
        right[radius] = (logits.argmax(1) == wanted).double()
    found = []
    for radius in radii:
        low, high = clustered(right[radius], turns)
        found.append(Evidence(
            f"{claim}.radius_{radius:g}", float(right[radius].mean()), low, high, len(turns),
            "share that answers the nearest value",
            {"chance": 1 / choices, "radius_0": float(right[0.0].mean())},
            seconds=time.monotonic() - began,
            config={"radius": radius, "angles": angles, "site": str(site)},
        ))  # fmt: skip
    return found


def _asked(crossed: Crossed, circle: Circle, angles: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Rows of the prompts, numbers of the angles, answers wanted, and the angles as values."""
    table = crossed.table
    firsts = crossed.first.unique().double()
    bases = {second: row for (_, second), row in reversed(table.items())}
    rows, turns, wanted, values = [], [], [], []
    for turn in range(angles):
        value = circle.period * turn / angles
        apart = (firsts - value) % circle.period
        nearest = int(firsts[torch.minimum(apart, circle.period - apart).argmin()])
        for second, base in bases.items():
            if (nearest, second) in table:
                rows.append(base)
                turns.append(turn)
                wanted.append(int(crossed.answers[table[nearest, second]]))
                values.append(value)
    return (torch.tensor(rows), torch.tensor(turns), torch.tensor(wanted),
            torch.tensor(values, dtype=torch.float64))  # fmt: skip

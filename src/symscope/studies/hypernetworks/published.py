"""What Liao, Liu and Tegmark (2023) report, by claim: the little of it that is a number."""

from collections.abc import Mapping
from typing import Any

_PAPER = "Liao, Liu and Tegmark (2023)"

PUBLISHED: Mapping[str, Mapping[str, Any]] = {
    "hypernetworks.l1_norm.development.convexity_first": {
        "where": f"{_PAPER}, section 3.2.3: always", "value": 1.0},
    "hypernetworks.l1_norm.goes_back": {
        "where": f"{_PAPER}, section 3.2.3: no way back is described", "value": 0.0},
}  # fmt: skip
"""Claim → the value and where it stands. No losses, counts or thresholds are published."""

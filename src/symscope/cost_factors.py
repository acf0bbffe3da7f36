"""What the counts of `cost` are multiplied by, as `benchmarks/cost.py` found it."""

FITTED: dict[str, tuple[float, float]] = {
    "recurrent_training": (1.1, 1.1),
    "copies_training": (0.87, 1.9),
    "transformer_training": (1.2, 1.8),
    "recurrent_alignment": (1.1, 1.6),
    "transformer_alignment": (1.2, 1.5),
    "patching": (1.2, 0.82),
    "attribution": (1.3, 1.9),
    "circuit": (1.2, 1.1),
    "dictionary": (1.1, 1.2),
    "activation_maps": (1.6, 1.4),
    "hypernetwork_training": (1.1, 1.8),
    "inference": (0.97, 1.1),
}
"""Method → what its count of bytes, and its count of time, is multiplied by."""

"""What made a run: the facts that a page ends with."""

from collections.abc import Mapping
from typing import Any

_SHOWN = (
    ("seed", "seed"), ("preset", "preset"), ("commit", "commit"), ("version", "symscope"),
    ("python", "Python"), ("torch", "torch"), ("task", "task"), ("architecture", "network"),
    ("width", "width"), ("program", "program"), ("site", "site"), ("seconds", "seconds"),
)  # fmt: skip


def provenance(config: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """(what, value) of everything that the run's config says of it."""
    return [(name, config[key]) for key, name in _SHOWN if config.get(key) is not None]

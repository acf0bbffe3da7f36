"""A hypernetwork as one safetensors file."""

import json
from collections.abc import Sequence
from itertools import pairwise
from math import prod
from pathlib import Path

from safetensors.torch import save_file

from symscope.evidence import SymscopeError, write_whole
from symscope.files import read_tensors, refusing, said_in
from symscope.generate.hypernetwork import Hypernetwork
from symscope.models.perceptron import checked_sizes


def save_hypernetwork(path: Path, module: Hypernetwork, task: str) -> None:
    """Write its weights, with the sizes it is for and the task it was trained on."""
    said = {"sizes": list(module.sizes), "wavelength": module.wavelength, "task": task}
    tensors = {name: value.contiguous() for name, value in module.state_dict().items()}
    metadata = {"symscope": json.dumps(said)}
    write_whole(path, lambda p: save_file(tensors, p, metadata=metadata))


def load_hypernetwork(
    path: Path, sizes: Sequence[int] | None = None, task: str | None = None
) -> Hypernetwork:
    """Read what `save_hypernetwork` wrote.

    Raises `SymscopeError` where the file is something else, or is of other `sizes` or of another
    `task` than those that are asked for; the message lists both.
    """
    tensors, metadata = read_tensors(path, "file", "is not a hypernetwork")
    with refusing(f"{path} is not a hypernetwork"):
        said = said_in(metadata)
        found, wavelength = tuple(said["sizes"]), float(said["wavelength"])
        asked = found if sizes is None else tuple(sizes)
        if asked != found or task not in (None, said["task"]):
            raise SymscopeError(
                f"{path} writes {found} networks for {said['task']}; asked for were {asked}"
                f" networks for {task or said['task']}"
            )
        held = sum(value.numel() for value in tensors.values())
        if sum(map(prod, pairwise(checked_sizes(found)))) > held:
            raise ValueError(f"it says sizes {found} and holds {held} numbers")
        module = Hypernetwork(found, wavelength=wavelength)
        module.load_state_dict(tensors)
    return module

"""A hypernetwork as one safetensors file."""

import json
from collections.abc import Sequence
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from symscope.evidence import SymscopeError, write_whole
from symscope.generate.hypernetwork import Hypernetwork


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
    try:
        with safe_open(path, framework="pt") as file:
            said = json.loads((file.metadata() or {})["symscope"])
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
        found, wavelength = tuple(said["sizes"]), float(said["wavelength"])
        asked = found if sizes is None else tuple(sizes)
        if asked != found or task not in (None, said["task"]):
            raise SymscopeError(
                f"{path} writes {found} networks for {said['task']}; asked for were {asked}"
                f" networks for {task or said['task']}"
            )
        module = Hypernetwork(found, wavelength=wavelength)
        module.load_state_dict(tensors)
    except FileNotFoundError:
        raise SymscopeError(f"no file {path}") from None
    except (SafetensorError, KeyError, TypeError, ValueError, RuntimeError, OSError) as error:
        raise SymscopeError(f"{path} is not a hypernetwork: {error}") from None
    return module

"""Engines by the names that commands know them under."""

from symscope.causal_model import UnknownName
from symscope.engines.engine import Engine
from symscope.engines.local import local
from symscope.engines.on_ray import on_ray
from symscope.evidence import SymscopeError

ENGINES = ("local", "ray")


def engine_named(name: str, jobs: int | None, address: str = "auto", device: str = "cpu") -> Engine:
    """The engine of that name, with so many processes or at that address.

    On a cluster a job has a GPU of its own where the device is one. Raises `SymscopeError`.
    """
    if name not in ENGINES:
        raise UnknownName("engine", name, ENGINES)
    if name == "ray":
        return on_ray(address, 1 if device.startswith(("cuda", "auto")) else 0)
    if address != "auto":
        raise SymscopeError(f"--address {address} is for --engine ray")
    return local(jobs)

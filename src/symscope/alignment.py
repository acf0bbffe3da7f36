"""The claim that a program's variables live at a network's sites, in certain coordinates."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from symscope.causal_model import UnknownName
from symscope.conditioning import precision
from symscope.evidence import SymscopeError, write_whole
from symscope.featurizer import FEATURIZERS, Featurizer
from symscope.files import read_tensors, refusing, said_in
from symscope.site import Site


@dataclass(frozen=True, eq=False)
class Handle:
    """Where one variable lives: `coordinates` of `featurizer` at `site`."""

    site: Site
    featurizer: Featurizer
    coordinates: tuple[int, ...]

    def __post_init__(self) -> None:
        size = self.featurizer.size
        if not self.coordinates or not all(0 <= c < size for c in self.coordinates):
            raise SymscopeError(f"coordinates {self.coordinates}: not among the {size} there are")


@dataclass(frozen=True, eq=False)
class Alignment:
    """Variable → handle. Variables with the same featurizer share its coordinates out."""

    program: str
    handles: Mapping[str, Handle]

    def __getitem__(self, variable: str) -> Handle:
        if variable not in self.handles:
            raise UnknownName("aligned variable", variable, self.handles)
        return self.handles[variable]

    def save(self, path: Path) -> None:
        """Write weights and description as one safetensors file."""
        featurizers = list(dict.fromkeys(h.featurizer for h in self.handles.values()))
        names = {kind: name for name, (kind, _) in _kinds().items()}
        description = {
            "program": self.program,
            "featurizers": [{"kind": names[type(f)], **f.config()} for f in featurizers],
            "handles": {
                variable: {"site": _plain(h.site), "featurizer": featurizers.index(h.featurizer),
                           "coordinates": list(h.coordinates)}
                for variable, h in self.handles.items()
            },
        }  # fmt: skip
        tensors = {
            f"{i}.{key}": value.contiguous()
            for i, f in enumerate(featurizers)
            for key, value in f.state_dict().items()
        }
        write_whole(path, lambda p: save_file(tensors, p, {"symscope": json.dumps(description)}))

    @classmethod
    def load(cls, path: Path) -> "Alignment":
        """Read what `save` wrote; raises `SymscopeError` when the file is something else."""
        tensors, metadata = read_tensors(path, "alignment file", "is not an alignment")
        with refusing(f"{path} is not an alignment"):
            description = said_in(metadata)
            featurizers, kinds = [], _kinds()
            for i, config in enumerate(description["featurizers"]):
                own = {k.split(".", 1)[1]: v for k, v in tensors.items() if k.startswith(f"{i}.")}
                kind = config.pop("kind")
                _bounded(kind, config, sum(v.numel() for v in own.values()))
                made = kinds[kind][1](**config).to(precision(own.values()))
                made.load_state_dict(own)
                featurizers.append(made)
            handles = {
                v: Handle(_site(h["site"]), featurizers[h["featurizer"]], tuple(h["coordinates"]))
                for v, h in description["handles"].items()
            }
            return cls(str(description["program"]), handles)


def blocks(program: str, site: Site, featurizer: Featurizer, sizes: Mapping[str, int]) -> Alignment:
    """An alignment to start from: each variable gets the next `size` coordinates.

    The name "null" stands for a block that belongs to no variable.
    """
    if sum(sizes.values()) > featurizer.size:
        raise SymscopeError(
            f"blocks {dict(sizes)} need {sum(sizes.values())} coordinates,"
            f" the featurizer has {featurizer.size}"
        )
    handles, first = {}, 0
    for variable, size in sizes.items():
        handles[variable] = Handle(site, featurizer, tuple(range(first, first + size)))
        first += size
    return Alignment(program, handles)


def _kinds() -> dict[str, tuple[type[Featurizer], Callable[..., Featurizer]]]:
    """Name → class and what makes an empty one. Dictionaries stand below: hence the late import."""
    below = import_module("symscope.features.dictionaries.methods")
    kinds = {name: (kind, kind) for name, kind in FEATURIZERS.items()}
    return {**kinds, "dictionary": (below.Dictionary, below.empty)}


def _bounded(kind: str, config: Mapping[str, Any], held: int) -> None:
    """Raise, before memory is taken, for a featurizer of more numbers than its file holds."""
    width, size = config["width"], config["size"]
    least = {"identity": 0, "mask": size}.get(kind, max(width, config.get("outputs") or 0) * size)
    if least > held:
        raise ValueError(f"{kind} of {width} and {size} needs {least} numbers, {held} are there")


def _plain(site: Site) -> dict[str, Any]:
    return asdict(site) | {"units": None if site.units is None else list(site.units)}


def _site(plain: dict[str, Any]) -> Site:
    tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
    numbers = (n for v in tuples.values() if isinstance(v, tuple) for n in v)
    if not all(isinstance(n, int) for n in numbers):
        raise ValueError(f"{plain} is no site")
    return Site(str(tuples.pop("module")), **tuples)

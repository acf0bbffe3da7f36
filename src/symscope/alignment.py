"""The claim that a program's variables live at a network's sites, in certain coordinates."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError, write_whole
from symscope.featurizer import FEATURIZERS, Featurizer
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
        metadata = {"symscope": json.dumps(description)}
        write_whole(path, lambda p: save_file(tensors, p, metadata=metadata))

    @classmethod
    def load(cls, path: Path) -> "Alignment":
        """Read what `save` wrote; raises `SymscopeError` when the file is something else."""
        try:
            with safe_open(path, framework="pt") as file:
                description = json.loads((file.metadata() or {})["symscope"])
                tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
            featurizers, kinds = [], _kinds()
            for i, config in enumerate(description["featurizers"]):
                made = kinds[config.pop("kind")][1](**config)
                own = {k.split(".", 1)[1]: v for k, v in tensors.items() if k.startswith(f"{i}.")}
                made.load_state_dict(own)
                featurizers.append(made)
            handles = {
                v: Handle(_site(h["site"]), featurizers[h["featurizer"]], tuple(h["coordinates"]))
                for v, h in description["handles"].items()
            }
            return cls(description["program"], handles)
        except FileNotFoundError:
            raise SymscopeError(f"no alignment file {path}") from None
        except (SafetensorError, KeyError, TypeError, ValueError, IndexError, RuntimeError,
                AttributeError, OSError) as error:  # fmt: skip
            raise SymscopeError(f"{path} is not an alignment: {error}") from None


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


def _plain(site: Site) -> dict[str, Any]:
    return asdict(site) | {"units": None if site.units is None else list(site.units)}


def _site(plain: dict[str, Any]) -> Site:
    tuples: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in plain.items()}
    return Site(**tuples)

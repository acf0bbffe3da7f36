"""Where vectors come from: a language model's residual stream, and networks that count."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.jobs import Settings
from symscope.models.llama2c import load_llama2c, vocabulary
from symscope.models.load import build, default_site, load_network
from symscope.network import Network
from symscope.site import Site
from symscope.studies.dictionaries.fitted import Recipe
from symscope.studies.dictionaries.settings import NETWORKS, STORIES, TIMES
from symscope.task import IGNORE
from symscope.tasks.numbers import PAD, VOCABULARY, Counting, T

WIDTH = 20
"""Of the networks of the numbers study."""
BEGINS = 1
"""The token that begins a story."""
Read = Callable[[Network, Site, Tensor], Tensor]
"""What a network has at a site on some inputs, (vector, width)."""


@dataclass(frozen=True, eq=False)
class Place:
    """A network, the site whose vectors are explained, and inputs to fit and to score on.

    `reads` and `writes` are the two ends of an MLP, where there is one. `labels` (vector,) say
    something simple of each vector that is fitted on; `kept` which positions of the inputs count.
    """

    network: Network
    fresh: Network
    fit: tuple[Site, Tensor]
    test: tuple[Site, Tensor]
    targets: Tensor
    labels: Tensor
    kept: Callable[[Tensor], Tensor]
    recipe: Recipe
    reads: Site | None = None
    writes: Site | None = None

    def vectors(self, network: Network, site: Site, inputs: Tensor) -> Tensor:
        """What is there where it counts, (vector, width)."""
        with torch.no_grad():
            found = network.run(inputs, read=[site]).values[site]
        return found if found.dim() == 2 else found[self.kept(inputs)]


def place(name: str, settings: Settings, seed: int) -> Place:
    """The place of that name; raises `SymscopeError` where its network is not at hand."""
    made = {"stories260k": _stories, "counting_gru": _state, "counting_transformer": _block}
    return made[name](settings, seed)


def counting(arch: str, settings: Settings, seed: int) -> tuple[Network, Network]:
    """The numbers study's network of that seed, and a fresh one of the same form."""
    folder = Path(settings["numbers"]) / "networks"
    path = folder / f"main-multi-{arch}-{seed}.safetensors"
    if not path.exists():
        raise SymscopeError(
            f"no {path}: run this in a checkout, or give --numbers, a folder of the numbers study"
        )
    return Network(load_network(path)[0]), Network(build(arch, len(VOCABULARY), WIDTH, seed + 1000))


def _state(settings: Settings, seed: int) -> Place:
    """The state of a GRU that counts, at one random step of each sequence."""
    network, fresh = counting("gru", settings, seed)
    task, site = Counting("multi"), default_site("gru")
    generator = torch.Generator().manual_seed(seed)
    fit, test = (task.sample(n, generator) for n in (settings["vectors"], settings["sequences"]))
    steps = [(torch.rand(len(x), generator=generator) * ((x != PAD).sum(1) - 2)).long() + 1
             for x in (fit, test)]  # fmt: skip
    answering = ((fit == T).cumsum(1) > 0).long()
    return Place(
        network, fresh, (site.at(steps[0]), fit), (site.at(steps[1]), test), task.correct(test),
        answering[torch.arange(len(fit)), steps[0]], lambda x: x != PAD, _recipe(settings),
    )  # fmt: skip


def _block(settings: Settings, seed: int) -> Place:
    """The residual stream of a transformer that counts, after its first block."""
    network, fresh = counting("transformer", settings, seed)
    task, site = Counting("multi"), default_site("transformer")
    generator = torch.Generator().manual_seed(seed)
    count = settings["sequences"] // 4
    fit, test = (task.sample(count, generator) for _ in range(2))
    answering = ((fit == T).cumsum(1) > 0).long()
    return Place(
        network, fresh, (site, fit), (site, test), task.correct(test), answering[fit != PAD],
        lambda x: x != PAD, _recipe(settings), Site("blocks.0.mlp", "input"), Site("blocks.0.mlp"),
    )  # fmt: skip


def _recipe(settings: Settings) -> Recipe:
    return Recipe(TIMES * WIDTH, 4, 4, NETWORKS, settings["steps"])


def _stories(settings: Settings, seed: int) -> Place:
    """The residual stream in the middle of a small language model, on stories of its own."""
    folder = Path(settings["weights"] or "") / "stories260k"
    if not settings["weights"] or not folder.exists():
        raise SymscopeError("skipped: SYMSCOPE_WEIGHTS names no folder with stories260k")
    module: Any = load_llama2c(folder / "stories260K.bin")
    with tempfile.TemporaryDirectory() as kept, torch.random.fork_rng():
        module.save_pretrained(kept, safe_serialization=True)
        network = Network.from_pretrained(kept)
        torch.manual_seed(seed)
        fresh = Network(type(module)(module.config))
        begun = torch.full((2 * settings["stories"], 1), BEGINS)
        told: Any = network.module
        stories = told.generate(begun, do_sample=True, top_k=0, max_length=settings["tokens"],
                                min_length=settings["tokens"], pad_token_id=0)  # fmt: skip
    fit, test = stories.chunk(2)
    begins = torch.tensor([word.startswith(b" ") for word in vocabulary(folder / "tok512.bin")])
    site, mlp = Site("model.layers.2"), "model.layers.2.mlp"
    return Place(
        network, fresh, (site, fit), (site, test),
        torch.cat([test[:, 1:], torch.full((len(test), 1), IGNORE)], 1),
        begins.long()[fit].flatten(), lambda x: torch.ones_like(x, dtype=torch.bool),
        Recipe(TIMES * 64, 8, 8, STORIES, settings["story_steps"]), Site(mlp, "input"), Site(mlp),
    )  # fmt: skip

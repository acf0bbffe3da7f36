"""The same of language models that were trained by others: from a folder, or from the hub."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch

from symscope.cost import Cost
from symscope.evidence import Evidence, wilson
from symscope.jobs import Unit
from symscope.network import Network
from symscope.studies.heuristics.circuit import faithful, place_claims
from symscope.studies.heuristics.grids import WORDS, Grid, grids, pairs_of, said
from symscope.studies.heuristics.neurons import right_prompts
from symscope.studies.heuristics.settings import Asked
from symscope.studies.heuristics.units import neuron_claims
from symscope.studies.language_model import described, form_of, runs_cost, told
from symscope.studies.questions import Question, answered
from symscope.tasks import in_tokens

OPERANDS = 300
STEPS, BATCH = 5, 512
"""Tokens of a prompt, and prompts at a time."""


@dataclass(frozen=True)
class Language:
    """A model on the hub, and how much is asked of it; `layers` are those whose neurons are."""

    source: str
    layers: range
    asked: Asked = field(default_factory=lambda: Asked(top=200, pairs=100))
    operands: int = OPERANDS
    signs: str = "+-*/"


LANGUAGE = {
    "pythia-6.9b": Language("EleutherAI/pythia-6.9b", range(14, 32)),
    "gpt-j": Language("EleutherAI/gpt-j-6b", range(17, 28)),
    "llama-3-8b": Language("meta-llama/Meta-Llama-3-8B", range(16, 32)),
}
"""Layers as in Nikankin et al. (2025): from where the answer can be read to the last."""


def reckoned(settings: dict[str, Any]) -> tuple[str, Cost, float]:
    """What a run will take: as a text, on the device, and the bytes of maps that are kept.

    From the model's description alone; raises `SymscopeError` where there is none.
    """
    about, source = LANGUAGE[settings["preset"]], settings["model"]
    form = form_of(described(source))
    layers = [layer for layer in about.layers if layer < form.layers]
    prompts = len(about.signs) * about.operands**2
    places = form.layers * (form.heads + 1) * 4
    # accuracy, maps, means and nulls run all prompts; places and 500 neurons run all pairs
    runs = 4 * prompts + len(about.signs) * about.asked.pairs * (places + 1_000)
    cost = runs_cost(form, runs, STEPS, BATCH, settings["dtype"])
    maps = 8.0 * about.asked.top * len(layers) * about.operands**2
    budget = 1e9 * settings["budget"]
    text = (
        f"{source}: {form.parameters / 1e9:.2f}·10⁹ parameters, {cost.memory / 1e9:.1f} GB in"
        f" {settings['dtype']} on the device and at most {settings['budget']:.0f} GB for maps at a"
        f" time; {maps / 1e9:.1f} GB of maps are kept in memory. About {runs:,} prompts of {STEPS}"
        f" tokens, {told(cost, settings)}; and an hour or two of matching on one core."
    )
    return text, cost, maps + budget


def sign_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Everything about one sign. Where memory ends it says what to try, and no file is written."""
    _, sign, seed = unit
    about = LANGUAGE[settings["preset"]]
    budget = int(1e9 * settings["budget"])
    about = replace(about, asked=replace(about.asked, budget=budget))
    try:
        network = Network.from_pretrained(settings["model"], settings["dtype"], settings["device"])
        return sign_claims(network, about, sign, f"heuristics.{settings['preset']}", int(seed))
    except torch.OutOfMemoryError as error:
        raise MemoryError(
            f"{sign}: {error}. Take --dtype bfloat16, --device auto to spread the model, or a"
            " larger device; signs that are done are kept, and the same command goes on from there"
        ) from None


def sign_claims(
    network: Network, about: Language, sign: str, name: str, seed: int
) -> list[Evidence]:
    """Accuracy, circuit and neurons of one sign, on the prompts that the model answers right."""
    spoken = in_tokens(network, sign, about.operands)
    grid, claim = grids(spoken.task)[0], f"{name}.{WORDS[sign]}"
    accuracy = _accuracy(spoken.network, grid, spoken.dropped, claim, seed)
    untrained = None  # a fresh model of this size would take as much memory again

    def ask() -> Iterator[Question]:
        right = right_prompts(spoken.network, grid).nonzero()[:, 0]
        pairs = pairs_of(grid[right], about.asked.pairs, seed)
        given = spoken.network, untrained
        yield partial(place_claims, *given, {"all": pairs}, claim, seed)
        yield partial(faithful, spoken.network, grid, pairs, claim, seed)
        asked = replace(about.asked, layers=about.layers)
        yield partial(neuron_claims, *given, grid, asked, claim, seed)

    return [accuracy, *answered(ask(), claim, seed)]


def _accuracy(network: Network, grid: Grid, dropped: Any, claim: str, seed: int) -> Evidence:
    right = said(network, grid.prompts) == grid.token
    low, high = wilson(int(right.sum()), len(right))
    common = float((grid.token == grid.token.mode().values).float().mean())
    return Evidence(f"{claim}.accuracy", float(right.float().mean()), low, high, len(right),
                    "accuracy", {"commonest answer": common}, [seed],
                    config={"dropped": dict(dropped)})  # fmt: skip

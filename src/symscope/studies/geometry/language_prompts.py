"""A cycle put to a language model: what it answers, and its states at the tokens that matter."""

import warnings
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.features.geometry import Crossed, FewerComponents
from symscope.localize import layout_in
from symscope.network import Network
from symscope.site import Site
from symscope.tasks.cycles import CYCLES, CyclePrompts, cycle_prompts

BATCH = 128


@dataclass(frozen=True, eq=False)
class Posed:
    """The prompts of a cycle, and the network that reads them."""

    network: Network
    prompts: CyclePrompts
    name: str
    wording: str = "text"

    @property
    def period(self) -> int:
        """How many values there are."""
        return CYCLES[self.name].period

    @property
    def crossed(self) -> Crossed:
        """The prompts as a table of starts and durations; answers are places in the values."""
        one = self.prompts
        return Crossed(one.tokens, one.first, one.second, one.answers, one.choices)

    def site(self, layer: int, place: str) -> Site:
        """The stream that enters a block, at the start ("a"), the duration ("b") or the end."""
        layout = layout_in(self.network)
        if not 0 <= layer < layout.layers:
            raise SymscopeError(f"no layer {layer}: this model has 0 to {layout.layers - 1}")
        return layout.site(layer, "residual").at(self.prompts.places[place])

    def states(self, layers: Iterable[int], place: str) -> dict[int, Tensor]:
        """Layer → the stream that enters it, (prompt, width), float64."""
        sites = {layer: self.site(layer, place) for layer in layers}
        found = states_at(self.network, self.prompts.tokens, list(sites.values()))
        return {layer: found[site] for layer, site in sites.items()}


def posed(network: Network, name: str, wording: str = "text") -> Posed:
    """The prompts in the network's own tokens; raises as `cycle_prompts` does."""
    return Posed(network, cycle_prompts(network.tokenizer, name, wording), name, wording)


@torch.no_grad()
def states_at(network: Network, prompts: Tensor, sites: Sequence[Site]) -> dict[Site, Tensor]:
    """What stands at each site on all prompts, in one run for all sites, float64."""
    parts: dict[Site, list[Tensor]] = {site: [] for site in sites}
    for some in prompts.split(BATCH):
        values = network.run(some.to(network.device), read=sites).values
        for site in sites:
            parts[site].append(values[site].cpu().double())
    return {site: torch.cat(found) for site, found in parts.items()}


@torch.no_grad()
def last_logits(network: Network, prompts: Tensor) -> Tensor:
    """Logits (prompt, vocabulary) at the end."""
    return torch.cat([network.run(some.to(network.device)).output[:, -1].float().cpu()
                      for some in prompts.split(BATCH)])  # fmt: skip


@contextmanager
def fewer_components() -> Iterator[None]:
    """No warning where states span less than was asked for: the record's config says it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FewerComponents)
        yield


def accuracy_claims(
    one: Posed, untrained: Posed | None, claim: str, seed: int
) -> list[Evidence]:  # fmt: skip
    """The share of prompts answered right: among the values, and in the whole vocabulary.

    "without_space" is the first with the tokens that the values have alone, as the published code
    looks them up, where those are others. A note says where less than half is right. `config` has
    the accuracy of each duration.
    """
    answers, choices = one.prompts.answers, one.prompts.choices
    logits = last_logits(one.network, one.prompts.tokens)
    blank = None if untrained is None else last_logits(untrained.network, one.prompts.tokens)
    ways = {"valid": choices, "vocabulary": None}
    if one.prompts.bare is not None and not torch.equal(one.prompts.bare, choices):
        ways["without_space"] = one.prompts.bare
    found = []
    for way, among in ways.items():
        right = _right(logits, answers, choices, among)
        score, (low, high) = float(right.double().mean()), wilson(int(right.sum()), len(right))
        controls = {"chance": 1 / one.period if among is not None else 1 / logits.shape[1]}
        if blank is not None:
            controls["untrained"] = float(_right(blank, answers, choices, among).double().mean())
        durations = one.prompts.second
        table = {str(b): float(right[durations == b].double().mean())
                 for b in durations.unique().tolist()}  # fmt: skip
        note = "less than half is right" if way == "valid" and score < 0.5 else ""
        found.append(Evidence(
            f"{claim}.{one.wording}.{way}", score, low, high, len(right), "accuracy", controls,
            [seed], config={"text": one.prompts.texts[0], "length": one.prompts.tokens.shape[1],
                            "prefixed": one.prompts.prefixed, "table": table}, note=note,
        ))  # fmt: skip
    return found


def _right(logits: Tensor, answers: Tensor, choices: Tensor, among: Tensor | None) -> Tensor:
    if among is None:
        return logits.argmax(1) == choices[answers]
    return logits[:, among].argmax(1) == answers


def beside(record: Evidence, **controls: float | None) -> Evidence:
    """The record with further controls, those that could be had."""
    had = {name: value for name, value in controls.items() if value is not None}
    return replace(record, controls={**record.controls, **had})

"""Are entities bound to attributes by vectors that both carry? (Feng & Steinhardt, 2024.)

A context states pairs: entity k has attribute k. The claim: the activity at entity k's token is a
part that depends on the entity plus a binding vector b_E(k), at its attribute's token one that
depends on the attribute plus b_A(k), and a query looks for the attribute whose vector fits. Then
differences b(k) − b(0) are differences of means over contexts, and adding them exchanges partners.
Positions are tensors (sample, pair): one step for each entity and each attribute.
"""

import warnings
from dataclasses import dataclass

import torch
from torch import Tensor

from symscope.causal_model import Edit
from symscope.evidence import SymscopeError
from symscope.localize.edges_of_transformer import transformer_of
from symscope.network import Network, NothingChanged
from symscope.site import Site

PARTS = {"none": (), "attribute": (1,), "entity": (0,), "both": (0, 1)}
"""What is edited, of (entity, attribute)."""


@dataclass(frozen=True)
class Contexts:
    """Prompts (sample, step) with the steps of their entities and attributes, (sample, pair) each.

    The entity of pair `asked` (sample,) stands at the step `query`; the answer is the token at its
    attribute.
    """

    tokens: Tensor
    entity: Tensor
    attribute: Tensor
    asked: Tensor
    query: int

    def __post_init__(self) -> None:
        if self.entity.shape != self.attribute.shape or self.entity.shape[1] < 2:
            raise SymscopeError(
                f"entities at {tuple(self.entity.shape)} and attributes at"
                f" {tuple(self.attribute.shape)} steps: give (sample, pair), two pairs or more"
            )

    def __getitem__(self, rows: Tensor) -> "Contexts":
        """Some of the contexts."""
        return Contexts(
            self.tokens[rows], self.entity[rows], self.attribute[rows], self.asked[rows], self.query
        )

    @property
    def steps(self) -> tuple[Tensor, Tensor]:
        """Where entities and attributes stand."""
        return self.entity, self.attribute


def binding_ids(network: Network, contexts: Contexts) -> tuple[Tensor, Tensor]:
    """b(k) − b(0) of entities and of attributes, (block, pair, width) each: differences of means.

    (Feng & Steinhardt, 2024, §4.) Contexts should give each pair the same entities and attributes
    on average, or the difference holds more than the binding.
    """
    entity, attribute = (
        activity(network, contexts.tokens, steps).mean(1) for steps in contexts.steps
    )
    return entity - entity[:, :1], attribute - attribute[:, :1]


def entries(network: Network) -> list[Site]:
    """Where the residual stream enters each block."""
    return [Site(f"blocks.{i}", "input") for i in range(len(transformer_of(network).blocks))]


@torch.no_grad()
def activity(network: Network, tokens: Tensor, steps: Tensor) -> Tensor:
    """The residual stream entering each block at some steps, (block, sample, pair, width)."""
    sites = entries(network)
    values = network.run(tokens, read=sites).values
    return torch.stack([values[site].gather(1, _index(steps, values[site])) for site in sites])


def _index(steps: Tensor, like: Tensor) -> Tensor:
    return steps[..., None].expand(*steps.shape, like.shape[-1])


@torch.no_grad()
def replaced(network: Network, tokens: Tensor, steps: Tensor, vectors: Tensor) -> Tensor:
    """Logits at the last step when `vectors` (block, sample, pair, width) stand at `steps`.

    They are put in front of every block, so that they are what later tokens see of these steps,
    whatever the blocks would have made there.
    """

    def put(new: Tensor) -> Edit:
        return lambda old: old.scatter(1, _index(steps, old), new.to(old.dtype))

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)
        edits = {site: put(new) for site, new in zip(entries(network), vectors, strict=True)}
        return network.run(tokens, do=edits).output[:, -1]


def shifted(
    network: Network, contexts: Contexts, ids: tuple[Tensor, Tensor], parts: tuple[int, ...]
) -> Tensor:
    """Logits when the first two pairs exchange binding vectors: a(0) += b(1) − b(0), and back."""
    if not parts:
        return natural(network, contexts.tokens)
    where = torch.cat([contexts.steps[part][:, :2] for part in parts], 1)
    moves = [ids[part][:, [1, 0]] - ids[part][:, :2] for part in parts]
    moved = activity(network, contexts.tokens, where) + torch.cat(moves, 1)[:, None]
    return replaced(network, contexts.tokens, where, moved)


@torch.no_grad()
def natural(network: Network, tokens: Tensor) -> Tensor:
    """Logits at the last step, nothing edited."""
    return network.run(tokens).output[:, -1]


def moved(network: Network, contexts: Contexts, parts: tuple[int, ...]) -> Tensor:
    """Logits when the first two pairs exchange steps: the activity of one stands at the other's.

    With rotary positions their keys then turn as at the new step.
    """
    if not parts:
        return natural(network, contexts.tokens)
    where = torch.cat([contexts.steps[part][:, :2] for part in parts], 1)
    other = torch.cat([contexts.steps[part][:, [1, 0]] for part in parts], 1)
    return replaced(network, contexts.tokens, where, activity(network, contexts.tokens, other))


def asking(contexts: Contexts, others: Contexts, parts: tuple[int, ...]) -> Tensor:
    """The prompts, with the query naming the other context's entity if entities are replaced."""
    tokens = contexts.tokens.clone()
    if 0 in parts:
        names = others.tokens.gather(1, others.entity)
        tokens[:, contexts.query] = names.gather(1, contexts.asked[:, None])[:, 0]
    return tokens


def substituted(
    network: Network, contexts: Contexts, others: Contexts, parts: tuple[int, ...]
) -> Tensor:
    """Logits when entities, or attributes, are those of other contexts, pair by pair."""
    if not parts:
        return natural(network, contexts.tokens)
    where = torch.cat([contexts.steps[part] for part in parts], 1)
    there = torch.cat([others.steps[part] for part in parts], 1)
    vectors = activity(network, others.tokens, there)
    return replaced(network, asking(contexts, others, parts), where, vectors)


def correct(logits: Tensor, candidates: Tensor, answer: Tensor, calibrated: bool) -> Tensor:
    """Whether the likeliest of the candidates (sample, pair) is the pair `answer`, (sample,).

    `calibrated` first subtracts from each pair's log-probability its median, as Feng & Steinhardt
    do, so that a preference for one pair does not count. Departure: the median is taken among the
    samples with the same answer and the mean of these subtracted, or a flawless network would not
    score 1 where one pair is asked more often. Report the raw accuracy too: a network that hardly
    ever gives a candidate may still rank them.
    """
    scores = logits.log_softmax(-1).gather(1, candidates)
    if calibrated:
        groups = [scores[answer == pair] for pair in answer.unique()]
        scores = scores - torch.stack([group.median(0).values for group in groups]).mean(0)
    return scores.argmax(1) == answer

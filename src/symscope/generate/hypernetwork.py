"""A network that writes the weights of perceptrons, as simple as its dial asks for.

Liao, Liu and Tegmark (2023): a graph transformer works on the *edges* of the network to be written.
Its state, the hyperactivations, has an axis for edges, one for the two sides, encoder and decoder,
and one for features. What the encoder knows reaches the decoder through a channel whose cost is
counted in nats; the decoder's side becomes the weights. A second network maps log β to all
hyperweights, so that one training covers every trade of loss against complexity.

Not said there, and our choice: SiLU; sinusoidal positions; noise that both sides share; five
learned features per edge and hyperlayer on the encoder's side; maps shared by both sides.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn.functional import silu

from symscope.evidence import SymscopeError
from symscope.generate.edges import attended, positions
from symscope.models.perceptron import Weights, checked_sizes

DEPTH = 4
"""Hyperlayers."""
ACTIVATED, POSITION, NOISE, HEAD, LEARNED, CHANNEL = 20, 4, 5, 5, 5, 4
"""Features of each block; a head's keys, queries and values have `HEAD` each."""
READ = ACTIVATED + 6 * HEAD + 2 * CHANNEL
"""What a hyperlayer's map gives to its blocks."""
WIDTH = ACTIVATED + 3 * POSITION + NOISE + 2 * HEAD + LEARNED + CHANNEL
"""What the blocks give back."""
LOG_SIGMA = (-6.0, 3.0)
BETAS = (1e-12, 1.0)
"""The trained range (log-uniform)."""


@dataclass(frozen=True)
class Written:
    """Perceptrons, and what it cost to say which: `nats` (network,), the KL of the channel."""

    weights: Weights
    nats: Tensor


class Hypernetwork(nn.Module):
    """log β → hyperweights → perceptrons of `sizes`, or without the encoder of any sizes.

    `hyperweights` of one β are a · σ(b); a and b come from (log₁₀ β + 6)/6 through 100 and 10
    units. `gain` is the spread of a at the start, in units of N(0, 1/fan-in); `response` scales how
    much a and b depend on β then; `wavelength` is that of the slower of a position's two sines.
    """

    def __init__(  # the three that a plan says
        self, sizes: Sequence[int], seed: int = 0, gain: float = 2.0, wavelength: float = 10.0,
        response: float = 0.1,
    ):  # fmt: skip
        super().__init__()
        self.sizes, self.wavelength = checked_sizes(sizes), wavelength
        self.shapes = _shapes(edge_count(self.sizes))
        self.count = sum(math.prod(shape) for shape in self.shapes.values())
        generator = torch.Generator().manual_seed(seed)
        self.first, self.second = nn.Linear(1, 100), nn.Linear(100, 10)
        self.last = nn.Linear(10, 2 * self.count)
        with torch.no_grad():
            for layer in (self.first, self.second, self.last):
                bound = layer.in_features**-0.5
                layer.weight.uniform_(-bound, bound, generator=generator)
                layer.bias.uniform_(-bound, bound, generator=generator)
            self.last.weight.mul_(response)
            start = [_start(name, s, gain, generator) for name, s in self.shapes.items()]
            self.last.bias[: self.count] = torch.cat(start)
            self.last.bias[self.count :] = 0

    def hyperweights(self, betas: Tensor) -> dict[str, Tensor]:
        """All that the graph transformer is made of, (network, …), one for each β (network,)."""
        dial = (betas.log10() + 6) / 6
        units = silu(self.second(silu(self.first(dial[:, None]))))
        a, b = self.last(units).split(self.count, 1)
        parts = (a * torch.sigmoid(b)).split([math.prod(s) for s in self.shapes.values()], 1)
        named = zip(self.shapes.items(), parts, strict=True)
        return {name: part.unflatten(1, shape) for (name, shape), part in named}

    def forward(self, betas: Tensor, generator: torch.Generator) -> Written:
        """A perceptron for each β, (network,), and its cost."""
        return self.written(self.hyperweights(betas), generator)

    def written(
        self, hyperweights: dict[str, Tensor], generator: torch.Generator,
        sizes: Sequence[int] | None = None, encoder: bool = True, silent: Sequence[str] = (),
        alike: bool = False,
    ) -> Written:  # fmt: skip
        """A perceptron for each row of `hyperweights`, with noise and latents from `generator`.

        Without the `encoder` every latent is drawn from the decoder's own distribution, nothing is
        paid, and `sizes` may be others than those of training. `silent` names blocks ("noise",
        "learned", "channel") that are put to zero. With `alike` all rows get the same noise.
        """
        sizes = self.fitting(sizes, encoder)
        where = _constant(sizes, self.wavelength, hyperweights["final"])
        count, sides, edges = len(hyperweights["final"]), 1 + encoder, where.shape[0]
        nats = where.new_zeros(count)
        state: Tensor | None = None
        for depth in range(DEPTH):
            read = _mapped(state, hyperweights, depth, (count, sides, edges))
            activated, heads, channel = read.split([ACTIVATED, 6 * HEAD, 2 * CHANNEL], -1)
            drawn = torch.randn(
                (1 if alike else count, edges, NOISE + CHANNEL), generator=generator,
                device=where.device,
            ).to(where).expand(count, -1, -1)  # fmt: skip
            noise, latent = drawn.split([NOISE, CHANNEL], -1)
            sample, paid = _sent(channel, latent)
            nats = nats + (0 if "channel" in silent else paid)
            learned = hyperweights["learned"][:, depth] if encoder else None
            parts = {"noise": noise, "learned": learned, "channel": sample}
            parts = {k: None if k in silent else v for k, v in parts.items()}
            state = _joined(activated, where, parts, attended(heads, sizes))
        assert state is not None, "there is a hyperlayer"
        final = torch.baddbmm(hyperweights["final bias"][:, None], state[:, -1],
                              hyperweights["final"])  # fmt: skip
        return Written(_weights(final, sizes), nats)

    def fitting(self, sizes: Sequence[int] | None, encoder: bool) -> tuple[int, ...]:
        """The sizes to write; raises `SymscopeError` where the encoder cannot know them."""
        if sizes is None:
            return self.sizes
        sizes = checked_sizes(sizes)
        if encoder and sizes != self.sizes:
            raise SymscopeError(
                f"the encoder knows the edges of {self.sizes} alone, not of {sizes}; other sizes"
                " can be written by the decoder (encoder=False)"
            )
        return sizes


def edge_count(sizes: Sequence[int]) -> int:
    """How many weights a perceptron of these sizes has, without its biases."""
    return sum(a * b for a, b in pairwise(sizes))


def checked_betas(betas: Tensor) -> Tensor:
    """The betas; raises `SymscopeError` for those that are no positive numbers."""
    if not bool(((betas > 0) & torch.isfinite(betas)).all()):
        raise SymscopeError(f"beta {betas.tolist()}: each is a positive number, trained on {BETAS}")
    return betas


def extrapolated(betas: Tensor) -> Tensor:
    """Which betas lie outside the trained range, but for rounding."""
    low, high = BETAS
    return (betas < low * (1 - 1e-4)) | (betas > high * (1 + 1e-4))


def _shapes(edges: int) -> dict[str, tuple[int, ...]]:
    """The first hyperlayer has nothing to read yet: a bias alone."""
    return {
        "first bias": (READ,),
        "maps": (DEPTH - 1, WIDTH, READ),
        "biases": (DEPTH - 1, READ),
        "final": (WIDTH, 2),
        "final bias": (2,),
        "learned": (DEPTH, edges, LEARNED),
    }


def _start(name: str, shape: tuple[int, ...], gain: float, generator: torch.Generator) -> Tensor:
    """Where a begins: maps N(0, gain²/fan-in), learned features N(0, gain²), biases 0."""
    if "bias" in name:
        return torch.zeros(math.prod(shape))
    spread = gain if name == "learned" else gain * WIDTH**-0.5
    return spread * torch.randn(math.prod(shape), generator=generator)


def _constant(sizes: tuple[int, ...], wavelength: float, like: Tensor) -> Tensor:
    """Positions, (edge, 3 · POSITION)."""
    return positions(sizes, POSITION, wavelength).to(like)


def _mapped(
    state: Tensor | None, hyperweights: dict[str, Tensor], depth: int, shape: tuple[int, int, int]
) -> Tensor:
    """The hyperlayer's linear map, (network, side, edge, READ)."""
    if state is None:
        return hyperweights["first bias"][:, None, None].expand(*shape, READ)
    count, sides, edges = shape
    bias, matrix = hyperweights["biases"][:, depth - 1], hyperweights["maps"][:, depth - 1]
    mapped = torch.baddbmm(bias[:, None], state.view(count, sides * edges, WIDTH), matrix)
    return mapped.view(count, sides, edges, READ)


def _sent(channel: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """One sample of the encoder's distribution, and its KL from the decoder's in nats.

    The last side is the decoder's, the first the encoder's: without one they are the same.
    """
    mu, log_sigma = channel[:, 0].chunk(2, -1)
    log_sigma = log_sigma.clamp(*LOG_SIGMA)
    sample = mu + log_sigma.exp() * noise
    if channel.shape[1] == 1:
        return sample, channel.new_zeros(len(channel))
    prior_mu, prior = channel[:, 1].chunk(2, -1)
    prior = prior.clamp(*LOG_SIGMA)
    squares = (2 * log_sigma).exp() + (mu - prior_mu).square()
    nats = prior - log_sigma + squares * (-2 * prior).exp() / 2 - 0.5
    return sample, nats.sum((1, 2))


def _joined(
    activated: Tensor, where: Tensor, parts: dict[str, Tensor | None], heads: Tensor
) -> Tensor:
    """All blocks side by side, (network, side, edge, WIDTH).

    Noise and latent are the same on both sides; learned features are the encoder's alone.
    """
    count, sides, edges, _ = activated.shape

    def both(part: Tensor | None, size: int) -> Tensor:
        if part is None:
            return activated.new_zeros(()).expand(count, sides, edges, size)
        return part[:, None].expand(count, sides, edges, size)

    learned = parts["learned"]
    known = both(None, LEARNED)
    if learned is not None:
        known = torch.stack([learned, torch.zeros_like(learned)], 1)
    blocks = [silu(activated), where.expand(count, sides, edges, -1), both(parts["noise"], NOISE),
              heads, known, both(parts["channel"], CHANNEL)]  # fmt: skip
    return torch.cat(blocks, -1)


def _weights(final: Tensor, sizes: tuple[int, ...]) -> Weights:
    """The first feature of an edge is its weight; the second, averaged over what enters, a bias."""
    shapes = list(pairwise(sizes))
    layers = final.split([a * b for a, b in shapes], 1)
    tables = [layer.unflatten(1, shape) for layer, shape in zip(layers, shapes, strict=True)]
    return Weights(tuple(t[..., 0] for t in tables), tuple(t[..., 1].mean(1) for t in tables))

"""What is lost when a network goes on from a dictionary's vectors instead of its own."""

import warnings
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from symscope.evidence import Evidence, SymscopeError
from symscope.features.dictionaries.bench import random_like
from symscope.features.dictionaries.dictionary import Dictionary
from symscope.featurizer import Featurizer
from symscope.intervention.natural import CHUNK, of_rows
from symscope.network import Network, NothingChanged
from symscope.site import Site


def spliced(
    network: Network, site: Site, dictionary: Featurizer, inputs: Tensor, targets: Tensor,
    writes: Site | None = None, seed: int = 0,
) -> Evidence:  # fmt: skip
    """The share of the loss that comes back when decode(encode(v)) stands at `site` instead of 0.

    (L_zero − L_spliced) / (L_zero − L), L the cross-entropy of the answers with `targets`, classes
    of the shape of the answers without their last axis. Controls, by the same formula: the mean
    vector in place of v, and, for a sparse dictionary, random features. `writes` is where a
    transcoder's vectors go. The losses themselves are in the config; the interval is a bootstrap
    over inputs. With no score where a zero does not harm. Raises `SymscopeError` where the widths
    of site and dictionary differ.
    """
    to = writes or site
    mean = _mean(network, to, inputs)
    losses = {
        "natural": _losses(network, inputs, targets, site, to, None),
        "zero": _losses(network, inputs, targets, site, to, lambda v: mean.new_zeros(mean.shape)),
        "mean": _losses(network, inputs, targets, site, to, lambda v: mean),
        "spliced": _losses(network, inputs, targets, site, to, _through(dictionary)),
    }
    if isinstance(dictionary, Dictionary):
        other = random_like(dictionary, seed)
        losses["random"] = _losses(network, inputs, targets, site, to, _through(other))
    config = {"site": str(site), "writes": str(to), **dictionary.config(),
              "losses": {name: float(v.mean()) for name, v in losses.items()}}  # fmt: skip
    name = dictionary.method.name if isinstance(dictionary, Dictionary) else "featurizer"
    claim, n = f"dictionary.{name}.spliced", len(inputs)
    harm = float((losses["zero"] - losses["natural"]).mean())
    if not harm > 0:
        note = f"a zero at {to} does not raise the loss ({harm:.3g})"
        return Evidence(claim, None, None, None, n, "loss recovered", config=config, note=note)
    low, high = _interval(losses, seed)
    return Evidence(
        claim, _share(losses, "spliced"), low, high, n, "loss recovered",
        {c: _share(losses, c) for c in ("zero", "mean", "random") if c in losses}, [seed],
        config=config, note="bootstrap over inputs",
    )  # fmt: skip


Change = Callable[[Tensor], Tensor]
"""Vectors (vector, width) → those that shall stand there, or one for all."""


def _through(dictionary: Featurizer) -> Change:
    return lambda vectors: dictionary.decode(dictionary.encode(vectors))


def _losses(
    network: Network, inputs: Tensor, targets: Tensor, read: Site, writes: Site,
    change: Change | None,
) -> Tensor:  # fmt: skip
    """The cross-entropy of each input, (input,), with what `change` makes of the site's vectors."""
    parts = []
    for rows in torch.arange(len(inputs)).split(CHUNK):
        at, to = of_rows(read, rows), of_rows(writes, rows)
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore", NothingChanged)  # a perfect dictionary changes nothing
            do = {}
            if change is not None:
                natural = network.run(inputs[rows], read=[at]).values[at]
                made = change(natural.reshape(-1, natural.shape[-1]))
                do[to] = _put(made)
            answers = network.run(inputs[rows], do=do).output
        parts.append(_cross_entropy(answers, targets[rows]))
    return torch.cat(parts)


def _put(made: Tensor) -> Change:
    def edit(value: Tensor) -> Tensor:
        if made.shape[-1] != value.shape[-1]:
            raise SymscopeError(
                f"the dictionary gives vectors of width {made.shape[-1]}, the site's have"
                f" {value.shape[-1]}"
            )
        return made.expand(value.numel() // value.shape[-1], -1).reshape(value.shape).to(value)

    return edit


def _cross_entropy(answers: Tensor, targets: Tensor) -> Tensor:
    if answers.shape[:-1] != targets.shape:
        raise SymscopeError(
            f"answers of shape {tuple(answers.shape)} need targets {tuple(answers.shape[:-1])},"
            f" not {tuple(targets.shape)}"
        )
    each = cross_entropy(answers.flatten(0, -2).float(), targets.flatten(), reduction="none")
    return each.view(len(answers), -1).mean(1).cpu()


def _mean(network: Network, site: Site, inputs: Tensor) -> Tensor:
    """The mean vector at a site, over inputs and positions, (1, width)."""
    total, count = torch.zeros(()), 0
    for rows in torch.arange(len(inputs)).split(CHUNK):
        at = of_rows(site, rows)
        with torch.no_grad():
            value = network.run(inputs[rows], read=[at]).values[at]
        flat = value.reshape(-1, value.shape[-1])
        total, count = total.to(flat) + flat.sum(0), count + len(flat)
    return (total / count)[None]


def _share(losses: dict[str, Tensor], name: str) -> float:
    zero = float(losses["zero"].mean())
    return (zero - float(losses[name].mean())) / (zero - float(losses["natural"].mean()))


def _interval(losses: dict[str, Tensor], seed: int) -> tuple[float, float]:
    zero, natural, found = (losses[n].double().numpy() for n in ("zero", "natural", "spliced"))
    rng = np.random.default_rng(seed)
    shares = []
    for _ in range(1000):
        rows = rng.integers(len(zero), size=len(zero))
        harm = (zero[rows] - natural[rows]).mean()
        shares.append((zero[rows] - found[rows]).mean() / harm if harm > 0 else 0.0)
    low, high = np.percentile(shares, [2.5, 97.5])
    return float(low), float(high)

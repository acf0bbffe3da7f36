"""Is the value of every letter there at the last token? What linear probes read, layer by layer."""

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson
from symscope.features import probed
from symscope.intervention.natural import natural_vectors
from symscope.network import Network
from symscope.site import Site
from symscope.tasks.binding import Binding


def probes(
    network: Network, task: Binding, count: int, layers: int, name: str, seed: int
) -> list[Evidence]:
    """The asked letter's value and the others', at the colon and at the end of the last line.

    The score is at the layer where it is highest; all layers are in the config. Published: from
    the last token the values of letters that are not asked for cannot be read.
    """
    tokens = task.drawn(count, torch.Generator().manual_seed(31), "test")
    values = _values(task, tokens)
    asked = task.trace(tokens).query - task.digits
    records = []
    for place, position in (("colon", tokens.shape[1] - 1), ("last_line_end", 4 * task.lines - 1)):
        layered = [natural_vectors(network, tokens, site.at(position)) for site in sites(layers)]
        for which in ("asked", "others"):
            cells = [_layer(vectors, values, asked, which == "others") for vectors in layered]
            best = max(cells, key=lambda c: c[0] - c[1])
            accuracy, shuffled, majority, n = best
            low, high = wilson(round(accuracy * n), n)
            records.append(
                Evidence(
                    f"{name}.probe.{place}.{which}", accuracy, low, high, n, "accuracy",
                    {"shuffled labels": shuffled, "commonest value": majority}, [seed],
                    config={"layer": cells.index(best), "accuracy": [c[0] for c in cells],
                            "shuffled": [c[1] for c in cells]},
                    note="at the layer that tells most; Wilson interval, one seed",
                )
            )  # fmt: skip
    return records


def sites(layers: int) -> list[Site]:
    """What enters each block, and what leaves the last: layers + 1 of them."""
    return [*(Site(f"blocks.{i}", "input") for i in range(layers)), Site(f"blocks.{layers - 1}")]


def _values(task: Binding, tokens: Tensor) -> Tensor:
    """Each letter's value at the end, -1 where it has none, (program, letter)."""
    run = task.trace(tokens)
    names = torch.arange(task.letters) + task.digits
    lines = torch.arange(task.lines)[:, None]
    last = torch.where(run.left[:, :, None] == names, lines, -1).amax(1)
    return torch.where(last >= 0, run.value.gather(1, last.clamp(min=0)), -1)


def _layer(
    vectors: Tensor, values: Tensor, asked: Tensor, others: bool
) -> tuple[float, float, float, int]:
    """Accuracy, with shuffled labels, of the commonest value, and n, over one probe per letter."""
    if not others:
        found = probed(vectors, values.gather(1, asked[:, None])[:, 0])
        return found.accuracy, found.shuffled, found.majority, found.n
    each = []
    for letter in range(values.shape[1]):
        rows = (values[:, letter] >= 0) & (asked != letter)
        each.append(probed(vectors[rows], values[rows, letter]))
    n = sum(p.n for p in each)
    means = [sum(getattr(p, k) * p.n for p in each) / n
             for k in ("accuracy", "shuffled", "majority")]  # fmt: skip
    return means[0], means[1], means[2], n

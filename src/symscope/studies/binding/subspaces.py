"""Which subspaces hold the digits and the names? Swapped at every layer, beside their controls.

Published: axes that a sparse classifier uses, 10 for constants (92.17 %) and 26 for names
(87.08 %), width 512. Here as many axes as there are digits, or letters; beside them axes found by
DAS, random axes, the widest principal axes, the complement, and the whole vector.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from symscope.align import Search, Swap, blocks, fit
from symscope.evidence import Evidence, wilson
from symscope.features import classifier_axes
from symscope.featurizer import PCA, Rotation
from symscope.intervention.natural import natural_vectors
from symscope.network import Network
from symscope.site import Site
from symscope.studies.binding.mechanism import usable_pairs
from symscope.task import Pairs
from symscope.tasks.binding import Binding

PROGRAMS = 2.5
"""Programs that axes are fitted on, for each pair that other alignments are fitted on."""
BATCH = 256


@dataclass(frozen=True)
class Group:
    """What is looked for: which pairs move it, and from which tokens axes are fitted."""

    name: str
    kind: str
    side: str


GROUPS = (Group("constants", "root", "right"), Group("names", "rebind", "left"))


def subspaces(
    network: Network, task: Binding, count: int, fits: int, steps: int, layers: int, name: str,
    seed: int,
) -> list[Evidence]:  # fmt: skip  # eight: what is asked of one network
    """For constants and names: the success of swapping classifier axes and DAS axes alone.

    The layer is the one where swapping the axes does best on training programs; scores are on test
    programs.
    """
    records, search = [], Search(steps=steps, most=steps, batch=BATCH)
    for group in GROUPS:
        pairs = {s: usable_pairs(network, task, group.kind, task.hops, count, seed + i, split)
                 for i, (s, split) in enumerate(PARTS.items())}  # fmt: skip
        size = task.digits if group.name == "constants" else task.letters
        found = [_layer(network, task, group, pairs, (layer, size, seed), search, fits)
                 for layer in range(1, layers)]  # fmt: skip
        for method in ("classifier", "das"):
            layer = max(range(len(found)), key=lambda i: found[i][f"{method} chosen by"])
            best = found[layer]
            right = torch.as_tensor(best[method])
            low, high = wilson(int(right.sum()), len(right))
            controls = {k: float(v.float().mean()) for k, v in best.items()
                        if isinstance(v, Tensor) and k != method}  # fmt: skip
            by_layer = {k: [float(torch.as_tensor(f[k]).float().mean()) for f in found]
                        for k in best}  # fmt: skip
            records.append(
                Evidence(
                    f"{name}.subspace.{group.name}.{method}", float(right.float().mean()), low,
                    high, len(right), "success", controls, [seed],
                    config={"block": layer + 2, "size": size, "width": network_width(network),
                            "by_block_from_2": by_layer},
                    note="block chosen on other programs; Wilson interval, one seed",
                )
            )  # fmt: skip
    return records


PARTS = {"fit": "train", "validation": "train", "test": "test"}


def network_width(network: Network) -> int:
    """The width of the residual stream."""
    return int(network.module.embed.weight.shape[1])  # type: ignore[union-attr, index]


def stream(layer: int) -> Site:
    """What enters that block, as the output of the one before."""
    return Site(f"blocks.{layer - 1}") if layer else Site("embed")


def _layer(
    network: Network, task: Binding, group: Group, pairs: Mapping[str, Pairs],
    at: tuple[int, int, int], search: Search, fits: int,
) -> dict[str, Tensor | float]:  # fmt: skip
    """Per test pair whether each swap at that layer moved the answer as the program says."""
    layer, size, seed = at
    site = stream(layer)
    named = {s: replace(p, variables=(group.name,)) for s, p in pairs.items()}
    swaps = {s: Swap(network, site, p) for s, p in named.items()}
    test, width = swaps["test"], swaps["test"].width
    vectors, labels = _labelled(network, task, group, site, seed, int(PROGRAMS * fits))
    sparse = classifier_axes(vectors, labels, size, seed=seed)
    start = blocks("chain", site, Rotation(width, size, seed), {group.name: size})
    das = fit(start, [swaps["fit"]], [swaps["validation"]], search, seed)[group.name].featurizer
    wide = Rotation(width, size, start=PCA(width, size, vectors).axes)
    random = Rotation(width, size, seed + 7)
    own = list(range(size))
    scores: dict[str, Tensor | float] = {
        "classifier": test.right(sparse, own),
        "das": test.right(das, own),
        "random axes": test.right(random, own),
        "widest axes": test.right(wide, own),
        "complement": _without(test, sparse),
        "complement of das": _without(test, das),
        "nothing": test.right_with(test.base),
        "whole vector": test.right_with(test.source),
        "other pair's source": test.right_with(_swapped(test, sparse, test.source.roll(1, 0))),
    }
    chosen = swaps["validation"]
    scores["classifier chosen by"] = float(chosen.right(sparse, own).float().mean())
    scores["das chosen by"] = float(chosen.right(das, own).float().mean())
    return scores


def _swapped(swap: Swap, axes: Rotation, source: Tensor) -> Tensor:
    with torch.no_grad():
        return axes.swap(swap.base, source, list(range(axes.size)))


def _without(swap: Swap, axes: torch.nn.Module) -> Tensor:
    """Everything swapped but these axes."""
    assert isinstance(axes, Rotation)
    with torch.no_grad():
        kept = axes.swap(swap.source, swap.base, list(range(axes.size)))
    return swap.right_with(kept)


def _labelled(
    network: Network, task: Binding, group: Group, site: Site, seed: int, count: int
) -> tuple[Tensor, Tensor]:
    """Vectors and labels to fit axes on: digits on the right, or letters on the left."""
    tokens = task.drawn(count, torch.Generator().manual_seed(100 + seed))
    run = task.trace(tokens)
    line = torch.randint(task.lines, (len(tokens),), generator=torch.Generator().manual_seed(seed))
    if group.side == "right":  # a line that binds a digit: there is one, the first if no other
        digit = (run.parent < 0).float()
        line = torch.multinomial(digit, 1, generator=torch.Generator().manual_seed(seed))[:, 0]
        return natural_vectors(network, tokens, site.at(4 * line + 2)), run.value.gather(
            1, line[:, None]
        )[:, 0]
    return natural_vectors(network, tokens, site.at(4 * line)), run.left.gather(1, line[:, None])[
        :, 0
    ] - task.digits

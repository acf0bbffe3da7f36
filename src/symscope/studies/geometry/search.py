"""Circles that nobody asked for: dictionary, clusters, index; the frequency is looked up last.

A sparse dictionary of a state that is a sum of circles, all of them in use at once, does not take
them apart: the sum is one closed curve, and pieces of it are the sparsest features. What takes them
apart is the computation: between the input and the output of an MLP, a transcoder of few features
has each in one circle, as a mixture would leave cross terms in the output. So that is what is
fitted here, once for each penalty; its features are clustered by direction, in many ways, and every
cluster's reconstructions are scored by (1 − M) · S. Only then it is asked of which frequency they
are: the one whose waves of a and b and their products make most of their first plane, and at least
half of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.features.dictionaries import Dictionary, Training, fit_dictionary
from symscope.features.geometry import (
    character_shares,
    circles,
    cluster_score,
    cyclic,
    frequency_of_maps,
    in_components,
    neighbour_clusters,
    reconstructions,
    spectral_clusters,
)
from symscope.site import Site
from symscope.studies.geometry.networks import Adder, states
from symscope.studies.geometry.settings import Search

LEAST_ALIVE, FEWEST = 0.001, 3
"""Features on fewer prompts, and clusters of fewer features, are left out."""
HALF = 0.5
USED = 0.01
"""A frequency with less than this share of the logits counts as not used."""


@dataclass(frozen=True, eq=False)
class Found:
    """A cluster: its score, and what its first plane turned out to be.

    `plane` are the reconstructions in it (prompt, 2) on the prompts `rows`, `axes` (2, width) its
    directions in the residual stream. `frequency` explains the share `share` of it, and the circle
    of the sum's at that frequency `circle`.
    """

    layer: int
    features: int
    score: Evidence
    plane: Tensor
    rows: Tensor
    axes: Tensor
    frequency: int
    share: float
    circle: float

    @property
    def is_wave(self) -> bool:
        """Above the score of Gaussian points, and mostly of one frequency."""
        assert self.score.score is not None
        return self.score.score > self.score.controls["gaussian"] and self.share >= HALF


def searched(adder: Adder, search: Search, seed: int) -> list[Found]:
    """All clusters of all dictionaries of all layers, the highest score first."""
    found = []
    for layer, penalty in product(range(adder.layers), search.penalties):
        dictionary, inputs = transcoder(adder, layer, penalty, search, seed)
        for cluster in sorted(clusters_of(dictionary, inputs, search, seed)):
            one = _described(adder, dictionary, inputs, (layer, cluster), search, seed)
            found += [one] if one is not None else []
    return sorted(found, key=lambda f: f.score.score or 0.0, reverse=True)


def waves_of(found: Sequence[Found]) -> dict[int, Found]:
    """Frequency → the cluster of which it explains most, of those that are a wave."""
    return {one.frequency: one for one in sorted(found, key=lambda f: f.share) if one.is_wave}


def transcoder(
    adder: Adder, layer: int, penalty: float, search: Search, seed: int
) -> tuple[Dictionary, Tensor]:
    """What an MLP adds at the last step from what it reads, by few features; and what it reads.

    The mean is taken off what is read: a large one makes the training unsteady.
    """
    reads, writes = mlp_sites(adder, layer)
    prompts = adder.crossed.prompts
    inputs, outputs = states(adder, reads, prompts), states(adder, writes, prompts)
    inputs = inputs - inputs.mean(0)
    training = Training(search.steps, min(search.batch, len(inputs)), search.rate)
    fitted = fit_dictionary(inputs, "transcoder", size=search.size, sparsity=penalty,
                            targets=outputs, training=training, seed=seed)  # fmt: skip
    return fitted, inputs


def mlp_sites(adder: Adder, layer: int) -> tuple[Site, Site]:
    """What a block's MLP reads and what it adds, at the last step."""
    added = adder.site(layer, "mlp")
    return replace(added, part="input"), added


def clusters_of(
    dictionary: Dictionary, inputs: Tensor, search: Search, seed: int
) -> set[tuple[int, ...]]:
    """Different clusters, of three features or more, by every threshold, k, and number."""
    with torch.no_grad():
        alive = ((dictionary.encode(inputs) > 0).float().mean(0) > LEAST_ALIVE).nonzero()[:, 0]
    directions = dictionary.decoder.detach()[alive].double()

    def ways() -> Iterator[list[tuple[int, ...]]]:
        for k, threshold in product(search.neighbours, search.thresholds):
            if k < len(alive):
                yield neighbour_clusters(directions, k, threshold)
        for count in search.counts:
            if count < len(alive):
                yield spectral_clusters(directions, count, seed=seed)

    found = {cluster for way in ways() for cluster in way if len(cluster) >= FEWEST}
    return {tuple(alive[list(cluster)].tolist()) for cluster in found}


def _described(
    adder: Adder, dictionary: Dictionary, inputs: Tensor, which: tuple[int, tuple[int, ...]],
    search: Search, seed: int,
) -> Found | None:  # fmt: skip
    """One cluster's score and first plane; None where too few prompts have it."""
    layer, cluster = which
    said, rows = reconstructions(dictionary, inputs, cluster)
    score = cluster_score(said, angles=search.angles, seed=seed)
    if score.score is None:
        return None
    said = said.double()
    axes = torch.linalg.svd(said - said.mean(0), full_matrices=False)[2][:2]
    plane = in_components(said, 2)
    size = adder.modulus
    maps = plane.new_zeros(2, size * size)
    maps[:, rows] = plane.T
    frequency, share = _frequency(maps.view(2, size, size))
    circle = _circle_share(plane, adder.crossed.answers[rows], size, frequency)
    return Found(layer, len(cluster), score, plane, rows, axes, frequency, share, circle)


def _frequency(maps: Tensor) -> tuple[int, float]:
    """The frequency that explains most of two maps together, and the share it explains."""
    sizes = maps.var((1, 2), correction=0)
    best = (0, 0.0)
    for which in (0, 1):
        frequency = int(frequency_of_maps(maps[which : which + 1])[0])
        shares = [_share(one, frequency) for one in maps]
        share = float((torch.tensor(shares) * sizes).sum() / sizes.sum())
        best = max(best, (frequency, share), key=lambda b: b[1])
    return best


def _share(one: Tensor, frequency: int) -> float:
    """What the products of 1, cos and sin of both operands explain of a map (a, b)."""
    power = torch.fft.fft2(one - one.mean()).abs().square()
    size = len(one)
    rows = torch.tensor([0, *sorted({frequency, size - frequency})])
    return float(power[rows][:, rows].sum() / power.sum().clamp(min=1e-300))


def _circle_share(plane: Tensor, sums: Tensor, modulus: int, frequency: int) -> float:
    """R² of the plane's points by the circle of the sum at a frequency."""
    waves = circles(sums, modulus, (frequency,))
    waves, points = waves - waves.mean(0), plane - plane.mean(0)
    left = points - waves @ torch.linalg.lstsq(waves, points).solution
    return 1 - float(left.square().sum() / points.square().sum())


@torch.no_grad()
def frequencies_used(adder: Adder) -> dict[int, float]:
    """Frequency → the share of the logits' variance that cos 2πk(a + b − c)/p explains."""
    crossed, size = adder.crossed, adder.modulus
    logits = torch.cat([adder.network.run(p.to(adder.network.device)).output[:, -1, :size].cpu()
                        for p in crossed.prompts.split(1024)])  # fmt: skip
    shares = character_shares(cyclic(size), logits.view(size, size, size))
    return dict(zip(range(1, size // 2 + 1), shares.values(), strict=True))


def search_claims(
    adder: Adder, found: list[Found], there: set[int], claim: str, seed: int
) -> list[Evidence]:
    """Recall and precision of the frequencies found, beside as many random ones.

    True are those that explain at least 1 % of the logits; precision is also told for all that are
    `there`, in the embedding or in neurons. A network without any has no recall.
    """
    used = {k: v for k, v in frequencies_used(adder).items() if v >= USED}
    waves, half = waves_of(found), adder.modulus // 2
    there = there | set(used)
    config = {
        "found": " ".join(map(str, sorted(waves))) or "none",
        "used": " ".join(map(str, sorted(used))) or "none",
        "there": " ".join(map(str, sorted(there))) or "none",
        "clusters": len(found),
    }
    records = []
    for what, right, n, chance in (
        ("recall", set(waves) & set(used), len(used), len(waves) / half),
        ("precision", set(waves) & set(used), len(waves), len(used) / half),
        ("there", set(waves) & there, len(waves), len(there) / half),
    ):
        low, high = wilson(len(right), n)
        note = "" if n else "no frequency is " + ("used" if what == "recall" else "found")
        records.append(Evidence(
            f"{claim}.search.{what}", len(right) / n if n else None, low if n else None,
            high if n else None, n, "share of frequencies", {"random frequencies": chance},
            [seed], config=config, note=note,
        ))  # fmt: skip
    records.append(_count(adder, waves, found, config, claim, seed))
    return records


def _count(
    adder: Adder, waves: dict[int, Found], found: list[Found], config: dict[str, object],
    claim: str, seed: int,
) -> Evidence:  # fmt: skip
    """How many clusters are of one frequency; control: with prompts dealt anew."""
    if not found:
        raise SymscopeError("no dictionary has a cluster of three features")
    size = adder.modulus
    generator = torch.Generator().manual_seed(seed)
    number = sum(one.is_wave for one in found)
    dealt = 0
    for one in found:
        maps = one.plane.new_zeros(2, size * size)
        maps[:, one.rows[torch.randperm(len(one.rows), generator=generator)]] = one.plane.T
        dealt += _frequency(maps.view(2, size, size))[1] >= HALF
    low, high = wilson(number, len(found))
    return Evidence(
        f"{claim}.search.waves", number / len(found), low, high, len(found), "share of clusters",
        {"prompts dealt anew": dealt / len(found)}, [seed],
        config={**config, "best": {str(k): [f.share, f.circle] for k, f in sorted(waves.items())}},
    )  # fmt: skip

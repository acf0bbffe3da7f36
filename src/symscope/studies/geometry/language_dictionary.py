"""A sparse dictionary of one layer: which of its clusters is a circle, and is it the cycle's?

After Engels, Liao et al. (ICLR 2025, section 4): elements that point alike are clusters, ranked by
(1 − M) · S of what they say of vectors. The published element numbers are not known here, so the
cluster of a cycle is found by how well a plane of it tells the start of a prompt.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, read_json
from symscope.features.dictionaries import Dictionary, read_saelens
from symscope.features.geometry import (
    Circle,
    circle_evidence,
    cluster_score,
    fit_circle,
    intervene,
    mixture_index,
    neighbour_clusters,
    published_separability,
    reconstructions,
    separability,
)
from symscope.featurizer import Featurizer
from symscope.intervention.natural import natural_values
from symscope.localize import layout_in
from symscope.studies.geometry.language_circle import circle_at
from symscope.studies.geometry.language_prompts import Posed, beside, posed, states_at
from symscope.task import Pairs
from symscope.tasks.cycles import CYCLES

CONTEXT, TOKENS, ELEMENTS, LARGEST, FEWEST, SHOWN, EARLIER, SHUFFLES = (
    256, 50_000, 4_000, 1_000, 50, 5, 2, 5,
)  # fmt: skip
"""Steps of a text at a time, as published; states and elements at most; elements of a cluster at
most, as published; points that a score needs; clusters with a record; layers that a plane is
carried back, as published; draws of the null."""
Cluster = tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Placed:
    """A dictionary, and the block that the stream it reads enters."""

    dictionary: Dictionary
    layer: int


@dataclass(frozen=True, eq=False)
class Told:
    """A cluster with its score, what it `said` (vector, width), and the axes (width, up to 5)."""

    elements: Cluster
    score: Evidence
    said: Tensor
    axes: Tensor


class Elements(Featurizer):
    """Some elements of a dictionary alone; vectors are their coordinates, as it read them."""

    def __init__(self, directions: Tensor):
        super().__init__()
        self.directions = directions
        self.width = self.size = len(directions)

    def encode(self, vectors: Tensor) -> Tensor:
        """The coordinates themselves."""
        return vectors

    def decode(self, coordinates: Tensor) -> Tensor:
        """What the elements say together, (sample, width of the model)."""
        return coordinates @ self.directions


def placed(folder: Path, width: int, layer: int | None = None) -> Placed:
    """The dictionary in a folder of SAELens, for a model of this width.

    `layer` is the block whose input it reads; without, what the folder's `cfg.json` says. Raises
    `SymscopeError` for another width, for a transcoder, and where the layer is not said.
    """
    dictionary = read_saelens(folder)
    if dictionary.width != width or dictionary.outputs is not None:
        kind = "dictionary" if dictionary.outputs is None else "transcoder"
        raise SymscopeError(
            f"{folder}: a {kind} of width {dictionary.width}, and the model's is {width}: a"
            " dictionary of this model's stream is needed"
        )
    if layer is None:
        layer = layer_said(read_json(Path(folder) / "cfg.json"))
    if layer is None:
        raise SymscopeError(f"{folder}: cfg.json names no stream: give --dictionary-layer")
    return Placed(dictionary, layer)


def layer_said(config: dict[str, Any]) -> int | None:
    """The block whose input the dictionary reads, by the name of its hook; None if it has none.

    >>> layer_said({"hook_point": "blocks.7.hook_resid_pre"})
    7
    >>> layer_said({"metadata": {"hook_name": "blocks.7.hook_resid_post"}})
    8
    """
    within = [config, config.get("metadata") or {}]
    hooks = [c.get(key) for c in within for key in ("hook_name", "hook_point")]
    for hook in filter(None, hooks):
        if match := re.fullmatch(r"blocks\.(\d+)\.hook_resid_(pre|post)", str(hook)):
            return int(match[1]) + (match[2] == "post")
    return None


def vectors_of(one: Posed, layer: int, text: Path | None = None) -> Tensor:
    """The stream that enters a block, (token, width), on a text, or else on all wordings' prompts.

    The first token of each context or prompt is left out, many models keep something else there. At
    most 50,000 tokens.
    """
    network, site = one.network, layout_in(one.network).site(layer, "residual")
    if text is None:
        wordings = CYCLES[one.name].wordings
        parts = [posed(network, one.name, wording).prompts.tokens for wording in wordings]
    else:
        parts = [contexts(network.tokenizer, text)]
    found = []
    for tokens in parts:
        # few at a time: beside a state each token has the logits of a whole vocabulary
        for some in tokens[: 1 + TOKENS // tokens.shape[1]].to(network.device).split(16):
            found.append(natural_values(network, some, site)[:, 1:].cpu().float().flatten(0, 1))
    return torch.cat(found)[:TOKENS]


def contexts(tokenizer: Any, path: Path) -> Tensor:
    """A file's text in pieces of 256 tokens, (piece, 256); the last, shorter one is left out."""
    try:
        text = Path(path).read_text(encoding="utf8")
    except (OSError, UnicodeDecodeError) as error:
        raise SymscopeError(f"{path} is no text: {error}") from None
    tokens = tokenizer(text, add_special_tokens=False)["input_ids"]
    if len(tokens) < CONTEXT:
        raise SymscopeError(f"{path} has {len(tokens)} tokens: {CONTEXT} are needed")
    return torch.tensor(tokens[: len(tokens) // CONTEXT * CONTEXT]).view(-1, CONTEXT)


@torch.no_grad()
def clusters_of(dictionary: Dictionary, vectors: Tensor, seed: int = 0) -> list[Told]:
    """Clusters of which something can be told, the highest score first.

    The elements that are active most often are joined to their two nearest neighbours (cosine from
    0.5 on, the published values), and of each cluster of two or more, S and M are those of its
    reconstructions. Raises `SymscopeError` where there is none.
    """
    often = torch.stack([(dictionary.encode(some).abs() > 1e-6).sum(0)
                         for some in vectors.split(1024)]).sum(0)  # fmt: skip
    often = often * (dictionary.decoder.norm(dim=1) > 0)
    kept = often.argsort(descending=True, stable=True)[: min(ELEMENTS, int((often > 0).sum()))]
    kept = kept.sort().values
    codes = torch.cat([dictionary.encode(some)[:, kept] for some in vectors.split(1024)])
    directions = dictionary.decoder[kept]
    found = []
    for cluster in neighbour_clusters(directions, 2, 0.5) if len(kept) > 2 else ():
        some = list(cluster)
        if not 1 < len(some) <= LARGEST:
            continue
        own = Elements(directions[some])
        said, _ = reconstructions(own, codes[:, some], range(len(some)))
        score = cluster_score(said, seed=seed) if len(said) >= FEWEST else None
        if score is not None and score.score is not None:
            axes = torch.linalg.svd(said.double() - said.double().mean(0), full_matrices=False).Vh
            found.append(Told(tuple(kept[some].tolist()), score, said.double(), axes[:5].T))
    if not found:
        raise SymscopeError(
            f"{len(kept)} elements are active on {len(vectors)} vectors, and none of their clusters"
            f" of two or more on {FEWEST} that span a plane: give more text with --text"
        )
    return sorted(found, key=lambda one: -(one.score.score or 0.0))


def plane_r2(states: Tensor, axes: Tensor, values: Tensor, period: int) -> tuple[float, int]:
    """The best held-out R² of the values' circle in a plane of neighbouring axes, and which."""
    best, which = -torch.inf, 0
    for i in range(axes.shape[1] - 1):
        try:
            inside = (states - states.mean(0)) @ axes[:, i : i + 2]
            score = circle_evidence(inside, values, period, components=2).score
        except SymscopeError:  # nothing of these two axes is in the states
            continue
        if score is not None and score > best:
            best, which = score, i
    return best, which


def in_plane(states: Tensor, plane: Tensor, values: Tensor, period: int) -> Circle:
    """The probe of the values within a plane (width, 2); all else is the states' mean."""
    mean = states.mean(0)
    inside = fit_circle((states - mean) @ plane, values, period, components=2)
    return replace(inside, mean=mean, axes=inside.axes @ plane.T)


def dictionary_claims(
    one: Posed, given: Placed, pairs: Pairs, text: Path | None, claim: str, seed: int
) -> list[Evidence]:  # fmt: skip
    """The best clusters, the cycle's among them, its plane, and what happens when that is turned.

    "rank" is the place by (1 − M) · S of the cluster in one of whose planes the start's circle is
    read best, see `plane_claims`. "intervention" writes the new start into that plane, all else
    being the mean; "earlier" does so two layers before, and "probe_earlier" with the circular probe
    of this layer.
    """
    states = one.states([given.layer], "a")[given.layer]
    values, period = one.prompts.first, one.period
    told = clusters_of(given.dictionary, vectors_of(one, given.layer, text), seed)
    scores = [plane_r2(states, each.axes, values, period) for each in told]
    best = max(range(len(told)), key=lambda i: scores[i][0])
    if scores[best][0] == -torch.inf:
        raise SymscopeError("no cluster's plane holds anything of the start's states")
    found = [
        replace(each.score, claim=f"{claim}.cluster_{i}", seeds=[seed],
                config={**each.score.config, "elements": each.elements})
        for i, each in enumerate(told[:SHOWN])
    ]  # fmt: skip
    which = scores[best][1]
    plane = told[best].axes[:, which : which + 2]
    found += [rank(told, best, claim, seed)]
    found += plane_claims(states, told, best, which, (values, period), claim, seed)
    circle = in_plane(states, plane, values, period)
    found += turned(one, circle, pairs, given.layer, f"{claim}.intervention", seed)
    if given.layer >= EARLIER:
        before = given.layer - EARLIER
        found += turned(one, circle, pairs, before, f"{claim}.earlier", seed)
        probe = circle_at(one, given.layer)
        found += turned(one, probe, pairs, before, f"{claim}.probe_earlier", seed)
    return found


def plane_claims(
    states: Tensor, told: Sequence[Told], best: int, which: int, cycle: tuple[Tensor, int],
    claim: str, seed: int,
) -> list[Evidence]:  # fmt: skip
    """How well the best cluster's plane tells the start ("circle"), and its own S and M.

    As the plane is the best of many, "best_of_shuffled" is the best of all clusters and planes for
    starts exchanged for each other. `config["published"]` of S is that of the published recipe.
    """
    values, period = cycle
    plane = told[best].axes[:, which : which + 2]
    inside = circle_evidence((states - states.mean(0)) @ plane, values, period, components=2,
                             claim=f"{claim}.circle", seed=seed)  # fmt: skip
    mixed = [shuffled_best(states, told, values, period, SHUFFLES * seed + i)
             for i in range(SHUFFLES)]  # fmt: skip
    inside = beside(inside, best_of_shuffled=sum(mixed) / SHUFFLES)
    points = told[best].said @ plane
    apart = separability(points, f"{claim}.separability", seed=seed)
    apart = replace(apart, config={**apart.config, "published": published_separability(points)})
    named = {"elements": told[best].elements, "plane": f"{which + 1}-{which + 2}"}
    return [replace(found, config={**found.config, **named})
            for found in (inside, apart, mixture_index(points, claim=f"{claim}.mixture", seed=seed))
            ]  # fmt: skip


def shuffled_best(
    states: Tensor, told: Sequence[Told], values: Tensor, period: int, seed: int
) -> float:
    """The best R² of all clusters and planes for values exchanged for each other."""
    order = torch.randperm(period, generator=torch.Generator().manual_seed(seed))
    return max(plane_r2(states, each.axes, order[values], period)[0] for each in told)


def rank(told: Sequence[Told], best: int, claim: str, seed: int) -> Evidence:
    """The cluster's place among all, from 1; the interval is that of its score."""
    own = told[best].score
    others = [each.score.score or 0.0 for i, each in enumerate(told) if i != best]
    low, high = (1 + sum(s > (bound or 0.0) for s in others) for bound in (own.high, own.low))
    return Evidence(
        f"{claim}.rank", 1.0 + best, float(low), float(high), len(told), "rank",
        {"middle": (len(told) + 1) / 2}, [seed], config={"elements": told[best].elements},
    )  # fmt: skip


def turned(
    one: Posed, circle: Circle, pairs: Pairs, layer: int, claim: str, seed: int
) -> list[Evidence]:  # fmt: skip
    """The circle written into a layer whose own mean stands for all else."""
    site = one.site(layer, "a")
    mean = states_at(one.network, one.prompts.tokens, [site])[site].mean(0)
    own = replace(circle, mean=mean)
    return list(intervene(one.network, one.crossed, pairs, site, own, claim, seed).values())

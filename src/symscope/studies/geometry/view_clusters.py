"""What the page shows of clusters that were found: their place in the ranking, and their points."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.features.dictionaries import Dictionary
from symscope.features.geometry import in_components, reconstructions
from symscope.report.geometry import packed
from symscope.studies.geometry.networks import Adder
from symscope.studies.geometry.search import Found, waves_of

POINTS, ROWS, TOKENS, STRONGEST = 2_000, 6, 8, 400


def shown_clusters(asked: Adder, found: Sequence[Found]) -> list[dict[str, Any]]:
    """The first clusters of the ranking, and of each frequency the one that it explains best."""
    best = waves_of(found)
    chosen = list({id(one): one for one in [*found[:ROWS], *best.values()]}.values())
    rows = []
    for one in chosen:
        rows.append({
            "cluster": f"block {one.layer}, {one.features} features", "size": one.features,
            **_measures(one.score), "r2": {"score": one.share}, "frequency": one.frequency,
            "tokens": [], "best": best.get(one.frequency) is one, "rank": found.index(one) + 1,
            "circle": one.circle, "modulus": asked.modulus,
            **_points(one.plane, asked.crossed.answers[one.rows]),
        })  # fmt: skip
    return rows


def row_of(ranked: tuple[tuple[int, ...], Evidence], said: dict[str, Any]) -> dict[str, Any]:
    """A row for a cluster of a language model's dictionary, with its points."""
    cluster, score = ranked
    return {
        "cluster": " ".join(map(str, cluster[:6])) + (" …" if len(cluster) > 6 else ""),
        "size": len(cluster),
        **_measures(score),
        "r2": None,
        "frequency": None,
        **said,
    }


def shown_tokens(
    dictionary: Dictionary, read: tuple[Tensor, Tensor], cluster: Sequence[int],
    words: Sequence[bytes],
) -> dict[str, Any]:  # fmt: skip
    """A cluster's points with the commonest tokens among those that it reads most of.

    `read` are vectors (vector, width) and their tokens (vector,).
    """
    vectors, tokens = read
    said, rows = reconstructions(dictionary, vectors, cluster)
    strongest = rows[said.norm(dim=1).argsort(descending=True)[:STRONGEST]]
    counts = tokens[strongest].bincount()
    most = [t for t in counts.argsort(descending=True)[:TOKENS].tolist() if counts[t] > 0]
    names = [words[t].decode("utf8", "replace") for t in most]
    place = {token: number for number, token in enumerate(most)}
    kinds = torch.tensor([place.get(t, len(most)) for t in tokens[rows].tolist()])
    shown = _points(in_components(said, 3), kinds)
    return {**shown, "tokens": names, "labels": [*names, "others"]}


def _measures(score: Evidence) -> dict[str, Any]:
    """The score, and S and M of the first plane."""
    first = score.config["planes"]["1-2"]
    return {"score": {"score": score.score, "low": score.low, "high": score.high,
                      "null": score.controls["gaussian"]},
            "separability": first["separability"], "mixture": first["mixture"]}  # fmt: skip


def _points(cloud: Tensor, values: Tensor) -> dict[str, Any]:
    """At most 2,000 of the points, packed, and their values."""
    generator = torch.Generator().manual_seed(0)
    some = torch.randperm(len(cloud), generator=generator)[:POINTS]
    return {"points": packed(cloud[some].numpy()), "dimensions": cloud.shape[1],
            "values": values[some].tolist()}  # fmt: skip

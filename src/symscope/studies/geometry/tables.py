"""The tables of the study's page, from its joined evidence."""

import re
from collections.abc import Mapping, Sequence
from functools import partial

from symscope.evidence import Evidence
from symscope.features.geometry import SHAPES
from symscope.report.tables import Maker, Records, published, score, table
from symscope.studies.geometry.adders import verdict

KINDS = {"trained": "trained here", "published": "clock and pizza", "untrained": "untrained"}
LAYERS = range(6)


def toys(records: Records) -> str:
    """Both indices of each plane shape, by our estimators and the published ones."""
    found = []
    for shape in SHAPES:
        claim = f"geometry.toy.{shape.replace(' ', '_')}"
        s, m = records.get(f"{claim}.separability"), records.get(f"{claim}.mixture")
        if s is None or m is None:
            continue
        found.append([
            shape, score(s), _control(s, "shuffled"),
            _plain(records.get(f"{claim}.separability.neighbours")),
            _plain(records.get(f"{claim}.separability.published_recipe")), score(m),
            _control(m, "gaussian"), _control(m, "support"),
            _plain(records.get(f"{claim}.mixture.published_recipe")), published(m),
        ])  # fmt: skip
    return table(["shape", "S, bits", "shuffled", "S by neighbours", "S, published recipe", "M",
                  "Gaussian", "support alone", "M, published recipe", "M published"],
                 found)  # fmt: skip


def wider(records: Records) -> str:
    """Shapes of three dimensions and more, split in two parts, and their mixture index."""
    found = []
    for shape in ("helix", "torus", "two circles"):
        claim = f"geometry.toy.{shape.replace(' ', '_')}"
        m = records.get(f"{claim}.mixture")
        for k in (1, 2):
            s = records.get(f"{claim}.split_{k}")
            if s is not None and m is not None:
                found.append([shape, f"{k} and the rest", score(s), _control(s, "shuffled"),
                              score(m), _control(m, "gaussian")])  # fmt: skip
        if m is not None and f"{claim}.split_1" not in records:
            found.append([shape, "", "", "", score(m), _control(m, "gaussian")])
    return table(["shape", "parts", "S, bits", "shuffled", "M", "Gaussian"], found)


def two_circles(records: Records) -> str:
    """How well clusters of one dictionary's features meet the two circles."""
    words = {"positive": "spectral, max(cos, 0)", "angular": "spectral, 1 − arccos(cos)/π",
             "neighbours": "2 neighbours, τ .5",
             "neighbours_best": "neighbours, best k and τ"}  # fmt: skip
    found = []
    for name, text in words.items():
        record = records.get(f"geometry.two_circles.{name}")
        if record is not None:
            beside = "; ".join(f"{k} {v:.3f}" for k, v in record.controls.items())
            found.append([text, score(record), beside, _by_seed(record)])
    return table(["clusters", "Jaccard index", "beside it", "each seed"], found)


def networks(records: Records, rows: Sequence[tuple[str, str, Sequence[str]]]) -> str:
    """Claims as rows, with the controls named, and a block for each kind of network."""
    found = []
    for claim, text, controls in rows:
        for kind, words in KINDS.items():
            record = records.get(f"geometry.{kind}.{claim}")
            if record is None:
                continue
            beside = [f"{c.replace('_', ' ')} {record.controls[c]:.3f}" for c in controls
                      if c in record.controls]  # fmt: skip
            told = score(record) if record.score is not None else "–"
            if record.score is None:  # one reason for each seed: mostly the same
                beside = list(dict.fromkeys(re.findall(r"\(([^)]*)\)", record.note)))
            found.append([text, words, str(len(record.seeds)), told, "; ".join(beside)])
    return table(["what", "networks", "n", "score", "controls"], found)


SEARCH = (
    ("search.recall", "used frequencies found", ("random frequencies",)),
    ("search.precision", "frequencies found that are used", ("random frequencies",)),
    ("search.there", "… that are in embedding or neurons", ("random frequencies",)),
    ("search.waves", "clusters of one frequency", ("prompts dealt anew",)),
    ("planes.share", "answers follow the planes found", ("no_op", "whole", "others", "random")),
)
FOURIER = (
    ("accuracy_of_all", "accuracy on all pairs", ("chance",)),
    ("embedding.power", "embedding's variance at its key frequencies", ("vectors dealt anew",)),
    ("neurons.pure", "neurons mostly of one frequency", ("prompts dealt anew",)),
    ("logits.waves", "logits' variance at used frequencies", ("frequencies dealt anew",)),
    ("keys.accuracy", "accuracy with the key frequencies alone", ("without", "random")),
    ("probe.one", "R² of the strongest circle, numbers left out", ("in_sample", "shuffled")),
    ("probe.all", "R² of all circles, numbers left out", ("in_sample", "shuffled")),
)
WRITTEN = ("no_op", "whole", "mean", "components", "random_plane", "random_plane_in_components",
           "shuffled_values", "random_displacement", "plane_removed", "plane_alone")  # fmt: skip


def written(records: Records, metric: str) -> str:
    """What writing circles does, beside all controls."""
    found = []
    for kind, words in KINDS.items():
        for which in ("one", "all"):
            record = records.get(f"geometry.{kind}.written.{which}.{metric}")
            kept = records.get(f"geometry.{kind}.written.{which}.kept.{metric}")
            if record is None or record.score is None:
                continue
            beside = [f"{record.controls[c]:.2f}" for c in WRITTEN]
            found.append([words, which, score(record), _plain(kept), *beside])
    return table(["networks", "circles", "circle", "rest kept",
                  *(c.replace("_", " ") for c in WRITTEN)], found)  # fmt: skip


def verdicts(records: Records) -> str:
    """Both measures of clock and pizza, over each kind and network by network."""
    found = []
    for kind, words in KINDS.items():
        alike = records.get(f"geometry.{kind}.gradient_symmetricity")
        apart = records.get(f"geometry.{kind}.distance_irrelevance")
        if alike is not None and apart is not None:
            both = zip(alike.config["by_seed"], apart.config["by_seed"], strict=True)
            said = "–" if kind == "untrained" else ", ".join(verdict(*one) for one in both)
            found.append(
                [words, score(alike), _by_seed(alike), score(apart), _by_seed(apart), said]
            )
    return table(["networks", "gradient symmetricity", "each", "distance irrelevance", "each",
                  "verdict on each"], found)  # fmt: skip


def frequencies(records: Records) -> str:
    """Network by network: what was found without labels, and what Fourier says."""
    found = []
    for kind, words in KINDS.items():
        record = records.get(f"geometry.{kind}.search.waves")
        if record is None:
            continue
        each = [
            _listed(record.config.get(k), len(record.seeds)) for k in ("found", "used", "there")
        ]
        for seed, *three in zip(record.seeds, *each, strict=True):
            found.append([f"{words}, {seed}", *three])
    return table(["network", "found without labels", "used by the logits (1 %)",
                  "in embedding, neurons or logits"], found)  # fmt: skip


def explanations(records: Records) -> str:
    """The groups that were chosen, step by step, and r² on prompts left out."""
    found = []
    for kind, words in KINDS.items():
        for step in range(1, 9):
            record = records.get(f"geometry.{kind}.explanation.{step}")
            if record is not None:
                names = _listed(record.config.get("group"), len(record.seeds))
                found.append(
                    [
                        words,
                        str(step),
                        score(record),
                        f"{record.controls['before']:.3f}",
                        f"{record.controls['random_gain']:.3f}",
                        "; ".join(names),
                    ]
                )
    return table(["networks", "step", "held-out r²", "before", "gain of random functions",
                  "group, network by network"], found)  # fmt: skip


def stories(records: Records) -> str:
    """Each layer's dictionary, its clusters and the best of them, beside random features."""
    found = []
    for layer in LAYERS:
        claim = f"geometry.stories.layer_{layer}"
        some = [records.get(f"{claim}.{w}") for w in ("explained", "clusters", "best", "above")]
        if all(some):
            told = [r for r in some if r is not None]
            found.append([
                str(layer), _plain(told[0]), score(told[1]), _control(told[1], "gaussian"),
                _control(told[1], "random features"), score(told[2]),
                _control(told[2], "gaussian"), _control(told[2], "best of random features"),
                f"{_plain(told[3])} of {told[1].n}",
            ])  # fmt: skip
    return table(["layer", "variance explained", "mean (1 − M) · S", "Gaussian", "random features",
                  "best cluster", "its Gaussian", "best of random features",
                  "clusters above that"], found)  # fmt: skip


def _plain(record: Evidence | None) -> str:
    return "" if record is None or record.score is None else f"{record.score:.3f}"


def _control(record: Evidence, name: str) -> str:
    return f"{record.controls[name]:.3f}" if name in record.controls else ""


def _by_seed(record: Evidence) -> str:
    return ", ".join(f"{x:.2f}" for x in record.config.get("by_seed", ()))


def _listed(value: object, count: int) -> list[str]:
    """One text for each network, also where all agree and one stands for all."""
    return [str(v) for v in value] if isinstance(value, list) else [str(value)] * count


TABLES: Mapping[str, Maker] = {
    "toys": toys, "wider": wider, "two_circles": two_circles,
    "search": partial(networks, rows=SEARCH), "fourier": partial(networks, rows=FOURIER),
    "frequencies": frequencies, "verdicts": verdicts,
    "written.share": partial(written, metric="share"),
    "written.difference": partial(written, metric="difference"),
    "explanations": explanations, "stories": stories,
}  # fmt: skip

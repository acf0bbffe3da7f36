"""What is asked of each network that adds: its waves, its circles, and how it uses them."""

import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import Evidence, wilson, write_json
from symscope.features.geometry import (
    FewerComponents,
    by_frequency,
    candidates,
    circle_evidence,
    compare_curves,
    counterfactuals,
    distance_irrelevance,
    explanation,
    fit_circle,
    frequency_ablation,
    frequency_of_maps,
    gradient_symmetricity,
    intervene,
    key_frequencies,
    off_circle,
    power_spectrum,
    swap_planes,
)
from symscope.jobs import Unit
from symscope.network import Network
from symscope.site import Site
from symscope.studies.geometry.networks import Adder, adder, fresh, states
from symscope.studies.geometry.search import (
    HALF,
    USED,
    Found,
    frequencies_used,
    mlp_sites,
    search_claims,
    searched,
    waves_of,
)
from symscope.studies.geometry.settings import PRESETS, Preset
from symscope.studies.geometry.view_clusters import shown_clusters
from symscope.studies.questions import Question, answered

COMPONENTS, SPARE, STEPS = 5, 4, 8
"""Principal components of a probe of one circle; how many more than they need for several."""


def search_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Circles without labels, and whether the planes found carry the answer."""
    _, kind, name = unit
    preset, seed = PRESETS[settings["preset"]], int(name)
    asked = adder(kind, name, settings, folder)
    found, claim = searched(asked, preset.search, seed), f"geometry.{kind}"
    write_json(folder / "views" / f"search-{kind}-{name}.json", shown_clusters(asked, found))

    def ask() -> Iterator[Question]:
        yield lambda: search_claims(asked, found, frequencies_there(asked, seed), claim, seed)
        yield partial(_planes, asked, found, preset, claim, seed)

    return answered(ask(), f"{claim}.search", seed)


def frequencies_there(asked: Adder, seed: int) -> set[int]:
    """Those of the embedding, and those of at least 1 % of the neurons of a block."""
    found, p = set(key_frequencies(table_of(asked), seed=seed)), asked.modulus
    for layer in range(asked.layers):
        maps = states(asked, asked.site(layer, "neuron"), asked.crossed.prompts)
        which, most = frequency_of_maps(maps.T.reshape(-1, p, p))
        counts = which[most > HALF].bincount(minlength=p // 2 + 1)
        found |= set((counts >= 0.01 * len(which)).nonzero()[:, 0].tolist())
    return found


def _planes(
    asked: Adder, found: list[Found], preset: Preset, claim: str, seed: int
) -> list[Evidence]:
    """The last block's planes, the best one of each frequency, swapped for another prompt's."""
    last = [one for one in found if one.layer == asked.layers - 1]
    planes = [one.axes for one in waves_of(last).values()]
    if not planes:
        note = "no cluster of the last block is of one frequency"
        return [Evidence(f"{claim}.planes.share", None, None, None, 0, seeds=[seed], note=note)]
    crossed = asked.crossed
    pairs = counterfactuals(crossed, preset.pairs, seed)
    writes = mlp_sites(asked, asked.layers - 1)[1]
    return list(swap_planes(asked.network, crossed, pairs, writes, torch.cat(planes),
                            f"{claim}.planes", seed).values())  # fmt: skip


def circle_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Waves by Fourier, probes and what happens when they are written, clock or pizza, and EVR."""
    _, kind, name = unit
    preset, seed = PRESETS[settings["preset"]], int(name)
    asked = adder(kind, name, settings, folder)
    other = Network(fresh(preset.adding, seed + 1000).eval()) if kind == "trained" else None
    claim = f"geometry.{kind}"

    def ask() -> Iterator[Question]:
        yield partial(waves, asked, claim, seed)
        yield partial(_probes, asked, claim, seed)
        yield partial(_written, asked, preset, claim, seed)
        yield partial(_algorithm, asked, other, claim, seed)
        yield partial(_explained, asked, claim, seed)

    return answered(ask(), f"{claim}.circle", seed)


def table_of(asked: Adder) -> Tensor:
    """The first operand's vectors, (modulus, width)."""
    assert asked.network.layout is not None
    site = Site(asked.network.layout.embed).at(0)
    return states(asked, site, asked.crossed.prompts[:: asked.modulus])


def waves(asked: Adder, claim: str, seed: int) -> list[Evidence]:
    """How much of embedding, neurons and logits is a few waves; accuracy with those alone."""
    table, crossed, p = table_of(asked), asked.crossed, asked.modulus
    keys, power = key_frequencies(table, seed=seed), power_spectrum(table)
    said = torch.cat([asked.network.run(part).output[:, -1, :p].argmax(-1)
                      for part in crossed.prompts.split(1024)])  # fmt: skip
    right = int((said == crossed.answers).sum())
    low, high = wilson(right, len(said))
    found = [Evidence(f"{claim}.accuracy_of_all", right / len(said), low, high, len(said),
                      "accuracy", {"chance": 1 / p}, [seed])]  # fmt: skip
    mixed = table[torch.randperm(p, generator=torch.Generator().manual_seed(seed))]
    other = float(power_spectrum(mixed).topk(max(len(keys), 1)).values.sum())
    share = float(power[list(keys)].sum()) if keys else 0.0
    found.append(Evidence(
        f"{claim}.embedding.power", share, share, share, p, "share of variance",
        {"vectors dealt anew": other}, [seed],
        config={"keys": " ".join(map(str, sorted(keys))) or "none",
                "spectrum": [round(float(x), 4) for x in power]}, note="no interval: all numbers",
    ))  # fmt: skip
    maps = states(asked, asked.site(asked.layers - 1, "neuron"), crossed.prompts)
    which, most = frequency_of_maps(maps.T.reshape(-1, p, p))
    pure = most > HALF
    order = torch.randperm(len(maps), generator=torch.Generator().manual_seed(seed))
    dealt = frequency_of_maps(maps[order].T.reshape(-1, p, p))[1] > HALF
    low, high = wilson(int(pure.sum()), len(pure))
    counts = which[pure].bincount(minlength=p // 2 + 1).tolist()
    found.append(Evidence(
        f"{claim}.neurons.pure", float(pure.float().mean()), low, high, len(pure),
        "share of neurons", {"prompts dealt anew": float(dealt.float().mean())}, [seed],
        config={"of": " ".join(f"{k}:{n}" for k, n in enumerate(counts) if n) or "none"},
    ))  # fmt: skip
    shares = frequencies_used(asked)
    used = {k: v for k, v in shares.items() if v >= USED}
    total = sum(used.values())
    found.append(Evidence(
        f"{claim}.logits.waves", total, total, total, p**3, "share of variance",
        {"frequencies dealt anew": total * len(used) / len(shares)}, [seed],
        config={"used": " ".join(map(str, used)) or "none"},
        note="no interval: all prompts",
    ))  # fmt: skip
    if keys:
        assert asked.network.layout is not None
        place = Site(asked.network.layout.embed)
        found.append(frequency_ablation(asked.network, crossed.prompts, crossed.answers, keys,
                                        place, f"{claim}.keys", seed))  # fmt: skip
    return found


def keys_of(asked: Adder, seed: int) -> tuple[int, ...]:
    """The embedding's frequencies, or, where there is none, the one that is read best."""
    table = table_of(asked)
    keys = key_frequencies(table, seed=seed)
    if keys:
        return keys
    readable = by_frequency(table, torch.arange(asked.modulus), asked.modulus, COMPONENTS)
    return (max(readable, key=lambda k: readable[k]),)


def _probes(asked: Adder, claim: str, seed: int) -> list[Evidence]:
    """How well circles are read on numbers left out, and which curve describes the vectors best."""
    table, numbers, keys = table_of(asked), torch.arange(asked.modulus), keys_of(asked, seed)
    every, p = 2 * len(keys) + SPARE, asked.modulus
    asked_of = (("one", keys[:1], COMPONENTS), ("all", keys, every))
    found = [circle_evidence(table, numbers, p, some, k, f"{claim}.probe.{name}", seed)
             for name, some, k in asked_of]  # fmt: skip
    periods = [p / keys[0], p / keys[min(1, len(keys) - 1)]]
    curves = compare_curves(table, numbers, periods, components=every, claim=f"{claim}.curve",
                            seed=seed)  # fmt: skip
    return found + list(curves.values())


def _written(asked: Adder, preset: Preset, claim: str, seed: int) -> list[Evidence]:
    """Another number's point written in: into one circle, into all of them, and off the circle."""
    table, numbers, keys = table_of(asked), torch.arange(asked.modulus), keys_of(asked, seed)
    crossed = asked.crossed
    assert asked.network.layout is not None
    site = Site(asked.network.layout.embed).at(0)
    pairs, found = counterfactuals(crossed, preset.pairs, seed), []
    one = fit_circle(table, numbers, asked.modulus, keys[:1], COMPONENTS)
    every = fit_circle(table, numbers, asked.modulus, keys, 2 * len(keys) + SPARE)
    for name, circle in (("one", one), ("all", every)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FewerComponents)
            made = intervene(asked.network, crossed, pairs, site, circle,
                             f"{claim}.written.{name}", seed)  # fmt: skip
        found += list(made.values())
    turns = 2 * asked.modulus if asked.modulus < 50 else 59
    off = off_circle(asked.network, crossed, site, every, claim=f"{claim}.off", angles=turns)
    return found + [replace(r, seeds=[seed]) for r in off]


def _algorithm(asked: Adder, other: Network | None, claim: str, seed: int) -> list[Evidence]:
    """Both measures of Zhong et al. (2023), and the verdict they give."""
    after = (asked.modulus,) * (asked.length - 2)
    alike = gradient_symmetricity(asked.network, asked.modulus, seed=seed, untrained=other,
                                  claim=f"{claim}.gradient_symmetricity", after=after)  # fmt: skip
    apart = distance_irrelevance(asked.network, asked.modulus, f"{claim}.distance_irrelevance",
                                 other, after)  # fmt: skip
    return [alike, replace(apart, seeds=[seed])]


def verdict(symmetricity: float | None, irrelevance: float | None) -> str:
    """What both measures say, by thresholds of ours half-way between the published examples.

    >>> verdict(0.33, 0.85), verdict(0.99, 0.17), verdict(0.99, 0.7)
    ('clock', 'pizza', 'neither')
    """
    if symmetricity is None or irrelevance is None:
        return "neither"
    if symmetricity < 0.66 and irrelevance > 0.51:
        return "clock"
    return "pizza" if symmetricity >= 0.66 and irrelevance <= 0.51 else "neither"


def _explained(asked: Adder, claim: str, seed: int) -> list[Evidence]:
    """Which functions of a and b the last block's output is made of, one after the other."""
    crossed = asked.crossed
    vectors = last_states(asked)
    groups = candidates(crossed.first, crossed.second, asked.modulus)
    steps = explanation(vectors, groups, crossed.answers, most=STEPS, seed=seed)
    return [Evidence(
        f"{claim}.explanation.{i}", s.score, s.low, s.high, s.n, s.unit, s.controls, [seed],
        s.seconds, {**s.config, "text": str(s.config["group"])}, note=s.note,
    ) for i, s in enumerate(steps, 1)]  # fmt: skip


def last_states(asked: Adder) -> Tensor:
    """What the readout reads at the last step, for all prompts, (prompt, width)."""
    assert asked.network.layout is not None
    site = Site(f"{asked.network.layout.blocks}.{asked.layers - 1}").at(-1)
    return states(asked, site, asked.crossed.prompts)

"""How well a dictionary gives vectors back, how sparsely, and what the network loses by it."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from torch import Tensor

from symscope.evidence import Evidence
from symscope.features.dictionaries import Dictionary, bench, spliced
from symscope.jobs import Settings, Unit
from symscope.site import Site
from symscope.studies.dictionaries.fitted import dictionary, per_vector
from symscope.studies.dictionaries.places import Place, place
from symscope.studies.dictionaries.settings import ACROSS, ALL

SPLICED = 32
"""Inputs on which the network goes on from a dictionary's vectors; where one step is spliced, all
are taken."""


def worth_unit(unit: Unit, settings: Settings, folder: Path) -> list[Evidence]:
    """Every method at one place, on vectors that none was fitted on."""
    _, name, seed_text = unit
    seed = int(seed_text)
    here = place(name, settings, seed)
    own = here.vectors(here.network, *here.fit), here.vectors(here.network, *here.test)
    fresh = None
    if seed < settings["untrained"]:
        fresh = here.vectors(here.fresh, *here.fit), here.vectors(here.fresh, *here.test)
    found: list[Evidence] = []
    for method in ALL:
        if method != ACROSS:
            found += _one(f"dictionaries.{name}.{method}", method, here, own, fresh, seed)
        elif here.reads is not None:
            found += _across(f"dictionaries.{name}.{method}", here, seed)
    return found


def _one(
    claim: str, method: str, here: Place, own: tuple[Tensor, Tensor],
    fresh: tuple[Tensor, Tensor] | None, seed: int,
) -> list[Evidence]:  # fmt: skip
    """Explained variance, features per vector, dead features and the loss recovered."""
    began = time.monotonic()
    one = dictionary(method, own[0], here.recipe, seed, here.labels)
    seconds = time.monotonic() - began
    records = bench(one, own[1], seed)
    if fresh is not None:
        other = dictionary(method, fresh[0], here.recipe, seed, here.labels)
        without = bench(other, fresh[1], seed)
        records = [replace(r, controls={**r.controls, "untrained": w.score or 0.0})
                   for r, w in zip(records, without, strict=True)]  # fmt: skip
    records.append(_spliced(here, one, here.test[0], None, seed))
    return _named(claim, records, one, seconds)


def _across(claim: str, here: Place, seed: int) -> list[Evidence]:
    """A transcoder of the MLP: it gives nothing back, so its splice and its sparsity alone."""
    assert here.reads is not None and here.writes is not None, "asked where there is an MLP"
    inputs, outputs = (
        here.vectors(here.network, s, here.fit[1]) for s in (here.reads, here.writes)
    )
    began = time.monotonic()
    one = dictionary(ACROSS, inputs, here.recipe, seed, outputs)
    seconds = time.monotonic() - began
    test = here.vectors(here.network, here.reads, here.test[1])
    score = per_vector(one, test)
    l0 = Evidence("dictionary.transcoder.l0", score, score, score, len(test), "features",
                  seeds=[seed], note="no interval for one seed")  # fmt: skip
    records = [l0, _spliced(here, one, here.reads, here.writes, seed)]
    return _named(claim, records, one, seconds)


def _spliced(here: Place, one: Dictionary, site: Site, writes: Site | None, seed: int) -> Evidence:
    """The loss recovered; the losses themselves stand in the config's table."""
    everywhere = site.position is None
    inputs = here.test[1][: SPLICED if everywhere else None]
    targets = here.targets[: len(inputs)]
    record = spliced(here.network, site, one, inputs, targets, writes, seed)
    return replace(record, config={"table": record.config.get("losses", {})})


def _named(
    claim: str, records: Sequence[Evidence], one: Dictionary, seconds: float
) -> list[Evidence]:
    """Under the study's names, with what was fitted and how long it took."""
    config = {"size": one.size, "width": one.width, "sparsity": one.sparsity}
    return [replace(r, claim=f"{claim}.{r.claim.rsplit('.', 1)[1]}", seconds=seconds,
                    config={**config, **{k: v for k, v in r.config.items() if k == "table"}})
            for r in records]  # fmt: skip

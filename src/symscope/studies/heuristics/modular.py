"""The positive control for waves: published networks that add modulo 59 (Zhong et al., 2023)."""

from pathlib import Path
from typing import Any

import torch

from symscope.evidence import Evidence, wilson
from symscope.jobs import Unit
from symscope.models.modular_addition import load_modular_addition
from symscope.network import Network
from symscope.studies.heuristics.families import family_claims, features_of
from symscope.studies.heuristics.grids import Grid, pairs_of, said
from symscope.studies.heuristics.neurons import Tops, ranked, strongest, tops
from symscope.studies.heuristics.patterns import label_claims, listed, matched, null_maps
from symscope.studies.heuristics.settings import Asked
from symscope.studies.idle import idle_patches

MODULUS = 59


def modular_grid(seed: int = 0) -> Grid:
    """All pairs; one in five is left out of fits, the networks were trained on some of all."""
    first, second = torch.cartesian_prod(torch.arange(MODULUS), torch.arange(MODULUS)).unbind(1)
    answer = (first + second) % MODULUS
    generator = torch.Generator().manual_seed(seed)
    return Grid("add_mod_59", "+", torch.stack([first, second], 1), first, second, answer, answer,
                torch.rand(len(first), generator=generator) < 0.2)  # fmt: skip


def modular_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Labels and families of one published network; its number among them is its seed."""
    _, name, seed_text = unit
    path = Path(settings["weights"]) / "clock_pizza" / f"model_{name}.pt"
    network, seed, grid = Network(load_modular_addition(path)), int(seed_text), modular_grid()
    claim, asked = f"heuristics.{settings['preset']}.modular.{grid.name}", Asked()
    patterns = listed(grid)
    right = said(network, grid.prompts) == grid.token
    low, high = wilson(int(right.sum()), len(right))
    accuracy = Evidence(f"{claim}.accuracy", float(right.float().mean()), low, high, len(right),
                        "accuracy", {"commonest answer": 1 / MODULUS}, [seed])  # fmt: skip
    with idle_patches():
        effects, _ = ranked(network, pairs_of(grid, asked.pairs, seed), claim, seed)
        families = family_claims(
            network, grid, features_of(grid, MODULUS), asked.terms, claim, seed
        )
    found: Tops = tops(network, grid, strongest(effects, asked.top), patterns)
    made = null_maps(found.matched, grid, asked.nulls, seed)
    others = {k: matched(*maps, patterns, False) for k, maps in made.items()}
    labels, _ = label_claims(found.matched, others, patterns, claim, seed)
    return [accuracy, *labels, *families]

"""The networks that the study trains, and how accurate they are, sign by sign and over time."""

from pathlib import Path

import torch
from torch import Tensor, nn

from symscope.evidence import Evidence, wilson
from symscope.models.load import fill, load_weights
from symscope.models.transformer import Transformer
from symscope.studies.heuristics.grids import Grid, grids
from symscope.studies.heuristics.settings import Trained
from symscope.train_answers import answers, checkpoints_in


def accuracy_claims(
    kind: Trained, module: nn.Module, training: Path, name: str, seed: int
) -> list[Evidence]:
    """Of each sign, the share of prompts not trained on that are answered right.

    Control: a fresh network. `config` has the accuracy on all prompts trained on, and both over
    the checkpoints.
    """
    fresh, found = kind.network(seed + 1000), []
    past = [_at(kind, path) for path in checkpoints_in(training).values()]
    steps = list(checkpoints_in(training))
    for grid in grids(kind.task):
        unseen, seen = grid[grid.held_out], grid[~grid.held_out]
        right = _right(module, unseen)
        low, high = wilson(int(right.sum()), len(right))
        course = {"steps": steps,
                  "held_out": [float(_right(m, unseen).float().mean()) for m in past],
                  "trained_on": [float(_right(m, seen).float().mean()) for m in past]}  # fmt: skip
        found.append(Evidence(
            f"{name}.{grid.name}.accuracy", float(right.float().mean()), low, high, len(right),
            "accuracy", {"untrained": float(_right(fresh, unseen).float().mean())}, [seed],
            config={"trained_on": float(_right(module, seen).float().mean()), "course": course},
        ))  # fmt: skip
    return found


def _right(module: nn.Module, grid: Grid) -> Tensor:
    return answers(module.eval(), grid.prompts) == grid.token


def _at(kind: Trained, path: Path) -> Transformer:
    module = kind.network(0)
    fill(module, load_weights(path), path)
    return module


def checkpoint_networks(kind: Trained, training: Path) -> dict[int, Transformer]:
    """Step → the network as it was then."""
    return {step: _at(kind, path) for step, path in checkpoints_in(training).items()}


def accuracy_of(module: nn.Module, grid: Grid) -> float:
    """The share of a grid's prompts that is answered right."""
    with torch.no_grad():
        return float(_right(module, grid).float().mean())

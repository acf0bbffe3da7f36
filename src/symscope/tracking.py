"""A sweep's scores as they come in, told to TensorBoard or Weights & Biases by their clients."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from symscope.causal_model import UnknownName
from symscope.evidence import Evidence
from symscope.extras import needed

Tracker = Callable[[str, Mapping[str, Any], Sequence[Evidence]], None]
"""Receives a name, the settings, and the evidence."""
TRACKERS = ("none", "tensorboard", "wandb")


@contextmanager
def tracker(name: str, folder: Path) -> Iterator[Tracker]:
    """What tells one of `TRACKERS`; "none" tells nobody. Raises `SymscopeError`.

    TensorBoard's files go to `folder/tensorboard`. Weights & Biases gets a run for each job, in the
    project that is called like the folder, and sends it to where its own settings say.
    """
    if name not in TRACKERS:
        raise UnknownName("tracker", name, TRACKERS)
    told = {"none": _nobody, "tensorboard": _tensorboard, "wandb": _wandb}[name]
    with told(folder) as tell:
        yield tell


def _scores(records: Sequence[Evidence]) -> dict[str, float]:
    return {e.claim: float(e.score) for e in records if e.score is not None}


@contextmanager
def _nobody(_: Path) -> Iterator[Tracker]:
    yield lambda *_: None


@contextmanager
def _tensorboard(folder: Path) -> Iterator[Tracker]:
    needed("tensorboard", "--track tensorboard")
    from torch.utils.tensorboard import SummaryWriter

    def tell(name: str, settings: Mapping[str, Any], records: Sequence[Evidence]) -> None:
        plain = {k: v if isinstance(v, bool | int | float | str) else str(v)
                 for k, v in settings.items()}  # fmt: skip
        with SummaryWriter(str(folder / "tensorboard" / name)) as writer:
            writer.add_hparams(plain, _scores(records), run_name=".")

    yield tell


@contextmanager
def _wandb(folder: Path) -> Iterator[Tracker]:
    os.environ.setdefault("WANDB_SILENT", "true")
    client = needed("wandb", "--track wandb")

    def tell(name: str, settings: Mapping[str, Any], records: Sequence[Evidence]) -> None:
        with client.init(project=folder.resolve().name, name=name, config=dict(settings),
                         dir=str(folder), reinit="finish_previous") as run:  # fmt: skip
            run.log(_scores(records))

    yield tell

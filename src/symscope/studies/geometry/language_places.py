"""Where the start and the duration pass through: parts patched from a prompt into another one.

After Engels, Liao et al. (ICLR 2025, section 5): 20 pairs of prompts with the same start and 20
with the same duration; a part of the run on the one prompt is put into the run on the other.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from symscope.evidence import Evidence
from symscope.localize import layout_in, logit_difference, patched, places
from symscope.network import Network
from symscope.site import Site
from symscope.studies.geometry.language_prompts import Posed, last_logits

PAIRS, DRAWS, LEAST = 20, 1000, 1e-3
KINDS = ("residual", "attention", "mlp", "head")
UNIT = "share of the clean difference"
HEADS_FROM = 3 / 8
"""Heads are patched from this depth on: layers 12 to 31 of 32, as published."""
Sides = tuple[Tensor, Tensor, Tensor, Tensor]
"""Clean and corrupt prompts, (pair, step), and the tokens of their answers, (pair,)."""


def sides(one: Posed, same: str, seed: int, count: int = PAIRS) -> Sides:
    """Pairs of prompts with the same operand, "a" or "b", and another one of the other."""
    prompts = one.prompts
    kept, other = (
        (prompts.first, prompts.second) if same == "a" else (prompts.second, prompts.first)
    )
    apart = (kept[:, None] == kept) & (other[:, None] != other)
    rows = apart.nonzero()
    order = torch.randperm(len(rows), generator=torch.Generator().manual_seed(seed))[:count]
    clean, corrupt = rows[order].T
    answer = prompts.choices[prompts.answers]
    return prompts.tokens[clean], prompts.tokens[corrupt], answer[clean], answer[corrupt]


def place_claims(one: Posed, same: str, claim: str, seed: int) -> list[Evidence]:
    """Of each kind of part, how much of the clean logit difference one place restores.

    The difference is logit(clean answer) − logit(corrupt answer), and a share of it is of what
    separates the run on the clean prompt from that on the corrupt one. The score is the best
    place's, chosen on half of the pairs and taken on the others, whose interval draws pairs again.
    Controls: "any_place", the mean of all, and "other_pair", the best place as it is in another
    pair's clean run. `config["table"]` has every (layer, step), of heads every (layer, head) at all
    steps together; `config["steps"]` the text of each step. Steps before the first that differs are
    left out. "copied" is the first layer whose stream at the end restores half. Without a score
    where the clean run does not prefer its answer more than the corrupt one does.
    """
    pair = sides(one, same, seed)
    found = []
    for kind in KINDS:
        restored, whole = effects(one.network, pair, where(one, pair, kind))
        if min(float(half.mean()) for half in whole.chunk(2)) < LEAST:
            found.append(Evidence(
                f"{claim}.places.same_{same}.{kind}", None, None, None, len(whole), UNIT,
                seeds=[seed],
                note="clean answers are not preferred to corrupt ones: there is nothing to restore",
            ))  # fmt: skip
            continue
        found.append(best_place(one, pair, kind, restored, whole, f"{claim}.places.same_{same}",
                                seed))  # fmt: skip
        if kind == "residual":
            found.append(copied(one, restored, whole, f"{claim}.places.same_{same}", seed))
    return found


def where(one: Posed, pair: Sides, kind: str) -> Mapping[Any, Site]:
    """The places of a kind, from the first step on that differs in any pair."""
    layers = layout_in(one.network).layers
    if kind == "head":
        return places(one.network, kind, blocks=range(int(layers * HEADS_FROM), layers))
    clean, corrupt = pair[:2]
    begin = int((clean != corrupt).any(0).nonzero()[0])
    return places(one.network, kind, range(begin, clean.shape[1]), length=clean.shape[1])


@torch.no_grad()
def effects(
    network: Network, pair: Sides, at: Mapping[Any, Site]
) -> tuple[dict[Any, Tensor], Tensor]:
    """What each place restores of each pair's difference, (pair,), and what there is to restore.

    A layer is patched at a time: all places' logits would not fit beside a large vocabulary.
    """
    clean, corrupt, *answers = pair
    base, source = (logit_difference(last_logits(network, x), *answers) for x in (corrupt, clean))
    found: dict[Any, Tensor] = {}
    for some in by_layer(at):
        logits = patched(network, corrupt.to(network.device), clean.to(network.device),
                         list(some.values()))  # fmt: skip
        moved = logit_difference(logits.float().cpu(), *answers) - base
        found |= dict(zip(some, moved.double(), strict=True))
    return found, (source - base).double()


def by_layer(at: Mapping[Any, Site]) -> Iterator[dict[Any, Site]]:
    """The places, those of one layer together."""
    for layer in dict.fromkeys(key[0] for key in at):
        yield {key: site for key, site in at.items() if key[0] == layer}


def best_place(
    one: Posed, pair: Sides, kind: str, restored: Mapping[Any, Tensor], whole: Tensor, claim: str,
    seed: int,
) -> Evidence:  # fmt: skip
    """One record of a kind, see `place_claims`."""
    keys, moved = list(restored), torch.stack(list(restored.values()))
    half = len(whole) // 2
    best = int(moved[:, :half].mean(1).argmax())
    low, high = interval(moved[best, half:], whole[half:], seed)
    mixed = (pair[0].roll(1, 0), *pair[1:])
    other, _ = effects(one.network, mixed, {keys[best]: where(one, pair, kind)[keys[best]]})
    steps = one.network.tokenizer.batch_decode(one.prompts.tokens[0][:, None])
    return Evidence(
        f"{claim}.{kind}", _share(moved[best, half:], whole[half:]), low, high,
        len(whole) - half, UNIT,
        {"any_place": _share(moved[:, half:].mean(0), whole[half:]),
         "other_pair": _share(other[keys[best]][half:], whole[half:])}, [seed],
        config={"place": named(keys[best]), "steps": steps,
                "table": {named(key): _share(moved[i], whole) for i, key in enumerate(keys)}},
    )  # fmt: skip


def copied(
    one: Posed, restored: Mapping[Any, Tensor], whole: Tensor, claim: str, seed: int
) -> Evidence:
    """The first layer whose stream at the end restores half of the difference."""
    last, layers = one.prompts.places["last"], layout_in(one.network).layers
    at_end = torch.stack([restored[layer, last] for layer in range(layers)])

    def first(rows: np.ndarray | slice) -> int:
        passed = at_end[:, rows].mean(1) >= 0.5 * whole[rows].mean()
        return int(passed.double().argmax()) if bool(passed.any()) else layers

    drawn = [first(rows) for rows in _again(len(whole), seed)]
    low, high = np.percentile(drawn, [2.5, 97.5])
    note = "" if first(slice(None)) < layers else "no layer restores half"
    return Evidence(f"{claim}.copied", float(first(slice(None))), float(low), float(high),
                    len(whole), "layer", {"layers": float(layers)}, [seed], note=note)  # fmt: skip


def interval(moved: Tensor, whole: Tensor, seed: int) -> tuple[float, float]:
    """95 % of the share when pairs are drawn again, of draws in which there is a difference."""
    drawn = [_share(moved[rows], whole[rows]) for rows in _again(len(whole), seed)
             if float(whole[rows].mean()) >= LEAST]  # fmt: skip
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def named(key: tuple[Any, ...]) -> str:
    """A place in a table: "layer.step", of heads "layer.head"."""
    return ".".join(map(str, key))


def _again(count: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(count, size=(DRAWS, count))


def _share(moved: Tensor, whole: Tensor) -> float:
    return float(moved.mean() / whole.mean())

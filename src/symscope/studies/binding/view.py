"""What the explorer shows of one network: programs, training, and the inside at checkpoints."""

import platform
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.features import classifier_axes
from symscope.intervention.natural import natural_vectors
from symscope.localize import logit_lens, logit_shift, patched, places
from symscope.localize.phases import Phase
from symscope.models.transformer import Transformer
from symscope.network import Network
from symscope.site import Site
from symscope.studies.binding.settings import Preset
from symscope.studies.binding.traced import chosen
from symscope.studies.binding.trajectory import (
    NAMES,
    Course,
    at_checkpoint,
    attributes,
    breakdown,
    course,
    shares,
)
from symscope.tasks.binding import Binding, counterfactual
from symscope.tasks.binding.rules import floors
from symscope.train_answers import checkpoints_in

KINDS = {"root": "root digit", "rebind": "a link points elsewhere", "query": "other letter asked",
         "values": "two digits exchanged", "distractor": "digit off the chain"}  # fmt: skip
POINTS = 160


def view_of(preset: Preset, training: Path, name: str, seed: int) -> dict[str, Any]:
    """The explorer's view of the network that was trained there (see `report.explorer`)."""
    task, kept = preset.task, checkpoints_in(training)
    steps, found = list(kept), course(preset, training)
    tokens = examples(task, preset.each)
    inside = [steps.index(s) for s in chosen(steps, preset.inside)]
    modules = {i: at_checkpoint(preset, kept[steps[i]]) for i in inside}
    return {
        "title": f"How a transformer learned to follow assignments: {name}, seed {seed}",
        "lead": f"{task.lines} assignments and a query, chains of up to {task.hops} hops; a"
        f" transformer of {preset.shape['layers']} blocks, {preset.shape['heads']} heads and width"
        f" {preset.width}. Choose a program, a step of the training and what is changed in the"
        " program; every view follows.",
        "command": f"symscope study binding --preset {name.split('.')[1]}",
        "made": {"torch": torch.__version__, "python": platform.python_version(), "seed": seed},
        "checkpoints": steps,
        "tokens": list(task.vocabulary),
        "programs": _programs(preset, kept, tokens),
        "trajectory": _trajectory(found),
        "breakdown": breakdown(found),
        "lens": {
            "checkpoints": inside,
            "rows": ["embed", *(f"block {i + 1}" for i in range(preset.shape["layers"]))],
            "maps": _lenses(task, modules, tokens),
        },
        "patching": _patching(preset, modules, tokens, inside),
        "subspaces": _subspaces(task, modules, inside),
        "claims": [],
    }  # fmt: skip


def examples(task: Binding, each: int) -> Tensor:
    """Test programs: for each depth some with the root on line 1, on line 2 and later."""
    drawn = task.drawn(4_000, torch.Generator().manual_seed(41), "test")
    run, parts = task.trace(drawn), []
    for hops in range(1, task.hops + 1):
        for root in (run.root_line == 0, run.root_line == 1, run.root_line >= 2):
            parts.append(drawn[((run.hops == hops) & root).nonzero()[:each, 0]])
    return torch.cat(parts)


def _programs(preset: Preset, kept: dict[int, Path], tokens: Tensor) -> list[dict[str, Any]]:
    task, run = preset.task, preset.task.trace(tokens)
    with torch.no_grad():
        logits = [at_checkpoint(preset, path)(tokens)[:, -1] for path in kept.values()]
    answers = torch.stack([x.argmax(-1) for x in logits])
    right = torch.stack([x.softmax(-1).gather(1, run.answer[:, None])[:, 0] for x in logits])
    text = task.vocabulary
    return [
        {
            "name": f"{run.hops[i]} hop{'s' * bool(run.hops[i] > 1)}, root on line"
            f" {run.root_line[i] + 1} (no. {i + 1})",
            "tokens": [text[t] for t in row],
            "answer": text[run.answer[i]],
            "first": text[run.right[i, 0]],
            "depth": int(run.hops[i]),
            "root_line": int(run.root_line[i]) + 1,
            "lines": [
                {"left": text[run.left[i, j]], "right": text[run.right[i, j]],
                 "from": int(run.parent[i, j]) + 1 if run.parent[i, j] >= 0 else None,
                 "chain": bool(run.on_chain[i, j])}
                for j in range(task.lines)
            ],
            "query": text[run.query[i]],
            "query_line": int(run.asked[i]) + 1,
            "predictions": [text[t] for t in answers[:, i]],
            "probability": _rounded(right[:, i]),
        }
        for i, row in enumerate(tokens.tolist())
    ]  # fmt: skip


def _trajectory(found: Course) -> dict[str, Any]:
    accuracy, n = torch.tensor(found.accuracy), len(found.tokens)
    half = 1.96 * (accuracy * (1 - accuracy) / n).sqrt()
    series = {
        f"by {attribute}": {
            value: found.right[:, rows].float().mean(1).tolist()
            for value, rows in values.items() if bool(rows.any())
        }
        for attribute, values in attributes(found.task, found.tokens).items()
    }  # fmt: skip
    series["answers that equal …"] = shares(found)
    phases = [{"name": name, "from": phase.first, "to": phase.last}
              for name, phase in zip(NAMES, _phases(found), strict=False)]  # fmt: skip
    return {
        "accuracy": found.accuracy, "low": (accuracy - half).clamp(min=0).tolist(),
        "high": (accuracy + half).clamp(max=1).tolist(), "series": series,
        "floors": floors(found.tokens, found.task.alphabet), "phases": phases,
    }  # fmt: skip


def _phases(found: Course) -> list[Phase]:
    """None where there are too few checkpoints to tell."""
    try:
        return found.phases()
    except SymscopeError:
        return []


@torch.no_grad()
def _lenses(
    task: Binding, modules: dict[int, Transformer], tokens: Tensor
) -> list[list[dict[str, Any]]]:
    """Per program and checkpoint, the logits that each block's output would give if read out."""
    run = task.trace(tokens)
    found: list[list[dict[str, Any]]] = [[] for _ in tokens]
    for module in modules.values():
        stacked = logit_lens(Network(module), tokens).transpose(0, 1)  # (program, row, step, token)
        for i, logits in enumerate(stacked):
            found[i].append({"answer": _rounded(logits[..., run.answer[i]]),
                             "first": _rounded(logits[..., run.right[i, 0]])})  # fmt: skip
    return found


def _patching(
    preset: Preset, modules: dict[int, Transformer], tokens: Tensor, inside: list[int]
) -> dict[str, Any]:
    layers, length = preset.shape["layers"], tokens.shape[1]
    rows = [f"block {i + 1}" for i in range(layers)]
    cells: list[dict[str, Any]] = [{} for _ in tokens]
    for kind, called in KINDS.items():
        base, source, expected, which = _changed(preset.task, tokens, kind)
        maps = {
            int(i): {"residual stream": [], "attention output": [], "MLP output": [], "heads": []}
            for i in which
        }  # type: dict[int, dict[str, list[Any]]]
        for module in modules.values() if len(which) else ():
            shifts = _shifts(Network(module), base, source, expected, length)
            for row, i in enumerate(which.tolist()):
                for part, values in shifts.items():
                    maps[i][part].append(_rounded(values[..., row]))
        for row, i in enumerate(which.tolist()):
            text = preset.task.vocabulary
            cells[i][called] = {
                "tokens": [text[t] for t in source[row]], "expected": text[expected[row]],
                "heads": maps[i].pop("heads"), "maps": maps[i],
                "note": "the answer should stay" if kind == "distractor" else "",
            }  # fmt: skip
    return {
        "checkpoints": inside, "kinds": list(KINDS.values()), "cells": cells,
        "rows": {"residual stream": [f"into {r}" for r in rows], "attention output": rows,
                 "MLP output": rows},
    }  # fmt: skip


def _changed(task: Binding, tokens: Tensor, kind: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Those of the programs that the kind can change: base, source, answer, which they are."""
    generator = torch.Generator().manual_seed(43)
    source, done = tokens.clone(), torch.zeros(len(tokens), dtype=torch.bool)
    for _ in range(60):
        changed, _, holds = counterfactual(tokens, kind, task.alphabet, generator)
        fresh = holds & ~done
        source[fresh], done = changed[fresh], done | holds
    which = done.nonzero()[:, 0]
    expected = task.trace(source[which]).answer
    if kind == "distractor":  # what a network that follows the changed digit would say
        differs = (source[which] != tokens[which]).int().argmax(1)
        expected = source[which].gather(1, differs[:, None])[:, 0]
    return tokens[which], source[which], expected, which


def _shifts(
    network: Network, base: Tensor, source: Tensor, expected: Tensor, length: int
) -> dict[str, Tensor]:
    """Δ of the expected answer: (block, step, pair) for each kind of site, (block, head, pair)."""
    natural = network.run(base).output[:, -1]
    found = {}
    for part, kind in (("residual stream", "residual"), ("attention output", "attention"),
                       ("MLP output", "mlp"), ("heads", "head")):  # fmt: skip
        sites = places(network, kind, None if kind == "head" else range(length))
        logits = patched(network, base, source, list(sites.values()))
        blocks = len({key[0] for key in sites})
        found[part] = logit_shift(logits, natural, expected).unflatten(0, (blocks, -1)).detach()
    return found


def _subspaces(task: Binding, modules: dict[int, Transformer], inside: list[int]) -> dict[str, Any]:
    """Digits on the right and letters on the left, in a plane of the axes that tell them apart."""
    tokens = task.drawn(2_000, torch.Generator().manual_seed(47), "test")
    run, rows = task.trace(tokens), torch.arange(len(tokens))
    line = torch.multinomial((run.parent < 0).float(), 1,
                             generator=torch.Generator().manual_seed(1))[:, 0]  # fmt: skip
    sides = {"constants": (4 * line + 2, run.value[rows, line]),
             "names": (4 * line, run.left[rows, line])}  # fmt: skip
    groups: dict[str, Any] = {}
    for name, (at, labels) in sides.items():
        size = task.digits if name == "constants" else task.letters
        points = []
        for module in modules.values():
            vectors = natural_vectors(Network(module), tokens, Site("blocks.0").at(at))
            axes = classifier_axes(vectors, labels, size).axes().detach()
            inner = (vectors - vectors.mean(0)) @ axes
            means = torch.stack([inner[labels == v].mean(0) for v in labels.unique()])
            plane = torch.linalg.svd(means - means.mean(0), full_matrices=False).Vh[:2]
            points.append(_rounded((inner @ plane.T)[:POINTS]))
        groups[name] = {"labels": [task.vocabulary[v] for v in labels[:POINTS]], "points": points}
    note = ("After block 1: the axes that a sparse classifier uses, seen in the plane in which the"
            " means of the classes lie widest apart.")  # fmt: skip
    return {"checkpoints": inside, "groups": groups, "note": note}


def _rounded(values: Tensor) -> Any:
    return [float(f"{v:.4g}") for v in values.tolist()] if values.dim() == 1 else [
        _rounded(v) for v in values
    ]  # fmt: skip

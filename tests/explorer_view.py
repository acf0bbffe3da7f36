"""A study of variable binding that never was: all the explorer shows, made up but plausible."""

import copy
import math
import random
from collections.abc import Sequence
from typing import Any

LETTERS, DIGITS = "abcdefgh", "01234567"
STEP = 250
SITES = ("residual stream", "attention output", "MLP output")


def explorer_view(
    programs: int = 4,
    checkpoints: int = 9,
    shown: int = 3,
    kinds: Sequence[str] = ("root digit", "rebind"),
    layers: int = 3,
    lines: int = 5,
    seed: int = 0,
) -> dict[str, Any]:
    """The view; `shown` checkpoints have a logit lens, patching and subspaces."""
    draw = random.Random(seed)
    some = [round(i * (checkpoints - 1) / max(shown - 1, 1)) for i in range(shown)]
    listed = [program(draw, lines, checkpoints) for _ in range(programs)]
    times = [c / checkpoints for c in some]
    return {
        "title": "How a small transformer learns to bind variables",
        "lead": "A made-up network of three layers reads five assignments and a query. It first "
        "answers with any digit, then with that of line 1, and follows the chain at last.",
        "command": "symscope study binding --preset tiny", "made": {"seed": seed, "torch": "2.13"},
        "checkpoints": [STEP * c for c in range(checkpoints)],
        "tokens": [*LETTERS, *DIGITS, "=", "\n", "#", ":"],
        "programs": listed, "trajectory": _trajectory(listed, checkpoints),
        "breakdown": {
            "hops": {str(h): _counts(checkpoints, 0.3 + 0.1 * h, 120 * h) for h in (1, 2, 3)},
            "root line": {name: _counts(checkpoints, at, 200)
                          for name, at in (("1", 0.15), ("2", 0.5), ("later", 0.6))},
        },
        "lens": {
            "checkpoints": some, "rows": ["embed", *_rows(layers)],
            "maps": [[_lens(p, layers, time, draw) for time in times] for p in listed],
        },
        "patching": {
            "checkpoints": some, "kinds": list(kinds),
            "rows": {site: _rows(layers, "" if i else "into ") for i, site in enumerate(SITES)},
            "cells": [_patched(p, kinds, layers, times, draw) for p in listed],
        },
        "subspaces": {
            "checkpoints": some, "note": "Principal axes of the activity at right-hand tokens.",
            "groups": {"constants": _cloud(DIGITS, times, draw),
                       "names": _cloud(LETTERS, times, draw)},
        },
        "claims": _claims(),
    }  # fmt: skip


def _trajectory(listed: Sequence[dict[str, Any]], checkpoints: int) -> dict[str, Any]:
    accuracy = [_mean([p["probability"][c] for p in listed]) for c in range(checkpoints)]
    last = STEP * (checkpoints - 1)
    return {
        "accuracy": accuracy, "low": [max(a - 0.03, 0) for a in accuracy],
        "high": [min(a + 0.03, 1) for a in accuracy],
        "series": {
            "by hops": {f"{h} hop{'s' * (h > 1)}": _curve(checkpoints, 0.3 + 0.1 * h)
                        for h in (1, 2, 3)},
            "answers that equal…": {"digit of line 1": _bump(checkpoints),
                                    "other seed": [None, *_curve(checkpoints - 1, 0.6)]},
        },
        "floors": {"digit of line 1": 0.54, "first assignment wins": 0.79,
                   "commonest digit": 0.4, "chance": 0.125},
        "phases": [{"name": "random digit", "from": 0, "to": last * 0.08},
                   {"name": "line-1 heuristic", "from": last * 0.1, "to": last * 0.5},
                   {"name": "follows the chain", "from": last * 0.7, "to": last}],
    }  # fmt: skip


def _claims() -> list[dict[str, Any]]:
    return [
        {"claim": "binding.tiny.accuracy", "score": 0.984, "low": 0.97, "high": 0.992, "n": 1000,
         "controls": {"line 1": 0.54, "untrained": 0.02},
         "source": {"figure": "abstract", "value": 0.999}, "note": ""},
        {"claim": "binding.tiny.name_subspace.swap", "score": 0.71, "low": 0.66, "high": 0.75,
         "n": 400, "controls": {"random subspace": 0.04}, "source": None, "note": "one seed only"},
    ]  # fmt: skip


def program(draw: random.Random, count: int, checkpoints: int) -> dict[str, Any]:
    """One program as the explorer shows it, with what a network that learns says of it."""
    bound: dict[str, int] = {}
    lines: list[dict[str, Any]] = []
    for number in range(1, count + 1):
        left, origin = draw.choice(LETTERS), None
        right = draw.choice(DIGITS)
        others = [v for v in bound if v != left]
        if others and draw.random() < 0.6:
            right = draw.choice(others)
            origin = bound[right]
        lines.append({"left": left, "right": right, "from": origin, "chain": False})
        bound[left] = number
    query, at = draw.choice(list(bound.items()))
    chain = _chain(lines, at)
    for number in chain:
        lines[number - 1]["chain"] = True
    answer, first = lines[chain[-1] - 1]["right"], lines[0]["right"]
    share = [_rise(c / checkpoints, 0.15 if answer == first else 0.55 + 0.05 * len(chain))
             for c in range(checkpoints)]  # fmt: skip
    says = [answer if s > 0.5 else first if c > checkpoints / 8 else draw.choice(DIGITS)
            for c, s in enumerate(share)]  # fmt: skip
    tokens = [t for x in lines for t in (x["left"], "=", x["right"], "\n")]
    return {
        "name": f"{len(chain)} hop{'s' * (len(chain) > 1)}, root on line {chain[-1]}",
        "tokens": [*tokens, "#", query, ":"], "answer": answer, "first": first,
        "depth": len(chain), "root_line": chain[-1], "lines": lines, "query": query,
        "query_line": at, "predictions": says, "probability": share,
    }  # fmt: skip


def _chain(lines: Sequence[dict[str, Any]], at: int) -> list[int]:
    found = [at]
    while lines[found[-1] - 1]["from"] is not None:
        found.append(lines[found[-1] - 1]["from"])
    return found


def _patched(
    p: dict[str, Any], kinds: Sequence[str], layers: int, times: Sequence[float],
    draw: random.Random,
) -> dict[str, Any]:  # fmt: skip
    """Counterfactuals of a program; a program of one hop has nothing to bind again."""
    root = 4 * (p["root_line"] - 1) + 2
    found = {}
    for kind in kinds:
        if kind == "rebind" and p["depth"] == 1:
            continue
        tokens = list(p["tokens"])
        tokens[root] = draw.choice([d for d in DIGITS if d != p["answer"]])
        grids: dict[str, list[list[list[float]] | None]] = {
            site: [_flow(p, layers, t, size, draw) for t in times]
            for site, size in zip(SITES, (6.0, 2.5, 1.2), strict=True)
        }
        grids["MLP output"][0] = None
        heads = [[[round(draw.gauss(0, 0.05) + 3 * t * (draw.random() > 0.9), 5)
                   for _ in range(4)] for _ in range(layers)] for t in times]  # fmt: skip
        found[kind] = {"tokens": tokens, "expected": tokens[root], "maps": grids, "heads": heads,
                       "note": "one digit differs" if kind == "root digit" else ""}  # fmt: skip
    return found


def _flow(
    p: dict[str, Any], layers: int, time: float, size: float, draw: random.Random
) -> list[list[float]]:
    """A value that moves along the chain's right-hand sides to the last token, as it is learnt."""
    chain = [4 * (n - 1) + 2 for n in reversed(_chain(p["lines"], p["query_line"]))]
    stops = [*chain, len(p["tokens"]) - 1]
    rows = []
    for layer in range(layers):
        here = stops[min(layer * len(stops) // layers, len(stops) - 1)]
        rows.append([round(draw.gauss(0, 0.04) + size * _rise(time, 0.5) * (t == here), 5)
                     - 0.05 * (time == 0) for t in range(len(p["tokens"]))])  # fmt: skip
    return rows


def _lens(
    p: dict[str, Any], layers: int, time: float, draw: random.Random
) -> dict[str, list[list[float]]]:
    n = len(p["tokens"])
    answer, first = ([[draw.gauss(0, 0.3) for _ in range(n)] for _ in range(layers + 1)]
                     for _ in range(2))  # fmt: skip
    for row in range(layers + 1):
        depth = row / layers
        first[row][-1] += 7 * depth * _rise(time, 0.15)
        answer[row][-1] += 14 * depth**2 * _rise(time, 0.6)
        answer[row][4 * (p["root_line"] - 1) + 2] += 5 * (1 - depth)
        first[row][2] += 5 * (1 - depth)
    return {
        "answer": answer,
        "first": copy.deepcopy(answer) if p["answer"] == p["first"] else first,
    }


def _cloud(labels: Sequence[str], times: Sequence[float], draw: random.Random) -> dict[str, Any]:
    """Points around a circle's places, the nearer to them the longer the training."""
    n = len(labels)
    which = [labels[i % n] for i in range(12 * n)]
    turns = [2 * math.pi * (i % n) / n for i in range(12 * n)]
    points = [[[6 * _rise(time, 0.4) * f(a) + draw.gauss(0, 1)
                for f in (math.cos, math.sin)] for a in turns] for time in times]  # fmt: skip
    return {"labels": which, "points": points}


def _rows(layers: int, before: str = "") -> list[str]:
    return [f"{before}block {i + 1}" for i in range(layers)]


def _rise(time: float, at: float) -> float:
    return 1 / (1 + math.exp(-25 * (time - at)))


def _curve(count: int, at: float) -> list[float | None]:
    return [0.1 + 0.89 * _rise(c / count, at) for c in range(count)]


def _bump(count: int) -> list[float | None]:
    return [0.2 + 0.6 * _rise(c / count, 0.12) * (1 - _rise(c / count, 0.6)) for c in range(count)]


def _counts(count: int, at: float, n: int) -> list[list[int]]:
    return [[round(n * (0.1 + 0.89 * _rise(c / count, at))), n] for c in range(count)]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)

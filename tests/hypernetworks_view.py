"""A study of hypernetworks that never was: two of them, five β, networks of 4 × 9 × 1 units."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from symscope.generate.drawing import laid_out, laid_out_along, standard_layouts
from symscope.models.perceptron import Weights
from symscope.report.geometry import packed
from symscope.report.hypernetworks import hypernetworks, packed_weights

TASK, SIZES = "l1 norm", (4, 9, 1)
BETAS = [1e-8, 1e-6, 1e-4, 1e-2, 1.0]
CLASSES = ["double-sided", "double-sided", "pudding", "convexity", "none"]
FLOORS = {"radial": 0.085, "linear": 1.0}
LOSSES = [0.004, 0.011, 0.038, 0.079, 0.94]


def hypernetworks_view(steps: int = 120) -> dict[str, Any]:
    """A view with every part; layouts take so many steps."""
    rng = np.random.default_rng(0)
    return {
        "title": "Can weights be written whose algorithm is readable?",
        "lead": "Made-up networks of the L1 norm: double-sided at low β, pudding above it, "
        "convexity at the top.",
        "command": "symscope study hypernetworks --preset tiny",
        "made": {"seed": 0, "torch": "2.13"},
        "classes": {"convexity": "random directions whose mean is a norm",
                    "pudding": "one kink for each input, and units that are jointly linear",
                    "double-sided": "two kinks for each input"},
        "hypernetworks": [dial("seed 0", 0, steps), dial("seed 1", 1, steps, earlier=True)],
        "fronts": [front(f"seed {s}", s) for s in range(4)],
        "phases": [phase(rng, f"seed {s}", s) for s in range(2)],
        "patterns": [{"name": "a", "count": 3, "of": 5, "said": "convexity, then pudding"},
                     {"name": "d", "count": 2, "of": 5, "said": "the same at every β"}],
        "orders": [order(rng)], "pictures": [pictures(steps)],
        "sizes": [sizes(rng)], "encoder": [encoder("seed 0", 1.0), encoder("seed 1", 3.0)],
        "comparison": comparison(), "tests": [algorithm()],
        "claims": [
            {"claim": "hypernetworks.l1.classes.accuracy", "score": 0.984, "low": 0.97,
             "high": 0.992, "n": 600, "controls": {"shuffled_weights": 0.33}, "source": None,
             "note": ""},
        ],
    }  # fmt: skip


def written(view: dict, folder: Path) -> Path:
    path = folder / "hypernetworks.html"
    path.write_text(hypernetworks(view), encoding="utf8")
    return path


def around(value: float, share: float = 0.1, **more: Any) -> dict[str, Any]:
    """A measure with an interval of that share to each side."""
    return {"score": value, "low": value * (1 - share), "high": value * (1 + share), **more}


def network(kind: str, seed: int = 0) -> Weights:
    """Weights by hand of one class, of 4 × 9 × 1 units, with some noise."""
    noise = torch.Generator().manual_seed(seed)
    first, second = torch.zeros(4, 9), torch.zeros(9, 1)
    for j in range(8):
        sign = 1 if kind == "pudding" or j < 4 else -1
        first[j % 4, j] = sign * (3 if kind == "double-sided" or j < 4 else 0)
    if kind == "pudding":
        first[:, 4:] = -0.5
    if kind in ("convexity", "none", "adam"):
        first = torch.randn(4, 9, generator=noise) * (0.05 if kind == "none" else 1)
    second[:] = torch.tensor([1.0] * 4 + [-0.4 if kind == "pudding" else 1.0] * 5)[:, None]
    first += 0.05 * torch.randn(4, 9, generator=noise)
    return Weights((first, second), (torch.zeros(9), torch.zeros(1)))


def sequence(seed: int, steps: int, factor: float = 1.0) -> list[dict[str, Any]]:
    """A network for each β, with layouts that follow each other."""
    weights = [network(kind, seed) for kind in CLASSES]
    layouts = laid_out_along(weights, seed, steps, restarts=2)
    return [
        {"weights": packed_weights(w), "positions": packed(layout.positions),
         "loss": around(min(factor * loss, 1.0), null=1.0), "kl": around(2 * beta**-0.2),
         "class": kind, "confidence": 0.9 if kind != "none" else None}
        for w, layout, beta, loss, kind in zip(weights, layouts, BETAS, LOSSES, CLASSES,
                                               strict=True)
    ]  # fmt: skip


def dial(name: str, seed: int, steps: int, earlier: bool = False) -> dict[str, Any]:
    found = {"name": name, "seed": seed, "task": TASK, "sizes": list(SIZES), "betas": BETAS,
             "networks": sequence(seed, steps), "floors": FLOORS}  # fmt: skip
    if earlier:
        found |= {"steps": [{"step": 1000, "networks": sequence(5, steps, 4.0)}], "step": 12000}
    return found


def front(name: str, seed: int) -> dict[str, Any]:
    points = [
        {"beta": beta, "loss": around(loss * (1 + 0.3 * seed)), "kl": (1 + seed) * beta**-0.2,
         "class": kind}
        for beta, loss, kind in zip(BETAS, LOSSES, CLASSES, strict=True)
    ]  # fmt: skip
    points[2]["kl"] = {"score": None, "reason": "not finite"} if seed == 3 else points[2]["kl"]
    return {"network": name, "task": TASK, "points": points, "floors": FLOORS}


def phase(rng: np.random.Generator, name: str, seed: int) -> dict[str, Any]:
    steps = list(range(500, 12500, 500))
    betas = [10.0**k for k in range(-12, 1)]
    names = ["none", "convexity", "pudding", "double-sided"]
    levels = [[min(max(int(4 * (s / 12500) ** 0.5 * (1.2 - 0.09 * b)), 0), 3) for b in range(13)]
              for s in steps]  # fmt: skip
    losses = [[1 / 4**level * (1 + 0.1 * rng.random()) for level in row] for row in levels]
    classes = [[names[level] for level in row] for row in levels]
    classes[0][0] = None
    return {"network": name, "steps": steps, "betas": betas, "classes": classes, "losses": losses,
            "pattern": "ad"[seed]}  # fmt: skip


def order(rng: np.random.Generator) -> dict[str, Any]:
    middles = {"convexity": (0.2, 0.4), "pudding": (0.5, 4.0), "double-sided": (8.0, 5.0)}
    made = [
        {"x": x * float(np.exp(0.4 * rng.standard_normal())),
         "y": y * float(np.exp(0.3 * rng.standard_normal())), "class": kind}
        for kind, (x, y) in middles.items() for _ in range(60)
    ]  # fmt: skip
    generated = [{**made[i], "name": f"seed {i % 5}, β = 1e-{i % 9}"} for i in range(0, 180, 14)]
    return {"task": TASK, "x": "double-sidedness", "y": "strongest connection", "log": ["x", "y"],
            "made": made, "generated": generated,
            "boundaries": [{"name": "kinks", "x": 2.0}, {"name": "connection", "y": 1.3}],
            "confusion": {"labels": list(middles), "counts": [[59, 1, 0], [0, 60, 0],
                                                              [0, 2, 58]]}}  # fmt: skip


def pictures(steps: int) -> dict[str, Any]:
    """A generated network by two layouts, and a trained one by its own."""
    generated, adam = network("double-sided"), network("adam", 3)
    drawn = [
        ("generated, β = 1e-8", generated, laid_out(generated, steps=steps), "double-sided", 210.0),
        ("the same, by networkx", generated, standard_layouts(generated)["spring"],
         "double-sided", 210.0),
        ("Adam", adam, laid_out(adam, steps=steps), "none", 480.0),
    ]  # fmt: skip
    return {"name": TASK, "networks": [
        {"name": name, "sizes": list(SIZES), "weights": packed_weights(w), "energy": layout.energy,
         "positions": packed(layout.positions), "loss": around(0.004), "length": around(bits),
         "class": kind}
        for name, w, layout, kind, bits in drawn
    ]}  # fmt: skip


def sizes(rng: np.random.Generator) -> dict[str, Any]:
    inputs, hidden = [4, 6, 8, 12, 16, 24, 32, 48, 64], [12, 18, 24, 36, 48, 72, 96, 144, 192]
    losses = [[around(min(0.03 + 0.02 * (n / h * 3) ** 2 + 0.01 * rng.random(), 1.5))
               for h in hidden] for n in inputs]  # fmt: skip
    losses[-1][0] = {"score": None, "reason": "it has fewer hidden units than inputs"}
    return {"network": "seed 0", "inputs": inputs, "hidden": hidden, "losses": losses,
            "radial": [0.13 - 0.0003 * n for n in inputs], "trained": [[8, 24]]}  # fmt: skip


def encoder(name: str, factor: float) -> dict[str, Any]:
    return {"network": name, "betas": BETAS, "with": [around(v) for v in LOSSES],
            "without": [around(min(factor * v + 0.001, 1.0)) for v in LOSSES],
            "floors": {"radial": 0.085}}  # fmt: skip


def comparison() -> list[dict[str, Any]]:
    """Not in the order of any column; the pruned network has no formula."""
    rows = [("generated", 0.011, 210, 0.02, 0.97, 0.95), ("Adam", 0.004, 480, 0.41, 0.05, 0.1),
            ("Adam + L1", 0.010, 240, 0.03, 0.9, 0.8), ("pruned", 0.012, 300, None, 0.5, 0.4),
            ("untrained", 1.0, 500, 0.99, 0.02, 0.01)]  # fmt: skip
    return [
        {"method": method, "task": TASK, "loss": around(loss, null=1.0), "length": around(bits),
         "formula": {"score": None, "reason": "none was found"} if error is None
         else around(error), "owned": around(owned, null=0.03), "aligned": around(aligned),
         "control": method == "untrained"}
        for method, loss, bits, error, owned, aligned in rows
    ]  # fmt: skip


def algorithm() -> dict[str, Any]:
    return {"network": "seed 0, β = 1e-8", "class": "double-sided", "rows": [
        {"name": "rotation of the inputs", "measure": around(41.0), "controls": {"no_op": 1.0},
         "expected": "far above 1", "said": "loss after over loss before"},
        {"name": "sided ablation", "measure": around(0.93), "controls": {"random_units": 0.12},
         "expected": "1: only its own side is lost"},
        {"name": "linear replacement", "measure": {"score": None, "reason": "no unit is unowned"},
         "controls": {}},
        {"name": "formula rebuilt, R²", "measure": around(0.98, 0.01),
         "controls": {"wrong_formula": -0.2, "adam": 0.31}},
    ]}  # fmt: skip

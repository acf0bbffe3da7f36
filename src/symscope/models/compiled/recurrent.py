"""Recurrent networks written by hand: what each does is its program, line by line.

State coordinates are whole numbers; one hidden layer of ReLU units computes the next ones exactly.
"""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.models.compiled.assembly import STATE, recurrent_design, step_program
from symscope.models.compiled.planted import Decoy, Design
from symscope.models.compiled.wiring import SHARP, Readout, Weights, Wiring, nearest, nearest_corner
from symscope.site import Site
from symscope.task import Task
from symscope.tasks.numbers import D1, EOS, KINDS, VOCABULARY, Counting, R, T
from symscope.tasks.programmed import Programmed

TOKEN = Site("embed")


def counter(highest: int = 8) -> Design:
    """Up-Down on Multi-Object: one axis counts up and down, one is the phase."""
    w = Wiring(["count", "phase"], len(VOCABULARY))
    w.linear({"count": 1, **dict.fromkeys(KINDS["multi"], 1), R: -1}, {"count": 1})
    w.linear({"phase": 1, T: 1}, {"phase": 1})
    task = Counting("multi", highest=highest, held_out=())
    return recurrent_design(
        task, w, {"count": ("count",), "phase": ("phase",)}, _stops_at_zero(w, count=1),
        {
            "wrong program: demo of up_up": Decoy("up_up", "demo", STATE),
            "wrong program: resp of up_up": Decoy("up_up", "resp", STATE),
            "wrong program: progress": Decoy("progress", "progress", STATE),
            "wrong site: the token": Decoy("up_down", "count", TOKEN),
        },
    )  # fmt: skip


def up_up_counter(highest: int = 8) -> Design:
    """Up-Up on Multi-Object: demo items and responses on axes of their own, and the phase.

    Up-Down's count is true of it as well, being an axis of this state: demo − resp.
    """
    w = Wiring(["demo", "resp", "phase"], len(VOCABULARY))
    w.linear({"demo": 1, **dict.fromkeys(KINDS["multi"], 1)}, {"demo": 1})
    w.linear({"resp": 1, R: 1}, {"resp": 1})
    w.linear({"phase": 1, T: 1}, {"phase": 1})
    task = Counting("multi", highest=highest, held_out=())
    return recurrent_design(
        task, w, {name: (name,) for name in w.coordinates}, _stops_at_zero(w, demo=1, resp=-1),
        {
            "wrong program: progress": Decoy("progress", "progress", STATE),
            "wrong site: the token": Decoy("up_up", "demo", TOKEN),
        },
        "up_up",
    )  # fmt: skip


def parity(length: int = 12) -> Design:
    """The parity of all bits so far: odd' is 1 where odd + bit is at least 1 and not 2."""
    program = step_program("parity", 1, {"odd": 1}, {"odd": "odd ^ bit"}, "odd")
    delayed = step_program("delayed", 1, {"before": 1, "last": 1},
                       {"before": "before ^ last", "last": "bit"}, "before ^ last")  # fmt: skip
    zeros = step_program("zeros", 1, {"zeros": 1, "steps": 1},
                     {"zeros": "zeros ^ (1 - bit)", "steps": "steps ^ 1"},
                     "zeros ^ steps")  # fmt: skip
    w = Wiring(["odd"], 2)
    w.at_least(1, {"odd": 1, 1: 1}, {"odd": 1})
    w.at_least(2, {"odd": 1, 1: 1}, {"odd": -1})
    return recurrent_design(
        Programmed(program, (delayed, zeros), length), w, {"odd": ("odd",)},
        nearest({"odd": 1.0}, 2, w),
        {
            "wrong step: the parity before": Decoy("delayed", "before", STATE),
            "wrong variable: the last bit": Decoy("delayed", "last", STATE),
            "wrong program: zeros": Decoy("zeros", "zeros", STATE),
            "wrong site: the token": Decoy("parity", "odd", TOKEN),
        },
    )  # fmt: skip


def modular_counter(modulus: int = 6, length: int = 12, superposition: bool = False) -> Design:
    """A count from 0 to `modulus` − 1 that starts again; tokens 0, 1 and 2 add as much.

    On one axis; in superposition on the corners of a polygon in two, where a one-hot code would
    need `modulus`. Raises `SymscopeError` unless the modulus is a whole number from 3 on.
    """
    if not isinstance(modulus, int) or modulus < 3:
        raise SymscopeError(f"modulus {modulus!r}: a whole number, 3 or more")
    high = modulus - 1
    added = f"(rest + bit) % {modulus}"
    program = step_program("modular", 2, {"rest": high}, {"rest": added}, "rest")
    delayed = step_program("delayed", 2, {"before": high, "last": 2},
                       {"before": f"(before + last) % {modulus}", "last": "bit"},
                       f"(before + last) % {modulus}")  # fmt: skip
    steps = step_program("steps", 2, {"extra": high, "time": high},
                     {"extra": f"(extra + bit - 1) % {modulus}", "time": f"(time + 1) % {modulus}"},
                     f"(extra + time) % {modulus}")  # fmt: skip
    task = Programmed(program, (delayed, steps), length)
    decoys = {
        "wrong step: the rest before": Decoy("delayed", "before", STATE),
        "wrong variable: the last token": Decoy("delayed", "last", STATE),
        "wrong program: steps": Decoy("steps", "extra", STATE),
        "wrong site: the token": Decoy("modular", "rest", TOKEN),
    }
    if superposition:
        decoys = {why: Decoy(d.program, d.variable, d.site, 2) for why, d in decoys.items()}
        decoys["too small: one of two dimensions"] = Decoy("modular", "rest", STATE, 1)
        return _polygon(task, modulus, decoys)
    w = Wiring(["rest"], 3)
    w.linear({"rest": 1, 1: 1, 2: 2}, {"rest": 1})
    w.at_least(modulus, {"rest": 1, 1: 1, 2: 2}, {"rest": -modulus})
    return recurrent_design(
        task, w, {"rest": ("rest",)}, nearest({"rest": 1.0}, modulus, w), decoys
    )


def running_maximum(high: int = 5, length: int = 8) -> Design:
    """The largest token so far: most' = most + relu(token − most)."""
    program = step_program("maximum", high, {"most": high}, {"most": "max(most, bit)"}, "most")
    levels = range(1, high + 1)
    stairs = step_program(
        "stairs", high, {f"over{k}": 1 for k in levels},
        {f"over{k}": f"max(over{k}, bit >= {k})" for k in levels},
        " + ".join(f"over{k}" for k in levels),
    )  # fmt: skip
    last = step_program("last", high, {"most": high, "last": high},
                    {"most": "max(most, bit)", "last": "bit"}, "most")  # fmt: skip
    w = Wiring(["most"], high + 1)
    w.linear({"most": 1}, {"most": 1})
    w.unit({"most": -1, **{k: float(k) for k in range(high + 1)}}, {"most": 1})
    return recurrent_design(
        Programmed(program, (stairs, last), length), w, {"most": ("most",)},
        nearest({"most": 1.0}, high + 1, w),
        {
            "wrong program: one step of the stairs": Decoy("stairs", f"over{high - 2}", STATE),
            "wrong variable: the last token, which does nothing": Decoy("last", "last", STATE),
            "wrong site: the token": Decoy("maximum", "most", TOKEN),
        },
    )  # fmt: skip


def adder(length: int = 10) -> Design:
    """Two numbers added digit by digit, the lowest first: token 2·a + b; carry and digit are state.

    s = a + b + carry, carry' = 1 where s is 2 or more, digit' = s − 2 carry'.
    """
    bits = "bit // 2 + bit % 2"
    program = step_program("adder", 3, {"carry": 1, "digit": 1},
                       {"sum": f"{bits} + carry", "carry": "1 if sum >= 2 else 0",
                        "digit": "sum % 2"}, "digit")  # fmt: skip
    delayed = step_program("delayed", 3, {"before": 1, "last": 2},
                       {"before": "(before + last) // 2", "last": bits},
                       "(before + last) % 2")  # fmt: skip
    w = Wiring(["carry", "digit"], 4)
    reads: Weights = {"carry": 1, 1: 1, 2: 1, 3: 2}
    w.at_least(2, reads, {"carry": 1, "digit": -2})
    w.linear(reads, {"digit": 1})
    return recurrent_design(
        Programmed(program, (delayed,), length), w,
        {"carry": ("carry",), "digit": ("digit",)}, nearest({"digit": 1.0}, 2, w),
        {
            "wrong step: the carry before": Decoy("delayed", "before", STATE),
            "wrong variable: the last two bits": Decoy("delayed", "last", STATE),
            "wrong site: the token": Decoy("adder", "carry", TOKEN),
        },
    )  # fmt: skip


def register(size: int = 3, high: int = 3, length: int = 10) -> Design:
    """The last `size` tokens, shifted along at every step; the oldest comes out. Linear."""
    names = [f"back{i}" for i in range(size)]
    rules = {names[i]: names[i - 1] if i else "bit" for i in range(size)}
    program = step_program("register", high, dict.fromkeys(names, high), rules, names[-1])
    slots = [f"slot{i}" for i in range(size)]
    ring = step_program(
        "ring", high, {**dict.fromkeys(slots, high), "turn": size - 1},
        {**{s: f"bit if turn == {i} else {s}" for i, s in enumerate(slots)},
         "turn": f"(turn + 1) % {size}"},
        " + ".join(f"({s} if turn == {i} else 0)" for i, s in enumerate(slots)),
    )  # fmt: skip
    w = Wiring(names, high + 1)
    for i in range(1, size):
        w.linear({names[i - 1]: 1}, {names[i]: 1})
    w.unit({k: float(k) for k in range(high + 1)}, {names[0]: 1})
    return recurrent_design(
        Programmed(program, (ring,), length), w, {name: (name,) for name in names},
        nearest({names[-1]: 1.0}, high + 1, w),
        {
            "wrong program: a slot of a ring": Decoy("ring", "slot0", STATE),
            "wrong program: where the ring stands": Decoy("ring", "turn", STATE),
            "wrong site: the token": Decoy("register", names[-1], TOKEN),
        },
    )  # fmt: skip


def depth_counter(length: int = 10) -> Design:
    """Brackets: 0 opens, 1 closes; closing what is not open is dead for ever; answers 1 if closed.

    depth' = relu(depth + 1 − 2·bit), dead' = 1 where bit − depth + 20·dead is at least 1.
    """
    program = step_program(
        "depth", 1, {"depth": length, "dead": 1},
        {"depth": "max(depth + 1 - 2 * bit, 0)",
         "dead": "1 if depth == 0 and bit == 1 else dead"},
        "1 if depth == 0 and dead == 0 else 0",
    )  # fmt: skip
    both = step_program(
        "opened_and_closed", 1, {"opened": length, "closed": length, "lost": 1},
        {"opened": "opened + 1 - bit", "closed": "closed + bit",
         "lost": "1 if closed == opened and bit == 1 else lost"},
        "1 if opened == closed and lost == 0 else 0",
    )  # fmt: skip
    w = Wiring(["depth", "dead"], 2)
    w.unit({"depth": 1, 0: 1, 1: -1}, {"depth": 1})
    w.at_least(1, {"dead": 20, "depth": -1, 1: 1}, {"dead": 1})
    weights, bias = torch.zeros(2, 2), torch.zeros(2)
    weights[1], bias[1] = torch.tensor([-2 * SHARP, -4 * SHARP]), SHARP
    return recurrent_design(
        Programmed(program, (both,), length, _brackets(length)), w,
        {"depth": ("depth",), "dead": ("dead",)}, (weights, bias),
        {
            "wrong program: opened": Decoy("opened_and_closed", "opened", STATE),
            "wrong program: closed": Decoy("opened_and_closed", "closed", STATE),
            "wrong site: the token": Decoy("depth", "depth", TOKEN),
        },
    )  # fmt: skip


def _stops_at_zero(wiring: Wiring, **left: float) -> Readout:
    """A demo item in phase 0, which nobody scores; then R while `left` is 1 or more, and EOS."""
    x = torch.tensor([left.get(name, 0.0) for name in wiring.coordinates])
    weights = torch.zeros(len(VOCABULARY), len(x))
    weights[R], weights[EOS] = SHARP * x, -SHARP * x
    weights[D1, wiring.coordinates.index("phase")] = -120 * SHARP
    bias = torch.full((len(VOCABULARY),), -60 * SHARP)
    bias[R], bias[EOS], bias[D1] = -SHARP / 2, SHARP / 2, 60 * SHARP
    return weights, bias


def _polygon(task: Task, modulus: int, decoys: Mapping[str, Decoy]) -> Design:
    """The rest on the corners of a regular polygon; a token turns it by as many corners.

    A token opens its own units: relu(p + 4 · (token − 1) + 2) − relu(4 · (token − 1) + 2) is p
    where it is there, and 0 where it is not.
    """
    angle = 2 * torch.pi * torch.arange(modulus) / modulus
    w = Wiring(["x", "y"], 3)
    for token in range(3):
        cos, sin = float(angle[token].cos()), float(angle[token].sin())
        others = {other: -4.0 for other in range(3) if other != token}
        for name, column in (("x", (cos, sin)), ("y", (-sin, cos))):
            writes = {"x": column[0], "y": column[1]}
            w.unit({name: 1, **others}, writes, bias=2)
            w.unit(others, {k: -v for k, v in writes.items()}, bias=2)
    readout = nearest_corner("x", "y", modulus, w.coordinates)
    return recurrent_design(task, w, {"rest": ("x", "y")}, readout, decoys, start={"x": 1.0})


def _brackets(length: int) -> Callable[[int, torch.Generator], Tensor]:
    """Sequences of brackets of which about half are never closed too often."""

    def draw(count: int, generator: torch.Generator) -> Tensor:
        bits = (torch.rand(count, length, generator=generator) < 0.45).long()
        careful = torch.rand(count, generator=generator) < 0.7
        depth = torch.zeros(count, dtype=torch.long)
        for step in range(length):
            bits[careful & (depth == 0), step] = 0
            depth += 1 - 2 * bits[:, step]
        return bits

    return draw

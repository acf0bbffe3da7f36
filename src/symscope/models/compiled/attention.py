"""Transformers written by hand: what each head looks for, and what it brings.

Tokens and positions lie on circles, so that a query finds its key by the largest cosine. One head
per block; token 0 stands first, has no code, and is what a query finds that finds nothing else.
"""

import math
from collections.abc import Mapping, Sequence
from itertools import pairwise

import torch
from torch import Tensor

from symscope.models.compiled.heads import GAP, Head, attention_design, circle
from symscope.models.compiled.planted import Decoy, Design
from symscope.models.compiled.wiring import SHARP, nearest_corner
from symscope.program import Program, Variable
from symscope.site import Site
from symscope.tasks.programmed import Draw, Programmed


def delayed_copy(delay: int = 2, values: int = 4, length: int = 8) -> Design:
    """The token of `delay` steps ago, at every step: fetched by position, carried nowhere.

    Before there is one it is the first token. A register does the same and is a wrong program.
    """
    back = [f"back{i}" for i in range(delay)]
    rules = {"item": f"{back[-1]} if begun else token", "begun": "1"}
    rules |= {name: f"{back[i - 1]} if begun else token" if i else "token"
              for i, name in enumerate(back)}  # fmt: skip
    token = Variable("token", 0, values - 1)
    variables = tuple(Variable(name, 0, values - 1) for name in rules)
    start = dict.fromkeys(("begun", *back), 0)
    program = Program("copy", (token,), variables, rules, "item", start=start)
    coordinates = ("tx", "ty", "px", "py", "ox", "oy")
    ring = length + delay
    turn, sharp = 2 * math.pi * delay / ring, GAP / (1 - math.cos(2 * math.pi / ring))
    cos, sin = sharp * math.cos(turn), sharp * math.sin(turn)
    head = Head(
        [({"px": cos, "py": sin}, {"px": 1}), ({"px": -sin, "py": cos}, {"py": 1})],
        [({"tx": 1}, {"ox": 1}), ({"ty": 1}, {"oy": 1})],
    )
    after = Site("blocks.0")
    return attention_design(
        Programmed(program, length=length), coordinates,
        circle("tx", "ty", values), circle("px", "py", length, ring), [head],
        nearest_corner("ox", "oy", values, coordinates), {"item": (after, ("ox", "oy"))},
        {
            "wrong program: a register": Decoy("copy", "back0", after, 2),
            "wrong site: before it is fetched": Decoy("copy", "item", Site("blocks.0", "input"), 2),
            "too small: one of two dimensions": Decoy("copy", "item", after, 1),
        },
        every=True,
    )  # fmt: skip


def induction(tokens: int = 5, length: int = 6) -> Design:
    """What followed the last token when it was seen before: induction (Olsson et al., 2022).

    The first block brings each position the token before it, `prev`; the second looks for the
    `prev` that is the last token and brings what stands there; 0 where there is none.
    """
    names = [f"x{i}" for i in range(length + 1)]
    asked, later = names[-1], range(2, length + 1)
    rules = {f"prev{i}": names[i - 1] for i in later}
    rules["hits"] = " + ".join(f"(1 if prev{i} == {asked} else 0)" for i in later)
    found = "".join(f"{names[i]} if prev{i} == {asked} else " for i in later) + "0"
    rules["item"] = f"-1 if hits > 1 else {found}"
    inputs = _inputs(names, tokens)
    program = _expression("induction", inputs, rules, "item")
    earlier = range(1, length)
    ahead = {f"next{i}": names[i + 1] for i in earlier}
    ahead["seen"] = " + ".join(f"(1 if {names[i]} == {asked} else 0)" for i in earlier)
    found = "".join(f"next{i} if {names[i]} == {asked} else " for i in earlier) + "0"
    keyed = _expression("keyed", inputs, ahead, f"-1 if seen > 1 else {found}")
    coordinates = ("tx", "ty", "px", "py", "one", "first", "vx", "vy", "ox", "oy")
    ring = length + 2
    sharp = GAP / (1 - math.cos(2 * math.pi / ring))
    cos, sin = (sharp * f(2 * math.pi / ring) for f in (math.cos, math.sin))
    before = Head(
        [({"px": cos, "py": sin}, {"px": 1}), ({"px": -sin, "py": cos}, {"py": 1})],
        [({"tx": 1}, {"vx": 1}), ({"ty": 1}, {"vy": 1})],
    )
    near = math.cos(2 * math.pi / tokens)
    sharp = 2 * GAP / (1 - near)
    match = Head(
        [({"tx": sharp}, {"vx": 1}), ({"ty": sharp}, {"vy": 1}),
         ({"one": sharp * (1 + near) / 2}, {"first": 1})],
        [({"tx": 1}, {"ox": 1}), ({"ty": 1}, {"oy": 1})],
    )  # fmt: skip
    places = {**circle("px", "py", length + 1, ring), "one": torch.ones(length + 1)}
    places["first"] = (torch.arange(length + 1) == 0).float()
    end, middle = Site("blocks.1", position=length), length // 2
    at = {f"prev{i}": (Site("blocks.0", position=i), ("vx", "vy")) for i in later}
    return attention_design(
        Programmed(program, (keyed,), draw=_asked_again(tokens, length)), coordinates,
        circle("tx", "ty", tokens, first=1), places, [before, match],
        nearest_corner("ox", "oy", tokens, coordinates, none=True),
        {"item": (end, ("ox", "oy")), **at},
        {
            "wrong program: what comes next": Decoy(
                "keyed", f"next{middle}", Site("blocks.0", position=middle), 2),
            "wrong position: one further": Decoy(
                "induction", f"prev{middle}", Site("blocks.0", position=middle + 1), 2),
            "wrong site: before it is fetched": Decoy(
                "induction", f"prev{middle}", Site("blocks.0", "input", middle), 2),
            "wrong site: after its reader": Decoy(
                "induction", f"prev{middle}", Site("blocks.1", position=middle), 2),
            "too small: one of two dimensions": Decoy("induction", "item", end, 1),
        },
    )  # fmt: skip


def dereference(hops: int = 1, cells: int = 5) -> Design:
    """Cells hold the numbers of cells; follow the last token's number once, or twice.

    One block per hop, at the last position. Resolving every cell first (`backwards`) gives the
    same answers and is a wrong program.
    """
    names = [f"x{i}" for i in range(cells + 2)]
    asked, end = names[-1], cells + 1
    order = ["first", "item"][2 - hops :]
    rules = {name: _looked_up(asked if i == 0 else order[i - 1], names[1:-1])
             for i, name in enumerate(order)}  # fmt: skip
    inputs = _inputs(names, cells)
    program = _expression(f"dereference{hops}", inputs, rules, "item")
    held = {f"cell{i}": names[i] for i in range(1, cells + 1)}
    resolved = held if hops == 1 else {f"cell{i}": _looked_up(names[i], names[1:-1])
                                       for i in range(1, cells + 1)}  # fmt: skip
    backwards = _expression("backwards", inputs, resolved, _looked_up(asked, list(held)))
    coordinates = (
        "tx",
        "ty",
        "px",
        "py",
        *(f"{axis}{hop}" for hop in range(hops) for axis in "xy"),
    )
    sharp = GAP / (1 - math.cos(2 * math.pi / cells))
    pointers = [("tx", "ty"), *((f"x{hop}", f"y{hop}") for hop in range(hops))]
    heads = [
        Head([({x: sharp}, {"px": 1}), ({y: sharp}, {"py": 1})],
             [({"tx": 1}, {to_x: 1}), ({"ty": 1}, {to_y: 1})])
        for (x, y), (to_x, to_y) in pairwise(pointers)
    ]  # fmt: skip
    places = {name: torch.nn.functional.pad(code, (1, 1))
              for name, code in circle("px", "py", cells).items()}  # fmt: skip
    final = Site(f"blocks.{hops - 1}", position=end)
    cell = Site("blocks.0", position=3)
    decoys = {
        "wrong program: a cell after it is read" if hops == 1 else "wrong program: backwards":
            Decoy("backwards", "cell3", cell, 2),
        "wrong site: before it is fetched": Decoy(
            program.name, "item", Site(f"blocks.{hops - 1}", "input", end), 2),
        "wrong position: a cell": Decoy(program.name, "item", Site(final.module, position=3), 2),
        "too small: one of two dimensions": Decoy(program.name, "item", final, 1),
    }  # fmt: skip
    return attention_design(
        Programmed(program, (backwards,)), coordinates, circle("tx", "ty", cells, first=1), places,
        heads, nearest_corner(*pointers[-1], cells, coordinates, none=True),
        {name: (Site(f"blocks.{i}", position=end), pointers[i + 1])
         for i, name in enumerate(order)},
        decoys,
    )  # fmt: skip


def counting_by_attention(length: int = 7) -> Design:
    """Whether more 1s than 2s were seen: +1 and −1 are averaged over the context, none is carried.

    The average so far can be read at every position, but nothing later depends on it.
    """
    names = [f"x{i}" for i in range(length)]
    half, end = length // 2, length - 1
    rules = {f"value{i}": f"1 if {name} == 1 else -1 if {name} == 2 else 0"
             for i, name in enumerate(names)}  # fmt: skip
    values = list(rules)
    inputs = tuple(Variable(name, 0, 2) for name in names)
    answer = "1 if lead >= 1 else 0"
    program = _expression("averaged", inputs, {**rules, "lead": " + ".join(values)}, answer)
    carried = _expression(
        "carried", inputs,
        {**rules, "so_far": " + ".join(values[: half + 1]),
         "lead": "so_far + " + " + ".join(values[half + 1 :])}, answer,
    )  # fmt: skip
    coordinates = ("value", "mean")
    readout = 4 * SHARP * torch.tensor([[0.0, 0.0], [0.0, length]]), torch.tensor([0, -2 * SHARP])
    at = {f"value{i}": (Site("blocks.0", "input", i), ("value",)) for i in range(length)}
    return attention_design(
        Programmed(program, (carried,)), coordinates, {"value": torch.tensor([0.0, 1.0, -1.0])},
        {"value": torch.zeros(length)},
        [Head([], [({"value": 1}, {"mean": 1})])], readout,
        {"lead": (Site("blocks.0", position=end), ("mean",)), **at},
        {
            "wrong program: the count so far": Decoy(
                "carried", "so_far", Site("blocks.0", position=half)),
            "wrong program: the count so far, before": Decoy(
                "carried", "so_far", Site("blocks.0", "input", half)),
            "wrong site: after its reader": Decoy(
                "averaged", "value2", Site("blocks.0", position=2)),
            "wrong position": Decoy("averaged", "value2", Site("blocks.0", "input", 3)),
        },
    )  # fmt: skip


def vote(copies: int = 3) -> Design:
    """A bit copied to several positions, of which the majority counts: the redundant case.

    Editing one copy has no effect, though the bit is there; editing most of them has.
    """
    length = copies + 2
    names = [f"x{i}" for i in range(length)]
    inputs = (Variable("x0", 0, 1), *(Variable(name, 0, 3) for name in names[1:]))
    program = _expression("vote", inputs, {"bit": "x0"}, "bit")
    coordinates = ("bit", "first", "middle", "one", "copy", "mean")
    at = torch.arange(length)
    places = {"first": (at == 0).float(), "one": torch.ones(length)}
    places["middle"] = ((at > 0) & (at <= copies)).float()
    heads = [
        Head([({"one": 2 * GAP}, {"first": 1})], [({"bit": 1}, {"copy": 1})]),
        Head([({"one": 2 * GAP}, {"middle": 1})], [({"copy": 1}, {"mean": 1})]),
    ]
    readout = (
        8 * SHARP * torch.tensor([[0.0] * 6, [0.0] * 5 + [1.0]]),
        torch.tensor([0, -4 * SHARP]),
    )
    return attention_design(
        Programmed(program), coordinates, {"bit": torch.tensor([0.0, 1.0, 0.0, 0.0])}, places,
        heads, readout, {"bit": (Site("blocks.1", position=length - 1), ("mean",))},
        {
            f"redundant: copy {i} of {copies}": Decoy("vote", "bit", Site("blocks.0", position=i))
            for i in range(1, copies + 1)
        },
    )  # fmt: skip


def _inputs(names: Sequence[str], tokens: int) -> tuple[Variable, ...]:
    return (Variable(names[0], 0, 0), *(Variable(name, 1, tokens) for name in names[1:]))


def _looked_up(pointer: str, cells: Sequence[str]) -> str:
    """The cell that `pointer` numbers, counted from 1."""
    chosen = "".join(f"{cell} if {pointer} == {i} else " for i, cell in enumerate(cells[:-1], 1))
    return chosen + cells[-1]


def _expression(
    name: str, inputs: tuple[Variable, ...], rules: Mapping[str, str], output: str
) -> Program:
    high = int(max(v.high for v in inputs))
    return Program(name, inputs, tuple(Variable(r, -1, high) for r in rules), rules, output)


def _asked_again(tokens: int, length: int) -> Draw:
    """Sequences whose last token has mostly been seen once before."""

    def draw(count: int, generator: torch.Generator) -> Tensor:
        body = torch.rand(count, tokens, generator=generator).argsort(1)[:, : length - 1] + 1
        again = torch.randint(length - 1, (count, 1), generator=generator)
        return torch.cat([torch.zeros(count, 1, dtype=torch.long), body, body.gather(1, again)], 1)

    return draw

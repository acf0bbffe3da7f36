"""Feed-forward networks written by hand: what each block adds to the residual stream, and why.

Coordinates hold whole numbers (the clock's hold cosines and sines). The embedding writes the
inputs, blocks of hidden units everything else, exactly.
"""

from collections.abc import Mapping, Sequence
from typing import cast

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.models.compiled.planted import Built, Decoy, Design
from symscope.models.compiled.wiring import SHARP, Readout, Wiring, nearest
from symscope.models.mlp import MLPBlock, ResidualMLP
from symscope.program import Program, Variable
from symscope.site import Site
from symscope.task import Task
from symscope.tasks.programmed import Draw, Programmed

Gates = Mapping[str, tuple[str, str, str]]
"""Name → (kind, first input, second input)."""

_XORS: tuple[Gates, ...] = (
    {"left": ("xor", "a", "b"), "right": ("xor", "c", "d")},
    {"out": ("xor", "left", "right")},
)
_THREE: Gates = {"left": ("xor", "a", "b"), "middle": ("xor", "c", "d"), "right": ("xor", "e", "f")}
_DIFFER: Gates = {"first": ("xor", "left", "middle"), "second": ("xor", "middle", "right")}
CIRCUITS: Mapping[int, tuple[Gates, ...]] = {
    2: _XORS,
    3: (_THREE, _DIFFER, {"out": ("or", "first", "second")}),
    4: (
        _THREE,
        _DIFFER,
        {"unequal": ("or", "first", "second"), "flip": ("and", "g", "h")},
        {"out": ("xor", "unequal", "flip")},
    ),
}
"""Depth → the gates of each layer; `out` is the answer."""

REGROUPED: Mapping[int, tuple[str, str, str]] = {
    2: ("a ^ c", "mixed ^ (b ^ d)", "blocks.0"),
    3: ("left ^ right", "max(mixed, first)", "blocks.1"),
    4: ("left ^ right", "max(mixed, first) ^ flip", "blocks.1"),
}
"""Depth → a gate `mixed` that the circuit does not have, the same answer by it, and a site."""


def circuit(depth: int = 3) -> Design:
    """A Boolean circuit of `depth` layers: each gate has an axis, which its layer's block writes.

    A gate is there after its own block, until the last block that reads it; and one block earlier,
    as the sum of its inputs, but no sooner.
    """
    if depth not in CIRCUITS:
        raise SymscopeError(f"depth {depth!r}: there is {', '.join(map(str, CIRCUITS))}")
    layers = CIRCUITS[depth]
    gates = {name: gate for layer in layers for name, gate in layer.items()}
    bits = sorted({name for _, *ins in gates.values() for name in ins if name not in gates})
    names, blocks = [*bits, *gates], []
    for layer in layers:
        blocks.append(Wiring(names))
        for name, gate in layer.items():
            _gate(blocks[-1], name, *gate)
    inputs = tuple(Variable(bit, 0, 1) for bit in bits)
    rules = {name: _RULES[kind].format(*ins) for name, (kind, *ins) in gates.items()}
    program = _expression("circuit", inputs, rules, "out")
    mixed, answer, place = REGROUPED[depth]
    deep = next(iter(layers[1]))
    inner = {k: rule for k, rule in rules.items() if k != "out"}
    regrouped = _expression("regrouped", inputs, {**inner, "mixed": mixed}, answer)
    true = {name: (Site(f"blocks.{i}"), (names.index(name),))
            for i, layer in enumerate(layers[:-1]) for name in layer}  # fmt: skip
    return _design(
        Programmed(program, (regrouped,)), 2, blocks, {b: {b: 1.0} for b in bits},
        nearest({"out": 1.0}, 2, blocks[0]), true,
        {
            "wrong program: regrouped": Decoy("regrouped", "mixed", Site(place)),
            "wrong site: before its inputs": Decoy("circuit", deep, Site("blocks.0", "input")),
            "wrong site: after its readers": Decoy("circuit", "left", Site("blocks.1")),
        },
    )  # fmt: skip


def hierarchical_equality(values: int = 4) -> Design:
    """Whether a = b agrees with c = d: two judgements in the first block, one in the second.

    The task of Geiger et al. (2023). Before the first block `left` is there as well, since a − b is
    an axis of the inputs, so that site is no decoy.
    """
    names = ["a", "b", "c", "d", "left", "right", "same"]
    first, second = Wiring(names), Wiring(names)
    first.equal("a", "b", {"left": 1})
    first.equal("c", "d", {"right": 1})
    second.equal("left", "right", {"same": 1})
    inputs = tuple(Variable(name, 0, values - 1) for name in names[:4])
    judged = {"left": "1 if a == b else 0", "right": "1 if c == d else 0"}
    program = _expression("hierarchical", inputs, judged, "1 if left == right else 0")
    both = _expression(
        "both", inputs,
        {**judged, "both": "left * right", "neither": "(1 - left) * (1 - right)"},
        "max(both, neither)",
    )  # fmt: skip
    crossed = _expression("crossed", inputs, {**judged, "across": "1 if a == c else 0"},
                          "1 if left == right else 0")  # fmt: skip
    after = Site("blocks.0")
    return _design(
        Programmed(program, (both, crossed), draw=_half_equal(values)), values, [first, second],
        {name: {name: 1.0} for name in names[:4]}, nearest({"same": 1.0}, 2, first),
        {"left": (after, (4,)), "right": (after, (5,))},
        {
            "wrong program: both": Decoy("both", "both", after),
            "wrong variable: a = c, which does nothing": Decoy("crossed", "across", after),
            "wrong site: after its reader": Decoy("hierarchical", "left", Site("blocks.1")),
        },
    )  # fmt: skip


def clock(modulus: int = 7, frequencies: Sequence[int] = (1, 2)) -> Design:
    """(a + b) mod `modulus` on circles: angles are added by products, 4xy = (x + y)² − (x − y)².

    Each frequency k has a circle, on which the sum turns k times. After Nanda et al. (2023) and
    Zhong et al. (2023). Raises `SymscopeError` unless the modulus is a whole number from 3 on.
    """
    if not isinstance(modulus, int) or modulus < 3:
        raise SymscopeError(f"modulus {modulus!r}: a whole number, 3 or more")
    names = [f"{part}{k}" for part in ("ca", "sa", "cb", "sb", "cos", "sin") for k in frequencies]
    block = Wiring(names)
    for k in frequencies:
        for left, right, to, sign in (("ca", "cb", "cos", 1), ("sa", "sb", "cos", -1),
                                      ("sa", "cb", "sin", 1), ("ca", "sb", "sin", 1)):  # fmt: skip
            for second in (1.0, -1.0):
                reads = {f"{left}{k}": 1.0, f"{right}{k}": second}
                block.unit(reads, {f"{to}{k}": sign * second / 4})
    angle = 2 * torch.pi * torch.arange(modulus) / modulus
    written = {name: torch.zeros(modulus) for name in names}
    weights = torch.zeros(modulus, len(names))
    for k in frequencies:
        cos, sin = (k * angle).cos(), (k * angle).sin()
        written |= {f"ca{k}": cos, f"cb{k}": cos, f"sa{k}": sin, f"sb{k}": sin}
        weights[:, names.index(f"cos{k}")], weights[:, names.index(f"sin{k}")] = cos, sin
    inputs = Variable("a", 0, modulus - 1), Variable("b", 0, modulus - 1)
    program = _expression("clock", inputs, {"sum": f"(a + b) % {modulus}"}, "sum")
    apart = _expression(
        "apart", inputs, {"gap": f"(a - b) % {modulus}", "twice": f"2 * a % {modulus}"},
        f"(twice - gap) % {modulus}",
    )  # fmt: skip
    circles = tuple(range(len(names) - 2 * len(frequencies), len(names)))
    embedded = {
        who: {name: values for name, values in written.items() if name[1:2] == who}
        for who in ("a", "b")
    }
    size = len(circles)
    return _design(
        Programmed(program, (apart,)), modulus, [block], embedded,
        (6 * SHARP * weights, torch.zeros(modulus)), {"sum": (Site("blocks.0"), circles)},
        {
            "wrong program: the gap": Decoy("apart", "gap", Site("blocks.0"), size),
            "too small: half of the dimensions": Decoy("clock", "sum", Site("blocks.0"), size // 2),
            "wrong site: before the product": Decoy(
                "clock", "sum", Site("blocks.0", "input"), size),
        },
        "square",
    )  # fmt: skip


_RULES = {"and": "{0} * {1}", "or": "max({0}, {1})", "xor": "{0} ^ {1}"}


def _gate(block: Wiring, name: str, kind: str, left: str, right: str) -> None:
    """and: at least 2 of both; or: at least 1; xor: at least 1, but not 2."""
    reads = {left: 1.0, right: 1.0}
    if kind != "and":
        block.at_least(1, reads, {name: 1})
    if kind != "or":
        block.at_least(2, reads, {name: 1 if kind == "and" else -1})


def _expression(
    name: str, inputs: tuple[Variable, ...], rules: Mapping[str, str], output: str
) -> Program:
    high = int(max(v.high for v in inputs))
    return Program(name, inputs, tuple(Variable(r, 0, high) for r in rules), rules, output)


def _half_equal(values: int) -> Draw:
    """Four numbers each, of which the first two are equal half of the time, and so the others."""

    def draw(count: int, generator: torch.Generator) -> Tensor:
        inputs = torch.randint(values, (count, 4), generator=generator)
        for first, second in ((0, 1), (2, 3)):
            again = torch.rand(count, generator=generator) < 0.5 - 0.5 / values
            inputs[again, second] = inputs[again, first]
        return inputs

    return draw


def _design(
    task: Task, values: int, blocks: Sequence[Wiring],
    embedded: Mapping[str, Mapping[str, float | Tensor]], readout: Readout,
    true: Mapping[str, tuple[Site, tuple[int, ...]]], decoys: Mapping[str, Decoy],
    activation: str = "relu",
) -> Design:  # fmt: skip  # one parameter per part of the network and its claims
    """A residual network; `embedded` says what each input's value v writes: v, or entry v."""
    names = blocks[0].coordinates

    def build(width: int, noise: int, generator: torch.Generator) -> Built:
        hidden = [len(block.units) + noise for block in blocks]
        weights, offset = readout
        module = ResidualMLP(len(embedded), values, width, hidden, len(offset), activation)
        with torch.no_grad():
            for weight in module.parameters():
                weight.zero_()
            table = module.embed.weight.view(len(embedded), values, width)
            for row, writes in zip(table, embedded.values(), strict=True):
                for name, value in writes.items():
                    row[:, names.index(name)] = value * torch.ones(values) if isinstance(
                        value, Tensor) else value * torch.arange(float(values))  # fmt: skip
            noisy = slice(len(names), len(names) + noise)
            table[..., noisy] = torch.randn(*table.shape[:2], noise, generator=generator)
            for wiring, block in zip(blocks, _blocks(module), strict=True):
                _fill(block, wiring, noisy, generator)
            module.readout.weight[:, : weights.shape[1]] = weights
            module.readout.bias.copy_(offset)
        writers, readers = [module.embed.weight.detach()], [module.readout.weight.detach()]
        for block in _blocks(module):
            writers += [block.write.weight.detach().T, block.write.bias.detach()]
            readers.append(block.read.weight.detach())
        return module, writers, readers

    return Design(task, task.program.name, build, len(names), true, decoys)


def _blocks(module: ResidualMLP) -> list[MLPBlock]:
    return cast("list[MLPBlock]", list(module.blocks))


def _fill(block: MLPBlock, wiring: Wiring, noisy: slice, generator: torch.Generator) -> None:
    """The block's units, and units that mix noise and inputs into noise."""
    read, bias, write = wiring.layer(block.read.in_features)
    units, noise = len(wiring.units), noisy.stop - noisy.start
    block.read.weight[:units], block.read.bias[:units] = read, bias
    block.write.weight[:, :units] = write
    reach = noisy.stop
    mixed = torch.randn(noise, reach, generator=generator) / reach**0.5
    block.read.weight[units:, :reach] = mixed
    block.write.weight[noisy, units:] = 0.5 * torch.randn(noise, noise, generator=generator)

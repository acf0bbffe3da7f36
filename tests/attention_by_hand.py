"""Transformers whose heads are written by hand, several to a block; their circuit is known."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from symscope.models.compiled.heads import Head, circle
from symscope.models.transformer import Transformer
from symscope.network import Network

Codes = Mapping[str, Tensor]


def attentive(
    coordinates: Sequence[str], tokens: Codes, places: Codes, blocks: Sequence[Sequence[Head]],
    answers: Codes, sharp: float = 4.0, noise: float = 0.0,
) -> Network:  # fmt: skip
    """A network whose residual stream has these coordinates and whose blocks have these heads.

    `answers` say what each class reads, times `sharp`. `noise` is the size of what the MLPs write,
    on coordinates of their own that nothing reads.
    """
    heads, length = len(blocks[0]), max(map(len, places.values()))
    share = -(-(len(coordinates) + 4) // heads)
    vocabulary = max(map(len, tokens.values()))
    model = Transformer(vocabulary, heads * share, len(blocks), heads, "learned", False, length)
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        for table, codes in ((model.embed.weight, tokens), (model.place.weight, places)):
            for name, code in codes.items():
                table[: len(code), coordinates.index(name)] = code
        for block, specs in zip(model.blocks, blocks, strict=True):
            for head, spec in enumerate(specs):
                _fill(block.attention, spec, coordinates, slice(head * share, (head + 1) * share))
            for layer in (block.mlp[0], block.mlp[2]):
                layer.weight.copy_(noise * torch.randn(layer.weight.shape, generator=generator))
            block.mlp[2].weight[: len(coordinates)] = 0
            block.attention.out.bias[-1] = 0.7
        for name, code in answers.items():
            model.readout.weight[: len(code), coordinates.index(name)] = sharp * code
    return Network(model)


def _fill(attention, spec: Head, coordinates: Sequence[str], rows: slice) -> None:
    share = rows.stop - rows.start
    pairs = ((attention.q, 0, spec.looks, share**0.5), (attention.k, 1, spec.looks, 1.0),
             (attention.v, 0, spec.brings, 1.0))  # fmt: skip
    for layer, side, products, scale in pairs:
        for row, product in enumerate(products):
            for name, weight in product[side].items():
                layer.weight[rows.start + row, coordinates.index(name)] = scale * weight
    for row, (_, writes) in enumerate(spec.brings):
        for name, weight in writes.items():
            attention.out.weight[coordinates.index(name), rows.start + row] = weight


NOTHING = Head([], [])


def same(x: str, y: str, kx: str, ky: str, sharp: float) -> list:
    """Looks where the circle (kx, ky) has the angle of the query's (x, y)."""
    return [({x: sharp}, {kx: 1.0}), ({y: sharp}, {ky: 1.0})]


def moved(x: str, y: str, to_x: str, to_y: str) -> list:
    """Brings a point of one circle to another."""
    return [({x: 1.0}, {to_x: 1.0}), ({y: 1.0}, {to_y: 1.0})]


TOKENS, LENGTH = 6, 8
"""Of the induction network: symbols 1 to 6, after a first 0."""


def induction(noise: float = 0.3) -> Network:
    """What followed the last token before: 0.1 looks back one step, 1.0 for the token it saw.

    0.0 and 1.1 do nothing.
    """
    coordinates = ("tx", "ty", "px", "py", "vx", "vy", "ox", "oy", "one", "first")
    ring = LENGTH + 2
    turn, sharp = 2 * math.pi / ring, 12 / (1 - math.cos(2 * math.pi / ring))
    cos, sin = sharp * math.cos(turn), sharp * math.sin(turn)
    back = Head(
        [({"px": cos, "py": sin}, {"px": 1.0}), ({"px": -sin, "py": cos}, {"py": 1.0})],
        moved("tx", "ty", "vx", "vy"),
    )
    near = math.cos(2 * math.pi / TOKENS)
    sharp = 24 / (1 - near)
    rest = [({"one": sharp * (1 + near) / 2}, {"first": 1.0})]
    match = Head(same("tx", "ty", "vx", "vy", sharp) + rest, moved("tx", "ty", "ox", "oy"))
    places = {**circle("px", "py", LENGTH, ring), "one": torch.ones(LENGTH)}
    places["first"] = (torch.arange(LENGTH) == 0).float()
    return attentive(
        coordinates, circle("tx", "ty", TOKENS, first=1), places,
        [[NOTHING, back], [match, NOTHING]], circle("ox", "oy", TOKENS, first=1), noise=noise,
    )  # fmt: skip


def induction_inputs(count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Sequences that ask for a token seen before, and the step where it was seen, (sample,)."""
    generator = torch.Generator().manual_seed(seed)
    body = torch.rand(count, TOKENS, generator=generator).argsort(1) + 1
    at = torch.randint(1, TOKENS, (count, 1), generator=generator)
    tokens = torch.cat([torch.zeros(count, 1, dtype=torch.long), body], 1)
    return torch.cat([tokens, tokens.gather(1, at)], 1), at[:, 0]


def binding(entities: int = 5, attributes: int = 5, pairs: int = 2) -> Network:
    """`e a` per pair, then an entity: its pair's number, in both tokens, binds them.

    Each position of a pair carries the pair's number on a circle: (ex, ey) for entities, (ax, ay)
    for attributes. 0.0 finds the entity that is asked and brings its number to (ix, iy), 1.0 the
    attribute with that number. Entities are tokens 1 to `entities`, attributes come after.
    """
    coordinates = ("tx", "ty", "vx", "vy", "ex", "ey", "ax", "ay", "ix", "iy", "ox", "oy", "ent",
                   "att", "one")  # fmt: skip
    number = circle("x", "y", pairs, pairs + 1)
    length = 2 * pairs + 1
    places = {name: torch.zeros(length) for name in ("ex", "ey", "ax", "ay", "ent", "att")}
    for axis in "xy":
        places[f"e{axis}"][0:-1:2] = places[f"a{axis}"][1::2] = number[axis]
    places["ent"][0:-1:2] = places["att"][1::2] = 1.0
    places["one"] = torch.ones(length)
    find = Head(
        [*same("tx", "ty", "tx", "ty", 40.0), ({"one": 60.0}, {"ent": 1.0})],
        moved("ex", "ey", "ix", "iy"),
    )
    fetch = Head(
        [*same("ix", "iy", "ax", "ay", 40.0), ({"one": 60.0}, {"att": 1.0})],
        moved("vx", "vy", "ox", "oy"),
    )
    tokens = {**circle("tx", "ty", entities, first=1),
              **circle("vx", "vy", attributes, first=1 + entities)}  # fmt: skip
    return attentive(
        coordinates, tokens, places, [[find, NOTHING], [fetch, NOTHING]],
        circle("ox", "oy", attributes, first=1 + entities),
    )  # fmt: skip


def identity_rules(symbols: int = 8, examples: int = 2) -> Network:
    """ABA or ABB: 0.1 abstracts, 1.0 predicts the variable, 2.1 retrieves; 0.0, 1.1, 2.0 are idle.

    "role" is 1 at first tokens and −1 at second ones. 0.1 finds the same token and brings its role
    to "rule", 1.0 brings the rule of the examples' ends to "next", and 2.1 looks for that role in
    the last triple.
    """
    coordinates = ("tx", "ty", "role", "end", "asked", "one", "rule", "next", "ox", "oy")
    length = 4 * examples + 2
    step = torch.arange(length) % 4
    places = {
        "role": (step == 0).float() - (step == 1).float(),
        "end": (step == 2).float(),
        "one": torch.ones(length),
        "asked": (torch.arange(length) >= length - 2).float(),
    }
    abstract = Head(same("tx", "ty", "tx", "ty", 200.0), [({"role": 1.0}, {"rule": 1.0})])
    predict = Head([({"one": 20.0}, {"end": 1.0})], [({"rule": 2.0}, {"next": 1.0})])
    retrieve = Head([({"one": 40.0}, {"asked": 1.0}), ({"next": 20.0}, {"role": 1.0})],
                    moved("tx", "ty", "ox", "oy"))  # fmt: skip
    return attentive(
        coordinates, circle("tx", "ty", symbols, first=1), places,
        [[NOTHING, abstract], [predict, NOTHING], [NOTHING, retrieve]],
        circle("ox", "oy", symbols, first=1),
    )  # fmt: skip


def binding_by_name(entities: int = 5, attributes: int = 5, pairs: int = 2) -> Network:
    """As `binding`, but 0.0 brings each attribute its entity's name, for which 1.0 looks."""
    coordinates = ("tx", "ty", "vx", "vy", "px", "py", "cx", "cy", "ox", "oy", "att", "one")
    length = 2 * pairs + 1
    place = {**circle("px", "py", length, length + 1), "one": torch.ones(length)}
    place["att"] = (torch.arange(length) % 2 == 1).float()
    turn = 2 * math.pi / (length + 1)
    cos, sin = 60 * math.cos(turn), 60 * math.sin(turn)
    back = Head(
        [({"px": cos, "py": sin}, {"px": 1.0}), ({"px": -sin, "py": cos}, {"py": 1.0})],
        moved("tx", "ty", "cx", "cy"),
    )
    fetch = Head(
        [*same("tx", "ty", "cx", "cy", 40.0), ({"one": 60.0}, {"att": 1.0})],
        moved("vx", "vy", "ox", "oy"),
    )
    tokens = {**circle("tx", "ty", entities, first=1),
              **circle("vx", "vy", attributes, first=1 + entities)}  # fmt: skip
    return attentive(
        coordinates, tokens, place, [[back, NOTHING], [fetch, NOTHING]],
        circle("ox", "oy", attributes, first=1 + entities),
    )  # fmt: skip

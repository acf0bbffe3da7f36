"""What the atlas of activation maps shows, checked where it comes in.

A map is cells × cells bytes, row by row, in base64: a row is the first operand, a column the
second, and a cell is `operands / cells` operands wide.
"""

import base64
import binascii
from collections.abc import Mapping, Sequence
from typing import Any

from symscope.evidence import SymscopeError
from symscope.report.checks import has, kind_of, listed, one_of, rounded, table

SIGNS = ("+", "-", "*", "//")
KINDS = ("range", "modulo", "digits", "same", "set")
OF = ("first", "second", "answer", "both")
NODES = ("embed", "head", "mlp", "logits")
FAMILIES = ("patterns", "tables", "waves")
CHANGES = ("accuracy", "satisfying", "others")
_NUMBER = int | float
_NEEDED = {
    "title": str, "lead": str, "command": str, "made": Mapping, "signs": list, "operands": int,
    "cells": int, "right": Mapping, "legal": Mapping, "neurons": list,
}  # fmt: skip
_NEURON = {
    "layer": int, "neuron": int, "rank": int, "effect": _NUMBER, "maps": Mapping, "low": _NUMBER,
    "high": _NUMBER, "labels": list, "explained": Mapping, "knockout": Mapping, "top": list,
}  # fmt: skip
_LABEL = {
    "sign": str, "name": str, "kind": str, "of": str, "values": list, "share": _NUMBER,
    "kappa": _NUMBER, "kept": bool,
}  # fmt: skip
_TOP = {"text": str, "answer": None, "said": None, "value": _NUMBER}
_CIRCUIT = {"nodes": list, "edges": list, "faithfulness": None, "size": int, "of": int}
_NODE = {"name": str, "layer": int, "kind": str, "effect": None, "attends": None}
_PLACES = {"positions": list, "rows": list, "values": list}
_CLAIM = {"claim": str, "low": None, "high": None, "score": None, "n": None, "controls": Mapping}
_OPTIONAL = ("circuit", "places", "claims")
_DIGITS = {"neurons": 4, "places": 3}
"""Significant digits that the page keeps; of the rest six."""


def checked_atlas(view: Mapping[str, Any]) -> dict[str, Any]:
    """The view with what is absent as None, and with numbers rounded to what a page can show.

    - "title", "lead", "command": text; "made": what to reproduce it with, by name.
    - "signs": some of + - * //; "operands": how many, from 0; "cells": a divisor of it; "modulus":
      what answers are taken modulo, or None.
    - "right", "legal": a map for each sign: the share of the cell's prompts that are answered
      right, 255 for all; and 1 where a cell has a prompt at all, else 0.
    - "neurons": each with "layer", "neuron", "rank" (1 has the largest effect of its layer),
      "effect" (how far the right answer's logit falls when the neuron is set to its mean), "maps"
      (by sign, 0 to 255 from "low" to "high"), "labels", best first, "explained" (R² by "patterns",
      "tables", "waves"), "knockout" (change of "accuracy" on all prompts, on those "satisfying" its
      best pattern, and on "others"), and "top", its strongest prompts: "text", "answer",
      "said", "value". R² and changes may be None.
    - a label is a "sign", "name", "share", "kappa", "kept" (whether it passes the threshold), and
      "kind", "of", "values" as `localize.heuristics.types.Heuristic` has them.
    - "circuit", or None: "nodes" with "name", "layer" (−1 for the embedding, the number of layers
      for the logits), "kind" (embed, head, mlp, logits), "effect" and "attends", which may be None;
      "edges" [from, to, weight], upwards; "faithfulness" or None; "size" "of" so many; a "unit" may
      say of what (edges, for example), and a "note" what the numbers are.
    - "places", or None: "positions", "rows", and a table of "values"; a "note" may say of what.
    - "claims", as the explorer has them.

    Raises `SymscopeError` that names the place where something is off.
    """
    has(view, "the view", _NEEDED)
    optional = {name: view.get(name) or None for name in _OPTIONAL}
    optional["modulus"] = view.get("modulus")
    _grid(view, optional["modulus"])
    for name, most in (("right", 255), ("legal", 1)):
        _maps(view[name], view, name, most)
    if not view["neurons"]:
        raise SymscopeError("neurons is empty: the atlas needs at least one to show")
    seen: dict[tuple[int, int], int] = {}
    for number, neuron in enumerate(view["neurons"]):
        _neuron(neuron, f"neurons[{number}]", view)
        place = neuron["layer"], neuron["neuron"]
        if seen.setdefault(place, number) != number:
            raise SymscopeError(f"neurons[{number}] is neuron {place[1]} of layer {place[0]}, as is"
                                f" neurons[{seen[place]}]")  # fmt: skip
    if optional["circuit"]:
        _circuit(optional["circuit"])
    if optional["places"]:
        _places(optional["places"])
    for number, claim in enumerate(optional["claims"] or []):
        has(claim, f"claims[{number}]", _CLAIM)
    whole = {**view, **optional}
    return {key: rounded(value, key, _DIGITS.get(key, 6)) for key, value in whole.items()}


def _grid(view: Mapping[str, Any], modulus: Any) -> None:
    signs, operands, cells = view["signs"], view["operands"], view["cells"]
    for number, sign in enumerate(signs):
        one_of(sign, SIGNS, f"signs[{number}]")
    if not signs or len(set(signs)) < len(signs):
        raise SymscopeError(f"signs are different ones, at least one of {list(SIGNS)}; got {signs}")
    if cells < 1 or operands < 1 or operands % cells:
        raise SymscopeError(f"operands is {operands} and cells {cells}: a cell is a whole number of"
                            " operands wide, so cells has to divide operands")  # fmt: skip
    if modulus is not None and (not isinstance(modulus, int) or modulus < 1):
        raise SymscopeError(f"modulus is {modulus!r}; it has to be a positive whole number or None")


def _maps(maps: Mapping[str, Any], view: Mapping[str, Any], where: str, most: int = 255) -> None:
    """Raises unless there is a map for each sign, of the right size and within its bounds."""
    for sign in view["signs"]:
        has(maps, where, {sign: str})
        here, wanted = f"{where}[{sign!r}]", view["cells"] ** 2
        try:
            values = base64.b64decode(maps[sign], validate=True)
        except (binascii.Error, ValueError):
            raise SymscopeError(f"{here} is not base64: base64.b64encode(bytes)") from None
        if len(values) != wanted:
            cells = view["cells"]
            raise SymscopeError(f"{here} has {len(values)} bytes; it needs {wanted}, one for each"
                                f" of {cells} × {cells} cells")  # fmt: skip
        if max(values) > most:
            raise SymscopeError(f"{here} holds {max(values)}; at most {most} is allowed")


def _neuron(neuron: Any, where: str, view: Mapping[str, Any]) -> None:
    has(neuron, where, _NEURON)
    _maps(neuron["maps"], view, f"{where}.maps")
    if neuron["low"] > neuron["high"]:
        raise SymscopeError(f"{where} has low {neuron['low']} above high {neuron['high']}")
    if neuron["rank"] < 1:
        raise SymscopeError(f"{where}.rank is {neuron['rank']}; the first is 1")
    for number, label in enumerate(neuron["labels"]):
        _label(label, f"{where}.labels[{number}]", view["signs"])
    for name, keys in (("explained", FAMILIES), ("knockout", CHANGES)):
        has(neuron[name], f"{where}.{name}", dict.fromkeys(keys))
        for key in keys:
            _measured(neuron[name][key], f"{where}.{name}[{key!r}]")
    for number, prompt in enumerate(neuron["top"]):
        has(prompt, f"{where}.top[{number}]", _TOP)


def _label(label: Any, where: str, signs: Sequence[str]) -> None:
    has(label, where, _LABEL)
    one_of(label["sign"], signs, f"{where}.sign")
    one_of(label["kind"], KINDS, f"{where}.kind")
    one_of(label["of"], OF, f"{where}.of")
    values, kind = label["values"], label["kind"]
    fits = all(isinstance(v, int) for v in values)
    if kind == "range":
        fits = fits and len(values) == 2 and values[0] < values[1]
        wanted = "[from, below], from less than below"
    elif kind == "modulo":
        fits = fits and len(values) == 2 and 0 <= values[1] < values[0]
        wanted = "[n, rest], rest from 0 to n − 1"
    elif kind == "digits":
        fits = fits and len(values) > 0 and all(-1 <= v <= 9 for v in values)
        wanted = "a digit for each place, or −1 for any"
    elif kind == "set":
        fits, wanted = fits and len(values) > 0, "the numbers in it"
    else:
        fits, wanted = not values, "none"
    if not fits:
        raise SymscopeError(f"{where}.values is {values}; of the kind {kind} it is {wanted}")


def _circuit(circuit: Any) -> None:
    has(circuit, "circuit", _CIRCUIT)
    heights: dict[str, tuple[int, int]] = {}
    for number, node in enumerate(circuit["nodes"]):
        where = f"circuit.nodes[{number}]"
        has(node, where, _NODE)
        one_of(node["kind"], NODES, f"{where}.kind")
        _measured(node["effect"], f"{where}.effect")
        if node["name"] in heights:
            raise SymscopeError(f"{where}.name is {node['name']!r}, as that of another node")
        heights[node["name"]] = node["layer"], NODES.index(node["kind"])
    if not heights:
        raise SymscopeError("circuit.nodes is empty: without a circuit, leave it None")
    for number, edge in enumerate(circuit["edges"]):
        where = f"circuit.edges[{number}]"
        listed(edge, 3, where, "[from, to, weight]")
        start, end, weight = edge
        for name in (start, end):
            one_of(name, list(heights), where)
        if not isinstance(weight, int | float):
            raise SymscopeError(f"{where} has the weight {weight!r}; it has to be a number")
        if heights[start] >= heights[end]:
            raise SymscopeError(f"{where} goes from {start!r} to {end!r}, which is not above it")
    _measured(circuit["faithfulness"], "circuit.faithfulness")


def _places(places: Any) -> None:
    has(places, "places", _PLACES)
    shape = len(places["rows"]), len(places["positions"])
    if 0 in shape:
        raise SymscopeError("places has no rows or no positions: without any, leave it None")
    table(places["values"], shape, "places.values")


def _measured(value: Any, where: str) -> None:
    if value is not None and not isinstance(value, int | float):
        raise SymscopeError(f"{where} is {kind_of(value)} where a number is needed, or None")

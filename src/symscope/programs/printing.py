"""A program as Python source that runs on its own."""

import ast
import re
from collections.abc import Mapping, Sequence

from symscope.expression import totals_in
from symscope.program import Program, Variable

MAIN = """
if __name__ == "__main__":
    import sys

    print(run([ITEM for text in sys.argv[1:]]))
"""
"""The end of a source: the numbers on the command line are the sequence."""


def python_source(program: Program, notes: Mapping[str, str] = {}) -> str:
    """A module with `step(inputs, state)` and `run(sequence)`; it does not import symscope.

    `notes` say what a variable means, and become comments, one for each of their lines.
    `python program.py 1 0 1` runs it on a sequence; several inputs of one step are joined by
    commas. `programs.reading` reads it back.
    """
    calls = [ast.unparse(c) for tree in program.trees.values() for c in totals_in(tree)]
    totals = {call: f"total_{i}" for i, call in enumerate(dict.fromkeys(calls))}
    state = {totals.get(name, name): value for name, value in program.initial().items()}
    inputs = ", ".join(v.name for v in program.inputs)
    lines = [f'"""{program.name}: a program over {inputs}."""', ""]
    lines += [f"INPUTS = {_ranges(program.inputs)}", f"VARIABLES = {_ranges(program.variables)}"]
    lines += [f"{name} = {value!r}" for name, value in program.constants.items()]
    lines += ["", "", f"def step({inputs}, state):"]
    lines += [f"    # {line}" for name, note in notes.items()
              for line in f"{name}: {note}".replace("\n", "\n    ").splitlines()]  # fmt: skip
    last = sorted(state, key="state".__eq__)  # a register of that name hides the others
    lines += [f"    {name} = state[{name!r}]" for name in last]
    lines += _body(program, totals)
    kept = ", ".join(f"{name!r}: {name}" for name in state)
    lines += [f"    return output, {{{kept}}}", "", "", "def run(sequence):"]
    lines += [f"    state, outputs = {state!r}, []", "    for item in sequence:"]
    several = len(program.inputs) > 1
    item = "*item" if several else "item"
    lines += [f"        output, state = step({item}, state)", "        outputs.append(output)"]
    numbers = 'tuple(map(int, text.split(",")))' if several else "int(text)"
    return "\n".join([*lines, "    return outputs", "", MAIN.replace("ITEM", numbers)])


def _ranges(variables: Sequence[Variable]) -> str:
    """Name → (lowest, highest); real numbers have a point."""
    ends = {
        v.name: tuple(int(e) if v.kind == "int" else float(e) for e in (v.low, v.high))
        for v in variables
    }
    return repr(ends)


def _body(program: Program, totals: dict[str, str]) -> list[str]:
    """The assignments of one step: sums, computed variables, all state at once, the output."""
    lines: list[str] = []
    summed: set[str] = set()

    def text(name: str | None) -> str:
        tree = program.trees[name]
        for call in totals_in(tree):
            key = ast.unparse(call)
            if key not in summed:
                lines.append(f"    {totals[key]} += {_named(ast.unparse(call.args[0]), totals)}")
                summed.add(key)
        return _named(ast.unparse(tree), totals)

    for name in program.names:
        if name not in program.start:
            lines.append(f"    {name} = {text(name)}")
    new = [text(name) for name in program.names if name in program.start]
    targets = [name for name in program.names if name in program.start]
    if len(new) == 1:
        lines.append(f"    {targets[0]} = {new[0]}")
    elif new:
        lines += [f"    {', '.join(targets)} = (", *(f"        {rule}," for rule in new), "    )"]
    lines.append(f"    output = {text(None)}")
    return lines


def _named(text: str, totals: dict[str, str]) -> str:
    for call, name in totals.items():
        text = re.sub(re.escape(call), name, text)
    return text

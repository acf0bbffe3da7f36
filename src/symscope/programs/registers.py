"""What a program has to remember from step to step, and how it is called beside another's."""

from dataclasses import replace

from symscope.expression import names_in
from symscope.program import Program


def needed(program: Program) -> Program:
    """The program without the variables that its output does not depend on."""
    wanted: set[str] = names_in(program.trees[None])
    met: set[str] = set()
    while fresh := (wanted & set(program.names)) - met:
        met |= fresh
        for name in fresh:
            wanted |= names_in(program.trees[name])
    kept = tuple(v for v in program.variables if v.name in met)
    return replace(
        program,
        variables=kept,
        rules={v.name: program.rules[v.name] for v in kept},
        start={k: v for k, v in program.start.items() if k in met},
    )


def registers(program: Program, prefix: str) -> dict[str, str]:
    """`{prefix}_x` for each state variable x, `{prefix}_total` for sums, with the program's name.

    >>> from symscope.program import Variable
    >>> bits = Program("bits", (Variable("b", 0, 1),), (), {}, "total(b) - total(1 - b)")
    >>> registers(bits, "rule")
    {'rule_total': 'total(b)', 'rule_total_': 'total(1 - b)'}
    """
    found: dict[str, str] = {}
    for own in program.initial():
        name = f"{prefix}_{own if own.isidentifier() else 'total'}"
        while name in found:
            name += "_"
        found[name] = own
    return found


def remembered(program: Program) -> tuple[str, ...]:
    """The registers whose last value the outputs to come depend on; others are written, not read.

    >>> from symscope.program import Variable
    >>> bit, late = Variable("b", 0, 1), Variable("late", 0, 1)
    >>> rules = {"late": "last", "last": "b"}
    >>> start = {"late": 0, "last": 0}
    >>> remembered(Program("shift", (bit,), (late, Variable("last", 0, 1)), rules, "late", start))
    ('last',)
    """
    read, met = set[str](), set[str]()
    wanted = names_in(program.trees[None])
    while fresh := (wanted & set(program.names)) - met:
        met |= fresh
        for name in fresh:
            seen = names_in(program.trees[name])
            read |= seen & set(program.start)
            wanted = wanted | seen
    return tuple(n for n in program.start if n in read)

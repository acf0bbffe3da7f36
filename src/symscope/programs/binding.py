"""Programs that answer a query about a list of assignments, as hypotheses about one network.

Inputs are the tokens at each position, digits first (a digit's token is its value); `lines`
assignments `left = right ⏎` and `# query :`. Each follows names back from the query; they differ in
which line they take a name from.
"""

from collections.abc import Callable

from symscope.program import Program, Variable

NOTHING = -1
"""The value of a name that no line binds."""


def chain(lines: int, hops: int, digits: int, letters: int) -> Program:
    """What is right: each name's value is that of the last line before it is read.

    `name_1` is the letter asked for and `line_1` the last line (from 1; 0: none) that binds it;
    `name_2` is what stands there on the right, a letter or the digit, and so on, back in time.
    `value_h` is the value that `line_h` binds: the digit that stands there, or the value of the
    next hop. What is still a letter after the last hop has no value.
    """
    return _following("chain", lines, hops, digits, letters, lambda h: f"line_{h - 1}")


def query_time(lines: int, hops: int, digits: int, letters: int) -> Program:
    """Names are looked up when the query is read: the last line of all binds them."""
    return _following("query_time", lines, hops, digits, letters, lambda _: "")


def first_wins(lines: int, hops: int, digits: int, letters: int) -> Program:
    """The first line that binds a name is taken, whenever it is read."""
    return _following("first_wins", lines, hops, digits, letters, lambda _: "", first=True)


def first_line(lines: int, digits: int, letters: int) -> Program:
    """The digit of the first line, whatever is asked: the published shallow rule."""
    inputs = _inputs(lines, digits, letters)
    return Program("first_line", inputs, (Variable("constant", 0, digits - 1),),
                   {"constant": "right_1"}, "constant")  # fmt: skip


def last_digit(lines: int, digits: int, letters: int) -> Program:
    """The last digit that stands anywhere, whatever is asked."""
    rule = "right_1"
    for i in range(2, lines + 1):
        rule = f"right_{i} if right_{i} < {digits} else ({rule})"
    inputs = _inputs(lines, digits, letters)
    return Program("last_digit", inputs, (Variable("constant", 0, digits - 1),),
                   {"constant": rule}, "constant")  # fmt: skip


def _inputs(lines: int, digits: int, letters: int) -> tuple[Variable, ...]:
    """One for each token, in reading order."""
    highest = digits + letters + 3
    each = [(f"left_{i}", f"equals_{i}", f"right_{i}", f"end_{i}") for i in range(1, lines + 1)]
    names = [name for line in each for name in line] + ["mark", "query", "colon"]
    return tuple(Variable(name, 0, highest) for name in names)


def _following(
    name: str, lines: int, hops: int, digits: int, letters: int,
    before: Callable[[int], str], first: bool = False,
) -> Program:  # fmt: skip
    """`before(hop)` names the line that hop's line has to precede; "" for none."""
    rules: dict[str, str] = {"name_1": "query"}
    order = range(lines, 0, -1) if first else range(1, lines + 1)
    for h in range(1, hops + 1):
        rule = "0"
        for i in order:
            bounded = f" and {i} < {before(h)}" if h > 1 and before(h) else ""
            rule = f"{i} if left_{i} == name_{h}{bounded} else ({rule})"
        rules[f"line_{h}"] = rule
        rules[f"name_{h + 1}"] = _picked(f"line_{h}", lines)
    for h in range(hops, 0, -1):
        following = f"value_{h + 1}" if h < hops else str(NOTHING)
        read = f"name_{h + 1}"
        rules[f"value_{h}"] = f"{read} if {NOTHING} < {read} < {digits} else {following}"
    lowest = {"name": NOTHING, "line": 0, "value": NOTHING}
    highest = {"name": digits + letters - 1, "line": lines, "value": digits - 1}
    kinds = {v: v.split("_")[0] for v in rules}
    variables = tuple(Variable(v, lowest[k], highest[k]) for v, k in kinds.items())
    return Program(name, _inputs(lines, digits, letters), variables, rules, "value_1")


def _picked(line: str, lines: int) -> str:
    """What stands on the right in the line of that number; `NOTHING` for line 0."""
    rule = str(NOTHING)
    for i in range(1, lines + 1):
        rule = f"right_{i} if {line} == {i} else ({rule})"
    return rule

"""Texts in the place of programs: of assignments, as `localize --text` takes them, and extracted
ones, as `verify` reads them. They are parsed, and never run.
"""

import contextlib
import io
import re
import zlib
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st

from reliability.fuzz_watch import Hang, counted, of_command, of_reader, quietly, watched
from symscope.evidence import Evidence
from symscope.expression import evaluate, names_in, parse
from symscope.programs.printing import python_source
from symscope.programs.reading import program_in
from symscope.tasks import algorithm
from symscope.tasks.binding import Binding
from symscope.tasks.binding.alphabet import Alphabet
from symscope.tasks.binding.text import MOST, parsed
from symscope.tasks.binding.trace import trace

NASTY = (
    "9**9**9", "1<<10**9", "'a'*10**9", "(1,2)*10**9", "[0]*10**9", "(" * 5000 + "1" + ")" * 5000,
    "-" * 9000 + "1", "not " * 5000 + "x", "+".join(["x"] * 9000), "x" * 90_000, "1" * 9000,
    "__import__('os').system('touch ran')", "(lambda: 0)()", "x.__class__", "open('ran', 'w')",
    "exec('1')", "eval('1')", "f'{x}'", "[y for y in x]", "x if x else", "x := 1", "print(x)",
    "1e999", "-1e999", "1j", "None", "...", "b'x'", "x[0]", "{**x}", "*x", "abs()", "min(x)",
    "max(x, x, key=x)", "abs(abs", "total(total(x))", "x in x", "1 in ()", "(x, x) + (x, x)",
    "x / 0", "x // 0", "x % 0", "abs", "min", "x ^ 1.5", "0x" + "f" * 5000, "x\x00y", "ｘ",
    "\ud800",
    "#", "\\", "x\n", ";", "@x", "async", "yield x", "await x", "9" * 4301, "1_0", "١", "¹",
)  # fmt: skip
"""What an expression is not allowed to be, or is in a way that costs."""
GRAMMAR = st.recursive(
    st.sampled_from(["x", "y", "0", "1", "2.5", "9" * 19, "(1, 2)", "PRIMES", "True", "state"]),
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(["+", "-", "*", "/", "//", "%", "^", "**", "<<", "and",
                                          "or", "==", "<", "in", "not in", "if"]), inner)
        .map(lambda p: f"({p[0]} {p[1]} {p[2]})"),
        st.tuples(st.sampled_from(["abs", "min", "max", "total", "-", "not ", "~", "print"]), inner)
        .map(lambda p: f"{p[0]}({p[1]})"),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner)
        .map(lambda p: f"{p[0]}({p[1]}, {p[2]})"),
        st.tuples(inner, inner, inner).map(lambda p: f"({p[0]} if {p[1]} else {p[2]})"),
    ),
    max_leaves=12,
)  # fmt: skip
EXPRESSIONS = st.one_of(GRAMMAR, GRAMMAR, st.sampled_from(NASTY), st.text(max_size=20))
SOURCES = [python_source(algorithm(name).program) for name in ("div_3", "bitwise_xor", "sum_all")]
BINDING = st.one_of(
    st.text("abcxyz0123456789=;#: \n\t", max_size=40), st.text(max_size=30),
    st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from("abcdef0123456789")), max_size=8)
    .map(lambda pairs: ";".join(f"{a}={b}" for a, b in pairs) + "; #a:"),
    st.sampled_from(["a=5;" * 50_000 + "#a:", "a" * 10**6, ";" * 10**5, "\n" * 10**5 + "#a:", "#a:",
                     "a=٥; #a:", "ａ=5; #a:", "a=5; #a:\x00", "\ud800=1; #a:", "a=5;\u2028#a:"]),
)  # fmt: skip


def sources() -> st.SearchStrategy[str]:
    """Printed programs with an expression, a name or a line of another kind in them."""
    lines = st.one_of(EXPRESSIONS, st.sampled_from([
        "import os", "    import os", "    x = 1", "    output = 1", "", "    return output, {}",
        "def step(x, state):", "def run(sequence):", "@exec", "class A: pass", "INPUTS = {}",
        "VARIABLES = {'a': (0, 1)}", "K = 'a'", "K = [1]", "INPUTS = {1: (0, 1)}",
        "INPUTS = {'x': (0, 10**30)}", "INPUTS = {'x': (0, 1e999)}", "    a.b = 1", "    a, b = 1,",
        "VARIABLES = {'../../x': (0, 1)}", '"""../../../tmp/x: a program over x."""',
        "    state, outputs = {'a': 'b'}, []", "    state, outputs = {}, []",
    ]))  # fmt: skip

    def changed(case: tuple[str, list[tuple[int, str, str]]]) -> str:
        text = case[0].splitlines()
        for at, how, new in case[1]:
            at %= len(text)
            if how == "rule":
                text[at] = re.sub(r"= [^={\[]+$", lambda _, n=new: f"= {n}", text[at])
            elif how == "line":
                text[at] = new
            elif how == "doubled":
                text[at:at] = [text[at]]
            else:
                text[at] = text[at].replace("x", new[:20], 1)
        return "\n".join(text)

    edits = st.tuples(st.integers(0, 99), st.sampled_from(["rule", "rule", "line", "doubled",
                                                           "name"]), lines)  # fmt: skip
    several = st.tuples(st.sampled_from(SOURCES), st.lists(edits, min_size=1, max_size=3))
    return st.one_of(several.map(changed), several.map(changed), st.text(max_size=80))


def of_programs(count: int, folder: Path, seed: int = 0) -> list[Evidence]:
    """`count` texts for each of the three parsers: assignments, expressions, extracted programs."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in (("div_3", SOURCES[0]), ("bitwise_xor", SOURCES[1])):  # what is loaded late
        (folder / "program.py").write_text(text.replace(" + x", " + total(x)"))
        quietly("verify", folder / "program.py", "--task", name, "--length", "3")
    return [
        counted("programs.binding", BINDING, lambda text: _binding(text, folder), count, seed,
                {"no_checks": _unchecked}),
        counted("programs.expressions", EXPRESSIONS, lambda text: _expression(text, folder), count,
                seed, {"eval": lambda text: evaluated(text, folder)}),
        counted("programs.extracted", sources(), lambda text: _extracted(text, folder), count, seed,
                {"exec": lambda text: executed(text, folder)}),
    ]  # fmt: skip


def _binding(text: str, folder: Path) -> str:
    task = Binding()
    wrong = of_reader(lambda: trace(parsed(text, Alphabet()), Alphabet()).answer, folder)
    return wrong or of_reader(lambda: task.parse(text), folder)


def _unchecked(text: str) -> str | None:
    """A parser that takes the letters at their places."""
    if text.count("=") > MOST:
        return None
    try:
        alphabet = Alphabet()
        places = {token: i for i, token in enumerate(alphabet.tokens)}
        lines = [line.strip() for line in re.split(r"[\n;]", text.strip())]
        left, right = zip(*((places[line[0]], places[line[2]]) for line in lines[:-1]), strict=True)
        query = places[lines[-1][1]]
        tokens = alphabet.written(
            torch.tensor([left]), torch.tensor([right]), torch.tensor([query])
        )
        return "" if int(trace(tokens, alphabet).answer) >= 0 else "no answer"
    except Exception as error:
        return type(error).__name__


def _expression(text: str, folder: Path) -> str:
    def read() -> None:
        tree = parse(text)
        for value in (2, torch.tensor([2, 3])):
            names: dict[str, Any] = dict.fromkeys(names_in(tree), value)
            # a rule that has no value there: who runs a program says so
            with contextlib.suppress(ArithmeticError, KeyError, TypeError, RuntimeError):
                evaluate(tree, names)

    return of_reader(read, folder)


def _extracted(text: str, folder: Path) -> str:
    wrong = of_reader(lambda: python_source(program_in(text)), folder)
    if wrong:
        return wrong
    path = folder / "program.py"
    path.write_text(text, encoding="utf8", errors="surrogatepass")
    if zlib.crc32(path.read_bytes()) % 40:  # a proof takes a second, so that few are asked for
        return ""
    rule = "bitwise_xor" if "y" in text.split("\n", 1)[0] else "div_3"
    asked = ["verify", str(path), "--task", rule, "--length", "3", "--seconds", "1"]
    return of_command(asked, folder)[0]


def evaluated(text: str, folder: Path) -> str | None:
    """What the detectors say where an expression is simply evaluated.

    None for powers and shifts, which take all memory there is in one step.
    """
    if "**" in text or "<<" in text:
        return None
    return _careless(lambda: eval(compile(text, "<payload>", "eval"), {"x": 2, "y": 3}), folder)


def executed(text: str, folder: Path) -> str | None:
    """What they say where a program is simply run."""
    if "**" in text or "<<" in text:
        return None
    return _careless(lambda: exec(compile(text, "<payload>", "exec"), {}), folder)


def _careless(run: Any, folder: Path) -> str:
    """The same ears for a reader that runs what it is given; half a second is enough."""
    quiet = contextlib.redirect_stdout(io.StringIO())
    with watched(folder, 0.5) as heard, quiet, contextlib.chdir(folder):
        try:
            run()
        except Hang:
            heard.append("a hang")
        except BaseException as error:  # it may exit, too
            heard.append(type(error).__name__)
    return "; ".join(heard)

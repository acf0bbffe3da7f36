# %% [markdown]
# # Always?
#
# *Two programs give the same answers wherever I looked. Are they the same function?*
#
# A majority vote over the bits seen so far, written twice: with a counter that goes up and down,
# and with two counters that are compared.

# %%
from symscope import Domain, Program, Variable, equivalent

TRIED = 30
bit = (Variable("x", 0, 1),)
one = Program("balance", bit, (Variable("n", -99, 99),), {"n": "n + 2*x - 1"},
              "1 if n > 0 else 0", {"n": 0})  # fmt: skip
two = Program("two counters", bit, (Variable("up", 0, 99), Variable("down", 0, 99)),
              {"up": "up + x", "down": "down + 1 - x"}, "1 if up > down else 0",
              {"up": 0, "down": 0})  # fmt: skip
proof = equivalent(one, two, Domain(bit))
print(proof)
print(*proof.invariants, sep="\n")

# %% [markdown]
# The proof is for all lengths, by a relation between the registers that every step keeps. Nothing
# has to be believed of the search that found it.
#
# The control: a prover that always said yes would print the same line. So one number of the second
# program is changed at a time, and each time an exhaustive comparison up to length eight says what
# is true.

# %%
import itertools
import random
import re

draw, rows = random.Random(0), []
words = [list(w) for n in range(1, 9) for w in itertools.product((0, 1), repeat=n)]
texts = {**two.rules, "output": two.output, **{f"start {k}": str(v) for k, v in two.start.items()}}
for _ in range(TRIED):
    where = draw.choice([name for name, text in texts.items() if re.search(r"\d", text)])
    spot = draw.choice(list(re.finditer(r"\d", texts[where])))
    text = texts[where][: spot.start()] + str(draw.randrange(4)) + texts[where][spot.end() :]
    start = two.start | ({where[6:]: int(text)} if where.startswith("start") else {})
    rules = two.rules | ({where: text} if where in two.rules else {})
    changed = Program("changed", bit, two.variables, rules,
                      text if where == "output" else two.output, start)  # fmt: skip
    same = all(one.run(w).output == changed.run(w).output for w in words)
    rows.append((type(equivalent(one, changed, Domain(bit))).__name__, same))
for verdict in ("Proof", "Counterexample", "Unknown"):
    for same in (True, False):
        print(f"{verdict:15} same up to length 8: {same!s:6}", rows.count((verdict, same)))

# %% [markdown]
# ## What could be wrong
#
# - A proof holds of the *programs*, with Python's integers. Whether the network is the program is
#   another question: [Which program?](extract.md)
# - `Domain(bit)` says which inputs are meant. A proof to a length, or for smaller ranges, says so
#   in `kind`.
# - *Unknown* is an answer, and tests that found nothing are *Unknown*, however many they were.

# %%
from IPython.display import SVG

from symscope.report.drawing import drawing, element, standalone, text

parts = [text(8, 16, f"{TRIED} changed programs: what was proven, by what is so", "quiet"),
         text(130, 34, "the same", "quiet"), text(250, 34, "not the same", "quiet")]  # fmt: skip
for i, verdict in enumerate(("Proof", "Counterexample", "Unknown")):
    parts.append(text(8, 56 + 34 * i, verdict))
    for j, same in enumerate((True, False)):
        count, x = rows.count((verdict, same)), 130 + 120 * j
        parts.append(element("rect", x=x, y=42 + 34 * i, width=100 * count / TRIED, height=20,
                             fill="var(--accent)"))  # fmt: skip
        parts.append(text(x + 100 * count / TRIED + 4, 57 + 34 * i, str(count)))
SVG(standalone(drawing(140, "Verdicts by what is so", parts)))

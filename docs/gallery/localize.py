# %% [markdown]
# # Where?
#
# *Follow a pointer twice: cells hold the numbers of cells. Where in the network is the cell that
# the first step finds?*
#
# The transformer is written by hand and hidden by a random rotation among noise units, so that it
# is known what the right answer is: the end of block 0, at the last token.

# %%
from symscope.localize import places, sweep
from symscope.models.compiled import FAMILIES, plant

PAIRS = 400
planted = plant(FAMILIES["dereference_2"](), noise=4, seed=0)
network, task = planted.network, planted.task
print(*(f"{name} = {rule}" for name, rule in task.program.rules.items()), sep="\n")

# %% [markdown]
# Every place at which a value enters a block is patched: the run on one input, with this place as
# it is on another. A pair counts if the answer becomes what the program says when *only the
# variable* is the other's. The best place is chosen on one half of the pairs and scored on the
# other. Beside the variable `first` stand two that must not be found: `item`, which is not known
# before the last block, and `cell3` of a wrong program that gives the same answers, resolving every
# cell before it is asked.

# %%
sites = places(network, "residual", range(7))
found = {}
for program, variable in [("dereference2", "first"), ("dereference2", "item"),
                          ("backwards", "cell3")]:  # fmt: skip
    pairs = task.pairs(task.hypothesis(program), (variable,), PAIRS, 0, "test")
    (found[variable],) = sweep(network, pairs, sites, f"{program}.{variable}")
    print(found[variable], "best place:", found[variable].config["best"])

# %% [markdown]
# ## What could be wrong
#
# - The best of many places is good by chance as well: hence the other half, and `other_source`, the
#   same place as it is in a third input. `no_op` says how many pairs hardly test anything.
# - A whole place is patched. That the answer follows says that the variable is *there*, not that
#   nothing else is, and not in which direction: that is [the next question](align.md).
# - A value that is kept at several places at once is at none of them by this measure.

# %%
from IPython.display import SVG

from symscope.report.drawing import drawing, element, standalone, text

cells = [text(8, 16, "right after a patch, by block and token; darker is more", "quiet")]
for row, (variable, evidence) in enumerate(found.items()):
    cells.append(text(8, 60 * row + 52, variable))
    for (block, token), share in zip(sites, evidence.config["success"], strict=True):
        where = {"x": 110 + 40 * token, "y": 60 * row + 26 + 24 * block}
        cells.append(element("rect", **where, width=38, height=22, fill="var(--accent)",
                             fill_opacity=0.6 * share, stroke="var(--line)"))  # fmt: skip
        cells.append(text(where["x"] + 19, where["y"] + 15, f"{share:.2f}", "quiet middle"))
SVG(standalone(drawing(210, "Where each variable is found", cells)))

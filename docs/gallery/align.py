# %% [markdown]
# # Is it there?
#
# *A GRU answers N items with N items. Does it keep a count, or only answer as if it did?*
#
# It is trained here, for up to six items, until it makes no mistake.

# %%
import torch

from symscope import Network, Rotation, Search, Site, blocks, examine
from symscope.align.accept import verdict
from symscope.models.rnn import RNN
from symscope.tasks import Counting
from symscope.train import Schedule, train

EPOCHS, STEPS = 60, 300
task = Counting("multi", highest=6, held_out=())
torch.manual_seed(0)
module, untrained = (RNN("gru", len(task.vocabulary), 32) for _ in range(2))
print(train(module, task, schedule=Schedule(epochs=EPOCHS)))

# %% [markdown]
# The claim: sixteen axes of the state are the count of Up-Down (count up, then down to 0). They are
# searched for by distributed alignment search: put another run's count into these axes, and see
# whether the network goes on as the program says, in *every* answer up to the end. The same search
# on the untrained network and with the sources permuted says what searching alone finds.

# %%
start = blocks("up_down", Site("rnn", "state"), Rotation(32, 16), {"count": 16})
alignment, evidence = examine(
    Network(module), task, start, Network(untrained), Search(STEPS, most=STEPS)
)
print(f"{evidence.score:.3f} [{evidence.low:.3f}, {evidence.high:.3f}]", verdict(evidence))

# %% [markdown]
# ## What could be wrong
#
# - Swapping nothing is right in a good part of the pairs: read the score against its highest floor,
#   not against 0.
# - The count can be *decodable* and not used. `probe_accuracy` says how often a linear probe reads
#   it exactly, and `probe_direction` what swapping along that one direction does.
# - A more flexible map finds more. A rotation of the whole state, swapped whole, would only say
#   that the state is all that the network has.
# - One seed: the interval is over pairs. Over networks see [the study](../studies/numbers.md).

# %%
from IPython.display import SVG

from symscope.report.drawing import drawing, element, standalone, text

rows = {"count, by DAS": evidence.score, **evidence.controls}
rows = {name: share for name, share in rows.items() if not name.startswith("edited_state")}
bars = []
for i, (name, share) in enumerate(rows.items()):
    colour = "var(--accent)" if i == 0 else "var(--floor)"
    bars.append(text(8, 22 * i + 17, name))
    bars.append(element("rect", x=150, y=22 * i + 6, width=200 * share, height=12, fill=colour))
    bars.append(text(156 + 200 * share, 22 * i + 17, f"{share:.2f}", "quiet"))
SVG(standalone(drawing(22 * len(rows) + 6, "The score above its controls", bars)))

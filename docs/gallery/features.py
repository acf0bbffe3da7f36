# %% [markdown]
# # In what coordinates?
#
# *A network adds modulo 17. Does a number lie on a line in it, or on circles, and does the network
# use them as circles?*
#
# Two embeddings and one hidden layer, trained on all 289 sums for a few seconds.

# %%
import torch
from torch import nn

from symscope import Network, Site
from symscope.features.geometry import (
    Crossed,
    counterfactuals,
    fit_circle,
    intervene,
    key_frequencies,
    power_spectrum,
)

P, STEPS, COMPONENTS = 17, 2000, 12


class Adds(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Embedding(P, 32), nn.Embedding(P, 32)
        self.hidden, self.out = nn.Linear(32, 128), nn.Linear(128, P)
        with torch.no_grad():
            self.first.weight.mul_(0.1), self.second.weight.mul_(0.1)

    def forward(self, pairs):
        added = self.first(pairs[:, 0]) + self.second(pairs[:, 1])
        return self.out(self.hidden(added).relu())


torch.manual_seed(0)
module, untrained = Adds(), Adds()
pairs = torch.cartesian_prod(torch.arange(P), torch.arange(P))
a, b = pairs.T
optimiser = torch.optim.AdamW(module.parameters(), 1e-2, betas=(0.9, 0.98), weight_decay=3.0)
for _ in range(STEPS):
    optimiser.zero_grad()
    nn.functional.cross_entropy(module(pairs), (a + b) % P).backward()
    optimiser.step()
print("right:", float((module(pairs).argmax(1) == (a + b) % P).float().mean()))

# %% [markdown]
# Which frequencies does the embedding have, with no label but the number itself? Those with more
# power than the strongest of the same vectors given to other numbers. The control: an untrained
# embedding has none.

# %%
table = module.first.weight.detach()
keys = key_frequencies(table)
print("trained", keys, "untrained", key_frequencies(untrained.first.weight))
print("power", [round(share, 2) for share in power_spectrum(table).tolist()])

# %% [markdown]
# That a circle can be read does not say that it is used. So another number's point is written into
# the circles, and the rest of the vector is kept: how often is the answer that of the other number?

# %%
crossed = Crossed(pairs, a, b, (a + b) % P)
circle = fit_circle(table[a], a, P, frequencies=keys, components=COMPONENTS)
changed = counterfactuals(crossed, most=2000)
written = intervene(Network(module), crossed, changed, Site("first"), circle)["kept.share"]
print(written)

# %% [markdown]
# ## What could be wrong
#
# - Enough dimensions hold anything. Three circles take six of the twelve principal axes, and
#   `random_plane_in_components` says what six random ones of them do; `shuffled_values` what
#   circles fitted to wrong numbers do.
# - `mean` and `plane_removed` destroy the answer as well as any edit does. Only the share of
#   answers that are the *new* one tells.
# - With another seed other frequencies are strong, and some that matter are below chance: then less
#   follows the circles. [The study](../studies/geometry.md) has more networks.

# %%
from IPython.display import SVG

from symscope.report.drawing import drawing, element, standalone, text

plane = (table - circle.mean) @ circle.axes.T @ circle.q / circle.r.diagonal()
parts = []
for i, key in enumerate(keys[:3]):
    points = plane[:, 2 * i : 2 * i + 2] / plane[:, 2 * i : 2 * i + 2].abs().max()
    parts.append(text(8 + 130 * i, 16, f"frequency {key}"))
    for number, (x, y) in enumerate(points.tolist()):
        x, y = 70 + 130 * i + 50 * x, 85 - 50 * y
        parts.append(element("circle", cx=x, cy=y, r=8, fill="var(--accent)", fill_opacity=0.25))
        parts.append(text(x, y + 4, str(number), "middle"))
SVG(standalone(drawing(150, "The numbers in the planes of their strongest frequencies", parts)))

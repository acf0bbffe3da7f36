# %% [markdown]
# # Can it be written in?
#
# *Networks for the L1 norm of eight numbers, written by a hypernetwork: by which algorithm do they
# compute it, and does a dial change that?*
#
# The hypernetwork was trained beforehand, in four minutes on one core; it lies in the repository.
# Writing networks with it takes no time. β is the dial: small is exact, large is simple.

# %%
from pathlib import Path

from symscope.generate.by_hand import by_hand
from symscope.generate.files import load_hypernetwork
from symscope.generate.reading import read_algorithm, shuffled
from symscope.generate.sampling import losses, sampled
from symscope.tasks import function

BETAS = [1e-12, 1e-6, 1.0]
WRITER = Path("results/hypernetworks/small/networks/l1_norm-0.safetensors")
task = function("l1_norm", 8)
written = sampled(load_hypernetwork(WRITER), BETAS, seed=0)
error = losses(written.weights, task).mean(1)
print({name: round(loss, 3) for name, loss in task.floors().items()}, "without insight")
print([round(loss, 3) for loss in error.tolist()], "written")

# %% [markdown]
# The name of the algorithm is read from weights and outputs, and confirmed by interventions. The
# controls: a network written by hand must get its own name, and the same weights in other places
# none.

# %%
known = by_hand("double_sided", (8, 24, 1), seed=0, noise=0.1)
named = {f"written, β = {beta:g}": written.weights.of(i) for i, beta in enumerate(BETAS)}
elsewhere = shuffled(written.weights.of(1), 0)
named |= {"by hand: double_sided": known, "the second, shuffled": elsewhere}
for what, weights in named.items():
    reading = read_algorithm(weights, task)
    print(f"{what:24} {reading.algorithm:17} {reading.confidence:.2f}")

# %% [markdown]
# ## What could be wrong
#
# - Bounds were fitted on networks written by hand. An algorithm that is not among them is called
#   *none*, or by the name of the nearest: hence the interventions, and hence the shuffled weights.
# - One hypernetwork. Others learn the other sign or another algorithm, and the dial changes less
#   than the training does: [the study](../studies/hypernetworks.md).
# - A network that is simple to name need not be the shortest to write down; Adam with an L1 penalty
#   needs fewer bits.

# %%
from IPython.display import SVG

from symscope.generate.drawing import laid_out
from symscope.report.drawing import standalone
from symscope.report.network_picture import network_picture

chosen = written.weights.of(1)
SVG(standalone(network_picture(chosen, laid_out(chosen).positions, "A network that was written")))

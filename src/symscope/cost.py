"""What a piece of work takes: memory and time, from sizes alone, before anything is run.

Each method has a pure function of its sizes. It counts what is held at the peak, the operations of
matrix products, the bytes that everything else moves, and the calls of torch; a machine's speed at
each of these, measured (`room.speed_of`), makes seconds of them. What a count leaves out is in one
factor for memory and one for time per method, `FITTED` by `benchmarks/cost.py` on small sizes and
tried on others: docs/scale.md says how far off the estimates are.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps

from symscope.cost_factors import FITTED

BYTES = {"float32": 4, "float64": 8, "bfloat16": 2, "float16": 2}
_SPREAD = 5e7
"""Bytes that allocation in pieces of changing size costs any training."""
PAIRS_AT_ONCE = 64
"""How many pairs attribution and circuits take at a time."""


@dataclass(frozen=True)
class Cost:
    """`memory` in bytes at the peak, beside the process itself; `operations` of products.

    `moved` are the bytes read and written by everything that is no product, `calls` those of torch;
    `seconds` come on top, of work that is not counted but known. A sum is one after the other: the
    larger memory, and all of the work.
    """

    memory: float
    operations: float = 0.0
    moved: float = 0.0
    calls: float = 0.0
    seconds: float = 0.0

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(max(self.memory, other.memory), self.operations + other.operations,
                    self.moved + other.moved, self.calls + other.calls,
                    self.seconds + other.seconds)  # fmt: skip

    def times(self, count: float) -> "Cost":
        """The same so many times over, one after the other."""
        work = (count * x for x in (self.operations, self.moved, self.calls, self.seconds))
        return Cost(self.memory, *work)


@dataclass(frozen=True)
class Decoder:
    """The sizes of a transformer; `inner` is the width of its MLP, 4 · width without.

    `weights` are all that a token passes, the readout's too, where blocks have another form. With
    `tied` ones the readout is the embedding.
    """

    layers: int
    width: int
    heads: int
    vocabulary: int
    inner: int = 0
    weights: float = 0.0
    tied: bool = False

    @property
    def hidden(self) -> int:
        """The width of the MLP."""
        return self.inner or 4 * self.width

    @property
    def block(self) -> float:
        """The weights of one block."""
        if self.weights:
            return (self.weights - self.vocabulary * self.width) / self.layers
        return 4 * self.width**2 + 2 * self.width * self.hidden

    @property
    def parameters(self) -> float:
        """Blocks, embedding and readout."""
        tables = 1 if self.tied else 2
        return self.layers * self.block + tables * self.vocabulary * self.width

    def forward(self, tokens: float, steps: int, layers: float | None = None) -> float:
        """Operations of a run on so many tokens that see up to `steps`, without the readout."""
        deep = self.layers if layers is None else layers
        return tokens * deep * (2 * self.block + 4 * self.width * steps)

    def through(self, tokens: float, steps: int, layers: float | None = None) -> float:
        """Numbers that one run leaves behind, module by module, without the readout."""
        deep = self.layers if layers is None else layers
        return tokens * deep * (12 * self.width + 2 * self.hidden + self.heads)


def _fitted(method: Callable[..., Cost]) -> Callable[..., Cost]:
    """The count times the method's factors."""

    @wraps(method)
    def fitted(*sizes: object, **more: object) -> Cost:
        found = method(*sizes, **more)
        memory, time = FITTED.get(method.__name__, (1.0, 1.0))
        return Cost(memory * found.memory, *(
            time * x for x in (found.operations, found.moved, found.calls)
        ))  # fmt: skip

    return fitted


@_fitted
def recurrent_training(
    width: int, vocabulary: int, batch: int, steps: int, updates: float, gates: int = 3,
    size: int = 4,
) -> Cost:  # fmt: skip
    """`train` on a GRU (an LSTM has 4 `gates`) of `size` bytes a number; steps are tokens."""
    cell, head = 2 * gates * width**2, 4 * width**2 + 4 * width * vocabulary
    parameters, tokens = cell + head + vocabulary * width, batch * steps
    numbers = tokens * ((7 * gates + 40) * width + 3 * vocabulary)
    one = Cost(3 * _SPREAD + size * (4 * parameters + numbers), 6 * tokens * (cell + head),
               size * (12 * parameters + 3 * numbers), 60 * steps + 200)  # fmt: skip
    return one.times(updates)


@_fitted
def copies_training(  # the sizes of the network, of the data and of the training
    width: int, hidden: int, layers: int, copies: int, batch: int, steps: int, updates: float,
    size: int = 4,
) -> Cost:  # fmt: skip
    """`train_copies`: copies of a small network side by side, on sequences of so many steps.

    At the end the best one is tried, and an untrained one, on 65,536 sequences.
    """
    inner = hidden * max(1, layers - 1)
    one = 2 * width * hidden + max(0, layers - 2) * hidden**2
    tokens = copies * batch * steps * 0.8  # sequences grow in the first part
    numbers, judged = (many * (4 * width + 3 * inner) for many in (tokens, 2 * 2**16 * steps))
    drawn = 2**17 * (6 * steps + 4 * inner)
    tried = Cost(_SPREAD + size * (drawn + 3 * numbers), 4 * 2**16 * steps * one, size * 4 * judged)
    update = Cost(0, 6 * tokens * one, size * 4 * numbers, (8 + 4 * layers) * steps + 100)
    return tried + update.times(updates)


@_fitted
def transformer_training(
    form: Decoder, batch: int, steps: int, updates: float, size: int = 4
) -> Cost:
    """`train` and `train_answers`: AdamW on batches of so many prompts of so many steps."""
    tokens = batch * steps
    numbers = form.through(tokens, steps) + 3 * tokens * form.vocabulary
    readout = 2 * tokens * form.width * form.vocabulary
    one = Cost(_SPREAD / 2 + size * (4 * form.parameters + numbers),
               3 * (form.forward(tokens, steps) + readout),
               size * (12 * form.parameters + 4 * numbers), 100 * form.layers + 100)  # fmt: skip
    return one.times(updates)


@_fitted
def recurrent_alignment(
    width: int, vocabulary: int, pairs: int, steps: int, updates: float, batch: int = 512,
    size: int = 4,
) -> Cost:  # fmt: skip
    """`swaps` and `fit` on a recurrent state, of which about half of the steps come later.

    What enters after the swap is kept of all pairs; to find it the pairs are run five times.
    """
    kept, follow = pairs * steps * 3 * width, batch * steps / 2
    cell, head = 6 * width**2, 4 * width**2 + 4 * width * vocabulary
    numbers = follow * (16 * width + 3 * vocabulary)
    prepared = Cost(_SPREAD + size * (kept + numbers), 5 * pairs * steps * 2 * cell,
                    size * 60 * pairs * steps * width, 0.4 * pairs * steps)  # fmt: skip
    one = Cost(0.0, 4 * follow * (3 * width**2 + head), size * 4 * numbers, 10 * steps + 200)
    return prepared + one.times(updates)


@_fitted
def transformer_alignment(  # the sizes of the network, of the data and of the search
    form: Decoder, layer: int, pairs: int, steps: int, updates: float, batch: int = 512,
    size: int = 4,
) -> Cost:  # fmt: skip
    """`swaps` and `fit` after a layer (from 0): keys and values of later ones are kept.

    All pairs go through each later layer at once when these are found, which takes most memory;
    the swap is half-way through the steps on average.
    """
    after, tokens, follow = form.layers - layer - 1, pairs * steps, batch * steps / 2
    kept = tokens * form.width * (2 + 2 * after)
    numbers = form.through(follow, steps, after) + 3 * follow * form.vocabulary
    numbers += 4 * batch * steps * form.width * after
    prepared = Cost(_SPREAD + size * (kept + max(numbers, form.through(tokens, steps, 1))),
                    4 * form.forward(tokens, steps), size * 12 * form.through(tokens, steps),
                    4 * pairs / 256 * 60 * form.layers)  # fmt: skip
    readout = 2 * follow * form.width * form.vocabulary
    one = Cost(0.0, 2 * (form.forward(follow, steps, after) + readout), size * 4 * numbers,
               100 * after + 200)  # fmt: skip
    return prepared + one.times(updates)


@_fitted
def patching(
    form: Decoder, places: int, pairs: int, steps: int, share: float = 0.25, size: int = 4
) -> Cost:
    """`patched`: of each edited run a `share` is computed; by hooks, in other networks, all."""
    tokens = places * pairs * steps * share
    numbers = form.through(tokens, steps)
    readout = 2.0 * places * pairs * form.width * form.vocabulary
    natural = min(pairs * steps * form.layers * form.width, 2**21) * 6
    together = min(4096, 2**19 // form.width) * (12 * form.width + 2 * form.hidden)
    chunks = max(places, math.ceil(tokens / 2048)) if share == 1 else math.ceil(tokens / 2048)
    return Cost(size * (places * pairs * form.vocabulary + natural + together + form.parameters),
                form.forward(tokens, steps) + readout, size * 4 * numbers,
                60 * form.layers * chunks)  # fmt: skip


@_fitted
def attribution(form: Decoder, pairs: int, steps: int, shares: int = 1, size: int = 4) -> Cost:
    """`attribution` and `edge_scores`' gradients: one run forward and back for each share."""
    tokens, some = pairs * steps, min(pairs, PAIRS_AT_ONCE) * steps
    held = form.through(some, steps) + 3 * some * form.vocabulary
    numbers = form.through(tokens, steps) + 3 * tokens * form.vocabulary
    run = form.forward(tokens, steps) + 2 * tokens * form.width * form.vocabulary
    times = math.ceil(pairs / PAIRS_AT_ONCE) * (3 + 3 * shares)
    return Cost(_SPREAD / 2 + size * (form.parameters + held), (4 + 3 * shares) * run,
                size * 4 * (2 + shares) * numbers, 60 * form.layers * times)  # fmt: skip


@_fitted
def circuit(form: Decoder, pairs: int, steps: int, shares: int = 5, size: int = 4) -> Cost:
    """`find_circuit`: what every head and MLP adds is kept of all pairs; some hundred runs."""
    senders, readers = 1 + form.layers * (form.heads + 1), 3 * form.heads + 1
    edges = form.layers * readers * senders / 2
    tokens, some = pairs * steps / 2, min(pairs / 2, PAIRS_AT_ONCE) * steps
    kept = 2 * tokens * senders * form.width
    held = some * form.width * (2 * senders + form.layers * readers) + form.through(some, steps)
    runs = math.log2(edges) + 10 + 100 * some / tokens + 4 * shares
    mixed = 2 * form.width * edges + 2 * form.width * form.vocabulary / steps
    one = form.forward(tokens, steps) + tokens * mixed
    numbers = form.through(tokens, steps)
    numbers += tokens * form.width * (2 * form.layers * readers + senders)
    times, held = max(1.0, tokens / some), held + form.parameters + kept
    return Cost(_SPREAD / 2 + size * held, runs * one, runs * size * 4 * numbers,
                runs * times * 100 * form.layers)  # fmt: skip


@_fitted
def dictionary(  # the sizes of the dictionary, of the data and of the training
    width: int, features: int, vectors: int, updates: float, batch: int = 256,
    dense: bool = True, size: int = 4,
) -> Cost:  # fmt: skip
    """`fit_dictionary`: Adam; with top-k (not `dense`) a vector's few features are added up."""
    parameters, codes = 2.0 * features * width, 1.0 * batch * features
    one = Cost(
        size * (2.0 * vectors * width + 5 * parameters + (5 if dense else 3) * codes),
        (12 if dense else 3) * codes * width,
        size * (15 * parameters + 10 * codes),
        150,
    )
    return one.times(updates)


@_fitted
def activation_maps(
    form: Decoder, neurons: int, prompts: int, steps: int, batch: int = 512, size: int = 4
) -> Cost:
    """`neuron_maps`: all maps in float32 beside a batch's logits; the prompts are run once."""
    some, tokens = batch * steps, prompts * steps
    held = some * (form.vocabulary + 2 * form.hidden + 6 * form.width)
    readout = 2 * tokens * form.width * form.vocabulary
    return Cost(4.0 * neurons * prompts + size * (form.parameters + held),
                form.forward(tokens, steps) + readout,
                size * 4 * form.through(tokens, steps) + 12.0 * neurons * prompts,
                40 * form.layers * math.ceil(prompts / batch))  # fmt: skip


@_fitted
def hypernetwork_training(
    inputs: int, hidden: int, betas: int, batch: int, updates: float, size: int = 4
) -> Cost:
    """`train_hypernetwork` for networks of one hidden layer and one output."""
    edges = inputs * hidden + hidden
    looks = hidden * (inputs + 1) ** 2 + (inputs + 1) * hidden**2
    parameters = 22.0 * (3 * 68 * 58 + 20 * edges)
    state = 2 * betas * edges * (3 * 68 + 2 * 58)
    numbers = 4 * (state + 2 * 2 * betas * looks) + betas * batch * 3 * hidden
    products = 4 * betas * (4 * edges * 68 * 58 + 2 * looks * 20) + 2 * betas * batch * edges
    one = Cost(_SPREAD / 2 + size * (4 * parameters + numbers), 3 * products,
               size * (12 * parameters + 4 * numbers), 1500)  # fmt: skip
    return one.times(updates)


@_fitted
def inference(form: Decoder, prompts: float, steps: int, batch: int = 512, size: int = 4) -> Cost:
    """A language model on so many prompts, a batch at a time, with logits at every step."""
    some, tokens = min(prompts, batch) * steps, prompts * steps
    held = some * (form.vocabulary + 2 * form.hidden + 6 * form.width)
    readout = 2 * tokens * form.width * form.vocabulary
    return Cost(0.8 * _SPREAD + size * (form.parameters + held),
                form.forward(tokens, steps) + readout,
                size * (4 * form.through(tokens, steps) + 2 * tokens * form.vocabulary),
                60 * form.layers * math.ceil(prompts / batch))  # fmt: skip

"""What every method computes on a small case, with all that goes in cast as it is told.

`Cast` turns a module or a tensor of numbers into another precision. What is drawn is drawn before
it is cast, so that two casts of one seed differ by rounding alone.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

import attention_by_hand
import by_hand
import laws
from symscope.align.das import iia
from symscope.align.descend import Search
from symscope.align.methods import METHODS as SEARCHES
from symscope.align.swap import Swap, swaps
from symscope.alignment import blocks
from symscope.extract import extract, machine_of
from symscope.features import classifier_axes, probed, read_out
from symscope.features.dictionaries import Training, bench, fit_dictionary
from symscope.featurizer import Rotation
from symscope.generate.by_hand import by_hand as written
from symscope.generate.formula import formula_of
from symscope.generate.reading import order_parameters, read_algorithm
from symscope.generate.sampling import losses, sampled
from symscope.generate.training import Plan, before_training
from symscope.localize import attribution, edge_scores, find_circuit, patched
from symscope.models.compiled import plant
from symscope.models.compiled.recurrent import counter
from symscope.models.perceptron import Weights
from symscope.models.rnn import RNN
from symscope.models.transformer import Transformer
from symscope.network import Network
from symscope.site import Site
from symscope.tasks import Counting
from symscope.tasks.functions import function
from symscope.train import Schedule, train

Cast = Callable[[Any], Any]
STATE, TASK = Site("rnn", "state"), Counting("multi")
SEARCH = Search(steps=80, more=40, most=80, batch=128, rate=0.01)
FITTED = Training(steps=200, batch=128, warm_up=20, dead_after=100)


@dataclass(frozen=True)
class Found:
    """The numbers that came out, and a score where the method has one."""

    numbers: Tensor
    score: float = 0.0


def _flat(*parts: Tensor) -> Tensor:
    return torch.cat([p.detach().double().flatten() for p in parts])


def scores_of(*records: Any) -> Tensor:
    """The scores of evidence and what stands beside them."""
    return torch.tensor([v for r in records for v in (r.score, *r.controls.values())]).double()


def run_gru(cast: Cast, seed: int) -> Found:
    """The logits of a GRU."""
    torch.manual_seed(seed)
    module = cast(RNN("gru", laws.TOKENS, 16))
    return Found(_flat(Network(module).run(laws.token_batch(seed)).output))


def _transformer(cast: Cast, seed: int) -> Network:
    torch.manual_seed(seed)
    module = Transformer(laws.TOKENS, 16, 2, 2)
    with torch.no_grad():
        for weight in module.parameters():
            weight += 0.3 * torch.randn_like(weight)
    return Network(cast(module))


def run_transformer(cast: Cast, seed: int) -> Found:
    """The logits of a transformer."""
    return Found(_flat(_transformer(cast, seed).run(laws.token_batch(seed)).output))


def _planted(cast: Cast, seed: int) -> Network:
    return Network(cast(plant(counter(20), noise=6, seed=seed).network.module))


def interchange(cast: Cast, seed: int) -> Found:
    """Logits after the swap of the planted coordinate, and the IIA."""
    planted = plant(counter(20), noise=6, seed=seed)
    handle = planted.alignment["count"]
    swap = Swap(_planted(cast, seed), handle.site, _pairs(seed, "test"))
    featurizer, chosen = cast(handle.featurizer), list(handle.coordinates)
    rows = torch.arange(len(swap))
    with torch.no_grad():
        logits = swap.down.from_vectors(swap.edited(featurizer, chosen), rows)
    return Found(_flat(logits), swap.score(featurizer, chosen))


def _pairs(seed: int, split: str) -> Any:
    return TASK.pairs(TASK.hypothesis("up_down"), ("count",), 200, seed, split)


def search(method: str) -> Callable[[Cast, int], Found]:
    """Vectors after the swap that this search ends at, and its IIA on fresh pairs."""

    def searched(cast: Cast, seed: int) -> Found:
        pairs = {split: _pairs(seed, split) for split in ("fit", "validation", "test")}
        ready = swaps(_planted(cast, seed), STATE, pairs)
        claim = blocks("up_down", STATE, Rotation(8, 1, seed), {"count": 1})
        found = SEARCHES[method](claim, ready, SEARCH, seed)
        handle = found["count"]
        edited = ready.test.edited(handle.featurizer, handle.coordinates)
        return Found(_flat(edited), iia(found, ready.test))

    return searched


def featurizer(name: str) -> Callable[[Cast, int], Found]:
    """A swap by this featurizer."""

    def swapped(cast: Cast, seed: int) -> Found:
        base, source = (cast(laws.draws(laws.SAMPLES, laws.WIDTH, seed=2 * seed + i))
                        for i in (0, 1))  # fmt: skip
        return Found(_flat(cast(laws.FEATURIZERS[name]()).swap(base, source, [0, 1])))

    return swapped


def _patches(cast: Cast, seed: int) -> tuple[Network, Tensor, Tensor, list[Site]]:
    network = _transformer(cast, seed)
    assert network.layout is not None, "ours says where its parts are"
    at = [network.layout.site(b, kind, c).at(laws.LENGTH - 1) for b in (0, 1)
          for kind, c in (("residual", None), ("head", 0), ("head", 1), ("mlp", None))]  # fmt: skip
    return network, laws.token_batch(2 * seed), laws.token_batch(2 * seed + 1), at


def patching(cast: Cast, seed: int) -> Found:
    """Logits with the residual stream, heads and MLPs of the source."""
    return Found(_flat(patched(*_patches(cast, seed))))


def attribution_patching(cast: Cast, seed: int) -> Found:
    """The same places, estimated from one backward pass."""
    return Found(_flat(attribution(*_patches(cast, seed))))


def integrated_gradients(cast: Cast, seed: int) -> Found:
    """From five backward passes between base and source."""
    return Found(_flat(attribution(*_patches(cast, seed), steps=5)))


def edges(cast: Cast, seed: int) -> Found:
    """Scores of all edges."""
    network, base, source, _ = _patches(cast, seed)
    return Found(_flat(edge_scores(network, base, source, steps=3)))


def circuit(cast: Cast, seed: int) -> Found:
    """Faithfulness, completeness and minimality, and how many edges there are."""
    network = Network(cast(attention_by_hand.induction().module))
    base, source = (attention_by_hand.induction_inputs(60, 2 * seed + i)[0] for i in (0, 1))
    chosen, records = find_circuit(network, base, source, "circuit", target=0.95)
    return Found(scores_of(*records), len(chosen))


def _labelled(cast: Cast, seed: int) -> tuple[Tensor, Tensor]:
    labels = torch.arange(300) % 3
    vectors = 0.7 * laws.draws(3, 12, seed=seed)[labels] + laws.draws(300, 12, seed=seed + 50)
    return cast(vectors), labels


def probe(cast: Cast, seed: int) -> Found:
    """Accuracy of a logistic probe, and with shuffled labels."""
    found = probed(*_labelled(cast, seed), seed=seed)
    return Found(torch.tensor([found.accuracy, found.shuffled]), found.accuracy)


def linear_read_out(cast: Cast, seed: int) -> Found:
    """What a read-out trained by Adam reads right."""
    vectors, labels = _labelled(cast, seed)
    right = read_out(vectors, labels, torch.arange(300) < 200, seed, epochs=60)
    return Found(_flat(right), float(right.double().mean()))


def axes_of_a_classifier(cast: Cast, seed: int) -> Found:
    """The projection on the axes chosen."""
    axes = classifier_axes(*_labelled(cast, seed), 2, seed=seed).axes()
    return Found(_flat(axes @ axes.T))


def dictionary(method: str) -> Callable[[Cast, int], Found]:
    """Features fitted by this method, and the share of variance that they explain."""

    def fitted(cast: Cast, seed: int) -> Found:
        codes = laws.draws(600, 16, seed=seed).relu() * (laws.draws(600, 16, seed=seed + 9) > 0.5)
        vectors = cast(codes @ laws.draws(16, 8, seed=seed + 1) + 1)
        size, targets = 16, None
        if method in ("pca", "ica"):
            size = 4 if method == "pca" else 8
        if method == "difference_in_means":
            size, targets = 2, torch.arange(600) % 3
        if method == "transcoder":
            targets = cast(laws.draws(600, 6, seed=seed + 2))
        found = fit_dictionary(vectors, method, size=size, targets=targets, training=FITTED,
                               seed=seed)  # fmt: skip
        decoder = found.decoder
        if method == "pca":  # the sign of a principal axis is arbitrary
            decoder = decoder.T @ decoder
        explained = 0.0 if found.outputs else bench(found, vectors)[0].score or 0.0
        return Found(_flat(decoder), explained)

    return fitted


def extraction(cast: Cast, seed: int) -> Found:
    """What the extracted program answers, and how long its text is."""
    machine = machine_of(cast(by_hand.hidden(by_hand.addition(), seed)), by_hand.BITS, 6)
    chosen = extract(machine, seconds=4, within=8, seed=seed).chosen
    x = torch.randint(2, (100, 6, 2), generator=torch.Generator().manual_seed(seed))
    if chosen is None:
        return Found(torch.zeros(1))
    return Found(_flat(chosen.program.run(x).output), len(str(chosen.program.rules)))


def _weights(cast: Cast, weights: Weights) -> Weights:
    return Weights(*(tuple(map(cast, parts)) for parts in weights))


def hypernetwork(cast: Cast, seed: int) -> Found:
    """The networks it writes, their nats, and their errors."""
    made = cast(before_training((2, 6, 1), Plan(), seed))
    found = sampled(made, [1e-5, 1e-3, 1e-1], seed)
    lost = losses(found.weights, function("l1_norm", 2), 500, seed)
    return Found(_flat(*found.weights.matrices, *found.weights.biases, found.nats, lost))


def reading(cast: Cast, seed: int) -> Found:
    """Order parameters, what speaks for which algorithm, and the formula's R²."""
    weights = _weights(cast, written("double_sided", (4, 12, 1), seed, noise=0.02))
    task = function("l1_norm", 4)
    order = order_parameters(weights)
    read = read_algorithm(weights, task, seed, samples=1000)
    _, records = formula_of(weights, task, seed)
    numbers = [order.most_double_sided or 0.0, order.strongest, order.strongest_path, read.loss]
    return Found(torch.cat([torch.tensor(numbers).double(), scores_of(records[0])]))


def training(cast: Cast, seed: int) -> Found:
    """The weights of a GRU after thirty epochs, and its accuracy at the gate."""
    torch.manual_seed(seed)
    task = Counting("same", highest=3, held_out=())
    module = cast(RNN("gru", len(task.vocabulary), 16))
    record = train(module, task, None, Schedule(epochs=30, stop=False, own_answers=False), seed)
    return Found(_flat(*module.parameters()), record.score or 0.0)

"""Which algorithm a network for the L1 norm runs: named, with what speaks for it and against it.

Each algorithm asks for a few measures to lie on the right side of bounds that were fitted on
networks written by hand (`boundaries.py`), and a network is named after the algorithm all of whose
conditions hold. Where no algorithm's hold, or hold only just, it is "none", never the nearest; the
algorithms' conditions exclude each other. Interventions are conditions like the others, so that a
network that looks like an algorithm but does not behave like it is "none" with the reason.

The four are "double_sided", Σ max(x_i, 0) + max(−x_i, 0); "pudding_positive", 2 Σ max(−x_i, 0) +
Σ x_i, whose owners have negative weights; "pudding_negative", its mirror; and "convexity", a sum
over many directions that depends on |x|₂ alone (Liao, Liu and Tegmark, 2023).
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from symscope.evidence import Evidence
from symscope.generate.reading.boundaries import fitted_boundaries
from symscope.generate.reading.drawn import Drawn, draw
from symscope.generate.reading.formula_network import ALGORITHMS
from symscope.generate.reading.measures import causal_measures, causal_tests, measures
from symscope.generate.reading.one_layer import one_layer
from symscope.generate.reading.order import Order, order_parameters
from symscope.generate.reading.ownership import Owners, Shares, kinks, owners_of, shares
from symscope.models.perceptron import Weights
from symscope.task import Task

AMBIGUOUS = 0.1
"""Below this confidence a network is "none" by weights and outputs alone: our choice.

Interventions take the name away where a condition fails, however little."""
CHOSEN: Mapping[str, tuple[float, float]] = {"loss": (0.5, 0.1), "permuted": (0.5, 0.0)}
"""Bounds that are not fitted but our choice, with a typical value: half of the loss of the best
linear predictor, and half of what scattering the owners costs."""
QUICK, CAREFUL = 2_000, 20_000
"""Samples by default, without and with interventions."""
_KINKED = (("loss", -1), ("beyond_radius", 1), ("kink", 1))
LOOKS: Mapping[str, tuple[tuple[str, int], ...]] = {
    "convexity": (("loss", -1), ("beyond_radius", -1), ("stray_kink", -1)),
    "pudding_positive": (*_KINKED, ("left", 1)),
    "pudding_negative": (*_KINKED, ("right", 1)),
    "double_sided": (*_KINKED, ("balance", 1)),
}
"""Algorithm → measures of weights and outputs, +1 for at least the bound, −1 for at most."""
_BEHAVES = (
    ("rotation", 1), ("free_bends", -1), ("permuted", -1), ("ablation", 1),
    ("rebuilt.sparse", 1),
)  # fmt: skip
BEHAVES: Mapping[str, tuple[tuple[str, int], ...]] = {
    **dict.fromkeys(ALGORITHMS, _BEHAVES),
    "convexity": (("rotation", -1), ("free_bends", 1)),
}
"""Algorithm → measures by intervention, likewise."""
WORDS = {
    "loss": "loss",
    "beyond_radius": "share of what the L1 norm adds to |x|₂",
    "kink": "owned kink of most inputs",
    "stray_kink": "owned kink of an input rich in it",
    "balance": "smaller side of the kinks over the larger",
    "right": "kinks are right of 0",
    "left": "kinks are left of 0",
    "one_sided": "one-sidedness of the kinks",
    "rotation": "log₂ loss ratio after rotations",
    "free_bends": "loss added when unowned units are made linear",
    "permuted": "harm of permuted owners over that of scattered ones",
    "ablation": "share of the sided ablation's change that the formula predicts",
    "rebuilt.sparse": "R² of the formula on sparse inputs",
}


@dataclass(frozen=True)
class Vote:
    """One condition: the value of `measure`, and the bound that it has to keep to.

    `margin` is how far it is from the bound, in units of the way from there to the typical labelled
    network: 1 there and beyond, 0 at the bound, negative where the condition fails.
    """

    measure: str
    value: float
    bound: float
    at_least: bool
    margin: float

    @property
    def holds(self) -> bool:
        """Whether the value is on the right side of the bound."""
        return self.margin >= 0

    def __str__(self) -> str:
        side = "at least" if self.at_least else "at most"
        return f"{WORDS[self.measure]} {self.value:.2f} ({side} {self.bound:.2f})"


@dataclass(frozen=True)
class Reading:
    """What was read: the algorithm or "none", how sure, and why.

    `confidence` is the least margin of the algorithm's votes, 0 … 1, and 0 for "none": not a
    probability but the distance from the nearest bound. `votes` are all conditions of every
    algorithm. `reasons` are sentences, "for …" and "against …". `tests` are the interventions'
    evidence, empty without them.
    """

    algorithm: str
    confidence: float
    reasons: tuple[str, ...]
    votes: Mapping[str, tuple[Vote, ...]]
    order: Order
    shares: Shares
    measures: Mapping[str, float]
    tests: tuple[Evidence, ...] = ()

    @property
    def loss(self) -> float:
        """The mean squared error."""
        return self.measures["loss"]


def read_algorithm(
    weights: Weights, task: Task, seed: int = 0, samples: int | None = None, causal: bool = True
) -> Reading:
    """The algorithm of a network of one hidden layer and one output, trained on the L1 norm.

    Raises `SymscopeError` for other networks, several networks at once, and other functions.
    `samples` fresh inputs, 20,000 by default, are drawn from `seed`; without the interventions
    2,000. For thousands of networks draw once and use `look`.
    """
    count = samples or (CAREFUL if causal else QUICK)
    seen = look(weights, draw(task, one_layer(weights).inputs, seed, count))
    if not causal:
        return seen
    return _confirmed(seen, causal_tests(weights, task, seen.algorithm, seed, count))


def look(weights: Weights, drawn: Drawn) -> Reading:
    """The algorithm by weights and outputs alone, without interventions: about a millisecond."""
    layer = one_layer(weights)
    found = owners_of(layer)
    values = measures(weights, found, drawn)
    votes = {name: _votes(name, LOOKS[name], values) for name in ALGORITHMS}
    algorithm, confidence = "none", 0.0
    for name, cast in votes.items():
        least = min(vote.margin for vote in cast)
        if least >= AMBIGUOUS:
            algorithm, confidence = name, least
    reasons = _reasons(algorithm, votes)
    if algorithm == "none":
        reasons = (*_mixed_signs(found, values), *reasons)
    order = order_parameters(weights)
    return Reading(algorithm, confidence, reasons, votes, order, shares(found), values)


def _confirmed(seen: Reading, tests: tuple[Evidence, ...]) -> Reading:
    """The reading after the interventions' votes, which can only take the name away."""
    values = {**seen.measures, **causal_measures(tests)}
    if seen.algorithm == "none":
        return replace(seen, measures=values, tests=tests)
    cast = (*seen.votes[seen.algorithm], *_votes(seen.algorithm, BEHAVES[seen.algorithm], values))
    votes = {**seen.votes, seen.algorithm: cast}
    least = min(vote.margin for vote in cast)
    if least >= 0:  # a test that is close contradicts nothing; the confidence says it
        reasons = _reasons(seen.algorithm, votes)
        return replace(
            seen, confidence=least, reasons=reasons, votes=votes, measures=values, tests=tests
        )
    reasons = (f"looks like {seen.algorithm}, but does not behave like it",
               *_reasons("none", {seen.algorithm: cast}))  # fmt: skip
    return Reading("none", 0.0, reasons, votes, seen.order, seen.shares, values, tests)


def _votes(
    algorithm: str, asked: tuple[tuple[str, int], ...], values: Mapping[str, float]
) -> tuple[Vote, ...]:
    """The conditions on `asked` measures; one that could not be measured casts no vote."""
    cast = []
    for measure, sign in asked:
        own = {"ablation", "rebuilt.sparse"} & {measure}
        value = values.get(f"{measure}.{algorithm}" if own else measure)
        if value is None:
            continue
        if measure in CHOSEN:
            bound, typical = CHOSEN[measure]
        else:
            fitted = fitted_boundaries()[measure]
            typical = fitted.typical_above if sign > 0 else fitted.typical_below
            bound = fitted.value
        margin = min(1.0, (value - bound) / (typical - bound))
        cast.append(Vote(measure, value, bound, sign > 0, margin))
    return tuple(cast)


def _mixed_signs(found: Owners, values: Mapping[str, float]) -> tuple[str, ...]:
    """A sentence, where most inputs are treated as in a pudding, but not all with the same sign."""
    if not all(vote.holds for vote in _votes("none", (*_KINKED, ("one_sided", 1)), values)):
        return ()
    slopes = kinks(found)
    right = int((slopes[:, 0] > slopes[:, 1]).sum())
    left = int((slopes[:, 0] < slopes[:, 1]).sum())
    return (f"a pudding of mixed signs: kinks right of 0 for {right} inputs, left for {left}",)


def _reasons(algorithm: str, votes: Mapping[str, tuple[Vote, ...]]) -> tuple[str, ...]:
    """What speaks for the algorithm; for "none", what speaks against each."""
    if algorithm != "none":
        return tuple(f"for {algorithm}: {vote}" for vote in votes[algorithm])
    found = []
    for name, cast in votes.items():
        failed = [f"against {name}: {vote}" for vote in cast if not vote.holds]
        close = [f"ambiguous for {name}: {v}" for v in cast if 0 <= v.margin < AMBIGUOUS]
        found.extend(failed or close)
    return tuple(found)

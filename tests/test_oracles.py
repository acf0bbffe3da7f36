"""On networks whose program is known, true claims have an IIA of 1 and false ones do not."""

import pytest
import torch

from oracles import (
    CONJUNCTION,
    DISJUNCTION,
    UP_DOWN,
    UP_UP,
    WIDTH,
    Conjunction,
    axes_of,
    every_pair,
    on_axes,
)
from symscope.align import Swap, agreement, blocks, das, fit
from symscope.align.descend import Search
from symscope.evidence import ComputationFailed, SymscopeError
from symscope.featurizer import Identity, Rotation
from symscope.network import Network
from symscope.site import Site
from symscope.tasks import Counting
from symscope.train import answers_right

STATE = Site("rnn", "state")
TASK = Counting("multi")
BUILT = {"up_down": UP_DOWN.network, "up_up": UP_UP.network}
HIDDEN = {"up_down": axes_of(UP_DOWN), "up_up": axes_of(UP_UP)}
AXES = HIDDEN["up_down"]


@pytest.fixture(scope="module")
def swaps():
    """(network, program, variable, split) → the pairs on that network, each made once."""
    made: dict = {}

    def make(network, program, variable, split="test"):
        key = (network, program, variable, split)
        if key not in made:
            pairs = TASK.pairs(TASK.hypothesis(program), (variable,), 300, 0, split)
            made[key] = Swap(BUILT[network], STATE, pairs)
        return made[key]

    return make


def iia(swap, program, variable, featurizer):
    alignment = blocks(program, STATE, featurizer, {variable: featurizer.size})
    return agreement(alignment, swap).score


@pytest.mark.parametrize("name", BUILT)
def test_an_oracle_counts_without_a_mistake(name):
    right = answers_right(BUILT[name].module, TASK, TASK.gate(torch.Generator().manual_seed(0)))
    assert right.all()


TRUE = [
    ("up_down", "up_down", "count", (0,)),
    ("up_down", "up_down", "phase", (1,)),
    ("up_up", "up_up", "demo", (0,)),
    ("up_up", "up_up", "resp", (1,)),
    ("up_up", "up_up", "phase", (2,)),
]


@pytest.mark.parametrize(("network", "program", "variable", "columns"), TRUE)
def test_a_true_alignment_has_an_iia_of_one(swaps, network, program, variable, columns):
    swap = swaps(network, program, variable)
    found = iia(swap, program, variable, on_axes(HIDDEN[network], *columns))
    assert found == 1.0
    unused = on_axes(HIDDEN[network], *columns, 5, 6)  # axes that nothing reads do no harm
    assert iia(swap, program, variable, unused) == 1.0


FALSE = [
    ("up_down", "up_down", "count", (1,), 0.7),  # the phase's axis
    ("up_down", "up_down", "count", (4,), 0.2),  # an axis that nothing reads: a no-op
    ("up_down", "up_down", "count", (0, 1), 0.85),  # count and phase together
    ("up_down", "up_up", "demo", (0,), 0.7),  # the wrong program, at its nearest
    ("up_down", "up_up", "resp", (0,), 0.6),
    ("up_up", "up_down", "count", (0,), 0.7),
    ("up_up", "up_up", "demo", (1,), 0.4),
]


@pytest.mark.parametrize(("network", "program", "variable", "columns", "most"), FALSE)
def test_a_false_alignment_has_not(swaps, network, program, variable, columns, most):
    swap = swaps(network, program, variable)
    assert iia(swap, program, variable, on_axes(HIDDEN[network], *columns)) < most


def test_a_difference_of_two_counters_is_a_count():
    pairs = TASK.pairs(TASK.program, ("count",), 300, 0, "test")
    swap = Swap(BUILT["up_up"], STATE, pairs)
    planted = UP_UP.alignment["demo"].featurizer.start
    difference = (planted[:, :1] - planted[:, 1:2]) / 2**0.5
    assert iia(swap, "up_down", "count", Rotation(WIDTH, 1, start=difference)) == 1.0


def test_no_single_unit_holds_a_hidden_variable(swaps):
    swap = swaps("up_down", "up_down", "count")
    alone = [float(swap.right(Identity(WIDTH), [unit]).float().mean()) for unit in range(WIDTH)]
    assert max(alone) < 0.7


def test_agreement_counts_the_pairs_that_are_all_right(swaps):
    swap = swaps("up_down", "up_down", "count")
    alignment = blocks("up_down", STATE, on_axes(AXES, 1), {"count": 1})
    found = agreement(alignment, swap, controls={"no-op": 0.1}, seed=4)
    right = swap.right(on_axes(AXES, 1), [0])
    assert found.claim == "up_down.count.iia"
    assert (found.n, found.score) == (300, pytest.approx(float(right.float().mean())))
    assert found.low < found.score < found.high
    assert found.controls == {"no-op": 0.1} and list(found.seeds) == [4]
    split = [list(found.config[name].values()) for name in ("phase", "value", "difference")]
    for cells in (*split, [found.config["held_out"], found.config["seen"]]):
        assert torch.tensor(cells).sum(0).tolist() == [int(right.sum()), 300]


def test_the_rest_of_the_state_can_be_a_block_that_changes_nothing(swaps):
    rotation = on_axes(AXES, 0, 1, 2, 3, 4, 5, 6, 7)
    start = blocks("up_down", STATE, rotation, {"count": 1, "phase": 1, "null": 6})
    assert start["null"].coordinates == (2, 3, 4, 5, 6, 7)
    nothing = TASK.pairs(TASK.program, (), 300, 0, "test")
    assert agreement(start, Swap(BUILT["up_down"], STATE, nothing)).score == 1.0
    assert agreement(start, swaps("up_down", "up_down", "phase")).score == 1.0


@pytest.mark.parametrize(("variable", "column", "near"), [("count", 0, 0.97), ("phase", 1, 0.6)])
def test_a_search_finds_the_true_axis(swaps, variable, column, near):
    fitting = swaps("up_down", "up_down", variable, "fit")
    validation = swaps("up_down", "up_down", variable, "validation")
    start = blocks("up_down", STATE, Rotation(WIDTH, 2, seed=1), {variable: 2})
    before = agreement(start, swaps("up_down", "up_down", variable)).score
    weight = start[variable].featurizer.weight.clone()
    search = Search(steps=500, more=100, most=500, batch=64, rate=0.05)
    found = fit(start, [fitting], [validation], search)
    assert before < 0.8
    assert agreement(found, swaps("up_down", "up_down", variable)).score > 0.97
    assert torch.equal(start[variable].featurizer.weight, weight)
    axes = found[variable].featurizer.axes()
    assert (AXES[:, column] @ axes).norm() > near


def test_a_search_gives_the_same_alignment_again(swaps):
    pairs = [swaps("up_down", "up_down", "count", split) for split in ("fit", "validation")]
    start = blocks("up_down", STATE, Rotation(WIDTH, 2, seed=1), {"count": 2})
    search = Search(steps=5, more=4, most=5, batch=32)
    first, again = (fit(start, pairs[:1], pairs[1:], search, seed=3) for _ in range(2))
    assert torch.equal(first["count"].featurizer.weight, again["count"].featurizer.weight)


@pytest.mark.parametrize(
    ("scores", "steps", "best"),
    [
        ([0.1, 0.9, 0.2, 0.3], 4, 2),
        ([0.1, 0.2, 0.9, 0.3, 0.4, 0.5], 6, 3),  # nothing more in the last two steps
        ([0.5, 0.5, 0.5, 0.5], 4, 1),
        ([0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8], 8, 8),
    ],
)
def test_a_search_goes_on_while_it_gains_and_keeps_the_best(
    swaps, monkeypatch, scores, steps, best
):
    fitting = swaps("up_down", "up_down", "count", "fit")
    start = blocks("up_down", STATE, Rotation(WIDTH, 2, seed=1), {"count": 2})
    search = Search(steps=4, more=2, most=8, batch=16, rate=0.05)
    met, given = [], iter([*scores, *scores])
    monkeypatch.setattr(das, "iia", lambda *_: next(given))
    found = fit(start, [fitting], [fitting], search, progress=lambda *at: met.append(at[0]))
    assert met == list(range(1, steps + 1))
    short = Search(steps=best, more=2, most=best, batch=16, rate=0.05)
    monkeypatch.setattr(das, "iia", lambda *_: 1 - 1 / (1 + next(counter)))
    counter = iter(range(1, 9))  # always better, so the last step is kept
    expected = fit(start, [fitting], [fitting], short)
    assert torch.equal(found["count"].featurizer.weight, expected["count"].featurizer.weight)


def test_a_search_that_meets_no_number_stops_and_says_when(swaps):
    swap = swaps("up_down", "up_down", "count")
    start = blocks("up_down", STATE, Rotation(WIDTH, 2), {"count": 2})
    with torch.no_grad():
        start["count"].featurizer.weight[0, 0] = float("nan")
    with pytest.raises(ComputationFailed, match="the loss is nan at alignment step 1"):
        fit(start, [swap], [swap])


def test_a_site_without_steps_is_aligned_on_every_pair_there_is():
    network, site = Network(Conjunction(AXES)), Site("hidden")
    inputs = every_pair(CONJUNCTION, "both").base
    found = network.run(inputs).output.argmax(-1)
    assert torch.equal(found, CONJUNCTION.run(inputs.long()).output)
    swap = Swap(network, site, every_pair(CONJUNCTION, "both"))
    assert iia(swap, "conjunction", "both", on_axes(AXES, 0)) == 1.0
    assert iia(swap, "conjunction", "both", on_axes(AXES, 1)) < 0.8
    wrong = Swap(network, site, every_pair(DISJUNCTION, "any"))
    assert iia(wrong, "disjunction", "any", on_axes(AXES, 0)) < 0.8


def test_blocks_that_do_not_fit_are_refused():
    with pytest.raises(SymscopeError, match="need 3 coordinates, the featurizer has 2"):
        blocks("up_down", STATE, Rotation(WIDTH, 2), {"count": 2, "phase": 1})


def test_a_search_without_weights_or_of_another_width_is_refused(swaps):
    swap = swaps("up_down", "up_down", "count")
    for featurizer, told in ((Identity(WIDTH), "nothing to fit"), (Rotation(5, 2), "width of 5")):
        start = blocks("up_down", STATE, featurizer, {"count": 1})
        with pytest.raises(SymscopeError, match=told):
            fit(start, [swap], [swap])

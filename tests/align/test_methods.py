"""Every method on a network whose variable and subspace are known."""

import pytest
import torch

from symscope.align import agreement
from symscope.align.boundless import Boundary
from symscope.align.chosen import probe_axes
from symscope.align.controls import nothing_to_find, permuted
from symscope.align.das import iia
from symscope.align.descend import Search, descend
from symscope.align.methods import METHODS
from symscope.align.swap import Swap, swaps
from symscope.evidence import SymscopeError
from symscope.featurizer import Mask
from symscope.models.compiled import Planted, plant
from symscope.models.compiled.feedforward import clock
from symscope.models.compiled.recurrent import register
from symscope.studies.truth.units import angle, untrained

SEARCH = Search(steps=120, more=60, most=120, batch=128, rate=0.03)
COUNTS = {"fit": 1000, "validation": 200, "test": 200}


def prepared(planted: Planted, variable: str):
    program = planted.task.hypothesis(planted.alignment.program)
    pairs = {s: planted.task.pairs(program, (variable,), n, 0, s) for s, n in COUNTS.items()}
    return swaps(planted.network, planted.alignment[variable].site, pairs)


@pytest.fixture(scope="module")
def hidden():
    planted = plant(clock(), noise=4, seed=1)
    return planted, prepared(planted, "sum")


@pytest.fixture(scope="module")
def plain():
    """Three variables, each on a unit of its own."""
    planted = plant(register(), noise=3, basis="plain")
    return planted, prepared(planted, "back1")


def found_by(name, case, variable):
    planted, ready = case
    found = METHODS[name](planted.claimed(variable), ready, SEARCH, 0)
    return found[variable], agreement(found, ready.test).score


@pytest.mark.parametrize("name", ["das", "boundless", "multitask", "probe", "reversible"])
def test_what_can_find_a_hidden_circle_finds_it(hidden, name):
    _, score = found_by(name, hidden, "sum")
    assert score > 0.95


@pytest.mark.parametrize("name", ["neurons", "pca"])
def test_what_looks_at_units_or_variance_alone_does_not(hidden, name):
    _, score = found_by(name, hidden, "sum")
    assert score < 0.6


def test_swapping_the_whole_site_is_no_place_in_it(hidden):
    handle, score = found_by("full_site", hidden, "sum")
    assert score == 1.0 and len(handle.coordinates) == handle.featurizer.width


@pytest.mark.parametrize("name", ["neurons", "masking", "das"])
def test_a_unit_that_holds_a_variable_is_found(plain, name):
    planted, _ = plain
    handle, score = found_by(name, plain, "back1")
    assert score > 0.95
    if isinstance(handle.featurizer, Mask):
        assert handle.featurizer.units.tolist() == [1]
    else:
        assert angle(handle, planted.alignment["back1"]) < 15


def test_boundless_das_leaves_out_what_is_not_needed(plain):
    handle, score = found_by("boundless", plain, "back1")
    assert score > 0.9 and len(handle.coordinates) < handle.featurizer.width


def test_a_boundary_swaps_all_below_it_and_nothing_above():
    boundary = Boundary(8, seed=0)
    assert boundary.kept() == (0, 1, 2, 3)
    assert boundary.degrees(0.01).round().tolist() == [1, 1, 1, 1, 0, 0, 0, 0]
    with torch.no_grad():
        boundary.share.fill_(-0.3)
    assert boundary.kept() == (0,)


def test_a_probe_reads_along_the_variables_axis(plain):
    _, ready = plain
    values = ready.fit.pairs.labels["back1.source"].double()
    axes = probe_axes(ready.fit.source, values, 1).axes()
    assert axes[1, 0].abs() > 0.99
    with pytest.raises(SymscopeError, match="more than one value"):
        probe_axes(ready.fit.source, torch.ones(len(values)), 1)


@pytest.mark.parametrize(("case", "variable"), [("hidden", "sum"), ("plain", "back1")])
def test_a_swap_on_some_pairs_is_the_swap_of_these(case, variable, request):
    planted, ready = request.getfixturevalue(case)
    rows = torch.tensor([5, 2, 9, 11])
    part = ready.test.only(rows)
    again = Swap(planted.network, planted.alignment[variable].site, ready.test.pairs[rows])
    handle = planted.claimed(variable)[variable]
    assert torch.equal(part.base, again.base) and len(part) == 4
    for swap in (part, again):
        assert torch.equal(
            swap.right(handle.featurizer, handle.coordinates),
            ready.test.right(handle.featurizer, handle.coordinates)[rows],
        )
    losses = [
        s.loss(handle.featurizer, handle.coordinates, torch.tensor([0, 3])) for s in (part, again)
    ]
    assert torch.allclose(*losses, atol=1e-5)


def test_where_there_is_nothing_to_find_the_truth_finds_nothing(hidden):
    planted, ready = hidden
    blank = untrained(planted.network, seed=1)
    true = planted.alignment
    assert iia(true, ready.fit) == iia(true, ready.validation) == 1.0
    for name, made in nothing_to_find(ready, blank, true["sum"].site, seed=0).items():
        for split in ("fit", "validation", "test"):
            nothing, something = getattr(made, split), getattr(ready, split)
            assert iia(true, nothing) < 0.5, (name, split)
            assert torch.equal(nothing.target, something.target)
            assert torch.equal(nothing.pairs.base, something.pairs.base)


def test_a_permuted_source_keeps_its_own_labels(plain):
    _, ready = plain
    mixed = permuted(ready.fit, seed=1)
    read = mixed.source[:, 1].round(), ready.fit.source[:, 1].round()  # back1 is unit 1
    told = [swap.pairs.labels["back1.source"] for swap in (mixed, ready.fit)]
    assert torch.equal(read[0].long(), told[0].long()) and torch.equal(read[1].long(), told[1])
    assert not torch.equal(*told) and torch.equal(mixed.base, ready.fit.base)


@pytest.mark.parametrize("name", METHODS)
def test_a_method_gives_the_same_again(hidden, name):
    planted, ready = hidden
    short = Search(steps=4, more=2, most=4, batch=32, rate=0.01)
    first, again = (METHODS[name](planted.claimed("sum"), ready, short, 3)["sum"] for _ in range(2))
    state = [h.featurizer.state_dict() for h in (first, again)]
    assert first.coordinates == again.coordinates
    assert all(torch.equal(state[0][k], state[1][k]) for k in state[0])


def test_a_search_may_be_as_short_as_one_step():
    weight = torch.nn.Linear(1, 1)
    before = weight.weight.detach().clone()
    ones = torch.ones(4, 1)
    loss = [(4, lambda rows, _: (weight(ones[rows]) - 3).square().mean())]
    best = descend(
        weight, loss, lambda: float(weight.weight.detach()), Search(1, 1, most=2, batch=4)
    )
    assert best > float(before)

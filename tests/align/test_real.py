"""Real variables: found where they were written, and not where another algorithm runs."""

import pytest
import torch

from symscope.align.controls import permuted
from symscope.align.das import fit, iia
from symscope.align.descend import Search
from symscope.align.real import RealSwap, agreement_real, effect_r2, examine_real
from symscope.alignment import Alignment, Handle, blocks
from symscope.evidence import SymscopeError
from symscope.featurizer import Identity, Mask, Rotation
from symscope.generate.baselines import untrained
from symscope.models.perceptron import Weights, perceptron
from symscope.network import Network
from symscope.site import Site
from symscope.tasks.functions import function

TASK, SITE = function("l1_norm", 3), Site("hidden.0")
SEARCH = Search(steps=150, more=75, most=150, batch=128, rate=0.05)
COUNTS = {"fit": 1000, "validation": 200, "test": 400}
WIDTH = 6


def exact(*columns):
    """ReLU units from (direction, bias, output weight); the outputs are the task's own."""
    matrix = torch.tensor([c[0] for c in columns], dtype=torch.float32).T
    bias, out = (torch.tensor([c[i] for c in columns], dtype=torch.float32) for i in (1, 2))
    shift = float((out * bias.clamp(min=100) * (bias > 0)).sum())  # a linear unit adds its bias
    outer = (-shift - TASK.centre) / TASK.scale
    weights = Weights((matrix, out[:, None] / TASK.scale), (bias, outer))
    return Network(perceptron(weights, "relu"))


def axis(i, sign):
    return [float(sign) if j == i else 0.0 for j in range(3)]


DOUBLE = exact(*((axis(i, sign), 0.0, 1.0) for i in range(3) for sign in (1, -1)))
PUDDING = exact(
    *((axis(i, -1), 0.0, 2.0) for i in range(3)), ([1.0] * 3, 100.0, 0.5), ([1.0] * 3, 100.0, 0.5),
    (axis(0, 0), 0.0, 0.0),
)  # fmt: skip


def pairs(program, variable, split="test", seed=0):
    return TASK.pairs(TASK.hypothesis(program), (variable,), COUNTS[split], seed, split)


def swapped(network, program, variable, split="test"):
    return RealSwap(network, SITE, pairs(program, variable, split))


def units(program, variable, *of):
    mask = Mask(WIDTH, len(of), of)
    return Alignment(program, {variable: Handle(SITE, mask, tuple(range(len(of))))})


@pytest.mark.parametrize("network", [DOUBLE, PUDDING])
def test_the_networks_by_hand_are_exact(network):
    x = TASK.sample(500, torch.Generator().manual_seed(1))
    assert torch.allclose(network.run(x).output, TASK.correct(x), atol=1e-4)


def test_no_swap_scores_nothing_and_the_true_units_everything():
    swap = swapped(DOUBLE, "absolute", "a_0")
    assert swap.explained(swap.answers(swap.base)) == 0
    assert iia(units("absolute", "a_0", 0, 1), swap) > 1 - 1e-6
    assert iia(units("absolute", "a_0", 2, 3), swap) < -0.5
    assert swap.score(Identity(WIDTH), range(WIDTH)) < 0


def test_the_score_is_the_share_of_the_error_that_is_taken_away():
    swap = swapped(DOUBLE, "absolute", "a_0")
    half = (swap.natural + swap.target) / 2
    assert swap.explained(half) == pytest.approx(0.75, abs=1e-6)
    outputs = DOUBLE.run(swap.pairs.base).output
    assert torch.allclose(swap.natural, outputs.detach(), atol=1e-5)
    everything = torch.arange(len(swap))
    loss = swap.loss(units("absolute", "a_0", 0)["a_0"].featurizer, [0], everything)
    least = (swap.natural - swap.target).square().mean()
    assert 1 - float(loss / least) == pytest.approx(
        iia(units("absolute", "a_0", 0), swap), abs=1e-5
    )


@pytest.mark.parametrize(
    ("network", "program", "variable", "low", "high"),
    [
        (DOUBLE, "absolute", "a_0", 0.97, 1),
        (DOUBLE, "double_sided", "p_1", 0.97, 1),
        (PUDDING, "pudding", "r_0", 0.97, 1),
        (PUDDING, "pudding", "s", 0.97, 1),
        (PUDDING, "absolute", "a_0", -1, 0.7),
        (PUDDING, "double_sided", "p_1", -1, 0.7),
    ],
)
def test_a_variable_is_found_in_the_algorithm_that_has_it(network, program, variable, low, high):
    start = blocks(program, SITE, Rotation(WIDTH, 2), {variable: 2})
    ready = [swapped(network, program, variable, split) for split in COUNTS]
    found = fit(start, ready[:1], ready[1:2], SEARCH)
    assert low <= iia(found, ready[2]) <= high


def test_two_variables_are_found_in_disjoint_blocks_of_one_rotation():
    start = blocks("absolute", SITE, Rotation(WIDTH, 4), {"a_0": 2, "a_2": 2})
    ready = {s: [swapped(DOUBLE, "absolute", v, s) for v in ("a_0", "a_2")] for s in COUNTS}
    found = fit(start, ready["fit"], ready["validation"], SEARCH)
    assert min(iia(found, swap) for swap in ready["test"]) > 0.95


def test_with_permuted_sources_the_best_is_half_a_swap():
    swap = permuted(swapped(DOUBLE, "absolute", "a_0"), seed=1)
    true = units("absolute", "a_0", 0, 1)
    whole = swap.swapped(true["a_0"].featurizer, [0, 1])
    assert swap.explained(whole) == iia(true, swap) < 0.15
    for share in (0.3, 0.5, 0.7):
        part = swap.natural + share * (whole - swap.natural)
        expected = 1 - (1 + share**2 + (1 - share) ** 2) / 2  # of three independent |x|, in pairs
        assert swap.explained(part) == pytest.approx(expected, abs=0.1)


def test_an_error_of_the_network_lowers_its_score_and_not_the_effect():
    off = perceptron(DOUBLE.module.weights.detached(), "relu")
    with torch.no_grad():
        off.readout.bias += 0.5
    swap = swapped(Network(off), "absolute", "a_0")
    still = TASK.pairs(TASK.hypothesis("absolute"), (), COUNTS["test"], 0, "test").target
    true = units("absolute", "a_0", 0, 1)
    assert iia(true, swap) < 0.9
    assert effect_r2(true, swap, still) == pytest.approx(1, abs=1e-5)
    evidence = agreement_real(true, swap)
    assert evidence.low < evidence.score < evidence.high < 1
    assert evidence.claim == "absolute.a_0.interchange_r2" and evidence.n == COUNTS["test"]


def test_every_control_stands_beside_the_score():
    start = blocks("absolute", SITE, Rotation(WIDTH, 2), {"a_0": 2})
    blank = Network(perceptron(untrained((3, WIDTH, 1), seed=5)))
    found, evidence = examine_real(DOUBLE, TASK, start, blank, SEARCH, 0, COUNTS, wrong="a_1")
    controls = evidence.controls
    assert evidence.score > 0.97 and evidence.config["effect_r2"] > 0.97
    assert set(controls) == {
        "no_op", "full_swap", "random_subspace", "neurons", "probe_direction",
        "permuted_sources", "untrained_network", "wrong_variable",
    }  # fmt: skip
    assert controls["no_op"] == 0 and controls["neurons"] > 0.97
    assert max(controls["permuted_sources"], controls["untrained_network"]) < 0.6
    assert controls["wrong_variable"] < 0 and controls["random_subspace"] < 0.5
    again, same = examine_real(DOUBLE, TASK, start, None, SEARCH, 0, COUNTS)
    assert same.score == evidence.score and "untrained_network" not in same.controls
    state = [a["a_0"].featurizer.state_dict()["weight"] for a in (found, again)]
    assert torch.equal(*state)


def test_what_is_no_real_claim_is_refused():
    classes = pairs("absolute", "a_0")
    wide = Network(torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Linear(4, 2)))
    with pytest.raises(SymscopeError, match="2 outputs, the program 1"):
        RealSwap(wide, Site("0"), classes)
    object.__setattr__(classes, "target", classes.target[:, 0].long())
    with pytest.raises(SymscopeError, match="for classes use Swap"):
        RealSwap(DOUBLE, SITE, classes)
    two = blocks("absolute", SITE, Rotation(WIDTH, 2), {"a_0": 1, "a_1": 1})
    with pytest.raises(SymscopeError, match="one variable at a time"):
        examine_real(DOUBLE, TASK, two)

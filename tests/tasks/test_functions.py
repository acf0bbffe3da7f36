"""Functions of real numbers: known values, known floors, and programs that all compute them."""

import math
import pickle

import pytest
import torch

from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.programs.functions import cosine_basis
from symscope.programs.printing import python_source
from symscope.programs.reading import program_in
from symscope.tasks.functions import FUNCTIONS, function, modular_addition

TASKS = [
    *(function(name) for name in FUNCTIONS), *(function("l1_norm", n) for n in (1, 3, 20)),
    *(function("sum_of_squares", n) for n in (1, 3)), modular_addition(2), modular_addition(5),
]  # fmt: skip
RIGHT = [(task, name) for task in TASKS for name in task.programs if name != "convexity"]
NORMS = [(8, 0.099), (16, 0.111)]


def inputs_of(task, count=50, seed=0):
    return task.sample(count, torch.Generator().manual_seed(seed))


def named(task):
    return task.name


@pytest.mark.parametrize(("task", "name"), RIGHT, ids=lambda x: getattr(x, "name", x))
def test_each_algorithm_computes_the_function(task, name):
    assert task.error(task.hypothesis(name), count=2_000) < 1e-9


VALUES = [
    ("l1_norm", [1.0, -2, 0, 0, 0.5, 0, 0, -3], [6.5]),
    ("sum_of_squares", [1.0, -2, 0, 0.5], [5.25]),
    ("maximum", [-1.0, -3], [-1]), ("sorted_two", [2.0, -1], [-1, 2]),
    ("parity_3", [1.0, -1, -1], [1]), ("parity_3", [1.0, 1, -1], [0]), ("parity_3", [1.0] * 3, [1]),
    ("parity_3", [-1.0] * 3, [0]), ("modular_addition", [2.0, 2], [1]),
    ("modular_addition", [1.0, 0], [1]),
]  # fmt: skip


@pytest.mark.parametrize(("name", "inputs", "value"), VALUES)
def test_a_value_is_what_it_is_by_hand(name, inputs, value):
    task, x = function(name), torch.tensor([inputs])
    assert torch.allclose(task.value(x), torch.tensor([value]).float())
    assert torch.allclose(task.correct(x) * task.scale + task.centre, task.value(x))


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_right_answers_have_mean_0_and_variance_1(task):
    x = task.gate(torch.Generator()) if task.levels else inputs_of(task, 200_000)
    answers = task.correct(x).double()
    slack = 1e-6 if task.levels else 0.02
    assert answers.mean(0).abs().max() < slack
    assert (answers.var(0, unbiased=False) - 1).abs().max() < slack


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_inputs_are_drawn_as_the_task_says_and_answers_have_its_shape(task):
    x = inputs_of(task, 1_000)
    assert x.shape == (1_000, task.inputs) and x.dtype == torch.float32
    assert task.correct(x).shape == task.value(x).shape == (1_000, task.outputs)
    assert not task.levels or set(x.flatten().tolist()) == set(task.levels)
    assert torch.equal(x, inputs_of(task, 1_000)) and not torch.equal(x, inputs_of(task, 1_000, 1))


@pytest.mark.parametrize(("inputs", "published"), NORMS)
def test_the_floor_of_the_radius_alone_is_the_known_one(inputs, published):
    floors = function("l1_norm", inputs).floors()
    assert abs(floors["radial"] - published) < 0.002
    # 1 − the variance that E[|x|₁ | r] = r · n · E|u_1| has, which is exact
    unit = math.exp(math.lgamma(inputs / 2) - math.lgamma((inputs + 1) / 2)) / math.sqrt(math.pi)
    mean = inputs * math.sqrt(2 / math.pi)
    explained = ((inputs * unit) ** 2 * inputs - mean**2) / (inputs * (1 - 2 / math.pi))
    assert abs(floors["radial"] - (1 - explained)) < 0.003
    assert floors["constant"] == 1 and abs(floors["linear"] - 1) < 0.02
    assert floors["radial"] < floors["quadratic"] < 0.13


def test_what_is_scored_was_not_fitted():
    few = function("l1_norm", 8).floors(count=60)
    assert few["quadratic"] > 0.2


def test_a_quadratic_function_has_no_quadratic_floor_and_a_parity_has_no_other_than_1():
    squares, parity = function("sum_of_squares").floors(), function("parity_3").floors()
    assert squares["quadratic"] < 1e-9 and squares["radial"] < 0.005
    assert parity["linear"] > 0.99 and parity["quadratic"] > 0.99 and "radial" not in parity
    assert set(function("l1_norm", 1).floors(1_000)) == {"constant", "linear", "quadratic"}


@pytest.mark.parametrize(("inputs", "floor"), NORMS)
def test_the_program_of_convexity_is_wrong_and_about_as_good_as_the_radius(inputs, floor):
    task = function("l1_norm", inputs)
    assert floor < task.error(task.hypothesis("convexity"), count=20_000) < floor + 0.04


def test_a_cosine_basis_is_orthonormal():
    for size in (1, 2, 5, 8):
        basis = cosine_basis(size)
        assert torch.allclose(basis.T @ basis, torch.eye(size).double())


@pytest.mark.parametrize(("task", "name"), RIGHT, ids=lambda x: getattr(x, "name", x))
def test_swapping_nothing_keeps_the_base_and_swapping_everything_gives_the_source(task, name):
    program = task.hypothesis(name)
    nothing = task.pairs(program, (), 64, 0, "fit")
    assert torch.allclose(nothing.target, task.correct(nothing.base), atol=1e-4)
    if (task.kind, name) in {("maximum", "difference"), ("sorted_two", "difference"),
                             ("parity_3", "xor")}:  # fmt: skip
        return  # their output reads an input besides
    everything = task.pairs(program, program.names, 64, 0, "fit")
    assert torch.allclose(everything.target, task.correct(everything.source), atol=1e-4)


def test_a_swap_puts_one_variable_of_the_source_into_the_base():
    task = function("l1_norm", 3)
    pairs = task.pairs(task.program, ("a_1",), 32, 0, "test")
    mixed = pairs.base.clone()
    mixed[:, 1] = pairs.source[:, 1]
    assert torch.allclose(pairs.target, task.correct(mixed), atol=1e-6)
    assert pairs.target.shape == (32, 1) and pairs.variables == ("a_1",)
    assert torch.equal(pairs.labels["a_1.source"], pairs.source[:, 1].abs())
    assert torch.equal(pairs.labels["a_2.base"], pairs.base[:, 2].abs())


def test_algorithms_for_one_function_part_under_a_swap():
    task = function("l1_norm", 4)
    base, source = inputs_of(task, 64, 1), inputs_of(task, 64, 2)
    pudding, absolute = task.hypothesis("pudding"), task.hypothesis("absolute")
    of_kink = interchange(pudding, base, source, ["r_0"])
    assert not torch.allclose(of_kink, interchange(absolute, base, source, ["a_0"]), atol=0.1)


def test_splits_and_seeds_are_other_draws_and_the_same_asked_twice_is_the_same():
    task = function("l1_norm", 4)
    drawn = [task.pairs(task.program, ("a_0",), 16, seed, split).base
             for seed in (0, 1) for split in ("fit", "validation", "test")]  # fmt: skip
    assert len({tuple(row) for base in drawn for row in base.tolist()}) == 6 * 16
    assert torch.equal(drawn[0], task.pairs(task.program, ("a_0",), 16, 0, "fit").base)


def test_the_gate_is_every_input_where_there_are_few():
    gate = function("parity_3").gate(torch.Generator())
    assert len({tuple(x) for x in gate.tolist()}) == len(gate) == 8
    assert len(function("modular_addition").gate(torch.Generator())) == 9
    assert function("l1_norm", 2).gate(torch.Generator().manual_seed(0)).shape == (2048, 2)


@pytest.mark.parametrize("name", ["l1_norm", "sum_of_squares"])
def test_a_function_of_any_number_of_inputs_is_made_of_another_number(name):
    task = function(name, 5)
    assert task.inputs == 5 and task.name == f"{name}_5" and task.at(5) is task
    assert task.at(7).sample(3, torch.Generator()).shape == (3, 7)
    assert task.at(7).scale > task.scale


@pytest.mark.parametrize("name", ["maximum", "sorted_two", "parity_3", "modular_addition"])
def test_a_function_of_a_fixed_number_of_inputs_says_so(name):
    task = function(name)
    assert function(name, task.inputs).inputs == task.inputs
    with pytest.raises(SymscopeError, match=r"inputs, not 9; .* l1_norm, sum_of_squares"):
        task.at(9)


def test_unknown_names_are_answered_with_those_there_are():
    task = function("l1_norm", 2)
    with pytest.raises(UnknownName, match="'l1_norm', 'sum_of_squares'"):
        function("l2_norm")
    with pytest.raises(UnknownName, match="'absolute', 'double_sided'"):
        task.hypothesis("triple_sided")
    with pytest.raises(UnknownName, match="'a_0', 'a_1'"):
        task.pairs(task.program, ("a_2",), 4, 0, "fit")
    with pytest.raises(UnknownName, match="'fit', 'validation', 'test'"):
        task.pairs(task.program, ("a_0",), 4, 0, "train")
    with pytest.raises(SymscopeError, match="1 or more"):
        function("l1_norm", 0)
    with pytest.raises(SymscopeError, match="modulus 1: 2 or more"):
        modular_addition(1)


@pytest.mark.parametrize("task", TASKS, ids=named)
def test_a_task_goes_to_another_process_and_back(task):
    again = pickle.loads(pickle.dumps(task))
    assert torch.equal(again.correct(inputs_of(task)), task.correct(inputs_of(task)))


@pytest.mark.parametrize("task", [t for t in TASKS if t.inputs < 10], ids=named)
def test_a_program_survives_being_printed(task):
    x = inputs_of(task, 5)
    for program in task.programs.values():
        again = program_in(python_source(program)).run(x).output
        once = program.run(x).output
        pairs = zip(again, once, strict=True) if isinstance(once, tuple) else [(again, once)]
        assert all(torch.equal(a, b) for a, b in pairs)


def test_a_norm_of_many_inputs_is_written_without_deep_nesting():
    task = function("l1_norm", 40)
    assert task.error(task.hypothesis("pudding"), count=100) < 1e-9

"""Formulas of networks whose formula is known; programs that print and run alone."""

import pytest
import torch

from symscope.evidence import ComputationFailed
from symscope.generate.by_hand import by_hand
from symscope.generate.by_hand_other import by_hand_other
from symscope.generate.formula import formula_of
from symscope.generate.hypotheses import added, hinge, hypotheses, radial
from symscope.generate.read_out import read_out, units
from symscope.models.perceptron import Weights
from symscope.programs.printing import python_source
from symscope.programs.reading import program_in
from symscope.tasks.functions import FUNCTIONS, function

TASK = function("l1_norm", 4)
WINNER = {
    "l1_norm": "absolute", "sum_of_squares": "squares", "maximum": "differences",
    "sorted_two": "differences", "parity_3": "of_sum", "modular_addition": "of_sum",
}  # fmt: skip


def name(evidence):
    return evidence.claim.split(".")[2]


def inputs(task=TASK, count=1000, seed=9):
    return task.sample(count, torch.Generator().manual_seed(seed))


@pytest.fixture(scope="module")
def double():
    weights = by_hand("double_sided", (4, 12, 1), seed=1, noise=0.05)
    return weights, *formula_of(weights, TASK)


@pytest.mark.parametrize("task", FUNCTIONS)
def test_the_formula_of_an_exact_function_is_found_and_exact(task):
    made = function(task)
    program, found = formula_of(made.correct, made)
    assert name(found[0]) == WINNER[task] and found[0].score > 0.9999
    x = inputs(made)
    answers = program.run(x).output
    answers = torch.stack(answers, 1) if isinstance(answers, tuple) else answers[:, None]
    assert torch.allclose(answers, made.correct(x), atol=2e-3)


def test_a_double_sided_network_is_read_as_one_factor_for_both_sides(double):
    _, program, found = double
    assert name(found[0]) == "read_out" and found[0].score > 0.97
    assert {f"{side}_{i}" for side in "pm" for i in range(4)} <= set(program.names)
    assert found[0].config["units_r2"] > 0.95
    slope = float(program.output.split(" * ")[0].split()[-1])
    assert slope == pytest.approx(1 / float(TASK.scale), rel=0.1)
    values = program.run(inputs(), read=["p_1", "m_1"]).values
    assert torch.equal(values["p_1"] - values["m_1"], inputs()[:, 1])


def test_a_pudding_is_read_as_kinks_of_one_side_and_a_sum():
    weights = by_hand("pudding_positive", (4, 9, 1), seed=3, noise=0.05)
    program, found = formula_of(weights, TASK)
    assert name(found[0]) == "read_out" and found[0].config["parameters"] == 3
    assert {"m_0", "m_1", "m_2", "m_3", "s"} <= set(program.names)
    assert not any(v.startswith("p_") for v in program.names)


def test_random_directions_have_no_reading_and_are_radial_or_square():
    weights = by_hand("convexity", (4, 24, 1), seed=0)
    assert read_out(weights, inputs()) == []
    _, found = formula_of(weights, TASK)
    assert name(found[0]) in ("radial", "squares")


def test_a_maximum_is_read_as_a_kink_of_a_difference():
    task = function("maximum")
    weights = by_hand_other("maximum", "difference", (2, 6, 1), seed=0)
    found = units(weights, inputs(task), "relu")
    assert {direction for direction, _ in found.kinks} & {(1, -1), (-1, 1)}
    program, scores = formula_of(weights, task, activation="relu")
    assert scores[0].score > 0.97 and program is not None


def test_the_program_prints_as_python_that_reads_back_as_itself(double):
    _, program, _ = double
    again = program_in(python_source(program))
    assert again.rules.keys() == program.rules.keys()
    x = inputs(count=50)
    assert torch.allclose(again.run(x).output, program.run(x).output, atol=1e-5)
    one = {f"x_{i}": float(x[0, i]) for i in range(4)}
    assert float(again.run(one).output) == pytest.approx(float(program.run(x).output[0]), abs=1e-4)


def test_the_score_is_that_of_the_program_on_fresh_inputs(double):
    weights, program, found = double
    x = inputs(count=20_000)
    outputs = weights.run(x)[:, 0]
    lost = (program.run(x).output - outputs).square().mean() / outputs.var()
    assert 1 - float(lost) == pytest.approx(found[0].score, abs=3e-3)
    assert found[0].low < found[0].score < found[0].high
    assert found[0].controls["constant"] == 0 and abs(found[0].controls["shuffled"]) < 0.05
    assert found[0].config["far"] > 0.9 > found[-1].score


def test_hypotheses_are_ordered_by_bic_and_the_same_again(double):
    weights, _, found = double
    bics = [round(one.config["bic"]) for one in found]
    assert bics == sorted(bics)
    _, again = formula_of(weights, TASK)
    assert [(a.score, a.low, a.config) for a in again] == [
        (f.score, f.low, f.config) for f in found
    ]


def test_a_flexible_hypothesis_does_not_win_by_its_numbers(double):
    _, _, found = double
    place = {name(one): i for i, one in enumerate(found)}
    size = {name(one): one.config["parameters"] for one in found}
    assert place["absolute"] < place["absolute_each"] < place["additive"]
    assert size["absolute"] == 3 and size["absolute_each"] == 9 and size["additive"] == 25


def test_what_no_hypothesis_explains_gets_no_program():
    program, found = formula_of(lambda x: torch.sin(5 * x.prod(1)), TASK)
    assert program is None and found[0].score < 0.5
    with pytest.raises(ComputationFailed, match="not finite"):
        formula_of(lambda x: x.sum(1) / 0, TASK)


def test_a_root_by_newton_is_the_root():
    x = inputs() * torch.logspace(-1, 0.7, 1000)[:, None]
    assert torch.allclose(radial(x).design(x)[:, 1], x.double().norm(dim=1), rtol=1e-3)


def test_few_discrete_inputs_have_no_sparse_or_far_ones():
    task = function("parity_3")
    _, found = formula_of(task.correct, task)
    assert found[0].config["sparse"] is None and found[0].config["far"] is None
    assert {one.name for one in hypotheses(inputs(task))} == {"linear", "of_sum", "quadratic"}


def test_units_are_read_by_direction_threshold_and_straightness():
    columns = [[4, 0.1], [-2, 2], [0.2, 0.2], [2, 1], [3, 0.0]]
    matrix = torch.tensor(columns).T
    bias = torch.tensor([0.0, 2.0, 20.0, 0.0, 0.0])
    out = torch.tensor([[1.0], [1.0], [1.0], [1.0], [0.0]])
    found = units(Weights((matrix, out), (bias, torch.zeros(1))), inputs(function("l1_norm", 2)))
    assert found.kinks == {((1, 0), 0.0): (0,), ((-1, 1), -1.0): (1,)}
    assert found.linear == (2,) and found.mixed == (3,) and found.unused == (4,)
    assert 0 < found.mixed_share < 1


def test_terms_that_do_not_matter_are_not_printed_and_signs_are_not_doubled():
    program, found = formula_of(TASK.correct, TASK)
    assert "x_0" not in program.output and found[0].config["parameters"] == 3
    falling, _ = formula_of(lambda x: 1 - 2 * x[:, :1], TASK)
    assert falling.output == "1.0 - 2.0 * x_0"


def test_texts_are_grouped_and_signed():
    assert hinge("x_0", 0) == "max(x_0, 0)" and hinge("s", -0.5) == "max(s + 0.5, 0)"
    assert added(list("abc")) == "a + b + c"
    assert added(["a"] * 20).startswith("(a + a")

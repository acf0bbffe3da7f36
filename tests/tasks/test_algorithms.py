"""The 62 published tasks: each rule against one plain line of Python, and its conventions."""

from itertools import accumulate, pairwise

import pytest
import torch

from symscope.align.controls import floors
from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.task import IGNORE
from symscope.tasks.algorithms import ALGORITHMS, EXTRAS, Palindromes, algorithm


def back(x, t, k):
    return x[t - k] if t >= k else 0


def digits_of_sum(x, base):
    numbers = (sum(d * base**i for i, d in enumerate(c)) for c in zip(*x, strict=True))
    total = sum(numbers)
    return [total // base**t % base for t in range(len(x))]


def quotient(bits, divisor):
    """The quotient of the number they write, digit by digit, by Python's own division."""
    whole = int("".join(map(str, bits)), 2) // divisor
    return [int(c) for c in format(whole, f"0{len(bits)}b")]


def most_frequent(seen):
    return min(sorted(set(seen)), key=lambda v: -seen.count(v))


def balanced(bits):
    depths = list(accumulate(1 - 2 * b for b in bits))
    return int(depths[-1] == 0 and min(depths) >= 0)


def motion(x, force):
    v = p = 0
    for a in x:
        v += force(a, p)
        p += v
        yield p


def magnetic(x):
    vx = vy = px = py = 0
    for a, b in x:
        vx, vy = vx + a - vy, vy + b + vx
        px, py = px + vx, py + vy
        yield [px, py]


def each(f):
    return lambda x: [f(x, t) for t in range(len(x))]


def so_far(f):
    return lambda x: [f(x[: t + 1]) for t in range(len(x))]


REFERENCES = {
    "binary_addition": lambda x: digits_of_sum(x, 2),
    **{f"base_{b}_addition": lambda x, b=b: digits_of_sum(x, b) for b in range(3, 8)},
    "bitwise_xor": each(lambda x, t: int(x[t][0] != x[t][1])),
    "bitwise_or": each(lambda x, t: int(any(x[t]))),
    "bitwise_and": each(lambda x, t: int(all(x[t]))),
    "bitwise_not": each(lambda x, t: int(not x[t])),
    **{
        f"parity_last{k}": each(lambda x, t, k=k: sum(x[max(0, t + 1 - k) : t + 1]) % 2)
        for k in (2, 3, 4)
    },
    "parity_all": so_far(lambda x: x.count(1) % 2),
    "parity_zeros": so_far(lambda x: x.count(0) % 2),
    "evens_counter": so_far(lambda x: sum(v in (0, 2, 4, 6, 8) for v in x)),
    "sum_all": lambda x: list(accumulate(x)),
    **{
        f"sum_last{k}": each(lambda x, t, k=k: sum(x[max(0, t + 1 - k) : t + 1]))
        for k in range(2, 8)
    },
    "current_number": lambda x: x,
    **{f"prev{k}": each(lambda x, t, k=k: back(x, t, k)) for k in range(1, 6)},
    "previous_equals_current": each(lambda x, t: int(x[t] == back(x, t, 1))),
    "diff_last2": each(lambda x, t: x[t] - back(x, t, 1)),
    "abs_diff": each(lambda x, t: abs(x[t] - back(x, t, 1))),
    "abs_current": each(lambda x, t: abs(x[t])),
    "diff_abs_values": each(lambda x, t: abs(x[t]) - abs(back(x, t, 1))),
    "min_seen": so_far(min),
    "max_seen": so_far(max),
    **{f"majority_0_{m}": so_far(most_frequent) for m in (1, 2, 3)},
    "evens_detector": each(lambda x, t: int(x[t] % 2 == 0)),
    "perfect_square_detector": each(lambda x, t: int(round(x[t] ** 0.5) ** 2 == x[t])),
    "bit_palindrome": so_far(lambda x: int(x == x[::-1])),
    "balanced_parenthesis": so_far(balanced),
    "parity_bits_mod2": each(lambda x, t: t % 2),
    **{
        f"alternating_last{k}": each(
            lambda x, t, k=k: int(all(back(x, t, i) != back(x, t, i + 1) for i in range(k - 1)))
        )
        for k in (3, 4)
    },
    "bit_shift_right": each(lambda x, t: back(x, t, 1)),
    "bit_dot_prod_mod2": so_far(lambda x: sum(s * t for s, t in x) % 2),
    **{f"div_{m}": lambda x, m=m: [0, *quotient(x, m)[:-1]] for m in (3, 5, 7)},
    **{f"div_{m}_now": lambda x, m=m: quotient(x, m) for m in (3, 5, 7)},
    **{f"add_mod_{m}": so_far(lambda x, m=m: sum(x) % m) for m in (*range(3, 9), 11)},
    "parity_last5": each(lambda x, t: sum(x[max(0, t - 4) : t + 1]) % 2),
    "max_last2": each(lambda x, t: max(x[t], back(x, t, 1))),
    "rises": so_far(lambda x: sum(a < b for a, b in pairwise(x))),
    "toggle_at_3": so_far(lambda x: x.count(3) % 2),
    "clipped_sum": lambda x: [min(total, 9) for total in accumulate(x)],
    "second_largest": so_far(lambda x: sorted([0, 0, *x])[-2]),
    "longest_run": so_far(lambda x: max(map(len, "".join(map(str, x)).split("0")))),
    "same_as_first": each(lambda x, t: int(x[t] == x[0])),
    "dithering": each(lambda x, t: sum(x[: t + 1]) // 15 - sum(x[:t]) // 15),
    "newton_freebody": lambda x: list(motion(x, lambda a, p: a)),
    "newton_gravity": lambda x: list(motion(x, lambda a, p: a - 1)),
    "newton_spring": lambda x: list(motion(x, lambda a, p: a - p)),
    "newton_magnetic": lambda x: list(magnetic(x)),
}


def drawn(name, count=40, length=None):
    task = algorithm(name, length)
    return task, task.sample(count, torch.Generator().manual_seed(len(name)))


@pytest.mark.parametrize("name", ALGORITHMS | EXTRAS)
def test_a_rule_is_what_one_line_of_python_says(name):
    for length in (None, 3 * algorithm(name).length):
        task, inputs = drawn(name, length=length)
        expected = [REFERENCES[name](row) for row in inputs.tolist()]
        assert task.answers(inputs).tolist() == expected
    assert inputs.shape[1] == 3 * algorithm(name).length


def test_there_are_the_62_published_tasks():
    assert len(ALGORITHMS) == 62 and set(REFERENCES) == set(ALGORITHMS | EXTRAS)
    long = {name for name in ALGORITHMS if algorithm(name).length == 20}
    assert long == {"sum_last5", "sum_last6", "sum_last7", "prev5"}


@pytest.mark.parametrize(
    ("name", "inputs", "answers"),
    [
        ("previous_equals_current", [0, 0, 3, 3], [1, 1, 0, 1]),  # before the first comes a 0
        ("previous_equals_current", [5], [0]),
        ("min_seen", [9, 4, 6], [9, 4, 4]),
        ("max_seen", [0, 4, 2], [0, 4, 4]),
        ("majority_0_1", [1, 0, 0], [1, 0, 0]),  # a tie goes to the smaller number
        ("majority_0_3", [3, 2, 1, 0], [3, 2, 1, 0]),
        ("balanced_parenthesis", [0, 1, 1, 0, 0, 1], [0, 1, 0, 0, 0, 0]),  # dead for ever
        ("parity_bits_mod2", [1, 1, 0], [0, 1, 0]),
        ("alternating_last3", [1, 0, 1], [0, 1, 1]),  # 0, 1, 0 and the zero before the start
        ("alternating_last3", [0, 1, 0], [0, 0, 1]),
        ("binary_addition", [[1, 1], [1, 0], [1, 1]], [0, 0, 1]),  # lowest digit first
        ("div_3", [1, 1, 0, 0], [0, 0, 1, 0]),  # highest first, a step late
        ("div_3_now", [1, 1, 0, 0], [0, 1, 0, 0]),
        ("dithering", [15, 14, 1, 7, 7], [1, 0, 1, 0, 0]),
        ("newton_gravity", [1, 0], [0, -1]),
        ("newton_spring", [1, 0, 0, 0], [1, 1, 0, -1]),
        ("newton_magnetic", [[1, 0], [0, 0]], [[1, 0], [2, 1]]),
        ("bit_palindrome", [0, 1, 0, 0], [1, 0, 1, 0]),
        ("diff_abs_values", [-100, 99], [100, -1]),
    ],
)
def test_the_first_steps_and_the_ties_are_as_published(name, inputs, answers):
    assert algorithm(name).answers(torch.tensor([inputs])).tolist() == [answers]


def test_answers_are_right_at_ten_times_the_length():
    for name in ("bit_palindrome", "sum_last7", "div_7"):
        task, inputs = drawn(name, 5, 10 * algorithm(name).length)
        assert task.answers(inputs).tolist() == [REFERENCES[name](r) for r in inputs.tolist()]
    mirrored = torch.cat([inputs, inputs.flip(1)], 1)
    assert Palindromes.answers(algorithm("bit_palindrome"), mirrored)[:, -1].tolist() == [1] * 5


def test_palindromes_are_drawn_with_beginnings_of_all_lengths():
    task, inputs = drawn("bit_palindrome", 20_000)
    pairs = float((inputs[:, 0] == inputs[:, 1]).float().mean())
    assert pairs == pytest.approx(1 / 9 + 8 / 9 / 2, abs=0.015)  # one in nine is of length 2
    starts = (task.answers(inputs)[:, 1:] == 1).int().argmax(1) + 2
    assert set(starts.tolist()) == set(range(2, 11))
    listed = task.enumerate()
    assert len(listed) == 1022 and [0] + 9 * [1] not in listed.tolist()
    seen = {tuple(row) for row in inputs.tolist()}
    assert seen <= {tuple(row) for row in listed.tolist()}


def test_an_answer_that_is_no_class_is_not_scored():
    task = algorithm("sum_all", 20)
    inputs = torch.full((1, 20), 99)
    expected = [*range(99, 991, 99), *[IGNORE] * 10]
    assert task.correct(inputs).tolist() == [expected]


def test_inputs_are_listed_where_they_are_few():
    assert algorithm("binary_addition").enumerate().shape == (2**20, 10, 2)
    assert len(algorithm("parity_all").gate(torch.Generator())) == 1024
    with pytest.raises(SymscopeError, match="cannot list its inputs"):
        algorithm("sum_all").enumerate()


@pytest.mark.parametrize("name", ALGORITHMS)
def test_all_answers_are_among_the_classes_and_both_ends_of_the_inputs_occur(name):
    task, inputs = drawn(name, 3000)
    answers = task.answers(inputs)
    inside = (answers >= task.classes.start) & (answers < task.classes.stop)
    assert bool(inside.all())
    assert torch.equal(task.correct(inputs) + task.classes.start, answers)
    ranges = {(v.low, v.high) for v in task.program.inputs}
    assert ranges == {(int(inputs.min()), int(inputs.max()))}


@pytest.mark.parametrize("name", ["diff_last2", "newton_magnetic", "div_3", "sum_all"])
def test_every_register_can_be_swapped(name):
    task = algorithm(name)
    for variable in task.program.names:
        pairs = task.pairs(task.program, (variable,), 60, 0, "fit")
        assert len(pairs) == 60 and bool(pairs.scored.flatten(1).any(1).all())
        assert int(pairs.target[pairs.scored].min()) >= 0
        assert int(pairs.target.max()) < len(task.classes)


@pytest.mark.parametrize("name", ["diff_last2", "newton_magnetic", "parity_all"])
def test_a_flawless_machine_scores_where_its_whole_state_is_swapped(name):
    task = algorithm(name)
    pairs = task.pairs(task.program, task.program.names, 60, 0, "fit")
    found = floors(task.program, pairs)
    assert found["machine_full_swap"] == 1 and found["machine_no_op"] < 0.6


def test_a_swap_of_a_register_says_what_a_plain_loop_says():
    task = algorithm("newton_magnetic")
    pairs = task.pairs(task.program, ("velocity_x",), 20, 0, "test")
    for row in range(20):
        at, value = int(pairs.base_step[row]), float(pairs.labels["velocity_x.source"][row])
        vx = vy = px = py = 0
        for t, (a, b) in enumerate(pairs.base[row].tolist()):
            vx, vy = vx + a - vy, vy + b + vx
            px, py = px + vx, py + vy
            vx = value if t == at else vx
            place = [p - task.classes.start for p in (px, py)]
            scored = [p if t >= at and 0 <= p < len(task.classes) else IGNORE for p in place]
            assert pairs.target[row, t].tolist() == scored


def test_an_unknown_name_is_refused_with_those_there_are():
    with pytest.raises(UnknownName, match="unknown task 'div_4'; there is 'binary_addition'"):
        algorithm("div_4")

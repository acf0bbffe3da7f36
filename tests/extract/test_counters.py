"""Programs out of machines whose sequences have a grammar and whose answers do not all count."""

import pytest
import torch

from symscope.extract import Grammar, Machine, extract, registers, token_machine
from symscope.extract.alike import alike
from symscope.extract.extract import fidelity
from symscope.extract.rows import watched
from symscope.models.load import build
from symscope.program import Variable
from symscope.proof import Proof
from symscope.studies.numbers.extraction import agrees_to, completed, proven
from symscope.task import IGNORE
from symscope.tasks.numbers import Counting

TOKEN = (Variable("token", 0, 8),)


def grammar_of(task: Counting) -> Grammar:
    def draw(count: int, seed: int) -> torch.Tensor:
        return task.sample(count, torch.Generator().manual_seed(seed), training=False)[..., None]

    return Grammar(draw, lambda x: task.correct(x[..., 0]) != IGNORE)


def played(kind: str, unasked: int = 0, program: str = "up_down", highest: int = 20) -> Machine:
    """A program as a machine of which only the answers can be seen, anything where none counts."""
    task = Counting(kind, highest=highest)

    def answers(x: torch.Tensor) -> torch.Tensor:
        found = task.programs[program].run(x[..., 0]).output
        return torch.where(found < 0, unasked, found)[..., None]

    return Machine(TOKEN, 43, answers, grammar=grammar_of(task))


def test_inputs_that_change_no_answer_when_exchanged_are_one_class():
    for kind, classes in (
        ("multi", [(1,), (3, 4, 5), (6,), (7,)]), ("same", [(1,), (6,), (7,)]),
    ):  # fmt: skip
        machine = played(kind)
        assert alike(machine, watched(machine, 500)) in (
            classes, [(1, 7), *classes[1:-1]],  # BOS and T do the same to a machine that is asked
        )  # fmt: skip


def test_an_input_that_counts_double_is_in_a_class_of_its_own():
    def answers(x: torch.Tensor) -> torch.Tensor:
        shown = ((x >= 3) & (x <= 5)).long() + (x == 4).long() - (x == 6).long()
        return shown.cumsum(1)

    machine = Machine(TOKEN, 43, answers, grammar=grammar_of(Counting("multi")))
    assert (3, 5) in (found := alike(machine, watched(machine, 500))) and (4,) in found


@pytest.mark.parametrize(
    ("kind", "program"), [("same", "up_up"), ("modulo", "up_down"), ("single", "ctx_distr")]
)
def test_whatever_counts_inside_the_counter_is_found_from_the_answers_alone(kind, program):
    machine = played(kind, program=program)
    chosen = extract(machine, seconds=60).chosen
    assert chosen is not None and chosen.route == "counters"
    assert fidelity(chosen.program, watched(machine, 500, seed=9)) == 1


def test_an_extracted_program_is_proven_for_all_counts():
    task = Counting("same")
    proof = proven(completed(extract(played("same"), seconds=60).chosen.program, task), task)
    assert isinstance(proof, Proof) and proof.kind == "for all lengths"


def test_the_program_is_as_short_as_the_answers_allow():
    chosen = extract(played("multi"), seconds=60).chosen
    assert chosen.program.rules == {"count": "count + (token in (3, 4, 5)) - (token == 6)"}
    assert chosen.program.output == "2 if count == 0 else 6"
    assert chosen.program.start == {"count": 0}


def test_answers_that_do_not_count_change_nothing():
    found = [extract(played("same", unasked), seconds=60).chosen.program for unasked in (0, 5)]
    assert found[0] == found[1] and found[0].names == ("seen", "count")


def test_answers_that_no_counter_fixes_give_no_program(monkeypatch):
    monkeypatch.setattr(registers, "MOST", 1)  # sets of two and more take minutes to rule out

    def answers(x: torch.Tensor) -> torch.Tensor:
        steps = torch.arange(x.shape[1])[:, None]
        return (x * 7919 * (steps + 3) ** 3).cumsum(1) % 11 // 5

    machine = Machine(TOKEN, 43, answers, grammar=grammar_of(Counting("multi")))
    extraction = extract(machine, seconds=1)
    assert extraction.chosen is None and set(extraction.tried) == {"counters"}


def test_the_mask_is_read_from_a_variable_that_says_it_and_else_stands_beside_the_program():
    for kind, names in (("same", ("seen", "count")), ("multi", ("count", "phase"))):
        task = Counting(kind)
        whole = completed(extract(played(kind), seconds=60).chosen.program, task)
        x = task.enumerate()
        legal = task.legal.run(x).output.bool()
        assert whole.names == names
        assert torch.equal(whole.run(x).output[legal], task.program.run(x).output[legal])


def test_pairs_of_an_extracted_count_are_those_of_up_downs_count():
    task = Counting("multi")
    whole = completed(extract(played("multi"), seconds=60).chosen.program, task)
    mine, theirs = (task.pairs(p, ("count",), 64, 0, "test") for p in (whole, task.program))
    assert torch.equal(mine.base, theirs.base) and torch.equal(mine.target, theirs.target)


def test_a_token_network_answers_with_its_likeliest_token_at_any_length():
    task = Counting("multi", highest=3, held_out=())
    for architecture in ("lstm", "transformer"):
        module = build(architecture, 9, 8)
        machine = token_machine(module, 9, 9, grammar_of(task))
        x = machine.sample(600, 0)  # more than a chunk
        module.eval()
        expected = module(x[..., 0]).argmax(-1)[..., None]
        assert torch.equal(machine.answers(x), expected)


def test_the_largest_n_is_where_the_network_still_does_what_the_program_says():
    class UpTo(torch.nn.Module):
        """Up-Down that takes no count above 5."""

        def forward(self, tokens: torch.Tensor) -> torch.Tensor:
            items = ((tokens >= 3) & (tokens <= 5)).cumsum(1).clamp(max=5)
            left = items - (tokens == 6).cumsum(1)
            return torch.nn.functional.one_hot(torch.where(left == 0, 2, 6), 9).float()

    task = Counting("multi", highest=4, held_out=())
    assert agrees_to(UpTo(), task.program, task) == 5

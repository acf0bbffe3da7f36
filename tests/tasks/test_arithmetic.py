"""Arithmetic: every legal prompt, its answer, its splits and its counterfactuals."""

import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.task import IGNORE
from symscope.tasks.arithmetic import CHANGES, SIGNS, Arithmetic

ALL = Arithmetic("+-*/")
PYTHON = {"+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b,
          "/": lambda a, b: a // b}  # fmt: skip


def test_every_legal_prompt_is_there_once_with_its_answer():
    wanted = {
        (a, sign, b): PYTHON[sign](a, b)
        for sign in SIGNS for a in range(100) for b in range(100)
        if not (sign == "/" and b == 0) and 0 <= PYTHON[sign](a, b) < 200
    }  # fmt: skip
    prompts = ALL.prompts()
    found = {(int(a), ALL.vocabulary[s], int(b)): int(y) for (a, s, b, _), y
             in zip(prompts, ALL.answers(prompts), strict=True)}  # fmt: skip
    assert found == wanted and len(prompts) == len(wanted)
    assert bool((prompts[:, 3] == ALL.equals).all())


def test_the_program_gives_the_answers_and_so_does_the_target():
    for task in (ALL, Arithmetic("-+"), Arithmetic("+", 59, 59, modulus=59)):
        prompts = task.prompts()
        assert torch.equal(task.program.run(prompts).output, task.answers(prompts))
        target = task.correct(prompts)
        assert torch.equal(target[:, 3], task.answers(prompts))
        assert bool((target[:, :3] == IGNORE).all())


def test_training_and_test_share_no_prompt_and_make_up_all():
    train, test = ({tuple(p) for p in ALL.prompts(s).tolist()} for s in ("train", "test"))
    assert not train & test and len(train) + len(test) == len(ALL.prompts())
    assert abs(len(train) / len(ALL.prompts()) - 0.8) < 0.001
    drawn = ALL.sample(500, torch.Generator().manual_seed(0))
    assert {tuple(p[:4]) for p in drawn.tolist()} <= train
    assert torch.equal(drawn[:, 4], ALL.answers(drawn[:, :4]))
    assert {tuple(p) for p in ALL.gate(torch.Generator()).tolist()} == test
    other = Arithmetic("+-*/", seed=1).prompts("test")
    assert {tuple(p) for p in other.tolist()} != test


def test_prompts_of_one_sign():
    assert {len(ALL.prompts(sign=s)) for s in "+-"} == {10_000, 5_050}
    with pytest.raises(UnknownName, match="sign"):
        Arithmetic("+").prompts(sign="-")


@pytest.mark.parametrize("change", CHANGES)
def test_a_counterfactual_differs_in_what_is_said_and_in_the_answer(change):
    pairs = ALL.counterfactuals(change, 200, 0)
    differs = pairs.base != pairs.source
    assert not bool(differs[:, 3].any()) and bool(differs.any(1).all())
    if change != "all":
        column = {"first": 0, "sign": 1, "second": 2}[change]
        assert bool(differs[:, column].all()) and int(differs.sum()) == 200
    assert torch.equal(pairs.target[:, 3], ALL.answers(pairs.source))
    assert bool((pairs.target[:, 3] != ALL.answers(pairs.base)).all())
    legal = {tuple(p) for p in ALL.prompts().tolist()}
    assert {tuple(p) for p in pairs.source.tolist()} <= legal


@pytest.mark.parametrize("variable", ["first", "second", "sign", "answer"])
def test_a_swap_gives_the_answer_of_a_prompt_with_it(variable):
    pairs = ALL.pairs(ALL.program, (variable,), 200, 0, "fit")
    mixed = pairs.base.clone()
    if variable == "answer":
        mixed = pairs.source
    else:
        column = {"first": 0, "sign": 1, "second": 2}[variable]
        mixed[:, column] = pairs.source[:, column]
    assert torch.equal(pairs.target[:, 3], ALL.answers(mixed)) and pairs.variables == (variable,)
    for end, prompts in (("base", pairs.base), ("source", pairs.source)):
        value = ALL.program.run(prompts, read=[variable]).values[variable]
        assert torch.equal(pairs.labels[f"{variable}.{end}"], value)
    test = ALL.pairs(ALL.program, (variable,), 200, 0, "test")
    bases = [{tuple(p) for p in x.base.tolist()} for x in (pairs, test)]
    assert not bases[0] & bases[1]


def test_what_cannot_be_is_said():
    with pytest.raises(UnknownName, match="sign"):
        Arithmetic("+%")
    with pytest.raises(SymscopeError, match="operands below 300 and 200 numbers"):
        Arithmetic(operands=300)
    with pytest.raises(UnknownName, match="change"):
        ALL.counterfactuals("third", 1, 0)
    with pytest.raises(SymscopeError, match="differ in 'sign' alone"):
        Arithmetic("+").counterfactuals("sign", 1, 0)
    with pytest.raises(UnknownName, match="split"):
        ALL.pairs(ALL.program, ("first",), 1, 0, "all")


def test_a_pair_of_one_sign_may_differ_in_the_sign():
    task = Arithmetic("+-")
    pairs = task.counterfactuals("sign", 50, 0, sign="-")
    assert set(pairs.base[:, 1].tolist()) == {task.sign("-")}
    assert set(pairs.source[:, 1].tolist()) == {task.sign("+")}
    assert torch.equal(pairs.base[:, [0, 2]], pairs.source[:, [0, 2]])

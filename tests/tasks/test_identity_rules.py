"""ABA and ABB: what is asked, what is held out, and what the pairs differ in."""

import pytest
import torch

from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.task import IGNORE
from symscope.tasks.identity_rules import SEPARATOR, IdentityRules

TASK = IdentityRules(symbols=10, examples=2, held_out=(3, 9, 10))
LAST = 9


def draw(count: int = 500, training: bool = True) -> torch.Tensor:
    return TASK.sample(count, torch.Generator().manual_seed(0), training)


def pairs(*variables: str, split: str = "test", seed: int = 0):
    return TASK.pairs(TASK.program, variables, 60, seed, split)


def second(tokens: torch.Tensor) -> torch.Tensor:
    return tokens[:, 2] == tokens[:, 1]


def test_all_triples_of_a_sequence_follow_one_rule_with_other_tokens():
    tokens = draw()
    triples = torch.nn.functional.pad(tokens, (0, 1)).view(500, 3, 4)
    assert (triples[..., 3] == SEPARATOR).all() and (triples[..., :3] != SEPARATOR).all()
    a, b, c = triples[..., :3].unbind(2)
    assert torch.equal(torch.where(second(tokens)[:, None], b, a), c)
    assert 200 < int(second(tokens).sum()) < 300
    assert all(len(set(row)) == 6 for row in torch.cat([a, b], 1).tolist())


def test_the_ends_of_all_triples_but_the_first_are_asked():
    tokens = draw()
    target = TASK.correct(tokens)
    assert torch.equal(target[:, 5], tokens[:, 6]) and torch.equal(target[:, 9], tokens[:, 10])
    rest = [i for i in range(11) if i not in (5, 9)]
    assert (target[:, rest] == IGNORE).all()
    assert torch.equal(TASK.program.run(tokens[:, :-1]).output, tokens[:, -1])


def test_the_wrong_programs_are_right_for_one_rule_alone():
    tokens = draw()
    for name, rule in (("always_first", ~second(tokens)), ("always_second", second(tokens))):
        found = TASK.hypothesis(name).run(tokens[:, :-1]).output
        assert torch.equal(found == tokens[:, -1], rule)


def test_held_out_symbols_occur_in_no_training_sequence_and_end_the_unseen_ones():
    held = torch.tensor(TASK.held_out)
    assert not torch.isin(draw(), held).any() and torch.isin(draw(training=False), held).any()
    unseen = TASK.unseen(100, torch.Generator().manual_seed(1))
    assert torch.isin(unseen[:, -3:], held).all() and not torch.isin(unseen[:, :-3], held).any()
    assert torch.equal(TASK.correct(unseen)[:, LAST], unseen[:, -1])


def test_the_other_rule_leaves_every_third_token_and_the_answer_as_they_are():
    found = pairs("second")
    assert torch.equal(found.base[:, [2, 6]], found.source[:, [2, 6]])
    assert (second(found.base) != second(found.source)).all()
    assert torch.equal(found.labels["item.base"], found.labels["item.source"])
    other = torch.where(second(found.base), found.base[:, -2], found.base[:, -1])
    assert torch.equal(found.target[:, -1], other)
    assert (found.target[:, :-1] == IGNORE).all()


def test_the_same_rule_with_the_last_two_exchanged_brings_the_other_token():
    found = pairs("item")
    assert torch.equal(found.base[:, :-2], found.source[:, :-2])
    assert torch.equal(found.base[:, [-2, -1]], found.source[:, [-1, -2]])
    assert torch.equal(found.target[:, -1], found.labels["item.source"])
    assert (found.target[:, -1] != found.labels["item.base"]).all()
    assert torch.equal(found.base, pairs("second").base)


def test_with_both_variables_the_answer_is_the_sources_and_with_none_the_bases():
    found = pairs("second", "item")
    assert torch.equal(found.target[:, -1], found.labels["item.source"])
    found = pairs()
    assert torch.equal(found.target[:, -1], found.labels["item.base"])


def test_pairs_of_different_splits_share_no_base():
    bases = [set(map(tuple, pairs("item", split=split).base.tolist()))
             for split in ("fit", "validation", "test")]  # fmt: skip
    assert not bases[0] & bases[1] and not bases[0] & bases[2] and not bases[1] & bases[2]
    assert not torch.equal(pairs("item", seed=1).base, pairs("item").base)


def test_what_there_is_not_is_said():
    with pytest.raises(SymscopeError, match="two symbols for each triple"):
        IdentityRules(symbols=6, examples=2, held_out=(1,))
    with pytest.raises(SymscopeError, match="at least two"):
        IdentityRules(symbols=8, held_out=(1,)).unseen(3, torch.Generator())
    with pytest.raises(UnknownName, match="'third'"):
        pairs("third")
    with pytest.raises(UnknownName, match="'trial'"):
        pairs("item", split="trial")
    with pytest.raises(SymscopeError, match="no phases"):
        TASK.pairs(TASK.program, ("item",), 5, 0, "fit", same_phase=True)

"""Roles of heads: where they look, whether they move the answer, and how sure that is."""

import pytest
import torch

from attention_by_hand import LENGTH, NOTHING, attentive, induction, induction_inputs, moved, same
from symscope.evidence import SymscopeError
from symscope.localize.head_roles import (
    attends,
    attention_roles,
    chain_roles,
    head_names,
    head_sites,
    moves_value,
)
from symscope.localize.permutation import above_zero, holm
from symscope.models.compiled.heads import Head, circle

NETWORK = induction()
COUNT, LAST = 150, LENGTH - 1
INPUTS, AT = induction_inputs(COUNT, 0)
OTHERS = induction_inputs(COUNT, 1)[0]
STEPS = torch.arange(1, LENGTH).expand(COUNT, -1)


def test_the_head_that_looks_one_step_back_is_found():
    score, control = (x.mean(2) for x in attends(NETWORK, INPUTS, STEPS, STEPS - 1))
    assert score[0, 1] > 0.99 and control[0, 1] < 0.01
    rest = score.flatten()[[0, 2, 3]]
    assert rest.max() < 0.3


def test_the_head_that_matches_the_token_looks_at_what_followed_it():
    score, control = attends(NETWORK, INPUTS, torch.full((COUNT,), LAST), AT + 1)
    assert (score[1, 0] > 0.99).all() and (control[1, 0] < 0.01).all()
    wrong, _ = attends(NETWORK, INPUTS, torch.full((COUNT,), LAST), AT)
    assert (wrong[1, 0] < 0.01).all()


def test_an_idle_head_looks_at_all_steps_alike_and_scores_as_its_control():
    score, control = attends(NETWORK, INPUTS, torch.full((COUNT,), LAST), AT)
    torch.testing.assert_close(score[0, 0], torch.full((COUNT,), 1 / LENGTH))
    torch.testing.assert_close(control[0, 0], score[0, 0])


def test_the_control_can_be_other_steps_and_none_of_what_is_not_seen():
    end = torch.full((COUNT, 1), LAST)
    others = torch.stack([AT + 1, AT, torch.full((COUNT,), -1)], 1)[:, None]
    _, control = attends(NETWORK, INPUTS, end, AT[:, None], others)
    torch.testing.assert_close(control[1, 0], torch.full((COUNT,), 0.5), atol=0.01, rtol=0)
    later = torch.tensor([0, LAST]).expand(COUNT, 1, 2)
    _, control = attends(NETWORK, INPUTS, end - 1, end - 1, later)
    torch.testing.assert_close(control[0, 0], torch.full((COUNT,), 1 / LAST))


def test_entries_that_a_sample_lacks_do_not_count():
    start, stop = STEPS.clone(), STEPS - 1
    start[:, 2:], start[0] = -1, -1
    score, _ = attends(NETWORK, INPUTS, start, stop)
    full, _ = attends(NETWORK, INPUTS, STEPS[:, :2], stop[:, :2])
    assert score[..., 0].isnan().all()
    torch.testing.assert_close(score[..., 1:], full[..., 1:])


def test_only_the_heads_of_a_role_are_significant():
    roles = {"back": (STEPS, STEPS - 1), "match": (torch.full((COUNT, 1), LAST), AT[:, None] + 1)}
    records = {e.claim: e for e in attention_roles(NETWORK, INPUTS, roles, "roles")}
    assert len(records) == 8
    sure = {claim for claim, e in records.items() if e.config["p"] < 0.05 and e.score > 0.5}
    assert sure == {"roles.back.0.1", "roles.match.1.0"}
    found = records["roles.match.1.0"]
    assert found.controls["elsewhere"] < 0.01 and found.low <= found.score <= found.high
    assert records["roles.match.0.0"].config["p"] > 0.5


def test_a_role_that_no_sample_has_is_not_analysed():
    nowhere = torch.full((COUNT, 2), -1)
    records = attention_roles(NETWORK, INPUTS, {"never": (nowhere, nowhere)}, "roles")
    assert all(e.score is None and "no sample" in e.note for e in records)


def test_patching_moves_the_answer_at_the_heads_that_carry_it_alone():
    records = moves_value(NETWORK, INPUTS, OTHERS, "moves")
    sure = {e.claim for e in records if e.config["p"] < 0.05 and e.score > 1}
    assert sure == {"moves.0.1", "moves.1.0"}
    assert head_names(head_sites(NETWORK)) == ["0.0", "0.1", "1.0", "1.1"]
    at_end = moves_value(NETWORK, INPUTS, OTHERS, "moves", torch.full((COUNT,), LAST))
    assert {e.claim for e in at_end if e.score > 1} == {"moves.1.0"}
    by_claim = {e.claim: e for e in records}
    assert by_claim["moves.1.0"].controls["other_source"] < by_claim["moves.1.0"].score - 1


LINES, LETTERS = 3, 6


def chains() -> tuple[torch.Tensor, torch.Tensor]:
    """`b=a c=b d=a #c:`-like programs of letters: tokens and the chain's lines, root first."""
    programs = {"a=0 b=a c=b #c:": [0, 1, 2], "a=0 b=a c=b #b:": [0, 1, -1],
                "a=0 b=0 c=b #c:": [1, 2, -1], "a=0 b=0 c=a #b:": [1, -1, -1]}  # fmt: skip
    letters = "0abc=\n#:"
    tokens = [[letters.index(x) for x in text.replace(" ", "\n")] for text in programs]
    return torch.tensor(tokens), torch.tensor(list(programs.values()))


def test_the_roles_of_a_chain_follow_it_line_by_line():
    tokens, chain = chains()
    left, right = torch.arange(LINES) * 4, torch.arange(LINES) * 4 + 2
    roles = chain_roles(chain, left, right, query=13, end=14)
    start, stop, others = roles["previous hop"]
    assert start.tolist() == [[6, 10], [6, -1], [10, -1], [-1, -1]]
    assert stop.tolist() == [[2, 6], [2, -1], [6, -1], [-1, -1]]
    assert others[0].tolist() == [[-1, 6, -1], [2, -1, 10]]
    start, stop, _ = roles["name matching"]
    assert start.tolist() == [[6, 10, 13], [6, -1, 13], [10, -1, 13], [-1, -1, 13]]
    assert stop.tolist() == [[0, 4, 8], [0, -1, 4], [4, -1, 8], [-1, -1, 4]]
    there = start >= 0
    rows = torch.arange(4)[:, None].expand_as(start)
    assert torch.equal(tokens[rows, start][there], tokens[rows, stop][there])
    for name, step in (("dereference query", 13), ("dereference end", 14)):
        start, stop, others = roles[name]
        assert start.tolist() == [[step]] * 4 and stop.tolist() == [[10], [6], [10], [6]]
        assert others[1].tolist() == [[2, -1, 10]]


def test_a_head_that_matches_names_is_found_by_its_role():
    tokens, chain = chains()
    place = {"one": torch.ones(16), "left": (torch.arange(16) % 4 == 0).float() * 1.0}
    place["left"][12:] = 0
    match = Head([*same("tx", "ty", "tx", "ty", 30.0), ({"one": 60.0}, {"left": 1.0})],
                 moved("tx", "ty", "ox", "oy"))  # fmt: skip
    network = attentive(
        ("tx", "ty", "one", "left", "ox", "oy"), circle("tx", "ty", 7, first=1), place,
        [[NOTHING, match]], circle("ox", "oy", 7, first=1),
    )  # fmt: skip
    left, right = torch.arange(LINES) * 4, torch.arange(LINES) * 4 + 2
    roles = chain_roles(chain, left, right, query=13, end=14)
    score, control = attends(network, tokens, *roles["name matching"])
    assert (score[0, 1] > 0.99).all() and (control[0, 1] < 0.01).all()
    score, _ = attends(network, tokens, *roles["previous hop"])
    assert (score[0, 1].nan_to_num() < 0.01).all()


def test_what_cannot_be_seen_is_refused():
    with pytest.raises(SymscopeError, match="each entry is one step"):
        attends(NETWORK, INPUTS, STEPS, STEPS[:, 1:])
    with pytest.raises(SymscopeError, match="must not exceed"):
        attends(NETWORK, INPUTS, STEPS - 1, STEPS)


def test_the_p_value_is_small_for_an_effect_and_fair_without_one():
    noise = torch.randn(400, 30, generator=torch.Generator().manual_seed(0))
    p = above_zero(noise)
    assert 0.02 < (p < 0.05).float().mean() < 0.09
    assert above_zero(noise + 1).max() < 0.05 and above_zero(noise - 1).min() > 0.9
    assert above_zero(torch.zeros(5)) == 1.0
    assert above_zero(torch.full((1, 400), 1.0)) * 384 < 0.05  # of 12 · 8 heads in 4 roles
    exact = 1 / 2**3  # of three pairs of one sign, one of eight flips leaves all positive
    assert abs(above_zero(torch.tensor([1.0, 2.0, 3.0])) - exact) < 0.03


def test_holm_keeps_the_order_and_the_shape():
    p = torch.tensor([[0.04, 0.01], [0.5, 0.013]])
    torch.testing.assert_close(holm(p), torch.tensor([[0.08, 0.04], [0.5, 0.04]]))

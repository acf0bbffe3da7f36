"""Heads that abstract, predict and retrieve, in a network built so and in one that is trained."""

from importlib import import_module

import pytest
import torch
from torch.nn.functional import cross_entropy

from attention_by_hand import identity_rules
from symscope.localize.symbolic_heads import KINDS, symbolic_heads
from symscope.models.transformer import Transformer
from symscope.network import Network
from symscope.tasks.identity_rules import IdentityRules

TASK = IdentityRules(symbols=8, examples=2)
BUILT = identity_rules()
TRUE = {"abstraction": "0.1", "induction": "1.0", "retrieval": "2.1"}


def selected(records):
    return {tuple(e.claim.split(".", 2)[1:]) for e in records if e.config["selected"]}


def test_the_network_built_by_hand_follows_the_rule():
    prompts = TASK.gate(torch.Generator().manual_seed(0))[:, :-1]
    found = BUILT.run(prompts).output[:, -1].argmax(-1)
    assert torch.equal(found, TASK.correct(prompts)[:, -1])


def test_each_kind_of_head_is_found_and_no_other():
    records = symbolic_heads(BUILT, TASK, "built", pairs=100)
    assert len(records) == len(KINDS) * 6
    assert selected(records) == set(TRUE.items())
    for e in records:
        kind, head = e.claim.split(".", 2)[1:]
        if TRUE[kind] == head:
            assert max(map(abs, e.controls.values())) < 0.2
        assert (e.score > 3) == (TRUE[kind] == head)
        assert e.low <= e.score <= e.high and e.n == 100


@pytest.mark.parametrize("other", [0.0, 1.0])
def test_a_head_that_brings_as_much_of_the_other_variable_is_not_selected(other, monkeypatch):
    noise = torch.randn(6, 100, generator=torch.Generator().manual_seed(0))
    made = import_module("symscope.localize.symbolic_heads")
    monkeypatch.setattr(made, "_effects", lambda *_: (1 + 0.1 * noise, other - 0.1 * noise))
    assert len(selected(symbolic_heads(BUILT, TASK, "built", 100))) == (18 if other == 0 else 0)


def test_where_the_kind_is_looked_for_can_be_said():
    records = symbolic_heads(BUILT, TASK, "built", 100, steps={"abstraction": [1, 5]})
    assert selected(records) == set(TRUE.items()) - {("abstraction", "0.1")}


def test_a_trained_network_has_heads_that_abstract_and_retrieve_an_untrained_one_has_not():
    """Abstraction is looked for at all steps before the last: small networks do it at the query."""
    task, steps = IdentityRules(symbols=6, examples=1), {"abstraction": range(2, 5)}
    torch.manual_seed(0)
    model = Transformer(7, 32, 2, 4)
    before = symbolic_heads(Network(model), task, "untrained", 100, steps=steps)
    assert max(abs(e.score) for e in before) < 0.5
    model.train()
    optimiser = torch.optim.AdamW(model.parameters(), lr=4e-3)
    for step in range(500):
        prompts = task.sample(64, torch.Generator().manual_seed(step))[:, :-1]
        loss = cross_entropy(model(prompts)[:, -1], task.correct(prompts)[:, -1])
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
    network = Network(model)
    prompts = task.gate(torch.Generator().manual_seed(0))[:, :-1]
    right = network.run(prompts).output[:, -1].argmax(-1) == task.correct(prompts)[:, -1]
    assert right.float().mean() > 0.98
    records = symbolic_heads(network, task, "trained", 100, steps=steps)
    strong = {e.claim.split(".", 1)[1] for e in records if e.config["selected"] and e.score > 1}
    assert {claim.split(".")[0] for claim in strong} >= {"abstraction", "retrieval"}
    assert all(claim.startswith("retrieval.1") for claim in strong if "retrieval" in claim)

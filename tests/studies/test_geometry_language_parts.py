"""Parts of the study of weekdays and months whose answers are known."""

from dataclasses import replace

import pytest
import torch

from cycle_tokens import model, tokenizer
from number_tokens import saved
from symscope.features.geometry import counterfactuals, intervene, point_on
from symscope.network import Network
from symscope.studies.geometry.language import LANGUAGE, prompts_of
from symscope.studies.geometry.language_circle import circle_at, layers_of, published_edit
from symscope.studies.geometry.language_explained import (
    automatic_claims,
    published_claims,
    published_groups,
)
from symscope.studies.geometry.language_places import HEADS_FROM, sides, where
from symscope.studies.geometry.language_prompts import posed, states_at
from symscope.studies.geometry.published import PUBLISHED
from symscope.tasks import CYCLES


@pytest.fixture(scope="module")
def one(tmp_path_factory):
    made = saved(tmp_path_factory.mktemp("random") / "model", model("gpt2"), [tokenizer()])
    return posed(Network.from_pretrained(made), "weekdays")


def operands(period: int):
    return torch.cartesian_prod(torch.arange(period), 1 + torch.arange(period)).T


@pytest.mark.parametrize("name", ["weekdays", "months"])
def test_a_state_that_is_made_of_a_group_is_explained_when_that_group_is_added(name):
    period = CYCLES[name].period
    first, second = operands(period)
    groups = published_groups(name, first, second, period)
    for number, (group, columns) in enumerate(groups.items()):
        maps = torch.randn(columns.shape[1], 10, dtype=torch.float64,
                           generator=torch.Generator().manual_seed(number))  # fmt: skip
        (found,) = published_claims(columns @ maps, groups, (first + second) % period, "x", 0)
        table = list(found.config["table"].values())
        assert table[number][0] == pytest.approx(1, abs=1e-3), group
        if group not in ("table of a where b = 1", "table of a + b"):  # some lines have one prompt
            assert table[number][1] == pytest.approx(1, abs=0.02), group
        assert table[-1][0] == pytest.approx(1, abs=1e-3), group  # others are added to it
        if number:
            assert table[number - 1][0] < 0.97, group


def test_groups_are_the_published_functions():
    first, second = operands(12)
    groups = published_groups("months", first, second, 12)
    row = int(((first == 2) & (second == 1)).nonzero())  # one month from March
    assert groups["table of a"][row].argmax() == groups["table of a where b = 1"][row].argmax() == 2
    assert groups["table of b"][row].tolist() == [1.0] + 11 * [0.0]
    assert float(groups["parity of c"][row]) == -1 and float(groups["a + 1 = b"][row]) == 0
    assert groups["circle of c"][row].tolist() == pytest.approx([0, 1], abs=1e-9)
    assert groups["circle of 2c"][row].tolist() == pytest.approx([-1, 0], abs=1e-9)
    assert groups["circle of a − b"][row].tolist() == pytest.approx([3**0.5 / 2, 0.5])
    assert float(groups["a + 1 = b"].sum()) == 12 and groups["table of a + b"].shape[1] == 23
    assert float(groups["table of a where b = 1"].sum()) == 12


def test_the_automatic_explanation_finds_a_circle_of_the_answer_and_nothing_in_noise():
    first, second = operands(7)
    columns = published_groups("weekdays", first, second, 7)["circle of c"]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(49, 6, dtype=torch.float64, generator=generator)
    maps = torch.randn(2, 6, dtype=torch.float64, generator=generator)
    (found,) = automatic_claims(columns @ maps + 0.05 * noise, first, second, 7, "x", 0)
    assert list(found.config["table"]) == ["circle 1 of c"] and found.score > 0.9
    assert found.claim == "x" and found.config["columns"] == 2
    (nothing,) = automatic_claims(noise, first, second, 7, "x", 0)
    assert nothing.score is None and "no candidate" in nothing.note


def test_the_released_edit_takes_the_means_share_of_the_plane_off(one):
    pairs, site, circle = counterfactuals(one.crossed), one.site(0, "a"), circle_at(one, 0)
    circle = replace(circle, mean=circle.mean + 3 * circle.plane[:, 0])
    rest = circle.mean - circle.mean @ circle.plane @ circle.plane.T
    points = point_on(replace(circle, mean=rest), pairs.labels["first.source"])
    run = one.network.run(pairs.base, do={site: lambda old: points.to(old)})
    logits = run.output[:, -1].detach()[:, one.prompts.choices]
    rows = torch.arange(len(pairs))
    away = (logits[rows, pairs.labels["answer.base"]] - logits[rows, pairs.target]).mean()
    difference, share = published_edit(one, pairs, site, circle)
    assert difference == pytest.approx(float(away), abs=1e-5) and 0 <= share <= 1
    mine = intervene(one.network, one.crossed, pairs, site, circle)["difference"].score
    assert difference != pytest.approx(mine, abs=1e-4)


def test_states_are_those_that_enter_a_layer_at_the_start_and_at_the_end(one):
    values = one.network.run(one.prompts.tokens, read=[one.site(1, "a").at(None)]).values
    (whole,) = values.values()
    for place in ("a", "b", "last"):
        found = one.states([1], place)[1]
        assert found.dtype == torch.float64
        assert torch.allclose(found, whole[:, one.prompts.places[place]].double(), atol=1e-5)
    sites = [one.site(0, "a"), one.site(1, "last")]
    assert list(states_at(one.network, one.prompts.tokens, sites)) == sites


@pytest.mark.parametrize("same", ["a", "b"])
def test_pairs_of_prompts_have_one_operand_in_common(one, same):
    clean, corrupt, *answers = sides(one, same, 0)
    kept, other = (one.prompts.places[x] for x in (("a", "b") if same == "a" else ("b", "a")))
    assert len(clean) == 20 and bool((clean[:, kept] == corrupt[:, kept]).all())
    assert bool((clean[:, other] != corrupt[:, other]).all())
    rows = {tuple(tokens): row for row, tokens in enumerate(one.prompts.tokens.tolist())}
    for tokens, answer in zip((clean, corrupt), answers, strict=True):
        row = torch.tensor([rows[tuple(t)] for t in tokens.tolist()])
        assert torch.equal(answer, one.prompts.choices[one.prompts.answers[row]])
    begin = min(key[1] for key in where(one, (clean, corrupt, *answers), "mlp"))
    assert begin == one.prompts.places["b" if same == "a" else "a"]


def test_heads_of_the_last_five_eighths_are_patched(one):
    pair = sides(one, "a", 0)
    assert {layer for layer, _ in where(one, pair, "head")} == {0, 1}
    assert list(range(int(32 * HEADS_FROM), 32)) == list(range(12, 32))


def test_layers_are_all_or_those_asked_for():
    assert layers_of(None, 3) == [0, 1, 2] and layers_of([2, 0], 3) == [2, 0]


def test_layers_explained_are_the_published_ones_or_the_later_half():
    mistral = LANGUAGE["mistral-7b"]
    assert mistral.last_layers("weekdays", 32) == list(range(17, 30))
    assert LANGUAGE["llama-3-8b"].last_layers("months", 32) == list(range(13, 30))
    assert mistral.last_layers("weekdays", 4) == [2, 3]
    assert mistral.last_layers("hours", 32) == list(range(16, 32))


def test_prompts_are_counted_with_what_is_asked(one):
    plain = {"layers": None, "pairs": None, "untrained": False, "dictionary": None}
    config = one.network.module.config
    count = prompts_of(7, config, plain)
    assert prompts_of(7, config, plain | {"untrained": True}) > 1.5 * count - 10_000
    assert prompts_of(7, config, plain | {"pairs": 10**9}) == count
    assert count - prompts_of(7, config, plain | {"layers": [0]}) == 21 * 294 + 49
    assert prompts_of(7, config, plain | {"dictionary": "x"}) - count == 3 * 21 * 294


def test_published_values_are_of_claims_that_the_study_makes(one):
    models = {claim.split(".")[1] for claim in PUBLISHED} - {"toy"}
    assert models == set(LANGUAGE)
    for claim, source in PUBLISHED.items():
        assert set(source) == {"value", "where"}, claim
        _, model_, cycle, *rest = claim.split(".")
        if model_ != "toy" and rest[0] == "accuracy":
            assert rest[1] in CYCLES[cycle].wordings and rest[2] in ("valid", "vocabulary")
    assert PUBLISHED["geometry.llama-3-8b.weekdays.accuracy.text.valid"]["value"] == 29 / 49
    assert PUBLISHED["geometry.toy.circle.mixture"]["value"] == 0.1784
    kinds = {claim.split(".")[3] for claim in PUBLISHED if claim.split(".")[1] != "toy"}
    assert kinds == {"accuracy", "dictionary", "places", "intervention"}

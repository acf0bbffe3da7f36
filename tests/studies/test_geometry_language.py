"""The study of weekdays and months in a language model, on one that learns weekdays in seconds."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from cycle_tokens import SIZE, WIDTH, model, taught, tokenizer
from number_tokens import saved
from symscope.causal_model import UnknownName
from symscope.evidence import Evidence, SymscopeError, read_evidence
from symscope.jobs import run_unit
from symscope.network import Network
from symscope.studies.geometry import language
from symscope.studies.geometry.language import (
    LANGUAGE,
    Language,
    answered,
    cycle_unit,
    fresh,
    language_settings,
    reckoned,
    viewed,
)

LITTLE = Language("nobody/nothing", 0, {}, untrained=True)
WEEKDAYS = ("cycle", "weekdays", "0")


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return saved(tmp_path_factory.mktemp("little") / "model", taught(120), [tokenizer()])


@pytest.fixture(scope="module")
def settings(place):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LANGUAGE, "little", LITTLE)
        yield language_settings("little", {"model": str(place), "dtype": "float32"})


@pytest.fixture(scope="module")
def records(settings, tmp_path_factory) -> dict[str, Evidence]:
    folder = tmp_path_factory.mktemp("units")
    name = run_unit(cycle_unit, WEEKDAYS, settings, folder)
    found = read_evidence(folder / "units" / f"{name}.json")
    named = {r.claim.removeprefix("geometry.little.weekdays."): r for r in found}
    assert len(named) == len(found)
    return named


def test_every_question_of_the_unit_has_its_records(records):
    layers = [f"{kind}.layer_{layer}" for layer in (0, 1) for kind in (
        "circle", "curve", "intervention")]  # fmt: skip
    for begin in (
        "accuracy.text.",
        "accuracy.code.",
        *layers,
        "off_circle.radius_1",
        "places.same_a.",
        "places.same_b.",
        "explained.layer_1",
        "explanation.layer_1",
    ):
        assert any(claim.startswith(begin) for claim in records), begin
    assert {c.split(".")[-1] for c in records if c.startswith("intervention.layer_0")} == {
        "difference", "share"}  # fmt: skip
    assert all(r.score is not None for r in records.values())


def test_scores_have_intervals_controls_and_the_seed(records):
    for record in records.values():
        assert record.low <= record.score + 1e-9 and record.score <= record.high + 1e-9, record
        assert record.controls and list(record.seeds) in ([0], []), record


def test_both_wordings_are_answered_right_among_all_words(records):
    for wording in ("text", "code"):
        for way in ("valid", "vocabulary"):
            one = records[f"accuracy.{wording}.{way}"]
            assert one.score > 0.9 and one.n == 49 and not one.note
        assert records[f"accuracy.{wording}.valid"].controls["chance"] == 1 / 7
        assert records[f"accuracy.{wording}.vocabulary"].controls["chance"] == 1 / SIZE
        assert records[f"accuracy.{wording}.valid"].controls["untrained"] < 0.5
    assert "days of the week" in records["accuracy.code.valid"].config["text"]
    table = records["accuracy.text.valid"].config["table"]
    assert list(table) == [str(b) for b in range(1, 8)]
    right = records["accuracy.text.valid"].score
    assert sum(table.values()) / 7 == pytest.approx(right)


def test_without_the_space_other_tokens_are_asked_and_fewer_answers_are_right(records):
    assert records["accuracy.text.without_space"].score < 0.5


def test_the_circle_of_the_embedding_is_read_and_no_other_frequency_is(records):
    found = records["circle.layer_0"]
    assert found.score > 0.95 and found.controls["shuffled"] < 0.5
    assert "untrained" in found.controls and found.controls["untrained"] < 0.5
    by = found.config["by_frequency"]
    assert list(by) == ["1", "2", "3"] and by["1"] == pytest.approx(found.score)
    assert max(by["2"], by["3"]) < 0.8
    curves = {c: records[f"curve.layer_0.{c}"] for c in ("line", "circle", "helix")}
    assert curves["circle"].score > curves["line"].score + 0.5
    assert min(curves, key=lambda c: curves[c].config["bits"]) == "circle"


def test_answers_follow_the_circle_more_than_a_random_plane(records):
    for kind in ("share", "kept.share"):
        found = records[f"intervention.layer_0.{kind}"]
        assert found.score > 0.7 and found.n == 294
        assert found.controls["random_plane"] < 0.2
        assert found.controls["random_plane_in_components"] < found.score - 0.2
        assert found.controls["whole"] > 0.9 and found.controls["no_op"] < 0.1
        assert found.controls["untrained"] < 0.4
    assert records["intervention.layer_0.difference"].score < 0
    assert records["intervention.layer_1.share"].controls["whole"] < 0.5  # it was copied by then


def test_what_the_released_code_writes_stands_beside(records):
    """Here the mean has next to nothing in the plane, where both are the same point."""
    found = records["intervention.layer_0.difference"]
    assert found.config["published"] == pytest.approx(found.score, abs=1.0)
    share = records["intervention.layer_0.share"]
    assert abs(share.config["published"] - share.score) < 0.2
    assert "published" not in records["intervention.layer_0.kept.share"].config


def test_off_the_circle_answers_are_of_the_nearest_day_from_some_radius_on(records):
    at = {radius: records[f"off_circle.radius_{radius:g}"] for radius in (0.0, 1.0)}
    assert at[1.0].score > 0.5 > at[0.0].score and at[1.0].n == 400
    assert at[1.0].controls["chance"] == pytest.approx(1 / 7)


def test_the_start_is_restored_where_it_stands_and_at_the_end(records):
    same = records["places.same_b.residual"]
    table, start, end = same.config["table"], 14, 15
    assert same.config["steps"][start] == " Monday" and same.config["steps"][end] == " is"
    assert table[f"0.{start}"] == pytest.approx(1, abs=0.05)
    assert table[f"0.{end}"] == pytest.approx(0, abs=0.05)
    assert same.n == 10 and same.score > same.controls["any_place"]
    assert same.controls["other_pair"] < 0.8 < same.score
    assert {int(key.split(".")[1]) for key in table} == {start, end}  # nothing differs before
    other = records["places.same_a.residual"].config["table"]
    assert other["0.11"] == pytest.approx(1, abs=0.1)  # the number of days
    assert records["places.same_b.copied"].score == 1
    assert set(records["places.same_b.head"].config["table"]) == {
        f"{layer}.{head}" for layer in (0, 1) for head in range(4)}  # fmt: skip


def test_explanations_list_groups_as_they_are_added(records):
    table = records["explained.layer_1"].config["table"]
    assert list(table) == ["table of a", "table of b", "table of a where b = 1", "circle of c",
                           "circle of a − b"]  # fmt: skip
    inside = [line[0] for line in table.values()]
    assert inside == sorted(inside) and records["explained.layer_1"].score == table[
        "circle of a − b"][1]  # fmt: skip
    chosen = records["explanation.layer_1"].config["table"]
    assert len(chosen) > 1 and records["explanation.layer_1"].score > 0.3


def test_a_view_has_states_and_colours_as_plain_numbers(settings):
    view = viewed("weekdays", settings)
    json.dumps(view, allow_nan=False)
    assert view["values"][0] == "Monday" and len(view["prompts"]) == 49
    assert [layer["layer"] for layer in view["layers"]] == [0, 1]
    first = view["layers"][0]
    assert len(first["states"]) == 49 and len(first["states"][0]) == 5
    assert 0.99 < sum(first["shares"]) <= 1.001
    for (cos, sin), a in zip(first["reads"], view["first"], strict=True):
        assert math.hypot(cos - math.cos(2 * math.pi * a / 7),
                          sin - math.sin(2 * math.pi * a / 7)) < 0.1  # fmt: skip
    (rest,) = view["residuals"]
    assert rest["layer"] == 1 and [len(s["groups"]) for s in rest["steps"]] == list(range(6))
    colours = torch.tensor(rest["steps"][0]["colours"])
    assert colours.shape == (7, 7, 3) and 0 <= colours.min() <= colours.max() <= 1


def test_a_question_that_fails_is_a_record_and_the_others_are_answered(settings, tmp_path):
    """This model has no layer 7 where points off the circle could be written."""
    few = settings | {"layer": 7, "layers": [1], "pairs": 12, "untrained": False}
    name = run_unit(cycle_unit, WEEKDAYS, few, tmp_path)
    found = {r.claim: r for r in read_evidence(tmp_path / "units" / f"{name}.json")}
    refused = [r for r in found.values() if r.score is None]
    assert [r.claim for r in refused] == ["geometry.little.weekdays.off_circle"]
    assert "no layer 7: this model has 0 to 1" in refused[0].note
    share = found["geometry.little.weekdays.intervention.layer_1.share"]
    assert share.n == 12 and "untrained" not in share.controls
    assert "geometry.little.weekdays.explained.layer_1" in found
    assert not any("layer_0" in claim for claim in found)


def test_layers_that_are_not_there_are_refused_before_any_run(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(language, "posed", None)
    name = run_unit(cycle_unit, WEEKDAYS, settings | {"layers": [0, 9]}, tmp_path)
    *others, refused = read_evidence(tmp_path / "units" / f"{name}.json")
    assert refused.score is None and "this model has 0 to 1" in refused.note and not others


def test_where_less_than_half_is_right_a_note_says_so_and_places_have_nothing_to_restore(
    settings, tmp_path
):
    made = model("llama")
    with torch.no_grad():
        made.lm_head.weight.zero_()  # all answers are as likely
    folder = saved(tmp_path / "ignorant", made, [tokenizer()])
    few = settings | {"model": str(folder), "layers": [0], "pairs": 12, "untrained": False}
    name = run_unit(cycle_unit, WEEKDAYS, few, tmp_path)
    found = {r.claim: r for r in read_evidence(tmp_path / "units" / f"{name}.json")}
    assert found["geometry.little.weekdays.accuracy.text.valid"].note == "less than half is right"
    assert found["geometry.little.weekdays.intervention.layer_0.share"].score is not None
    places = [r for claim, r in found.items() if ".places." in claim]
    assert len(places) == 8 and all("nothing to restore" in r.note for r in places)


@pytest.mark.parametrize(("speaks", "cycle", "said"), [
    (tokenizer(cut=["Friday"]), "weekdays", r"'Friday' in .* is to be one token, and is"),
    (tokenizer(cut=["Nine"]), "months", "prompts are not of one length: 13 tokens"),
])  # fmt: skip
def test_a_tokenizer_that_does_not_fit_skips_the_cycle_with_a_message(
    speaks, cycle, said, settings, tmp_path
):
    folder = saved(tmp_path / "model", model("llama"), [speaks])
    few = settings | {"model": str(folder)}
    name = run_unit(cycle_unit, ("cycle", cycle, "0"), few, tmp_path)
    (refused,) = read_evidence(tmp_path / "units" / f"{name}.json")
    assert refused.score is None and refused.claim == f"geometry.little.{cycle}"
    assert re.search(said, refused.note)


def test_where_memory_ends_it_says_what_to_try_and_leaves_no_file(settings, tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(language, "cycle_claims", full)
    with pytest.raises(MemoryError, match=r"weekdays: CUDA out of memory.*--device auto.*--pairs"):
        run_unit(cycle_unit, WEEKDAYS, settings, tmp_path)
    assert not list(tmp_path.glob("units/*"))


def test_a_run_is_reckoned_from_the_description_without_weights(settings, tmp_path):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_text((Path(settings["model"]) / "config.json").read_text())
    said, needed = reckoned(settings | {"model": str(bare), "pairs": 10})
    count = sum(p.numel() for p in model("llama").parameters())
    assert f"{count / 1e9:.2f}·10⁹ parameters" in said and "with a fresh network" in said
    assert needed.memory > 2 * 4 * count
    each = [2 * (2 * n + 2 * (21 * 10 + n)) + 8400 + 40 * (3 * 2 * 6 + 4 * 2) for n in (49, 144)]
    assert f"About {sum(each):,} prompts" in said
    with pytest.raises(SymscopeError, match="nowhere"):
        reckoned(settings | {"model": str(tmp_path / "nowhere")})


def test_an_absent_checkpoint_ends_with_exit_code_two(settings, tmp_path):
    with pytest.raises(SymscopeError) as refused:
        cycle_unit(WEEKDAYS, settings | {"model": str(tmp_path / "nowhere")}, tmp_path)
    assert refused.value.exit_code == 2


def test_a_setting_that_is_not_there_is_refused_and_none_means_the_default(settings):
    assert language_settings("gpt2", {"model": None})["model"] == "openai-community/gpt2"
    assert language_settings("gpt2", {})["untrained"] is True
    assert language_settings("llama-3-8b", {"layer": 0})["layer"] == 0
    with pytest.raises(UnknownName, match="pears"):
        language_settings("gpt2", {"pears": 3})


def test_a_fresh_network_is_another_one_of_the_same_form_and_leaves_the_generator(place):
    network = Network.from_pretrained(place, "bfloat16")
    torch.manual_seed(5)
    blank, drawn = fresh(network, 1), torch.rand(1)
    torch.manual_seed(5)
    assert torch.equal(drawn, torch.rand(1))
    mine, other = network.module.state_dict(), blank.module.state_dict()
    assert mine.keys() == other.keys() and not torch.equal(*(
        m["model.layers.0.mlp.up_proj.weight"] for m in (mine, other)))  # fmt: skip
    assert {w.dtype for w in blank.module.parameters()} == {torch.bfloat16}
    again = fresh(network, 1).module.state_dict()
    assert all(torch.equal(other[k], again[k]) for k in other)


@pytest.mark.parametrize(("preset", "family"), [("gpt2", "gpt2"), ("mistral-7b", "mistral"),
                                                ("llama-3-8b", "llama")])  # fmt: skip
def test_every_preset_is_asked_of_a_small_model_of_its_family(
    preset, family, tmp_path, monkeypatch
):
    """Of random weights, months as well, with the words that Mistral's tokenizer cuts."""
    speaks = tokenizer(cut=("Nine", "Eleven", "Twelve") if family == "mistral" else (),
                       begin=family != "gpt2")  # fmt: skip
    folder = saved(tmp_path / "model", model(family), [speaks])
    asked = {"model": str(folder), "dtype": "float32", "pairs": 6, "layers": [1],
             "layer": 1 if family == "mistral" else 5}  # fmt: skip
    settings = language_settings(preset, asked)
    assert "0.00·10⁹ parameters" in reckoned(settings)[0]
    monkeypatch.setitem(LANGUAGE, preset, replace(LANGUAGE[preset], explained={}))
    name = run_unit(cycle_unit, ("cycle", "months", "0"), settings, tmp_path)
    found = {r.claim: r for r in read_evidence(tmp_path / "units" / f"{name}.json")}
    accuracy = found[f"geometry.{preset}.months.accuracy.text.valid"]
    assert accuracy.n == 144 and accuracy.config["prefixed"] == (family == "mistral")
    refused = [r.claim for r in found.values() if r.score is None and "nothing to" not in r.note]
    assert refused == ([] if family == "mistral" else [f"geometry.{preset}.months.off_circle"])
    share = found[f"geometry.{preset}.months.intervention.layer_1.share"]
    assert share.n == 6 and ("untrained" in share.controls) == (preset == "gpt2")
    table = found[f"geometry.{preset}.months.explained.layer_1"].config["table"]
    assert len(table) == 9 and list(table)[-1] == "table of a + b"
    assert "by_frequency" not in found[f"geometry.{preset}.months.circle.layer_1"].config


def test_only_refusals_are_kept_as_records():
    def broken() -> list[Evidence]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        answered(iter([("claim", broken)]), 0)


def test_widths_are_those_of_the_fixture():
    assert model("gpt2").config.hidden_size == WIDTH

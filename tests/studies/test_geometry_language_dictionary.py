"""Clusters of a dictionary in a language model whose weekdays lie on a circle that is known."""

import json
from pathlib import Path

import pytest
import torch

from cycle_tokens import WIDTH, model, taught, tokenizer
from number_tokens import saved
from symscope.evidence import Evidence, SymscopeError, read_evidence
from symscope.features.dictionaries import METHODS, Dictionary, write_saelens
from symscope.features.geometry import counterfactuals
from symscope.jobs import run_unit
from symscope.network import Network
from symscope.studies.geometry import language_dictionary
from symscope.studies.geometry.language import (
    LANGUAGE,
    Language,
    cycle_unit,
    language_settings,
    reckoned,
)
from symscope.studies.geometry.language_circle import circle_at, intervention_claims
from symscope.studies.geometry.language_dictionary import (
    Told,
    contexts,
    dictionary_claims,
    layer_said,
    placed,
    rank,
    turned,
    vectors_of,
)
from symscope.studies.geometry.language_prompts import posed
from symscope.studies.geometry.published import PUBLISHED
from symscope.tasks import cycle_prompts

DAYS = tuple(range(7))
"""The elements that point at the days; what else there is points anywhere."""
UNIT = ("cycle", "weekdays", "0")


def written(folder: Path, directions: torch.Tensor, hook: str = "blocks.0.hook_resid_pre") -> Path:
    """A dictionary that is active on what points as its elements do, as SAELens writes it."""
    size, width = directions.shape
    made = Dictionary(width, size, METHODS["relu"])
    with torch.no_grad():
        made.decoder.copy_(directions / directions.norm(dim=1, keepdim=True))
        made.encoder.copy_(made.decoder.T)
        made.encoder_bias.fill_(-0.3)
    write_saelens(folder, made)
    config = json.loads((folder / "cfg.json").read_text())
    config["metadata"]["hook_name"] = hook
    (folder / "cfg.json").write_text(json.dumps(config))
    return folder


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return saved(tmp_path_factory.mktemp("little") / "model", taught(120), [tokenizer()])


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    table = taught(120).get_input_embeddings().weight.detach()
    days = table[cycle_prompts(tokenizer(), "weekdays").choices]
    other = torch.randn(40, WIDTH, generator=torch.Generator().manual_seed(0))
    plane = torch.linalg.svd(days - days.mean(0)).Vh[:2]
    other -= other @ plane.T @ plane
    words = table[tokenizer().convert_tokens_to_ids(["Ġmath", "Ġweek", "Ġdo"])]
    words -= words @ plane.T @ plane
    mixed = (torch.ones(3, 3) + torch.eye(3)) @ (words / words.norm(dim=1, keepdim=True))
    return written(tmp_path_factory.mktemp("dictionary"), torch.cat([days, mixed, other]))


@pytest.fixture(scope="module")
def settings(place, folder):
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(LANGUAGE, "little", Language("nobody/nothing", 0, {}))
        asked = {"model": str(place), "dtype": "float32", "dictionary": str(folder), "layers": [0]}
        yield language_settings("little", asked)


def told(
    place: Path, folder: Path, layer: int | None = None, text: Path | None = None,
    most: int | None = 6,
) -> dict[str, Evidence]:  # fmt: skip
    one = posed(Network.from_pretrained(place), "weekdays")
    pairs = counterfactuals(one.crossed, most)
    found = dictionary_claims(one, placed(folder, WIDTH, layer), pairs, text, "dictionary", 0)
    return {r.claim: r for r in found}


@pytest.fixture(scope="module")
def records(place, folder) -> dict[str, Evidence]:
    """With a plane that is carried back by no layer, where the answer is known."""
    one = posed(Network.from_pretrained(place), "weekdays")
    pairs = counterfactuals(one.crossed)
    probe = intervention_claims(one, None, pairs, 0, "intervention.layer_0", 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(language_dictionary, "EARLIER", 0)
        return told(place, folder, most=None) | {r.claim: r for r in probe}


def test_the_cluster_of_the_days_is_found_and_ranked(records):
    rank = records["dictionary.rank"]
    assert sorted(rank.config["elements"]) == list(DAYS)
    assert 1 <= rank.low <= rank.score <= rank.high <= rank.n and rank.n == 2
    assert rank.controls["middle"] == 1.5
    first = records["dictionary.cluster_0"]
    assert first.score > 0 and "gaussian" in first.controls
    scores = [r.score for c, r in records.items() if c.startswith("dictionary.cluster_")]
    assert scores == sorted(scores, reverse=True)
    assert records[f"dictionary.cluster_{rank.score - 1:.0f}"].config["elements"] == rank.config[
        "elements"]  # fmt: skip


def test_its_plane_reads_the_start_better_than_planes_chosen_for_exchanged_starts(records):
    found = records["dictionary.circle"]
    assert found.score > 0.95 and found.config["plane"] == "1-2"
    assert found.controls["best_of_shuffled"] < 0.6


def test_s_and_m_of_the_plane_stand_beside_the_published_recipe(records):
    apart, mixed = records["dictionary.separability"], records["dictionary.mixture"]
    assert apart.score > apart.controls["shuffled"] and apart.config["published"] > 0
    assert 2 / 7 - 0.05 < mixed.score < 1


def test_answers_follow_the_plane_as_they_follow_the_circular_probe(records):
    plane, probe = (records[f"{c}.share"] for c in ("dictionary.intervention",
                                                    "intervention.layer_0"))  # fmt: skip
    assert plane.score > 0.7 and abs(plane.score - probe.score) < 0.15
    assert plane.controls["random_plane"] < 0.2
    assert plane.config["components"] == 2


def test_what_is_carried_back_by_no_layer_is_the_same(records):
    for unit in ("difference", "share", "kept.share"):
        for same, other in (("dictionary.earlier", "dictionary.intervention"),
                            ("dictionary.probe_earlier", "intervention.layer_0")):  # fmt: skip
            assert records[f"{same}.{unit}"].score == pytest.approx(
                records[f"{other}.{unit}"].score
            )


def test_a_rank_lies_between_those_that_its_interval_allows():
    bounds, no = [(3.0, 2.9, 3.1), (2.0, 1.5, 2.5), (1.7, 1.6, 1.8)], torch.zeros(0)
    clusters = [Told((i,), Evidence("x", *b, 60), no, no) for i, b in enumerate(bounds)]
    found = rank(clusters, 1, "claim", 0)
    assert (found.score, found.low, found.high, found.n) == (2, 2, 3, 3)
    assert rank(clusters, 0, "claim", 0).high == 1


def test_a_plane_is_carried_into_another_layer_with_that_layers_mean(place, monkeypatch):
    one = posed(Network.from_pretrained(place), "weekdays")
    circle = circle_at(one, 0)
    monkeypatch.setattr(language_dictionary, "intervene", lambda *given: {"": given[4]})
    (written,) = turned(one, circle, counterfactuals(one.crossed), 1, "claim", 0)
    assert torch.allclose(written.mean, one.states([1], "a")[1].mean(0))
    assert written.axes is circle.axes and not torch.allclose(written.mean, circle.mean)


def test_what_is_published_of_dictionaries_is_a_claim_of_this_study(records):
    made = {claim for claim in records if claim.startswith("dictionary")}
    published = [claim.split(".", 3) for claim in PUBLISHED if ".dictionary." in claim]
    assert len(published) == 8
    assert all(claim in made for _, _, cycle, claim in published if cycle != "years")


def test_a_plane_is_not_carried_below_the_first_layer(place, folder):
    found = told(place, folder)
    assert "dictionary.rank" in found and not any("earlier" in claim for claim in found)


def test_another_width_is_an_error_before_anything_is_run(settings, tmp_path, monkeypatch):
    narrow = written(tmp_path / "narrow", torch.eye(WIDTH - 1))
    wrong = settings | {"dictionary": str(narrow)}
    monkeypatch.setattr(Network, "from_pretrained", None)
    with pytest.raises(SymscopeError, match=f"dictionary of width 31, and the model's is {WIDTH}"):
        cycle_unit(UNIT, wrong, tmp_path)
    with pytest.raises(SymscopeError, match="width 31"):
        reckoned(wrong)


def test_a_transcoder_is_refused(tmp_path):
    write_saelens(tmp_path, Dictionary(WIDTH, 9, METHODS["transcoder"], outputs=WIDTH))
    with pytest.raises(SymscopeError, match="a transcoder of width"):
        placed(tmp_path, WIDTH, 0)


def test_the_layer_is_said_by_the_folder_or_by_the_caller(tmp_path):
    assert placed(written(tmp_path / "a", torch.eye(4)), 4).layer == 0
    later = written(tmp_path / "b", torch.eye(4), "blocks.8.hook_resid_post")
    assert placed(later, 4).layer == 9 and placed(later, 4, 3).layer == 3
    with pytest.raises(SymscopeError, match="--dictionary-layer"):
        placed(written(tmp_path / "c", torch.eye(4), "blocks.8.hook_mlp_out"), 4)
    assert layer_said({"hook_point": "blocks.7.hook_resid_pre"}) == 7
    assert layer_said({"hook_name": None}) is None


def test_states_are_those_of_all_wordings_without_their_first_tokens(place):
    one = posed(Network.from_pretrained(place), "weekdays")
    length = one.prompts.tokens.shape[1] - 1
    vectors = vectors_of(one, 0)
    assert vectors.shape == (2 * 49 * length, WIDTH)
    table = one.network.module.get_input_embeddings().weight.detach()
    assert torch.equal(vectors[: 49 * length], table[one.prompts.tokens[:, 1:]].flatten(0, 1))


def test_a_text_is_read_in_pieces_of_256_tokens(place, tmp_path):
    one, path = posed(Network.from_pretrained(place), "weekdays"), tmp_path / "text"
    path.write_text(" days from Monday" * 200)
    pieces = contexts(one.network.tokenizer, path)
    assert pieces.shape == (2, 256)
    assert vectors_of(one, 1, path).shape == (2 * 255, WIDTH)
    path.write_text(" days" * 255)
    with pytest.raises(SymscopeError, match="has 255 tokens: 256 are needed"):
        contexts(one.network.tokenizer, path)
    with pytest.raises(SymscopeError, match="nowhere is no text"):
        contexts(one.network.tokenizer, tmp_path / "nowhere")


def test_clusters_on_a_text_that_has_too_few_of_them_ask_for_more(place, folder, tmp_path):
    path = tmp_path / "text"
    path.write_text(" of the" * 130)
    with pytest.raises(SymscopeError, match=r"0 elements are active on 255 .* --text"):
        told(place, folder, text=path)


def test_a_unit_with_a_dictionary_asks_of_it_as_well(settings, tmp_path):
    """Of a layer that is not there, so that the answer is a refusal."""
    few = settings | {"dictionary_layer": 7, "pairs": 6}
    name = run_unit(cycle_unit, UNIT, few, tmp_path)
    (refused,) = [r for r in read_evidence(tmp_path / "units" / f"{name}.json") if r.score is None]
    assert "no layer 7" in refused.note and refused.claim == "geometry.little.weekdays.dictionary"


def test_starts_without_a_circle_have_none_in_the_best_of_planes(tmp_path):
    made = saved(tmp_path / "model", model("llama"), [tokenizer()])
    table = model("llama").get_input_embeddings().weight.detach()
    days = table[cycle_prompts(tokenizer(), "weekdays").choices]
    found = told(made, written(tmp_path / "dictionary", torch.cat([days, days.roll(1, 0) + days])))
    circle = found["dictionary.circle"]
    assert circle.score < circle.controls["best_of_shuffled"] + 0.3 and circle.score < 0.8

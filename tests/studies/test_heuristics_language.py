"""The study of arithmetic in a language model, on one that learns sums in seconds."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from number_tokens import BEGIN, model, saved, tokenizer, words
from symscope.evidence import Evidence, SymscopeError, read_evidence
from symscope.jobs import run_unit
from symscope.network import Network
from symscope.studies.heuristics import language
from symscope.studies.heuristics.language import Language, reckoned, sign_claims, sign_unit
from symscope.studies.heuristics.settings import Asked

WORDS = words()
ASKED = Asked(top=8, pairs=10, prompts=40, counts=(2,), draws=2, nulls=10)
SETTINGS = {"preset": "little", "dtype": "float32", "device": "cpu", "budget": 4.0}


def taught(steps: int) -> torch.nn.Module:
    """A llama trained on all sums of two numbers below ten, with its first token in front."""
    made = model("llama").train()
    first, second = torch.cartesian_prod(torch.arange(10), torch.arange(10)).unbind(1)
    number = torch.tensor([WORDS[str(n)] for n in range(19)])
    texts = [torch.full_like(first, WORDS[BEGIN]), number[first],
             torch.full_like(first, WORDS["+"]), number[second],
             torch.full_like(first, WORDS["="])]  # fmt: skip
    tokens, answers = torch.stack(texts, 1), number[first + second]
    optimiser = torch.optim.Adam(made.parameters(), 5e-3)
    for _ in range(steps):
        loss = cross_entropy(made(input_ids=tokens).logits[:, -1], answers)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return made.eval()


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("little") / "model"
    return saved(folder, taught(120), [tokenizer(WORDS, begin=True)])


@pytest.fixture
def settings(place, monkeypatch) -> dict:
    about = Language("nobody/nothing", range(2), ASKED, operands=10, signs="+")
    monkeypatch.setitem(language.LANGUAGE, "little", about)
    return SETTINGS | {"model": str(place)}


def test_a_run_is_reckoned_from_the_description_without_weights(settings, tmp_path, monkeypatch):
    bare = tmp_path / "bare"
    bare.mkdir()
    (bare / "config.json").write_text((Path(settings["model"]) / "config.json").read_text())
    said, needed, kept = reckoned(settings | {"model": str(bare)})
    count = sum(p.numel() for p in model("llama").parameters())
    assert f"{count / 1e9:.2f}·10⁹ parameters" in said and "GB in float32" in said
    assert needed.memory > 4 * count and kept > 1e9 * settings["budget"]
    runs = 4 * 100 + 10 * (2 * 5 * 4 + 1_000)
    assert f"About {runs:,} prompts of 5 tokens" in said
    with pytest.raises(SymscopeError, match="nowhere"):
        reckoned(settings | {"model": str(tmp_path / "nowhere")})


@pytest.fixture(scope="module")
def records(place) -> list[Evidence]:
    about = Language("nobody/nothing", range(2), ASKED, operands=10, signs="+")
    return sign_claims(Network.from_pretrained(place), about, "+", "heuristics.little", 0)


def test_of_a_sign_accuracy_circuit_and_neurons_are_asked(records):
    named = {r.claim.removeprefix("heuristics.little.add."): r for r in records}
    assert len(named) == len(records)
    assert {"accuracy", "place.all", "circuit.faithfulness", "ranking.attribution",
            "labelled.published", "labelled.fdr", "knockout.published.2", "knockout.mean.2",
            "published.alone", "fdr.alone"} <= set(named)  # fmt: skip
    accuracy = named["accuracy"]
    assert accuracy.score > 0.9 and accuracy.n == 100
    assert accuracy.controls["commonest answer"] == pytest.approx(0.1)
    assert accuracy.config["dropped"]["prompts with +"] == 0
    assert named["published.alone"].n == 100  # none was held out, so that all are asked
    assert "untrained" not in named["labelled.published"].controls


def test_its_scores_have_intervals_and_controls(records):
    for record in records:
        if record.score is None:
            assert record.note, record.claim
        else:
            assert record.low <= record.score <= record.high and record.controls, record


def test_a_unit_leaves_the_same_records(settings, records, tmp_path):
    name = run_unit(sign_unit, ("sign", "+", "0"), settings, tmp_path)
    found = read_evidence(tmp_path / "units" / f"{name}.json")
    assert [(r.claim, r.score) for r in found if "ranking" not in r.claim] == [
        (r.claim, r.score) for r in records if "ranking" not in r.claim
    ]


def test_where_hardly_an_answer_is_right_accuracy_stays_and_says_why_nothing_else_is_there(
    settings, tmp_path
):
    made = model("llama")
    with torch.no_grad():
        made.lm_head.weight.zero_()  # all answers are as likely
    folder = saved(tmp_path / "ignorant", made, [tokenizer(WORDS)])
    name = run_unit(sign_unit, ("sign", "+", "0"), settings | {"model": str(folder)}, tmp_path)
    accuracy, refused = read_evidence(tmp_path / "units" / f"{name}.json")
    assert accuracy.claim == "heuristics.little.add.accuracy" and accuracy.score < 0.2
    assert refused.score is None and "accuracy is too low" in refused.note
    assert refused.claim.startswith("heuristics.little.add.")


def test_where_memory_ends_it_says_what_to_try_and_leaves_no_file(settings, tmp_path, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setattr(language, "sign_claims", full)
    with pytest.raises(MemoryError, match=r"\+: CUDA out of memory.*--dtype bfloat16, --device"):
        run_unit(sign_unit, ("sign", "+", "0"), settings, tmp_path)
    assert not list(tmp_path.glob("units/*"))


def test_layers_that_the_model_does_not_have_are_refused(place):
    about = Language("nobody/nothing", range(5, 9), ASKED, operands=10, signs="+")
    records = sign_claims(Network.from_pretrained(place), about, "+", "heuristics.little", 0)
    (refused,) = [r for r in records if r.score is None]
    assert "none of the layers asked for is among the 2" in refused.note


def test_a_folder_without_a_tokenizer_is_refused_in_a_record(settings, tmp_path):
    folder = saved(tmp_path / "silent", model("llama"))
    name = run_unit(sign_unit, ("sign", "+", "0"), settings | {"model": str(folder)}, tmp_path)
    (refused,) = read_evidence(tmp_path / "units" / f"{name}.json")
    assert refused.score is None and "no tokenizer" in refused.note


@pytest.mark.parametrize(("preset", "family"), [("pythia-6.9b", "gpt_neox"), ("gpt-j", "gptj"),
                                                ("llama-3-8b", "llama")])  # fmt: skip
def test_every_published_preset_is_asked_of_a_small_model_of_its_family(
    preset, family, tmp_path, monkeypatch
):
    """Of random weights: they answer next to nothing right, which ends each sign with a record."""
    place = saved(tmp_path / "model", model(family), [tokenizer(WORDS, begin=True)])
    settings = SETTINGS | {"preset": preset, "model": str(place)}
    assert "0.00·10⁹ parameters" in reckoned(settings)[0]
    monkeypatch.setitem(language.LANGUAGE, preset, replace(language.LANGUAGE[preset], operands=8))
    name = run_unit(sign_unit, ("sign", "+", "0"), settings, tmp_path)
    accuracy, rest = read_evidence(tmp_path / "units" / f"{name}.json")
    assert accuracy.claim == f"heuristics.{preset}.add.accuracy" and accuracy.n == 64
    assert rest.score is None and "20 are needed" in rest.note

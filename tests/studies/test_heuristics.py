"""The study of arithmetic, unit by unit, on a network that is trained in seconds."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from symscope.evidence import Evidence, SymscopeError, read_evidence, read_json
from symscope.jobs import join, run_unit
from symscope.localize.heuristics import added_to
from symscope.models.load import save_network
from symscope.network import Network
from symscope.report.atlas_view import checked_atlas
from symscope.studies.heuristics.__main__ import WORK
from symscope.studies.heuristics.grids import grids, pairs_of
from symscope.studies.heuristics.modular import modular_grid
from symscope.studies.heuristics.patterns import maps_of
from symscope.studies.heuristics.published import PUBLISHED
from symscope.studies.heuristics.settings import PRESETS, SMALL, Asked, Trained
from symscope.studies.heuristics.units import answered
from symscope.task import IGNORE
from symscope.tasks.arithmetic import SIGNS, Arithmetic
from symscope.tasks.long_addition import LongAddition

NAME = "heuristics.minute.plus"
ASKED = replace(Asked(), top=8, pairs=20, prompts=40, counts=(2,), draws=2, terms=(1, 2), nulls=10,
                probe_epochs=1)  # fmt: skip
PLUS = Trained(Arithmetic("+", operands=12, numbers=24), 60, 1, batch=144, width=32)
NEVER = replace(PLUS, steps=1)
BOTH = replace(PLUS, task=Arithmetic("+/", operands=12, numbers=24))
KINDS = {"plus": PLUS, "never": NEVER, "both": BOTH}
UNITS = ("network", "circuit", "neurons", "families", "development", "speed", "view")


@pytest.fixture(scope="module")
def minute():
    """The preset is known to all units."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "minute", (KINDS, ASKED))
        yield {"preset": "minute"}


def done(folder: Path, settings: dict, kind: str, units=UNITS) -> dict[str, list[Evidence]]:
    """What each unit leaves, by its name."""
    return {
        unit: read_evidence(
            folder / "units" / f"{run_unit(WORK[unit], (unit, kind, '0'), settings, folder)}.json"
        )
        for unit in units
    }


@pytest.fixture(scope="module")
def plus(minute, tmp_path_factory) -> tuple[Path, dict[str, list[Evidence]]]:
    folder = tmp_path_factory.mktemp("heuristics") / "minute"
    return folder, done(folder, minute, "plus")


def claims(records: list[Evidence], name: str) -> list[str]:
    return [r.claim.removeprefix(f"{name}.add.").removeprefix(f"{name}.") for r in records]


def test_every_unit_makes_its_claims(plus):
    _, found = plus
    named = {unit: claims(records, NAME) for unit, records in found.items()}
    assert named["network"] == ["training", "accuracy"]
    assert {"place.first", "place.second", "place.all", "circuit.faithfulness",
            "edges.faithfulness", "probe.unseen_pairs", "probe.unseen_answers"} <= set(
        named["circuit"]
    )  # fmt: skip
    assert {"ranking.attribution", "ranking.direct", "kept.1", "kept.100", "labelled.published",
            "labelled.fdr", "precision.published", "knockout.published.2", "knockout.fdr.2",
            "knockout.mean.2", "published.alone", "fdr.alone", "failures.matching",
            "failures.contribution"} <= set(named["neurons"])  # fmt: skip
    assert set(named["families"]) == {
        f"{what}.{family}.{n}" for what in ("rebuilt", "removed") for n in (1, 2)
        for family in ("patterns", "waves", "tables", "random")
    } | {"rebuilt.waves_less_patterns", "removed.waves_less_patterns"}  # fmt: skip
    assert named["development"] == ["development.overlap"]
    assert named["speed"] == ["speed.maps"] and named["view"] == []


def test_every_score_has_its_interval_and_something_beside_it(plus):
    records = [r for records in plus[1].values() for r in records]
    assert len({r.claim for r in records}) == len(records)
    for record in records:
        assert record.claim.startswith(NAME) and record.seeds == [0], record.claim
        if record.score is None:
            assert record.note, record.claim
        else:
            assert record.low <= record.score <= record.high, record
            assert record.controls or record.claim.endswith("minimality"), record.claim


def test_the_network_learns_and_its_course_is_kept(plus):
    accuracy = next(r for r in plus[1]["network"] if r.claim.endswith("accuracy"))
    course = accuracy.config["course"]
    assert course["steps"] == PLUS.checkpoints and len(course["held_out"]) == len(course["steps"])
    assert course["trained_on"][-1] == accuracy.config["trained_on"] > 0.3
    assert course["held_out"][-1] == accuracy.score
    (overlap,) = plus[1]["development"]
    assert overlap.config["course"]["step"] == PLUS.checkpoints[::2]
    assert overlap.config["course"]["overlap"][-1] == 1.0  # the last checkpoint is the end


def test_with_no_neuron_silent_right_prompts_stay_right_and_controls_are_named(plus):
    named = {r.claim.removeprefix(f"{NAME}.add."): r for r in plus[1]["neurons"]}
    knockout = named["knockout.published.2"]
    assert set(knockout.controls) == {"nothing silenced", "random", "any", "most active",
                                      "as active"}  # fmt: skip
    assert 0 < knockout.config["silenced"] <= 4  # two of each of two layers
    assert {"as smooth", "operands shuffled", "noise", "linear", "rectified", "untrained",
            "neurons with least effect", "random neurons"} == set(
        named["labelled.published"].controls
    )  # fmt: skip
    families = {r.claim.removeprefix(f"{NAME}.add."): r for r in plus[1]["families"]}
    assert families["rebuilt.tables.2"].controls["the network"] == next(
        r.score for r in plus[1]["network"] if r.claim.endswith("accuracy")
    )


def test_units_join_into_one_file_with_what_was_published(plus, minute):
    folder, _ = plus
    named = {f"{NAME}.add.accuracy": PUBLISHED["heuristics.small.plus.add.accuracy"]}
    records = join(folder, {**PUBLISHED, **named}, "the command")
    assert read_evidence(folder.with_suffix(".json")) == records
    accuracy = next(r for r in records if r.claim == f"{NAME}.add.accuracy")
    assert accuracy.source["value"] == 0.97 and accuracy.config["command"] == "the command"


def test_published_values_are_of_claims_that_the_units_make(plus):
    made = {c for records in plus[1].values() for c in claims(records, NAME)}
    of_small = {claim.removeprefix("heuristics.small.plus.add.") for claim in PUBLISHED
                if claim.startswith("heuristics.small.plus.add.")}  # fmt: skip
    asked_here = {c for c in of_small if not c.startswith("knockout") and c != "by_type"}
    assert asked_here <= made and {"knockout.published.10", "by_type"} <= of_small


def test_the_view_is_one_that_the_atlas_takes(plus):
    view = checked_atlas(read_json(plus[0] / "views" / "plus.json"))
    assert view["signs"] == ["+"] and view["operands"] == view["cells"] == 12
    assert len(view["neurons"]) == 2 * 8
    assert [n["rank"] for n in view["neurons"]] == [*range(1, 9)] * 2
    assert view["circuit"]["nodes"] and len(view["places"]["rows"]) == 10


def test_a_network_that_is_never_right_says_so(minute, tmp_path):
    module = NEVER.network(0)
    with torch.no_grad():
        module.readout.bias[-1] = 30.0  # always "="
    folder = tmp_path / "minute"
    found = done(folder, minute, "never", ["network"])
    save_network(folder / "networks" / "never-0.safetensors", module, NEVER.shaped())
    found |= done(folder, minute, "never", UNITS[1:6])
    (said,) = found["neurons"]
    assert said.score is None and "0 of 144 prompts are answered right, and 20" in said.note
    for records in found.values():
        assert records and all(r.score is not None or r.note for r in records)


def test_of_several_signs_each_has_its_claims_and_the_view_its_maps(minute, tmp_path):
    folder = tmp_path / "minute"
    found = done(folder, minute, "both", ["network", "neurons", "speed", "view"])
    name = "heuristics.minute.both"
    assert {f"{name}.{sign}.accuracy" for sign in ("add", "divide")} <= {
        r.claim for r in found["network"]
    }
    assert f"{name}.shared.add_divide" in {r.claim for r in found["speed"]}
    assert checked_atlas(read_json(folder / "views" / "both.json"))["signs"] == ["+", "//"]


def test_a_question_that_cannot_be_asked_is_evidence_and_others_go_on():
    one = Evidence("a", 1.0, 1.0, 1.0, 1)

    def refuse() -> list[Evidence]:
        raise SymscopeError("no answer")

    def asked():
        yield lambda: [one]
        yield refuse
        yield lambda: [one]
        raise SymscopeError("no further question")

    found = answered(asked(), "x", 3)
    assert [r.note for r in found] == ["", "no answer", "", "no further question"]
    assert [r.claim for r in found] == ["a", "x.question_1", "a", "x.question_3"]
    assert all(r.seeds == [3] for r in found if r.score is None)


@pytest.mark.parametrize("units_first", [True, False])
def test_a_grid_of_digits_asks_for_one_digit_after_those_before_it(units_first):
    task = LongAddition(2, units_first)
    found = grids(task)
    assert [g.name for g in found] == ["digit_1", "digit_2"]
    for place, grid in enumerate(found, 1):
        assert len(grid) == 10_000
        assert torch.equal(grid.answer, grid.first + grid.second)
        assert torch.equal(grid.token, grid.answer // 10 ** (place - 1) % 10)
        whole = task.written(grid.first, grid.second)
        assert torch.equal(whole[:, : grid.prompts.shape[1]], grid.prompts)
        assert torch.equal(grid.held_out, task.held_out(grid.first, grid.second))


@pytest.mark.parametrize("sign", SIGNS)
def test_a_grid_of_a_sign_has_every_prompt_and_says_which_were_not_trained_on(sign):
    task = Arithmetic("+-*/", operands=12, numbers=24)
    grid = next(g for g in grids(task) if g.sign == sign)
    assert torch.equal(grid.prompts, task.prompts(sign=sign))
    unseen = {tuple(p) for p in task.prompts("test", sign).tolist()}
    assert {tuple(p) for p in grid[grid.held_out].prompts.tolist()} == unseen
    assert torch.equal(grid.token, task.answers(grid.prompts))


def test_the_modular_grid_has_every_pair_and_leaves_one_in_five_out():
    grid = modular_grid()
    assert len(grid) == 59**2 == len({tuple(p) for p in grid.prompts.tolist()})
    assert torch.equal(grid.token, (grid.first + grid.second) % 59)
    assert 0.17 < float(grid.held_out.float().mean()) < 0.23


def test_pairs_of_a_grid_have_other_answers_and_ask_for_the_source_s():
    grid = grids(PLUS.task)[0]
    pairs = pairs_of(grid, 50, 0)
    assert len(pairs) == 50
    assert not bool((pairs.labels["answer.base"] == pairs.labels["answer.source"]).any())
    for rows, name in ((pairs.base, "answer.base"), (pairs.source, "answer.source")):
        assert torch.equal(PLUS.task.answers(rows), pairs.labels[name])
    assert torch.equal(pairs.target[:, -1], pairs.labels["answer.source"])
    assert bool((pairs.target[:, :-1] == IGNORE).all())
    assert torch.equal(pairs_of(grid, 50, 0).base, pairs.base)
    with pytest.raises(SymscopeError, match="all prompts have the same answer"):
        pairs_of(grid[grid.token == 3], 5, 0)


def test_maps_of_the_answer_are_maps_times_what_each_neuron_adds_to_it():
    network = Network(SMALL["plus"].network(0))
    (whole,) = grids(SMALL["plus"].task)
    grid = whole[whole.some(300, 0)]
    some = torch.tensor([7, 3, 500])
    maps, answers = maps_of(network, grid, {1: some})[1]
    added = added_to(network, 1, grid.token)[some]  # every prompt's own column
    torch.testing.assert_close(answers, maps * added)

"""What the page says about a claim: its verdict, its sentence, its controls."""

from dataclasses import replace

import pytest

from symscope.align.accept import floors_of
from symscope.evidence import Evidence, SymscopeError
from symscope.report.claims import checked, claim_parts, main_claim
from symscope.report.controls import IIA_CONTROLS, control, controls_of
from symscope.report.sentence import basis, sentence


def scored(low: float, score: float, controls: dict, unit: str = "IIA") -> Evidence:
    claim = "numbers.multi.gru.up_down.count.iia"
    return Evidence(claim, score, low, score + 0.01, 1000, unit, controls, [0])


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


def test_the_highest_floor_is_named_in_words(config):
    shown = claim_parts(scored(0.95, 0.96, {"no_op": 0.1, "machine_full_swap": 0.75}), config)
    assert (shown["floor"].floor, shown["floor"].name) == (0.75, "Flawless machine, all swapped")


def test_a_control_without_a_description_is_a_floor_if_it_can_be_a_share():
    assert control("wrong_program", 0.9).kind == "floor"
    assert control("new_distance", 12.0).kind == "apart"


def test_every_control_is_shown_once(evidence):
    for record in evidence:
        parts = controls_of(record, "floor", "rival", "ceiling", "apart")
        assert sorted(parts) == sorted(record.controls)


def test_the_page_calls_a_floor_what_the_rule_takes_for_one():
    for name, known in IIA_CONTROLS.items():
        assert (known.kind == "floor") == (name in floors_of(scored(0.5, 0.5, {name: 0.5}))), name


def test_every_control_is_explained():
    for known in IIA_CONTROLS.values():
        assert known.label and known.meaning.endswith(".") and known.expected.endswith(".")


def test_the_sentence_of_a_finding(evidence, config):
    assert plain(sentence(evidence[1], config)) == (
        "This GRU keeps its Count in 24 of the 48 dimensions of rnn.state: swapping them makes it"
        " do what Up-Down says in 98.9 % of 1,000 fresh pairs (a random subspace of the same size:"
        " 11.0 %; highest floor: 54.0 %)."
    )


def test_the_sentence_says_what_is_no_finding(evidence, config):
    said = [plain(sentence(e, config)) for e in evidence]
    assert said[2].startswith("This GRU keeps part of what Up-Up calls Demo")
    assert "less than half of the way to 100 %" in said[2]
    assert said[3].startswith("No sign that this GRU keeps what Up-Up calls Resp")
    assert "not clearly above its floor (no swap: 35.7 %)" in said[3]
    assert said[4].startswith("This GRU relies on its state, so it does not run Ctx-Distr.")
    assert said[6] == "Phase of Up-Down was not analysed: below the gate."


def test_a_score_never_stands_without_n_and_interval(evidence):
    assert plain(basis(evidence[1])) == (
        "95 % interval 98.0–99.4 %; n = 1,000; seed 0; Wilson interval, one seed"
    )


def test_held_out_values_are_scored_apart(evidence, config):
    held_out, seen = claim_parts(evidence[1], config)["held_out"]
    assert held_out[0] == "values never seen in training"
    assert plain(held_out[1]).startswith("90.0 % of 200 pairs (95 %: ")
    assert plain(seen[1]).startswith("100.0 % of 809 pairs")


def test_the_page_begins_with_the_first_claim_of_the_runs_program(evidence):
    claims = evidence[1:]
    assert main_claim(claims, {"program": "up_up"}) == 1
    assert main_claim(claims[5:], {"program": "up_down"}) == 0
    assert main_claim(claims, {}) == 0


@pytest.mark.parametrize("broken", [{"score": float("nan")}, {"controls": {"no_op": "high"}},
                                    {"config": None}])  # fmt: skip
def test_what_is_no_number_is_refused_by_name(evidence, broken):
    with pytest.raises(SymscopeError, match=r"up_down\.count"):
        checked(replace(evidence[1], **broken))

"""Seeds joined to one record, and Markdown tables made of records."""

import pytest

from symscope.causal_model import UnknownName
from symscope.evidence import Evidence, bootstrap, write_evidence
from symscope.report.pool import pool
from symscope.report.tables import filled, published, score, share

CLAIM = "numbers.multi.gru.up_down.count.iia"


def record(right: int, seed: int, **more) -> Evidence:
    config = {"phase": {"0:0": [right, 100]}, "seen": [right, 100], "size": 10}
    made = {"made": {"commit": f"c{seed}", "torch": "2"}}
    return Evidence(CLAIM, right / 100, 0.0, 1.0, 100, controls={"no_op": seed / 10}, seeds=[seed],
                    seconds=5.0, config=config | made, **more)  # fmt: skip


def test_seeds_are_averaged_and_their_cells_and_seconds_add_up():
    (joined,) = pool([record(90, 0), record(70, 1)], {CLAIM: {"figure": "Fig. 2", "value": 0.9}})
    assert joined.score == pytest.approx(0.8)
    assert (joined.n, joined.seeds, joined.seconds) == (200, [0, 1], 10.0)
    assert joined.controls == {"no_op": pytest.approx(0.05)}
    assert joined.config["phase"] == {"0:0": [160, 200]} and joined.config["seen"] == [160, 200]
    assert joined.config["by_seed"] == [0.9, 0.7] and joined.config["size"] == 10
    assert joined.config["made"] == {"commit": ["c0", "c1"], "torch": ["2"]}
    assert joined.source["value"] == 0.9
    ones = [[1.0] * 90 + [0.0] * 10, [1.0] * 70 + [0.0] * 30]
    assert (joined.low, joined.high) == bootstrap(ones)
    assert joined.low < 0.7 + 0.02 and joined.high > 0.9 - 0.02  # seeds differ: a wide interval


def test_tables_of_numbers_are_averaged_where_all_have_the_same_entries():
    def swept(value: float, seed: int) -> Evidence:
        config = {"sweep": {"neurons": [value, 1.0]}, "by_kind": {str(seed): 1}}
        return Evidence("labelled", 0.5, 0.4, 0.6, 10, seeds=[seed], config=config)

    (joined,) = pool([swept(0.2, 0), swept(0.6, 1)])
    assert joined.config["sweep"] == {"neurons": [pytest.approx(0.4), 1.0]}
    assert "by_kind" not in joined.config


def test_scores_that_are_no_shares_have_intervals_over_seeds():
    def ranks(score: float, seed: int) -> Evidence:
        return Evidence("estimate", score, score - 0.1, score + 0.2, 64, "rank correlation",
                        seeds=[seed], note="pairs drawn again")  # fmt: skip

    (alone,) = pool([ranks(-0.5, 0)])
    assert (alone.low, alone.high, alone.note) == (-0.6, -0.3, "pairs drawn again")
    (joined,) = pool([ranks(-0.5, 0), ranks(1.2, 1), ranks(0.5, 2)])
    assert joined.score == pytest.approx(0.4) and joined.note == "interval over seeds"
    assert (joined.low, joined.high) == (-0.5, 1.2)


def test_a_seed_that_was_not_analysed_is_named_and_does_not_count():
    failed = Evidence(CLAIM, None, None, None, 0, seeds=[3], note="accuracy 0.4")
    (joined,) = pool([record(90, 0), failed])
    assert joined.score == pytest.approx(0.9) and joined.seeds == [0]
    assert "seed 3 not analysed (accuracy 0.4)" in joined.note and "one seed" in joined.note


def test_when_all_seeds_fail_there_is_no_mean_and_every_accuracy_is_listed():
    failed = [
        Evidence(CLAIM, a, 0.0, 1.0, 300, seeds=[s], note="below the gate: not analysed")
        for s, a in enumerate((0.2, 0.45))
    ]
    (joined,) = pool(failed)
    assert joined.score is None and joined.n == 0
    assert "seed 0 not analysed (accuracy 0.200)" in joined.note
    assert "seed 1 not analysed (accuracy 0.450)" in joined.note


def test_a_page_is_filled_at_its_marks_and_nowhere_else(tmp_path):
    write_evidence(tmp_path / "found.json", [record(90, 0)])
    page = "before\n<!-- table one found.json -->\nold\n<!-- end -->\nafter <!-- end -->\n"
    makers = {"one": lambda records: score(records[CLAIM])}
    made = filled(page, tmp_path, makers)
    assert made == page.replace("old", "**0.900** (0.000–1.000) *at its floor*")
    assert filled(made, tmp_path, makers) == made
    with pytest.raises(UnknownName, match="one"):
        filled(page.replace("table one", "table two"), tmp_path, makers)


def test_what_is_missing_leaves_an_empty_cell():
    assert (score(None), published(None), share(None), share([0, 0])) == ("", "", "", "")
    assert published(record(1, 0, source={"value": (0.5, 0.25)})) == "0.500; 0.250"
    assert score(Evidence(CLAIM, None, None, None, 0)) == "not analysed"


def test_a_record_without_score_and_seed_is_said_to_be_one():
    (found,) = pool([Evidence("a.b", None, None, None, 0, note="too few points")])
    assert found.score is None and "one record not analysed (too few points)" in found.note

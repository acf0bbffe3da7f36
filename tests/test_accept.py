"""The rule that decides what a claim is called."""

from dataclasses import replace

from symscope.align.accept import BAR, error_rates, verdict
from symscope.evidence import Evidence


def scored(low: float, controls: dict, unit: str = "IIA", **config) -> Evidence:
    claim = "numbers.multi.gru.up_down.count.iia"
    return Evidence(claim, low + 0.01, low, low + 0.02, 1000, unit, controls, [0], config=config)


def test_a_low_end_at_the_highest_floor_is_no_finding():
    assert verdict(scored(0.5, {"no_op": 0.5})).word == "at its floor"
    assert verdict(scored(0.501, {"no_op": 0.5})).word == "partial"


def test_a_finding_reaches_the_bar():
    assert verdict(scored(BAR - 0.001, {"no_op": 0.1})).word == "partial"
    assert verdict(scored(BAR, {"no_op": 0.1, "pca": 0.95})).word == "found"
    assert verdict(scored(BAR, {"no_op": 0.1, "accuracy": 1.0})).word == "found"


def test_a_finding_is_at_least_half_of_the_way_from_the_floor_to_one():
    assert verdict(scored(0.93, {"no_op": 0.87})).word == "partial"
    assert verdict(scored(0.94, {"no_op": 0.87})).word == "found"


def test_the_rule_knows_how_often_it_is_wrong():
    measured = error_rates()
    assert {"das", "das_once", "linear"} <= set(measured)
    for rates in measured.values():
        for accepted, count in (rates.true, rates.false, rates.untrained or (0, 1)):
            assert 0 <= accepted <= count > 0
    assert measured["das"].untrained is not None and measured["das"].families >= 12


def test_the_highest_floor_is_named():
    found = verdict(scored(0.95, {"no_op": 0.1, "machine_full_swap": 0.75, "pca": 0.9}))
    assert (found.floor, found.name) == (0.75, "machine_full_swap")


def test_a_score_without_floors_or_without_an_interval_is_no_finding():
    assert verdict(scored(0.95, {"pca": 0.1, "probe_accuracy": 0.9})).word == "no control"
    assert verdict(replace(scored(0.95, {"no_op": 0.1}), low=None)).word == "no control"
    assert verdict(replace(scored(0.95, {"no_op": 0.1}), score=None)).word == "not analysed"


def test_swapping_everything_is_a_floor_unless_that_alone_reaches_the_bar():
    assert verdict(scored(0.93, {"no_op": 0.1, "full_swap": 0.89})).word == "partial"
    assert verdict(scored(0.93, {"no_op": 0.1, "full_swap": 1.0})).word == "found"


def test_a_claim_about_the_whole_site_is_no_finding():
    controls = {"no_op": 0.1, "full_swap": 1.0}
    assert verdict(scored(0.95, controls, size=8, width=8)).word == "partial"
    assert verdict(scored(0.95, controls, size=4, width=8)).word == "found"


def test_a_search_that_finds_as_much_where_there_is_nothing_takes_the_claim_away():
    assert verdict(scored(0.95, {"no_op": 0.1, "permuted_sources": 0.97})).word == "at its floor"
    assert verdict(scored(0.95, {"no_op": 0.1, "untrained_network": 0.93})).word == "partial"


def test_unchanged_is_compared_with_a_machine_that_has_a_state_and_not_with_no_swap():
    controls = {"no_op": 1.0, "machine_no_op": 1.0, "machine_full_swap": 0.087}
    assert verdict(scored(0.96, controls, "unchanged")).word == "found"
    assert verdict(scored(0.07, controls, "unchanged")).word == "at its floor"


def test_an_unknown_control_counts_as_a_floor_unless_it_is_no_share():
    assert verdict(scored(0.9, {"no_op": 0.1, "wrong_program": 0.95})).word == "at its floor"
    assert verdict(scored(0.9, {"no_op": 0.1, "new_distance": 12.0})).word == "found"

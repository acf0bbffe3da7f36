"""Figures as data: what is drawn, in which order, with which intervals."""

import json
from dataclasses import replace

import plotly.graph_objects as go
import pytest

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.report.figures import (
    controls_figure,
    coordinate_figure,
    correlations,
    plane_figure,
    training_figure,
)
from symscope.report.heat import (
    cells_of,
    distance_figure,
    group_step,
    heat_map,
    phases_figure,
    values_figure,
)


def split(**config) -> Evidence:
    return Evidence("numbers.multi.gru.up_down.count.iia", 0.5, 0.4, 0.6, 100, config=config)


def test_plotly_takes_every_figure(evidence, coordinates):
    figures = [coordinate_figure(coordinates), plane_figure(coordinates)]
    figures += [training_figure(evidence[0]), controls_figure(evidence[1])]
    figures += [make(evidence[1]) for make in (values_figure, distance_figure, phases_figure)]
    names = ["accent", "rival", "floor", "muted", "heat-low", "heat-middle", "heat-high"]
    for figure in figures:
        text = json.dumps(figure, allow_nan=False)
        for name in names:
            text = text.replace(f"var(--{name})", "#123456")
        assert "var(" not in text
        go.Figure(json.loads(text))


def test_the_claim_stands_above_its_controls_with_their_intervals(evidence):
    figure = controls_figure(evidence[1])
    trace, n = figure["data"][0], evidence[1].n
    assert trace["x"][-1] == evidence[1].score
    assert sorted(trace["x"][:-1]) == [0.08, 0.11, 0.54, 0.58]
    low = trace["x"][0] - trace["error_x"]["arrayminus"][0]
    assert low == pytest.approx(wilson(round(trace["x"][0] * n), n)[0])
    assert figure["layout"]["shapes"][0]["x0"] == 0.54


def test_names_from_data_are_escaped_in_labels(evidence):
    figure = controls_figure(evidence[5])
    assert "<script" not in json.dumps(figure)
    assert any("&lt;script&gt;" in label for label in figure["layout"]["yaxis"]["ticktext"])
    for make in (values_figure, distance_figure):
        assert "<script" not in json.dumps(make(evidence[5]))
    assert "<b" not in json.dumps(heat_map(["<b>"], ["<b>"], [[1.0]], [["<b>"]], ("<b>", "<b>")))


def test_a_claim_that_was_not_analysed_has_no_figures(evidence):
    makes = (controls_figure, values_figure, distance_figure, phases_figure)
    assert [make(evidence[6]) for make in makes] == [None] * 4


def test_source_goes_up_and_base_across():
    figure = values_figure(split(value={"0:1": [10, 10], "1:0": [0, 10], "1:1": [5, 10]}))
    assert figure["data"][0]["z"] == [[None, 1.0], [0.0, 0.5]]
    assert "source 1, base 0: 0.0" in figure["data"][0]["text"][1][0]
    assert figure["layout"]["xaxis"]["title"]["text"] == "Count in the base"


def test_values_are_grouped_until_cells_hold_enough_pairs():
    cells = {(s, b): (1, 2) for s in range(10) for b in range(10)}
    assert group_step(cells) == 2
    figure = values_figure(split(value={f"{s}:{b}": list(c) for (s, b), c in cells.items()}))
    assert figure["layout"]["xaxis"]["ticktext"] == ["0–1", "2–3", "4–5", "6–7", "8–9"]
    assert figure["data"][0]["z"][0][0] == 0.5
    assert group_step(dict.fromkeys(cells, (4, 8))) == 1


def test_the_last_group_ends_at_the_largest_value():
    cells = {f"{s}:{b}": [1, 2] for s in range(11) for b in range(11)}
    assert values_figure(split(value=cells))["layout"]["xaxis"]["ticktext"][-1] == "9–10"


def test_a_cell_with_too_few_pairs_is_blank_but_says_what_there_is():
    figure = phases_figure(split(phase={"0:0": [2, 2], "1:1": [3, 3]}))
    assert figure["data"][0]["z"] == [[None, None], [None, 1.0]]
    assert "100.0\u00a0% of 2 pairs" in figure["data"][0]["text"][0][0]


def test_distance_is_drawn_as_points_with_intervals_and_as_a_heat_map():
    points, strip = distance_figure(split(difference={"5": [1, 4], "0": [4, 4]}))["data"]
    assert (points["x"], points["y"], strip["z"]) == ([0, 5], [1.0, 0.25], [[1.0, 0.25]])
    assert points["y"][1] - points["error_y"]["arrayminus"][1] == pytest.approx(wilson(1, 4)[0])


@pytest.mark.parametrize("cells", [[1], {"0:0": 3}, {"0:0": [5, 4]}, {"zero": [1, 2]}])
def test_a_split_that_is_none_is_refused_by_name(cells):
    with pytest.raises(SymscopeError, match=r"count\.iia: config\['value'\]"):
        cells_of(split(value=cells), "value")


def test_training_shows_loss_and_accuracy_where_measured(evidence):
    right, loss = training_figure(evidence[0])["data"]
    assert (right["x"], right["y"]) == ([10], [1.0])
    assert len(loss["x"]) == 10
    with pytest.raises(SymscopeError, match="history"):
        training_figure(replace(evidence[0], config={"history": [{"loss": 1}]}))


def test_phases_stand_beside_each_other_and_hover_tells_the_true_count(coordinates):
    demo, response = coordinate_figure(coordinates)["data"]
    assert demo["x"][0] < demo["customdata"][0] == 0 < response["x"][0]
    assert len(demo["x"]) + len(response["x"]) == len(coordinates["count"])


def test_correlation_is_told_for_each_phase(coordinates):
    assert [(name, n) for name, _, n in correlations(coordinates)] == [
        ("demo phase", 16),
        ("response phase", 16),
    ]
    assert all(r == pytest.approx(1) for _, r, _ in correlations(coordinates))
    assert correlations(coordinates | {"coordinate": [1.0] * 32}) == []


@pytest.mark.parametrize("broken", [{"count": [1]}, {"second": [float("nan")] * 32}])
def test_coordinates_that_do_not_fit_are_refused(coordinates, broken):
    with pytest.raises(SymscopeError, match=r"coordinates\.json"):
        coordinate_figure(coordinates | broken)

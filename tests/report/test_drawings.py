"""The drawings of programs and networks: as many parts as the machine has, and XML throughout."""

from xml.etree import ElementTree

import numpy as np
import pytest
import torch
from torch import nn

from symscope.extract import Machine, machine_of
from symscope.extract.automaton import automaton
from symscope.extract.pipeline.simplify import simplify
from symscope.models.real_rnn import from_published
from symscope.program import Program, Variable
from symscope.report.automaton_picture import automaton_picture
from symscope.report.circle import around
from symscope.report.drawing import drawing, measured, standalone, text
from symscope.report.latent import latent
from symscope.report.latent_picture import latent_picture
from symscope.report.plot_box import BOX, inside
from symscope.report.state_graph import StateGraph, beside, merged, network_graph, program_graph
from symscope.report.weights_picture import weights_picture
from symscope.tasks import algorithm

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = "<script>alert('x')</script> & \x00"
BIT = (Variable("x", 0, 1),)


def mod(m: int, symbols: int = 2) -> Program:
    """The running sum of the inputs mod m."""
    return Program("mod", (Variable("x", 0, symbols - 1),), (Variable("q", 0, m - 1),),
                   {"q": f"(q + x) % {m}"}, "q", start={"q": 0})  # fmt: skip


def of_class(svg: str, kind: str) -> list[ElementTree.Element]:
    return [e for e in ElementTree.fromstring(svg).iter() if kind in e.get("class", "").split()]


def summing(width: int = 1) -> nn.Module:
    """A network whose state is the sum of its inputs, 0.5 of it in each number."""
    eye = torch.eye(width)
    return from_published(
        {"f.0.weight": torch.cat([eye, torch.full((width, 1), 0.5)], 1),
         "f.0.bias": torch.zeros(width), "g.0.weight": torch.full((1, width), 2 / width),
         "g.0.bias": torch.zeros(1)}, "by hand",
    )  # fmt: skip


def flipping() -> Machine:
    """A network of two noisy numbers that says whether it has seen an odd number of ones."""

    def step(h, x):
        odd = (h[:, 0] > 0.5).double() != x[:, 0].double()
        return torch.stack([odd.double(), 0.01 * x[:, 0].double()], 1)

    def read(h):
        return h[:, :1].round().long()

    def answers(x):
        h, out = torch.zeros(len(x), 2).double(), []
        for symbols in x.unbind(1):
            h = step(h, symbols)
            out.append(read(h))
        return torch.stack(out, 1)

    return Machine(BIT, 10, answers, torch.zeros(2).double(), step, read)


@pytest.mark.parametrize("program", [mod(2), mod(6), mod(14), mod(5, 5), mod(24, 3),
                                     algorithm("base_5_addition").program])  # fmt: skip
def test_every_state_and_every_edge_of_a_machine_is_drawn_once(program):
    graph = program_graph(program)
    svg = automaton_picture(graph)
    assert len(of_class(svg, "state")) == len(graph.names)
    pairs = {(s, t) for s, row in enumerate(graph.following) for t in row}
    assert len(of_class(svg, "edge")) == len(pairs)
    assert len(of_class(svg, "start")) == 1


def test_a_machine_of_more_than_twenty_four_states_is_not_drawn():
    assert program_graph(mod(25)) is None
    assert len(program_graph(mod(24)).names) == 24
    assert program_graph(algorithm("sum_all").program) is None


def test_only_what_is_remembered_makes_a_state():
    late = Program("late", BIT, (Variable("y", 0, 1), Variable("q", 0, 2)),
                   {"y": "q == 2", "q": "(q + x) % 3"}, "y", start={"y": 0, "q": 0})  # fmt: skip
    assert program_graph(late).names == ("0", "1", "2")


def test_edges_are_merged_by_output():
    graph = program_graph(mod(3, 7))
    assert graph.edges[0, 0] == "0,3,6 / 0"
    assert merged([(5,), (1,), (2,), (3,)]) == "1–3,5"
    assert merged([(0, 10)]) == "0 10"


def test_no_two_labels_of_a_machine_lie_on_each_other_or_on_a_state():
    for program in (mod(2), mod(6), mod(14), algorithm("div_7").program):
        svg = automaton_picture(program_graph(program))
        boxes = [tuple(float(e.get(k)) for k in ("x", "y", "width", "height"))
                 for e in of_class(svg, "under")]  # fmt: skip
        boxes += [
            (
                float(e.get("cx")) - float(e.get("r")),
                float(e.get("cy")) - float(e.get("r")),
                2 * float(e.get("r")),
                2 * float(e.get("r")),
            )
            for e in of_class(svg, "state")
        ]
        for i, (x, y, w, h) in enumerate(boxes):
            for a, b, c, d in boxes[:i]:
                apart = x + w <= a + 0.2 or a + c <= x + 0.2 or y + h <= b + 0.2 or b + d <= y + 0.2
                assert apart, program.name


def test_labels_without_a_place_are_written_below():
    dense = automaton_picture(program_graph(mod(9, 9)))
    assert not of_class(dense, "label") and "next / output" in dense
    wide = automaton_picture(program_graph(algorithm("base_5_addition").program))
    assert "a: 00 / 0" in wide and [e.text for e in of_class(wide, "label")].count("a") == 1


def test_states_that_follow_each_other_stand_beside_each_other():
    order = (0, 3, 1, 4, 2, 5)
    ring = list(zip(order, (*order[1:], 0), strict=True))
    place = around(6, ring)
    assert sorted(place) == list(range(6))
    assert {(place[a] - place[b]) % 6 for a, b in ring} <= {1, 5}


def test_the_automaton_of_the_network_is_named_and_ordered_as_the_programs():
    machine = flipping()
    found, _ = automaton(machine)
    own, same = beside(network_graph(found, machine), program_graph(mod(2)))
    assert same and own.names == ("0", "1") and own.edges == program_graph(mod(2)).edges


def test_an_automaton_that_answers_otherwise_is_not_called_the_same():
    machine = flipping()
    graph = network_graph(automaton(machine)[0], machine)
    assert not beside(graph, program_graph(mod(3)))[1]
    doubled = Program("doubled", BIT, (Variable("q", 0, 3),), {"q": "(q + x) % 4"}, "q % 2",
                      start={"q": 0})  # fmt: skip
    own, same = beside(graph, program_graph(doubled))
    assert not same and own.names == ("0|2", "1|3")


def test_hostile_names_are_text_in_every_drawing():
    graph = StateGraph((HOSTILE, "b"), ((0,),), ((1,), (0,)), ((HOSTILE,), ("1",)), HOSTILE)
    for svg in (automaton_picture(graph), standalone(drawing(10, HOSTILE, [text(0, 0, HOSTILE)]))):
        root = ElementTree.fromstring(svg)
        assert not [e for e in root.iter() if "script" in e.tag]
        assert "<script" not in svg
    assert "alert" in automaton_picture(graph)


def test_the_weights_are_drawn_before_and_after_every_stage_that_changed_them():
    network = summing()
    simplified = simplify(network, (Variable("x", 0, 3),), 4)
    svg = weights_picture(simplified)
    said = [e.text for e in ElementTree.fromstring(svg).iter(f"{SVG}text")]
    assert said[0] == "as trained"
    for step in simplified.steps:
        assert said.count(step.name) == 1
    shown = [e for e in of_class(svg, "cell") if e.find(f"{SVG}title") is not None]
    changed = sum(not np.allclose(s.before.entry, s.after.entry) or
                  not np.allclose(s.before.g[0].weight, s.after.g[0].weight)
                  for s in simplified.steps)  # fmt: skip
    assert changed and len(shown) == 4 * (1 + changed)  # W, V, b, U of one number each


def test_the_colour_of_a_weight_is_its_sign():
    network = summing()
    with torch.no_grad():
        network.rnn.f[0].weight.copy_(torch.tensor([[1.0, -0.5]]))
    svg = weights_picture(simplify(network, (Variable("x", 0, 3),), 4))
    first = [e for e in of_class(svg, "cell") if e.find(f"{SVG}title") is not None][:3]
    assert [e.get("class").split()[1] for e in first] == ["plus", "minus", "nought"]
    assert [e.find(f"{SVG}title").text for e in first] == ["1", "−0.5", "0"]


def total() -> Program:
    return Program("total", (Variable("x", 0, 3),), (Variable("sum", 0, 30),), {"sum": "sum + x"},
                   "sum", start={"sum": 0})  # fmt: skip


def test_the_affine_map_from_a_register_to_the_state_is_found():
    found = latent(machine_of(summing(), (Variable("x", 0, 3),), 10), total())
    assert found.affine.steps[0, 0] == pytest.approx(0.5)
    assert found.affine.explained == pytest.approx(1.0)
    svg = latent_picture(found, {}, ("sum",))
    assert len(of_class(svg, "axis")) == 1 and "one more of sum is 0.5" in svg


def test_a_register_that_is_not_in_the_state_is_not_drawn_as_a_direction():
    inputs = (Variable("x", 0, 40),)
    squared = Program("squared", inputs, (Variable("last", 0, 1600),), {"last": "x * x"}, "last",
                      start={"last": 0})  # fmt: skip
    found = latent(machine_of(summing(2), inputs, 10), squared)
    assert found.affine.explained < 0.5
    svg = latent_picture(found, {}, ("last",))
    assert not of_class(svg, "axis") and "none is drawn" in svg


def test_every_state_of_a_finite_program_has_a_ring_and_all_points_are_in_the_box():
    program = mod(2)
    found = latent(flipping(), program)
    svg = latent_picture(found, {(0.0,): 0, (1.0,): 1}, ("q",))
    assert len(of_class(svg, "centre")) == 2
    dots = [part.split() for e in of_class(svg, "dots") for part in e.get("d").split("M")[1:]]
    assert len(dots) == len(found.points)
    for x, y in dots:
        assert BOX[0] <= float(x) <= BOX[2] and BOX[1] <= float(y.split("h")[0]) <= BOX[3]


def test_a_line_is_cut_at_the_box():
    left, top, right, _ = BOX
    across = np.array([[left - 100, top + 5], [right + 100, top + 5]])
    first, last = inside(across)
    assert across[0, 0] + first * (across[1, 0] - across[0, 0]) == pytest.approx(left)
    assert across[0, 0] + last * (across[1, 0] - across[0, 0]) == pytest.approx(right)
    assert inside(np.array([[left, top - 5], [right, top - 5]])) is None


def test_a_drawing_stands_alone_with_its_colours():
    svg = standalone(automaton_picture(program_graph(mod(3))))
    assert "prefers-color-scheme: dark" in svg and "var(--card)" in svg
    assert ElementTree.fromstring(svg).tag == f"{SVG}svg"
    assert measured("wide words") > measured("wide")

"""Circuits: pruned to a target, scored on other pairs, beside random ones of the same size."""

import pytest
import torch

from attention_by_hand import induction, induction_inputs
from symscope.evidence import SymscopeError
from symscope.localize.attribution import towards_source
from symscope.localize.circuit import (
    connected,
    faithfulness,
    find_circuit,
    prune,
    random_circuit,
    values,
)
from symscope.localize.circuit_checks import completeness, minimality, nodes, without
from symscope.localize.eap import edges_against_patching
from symscope.localize.edges import edge_runs, edges
from symscope.models.transformer import Transformer
from symscope.network import Network

NETWORK = induction()
BASE, SOURCE = induction_inputs(120, 0)[0], induction_inputs(120, 1)[0]
ROWS = torch.arange(40)
TRUE = {("embed", "0.1.v"), ("0.1", "1.0.k"), ("embed", "1.0.q"), ("embed", "1.0.v"),
        ("1.0", "logits")}  # fmt: skip
"""0.1 brings each step the token before it, which 1.0 looks for; what it finds is the answer."""


def value(rows=ROWS):
    metric = towards_source(NETWORK, BASE, SOURCE)
    return values(NETWORK, BASE, SOURCE, metric, rows)


@pytest.mark.parametrize("steps", [0, 5])
def test_the_circuit_of_the_induction_network_is_the_one_it_was_built_with(steps):
    circuit, (faithful, complete, minimal) = find_circuit(
        NETWORK, BASE, SOURCE, "induction", target=0.95, steps=steps
    )
    assert circuit == TRUE
    assert faithful.score == pytest.approx(1, abs=0.01) and faithful.n == 60
    assert faithful.controls["random_circuits"] < 0.5 and faithful.config["edges"] == 5
    assert faithful.controls["complement"] == pytest.approx(0, abs=0.01)
    assert complete.score < 0.01 < complete.controls["random_circuit"]
    assert minimal.score == 1 and minimal.controls["random_circuit"] < 1
    assert set(minimal.config["moves"]) == {"0.1", "1.0"}


def test_the_edges_that_patching_finds_are_named_and_the_scores_rank_them_as_it_does():
    few = slice(40)
    found = edges_against_patching(NETWORK, BASE[few], SOURCE[few], "edges", steps=5)
    shares = found.config["shares"]
    values_and_logits = {("embed", "1.0.v"), ("1.0", "logits")}  # each alone changes the answer
    assert {" → ".join(edge) for edge in values_and_logits} <= set(list(shares)[:4])
    run = edge_runs(NETWORK, BASE[few], SOURCE[few])
    metric = towards_source(NETWORK, BASE[few], SOURCE[few])
    none, all_, one = (metric(run(e)).mean() for e in ([], edges(NETWORK), [("1.0", "logits")]))
    assert shares["1.0 → logits"] == pytest.approx(float((one - none) / (all_ - none)), abs=1e-4)
    assert found.score > found.controls["shuffled_95"] and found.n == 40
    assert found.config["places"] == len(edges(NETWORK)) and found.seconds > 0
    some = edges_against_patching(NETWORK, BASE[few], SOURCE[few], "edges", most=7)
    assert (some.config["places"], some.config["of"]) == (7, len(edges(NETWORK)))
    assert all(shares.get(e, s) == pytest.approx(s, abs=1e-6) for e, s in
               some.config["shares"].items())  # fmt: skip
    half = edges_against_patching(
        NETWORK, BASE[few], SOURCE[few], "edges", most=len(edges(NETWORK)) // 2
    )
    assert half.score > 0.8 > half.controls["shuffled_95"]


def test_the_whole_network_and_the_empty_circuit_are_the_ends_of_the_scale():
    everything = frozenset(edges(NETWORK))
    assert faithfulness(NETWORK, value(), everything, "all").score == pytest.approx(1)
    assert faithfulness(NETWORK, value(), frozenset(), "none").score == pytest.approx(0)


def test_edges_that_dangle_change_nothing():
    every = edges(NETWORK)
    run = edge_runs(NETWORK, BASE, SOURCE)
    for seed in range(5):
        kept = torch.rand(len(every), generator=torch.Generator().manual_seed(seed)) < 0.3
        some = {e for e, k in zip(every, kept.tolist(), strict=True) if k}
        fewer = connected(NETWORK, some)
        assert len(fewer) < len(some)
        both = (run(set(every) - c) for c in (some, fewer))
        torch.testing.assert_close(*both, atol=1e-4, rtol=0)


def test_without_an_edge_of_it_the_true_circuit_fails():
    for edge in TRUE:
        assert faithfulness(NETWORK, value(), connected(NETWORK, TRUE - {edge}), "less").score < 0.9


def test_a_chain_with_a_gap_is_no_circuit():
    assert connected(NETWORK, TRUE - {("1.0", "logits")}) == frozenset()
    assert connected(NETWORK, TRUE | {("mlp 0", "1.0.q"), ("embed", "1.1.v")}) == TRUE
    assert connected(NETWORK, [("0.0", "logits")]) == frozenset()


def test_pruning_finds_a_number_of_edges_that_reaches_the_target():
    for target in (0.5, 0.99):
        scores = torch.tensor([float(edge in TRUE) + 1e-3 * i for i, edge in
                               enumerate(edges(NETWORK))])  # fmt: skip
        circuit = prune(NETWORK, value(), scores, target)
        found = faithfulness(NETWORK, value(), circuit, "pruned").score
        assert abs(1 - found) <= 1 - target and circuit <= TRUE


def test_negative_scores_count_by_their_size():
    scores = torch.tensor([-float(edge in TRUE) for edge in edges(NETWORK)])
    assert prune(NETWORK, value(), scores, 0.99) == TRUE


def test_an_edge_that_dangles_is_no_part_of_a_pruned_circuit_however_high_it_scores():
    scores = torch.tensor([float(edge in TRUE) + 9 * (edge == ("embed", "mlp 0"))
                           for edge in edges(NETWORK)])  # fmt: skip
    assert prune(NETWORK, value(), scores, 0.99) == TRUE


def test_of_two_nodes_that_do_the_same_each_counts_once_the_other_is_out():
    circuit = frozenset({("embed", "0.0.v"), ("embed", "0.1.v"), ("0.0", "logits"),
                         ("0.1", "logits")})  # fmt: skip

    def either(some):
        return torch.full((5,), float(any(edge[1] == "logits" for edge in some)))

    found = minimality(either, circuit, circuit, frozenset(), "copies")
    assert found.config["moves"] == {"0.0": 1.0, "0.1": 1.0}


def test_a_random_circuit_is_connected_and_large_enough():
    for seed in range(4):
        circuit = random_circuit(NETWORK, 7, seed)
        assert len(circuit) >= 7 and connected(NETWORK, circuit) == circuit
    assert random_circuit(NETWORK, 7, 0) != random_circuit(NETWORK, 7, 1)


def test_a_circuit_that_misses_a_part_is_not_complete_and_one_with_idle_nodes_not_minimal():
    everything = frozenset(edges(NETWORK))
    missing = frozenset(TRUE - {("embed", "1.0.q")})
    padded = frozenset(TRUE | {("embed", "mlp 0"), ("mlp 0", "logits")})
    whole = completeness(value(), everything, frozenset(TRUE), missing, "complete")
    assert whole.score < 0.01 < whole.controls["random_circuit"]
    spare = minimality(value(), everything, padded, frozenset(TRUE), "minimal")
    assert spare.score == pytest.approx(2 / 3) and spare.controls["random_circuit"] == 1
    assert spare.config["moves"]["mlp 0"] < 0.01 < spare.config["moves"]["0.1"]


def test_a_knocked_out_node_hands_nothing_on():
    assert nodes(TRUE) == ["0.1", "1.0"]
    assert without(frozenset(TRUE), frozenset({"0.1"})) == TRUE - {("0.1", "1.0.k")}


def test_pairs_without_an_effect_are_refused():
    with pytest.raises(SymscopeError, match="the same on base and source"):
        find_circuit(NETWORK, BASE, BASE, "nothing")
    with pytest.raises(SymscopeError, match="one half of the pairs"):
        find_circuit(NETWORK, BASE[:1], SOURCE[:1], "one")


def test_a_circuit_without_nodes_is_as_complete_as_it_is_faithful_and_not_analysed_further():
    everything, direct = frozenset(edges(NETWORK)), frozenset({("embed", "logits")})
    found = completeness(value(), everything, direct, frozenset(TRUE), "direct")
    faithful = faithfulness(NETWORK, value(), direct, "direct").score
    assert found.score == pytest.approx(abs(1 - faithful)) and found.config["knocked_out"][0] == []
    assert minimality(value(), everything, direct, frozenset(TRUE), "direct").score is None
    assert minimality(value(), everything, frozenset(TRUE), direct, "true").controls == {
        "random_circuit": 0
    }


def test_the_pairs_that_score_have_no_say_in_the_choice():
    torch.manual_seed(1)
    network = Network(Transformer(9, 16, 2, 2))
    base, source, other = torch.randint(9, (3, 40, 6)).unbind()
    scored = torch.randperm(40, generator=torch.Generator().manual_seed(0)).chunk(2)[1]
    changed = source.clone()
    changed[scored] = other[scored]
    (one, (first, *_)), (two, (second, *_)) = (
        find_circuit(network, base, x, "halves", steps=0) for x in (source, changed)
    )
    assert one == two and len(one) < len(edges(network))
    assert first.score != second.score

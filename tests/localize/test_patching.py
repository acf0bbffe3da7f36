"""Patching: the fast way equals the literal one, and the literal one finds what is planted."""

import warnings

import pytest
import torch
from torch import nn

from laws import Stacked
from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.localize import patch_fast, patching
from symscope.localize.patching import literal_patched, patched, patched_with
from symscope.localize.places import KINDS, places
from symscope.models.compiled import plant
from symscope.models.compiled.attention import dereference
from symscope.models.transformer import LAYOUT, Transformer
from symscope.network import Network, NothingChanged, UnknownSite
from symscope.site import Site

TOKENS, PAIRS, LENGTH, HEADS = 11, 6, 9, 4
EACH = (1, 3, 8, 0, -2, 5)
COLUMNS = dict.fromkeys(("head", "pattern", "q", "k", "v", "neuron"), (0, 3))
kinds = pytest.mark.parametrize("kind", KINDS)


def network(positions="rope", norm=True, dtype=torch.float32, layers=3):
    torch.manual_seed(3)
    length = LENGTH if positions == "learned" else 0
    return Network(Transformer(TOKENS, 16, layers, HEADS, positions, norm, length).to(dtype))


def tokens():
    """Base and source; some pairs have the same beginning, and one has no difference at all."""
    generator = torch.Generator().manual_seed(4)
    base, source = (torch.randint(TOKENS, (PAIRS, LENGTH), generator=generator) for _ in range(2))
    source[0, :4], source[1], source[2, :8] = base[0, :4], base[1], base[2, :8]
    return base, source


def head(block, index, position=None, part="out"):
    where = "input" if part == "out" else "output"
    return Site(f"blocks.{block}.attention.{part}", where, position, head=(index, HEADS))


@pytest.fixture
def by_blocks_alone(monkeypatch):
    """Nothing may be left to the literal way."""

    def refuse(*_):
        raise AssertionError("literal")

    monkeypatch.setattr(patching, "_literal", refuse)


def assert_equal_ways(net, base, source, chosen, at_source=None):
    literal = patching._literal
    expected = literal_patched(net, base, source, chosen, at_source)
    try:
        patching._literal = lambda *_: pytest.fail("the literal way was taken")
        found = patched(net, base, source, chosen, at_source)
    finally:
        patching._literal = literal
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)
    assert torch.equal(found.argmax(-1), expected.argmax(-1))
    assert found.shape == (len(chosen), len(base), TOKENS)


@kinds
@pytest.mark.parametrize("where", [range(-1, LENGTH - 1), {"each": EACH}, None])
@pytest.mark.parametrize("made", [("rope", True), ("learned", True), ("none", False)])
def test_the_fast_way_gives_the_literal_logits(kind, where, made):
    net = network(*made)
    chosen = list(places(net, kind, where, columns=COLUMNS.get(kind)).values())
    assert_equal_ways(net, *tokens(), chosen)


def test_what_leaves_a_block_is_patched_as_well_the_last_one_too():
    chosen = [Site(f"blocks.{b}", position=p) for b in range(3) for p in (0, 3, -1, None, EACH)]
    assert_equal_ways(network(), *tokens(), chosen)


SETS = {
    "all heads of a block": tuple(head(1, h) for h in range(HEADS)),
    "heads of two blocks": (head(0, 2, 5), head(2, 1, -1), head(1, 0, EACH)),
    "positions": (Site("blocks.1", position=2), Site("blocks.1", position=6)),
    "early and late": (Site("blocks.0.mlp", position=4), Site("blocks.2.mlp.1", units=(3,))),
    "after an edit": (Site("blocks.0", "input", 1), head(1, 3, 4, "k"), head(1, 3, 6)),
    "weights of two heads": (head(1, 0, 8, "pattern"), head(1, 2, None, "pattern")),
    "weights and values": (head(0, 1, None, "pattern"), head(0, 1, 2, "v"), head(2, 1, 8, "q")),
    "whole and part": (Site("blocks.1.attention.q", position=8), head(1, 1, 3, "v")),
    "weights of all heads": (Site("blocks.2.attention.pattern", position=-1),),
    "everything of a block": tuple(LAYOUT.site(1, kind) for kind in KINDS),
    "nothing": (),
}  # fmt: skip


def test_sets_of_sites_are_edited_together():
    assert_equal_ways(network(), *tokens(), list(SETS.values()))


@pytest.mark.parametrize("name", [name for name in SETS if name != "nothing"])
def test_a_set_is_the_same_alone_as_among_others(name):
    assert_equal_ways(network("learned"), *tokens(), [SETS[name]])


def test_an_empty_set_is_the_natural_run():
    net, (base, source) = network(), tokens()
    found = patched(net, base, source, [Site("blocks.1"), ()])
    torch.testing.assert_close(found[1], net.run(base).output[:, -1].detach())


def test_values_may_come_from_elsewhere_in_the_source():
    chosen = [
        Site("blocks.1", "input", 5), Site("blocks.1", position=EACH), head(1, 0, 8),
        head(1, 1, 8, "pattern"), (head(0, 2, 3), Site("blocks.2", "input", 3)),
        Site("blocks.0.mlp.1", position=2, units=(1, 4)), Site("blocks.1", position=3),
    ]  # fmt: skip
    theirs = [
        Site("blocks.2", "input", 1), Site("blocks.1", position=EACH[::-1]), head(0, 3, EACH),
        head(1, 1, 2, "pattern"), (head(0, 3, 0), Site("blocks.2", "input", 4)),
        Site("blocks.2.mlp.1", position=7, units=(60, 2)), Site("blocks.0.mlp", position=3),
    ]  # fmt: skip
    assert_equal_ways(network(), *tokens(), chosen, theirs)


def test_weights_may_be_those_of_a_later_row_which_looks_further():
    chosen, theirs = [head(1, 1, 2, "pattern")], [head(1, 2, 7, "pattern")]
    assert_equal_ways(network(), *tokens(), chosen, theirs)


def test_many_pairs_and_places_are_cut_into_pieces_that_fit(monkeypatch):
    net, (base, source) = network(), tokens()
    chosen = list(places(net, "residual", range(LENGTH)).values())
    chosen += list(places(net, "head", {"each": EACH}).values())
    whole = patched(net, base, source, chosen)
    monkeypatch.setattr(patch_fast, "STEPS", 1)
    monkeypatch.setattr(patch_fast, "KEPT", 1)
    torch.testing.assert_close(patched(net, base, source, chosen), whole, atol=1e-5, rtol=0)


def test_double_precision_is_kept():
    net, (base, source) = network(dtype=torch.float64), tokens()
    chosen = list(places(net, "residual", range(LENGTH)).values())
    found, expected = (f(net, base, source, chosen) for f in (patched, literal_patched))
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, expected, atol=1e-12, rtol=0)


def test_one_block_and_one_pair_are_enough():
    net, (base, source) = network(layers=1), tokens()
    chosen = [*places(net, "residual", range(LENGTH)).values(), Site("blocks.0", position=8)]
    assert_equal_ways(net, base[:1], source[:1], chosen)


def test_no_gradient_is_kept():
    net, (base, source) = network(), tokens()
    for way in (patched, literal_patched):
        assert not way(net, base, source, [Site("blocks.1"), head(0, 1)]).requires_grad


class Other(nn.Module):
    """Not symscope's transformer: answers once per sequence."""

    def __init__(self):
        super().__init__()
        self.embed, self.mix = nn.Embedding(TOKENS, 8), nn.Linear(8, 8)
        self.out = nn.Linear(8, TOKENS)

    def forward(self, sequence):
        return self.out(self.mix(self.embed(sequence)).relu().mean(1))


def test_any_module_is_patched_by_hooks():
    torch.manual_seed(0)
    net, (base, source) = Network(Other()), tokens()
    found = patched(net, base, source, [Site("mix"), Site("mix", position=2), Site("embed")])
    torch.testing.assert_close(found[0], net.run(source).output.detach())
    torch.testing.assert_close(found[2], net.run(source).output.detach())
    mixed = net.module.mix(net.module.embed(base))
    mixed[:, 2] = net.module.mix(net.module.embed(source[:, 2]))
    torch.testing.assert_close(found[1], net.module.out(mixed.relu().mean(1)).detach())


def test_the_state_of_a_recurrent_network_is_patched_by_hooks():
    torch.manual_seed(0)
    net, (base, source) = Network(Stacked(nn.GRU, True)), tokens()
    base, source = base % 9, source % 9
    found = patched(net, base, source, [Site("cell", "state", LENGTH - 1)])
    torch.testing.assert_close(found[0], net.run(source).output[:, -1].detach())


def test_what_is_no_stage_of_a_block_is_patched_among_what_is():
    net, (base, source) = network(), tokens()
    chosen = [Site("blocks.1"), Site("embed", position=3), Site("blocks.1.mlp.0"), head(1, 2)]
    found, expected = (f(net, base, source, chosen) for f in (patched, literal_patched))
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("path", ["blocks.2", "blocks.1.mlp.0"])
def test_a_network_that_someone_watches_is_run_whole_and_its_hooks_stay(path):
    net, (base, source) = network(), tokens()
    seen = []

    def doubled(_, __, output):
        seen.append(output.shape[:2])
        return 2 * output

    handle = net.modules[path].register_forward_hook(doubled)
    found = patched(net, base, source, [Site("blocks.0", position=8)])
    assert set(seen) == {(PAIRS, LENGTH)}
    torch.testing.assert_close(
        found, literal_patched(net, base, source, [Site("blocks.0", position=8)])
    )
    handle.remove()
    without = patched(net, base, source, [Site("blocks.0", position=8)])
    assert not torch.allclose(found, without)


class Talking(nn.Module):
    """Says something each time it runs."""

    def forward(self, x):
        warnings.warn("old module", DeprecationWarning, stacklevel=1)
        return x


def test_what_a_module_warns_of_is_heard():
    net = Network(nn.Sequential(nn.Linear(3, 4), Talking()))
    base, source = torch.ones(2, 3), torch.zeros(2, 3)
    with pytest.warns(DeprecationWarning, match="old module") as heard:
        patched(net, base, source, [Site("0")])
    assert len(heard) == 2  # the source's run and the patched one


def test_another_way_to_read_the_answer_is_kept():
    plain, (base, source) = network(), tokens()
    net = Network(plain.module, answer=lambda output: -output)
    chosen = [Site("blocks.0", position=8), Site("blocks.1.attention")]
    found, expected = (f(net, base, source, chosen) for f in (patched, literal_patched))
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)
    torch.testing.assert_close(found, -patched(plain, base, source, chosen), atol=1e-5, rtol=0)


@pytest.mark.parametrize("way", [patched, literal_patched])
def test_edits_that_change_nothing_warn(way):
    net, (base, _) = network(), tokens()
    with pytest.warns(NothingChanged):
        way(net, base, base.clone(), [Site("blocks.0", position=8), head(1, 1, None, "pattern")])


@pytest.mark.parametrize("way", [patched, literal_patched])
def test_one_edit_that_changes_something_is_enough_not_to_warn(way):
    net, (base, _) = network(), tokens()
    source = base.clone()
    source[3, 6] = (source[3, 6] + 1) % TOKENS
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        way(net, base, source, [Site("blocks.1", position=2), Site("blocks.1", position=6)])
    with pytest.warns(NothingChanged):
        way(net, base, source, [Site("blocks.1", position=2)])


@pytest.mark.parametrize(
    "site", [head(1, 2, 8, "pattern"), head(1, 2, 8), Site("blocks.1", position=8)]
)
def test_putting_the_natural_value_itself_warns(site):
    net, (base, _) = network(), tokens()
    with pytest.warns(NothingChanged):
        patched_with(net, base, [site], [patching._donated(net, base, [site])[site]])


@pytest.mark.parametrize("position", [-1, EACH, None])
@pytest.mark.parametrize("kind", ["head", "neuron", "mlp", "residual", "pattern", "v"])
def test_given_values_are_put_where_the_source_s_would_be(kind, position):
    net, (base, source) = network(), tokens()
    where = None if position is None else {"here": position}
    chosen = list(places(net, kind, where, columns=COLUMNS.get(kind)).values())
    values = patching._donated(net, source, chosen)
    found = patched_with(net, base, chosen, [values[site] for site in chosen])
    torch.testing.assert_close(found, patched(net, base, source, chosen), atol=1e-5, rtol=0)


def test_an_ablation_puts_one_value_everywhere():
    net, (base, _) = network(), tokens()
    pair = (head(1, 0), head(2, 3, 4))
    found = patched_with(net, base, [Site("blocks.1.mlp"), pair],
                         [torch.zeros(1), (torch.zeros(4), torch.ones(4))])  # fmt: skip
    first = net.run(base, do={Site("blocks.1.mlp"): torch.zeros_like}).output[:, -1]
    second = net.run(base, do={pair[0]: torch.zeros_like, pair[1]: torch.ones_like}).output[:, -1]
    torch.testing.assert_close(found, torch.stack([first, second]).detach(), atol=1e-5, rtol=0)


def test_values_that_do_not_match_the_sites_are_refused():
    net, (base, _) = network(), tokens()
    with pytest.raises(SymscopeError, match="1 values were given for 2 sites"):
        patched_with(net, base, [Site("blocks.1"), Site("blocks.0")], [torch.zeros(1)])


WRONG = {
    "block": (Site("blocks.7"), UnknownSite, "'blocks.7'"),
    "position": (Site("blocks.1", position=LENGTH), UnknownName, "unknown position 9; there is 0"),
    "one of the positions": (Site("blocks.1").at((0, 1, 2, 3, 4, 44)), UnknownName, "position 44"),
    "head": (Site("blocks.1.attention.q", head=(4, 4)), SymscopeError, "no head 4 of 4"),
    "head of a pattern": (head(1, 4, 0, "pattern"), UnknownName, r"unknown head \(4, 4\)"),
    "unit": (Site("blocks.1.mlp.1", units=(64,)), SymscopeError, r"units \[64\]"),
    "as many positions as pairs": (Site("blocks.1").at((0, 1)), SymscopeError, "2 positions"),
}


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("way", [patched, literal_patched])
def test_what_is_not_there_is_named_with_what_there_is(way, name):
    site, error, message = WRONG[name]
    with pytest.raises(error, match=message):
        way(network(), *tokens(), [Site("blocks.0"), site])


MISFITS = {
    "no place": ([], None, "no place"),
    "structure": ([Site("blocks.1")], [(Site("blocks.1"), Site("blocks.0"))], "structure"),
    "one position": ([Site("blocks.1", position=2)], [Site("blocks.1")], "give both a position"),
    "weights and vectors": ([head(1, 1, 2)], [head(1, 1, 2, "pattern")], "weights and vectors"),
    "widths": ([head(1, 1, 2)], [Site("blocks.1", position=2)], "width|returned"),
    "overlap": (
        [(head(1, 1), Site("blocks.1.attention.out", "input", 3))],
        [(head(0, 1), Site("blocks.1.attention.out", "input", 3))],
        "overlap",
    ),
    "one value under two names": (
        [(Site("blocks.1", position=2), Site("blocks.2", "input", 2))],
        [(Site("blocks.1", position=3), Site("blocks.2", "input", 4))],
        "overlap",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
@pytest.mark.parametrize("way", [patched, literal_patched])
def test_an_exchange_that_does_not_fit_is_refused(way, name):
    chosen, theirs, message = MISFITS[name]
    with pytest.raises(SymscopeError, match=message):
        way(network(), *tokens(), chosen, theirs)


def test_base_and_source_of_other_shapes_are_refused():
    base, source = tokens()
    with pytest.raises(SymscopeError, match="same shape"):
        patched(network(), base, source[:, 1:], [Site("blocks.1")])


def test_in_a_network_whose_program_is_known_the_right_place_alone_moves_the_answer():
    planted = plant(dereference(2, 5), noise=3, seed=1)
    task, net = planted.task, planted.network
    pairs = task.pairs(task.hypothesis(planted.alignment.program), ("first",), 40, 0, "test")
    end = pairs.base.shape[1] - 1
    site = planted.alignment["first"].site
    assert site == Site("blocks.0", position=end)
    chosen = [site, *(Site("blocks.0", position=p) for p in range(end))]
    found = patched(net, pairs.base, pairs.source, chosen).argmax(-1)
    target = pairs.target if pairs.target.dim() == 1 else pairs.target[:, -1]
    assert torch.equal(found[0], target)
    natural = net.run(pairs.base).output.argmax(-1)
    assert (target != natural).any()
    assert not any(torch.equal(other, target) for other in found[1:])

"""Torch modules as causal models: sites, refusals, and hooks that leave nothing behind."""

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from laws import LENGTH, NETWORKS, SAMPLES, TOKENS, WIDTH, Attentive, Stacked, Stepwise, draws
from laws import token_batch as tokens
from symscope.causal_model import interchange
from symscope.evidence import SymscopeError
from symscope.models.rnn import RNN
from symscope.models.transformer import Transformer
from symscope.network import Network, NothingChanged, UnknownSite
from symscope.site import Site, positions
from symscope.visit import SiteNeverRan, join_state, split_state

STATE = Site("rnn", "state")


def gru() -> Network:
    torch.manual_seed(0)
    return Network(RNN("gru", TOKENS, WIDTH))


def hooks_in(module: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks")
    return sum(len(getattr(m, kind)) for m in module.modules() for kind in kinds)


def replaced_in(module: nn.Module) -> list[str]:
    return [path for path, m in module.named_modules() if "forward" in m.__dict__]


# What is refused, and in which words


def test_an_unknown_module_is_refused_with_those_there_are():
    with pytest.raises(UnknownSite, match=r"'grru'; there is 'embed', 'rnn', 'readout'"):
        gru().run(tokens(0), read=[Site("grru")])


@pytest.mark.parametrize(
    ("site", "told"),
    [
        (Site("readout", "state", 0), "'readout' is a Sequential and carries no state"),
        (Site("rnn", "c", 0), "'rnn' has no cell state 'c'; use part='h'"),
        (STATE.at(LENGTH), rf"outside the {LENGTH} there are \(0..{LENGTH - 1}\)"),
        (STATE.at(-LENGTH - 1), f"outside the {LENGTH} there are"),
        (Site("embed", position=LENGTH), f"outside the {LENGTH} there are"),
        (STATE.at([0, 1]), f"2 positions were given for {SAMPLES} samples"),
        (STATE, r"changes at every step; say which with \.at\(step\)"),
        (Site("rnn", position=0), r"rnn @ 0 is a tuple; name the element with part=0"),
        (Site("rnn", 2, 0), "the module returns tuple, no 2"),
        (Site("embed", 0, 0), "the module returns Tensor, no 0"),
        (Site("embed", position=0, units=(0, WIDTH)), f"do not all lie in 0..{WIDTH - 1}"),
        (Site("embed", position=0, head=(2, 2)), f"no head 2 of 2 in a width of {WIDTH}"),
        (Site("embed", position=0, head=(0, 4)), f"no head 0 of 4 in a width of {WIDTH}"),
    ],
)
def test_a_site_that_is_not_there_is_refused(site, told):
    network = gru()
    with pytest.raises(SymscopeError, match=told):
        network.run(tokens(0), read=[site])
    assert hooks_in(network.module) == 0 and not replaced_in(network.module)


def test_a_recurrence_in_both_directions_has_no_single_state():
    network = Network(nn.GRU(3, 3, bidirectional=True))
    with pytest.raises(SymscopeError, match="runs in both directions"):
        network.run(draws(2, 4, 3), read=[Site("", "state", 0)])


class Bypass(nn.Module):
    """One of its layers never runs, another runs twice."""

    def __init__(self) -> None:
        super().__init__()
        self.idle, self.twice = nn.Linear(3, 3), nn.Linear(3, 3)

    def forward(self, x):
        return self.twice(self.twice(x))


def test_a_site_that_never_ran_is_said():
    with pytest.raises(SiteNeverRan, match="idle: the module did not run"):
        Network(Bypass()).run(draws(2, 3), do={Site("idle"): lambda v: v + 1})


def test_a_module_that_ran_twice_needs_the_call():
    network, x = Network(Bypass()), draws(2, 3)
    with pytest.raises(SymscopeError, match=r"twice ran more than once; say which with \.at"):
        network.run(x, read=[Site("twice")])
    values = network.run(x, read=[Site("twice").at(0), Site("twice").at(1)]).values
    assert torch.equal(values[Site("twice").at(0)], network.module.twice(x))
    assert torch.equal(values[Site("twice").at(1)], network.run(x).output)


@pytest.mark.parametrize("cell", [nn.GRUCell, nn.LSTMCell])
def test_a_cell_that_did_not_reach_the_step_is_said(cell):
    with pytest.raises(SiteNeverRan, match=f"ran {LENGTH} times"):
        Network(Stepwise(cell)).run(tokens(0), read=[Site("cell", "state", LENGTH)])


@pytest.mark.parametrize("returned", [draws(WIDTH), draws(SAMPLES, WIDTH + 1), 3.0, None])
def test_an_edit_of_the_wrong_shape_is_refused(returned):
    expected = rf"edit at rnn.state @ 1 returned .*, expected \({SAMPLES}, {WIDTH}\)"
    network = gru()
    with pytest.raises(SymscopeError, match=expected):
        network.run(tokens(0), do={STATE.at(1): lambda _: returned})
    assert hooks_in(network.module) == 0 and not replaced_in(network.module)


def test_an_edit_that_changes_nothing_warns():
    with pytest.warns(NothingChanged, match=r"rnn\.state @ 1 changed nothing"):
        gru().run(tokens(0), do={STATE.at(1): lambda v: v.clone()})


# What is left behind


@pytest.mark.parametrize("name", NETWORKS)
def test_nothing_is_left_behind_by_a_run_that_ends_or_raises(name):
    case = NETWORKS[name]
    network, inputs, site = case.network(), case.inputs(0), case.at("one")

    def fail(_):
        raise ZeroDivisionError

    network.run(inputs, read=[site], do={site: lambda v: 2 * v})
    assert hooks_in(network.module) == 0 and not replaced_in(network.module)
    with pytest.raises(ZeroDivisionError):
        network.run(inputs, do={site: fail})
    assert hooks_in(network.module) == 0 and not replaced_in(network.module)


@pytest.mark.parametrize("site", [STATE.at(2), Site("rnn", 0, 2), Site("rnn", "input", 2)])
def test_the_users_own_hooks_stay_and_fire_once(site):
    network, seen = gru(), []
    rnn = network.module.rnn
    rnn.register_forward_pre_hook(lambda *_: seen.append("before"))
    rnn.register_forward_hook(lambda *_: seen.append("after"))
    network.run(tokens(0), read=[site], do={site: lambda v: v + 1})
    assert seen == ["before", "after"] and hooks_in(network.module) == 2


def test_a_users_own_forward_is_used_and_put_back():
    network, inputs = gru(), tokens(0)
    rnn = network.module.rnn
    plain = rnn.forward
    rnn.forward = lambda x, state=None: plain(2 * x, state)
    own = rnn.forward
    site = STATE.at(LENGTH - 1)
    found = network.run(inputs, read=[site]).values[site]
    expected, _ = plain(2 * network.module.embed(inputs))
    assert torch.allclose(found, expected[:, -1], atol=1e-6)
    assert rnn.__dict__["forward"] is own


def test_a_network_is_in_evaluation_mode():
    assert not Network(RNN("gru", TOKENS, WIDTH).train()).module.training


# Recurrent states, against a loop written out by hand


def _loop(cell, inputs, step, edit):
    """All states (step, sample, width) of a cell when its state is edited after `step`."""
    state, states = None, []
    for t, x in enumerate(inputs.unbind(1)):
        state = cell(x, state)
        if t == step:
            state = edit(state)
        states.append(torch.cat(state, 1) if isinstance(state, tuple) else state)
    return torch.stack(states)


def _as_cell(layer):
    """The step of a one-layer recurrent module, with its weights."""
    kind = {nn.GRU: nn.GRUCell, nn.LSTM: nn.LSTMCell, nn.RNN: nn.RNNCell}[type(layer)]
    cell = kind(layer.input_size, layer.hidden_size)
    cell.load_state_dict({k.removesuffix("_l0"): v for k, v in layer.state_dict().items()})
    return cell


def _edit(part, change):
    def edit(state):
        if not isinstance(state, tuple):
            return state + change
        h, c = change.chunk(2, 1) if part == "state" else (change, change)
        return (state[0] + (part != "c") * h, state[1] + (part != "h") * c)

    return edit


KINDS = [
    *((kind, part) for kind in (nn.GRU, nn.RNN) for part in ("state", "h")),
    *((nn.LSTM, part) for part in ("state", "h", "c")),
]


@pytest.mark.parametrize(("kind", "part"), KINDS)
@pytest.mark.parametrize("batch_first", [True, False])
def test_a_state_of_a_sequence_module_is_the_loops_at_every_step(kind, part, batch_first):
    torch.manual_seed(3)
    layer = kind(4, WIDTH, batch_first=batch_first)
    network, cell, x = Network(layer), _as_cell(layer), draws(SAMPLES, LENGTH, 4)
    given = x if batch_first else x.transpose(0, 1)
    width = 2 * WIDTH if (kind, part) == (nn.LSTM, "state") else WIDTH
    change = draws(SAMPLES, width, seed=1)
    half = {"h": slice(0, WIDTH), "c": slice(WIDTH, None)}.get(part, slice(None))
    for step in range(LENGTH):
        states = _loop(cell, x, step, _edit(part, change))
        site, last = Site("", part, step), Site("", "state", -1)
        run = network.run(given, read=[site, last], do={site: lambda v: v + change})
        output = run.output if batch_first else run.output.transpose(0, 1)
        assert torch.allclose(output.transpose(0, 1), states[..., :WIDTH], atol=1e-6)
        found = run.values[site]
        assert torch.allclose(found, states[step][:, half] if kind is nn.LSTM else states[step])
        assert torch.allclose(run.values[last], states[-1], atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "part"),
    [(nn.GRUCell, "state"), (nn.RNNCell, "h"), *((nn.LSTMCell, p) for p in ("state", "h", "c"))],
)
def test_a_state_of_a_cell_is_the_loops_at_every_step(kind, part):
    torch.manual_seed(4)
    module = Stepwise(kind)
    network, inputs = Network(module), tokens(2)
    change = draws(SAMPLES, 2 * WIDTH if (kind, part) == (nn.LSTMCell, "state") else WIDTH, seed=2)
    for step in range(LENGTH):
        states = _loop(module.cell, module.embed(inputs), step, _edit(part, change))
        output = network.run(inputs, do={Site("cell", part, step): lambda v: v + change}).output
        assert torch.allclose(output.transpose(0, 1), module.head(states[..., :WIDTH]), atol=1e-6)


def test_each_sample_is_edited_at_its_own_step():
    network, inputs = gru(), tokens(1)
    steps = torch.arange(SAMPLES) % LENGTH
    together = network.run(inputs, do={STATE.at(steps): lambda v: -v}).output
    for row, step in enumerate(steps.tolist()):
        alone = network.run(inputs[row : row + 1], do={STATE.at(step): lambda v: -v}).output
        assert torch.allclose(together[row], alone[0], atol=1e-6)


def test_layers_lie_side_by_side_in_a_state():
    network, inputs = Network(Stacked(nn.LSTM, False)), tokens(1)
    site = Site("cell", "state", -1)
    found = network.run(inputs, read=[site]).values[site]
    _, (h, c) = network.module.cell(network.module.look_up(inputs).transpose(0, 1))
    assert torch.allclose(found, torch.cat([h[0], h[1], c[0], c[1]], 1), atol=1e-6)
    assert all(map(torch.equal, split_state(join_state((h, c)), (h, c)), (h, c)))


def test_several_edits_of_one_state_are_made_in_order_of_time():
    network, inputs, change = gru(), tokens(1), draws(SAMPLES, WIDTH)
    sites = {STATE.at(4): lambda v: 0 * v, STATE.at(1): lambda v: v + change}
    cell = _as_cell(network.module.rnn)
    states = _loop(cell, network.module.embed(inputs), 1, lambda h: h + change)
    found = network.run(inputs, read=[STATE.at(3)], do=sites)
    assert torch.allclose(found.values[STATE.at(3)], states[3], atol=1e-6)
    rest = _loop(cell, network.module.embed(inputs)[:, 5:], -1, None)
    first = cell(network.module.embed(inputs)[:, 5], torch.zeros(SAMPLES, WIDTH))
    assert torch.allclose(first, rest[0], atol=1e-6)
    expected = network.module.readout(rest.transpose(0, 1))
    assert torch.allclose(found.output[:, 5:], expected, atol=1e-6)


# Outputs, inputs, elements and answers


def test_the_output_of_a_recurrent_module_can_be_edited():
    network, inputs = gru(), tokens(0)
    natural = network.run(inputs).output
    edited = network.run(inputs, do={Site("rnn", 0, 2): lambda v: 0 * v}).output
    expected = network.module.readout(torch.zeros(SAMPLES, WIDTH))
    assert torch.allclose(edited[:, 2], expected, atol=1e-6)
    others = [0, 1, 3, 4, 5, 6]
    assert torch.equal(edited[:, others], natural[:, others])


def test_the_input_of_a_module_can_be_read_and_edited():
    network, inputs = gru(), tokens(0)
    site = Site("rnn", "input", 3)
    run = network.run(inputs, read=[site], do={Site("embed", position=3): lambda v: v + 1})
    assert torch.equal(run.values[site], network.module.embed(inputs)[:, 3] + 1)
    again = network.run(inputs, do={site: lambda v: v + 1}).output
    assert torch.allclose(again, run.output, atol=1e-6)


def test_an_element_of_a_tuple_is_named_by_its_index():
    torch.manual_seed(2)
    network, inputs = Network(Attentive()), tokens(0)
    site = Site("attention.0", 0, 2)
    attention, seen = network.module.attention[0], []
    handle = attention.register_forward_hook(lambda _, __, output: seen.append(output[0]))
    found = network.run(inputs, read=[site]).values[site]
    handle.remove()
    assert torch.equal(found, seen[0][:, 2])


def test_units_and_heads_are_shares_of_the_last_axis():
    network, inputs = gru(), tokens(0)
    whole = network.run(inputs, read=[STATE.at(3)]).values[STATE.at(3)]
    shares = {
        Site("rnn", "state", 3, units=(5, 0, -2)): [5, 0, 4],
        Site("rnn", "state", 3, head=(1, 3)): [2, 3],
    }
    values = network.run(inputs, read=list(shares)).values
    for site, units in shares.items():
        assert torch.equal(values[site], whole[:, units])
    edited = network.run(inputs, read=[STATE.at(3)], do={next(iter(shares)): lambda v: v + 1})
    difference = edited.values[STATE.at(3)] - whole
    assert torch.allclose(difference, torch.tensor([1.0, 0, 0, 0, 1, 1]).expand(SAMPLES, 6))


class Wordy(nn.Module):
    """Takes keyword arguments and returns an object with `.logits`, as Hugging Face models do."""

    def __init__(self) -> None:
        super().__init__()
        self.embed, self.head = nn.Embedding(TOKENS, WIDTH), nn.Linear(WIDTH, TOKENS)

    def forward(self, input_ids, attention_mask):
        return SimpleNamespace(logits=self.head(self.embed(input_ids) * attention_mask[..., None]))


def test_keyword_inputs_and_an_object_with_logits_are_understood():
    network = Network(Wordy())
    given = [
        {"input_ids": tokens(s), "attention_mask": torch.ones(SAMPLES, LENGTH)} for s in (0, 1)
    ]
    output = interchange(network, *given, [Site("embed")])
    assert torch.equal(output, network.run(given[1]).output)
    assert output.shape == (SAMPLES, LENGTH, TOKENS)


def test_how_inputs_enter_and_the_answer_is_read_can_be_said():
    network = Network(
        nn.GRU(WIDTH, WIDTH),
        enter=lambda module, x: module(x.transpose(0, 1)),
        answer=lambda output: output[1][-1],
    )
    x = draws(SAMPLES, LENGTH, WIDTH)
    state = network.run(x, read=[Site("", "state", -1)])
    assert torch.allclose(state.output, state.values[Site("", "state", -1)], atol=1e-6)


def test_a_source_may_be_at_another_position():
    network, base, source = gru(), tokens(0), tokens(1)
    donor = network.run(source, read=[STATE.at(5)]).values[STATE.at(5)]
    expected = network.run(base, do={STATE.at(2): lambda _: donor}).output
    assert torch.equal(interchange(network, base, source, {STATE.at(2): STATE.at(5)}), expected)


def test_positions_are_one_per_sample_and_never_negative():
    assert positions(-1, 3, 5).tolist() == [4, 4, 4]
    assert positions((0, -5, 2), 3, 5).tolist() == [0, 0, 2]
    assert Site("a").at(torch.tensor([1, 2])) == Site("a", position=(1, 2))
    assert str(Site("a", "h", 3, units=(1,))) == "a.h units [1] @ 3"


@pytest.mark.parametrize("positions_", ["rope", "none"])
def test_a_transformer_sees_only_what_came_before(positions_):
    model = Transformer(TOKENS, 8, layers=2, heads=2, positions=positions_).eval()
    first, second = tokens(0), tokens(1)
    second[:, :4] = first[:, :4]
    assert torch.allclose(model(first)[:, :4], model(second)[:, :4], atol=1e-6)


def test_a_transformer_without_positions_does_not_see_the_order():
    inputs = tokens(0)
    shuffled = inputs[:, [2, 0, 1, *range(3, LENGTH)]]
    for kind, blind in (("none", True), ("rope", False)):
        torch.manual_seed(0)
        model = Transformer(TOKENS, 8, layers=1, positions=kind).eval()
        assert torch.allclose(model(inputs)[:, -1], model(shuffled)[:, -1], atol=1e-6) == blind


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"positions": "sine"}, "'sine': there is 'rope', 'learned' and 'none'"),
        ({"positions": "learned"}, "learned positions need a length"),
        ({"length": 7}, "learned positions need a length"),
        ({"heads": 3}, "width 8 does not make 3 heads"),
        ({"heads": 8}, "8 heads of an even width"),
    ],
)
def test_a_transformer_that_cannot_be_is_refused(asked, told):
    with pytest.raises(SymscopeError, match=told):
        Transformer(TOKENS, 8, **asked)

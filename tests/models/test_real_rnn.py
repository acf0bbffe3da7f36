"""Networks that read and write numbers: the published form, its files, and copies side by side."""

import pytest
import torch
from safetensors.torch import save_file

from symscope.align.swap import Swap
from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.featurizer import Identity
from symscope.models.copies import Copies, Scales, Shape
from symscope.models.load import load_network, load_weights, save_network
from symscope.models.real_rnn import ARCHITECTURES, build_real, choosing, from_published
from symscope.site import Site
from symscope.tasks import algorithm

FORM = {"inputs": 2, "width": 3, "outputs": 2}
LAYERS = {"real_mlp": {"f": (5, 3), "g": (4, 2)}, "real_gru": {}, "real_elman": {"g": (4, 2)}}


def draws(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def built(architecture, **form):
    return build_real(architecture, **(FORM | LAYERS[architecture] | form), seed=3)


def summing():
    """h' = h + x, y = h: the running sum, in the published form."""
    made = build_real("real_mlp", 1, 1, 1, f=(1, 1))
    with torch.no_grad():
        for layer in (made.rnn.f[0], made.g[0]):
            layer.weight.fill_(1)
            layer.bias.zero_()
    return made


def test_the_published_form_is_f_of_state_and_input_from_zero_on():
    module, x = built("real_mlp"), draws(4, 6, 2)
    h, expected = torch.zeros(4, 3), []
    for t in range(6):
        a = torch.cat([h, x[:, t]], 1)
        for layer in (module.rnn.f[0], module.rnn.f[2]):
            a = (a @ layer.weight.T + layer.bias).clamp(min=0)
        h = a @ module.rnn.f[4].weight.T + module.rnn.f[4].bias
        a = (h @ module.g[0].weight.T + module.g[0].bias).clamp(min=0)
        expected.append(a @ module.g[2].weight.T + module.g[2].bias)
    assert torch.allclose(module(x), torch.stack(expected, 1), atol=1e-6)


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_every_kind_reads_integers_and_has_its_state_at_one_site(architecture):
    module = built(architecture, inputs=1, outputs=1)
    tokens = torch.arange(12).view(2, 6)
    assert module(tokens).shape == (2, 6)
    assert torch.equal(module(tokens), module(tokens[..., None].float()))
    assert built(architecture)(draws(2, 6, 2)).shape == (2, 6, 2)
    state = Site("rnn", "state").at(3)
    network = choosing(module, range(-2, 3))
    found = network.run(tokens, read=[state]).values[state]
    assert torch.allclose(module.g(found)[:, 0], module(tokens)[:, 3], atol=1e-6)


def test_choosing_rounds_to_the_nearest_class():
    network = choosing(torch.nn.Identity(), range(-3, 3))
    y = torch.tensor([[-2.6, -0.4, 0.6, 1.4, 9.0]])
    assert (network.run(y).output.argmax(-1) - 3).tolist() == [[-3, 0, 1, 1, 2]]


def test_a_hand_built_sum_passes_every_swap_of_its_register():
    task = algorithm("sum_all")
    network, site = choosing(summing(), task.classes), Site("rnn", "state")
    pairs = task.pairs(task.program, ("sum",), 100, 0, "test")
    swap = Swap(network, site, pairs)
    assert swap.down.how == "resumed"
    assert bool(swap.right(Identity(1), [0]).all())
    assert not bool(swap.right_with(swap.base).all())
    base, source = torch.ones(1, 5), 7 * torch.ones(1, 5)
    swapped = interchange(network, base, source, {site.at(1): site.at(2)}).argmax(-1)
    assert swapped.tolist() == [[1, 21, 22, 23, 24]]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_network_is_the_same_after_saving_and_loading(architecture, tmp_path):
    module, path = built(architecture), tmp_path / "n.safetensors"
    config = {"architecture": architecture, **FORM, **LAYERS[architecture]}
    save_network(path, module, config)
    loaded, _ = load_network(path)
    x = draws(3, 5, 2)
    assert torch.equal(loaded(x), module(x))
    save_network(path, module, config | {"width": 4})
    with pytest.raises(SymscopeError, match=r"has shape .*, this network needs"):
        load_network(path)


def published(**changed):
    """A state dict in the published layout: f of 3 + 1 inputs, 5 hidden; g affine."""
    shapes = {
        "f.0.weight": (5, 4), "f.0.bias": (5,), "f.2.weight": (3, 5), "f.2.bias": (3,),
        "g.0.weight": (1, 3), "g.0.bias": (1,),
    } | changed  # fmt: skip
    return {k: draws(*shape) for k, shape in shapes.items() if shape is not None}


def test_a_state_dict_in_the_published_layout_is_read(tmp_path):
    tensors = published()
    save_file(tensors, tmp_path / "foreign.safetensors")
    module = from_published(load_weights(tmp_path / "foreign.safetensors"))
    x = draws(2, 1)
    hidden = (torch.cat([torch.zeros(2, 3), x], 1) @ tensors["f.0.weight"].T
              + tensors["f.0.bias"]).relu()  # fmt: skip
    h = hidden @ tensors["f.2.weight"].T + tensors["f.2.bias"]
    y = h @ tensors["g.0.weight"].T + tensors["g.0.bias"]
    assert torch.allclose(module(x), y, atol=1e-5)


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"f.0.weight": (5, 3)}, r"f.0.weight has shape \(5, 3\), expected \(5, 4\) or wider"),
        ({"f.0.bias": (4,)}, r"f.0.bias has shape \(4,\), expected \(5,\)"),
        ({"g.0.weight": (1, 4)}, r"g.0.weight has shape \(1, 4\), expected \(1, 3\)"),
        ({"f.0.weight": (5,)}, r"f.0.weight has shape \(5,\), expected \(out, in\)"),
        ({"g.0.weight": None}, "has no tensor 'g.0.weight'"),
        ({"f.2.bias": None}, "has no tensor 'f.2.bias'"),
        ({"g.1.weight": (1, 1)}, "has a tensor 'g.1.weight' that is of no layer"),
    ],
)
def test_a_wrong_state_dict_is_refused_naming_the_tensor(changed, told):
    with pytest.raises(SymscopeError, match=told):
        from_published(published(**changed), "there")


def test_weights_that_are_no_numbers_are_refused(tmp_path):
    tensors = published()
    tensors["f.2.bias"][1] = torch.nan
    with pytest.raises(SymscopeError, match=r"f\.2\.bias has values that are not finite"):
        from_published(tensors)
    torch.save(torch.nn.Linear(1, 1), tmp_path / "whole.pt")
    with pytest.raises(SymscopeError, match="holds more than tensors and is not opened"):
        load_weights(tmp_path / "whole.pt")


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"architecture": "real_lstm"}, "unknown architecture 'real_lstm'"),
        ({"architecture": "real_gru", "f": (2, 2)}, "f is for 'real_mlp'"),
        ({"architecture": "real_mlp"}, "f is for 'real_mlp', which needs it"),
        ({"architecture": "real_mlp", "f": (2, 0)}, "an MLP of 0 layers"),
        ({"architecture": "real_gru", "width": 0}, "width 0"),
    ],
)
def test_a_shape_that_cannot_be_is_refused(asked, told):
    with pytest.raises((SymscopeError, UnknownName), match=told):
        build_real(**(FORM | asked))


SHAPES = [
    Shape(1, 2, 1, (5, 2)), Shape(2, 3, 2, (1, 1)), Shape(2, 2, 1, (4, 3), (3, 2)),
    Shape(1, 2, 1, (1, 1), (6, 3)),
]  # fmt: skip
PLAIN = Scales(torch.zeros(2), torch.ones(2), torch.zeros(2), torch.ones(2))


def scales(shape):
    return Scales(*(getattr(PLAIN, n)[: getattr(shape, k)] for n, k in (
        ("middle", "inputs"), ("half", "inputs"), ("mean", "outputs"), ("spread", "outputs"))
    ))  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_copies_compute_what_each_network_does_and_autograds_slopes(shape):
    copies = Copies(shape, 3, torch.Generator().manual_seed(1), torch.float64)
    x, into = draws(4, 3, 6, shape.inputs).double(), draws(4, 3, 6, shape.outputs).double()
    done = copies.run(x)
    slopes = copies.slopes(done, into.clone())
    for i in range(3):
        network = copies.network(i, scales(shape)).double()
        weights = [w.clone() for w in copies.views(copies.weights)[0][0]]
        assert torch.allclose(network.rnn.f[0].weight, weights[0][i].T, atol=1e-6)
        _set(network, copies, i)
        inputs = x[:, i].transpose(0, 1)
        y = network(inputs).view(6, 4, -1).transpose(0, 1)
        assert torch.allclose(y, done.outputs[:, i], atol=1e-12)
        (y * into[:, i]).sum().backward()
        for layers, module in zip(copies.views(slopes), (network.rnn.f, network.g), strict=True):
            for at, (weight, bias) in enumerate(layers):
                assert torch.allclose(weight[i].T, module[2 * at].weight.grad, atol=1e-12)
                assert torch.allclose(bias[i, 0], module[2 * at].bias.grad, atol=1e-12)


def _set(network, copies, i):
    """The module's weights in full precision, since a network is kept in float32."""
    with torch.no_grad():
        parts = zip(copies.views(copies.weights), (network.rnn.f, network.g), strict=True)
        for layers, module in parts:
            for at, (weight, bias) in enumerate(layers):
                module[2 * at].weight.copy_(weight[i].T)
                module[2 * at].bias.copy_(bias[i, 0])


def test_a_copys_network_takes_numbers_as_they_are():
    shape = Shape(2, 3, 2, (5, 2))
    copies = Copies(shape, 2, torch.Generator().manual_seed(1), torch.float64)
    by = Scales(*(torch.tensor(v).double() for v in ([3.0, -1], [2.0, 5], [7.0, 0], [4.0, 9])))
    x = draws(6, 4, 2).double()
    y = (
        by.mean
        + by.spread * copies.run(((x - by.middle) / by.half).transpose(0, 1)[:, None]).outputs
    )
    found = copies.network(1, by)(x.float())
    assert torch.allclose(found, y[:, 1].transpose(0, 1).float(), atol=1e-4)

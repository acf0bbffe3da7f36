"""Devices and precisions: a network that is spread gives the same numbers; what makes no sense is
refused."""

import copy

import pytest
import torch

from symscope.align import Search, blocks, fit
from symscope.align.swap import Swap
from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.featurizer import Rotation
from symscope.localize import patched
from symscope.models.load import build, load_network, save_network
from symscope.network import Network
from symscope.placement import Placement, devices, placement, put
from symscope.pretrained import pretrained
from symscope.site import Site
from symscope.tasks.arithmetic import Arithmetic

TASK = Arithmetic("+", operands=10, numbers=20)
SHAPE = {"architecture": "transformer", "vocabulary": 25, "width": 32, "layers": 4, "heads": 2}


def made() -> torch.nn.Module:
    return build(**SHAPE)


@pytest.fixture(scope="module")
def spread() -> Network:
    """Half of it in the memory that accelerate was allowed, half on the disk."""
    module = made()
    half = sum(p.numel() for p in module.parameters()) * 2
    return Network(put(copy.deepcopy(module), Placement("auto"), {"cpu": half, "disk": 10**9}))


def test_what_does_not_fit_is_on_the_disk(spread):
    assert set(spread.module.hf_device_map.values()) == {"cpu", "disk"}
    assert any(p.is_meta for p in spread.module.parameters())
    assert spread.device == torch.device("cpu")


@torch.no_grad()
def test_a_spread_network_answers_and_is_edited_as_a_whole_one(spread):
    whole, tokens = Network(made()), TASK.prompts()[:9]
    sites = [Site("blocks.1").at(2), Site("blocks.3").at(3)]
    for do in ({}, {sites[0]: lambda x: x + 1}):
        mine, theirs = (n.run(tokens, read=sites, do=do) for n in (spread, whole))
        assert torch.equal(mine.output, theirs.output)
        assert all(torch.equal(mine.values[s], theirs.values[s]) for s in sites)


def test_patching_a_spread_network_gives_the_same_logits(spread):
    prompts, whole = TASK.prompts(), Network(made())
    places = [Site(f"blocks.{b}").at(step) for b in range(4) for step in range(3)]
    mine, theirs = (patched(n, prompts[:6], prompts[40:46], places) for n in (spread, whole))
    torch.testing.assert_close(mine, theirs, atol=1e-5, rtol=1e-4)


def test_a_search_in_a_spread_network_finds_the_same_axes(spread):
    pairs = TASK.pairs(TASK.program, ("answer",), 40, 0, "fit")
    start = blocks("arithmetic", Site("blocks.2"), Rotation(32, 8, 0), {"answer": 8})
    found = []
    for network in (spread, Network(made())):
        swap = Swap(network, Site("blocks.2"), pairs)
        found.append(fit(start, [swap], [swap], Search(3, most=3, batch=16)))
    mine, theirs = (f["answer"].featurizer.encode(torch.eye(32)) for f in found)
    torch.testing.assert_close(mine, theirs, atol=1e-4, rtol=1e-3)


def test_a_language_model_that_is_spread_gives_the_same_numbers():
    pytest.importorskip("transformers")
    from families import folder

    tokens = torch.randint(1, 50, (3, 7), generator=torch.Generator().manual_seed(1))
    whole = pretrained(folder("llama"))
    half = 2 * sum(p.numel() for p in whole.module.parameters())
    parts = pretrained(folder("llama"), device="auto", most={"cpu": half, "disk": 10**9})
    assert set(parts.module.hf_device_map.values()) == {"cpu", "disk"}
    site = whole.layout.site(1, "mlp").at(-1)
    with torch.no_grad():
        one, other = (Network(p.module, layout=p.layout).run(tokens, read=[site])
                      for p in (whole, parts))  # fmt: skip
    torch.testing.assert_close(one.output, other.output)
    torch.testing.assert_close(one.values[site], other.values[site])


def test_a_network_is_where_its_first_parameter_with_numbers_is():
    parts = torch.nn.Linear(2, 2, device="meta"), torch.nn.Linear(2, 2)
    assert Network(torch.nn.Sequential(*parts)).device == torch.device("cpu")


def test_a_network_of_which_nothing_fits_is_refused():
    with pytest.raises(SymscopeError, match="no part of the network fits"):
        put(made(), Placement("auto"), {"cpu": 1, "disk": 10**9})


def test_auto_is_the_one_device_where_there_is_one():
    module = put(made(), Placement("auto"))
    assert not hasattr(module, "hf_device_map")
    assert Placement("auto", "float64").alone.dtype == "float64"
    assert Placement("cpu").alone == Placement("cpu")


def test_a_network_is_kept_and_read_in_its_precision(tmp_path):
    module = put(made(), Placement("cpu", "float64"))
    save_network(tmp_path / "n.safetensors", module, SHAPE)
    read, _ = load_network(tmp_path / "n.safetensors")
    assert torch.equal(read.readout.weight, module.readout.weight)
    assert read.readout.weight.dtype == torch.float64
    assert put(read, Placement()).readout.weight.dtype == torch.float64


def test_axes_of_a_network_in_half_precision_are_fitted_in_float32():
    network = Network(put(made(), Placement("cpu", "bfloat16")))
    pairs = TASK.pairs(TASK.program, ("answer",), 20, 0, "fit")
    swap = Swap(network, Site("blocks.1"), pairs)
    start = blocks("arithmetic", Site("blocks.1"), Rotation(32, 8, 0), {"answer": 8})
    found = fit(start, [swap], [swap], Search(2, most=2, batch=8))
    axes = found["answer"].featurizer.encode(torch.eye(32))
    assert axes.dtype == torch.float32
    torch.testing.assert_close(axes.T @ axes, torch.eye(8), atol=1e-5, rtol=0)
    assert torch.equal(swap.right_with(swap.base), swap.right(found["answer"].featurizer, []))


def test_what_is_not_there_or_makes_no_sense_is_refused_in_one_line():
    assert devices()[0] == "cpu" and "auto" in devices()
    with pytest.raises(UnknownName, match="device 'cuda:9'"):
        placement("cuda:9")
    with pytest.raises(UnknownName, match="dtype 'int8'"):
        placement("cpu", "int8")
    with pytest.raises(SymscopeError, match=r"bfloat16: too coarse; use float32 or float64$"):
        placement("cpu", "bfloat16", {"bfloat16": "too coarse"})

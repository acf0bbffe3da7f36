"""Edges of decoders that transformers runs: each law for every family."""

from dataclasses import replace
from functools import cache

import pytest
import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.layout import FAMILIES
from symscope.localize.circuit import connected, find_circuit
from symscope.localize.eap import edge_scores
from symscope.localize.edge_view import EdgeView, earlier, moved, receivers, senders
from symscope.localize.edges import contributions, edge_runs, edges, run_edges, view_of
from symscope.localize.edges_by_hooks import by_hooks
from symscope.localize.patching import patched
from symscope.network import Network
from symscope.site import Site

pytest.importorskip("transformers")

from families import CONFIGS, folder

IN_TURN = "gpt_neox, MLP after attention"
EVERY = pytest.mark.parametrize("name", [*CONFIGS, IN_TURN])
PARALLEL, JOINT = {"gptj", "gpt_neox"}, {"gemma2", "gemma3_text"}
BASE, SOURCE = torch.randint(1, 50, (2, 4, 6), generator=torch.Generator().manual_seed(0))


@cache
def network(name: str) -> Network:
    net = Network.from_pretrained(folder(name.split(",")[0]))
    if name == IN_TURN:
        net.module.config.use_parallel_residual = False
        for layer in net.module.gpt_neox.layers:
            layer.use_parallel_residual = False
        net = Network(net.module)
    net.module.requires_grad_(False)
    return net


def last(net: Network, tokens: Tensor) -> Tensor:
    return net.run(tokens).output[:, -1]


def close(found: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(found, expected, atol=1e-4, rtol=0)


def into(net: Network, receiver: str) -> list:
    return [edge for edge in edges(net) if edge[1] == receiver]


def out_of(net: Network, *names: str) -> list:
    return [edge for edge in edges(net) if edge[0] in names]


def random_edges(net: Network, seed: int, share: float) -> list:
    every = edges(net)
    kept = torch.rand(len(every), generator=torch.Generator().manual_seed(seed)) < share
    return [edge for edge, k in zip(every, kept.tolist(), strict=True) if k]


@EVERY
def test_no_edge_patched_is_the_base_and_all_or_all_that_start_from_the_tokens_the_source(name):
    net = network(name)
    run = edge_runs(net, BASE, SOURCE)
    base, source = last(net, BASE), last(net, SOURCE)
    assert (base - source).abs().amax() > 1
    close(run([]), base)
    close(run(edges(net)), source)
    close(run(out_of(net, "embed")), source)
    some = run(random_edges(net, 0, 0.4))
    assert min((some - end).abs().amax() for end in (base, source)) > 0.1


@EVERY
def test_what_is_written_adds_up_to_the_residual_stream(name):
    net, layout = network(name), network(name).layout
    streams = [layout.site(1, "residual"), Site(layout.norm, "input")]
    values = net.run(BASE, read=streams).values
    found, biases = contributions(view_of(net), BASE), 0
    for layer, stream in enumerate(streams):
        out = net.modules[f"{layout.blocks}.{layer}.{layout.mixed[0]}"]
        biases = biases + (0 if out.bias is None else out.bias)
        count = 1 + (layer + 1) * (layout.heads + 1)
        close(found[:, :, :count].sum(2) + biases, values[stream])


@EVERY
def test_what_a_head_writes_is_its_share_of_the_output_projection(name):
    net, layout = network(name), network(name).layout
    mixed = layout.site(1, "head")
    value = net.run(BASE, read=[mixed]).values[mixed]
    out = net.modules[mixed.module]
    zero = out(torch.zeros_like(value))
    found = contributions(view_of(net), BASE)[:, :, 2 + layout.heads :]
    for head in range(layout.heads):
        alone = torch.zeros_like(value)
        columns = slice(head * layout.head_width, (head + 1) * layout.head_width)
        alone[..., columns] = value[..., columns]
        expected = out(alone) - zero
        if name in JOINT:
            norm = net.modules[f"{layout.blocks}.1.{layout.post_norm}"]
            size = out(value).pow(2).mean(-1, keepdim=True).add(norm.eps).sqrt()
            expected = expected / size * (1 + norm.weight)
        close(found[:, :, head], expected)


def test_a_coordinate_that_no_head_writes_to_is_zero_after_the_norm_too():
    net = Network.from_pretrained(folder("gemma2"))
    with torch.no_grad():
        net.modules["model.layers.1.self_attn.o_proj"].weight[3] = 0
    found = contributions(view_of(net), BASE)[:, :, 6:10]
    assert bool((found[..., 3] == 0).all()) and bool((found[..., 4] != 0).any())


@EVERY
def test_all_edges_into_an_input_are_a_patch_of_what_it_computes(name):
    net = network(name)
    run = edge_runs(net, BASE, SOURCE)
    for layer in range(2):
        for part in "qkv":
            for head in range(net.layout.columns(part)):
                site = net.layout.site(layer, part, head)
                found = run(into(net, f"{layer}.{head}.{part}"))
                close(found, patched(net, BASE, SOURCE, [site])[0])
        site = net.layout.site(layer, "mlp")
        close(run(into(net, f"mlp {layer}")), patched(net, BASE, SOURCE, [site])[0])
    close(run(into(net, "logits")), last(net, SOURCE))


@EVERY
def test_all_edges_out_of_a_node_are_a_patch_of_what_it_writes(name):
    net = network(name)
    run, heads = edge_runs(net, BASE, SOURCE), range(net.layout.heads)
    for layer in range(2):
        whole = {f"mlp {layer}": net.layout.site(layer, "mlp")}
        if name not in JOINT:  # there a patched head changes what the norm makes of the others
            whole |= {f"{layer}.{h}": net.layout.site(layer, "head", h) for h in heads}
        for sender, site in whole.items():
            close(run(out_of(net, sender)), patched(net, BASE, SOURCE, [site])[0])
        together = run(out_of(net, *(f"{layer}.{h}" for h in heads)))
        site = net.layout.site(layer, "attention")
        close(together, patched(net, BASE, SOURCE, [site])[0])


@EVERY
def test_one_edge_exchanges_what_one_sender_hands_to_one_input(name):
    """By hand: the module itself, on the stream as it was with one contribution exchanged."""
    net, layout = network(name), network(name).layout
    names = senders(view_of(net))
    change = contributions(view_of(net), SOURCE) - contributions(view_of(net), BASE)
    block = f"{layout.blocks}.1"
    reads = Site(block if name in PARALLEL else f"{block}.{layout.mlp_norm}", "input")
    stream, for_mlp = (net.run(BASE, read=[s]).values[s] for s in
                       (layout.site(1, "residual"), reads))  # fmt: skip
    last_key = layout.key_heads - 1
    inputs = [("q", layout.heads - 1), ("k", last_key), ("v", last_key)]
    for sender in ("embed", "0.1", "mlp 0"):
        moved = change[:, :, names.index(sender)]
        for part, head in inputs:
            site = layout.site(1, part, head)
            seen = net.modules[f"{block}.{layout.attention_norm}"](stream + moved)
            new = net.modules[site.module](seen)
            new = new[..., site.selected(new.shape[-1])]
            edited = net.run(BASE, do={site: lambda _, new=new: new}).output[:, -1]
            found = run_edges(net, BASE, SOURCE, [(sender, f"1.{head}.{part}")])
            close(found, edited)
        seen = net.modules[f"{block}.{layout.mlp_norm}"](for_mlp + moved)
        new = net.modules[f"{block}.mlp"](seen)
        if layout.mlp[0] != "mlp":
            new = net.modules[f"{block}.{layout.mlp[0]}"](new)
        edited = net.run(BASE, do={layout.site(1, "mlp"): lambda _, new=new: new}).output[:, -1]
        close(run_edges(net, BASE, SOURCE, [(sender, "mlp 1")]), edited)


@EVERY
def test_edges_go_from_what_is_written_to_what_is_read_after_it(name):
    net, every = network(name), edges(network(name))
    keys, parallel = net.layout.key_heads, name in PARALLEL
    heads_inputs, before_mlp = 4 + 2 * keys, (1, 6) if parallel else (5, 10)
    assert len(set(every)) == len(every) == (1 + 6) * heads_inputs + sum(before_mlp) + 11
    assert (("0.3", "mlp 0") in every) != parallel and ("mlp 0", "1.0.v") in every
    assert (("embed", "0.3.k") in every) == (keys == 4)


def test_a_key_moves_all_heads_of_its_group_and_a_norm_after_them_every_head():
    def view(keys: int, joint: bool) -> EdgeView:
        return EdgeView(1, 4, keys, False, joint, by_hooks(network("llama")).forward)

    grouped = moved(view(2, False))
    assert grouped["0.1.k"] == grouped["0.1.v"] == {"0.2", "0.3"} and grouped["0.1.q"] == {"0.1"}
    assert moved(view(4, False))["0.3.v"] == {"0.3"}
    heads = {f"0.{h}" for h in range(4)}
    joint = moved(view(2, True))
    assert joint["0.1.q"] == joint["0.0.k"] == heads and joint["mlp 0"] == {"mlp 0"}
    for name in CONFIGS:
        seen = view_of(network(name))
        assert seen.joint == (name in JOINT) and seen.parallel == (name in PARALLEL)
        assert set(moved(seen)) == {r for group in receivers(seen) for r in group}
        assert len(receivers(seen)) == len(earlier(seen)) == (3 if seen.parallel else 5)


@EVERY
def test_edges_that_dangle_change_nothing(name):
    net = network(name)
    run, every, fewer_somewhere = edge_runs(net, BASE, SOURCE), set(edges(net)), False
    for seed in range(6):
        some = random_edges(net, seed, 0.12)
        fewer = connected(net, some)
        fewer_somewhere |= 0 < len(fewer) < len(some)
        close(run(every - set(some)), run(every - fewer))
    assert fewer_somewhere


@EVERY
def test_scores_out_of_the_tokens_add_up_to_what_the_metric_changes_by(name):
    net = network(name)
    near = nearby(net)
    scores = edge_scores(near, BASE, SOURCE, first_logit, steps=40)
    total = scores[[edge[0] == "embed" for edge in edges(near)]].sum(0)
    exact = first_logit(last(near, SOURCE)) - first_logit(last(near, BASE))
    torch.testing.assert_close(total, exact, atol=1e-6, rtol=1e-2)


@EVERY
def test_scores_are_what_patching_each_edge_does_where_inputs_hardly_differ(name):
    near = nearby(network(name), 1e-4)
    run, plain = edge_runs(near, BASE, SOURCE), first_logit(last(near, BASE))
    every = edges(near)
    scores = edge_scores(near, BASE, SOURCE, first_logit)
    kept = range(0, len(every), 3)
    exact = torch.stack([first_logit(run([every[i]])) - plain for i in kept])
    scale = exact.abs().amax()
    torch.testing.assert_close(scores[kept] / scale, exact / scale, atol=1e-2, rtol=0)
    assert int((exact.abs() > scale / 50).sum()) > 10


def first_logit(logits: Tensor) -> Tensor:
    return logits[:, 0]


def nearby(net: Network, share: float = 0.1) -> Network:
    """In double precision, with the tokens' vectors drawn together."""
    family = net.module.config.model_type
    near = Network.from_pretrained(folder(family)).module.double()
    with torch.no_grad():
        weight = near.get_input_embeddings().weight
        mean = weight.mean(0)
        weight.copy_(mean + share * (weight - mean))
    if not net.layout.parallel and family == "gpt_neox":
        near.config.use_parallel_residual = False
        for layer in near.gpt_neox.layers:
            layer.use_parallel_residual = False
    return Network(near)


def test_half_precision_runs_and_its_sums_are_not_in_it():
    net = Network.from_pretrained(folder("gemma2"), dtype="bfloat16")
    with torch.no_grad():
        base, source = last(net, BASE), last(net, SOURCE)
    run = edge_runs(net, BASE, SOURCE)
    apart = float((base - source).abs().amax())
    assert float((run([]) - base).abs().amax()) < 0.05 * apart
    assert float((run(edges(net)) - source).abs().amax()) < 0.05 * apart
    assert contributions(view_of(net), BASE).dtype == torch.float32
    assert bool(edge_scores(net, BASE, SOURCE, steps=2).isfinite().all())


def test_what_edges_cannot_do_is_said():
    net = network("llama")
    padded = {"input_ids": BASE, "attention_mask": torch.ones_like(BASE)}
    with pytest.raises(SymscopeError, match="nothing may be padded"):
        run_edges(net, padded, padded, [])
    with pytest.raises(SymscopeError, match="nothing may be padded"):
        find_circuit(net, padded, padded, "padded")
    with pytest.raises(SymscopeError, match=r"no edge \('embed', '0.3.k'\)"):
        run_edges(net, BASE, SOURCE, [("embed", "0.3.k")])
    with pytest.raises(SymscopeError, match=r"model\.layers\.0\.norm_of_mlp"):
        replace(FAMILIES["llama"], mlp_norm="norm_of_mlp").sized(net.module)
    silent = Network(net.module, layout=replace(net.layout, mlp_norm=""))
    with pytest.raises(SymscopeError, match="attention_norm and mlp_norm"):
        edges(silent)
    other = Network(net.module, layout=replace(net.layout, v="self_attn"))
    with pytest.raises(SymscopeError, match=r"LlamaAttention does not say.*nn\.Linear"):
        run_edges(other, BASE, SOURCE, [])
    assert not [m for m in net.modules.values() if m._forward_hooks or m._forward_pre_hooks]
    run_edges(net, BASE, SOURCE, [])
    assert not [m for m in net.modules.values() if m._forward_hooks or m._forward_pre_hooks]

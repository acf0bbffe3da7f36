"""Language models of every family: the same numbers as transformers gives, and parts where said."""

import json
import shutil

import pytest
import torch

from symscope.evidence import SymscopeError
from symscope.layout import FAMILIES, Layout
from symscope.network import Network
from symscope.site import Site

transformers = pytest.importorskip("transformers")

from families import CONFIGS, folder

EVERY = pytest.mark.parametrize("family", CONFIGS)
TOKENS = torch.randint(1, 50, (3, 7), generator=torch.Generator().manual_seed(1))
LAST = 6


def network(family: str) -> Network:
    return Network.from_pretrained(folder(family))


def reads(net: Network, *kinds: tuple) -> list[torch.Tensor]:
    sites = [net.layout.site(*kind) for kind in kinds]
    with torch.no_grad():
        values = net.run(TOKENS, read=sites).values
    return [values[site] for site in sites]


def test_every_family_of_the_table_is_tried():
    assert set(CONFIGS) == set(FAMILIES)


@EVERY
def test_logits_are_those_of_transformers(family):
    theirs = transformers.AutoModelForCausalLM.from_pretrained(folder(family)).eval()
    with torch.no_grad():
        torch.testing.assert_close(network(family).run(TOKENS).output, theirs(TOKENS).logits)


@EVERY
def test_padding_on_the_left_changes_nothing(family):
    net = network(family)
    lengths, batch = (7, 4, 2), torch.zeros(3, 7, dtype=torch.long)
    mask = torch.zeros_like(batch)
    for row, n in enumerate(lengths):
        batch[row, 7 - n :], mask[row, 7 - n :] = TOKENS[row, :n], 1
    with torch.no_grad():
        together = net.run({"input_ids": batch, "attention_mask": mask}).output[:, -1]
        for row, n in enumerate(lengths):
            alone = net.run(TOKENS[row : row + 1, :n]).output[0, -1]
            torch.testing.assert_close(together[row], alone, atol=1e-4, rtol=0)


@EVERY
def test_what_attention_and_mlp_add_is_what_a_block_adds(family):
    net = network(family)
    before, attention, mlp, after = reads(
        net, (0, "residual"), (0, "attention"), (0, "mlp"), (1, "residual")
    )
    torch.testing.assert_close(before + attention + mlp, after, atol=1e-5, rtol=1e-5)
    assert net.layout.layers == 2 and attention.abs().min() > 0 and mlp.abs().min() > 0


@EVERY
@pytest.mark.parametrize("kind", ["q", "k", "v"])
def test_a_head_s_query_key_or_value_moves_that_head_alone(family, kind):
    net = network(family)
    layout = net.layout
    shared = layout.heads // layout.key_heads
    mixed = layout.site(0, "head").at(LAST)
    plain = net.run(TOKENS, read=[mixed]).values[mixed]
    for column in range(layout.columns(kind)):
        site = layout.site(0, kind, column).at(LAST)
        edited = net.run(TOKENS, read=[mixed], do={site: lambda x: x + 2}).values[mixed]
        moved = (edited - plain).detach().abs().view(3, layout.heads, -1).amax((0, 2)) > 1e-6
        own = [column] if kind == "q" else range(column * shared, (column + 1) * shared)
        assert moved.nonzero()[:, 0].tolist() == list(own)


@EVERY
def test_heads_and_neurons_have_the_numbers_of_the_model(family):
    net = network(family)
    layout = net.layout
    head, neuron = reads(net, (1, "head", layout.heads - 1), (1, "neuron", layout.neurons - 1))
    assert head.shape[-1] == layout.head_width and neuron.shape[-1] == 1
    stream, read_out = layout.site(1, "residual"), Site(layout.readout)
    values = net.run(TOKENS, read=[stream, read_out]).values
    lens = net.modules[layout.readout](net.modules[layout.norm](values[stream]))
    assert lens.shape == values[read_out].shape  # what a logit lens computes


def test_what_cannot_be_read_is_said(tmp_path):
    with pytest.raises(SymscopeError, match=r"no config\.json"):
        Network.from_pretrained(tmp_path)
    pickled = tmp_path / "pickled"
    shutil.copytree(folder("gpt2"), pickled)
    (pickled / "model.safetensors").rename(pickled / "pytorch_model.bin")
    with pytest.raises(SymscopeError, match="safe_serialization=True"):
        Network.from_pretrained(pickled)
    with pytest.raises(SymscopeError, match="dtype 'int8'"):
        Network.from_pretrained(folder("gpt2"), dtype="int8")


def test_a_family_that_is_not_known_takes_its_paths_by_hand(tmp_path, monkeypatch):
    monkeypatch.setattr("symscope.layout.FAMILIES", {k: FAMILIES[k] for k in ("llama",)})
    with pytest.raises(SymscopeError, match=r"'gpt2'.*transformer\.h\.0\.attn\.c_attn"):
        network("gpt2")
    by_hand = FAMILIES["gpt2"]
    assert Network.from_pretrained(folder("gpt2"), layout=by_hand).layout.neurons == 64
    wrong = Layout(**{**vars(by_hand), "k": "attn.keys"})
    with pytest.raises(SymscopeError, match=r"transformer\.h\.0\.attn\.keys"):
        Network.from_pretrained(folder("gpt2"), layout=wrong)


def test_code_of_a_folder_is_not_run(tmp_path):
    place = tmp_path / "custom"
    shutil.copytree(folder("gpt2"), place)
    config = json.loads((place / "config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "mine.Config"}}
    (place / "config.json").write_text(json.dumps(config))
    (place / "mine.py").write_text("raise SystemExit('this code ran')")
    with pytest.raises(SymscopeError, match=r"mine|trust_remote_code"):
        Network.from_pretrained(place)

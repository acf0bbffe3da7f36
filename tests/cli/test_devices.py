"""Devices and precisions at the command line, and language models from a folder."""

import json
from pathlib import Path

import pytest
import torch

from symscope.cli import main
from symscope.evidence import read_evidence
from symscope.models.load import load_network


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["train", "multi", "--dtype", "bfloat16"], "--dtype bfloat16: Adam's small steps"),
        (["train", "multi", "--device", "cuda:7"], "device 'cuda:7'"),
        (["train", "div_3", "--device", "meta"], "device 'meta'"),
        (["train", "div_3", "--network", "gru", "--dtype", "float64"], "float64 is for mlp"),
        (["demo", "--dtype", "bfloat16"], "use float32 or float64"),
        (["extract", "runs/x", "--dtype", "bfloat16"], "far less than a unit"),
        (["generate", "l1_norm", "--dtype", "float64"], "float32 alone; use float32"),
        (["align", "runs/x", "--dtype", "float8"], "'float32', 'float64', 'bfloat16'"),
        (["localize", "runs/x", "--device", "tpu"], "'cpu'"),
        (["bench", "truth", "--dry-run"], "--dry-run is for programs"),
    ],
)
def test_a_device_or_precision_that_makes_no_sense_is_refused(arguments, said, capfd):
    assert main(arguments) == 2
    told = capfd.readouterr().err
    assert said in told and len(told.splitlines()) == 1


def test_a_network_trained_in_float64_stays_in_it(tmp_path, capfd):
    run = tmp_path / "run"
    line = [
        "train",
        "multi",
        "--width",
        "8",
        "--epochs",
        "1",
        "--device",
        "auto",
        "--out",
        str(run),
    ]
    assert main([*line, "--dtype", "float64"]) == 0
    module, _ = load_network(run / "network.safetensors")
    assert module.embed.weight.dtype == torch.float64
    align = ["align", str(run), "--steps", "2", "--most", "2", "--pairs", "20", "--anyway",
             "--no-fitted-controls", "--force", "--device", "auto"]  # fmt: skip
    for dtype in ([], ["--dtype", "bfloat16"]):
        assert main([*align, *dtype]) in (0, 1)
    assert main([*line, "--resume", "--dtype", "float32"]) == 2
    assert "made with dtype float64, not float32" in capfd.readouterr().err


def test_binding_is_trained_in_the_precision_asked_for(tmp_path, capfd):
    for dtype in ("bfloat16", "float64"):
        run = tmp_path / dtype
        assert main(["train", "binding", "--steps", "2", "--dtype", dtype, "--out", str(run)]) == 0
        plan = read_evidence(run / "evidence.json")[0].config["plan"]
        assert plan["precision"] == ("bfloat16" if dtype == "bfloat16" else "float32")
        module, _ = load_network(run / "network.safetensors")
        wanted = torch.float64 if dtype == "float64" else torch.float32
        assert next(module.parameters()).dtype == wanted


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A random model whose tokens are numbers, with a token in front of every prompt."""
    pytest.importorskip("transformers")
    from number_tokens import model, saved, tokenizer, words

    place = tmp_path_factory.mktemp("models") / "little"
    return saved(place, model("llama"), [tokenizer(words(), begin=True)])


def test_a_language_model_s_heads_are_patched_from_its_folder(folder, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    assert main(["localize", str(folder), "--pairs", "20", "--device", "auto"]) == 0
    told = capfd.readouterr()
    assert "prompts are answered right" in told.err and "of the full effect" in told.out
    found = read_evidence(Path("runs/localize-little/evidence.json"))
    assert found[0].claim == "localize.little.add.place.all"
    assert len(found[0].config["table"]) == 2 * (4 + 1) * 4
    assert main(["localize", str(folder), "--text", "a=1"]) == 2
    assert main(["localize", str(folder), "--sign", "%"]) == 2


def test_a_variable_is_searched_for_in_a_language_model(folder, tmp_path, capfd):
    line = ["align", str(folder), "--program", "arithmetic", "--variable", "answer", "--pairs",
            "60", "--steps", "3", "--most", "3", "--json"]  # fmt: skip
    line += ["--out", str(tmp_path / "run")]
    assert main(line) == 1
    assert "is not analysed below 90%" in capfd.readouterr().out
    assert main([*line, "--anyway", "--dtype", "bfloat16"]) == 1  # random weights: at its floor
    told = json.loads(capfd.readouterr().out)
    claim = told["evidence"][0]
    assert claim["claim"] == "align.little.add.arithmetic.answer.iia"
    assert claim["config"]["site"] == "model.layers.1.input" and "full_swap" in claim["controls"]
    assert main([*line, "--anyway", "--program", "up_down"]) == 2


def test_at_the_last_layer_swapping_everything_gives_the_source_s_answer(folder, tmp_path, capfd):
    """The whole vector at the last step after the last layer is all that the answer is made of."""
    from symscope.commands.language_model import FromTheEnd, _last_steps, _spoken
    from symscope.placement import Placement

    spoken = _spoken(folder, "+", 20, Placement())
    task = FromTheEnd("+", spoken.task.operands, spoken.task.numbers, share=1.0)
    from dataclasses import replace

    from symscope.align.swap import Swap
    from symscope.featurizer import Identity
    from symscope.site import Site

    network = replace(spoken.network, answer=_last_steps(spoken.network, 4))
    pairs = task.pairs(task.program, ("answer",), 30, 0, "test")
    swap = Swap(network, Site("model.layers.1"), pairs)
    source = network.run(pairs.source).output[:, -1].argmax(-1)
    swap.target[:, -1] = source
    assert bool(swap.right(Identity(32), list(range(32))).all())

"""What generated input has found, one case each."""

import json
import os
import re

import pytest
import torch
from safetensors.torch import save_file

from reliability.fuzz_watch import quietly
from reliability.fuzz_weights import joined, parted
from symscope.alignment import Alignment
from symscope.commands.options import site_of
from symscope.commands.run_directory import alignment_part, described, opened
from symscope.evidence import SymscopeError, read_evidence, read_json
from symscope.expression import evaluate, parse
from symscope.failures import one_line, outcome
from symscope.features.dictionaries.dictionary_learning import read_dictionary_learning
from symscope.features.dictionaries.files import filled
from symscope.files import MOST_BYTES, read_text
from symscope.models.llama2c import HEADER, load_llama2c, vocabulary
from symscope.models.load import build, load_network, load_weights
from symscope.models.perceptron import Perceptron
from symscope.models.real_rnn import from_published
from symscope.pretrained import pretrained
from symscope.programs.printing import python_source
from symscope.programs.reading import program_in
from symscope.settings import read_settings
from symscope.tasks import algorithm
from symscope.tasks.binding.alphabet import Alphabet
from symscope.tasks.binding.text import NotAProgram, parsed
from symscope.train_state import keep, restore

SOURCE = python_source(algorithm("div_3").program)
DOCUMENTS = {
    "NaN": "NaN is no number", '{"a": 1e999}': "too large", '{"a": 1, "a": 2}': "said twice",
    '"\\ud800"': "surrogates", "9" * 5000: "not readable", "[" * 150 + "]" * 150: "levels",
    "[" + "1," * 1_000_000 + "1]": "values", str(2**70): "63 bits",
}  # fmt: skip


@pytest.mark.parametrize("text", DOCUMENTS, ids=lambda t: t[:12])
def test_a_document_that_cannot_be_written_again_is_refused(text, tmp_path):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SymscopeError, match=DOCUMENTS[text]):
        read_json(tmp_path / "a.json")


def test_a_pipe_and_a_device_are_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "zero").symlink_to("/dev/zero")
    for name in ("pipe", "zero"):
        for read in (read_json, read_text, load_network, load_weights, Alignment.load):
            with pytest.raises(SymscopeError, match="a pipe or a device"):
                read(tmp_path / name)


def test_a_text_without_end_is_not_read_to_its_end(tmp_path):
    with (tmp_path / "a").open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(SymscopeError, match="longer than"):
        read_text(tmp_path / "a")


@pytest.mark.parametrize(("name", "value"), [
    ("n", "3"), ("score", "a"), ("controls", []), ("controls", {"a": {}}),
    ("config", None), ("claim", 3), ("note", {}),
])  # fmt: skip
def test_a_record_whose_field_is_of_another_kind_is_named(name, value, tmp_path):
    record = {"claim": "a", "score": 1.0, "low": 0.0, "high": 1.0, "n": 1}
    (tmp_path / "a.json").write_text(json.dumps([record | {name: value}]))
    with pytest.raises(SymscopeError, match=f"record 0: {name} is"):
        read_evidence(tmp_path / "a.json")


@pytest.mark.parametrize(("name", "value"), [
    ("seed", -1), ("seed", True), ("width", "6"), ("held_out", ["a"]), ("task", []), ("sizes", 3),
])  # fmt: skip
def test_a_setting_of_another_kind_is_named(name, value, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"seed": 0, name: value}))
    with pytest.raises(SymscopeError, match=f"{name} is"):
        read_settings(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(SymscopeError, match="does not say 'seed'"):
        read_settings(tmp_path)["seed"]


def _said(path, said, **tensors):
    save_file({"a": torch.ones(1), **tensors}, path)
    header, numbers = parted(path.read_bytes())
    path.write_bytes(joined({**header, "__metadata__": {"symscope": said}}, numbers))


@pytest.mark.parametrize("said", [
    {"architecture": "gru", "vocabulary": 10**12, "width": 4096},
    {"architecture": "real_mlp", "inputs": 1, "width": 2, "outputs": 1, "f": [2, 10**9]},
    {"architecture": "transformer", "vocabulary": 5, "width": 4, "layers": 10**9},
    {"architecture": [], "width": 4}, {"architecture": "perceptron", "sizes": [10**9, 10**9, 1]},
])  # fmt: skip
def test_no_memory_is_taken_for_a_network_that_the_file_does_not_hold(said, tmp_path):
    _said(tmp_path / "a", said)
    with pytest.raises(SymscopeError):
        load_network(tmp_path / "a")


@pytest.mark.parametrize("kind", ["rotation", "mask", "linear", "pca", "dictionary"])
def test_no_memory_is_taken_for_coordinates_that_the_file_does_not_hold(kind, tmp_path):
    size = {"kind": kind, "width": 10**7, "size": 10**7}
    _said(tmp_path / "a", {"program": "a", "featurizers": [size], "handles": {}})
    with pytest.raises(SymscopeError, match=f"{kind} of 10000000"):
        Alignment.load(tmp_path / "a")


def test_layers_of_sizes_that_do_not_join_take_no_memory():
    wide = {"f.0.weight": torch.ones(10**6, 3), "f.0.bias": torch.ones(10**6),
            "f.2.weight": torch.ones(1, 1), "f.4.weight": torch.ones(2, 1),
            "g.0.weight": torch.ones(1, 2), "g.0.bias": torch.ones(1)}  # fmt: skip
    with pytest.raises(SymscopeError, match=r"f\.2\.weight"):
        from_published(wide)


def test_a_decoder_of_other_features_takes_no_memory(tmp_path):
    weights = {"encoder": torch.ones(1, 10**6), "decoder": torch.ones(1, 10**6)}
    with pytest.raises(SymscopeError, match="other features"):
        filled("transcoder", weights, tmp_path, None, False)


@pytest.mark.parametrize("header", [(4, 4, 10**9, 1, 1, 0, 1), (0,) * 7, (8, 8, 2, 0, 1, 5, 5),
                                    (10**6, 10**6, 99, 2, 2, 10**6, 9)])  # fmt: skip
def test_a_llama2c_header_is_not_believed(header, tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "a.bin").write_bytes(HEADER.pack(*header) + b"\0" * 7)
    with pytest.raises(SymscopeError, match=r"its header says|cut off"):
        load_llama2c(tmp_path / "a.bin")
    (tmp_path / "b.bin").write_bytes(b"\0" * 8 + b"\xff" * 9)
    with pytest.raises(SymscopeError, match="no llama2"):
        vocabulary(tmp_path / "b.bin")


@pytest.mark.parametrize(
    "trainer", [{"dict_class": []}, {"dict_class": "AutoEncoderTopK", "k": {}}]
)
def test_a_folder_of_dictionary_learning_with_odd_settings_is_refused(trainer, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"trainer": trainer}))
    state = {"encoder.weight": torch.ones(4, 3), "encoder.bias": torch.ones(4),
             "decoder.weight": torch.ones(3, 4), "b_dec": torch.ones(3)}  # fmt: skip
    torch.save(state, tmp_path / "ae.pt")
    with pytest.raises(SymscopeError):
        read_dictionary_learning(tmp_path)


def _state(path, said, spoil=lambda optimiser: None):
    module = Perceptron((2, 3, 1))
    optimiser = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    spoil(optimiser)
    keep(path, module, optimiser, said)
    return restore(path, module, optimiser, {"seed": 0}, {"history": [{"loss": 0.0}]})


def _narrow(optimiser):
    first = next(iter(optimiser.state.values()))
    first["exp_avg"] = torch.ones(1)


@pytest.mark.parametrize("said", [{}, {"history": 3}, {"history": []}, {"history": [{}]},
                                  {"history": [{"loss": "a"}]}])  # fmt: skip
def test_a_state_that_says_something_else_is_refused(said, tmp_path):
    assert _state(tmp_path / "a", {"seed": 0, "history": [{"loss": 1.0}]})["seed"] == 0
    with pytest.raises(SymscopeError, match="not the state of this training"):
        _state(tmp_path / "a", {"seed": 0, **said})


def test_moments_of_another_shape_are_refused(tmp_path):
    with pytest.raises(SymscopeError, match="exp_avg has shape"):
        _state(tmp_path / "a", {"seed": 0, "history": [{"loss": 1.0}]}, _narrow)


@pytest.mark.parametrize("text", ["(1, 2) * 1000000000", "2 ^ 1.5", "1 + (3, 4)"])
def test_what_python_would_compute_at_any_cost_is_refused(text):
    with pytest.raises(SymscopeError):
        evaluate(parse(text), {})


def test_a_constant_that_no_tensor_holds_is_refused_in_a_file_and_kept_in_proofs():
    with pytest.raises(SymscopeError, match="too large"):
        parse("1e999")
    assert evaluate(parse(str(2**200)), {}) == 2**200
    large = re.sub(r"% \d+", f"% {2**63}", SOURCE)
    with pytest.raises(SymscopeError, match="63 bits"):
        program_in(large)


TITLE = SOURCE.split(":", 1)[0]


@pytest.mark.parametrize(("before", "after"), [
    (TITLE, '"""../../../tmp/x'), ("'remainder'", "'../../x'"),
    ("INPUTS = {", "K = 'a'\nINPUTS = {"), ("INPUTS = {", "INPUTS = {'../../y': (0, 1), "),
    ("INPUTS = {", "INPUTS = {1: (0, 1), "), ("def step", "x" * 200_001 + "\ndef step"),
])  # fmt: skip
def test_a_program_with_a_path_for_a_name_or_a_text_for_a_number_is_refused(before, after):
    assert before in SOURCE
    with pytest.raises(SymscopeError):
        program_in(SOURCE.replace(before, after))


def test_an_alignment_is_kept_inside_its_run(tmp_path):
    path = alignment_part(tmp_path, "../../x", "a/../../b")
    assert path.parent == tmp_path / "alignments" and "/" not in path.name


def test_a_program_of_very_many_assignments_is_refused():
    with pytest.raises(NotAProgram, match="can be followed"):
        parsed("a=5;" * 2000 + "#a:", Alphabet())


ARGUMENTS = {
    "width": ["train", "multi", "--width", "166670669"],
    "highest": ["train", "multi", "--highest", "1000000000000"],
    "seed": ["train", "multi", "--seed", str(10**30)],
    "hidden": ["generate", "l1_norm", "--hidden", "9999999,9999999"],
    "digits": ["generate", "l1_norm", "--hidden", "9" * 5000],
    "draws": ["generate", "l1_norm", "--draws", str(10**15)],
    "seconds": ["extract", "nowhere", "--task", "div_3", "--seconds", "nan"],
    "jobs": ["demo", "--jobs", str(10**9)],
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_a_number_beyond_all_bounds_is_refused_before_the_work(case, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert quietly(*ARGUMENTS[case]) == 2
    assert not list(tmp_path.iterdir())


def test_a_part_that_only_looks_like_a_number_is_a_name():
    assert site_of("rnn", "²").part == "²" and site_of("rnn", "1").part == 1


def test_words_for_a_person_are_one_line_without_signs_that_a_terminal_obeys():
    assert one_line("a\x1b[2J\u2028b\u202e\n c") == "a\\x1b[2J b\\u202e c"
    assert outcome(SymscopeError("a\x1b\nb")) == (2, "a\\x1b b")


def test_memory_that_torch_cannot_get_is_said_so():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**50)
    assert "out of memory" in outcome(caught.value)[1]


def test_a_folder_that_is_elsewhere_is_not_emptied_with_a_run(tmp_path):
    other, run = tmp_path / "other", tmp_path / "run"
    other.mkdir()
    (other / "thesis.tex").write_text("years of work")
    opened(run, described("train", 0))
    (run / "checkpoints").symlink_to(other)
    opened(run, described("train", 0), force=True)
    assert (other / "thesis.tex").exists() and not (run / "checkpoints").exists()


def test_a_width_that_no_machine_has_is_refused():
    with pytest.raises(SymscopeError, match="4,096"):
        build("gru", 5, 10**7)


def test_a_language_model_without_its_weights_is_no_random_one(tmp_path):
    pytest.importorskip("transformers")
    (tmp_path / "config.json").write_text(
        json.dumps({"model_type": "gpt2", "n_embd": 4, "n_layer": 1, "n_head": 1, "vocab_size": 9})
    )
    save_file({"a": torch.ones(2)}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(SymscopeError, match=r"its files hold \d+ bytes"):
        pretrained(tmp_path)
    save_file({"a": torch.ones(2000)}, tmp_path / "model.safetensors", {"format": "pt"})
    with pytest.raises(SymscopeError, match=r"lacks \d+ weights"):
        pretrained(tmp_path)
    os.mkfifo(tmp_path / "tokenizer.json")
    with pytest.raises(SymscopeError, match="a pipe or a device"):
        pretrained(tmp_path)


def test_code_that_comes_with_a_model_is_not_even_asked_about(tmp_path, monkeypatch):
    pytest.importorskip("transformers")
    auto = {"auto_map": {"AutoConfig": "code.A"}, "model_type": "odd"}
    (tmp_path / "config.json").write_text(json.dumps(auto))
    (tmp_path / "code.py").write_text("class A: pass")
    save_file({"a": torch.ones(2)}, tmp_path / "model.safetensors", {"format": "pt"})
    asked = []
    monkeypatch.setattr("builtins.input", lambda text="": asked.append(text) or "y")
    with pytest.raises(SymscopeError, match="custom code"):
        pretrained(tmp_path)
    assert not asked

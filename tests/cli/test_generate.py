"""`symscope generate`: a network with its page, other dials and sizes of a run, bad input."""

import pytest
import torch

from symscope.cli import main
from symscope.generate import training
from symscope.models.load import load_network
from symscope.models.perceptron import Perceptron

SECONDS = ("l1_norm", "--inputs", "2", "--hidden", "6", "--steps", "40", "--draws", "2")


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    place = tmp_path_factory.mktemp("generate") / "run"
    assert main(["generate", *SECONDS, "--out", str(place)]) == 0
    return place


def test_a_run_holds_the_hypernetwork_the_network_and_a_page(run):
    module, config = load_network(run / "network.safetensors")
    assert isinstance(module, Perceptron) and module.sizes == (2, 6, 1)
    assert config == {"architecture": "perceptron", "sizes": [2, 6, 1]}
    assert (run / "hypernetwork.safetensors").exists()
    page = (run / "report.html").read_text()
    assert "Networks written for l1_norm_2" in page and "generate.l1_norm_2.loss" in page


def test_the_loss_stands_beside_what_needs_no_insight(run, told):
    code, found, _ = told("generate", *SECONDS, "--out", run, "--resume", "--beta", "1e-2")
    record = found["evidence"][0]
    assert code == 0 and record["config"]["beta"] == 0.01 and record["n"] == 100_000
    assert {"constant", "linear", "radial", "mean of all draws"} <= set(record["controls"])
    assert record["low"] < record["score"] < record["high"]
    assert record["config"]["algorithm"] and record["config"]["reasons"]


def test_other_sizes_are_written_by_the_decoder_alone(run, told):
    code, found, _ = told("generate", *SECONDS, "--out", run, "--resume", "--written", "3,7")
    assert code == 0 and found["evidence"][0]["claim"] == "generate.l1_norm_3.loss"
    assert found["evidence"][0]["config"]["sizes"] == [3, 7, 1]
    assert found["evidence"][0]["config"]["nats"] == 0


def test_a_beta_out_of_range_is_said_and_used(run, capsys):
    assert main(["generate", *SECONDS, "--out", str(run), "--resume", "--beta", "100"]) == 0
    out, err = capsys.readouterr()
    assert "beta 100 is extrapolated: it was trained on 1e-12 to 1" in err
    assert "nats at beta 100" in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["l1_norm", "--beta", "0"], "--beta 0.0: a positive number"),
        (["l1_norm", "--beta", "nan"], "a positive number"),
        (["l1_norm", "--hidden", "many"], "--hidden 'many'"),
        (["l1_norm", "--hidden", "0"], "one hidden layer or more"),
        (["l2_norm"], "'l1_norm', 'sum_of_squares'"),
        (["maximum", "--inputs", "5"], "maximum has 2 inputs, not 5"),
        ([*SECONDS, "--written", "3"], "--written"),
        ([*SECONDS, "--written", "3,0"], "one hidden layer or more"),
        (["maximum", "--written", "5,9"], "maximum has 2 inputs, not 5"),
        (["l1_norm", "--beta", "inf"], "a positive number"),
    ],
)
def test_bad_input_is_refused_in_a_line(arguments, said, tmp_path, capsys):
    assert main(["generate", *arguments, "--out", str(tmp_path / "run")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_too_few_hidden_units_for_an_algorithm_are_said(tmp_path, capsys):
    few = ["l1_norm", "--inputs", "3", "--hidden", "3", "--steps", "2", "--draws", "1"]
    assert main(["generate", *few, "--out", str(tmp_path / "run")]) == 0
    assert "pudding needs 4, double-sided 6" in capsys.readouterr().err


def test_a_loss_that_is_no_number_exits_with_3_and_says_the_step(tmp_path, capsys, monkeypatch):
    broken = lambda count, _: torch.full((count,), float("nan"))  # noqa: E731
    monkeypatch.setattr(training, "drawn_betas", broken)
    assert main(["generate", *SECONDS, "--out", str(tmp_path / "run")]) == 3
    assert "at step 1" in capsys.readouterr().err


def test_a_run_of_other_sizes_is_not_gone_on_with(run, capsys):
    other = [*SECONDS[:4], "7", *SECONDS[5:]]
    assert main(["generate", *other, "--out", str(run), "--resume"]) == 2
    assert "was made with sizes [2, 6, 1], not [2, 7, 1]" in capsys.readouterr().err

"""Files made to do harm do none; the same files harm readers without defences."""

import pytest
import torch

from reliability.malicious import of_malice
from reliability.malicious_files import Harm, packed, weights
from symscope.evidence import SymscopeError
from symscope.models.load import load_weights


@pytest.mark.filterwarnings("default")
def test_files_made_to_do_harm_do_none(tmp_path):
    (evidence,) = of_malice(tmp_path, every=11)
    assert evidence.score == 1, evidence.note
    assert evidence.controls["without_defences"] < 0.5


def test_what_would_run_runs_where_nothing_is_defended(tmp_path):
    torch.save(Harm(tmp_path / "ran"), tmp_path / "a.pt")
    torch.load(tmp_path / "a.pt", weights_only=False)
    assert (tmp_path / "ran").exists()


def test_a_packed_zip_file_and_a_tensor_larger_than_its_file_are_refused(tmp_path):
    (tmp_path / "a.pt").write_bytes(packed(10**7))
    with pytest.raises(SymscopeError, match="packed zip file"):
        load_weights(tmp_path / "a.pt")
    torch.save({"a": torch.ones(1).expand(2**40)}, tmp_path / "b.pt")
    with pytest.raises(SymscopeError, match="larger than the file"):
        load_weights(tmp_path / "b.pt")


def test_there_is_a_file_of_each_kind(tmp_path):
    assert len(weights(tmp_path)) >= 15

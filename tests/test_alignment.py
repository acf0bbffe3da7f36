"""Alignments as files: whole, checked, and never code."""

import json
import pickle
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from laws import FEATURIZERS, SAMPLES, WIDTH, draws
from symscope.alignment import Alignment, Handle
from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.features.dictionaries import METHODS
from symscope.features.dictionaries.methods import empty
from symscope.featurizer import Rotation
from symscope.site import Site

SITES = (
    Site("rnn", "state"),
    Site("blocks.1", position=-2),
    Site("rnn", "c", position=(1, 0, 3), units=(4, 2)),
    Site("a", 1, units=range(1, 3), head=(1, 2)),
)


@pytest.mark.parametrize("name", FEATURIZERS)
def test_what_was_saved_is_what_is_loaded(name, tmp_path):
    featurizer = FEATURIZERS[name]()
    handles = {f"v{i}": Handle(site, featurizer, (0, 1)) for i, site in enumerate(SITES)}
    Alignment("up_down", handles).save(tmp_path / "alignment.safetensors")
    loaded = Alignment.load(tmp_path / "alignment.safetensors")
    assert loaded.program == "up_down" and list(loaded.handles) == list(handles)
    base, source = draws(SAMPLES, WIDTH, seed=1), draws(SAMPLES, WIDTH, seed=2)
    for variable, handle in handles.items():
        found = loaded[variable]
        assert (str(found.site), found.site.position) == (str(handle.site), handle.site.position)
        assert found.coordinates == (0, 1) and type(found.featurizer) is type(featurizer)
        swaps = [f.swap(base, source, [1]) for f in (found.featurizer, featurizer)]
        assert torch.equal(*swaps)


def dictionary(method):
    """One with other weights than it starts with, and a configuration that is not the default."""
    outputs = WIDTH + 1 if method == "transcoder" else None
    sparsity = None if METHODS[method].sparsity is None else 2
    found = empty(WIDTH, 4, method, sparsity, outputs)
    with torch.no_grad():
        for number, weight in enumerate(found.parameters()):
            weight += draws(*weight.shape, seed=number)
    return found


@pytest.mark.parametrize("method", METHODS)
def test_an_alignment_to_features_of_a_dictionary_is_what_is_loaded(method, tmp_path):
    featurizer = dictionary(method)
    handles = {"count": Handle(SITES[1], featurizer, (2, 0)),
               "phase": Handle(SITES[1], featurizer, (3,))}  # fmt: skip
    Alignment("up_down", handles).save(tmp_path / "a")
    loaded = Alignment.load(tmp_path / "a")
    found = loaded["count"].featurizer
    assert found is loaded["phase"].featurizer and loaded["count"].coordinates == (2, 0)
    assert found.config() == featurizer.config()
    vectors = draws(SAMPLES, WIDTH, seed=5)
    codes = featurizer.encode(vectors)
    assert bool(codes.any()) and torch.equal(found.encode(vectors), codes)
    assert torch.equal(found.decode(codes), featurizer.decode(codes))


def test_a_dictionary_stands_beside_other_featurizers_in_a_file(tmp_path):
    handles = {"count": Handle(SITES[0], dictionary("topk"), (1,)),
               "phase": Handle(SITES[0], Rotation(WIDTH, 2), (1,))}  # fmt: skip
    Alignment("p", handles).save(tmp_path / "a")
    loaded = Alignment.load(tmp_path / "a")
    base, source = draws(SAMPLES, WIDTH, seed=1), draws(SAMPLES, WIDTH, seed=2)
    for variable, handle in handles.items():
        swaps = [
            f.swap(base, source, [1]) for f in (loaded[variable].featurizer, handle.featurizer)
        ]
        assert torch.equal(*swaps)


def test_alignments_are_read_in_a_process_that_knows_no_dictionaries_yet(tmp_path):
    Alignment("p", {"count": Handle(SITES[0], dictionary("relu"), (1,))}).save(tmp_path / "a")
    child = ("import sys; from symscope.alignment import Alignment;"
             " assert not [m for m in sys.modules if m.startswith('symscope.features.dict')];"
             " print(type(Alignment.load(sys.argv[1])['count'].featurizer).__name__)")  # fmt: skip
    ran = subprocess.run([sys.executable, "-c", child, str(tmp_path / "a")], capture_output=True,
                         text=True, check=True)  # fmt: skip
    assert ran.stdout == "Dictionary\n"


def test_variables_that_shared_a_featurizer_share_it_again(tmp_path):
    one, other = Rotation(WIDTH, 3), Rotation(WIDTH, 2, seed=1)
    handles = {
        "count": Handle(SITES[0], one, (0, 2)),
        "phase": Handle(SITES[0], one, (1,)),
        "third": Handle(SITES[0], other, (0,)),
    }
    Alignment("p", handles).save(tmp_path / "a")
    loaded = Alignment.load(tmp_path / "a")
    assert loaded["count"].featurizer is loaded["phase"].featurizer
    assert loaded["third"].featurizer is not loaded["phase"].featurizer


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "alignment.safetensors"
    Alignment("p", {"count": Handle(SITES[0], Rotation(WIDTH, 2), (0,))}).save(path)
    return path


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
def test_a_truncated_file_is_refused(saved, share):
    whole = saved.read_bytes()
    saved.write_bytes(whole[: int(share * len(whole))])
    with pytest.raises(SymscopeError, match="is not an alignment"):
        Alignment.load(saved)


def test_every_damaged_header_is_refused_or_read(saved):
    whole = saved.read_bytes()
    start = whole.index(b"__metadata__")
    for place in range(start, whole.index(b"}", start), 7):
        saved.write_bytes(whole[:place] + b"\xff" + whole[place + 1 :])
        with pytest.raises(SymscopeError, match="is not an alignment"):
            Alignment.load(saved)


def _described(path, **changes):
    description = {
        "program": "p",
        "featurizers": [{"kind": "identity", "width": 2, "size": 2}],
        "handles": {"x": {"site": {"module": "a"}, "featurizer": 0, "coordinates": [0]}},
    }
    metadata = {"symscope": json.dumps({**description, **changes})}
    save_file({"0.unused": torch.zeros(1)} if "extra" in changes else {}, path, metadata=metadata)
    return path


def test_a_file_written_by_hand_is_read(tmp_path):
    assert Alignment.load(_described(tmp_path / "a"))["x"].site == Site("a")


@pytest.mark.parametrize(
    "changes",
    [
        {"featurizers": [{"kind": "os.system", "width": 2, "size": 2}]},
        {"featurizers": [{"kind": "identity", "width": 2, "size": 2, "command": 1}]},
        {"featurizers": [{"kind": "rotation", "width": 2, "size": 1}]},
        {"featurizers": [{"kind": "dictionary", "width": 2, "size": 1, "method": "os.system"}]},
        {"featurizers": [{"kind": "dictionary", "width": 2, "size": 1, "method": "pca"}]},
        {"featurizers": [3]},
        {"featurizers": None},
        {"handles": {"x": {"site": {"module": "a"}, "featurizer": 1, "coordinates": [0]}}},
        {"handles": {"x": {"site": {"module": "a"}, "featurizer": 0, "coordinates": [5]}}},
        {"handles": {"x": {"site": {"modul": "a"}, "featurizer": 0, "coordinates": [0]}}},
        {"handles": [1]},
        {"extra": 1},
    ],
)
def test_a_file_that_describes_something_else_is_refused(tmp_path, changes):
    with pytest.raises(SymscopeError):
        Alignment.load(_described(tmp_path / "a", **changes))


def test_weights_without_a_description_are_refused(tmp_path):
    save_file({"0.weight": torch.zeros(2, 2)}, tmp_path / "a")
    with pytest.raises(SymscopeError, match="is not an alignment"):
        Alignment.load(tmp_path / "a")


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(SymscopeError, match="no alignment file"):
        Alignment.load(tmp_path / "nowhere")
    with pytest.raises(SymscopeError, match="is a directory"):
        Alignment.load(tmp_path)


class Bomb:
    """Writes a file as soon as it is unpickled."""

    def __init__(self, mark: Path):
        self.mark = mark

    def __reduce__(self):
        return Path.touch, (self.mark,)


@pytest.mark.parametrize("write", [pickle.dump, torch.save])
def test_a_pickle_is_refused_and_not_run(tmp_path, write):
    mark, path = tmp_path / "ran", tmp_path / "alignment.safetensors"
    with path.open("wb") as file:
        write(Bomb(mark), file)
    with pytest.raises(SymscopeError, match="is not an alignment"):
        Alignment.load(path)
    assert not mark.exists()
    if write is pickle.dump:  # it is a bomb
        pickle.loads(path.read_bytes())
        assert mark.exists()


@pytest.mark.parametrize("coordinates", [(), (2,), (-1,), (0, 5)])
def test_a_handle_needs_coordinates_that_are_there(coordinates):
    with pytest.raises(SymscopeError, match="not among the 2"):
        Handle(SITES[0], Rotation(WIDTH, 2), coordinates)


def test_a_variable_that_is_not_aligned_is_refused_with_those_that_are():
    alignment = Alignment("p", {"count": Handle(SITES[0], Rotation(WIDTH, 2), (0,))})
    with pytest.raises(UnknownName, match="'phase'; there is 'count'"):
        alignment["phase"]

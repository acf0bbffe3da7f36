"""Files of weights of every kind, damaged or with other words in them, through every loader."""

import io
import json
import pickle
import pickletools
import struct
import zipfile
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from reliability.fuzz_documents import VALUES, changed_at, paths_in
from reliability.fuzz_watch import counted, of_reader
from symscope.alignment import Alignment, Handle
from symscope.evidence import Evidence
from symscope.features.dictionaries import load_dictionary, save_dictionary
from symscope.features.dictionaries.methods import empty
from symscope.featurizer import PCA, Mask, Rotation
from symscope.generate.files import load_hypernetwork, save_hypernetwork
from symscope.generate.hypernetwork import Hypernetwork
from symscope.models.load import build, load_network, load_weights, save_network
from symscope.models.perceptron import Perceptron
from symscope.models.real_rnn import build_real
from symscope.site import Site
from symscope.studies.programs.extraction import network_in
from symscope.train_state import keep, restore

DTYPES = ("F32", "F64", "F16", "BF16", "I64", "I32", "U8", "BOOL", "F8_E4M3", "C64", "X9", "f32")
"""What a header may say of a tensor, and some that it may not."""


def _trained(path: Path) -> tuple[nn.Module, torch.optim.Optimizer]:
    """A network that made one step, and its optimiser."""
    module = Perceptron((2, 3, 1))
    optimiser = torch.optim.Adam(module.parameters())
    module(torch.ones(1, 2)).sum().backward()
    optimiser.step()
    return module, optimiser


def _restored(path: Path) -> object:
    module, optimiser = _trained(path)
    form = {"history": [{"epoch": 1, "loss": 0.0, "seconds": 0.0}]}
    said = restore(path, module, optimiser, {"seed": 0}, form)
    optimiser.step()
    return sum(h["seconds"] for h in said["history"])


def _aligned(path: Path) -> object:
    found = Alignment.load(path)
    for handle in found.handles.values():
        handle.featurizer.encode(torch.zeros(1, handle.featurizer.width))
    return str(found)


def safetensors(folder: Path) -> dict[str, tuple[bytes, str, Callable[[Path], object]]]:
    """Kind → a valid file, the name it is read by, and its loader."""
    folder.mkdir(exist_ok=True)
    path = folder / "made.safetensors"

    def made(write: Callable[[Path], object]) -> bytes:
        write(path)
        return path.read_bytes()

    def stated(path: Path) -> None:
        said = {"seed": 0, "history": [{"epoch": 1, "loss": 1.0, "seconds": 1.0}]}
        keep(path, *_trained(path), said)

    turn = Rotation(4, 2)
    aligned = Alignment("up_down", {
        "count": Handle(Site("rnn", "state"), turn, (0,)), "a": Handle(Site("a"), turn, (1,)),
        "b": Handle(Site("b", units=(0, 1)), PCA(3, 2), (0,)),
        "c": Handle(Site("c"), Mask(3, 1), (0,)),
    })  # fmt: skip
    rnn = {"architecture": "gru", "vocabulary": 5, "width": 2}
    mlp = {"architecture": "real_mlp", "inputs": 1, "width": 2, "outputs": 1, "f": (3, 2)}
    layers = {"architecture": "transformer", "vocabulary": 5, "width": 4, "layers": 1}
    wide = {"architecture": "perceptron", "sizes": (2, 3, 1)}
    published = {"f.0.weight": torch.ones(3, 3), "f.0.bias": torch.ones(3),
                 "f.2.weight": torch.ones(2, 3), "f.2.bias": torch.ones(2),
                 "g.0.weight": torch.ones(1, 2), "g.0.bias": torch.ones(1)}  # fmt: skip
    named = "made.safetensors"
    return {
        "gru": (made(lambda p: save_network(p, build(**rnn), rnn)), named, load_network),
        "transformer": (made(lambda p: save_network(p, build(**layers), layers)), named,
                        load_network),
        "real_mlp": (made(lambda p: save_network(p, build_real(**mlp), mlp)), named, network_in),
        "perceptron": (made(lambda p: save_network(p, Perceptron((2, 3, 1)), wide)), named,
                       load_network),
        "weights": (made(lambda p: save_file({"a": torch.ones(2, 3)}, p)), named, load_weights),
        "published": (made(lambda p: save_file(published, p)), named, network_in),
        "alignment": (made(aligned.save), named, _aligned),
        "state": (made(stated), named, _restored),
        "hypernetwork": (made(lambda p: save_hypernetwork(p, Hypernetwork((2, 2, 1)), "l1")),
                         named, load_hypernetwork),
        "dictionary": (made(lambda p: save_dictionary(p, empty(3, 4, "relu"))), named,
                       load_dictionary),
    }  # fmt: skip


def parted(whole: bytes) -> tuple[dict[str, Any], bytes]:
    """Header and numbers of a safetensors file; what symscope said in it as a document."""
    (size,) = struct.unpack("<Q", whole[:8])
    header = json.loads(whole[8 : 8 + size])
    if "symscope" in header.get("__metadata__", {}):
        header["__metadata__"]["symscope"] = json.loads(header["__metadata__"]["symscope"])
    return header, whole[8 + size :]


def joined(header: Any, numbers: bytes, length: int | None = None) -> bytes:
    """The file with this header, which may claim another length."""
    if isinstance(header, dict) and isinstance(header.get("__metadata__"), dict):
        said = header["__metadata__"]
        if "symscope" in said:
            text = json.dumps(said["symscope"])
            header = {**header, "__metadata__": {**said, "symscope": text}}
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length % 2**64) + text + numbers


def headers(whole: bytes) -> st.SearchStrategy[bytes]:
    header, numbers = parted(whole)
    odd = st.one_of(VALUES, st.sampled_from([*DTYPES, [2**60], [2**62, 4], [0], [-1], [1, 2, 3],
                                             [0, 2**63], 10**6, 10**9, "../../etc/x"]))  # fmt: skip

    def several(changes: list[tuple[tuple[Any, ...], Any]]) -> bytes:
        document: Any = header
        for path, value in changes:
            if path in paths_in(document):
                document = changed_at(document, path, value)
        return joined(document, numbers)

    at = st.sampled_from(paths_in(header))
    changed = st.lists(st.tuples(at, odd), min_size=1, max_size=3).map(several)
    lengths = st.one_of(st.integers(0, 2**64 - 1), st.integers(0, 4000))
    return st.one_of(changed, changed, changed, lengths.map(partial(joined, header, numbers)))


def bytes_changed(whole: bytes) -> st.SearchStrategy[bytes]:
    """Bytes that were flipped, cut off, doubled or put in."""

    def change(text: bytes, edit: tuple[int, int, bytes]) -> bytes:
        at, length, new = edit
        at %= len(text) + 1
        return text[:at] + new + text[at + length :]

    edits = st.tuples(st.integers(0, 10**7), st.integers(0, 40), st.binary(max_size=8))
    several = st.lists(edits, min_size=1, max_size=3)
    return st.one_of(several.map(lambda many: _all(change, whole, many)),
                     st.integers(0, len(whole)).map(lambda n: whole[:n]))  # fmt: skip


def _all(change: Callable[[bytes, Any], bytes], text: bytes, many: list[Any]) -> bytes:
    for one in many:
        text = change(text, one)
    return text


def torch_files() -> dict[str, bytes]:
    """A state dict as torch writes it: a zip file, and the older pickle."""
    found = {}
    for name, zipped in (("zip", True), ("pickle", False)):
        held = io.BytesIO()
        state = {"a": torch.ones(2, 3), "b": torch.arange(4), "c": torch.ones(2).half()}
        torch.save(state, held, _use_new_zipfile_serialization=zipped)
        found[name] = held.getvalue()
    return found


def _pickled(whole: bytes) -> st.SearchStrategy[bytes]:
    """The zip with its pickle changed: opcodes and arguments that torch did not write."""
    with zipfile.ZipFile(io.BytesIO(whole)) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    name = next(n for n in parts if n.endswith("data.pkl"))
    codes = [op.code.encode("latin1") for op in pickletools.opcodes]
    made = st.lists(st.one_of(st.sampled_from(codes), st.binary(max_size=5)), max_size=12)
    texts = st.one_of(
        bytes_changed(parts[name]), made.map(b"".join).map(lambda b: b"\x80\x02" + b + b".")
    )

    def written(text: bytes) -> bytes:
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w") as file:
            for other, content in {**parts, name: text}.items():
                file.writestr(other, content)
        return held.getvalue()

    return texts.map(written)


def of_weights(count: int, folder: Path, seed: int = 0) -> list[Evidence]:
    """`count` safetensors files of all kinds, and `count` of torch, each read by its loader."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    kinds = safetensors(folder / "weights")
    first = st.one_of(*(
        st.tuples(st.just(kind), st.one_of(headers(whole), bytes_changed(whole)))
        for kind, (whole, _, _) in kinds.items()
    ))  # fmt: skip
    pickles = torch_files()
    second = st.one_of(
        bytes_changed(pickles["zip"]), _pickled(pickles["zip"]), bytes_changed(pickles["pickle"])
    )
    return [
        counted("weights.safetensors", first, lambda c: _read(kinds, c, folder), count, seed,
                {"trusting_the_header": lambda c: trusting(c[1])}),
        counted("weights.torch", second, lambda text: _torch(text, folder), count, seed,
                {"pickle_alone": _unpickled}),
    ]  # fmt: skip


def _read(kinds: Mapping[str, Any], case: tuple[str, bytes], folder: Path) -> str:
    _, name, load = kinds[case[0]]
    path = folder / "weights" / name
    path.write_bytes(case[1])
    wrong = of_reader(lambda: load(path), folder)
    return f"{case[0]}: {wrong}" if wrong else ""


def _torch(text: bytes, folder: Path) -> str:
    path = folder / "weights" / "made.pt"
    path.write_bytes(text)
    return of_reader(lambda: load_weights(path), folder) or of_reader(
        lambda: network_in(path), folder
    )


def trusting(text: bytes) -> str:
    """A reader that believes what the header says."""
    try:
        header, numbers = parted(text)
        for name, told in header.items():
            if name != "__metadata__":
                first, last = told["data_offsets"]
                torch.frombuffer(bytearray(numbers[first:last]), dtype=torch.float32).view(
                    told["shape"]
                )
        return ""
    except Exception as error:
        return type(error).__name__


def _unpickled(text: bytes) -> str:
    """Python's own reader of the older form, without a list of what is allowed."""
    try:
        pickle.loads(text)  # of bytes that were changed at random, not of an attacker's
        return ""
    except Exception as error:
        return type(error).__name__

"""Files made to do harm, of every kind that symscope reads, and folders with such in them."""

import io
import json
import os
import pickle
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from reliability.fuzz_programs import NASTY, SOURCES
from reliability.fuzz_weights import joined

SENTINEL = "ran"
"""The file that harmful code would make."""


class Harm:
    """What runs code as soon as it is unpickled."""

    def __init__(self, place: Path):
        self.place = place

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.place),)


def _safetensors(folder: Path, name: str, header: Any, numbers: bytes = b"") -> Path:
    path = folder / name
    path.write_bytes(joined(header, numbers))
    return path


def _tensor(shape: list[int], end: int = 0, dtype: str = "F32") -> dict[str, Any]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}


def _said(**said: Any) -> dict[str, Any]:
    return {"__metadata__": {"symscope": said}}


def weights(folder: Path) -> dict[str, Path]:
    """Files that stand for networks and alignments."""
    place = folder / SENTINEL
    for name, zipped in (("pickle.pt", False), ("zipped.pth", True)):
        torch.save({"a": Harm(place)}, folder / name, _use_new_zipfile_serialization=zipped)
    (folder / "plain.bin").write_bytes(pickle.dumps(Harm(place)))
    (folder / "renamed.safetensors").write_bytes(pickle.dumps(Harm(place)))
    (folder / "bomb.pt").write_bytes(packed())
    (folder / "long.safetensors").write_bytes(struct.pack("<Q", 2**40) + b"{}")
    (folder / "nested.safetensors").write_bytes(
        struct.pack("<Q", 200_000) + b"[" * 100_000 + b"]" * 100_000
    )
    torch.save({"a": torch.ones(1).expand(2**40)}, folder / "expanded.pt")
    layer = {"a": _tensor([1], 4)}
    _safetensors(folder, "huge.safetensors", {"a": _tensor([2**60])})
    _safetensors(folder, "overflow.safetensors", {"a": _tensor([2**62, 4])})
    _safetensors(folder, "many.safetensors", {f"a{i}": _tensor([0]) for i in range(50_000)})
    _safetensors(folder, "metadata.safetensors", {
        "__metadata__": {"symscope": pickle.dumps(Harm(place), 0).decode("latin1")}, **layer,
    }, b"\0" * 4)  # fmt: skip
    wide = {"architecture": "gru", "vocabulary": 10**9, "width": 4096}
    deep = {"architecture": "real_mlp", "inputs": 1, "width": 2, "outputs": 1, "f": [2, 10**9]}
    _safetensors(folder, "wide.safetensors", {**_said(**wide), **layer}, b"\0" * 4)
    _safetensors(folder, "deep.safetensors", {**_said(**deep), **layer}, b"\0" * 4)
    sizes = {"sizes": [10**5, 10**5, 1], "wavelength": 1.0, "task": "a"}
    _safetensors(folder, "written.safetensors", {**_said(**sizes), **layer}, b"\0" * 4)
    turn = {"program": "../../x", "featurizers": [{"kind": "rotation", "width": 10**6,
                                                  "size": 10**6}], "handles": {}}  # fmt: skip
    _safetensors(folder, "rotation.safetensors", {**_said(**turn), **layer}, b"\0" * 4)
    save_file({"../../../ran": torch.ones(2), "/tmp/ran": torch.ones(2)}, folder / "up.safetensors")
    return {p.name: p for p in sorted(folder.iterdir()) if p.is_file()}


def packed(size: int = 6 * 10**8) -> bytes:
    """A zip file in torch's layout whose pickle is packed: `size` bytes of nothing."""
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        nothing = zipfile.ZipInfo("bomb/data.pkl")
        nothing.compress_type = zipfile.ZIP_DEFLATED
        with file.open(nothing, "w") as part:
            for _ in range(size // 10**7):
                part.write(bytes(10**7))
        file.writestr("bomb/version", "3\n")
    packed = held.getvalue()
    with zipfile.ZipFile(io.BytesIO(packed)) as file:
        assert file.infolist()[0].file_size == size
    return packed


def documents() -> dict[str, bytes]:
    """Texts that stand for config.json or evidence.json."""
    laugh: Any = "ha"
    for _ in range(16):
        laugh = [laugh] * 2
    return {
        "nested": b"[" * 100_000 + b"]" * 100_000, "half_nested": b'{"a":' * 100_000,
        "long": b"[" + b"[]," * 5_000_000 + b"[]]", "digits": b"9" * 10_000_000,
        "infinite": b'{"seed": Infinity}', "exponent": b'[{"score": 1e999}]',
        "laughs": json.dumps(laugh).encode(), "spaces": b" " * 70_000_000 + b"{}",
        "path": json.dumps({"task": "../../x", "architecture": "../../ran", "seed": 0}).encode(),
        "escape": b'{"task": "\\u001b[2J\\u202e", "seed": 0}', "twice": b'{"seed": 0, "seed": 1}',
    }  # fmt: skip


def oddities(run: Path) -> dict[str, Callable[[], object]]:
    """What may stand in the place of a run's file instead of a file."""

    def loop(path: Path) -> None:
        path.symlink_to(path.name)

    def ends(path: Path, target: str) -> None:
        path.symlink_to(target)

    made: dict[str, Callable[[], object]] = {}
    for name in ("config.json", "evidence.json", "network.safetensors", "extracted.py"):
        path = run / name
        for kind, make in (("pipe", os.mkfifo), ("loop", loop), ("folder", Path.mkdir),
                           ("zero", lambda p: ends(p, "/dev/zero")),
                           ("random", lambda p: ends(p, "/dev/urandom")),
                           ("mem", lambda p: ends(p, "/proc/self/mem"))):  # fmt: skip
            made[f"{name}_{kind}"] = lambda p=path, m=make: (p.unlink(missing_ok=True), m(p))
    return made


def programs() -> dict[str, str]:
    """Extracted programs that would do something else."""
    text = SOURCES[0]
    rule = {f"rule_{i}": text.replace("2 * remainder + x", n) for i, n in enumerate(NASTY)}
    name = text.split(":", 1)[0]
    run = f"__import__('os').mkdir({SENTINEL!r})"
    return {
        **rule, "title": text.replace(name, '"""../../../ran'), "body": text + f"\n{run}\n",
        "default": text.replace("def step(x, state)", f"def step(x, state={run})"),
        "decorator": text.replace("def step", f"@{run}\ndef step"), "long": text + "#" * 10**7,
        "annotation": text.replace("(x, state)", f"(x, state: {run})"),
        "variable": text.replace("'remainder'", "'../../ran'"),
        "class": text + f"\nclass A:\n    {run}\n", "lines": text + "\n" * 10**6 + "x = 1",
    }  # fmt: skip


def hugging(folder: Path) -> dict[str, Path]:
    """Folders of language models with code in them, or with weights that are pickled."""
    place = str(folder / SENTINEL)
    code = f"import os\nos.mkdir({place!r})\nclass A:\n    pass\n"
    auto = {"auto_map": {"AutoConfig": "code.A", "AutoModelForCausalLM": "code.A",
                         "AutoTokenizer": ["code.A", None]}, "model_type": "odd"}  # fmt: skip
    found = {}
    for name, config in (("remote", auto), ("known", auto | {"model_type": "gpt2"}),
                         ("pickled", {"model_type": "gpt2"})):  # fmt: skip
        there = folder / name
        there.mkdir()
        (there / "config.json").write_text(json.dumps(config))
        (there / "code.py").write_text(code)
        (there / "tokenizer_config.json").write_text(json.dumps(auto))
        if name == "pickled":
            torch.save(Harm(folder / SENTINEL), there / "pytorch_model.bin")
        else:
            save_file({"a": torch.ones(2)}, there / "model.safetensors")
        found[name] = there
    piped = folder / "piped"
    piped.mkdir()
    os.mkfifo(piped / "config.json")
    save_file({"a": torch.ones(2)}, piped / "model.safetensors")
    return {**found, "piped": piped}

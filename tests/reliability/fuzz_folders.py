"""Folders in which other libraries keep dictionaries, each file in them damaged in turn."""

import io
import json
from pathlib import Path

import torch
from hypothesis import strategies as st

from reliability.fuzz_documents import VALUES, changed_at, paths_in
from reliability.fuzz_watch import counted, of_reader
from reliability.fuzz_weights import bytes_changed, headers, trusting
from symscope.evidence import Evidence
from symscope.features.dictionaries.dictionary_learning import read_dictionary_learning
from symscope.features.dictionaries.methods import empty
from symscope.features.dictionaries.saelens import read_saelens, write_saelens


def of_folders(count: int, folder: Path, seed: int = 0) -> list[Evidence]:
    """`count` folders of SAELens and dictionary_learning, each with one file that was changed."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    given = _folders(folder)
    return [counted("weights.dictionaries", given, lambda c: _folder(c, folder), count, seed,
                    {"as_it_was_written": _unlooked})]  # fmt: skip


def _folders(folder: Path) -> st.SearchStrategy[tuple[str, str, bytes]]:
    """Folders of SAELens and dictionary_learning: which, which of their files, and its content."""
    sae, other = folder / "sae", folder / "learning"
    write_saelens(sae, empty(3, 4, "topk", 2))
    other.mkdir(exist_ok=True)
    (other / "config.json").write_text(
        json.dumps({"trainer": {"dict_class": "AutoEncoderTopK", "k": 2}})
    )
    state = {"encoder.weight": torch.ones(4, 3), "encoder.bias": torch.ones(4),
             "decoder.weight": torch.ones(3, 4), "b_dec": torch.ones(3)}  # fmt: skip
    torch.save(state, other / "ae.pt")
    each = []
    for place, name in ((sae, "cfg.json"), (sae, "sae_weights.safetensors"),
                        (other, "config.json"), (other, "ae.pt")):  # fmt: skip
        whole = (place / name).read_bytes()
        changes = bytes_changed(whole)
        if name.endswith("json"):
            document = json.loads(whole)
            at = st.sampled_from(paths_in(document))
            changes = st.one_of(changes, st.tuples(at, VALUES).map(
                lambda c, d=document: json.dumps(changed_at(d, *c)).encode()))  # fmt: skip
        elif name.endswith("safetensors"):
            changes = st.one_of(changes, headers(whole))
        each.append(st.tuples(st.just(place.name), st.just(name), changes))
    return st.one_of(*each)


def _unlooked(case: tuple[str, str, bytes]) -> str:
    """A reader that expects each file to be as it was written."""
    try:
        if case[1].endswith("json"):
            said = json.loads(case[2])
            named = said["trainer"]["dict_class"] if "trainer" in said else said["architecture"]
            return "" if named in ("topk", "AutoEncoderTopK") else "another"
        if case[1].endswith("pt"):
            return "" if torch.load(io.BytesIO(case[2]))["b_dec"].shape == (3,) else "another"
        return trusting(case[2])
    except Exception as error:
        return type(error).__name__


def _folder(case: tuple[str, str, bytes], folder: Path) -> str:
    place, name, text = case
    path = folder / place / name
    kept = path.read_bytes()
    read = read_saelens if place == "sae" else read_dictionary_learning
    path.write_bytes(text)
    try:
        wrong = of_reader(lambda: read(folder / place), folder)
    finally:
        path.write_bytes(kept)
    return f"{place} {name}: {wrong}" if wrong else ""

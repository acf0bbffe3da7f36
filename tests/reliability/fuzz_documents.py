"""Any text in the place of config.json and evidence.json, through every command that reads them."""

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from reliability.fuzz_arguments import no_work
from reliability.fuzz_watch import counted, of_command, of_reader, quietly
from symscope.evidence import Evidence, read_evidence, read_json
from symscope.settings import read_settings

ODD = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=6),
    st.sampled_from([10**400, -1, 0, 2**63, 1e308, math.nan, math.inf, "", "../../x", "\ud800",
                     "<script>alert(1)</script>", "{{7*7}}", "\x00", [], {}, [[]], "multi", "gru",
                     "up_down", "binding", "div_3", "l1_norm_2", "solved", "unchanged", "accuracy",
                     {"tried": 3}, [1, "a"], [None], 10**9]),
)  # fmt: skip
VALUES = st.recursive(
    ODD, lambda inner: st.one_of(st.lists(inner, max_size=3),
                                 st.dictionaries(st.text(max_size=4), inner, max_size=3)),
    max_leaves=6,
)  # fmt: skip
RUIN = ("cut", "flip", "bom", "null", "nest", "twice", "utf16", "comment", "exponent", "empty",
        "surrogate")  # fmt: skip


def paths_in(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Where there is something to replace in a document."""
    inside = document.items() if isinstance(document, dict) else (
        enumerate(document) if isinstance(document, list) else ())  # fmt: skip
    return [at, *(path for key, value in inside for path in paths_in(value, (*at, key)))]


def changed_at(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value at a path."""
    if not path:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = changed_at(document[path[0]], path[1:], value)
    return copy


def ruined(text: bytes, how: str, at: int) -> bytes:
    """A text that was damaged on its way."""
    at %= len(text) + 1
    return {
        "cut": text[:at], "flip": text[:at] + bytes([at % 256]) + text[at + 1 :],
        "bom": b"\xef\xbb\xbf" + text, "null": text[:at] + b"\x00" + text[at:],
        "nest": b"[" * (at * 9) + text + b"]" * (at * 9),
        "twice": text.replace(b"{", b'{"seed": 1, "claim": "a", ', 1),
        "utf16": text.decode("utf8", "replace").encode("utf16"), "comment": b"// a\n" + text,
        "exponent": text.replace(b"0", b"1e999", 1 + at % 3), "empty": b"",
        "surrogate": text.replace(b'": "', b'": "\\ud800', 1 + at % 3),
    }[how]  # fmt: skip


def documents(valid: Any) -> st.SearchStrategy[bytes]:
    """Texts: a valid document with one to three values replaced, one that was damaged, or any."""
    at = st.sampled_from(paths_in(valid)[:300])

    def several(changes: list[tuple[tuple[Any, ...], Any]]) -> bytes:
        document = valid
        for path, value in changes:
            if path in paths_in(document):
                document = changed_at(document, path, value)
        return json.dumps(document).encode("utf8")

    changed = st.lists(st.tuples(at, VALUES), min_size=1, max_size=3).map(several)
    whole = json.dumps(valid).encode("utf8")
    damaged = st.builds(ruined, st.just(whole), st.sampled_from(RUIN), st.integers(0, 10**6))
    return st.one_of(changed, changed, damaged, VALUES.map(lambda v: json.dumps(v).encode()),
                     st.binary(max_size=30))  # fmt: skip


def runs(folder: Path) -> dict[str, Path]:
    """A run of each kind, without the work: its form is what matters here."""
    counting = folder / "counting"
    small = ["--width", "6", "--epochs", "1", "--highest", "3", "--hold-out", ""]
    quietly("train", "multi", *small, "--out", counting)
    claim = Evidence(
        "numbers.multi.gru.up_down.count.iia", 0.9, 0.8, 0.95, 100, controls={"no_op": 0.2},
        seeds=[0], config={"site": "rnn.state", "size": 3, "width": 6, "held_out": [3, 4],
                           "seen": [5, 6], "by_value": {"1": [3, 4]}, "method": "das"},
    )  # fmt: skip
    _add(counting, [claim])
    solved = Evidence(
        "programs.div_3.solved", 1.0, 0.9, 1.0, 100, "solved", seeds=[0],
        config={"source": "", "said": "proved for all lengths: a", "verdict": "proof",
                "tried": {"table": "chosen"}, "rules": {"answer": "x"}, "route": "table"},
    )  # fmt: skip
    extracted = Path(shutil.copytree(counting, folder / "extracted"))
    (extracted / "config.json").write_text(
        json.dumps(read_json(counting / "config.json") | {"task": "div_3"})
    )
    _add(extracted, [solved, Evidence("programs.div_3.length", 9.0, None, None, 1, "nodes")])
    return {"counting": counting, "extracted": extracted}


def _add(run: Path, records: list[Evidence]) -> None:
    there = json.loads((run / "evidence.json").read_text())
    (run / "evidence.json").write_text(json.dumps([*there, *map(asdict, records)]))


READERS: dict[str, Callable[[str], list[str]]] = {
    "report": lambda run: ["report", run],
    "align": lambda run: ["align", run, "--pairs", "9", "--force"],
    "align_resumed": lambda run: ["align", run, "--resume", "--json"],
    "extract": lambda run: ["extract", run],
    "localize": lambda run: ["localize", run],
    "trained_on": lambda run: ["train", "multi", "--width", "6", "--highest", "3", "--hold-out",
                               "", "--out", run, "--resume"],
    "verify": lambda run: ["verify", f"{run}/config.json", "--task", "multi"],
}  # fmt: skip


def of_documents(count: int, folder: Path, seed: int = 0) -> list[Evidence]:
    """Both files, each replaced by `count` texts: read by the library, and by one command each."""
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    there = runs(folder)
    found = []
    with no_work():
        for command in READERS.values():  # so that all that is loaded late is loaded
            for run in there.values():
                quietly(*command(str(run)))
        for name in ("config", "evidence"):
            kept = {run: (run / f"{name}.json").read_bytes() for run in there.values()}
            inside = {run: [json.loads(text)] for run, text in kept.items()}
            cases = st.one_of(*(
                st.tuples(st.just(run), documents(document), st.sampled_from([*READERS]))
                for run, (document,) in inside.items()
            ))  # fmt: skip
            found.append(counted(
                f"documents.{name}", cases, lambda c, n=name, k=kept: _attempt(c, n, k, folder),
                count, seed, {"json_alone": _careless},
            ))  # fmt: skip
    return found


def _attempt(
    case: tuple[Path, bytes, str], name: str, kept: dict[Path, bytes], folder: Path
) -> str:
    run, text, command = case
    path = run / f"{name}.json"
    path.write_bytes(text)
    try:
        read = read_evidence if name == "evidence" else lambda _: read_settings(run)
        wrong = of_reader(lambda: read(path), folder)
        return wrong or _of(command, run, folder)
    finally:
        for other, original in kept.items():
            (other / f"{name}.json").write_bytes(original)


def _of(command: str, run: Path, folder: Path) -> str:
    other = {p: p.read_bytes() for p in run.glob("*.json")}
    wrong, _, _ = of_command(READERS[command](str(run)), folder)
    for path, text in other.items():
        path.write_bytes(text)
    return f"{command}: {wrong}" if wrong else ""


def _careless(case: tuple[Path, bytes, str]) -> str:
    """A reader that takes what json gives."""
    try:
        for record in json.loads(case[1]):
            str(Evidence(**record))
        return ""
    except Exception as error:
        return type(error).__name__

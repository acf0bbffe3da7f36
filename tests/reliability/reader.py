"""A reader of all that a run has written so far, who must never see a part of a file."""

import ast
import json
import threading
from contextlib import suppress
from pathlib import Path
from types import TracebackType

import safetensors.torch

from reliability.runs import files


class Reader:
    """Reads all files with a final name below a folder, again and again, while it is entered."""

    def __init__(self, folder: Path, pause: float = 0.0) -> None:
        self.folder, self.pause = folder, pause
        self.reads, self.torn = 0, list[str]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self) -> "Reader":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._over.set()
        self._thread.join()

    @property
    def whole(self) -> float:
        """The share of reads that found a whole file."""
        return 1 - len(self.torn) / self.reads if self.reads else 1.0

    def _read(self) -> None:
        while not self._over.wait(self.pause):
            for path in files(self.folder):
                with suppress(FileNotFoundError):
                    wrong = torn(path)
                    self.reads += 1
                    self.torn += [f"{path.name}: {wrong}"] if wrong else []


def torn(path: Path) -> str:
    """Why this is no whole file; nothing when it is one."""
    found = path.read_bytes()
    try:
        if path.suffix == ".json":
            json.loads(found)
        elif path.suffix == ".safetensors":
            safetensors.torch.load(found)
        elif path.suffix == ".py":
            ast.parse(found)
    except (ValueError, SyntaxError, safetensors.SafetensorError) as error:
        return str(error)
    ends = {".py": b"\n", ".json": b"\n", ".html": b"</html>", ".parquet": b"PAR1"}
    return "" if found.rstrip(b" ").endswith(ends.get(path.suffix, b"")) else "no end of it"

"""How long one training step of distributed alignment search takes, beside other ways to do it.

A step is: forward after the swap, loss, backward, Adam. All contenders of a case run in one process
in turns, on the same data, at the same rank, from the same rotation, after their outputs have been
found equal within 1e-5; times are CPU times of one thread, and a ratio is taken within each round.

    gru       inside a GRU: symscope, the bare cost, `nn.GRU` split at the swap without a cache, a
              Python loop over cells with a hook, and pyvene
    gpt2      at the middle layer of a GPT-2-shaped network: symscope, the bare cost, plain hooks,
              pyvene, and TransformerLens's `fit_das`
    rotation  the rotation alone: symscope and torch's default `orthogonal`

Peers need their own environments, since their dependencies conflict (from the repository's root):

    for peer in pyvene==0.1.8 transformer-lens==4.3.0; do
      python -m venv .peers/${peer%%==*}
      .peers/${peer%%==*}/bin/pip install -c constraints.txt -e . $peer transformers==5.23.0
    done

Then run what each has, and write the table:

    OMP_NUM_THREADS=1 .peers/pyvene/bin/python benchmarks/das.py
    OMP_NUM_THREADS=1 .peers/transformer-lens/bin/python benchmarks/das.py --part gpt2
    python benchmarks/das.py --table

Without a peer the rest still runs. `--quick` compares a small GRU in a few rounds and writes
nothing.
"""

import argparse
import importlib.metadata
import importlib.util
import json
import os
import platform
import shlex
import subprocess
import sys
import time
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))

import das_gpt2
import das_gru
import das_rotation
import das_table
from interleaved import Row
from symscope.evidence import write_whole

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "results" / "performance"
PAGE = ROOT / "docs" / "performance.md"
PARTS = {"gru": das_gru, "gpt2": das_gpt2, "rotation": das_rotation}
PEERS = {"pyvene": "pyvene", "transformer_lens": "transformer-lens"}
ROUNDS, QUICK_ROUNDS = 15, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or write the table; 0 when all went well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=PARTS, help="default: all there is")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="one small GRU, nothing written")
    parser.add_argument("--table", action="store_true", help="write the table from the results")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results")
    chosen = parser.parse_args(arguments)
    if chosen.table:
        das_table.write(PAGE, chosen.out)
        return 0
    torch.set_num_threads(1)
    peers = {module: importlib.util.find_spec(module) is not None for module in PEERS}
    if chosen.quick:
        for rows in das_gru.compare(QUICK_ROUNDS, das_gru.CASES[:1], dict.fromkeys(peers, False)):
            show(rows)
        return 0
    environment = next((PEERS[module] for module, there in peers.items() if there), "plain")
    available = [p for p in PARTS if p != "gpt2" or importlib.util.find_spec("transformers")]
    began, found = time.monotonic(), []
    for part in chosen.part or available:
        for rows in PARTS[part].compare(chosen.rounds, PARTS[part].CASES, peers):
            show(rows)
            found += rows
            path = chosen.out / f"das.{environment}.json"
            save(path, found, command(environment, chosen.part, chosen.rounds), began)
    return 0


def show(rows: list[Row]) -> None:
    """One line per contender."""
    for row in rows:
        if row.error is not None:
            print(f"{row.part}: {row.case}: {row.contender} does not run: {row.error}", flush=True)
            continue
        low, middle, high = row.ratio
        peak = "" if row.peak_mib is None else f", peak {row.peak_mib:.0f} MiB"
        print(
            f"{row.part}: {row.case}: {row.contender} {row.milliseconds:.3g} ms, {middle:.2f} times"
            f" symscope ({low:.2f} to {high:.2f}){peak}",
            flush=True,
        )


def command(environment: str, parts: list[str] | None, rounds: int) -> str:
    """What to type in the repository's root to run the same again."""
    python = "python" if environment == "plain" else f".peers/{environment}/bin/python"
    words = [python, "benchmarks/das.py"]
    words += [word for part in parts or [] for word in ("--part", part)]
    words += [] if rounds == ROUNDS else ["--rounds", str(rounds)]
    return "OMP_NUM_THREADS=1 " + shlex.join(words)


def save(path: Path, rows: list[Row], line: str, began: float) -> None:
    """What was measured, with all that it depends on."""
    names = ["symscope", "torch", "transformers", *PEERS.values()]
    record: dict[str, Any] = {
        "command": line,
        "commit": _git("rev-parse", "HEAD"),
        "changed_files": _git("status", "--porcelain", "--", "src/symscope", "benchmarks") != "",
        "versions": {"python": platform.python_version(), **{n: v for n in names if (v := _of(n))}},
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "threads": 1},
        "seconds": round(time.monotonic() - began, 1),
        "rows": [asdict(row) for row in rows],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, lambda p: Path(p).write_text(json.dumps(record, indent=1) + "\n"))


def _git(*words: str) -> str:
    run = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    return run.stdout.strip()


def _of(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    lines = path.read_text().splitlines() if path.exists() else []
    names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # what peers warn of is theirs
    sys.exit(main())

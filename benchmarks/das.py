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
import importlib.util
import sys
import time
import warnings
from collections.abc import Sequence
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))

import das_gpt2
import das_gru
import das_rotation
import tables
from recorded import PAGE, PEERS, RESULTS, command, save, show

PARTS = {"gru": das_gru, "gpt2": das_gpt2, "rotation": das_rotation}
LAYOUT = tables.Layout(
    "das",
    {
        "gru": "(a) Inside a GRU",
        "gpt2": "(b) At the middle layer of a GPT-2-shaped network",
        "rotation": "(c) The rotation alone",
    },
    {
        "bare": "the bare cost",
        "split": "`nn.GRU` split",
        "loop": "cell loop",
        "hooks": "plain hooks",
        "pyvene": "pyvene",
        "fit_das": "TransformerLens `fit_das`",
        "torch": "torch's `orthogonal`",
    },
)
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
        tables.write(PAGE, chosen.out, LAYOUT)
        return 0
    torch.set_num_threads(1)
    peers = {module: importlib.util.find_spec(module) is not None for module in PEERS}
    if chosen.quick:
        for rows in das_gru.compare(QUICK_ROUNDS, das_gru.CASES[:1], dict.fromkeys(peers, False)):
            show(rows)
        return 0
    environment = next((PEERS[module] for module, there in peers.items() if there), "plain")
    available = [p for p in PARTS if p != "gpt2" or importlib.util.find_spec("transformers")]
    options = [word for part in chosen.part or [] for word in ("--part", part)]
    options += [] if chosen.rounds == ROUNDS else ["--rounds", str(chosen.rounds)]
    began, found = time.monotonic(), []
    for part in chosen.part or available:
        for rows in PARTS[part].compare(chosen.rounds, PARTS[part].CASES, peers):
            show(rows)
            found += rows
            path = chosen.out / f"das.{environment}.json"
            save(path, found, command(environment, "das", options), began)
    return 0


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # what peers warn of is theirs
    sys.exit(main())

"""How long a sweep of activation patches takes, beside plain hooks and TransformerLens.

A sweep is: what is read on the sources, then the last token's logits for every cell, that is, for
every layer and position (residual stream) or layer, head and position (a head's output before the
output projection), each on all prompts. All contenders of a case run in one process in turns, on
the same weights and tokens, after their logits have been found equal within 1e-4; times are CPU
times of one thread, and a ratio is taken within each round.

    symscope        `localize.patched`: `models.transformer.Transformer` with learned positions
    hooks           one run of the same module per cell, with one hook that puts the source's value
    transformerlens its own helpers, `get_act_patch_resid_pre` and
                    `get_act_patch_attn_head_out_by_pos`, on Hugging Face's GPT-2 class with the
                    same weights

Cells are spread evenly over layers, heads and positions, the same for all, so that what is left to
compute after them is on average that of a sweep over all cells.

TransformerLens needs its own environment; see `das.py`. Then, from the repository's root:

    OMP_NUM_THREADS=1 .peers/transformer-lens/bin/python benchmarks/patching.py
    python benchmarks/patching.py --table

Without it the rest still runs. `--quick` compares a small network in a few rounds and writes
nothing.
"""

import argparse
import importlib.util
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn

sys.path.insert(0, str(Path(__file__).parent))

import tables
from bridge import bridged, gpt2
from interleaved import Contender, Row, apart, side_by_side
from recorded import PAGE, PEERS, RESULTS, command, save, show
from symscope.localize import patched
from symscope.models.transformer import Block, Transformer
from symscope.network import Network
from symscope.site import Site

TOLERANCE = 1e-4
LENGTH = 68
LAYOUT = tables.Layout(
    "patching",
    {"residual": "(d) Residual stream by layer and position",
     "heads": "(e) Heads' outputs by layer, head and position"},
    {"hooks": "plain hooks", "transformerlens": "TransformerLens"},
    setup=False,
)  # fmt: skip
ROUNDS, QUICK_ROUNDS = 5, 2


@dataclass(frozen=True)
class Size:
    """A network, how many prompts, and at how many positions and heads it is patched."""

    layers: int
    width: int
    heads: int
    prompts: int
    positions: int = LENGTH
    patched_heads: int = 0
    rounds: int = ROUNDS
    length: int = LENGTH

    def __str__(self) -> str:
        prompts = f"{self.prompts} prompt" + "s" * (self.prompts > 1)
        return f"{self.layers} layers, d {self.width}, {prompts}"


SIZES = {
    "residual": [
        *(Size(4, 64, 4, prompts, 34) for prompts in (1, 2, 4, 8)),
        Size(4, 256, 4, 8, 17), Size(4, 256, 4, 64, 4, rounds=3), Size(12, 768, 12, 4, 2, rounds=3),
    ],
    "heads": [
        *(Size(4, 64, 4, prompts, 8, 4) for prompts in (1, 2, 4, 8)),
        Size(4, 256, 4, 8, 4, 4), Size(4, 256, 4, 64, 2, 2, rounds=3),
        Size(12, 768, 12, 4, 2, 2, rounds=3),
    ],
}  # fmt: skip
QUICK = Size(2, 32, 2, 2, 4, 2, QUICK_ROUNDS, 12)


class Setting:
    """A frozen random network, random tokens, and the cells: (layer, position[, head])."""

    def __init__(self, size: Size, part: str, peer: bool = False):
        torch.manual_seed(0)
        vocabulary = 512 if size.width > 64 else 40
        model = Transformer(vocabulary, size.width, size.layers, size.heads, "learned",
                            length=size.length)  # fmt: skip
        nn.init.zeros_(model.readout.bias)  # GPT-2 has none
        self.model, self.part, self.heads = model.eval().requires_grad_(False), part, size.heads
        generator = torch.Generator().manual_seed(0)
        self.base, self.source = (
            torch.randint(vocabulary, (size.prompts, size.length), generator=generator)
            for _ in range(2)
        )
        positions, heads = (
            spread(size.positions, size.length),
            spread(size.patched_heads, size.heads),
        )
        self.bridge = bridged(gpt2(self.model)) if peer else None  # in no contender's memory
        self.cells = [
            (layer, position, *head)
            for layer in range(size.layers) for position in positions
            for head in ([()] if part == "residual" else [(h,) for h in heads])
        ]  # fmt: skip


def spread(count: int, total: int) -> list[int]:
    """`count` of `total`, evenly, with the same mean as all of them."""
    return [int((2 * i + 1) * total / (2 * count)) for i in range(count)]


class Sweep(Contender):
    """One call is a whole sweep."""

    measured = 1

    def __init__(self, logits: Callable[[Tensor, Tensor], Tensor], setting: Setting):
        self.logits, self.setting = logits, setting

    def outputs(self, rows: Tensor) -> Tensor:
        """The last token's logits, (cell, prompt, vocabulary)."""
        return self.logits(self.setting.base[rows], self.setting.source[rows])

    def step(self, rows: Tensor) -> None:
        """The sweep, thrown away."""
        self.outputs(rows)


def symscope(setting: Setting) -> Contender:
    """`localize.patched`, as it comes."""
    network, count = Network(setting.model), setting.heads
    places = [
        Site(f"blocks.{layer}", "input", position) if not head
        else Site(f"blocks.{layer}.attention.out", "input", position, head=(head[0], count))
        for layer, position, *head in setting.cells
    ]  # fmt: skip
    return Sweep(lambda base, source: patched(network, base, source, places), setting)


def hooks(setting: Setting) -> Contender:
    """One run per cell; the sources' values are read once."""
    blocks = cast("list[Block]", list(setting.model.blocks))
    modules = [b if setting.part == "residual" else b.attention.out for b in blocks]

    @torch.no_grad()
    def logits(base: Tensor, source: Tensor) -> Tensor:
        kept: list[Tensor] = []
        handles = [m.register_forward_pre_hook(lambda _, x: kept.append(x[0])) for m in modules]
        setting.model(source)
        for handle in handles:
            handle.remove()
        found = []
        for layer, position, *head in setting.cells:
            place = (slice(None), position, *(_units(setting, h) for h in head))

            def put(_: nn.Module, inputs: Any, place: Any = place, layer: int = layer) -> Tensor:
                changed = inputs[0].clone()
                changed[place] = kept[layer][place]
                return changed

            handle = modules[layer].register_forward_pre_hook(put)
            found.append(setting.model(base)[:, -1])
            handle.remove()
        return torch.stack(found)

    return Sweep(logits, setting)


def _units(setting: Setting, head: int) -> slice:
    width = setting.model.embed.embedding_dim // setting.heads
    return slice(head * width, (head + 1) * width)


def transformerlens(setting: Setting) -> Contender:
    """Its helpers, with a metric that keeps the last token's logits, and no progress bar."""
    import pandas
    from transformer_lens import patching

    patching.tqdm = lambda cells: cells
    bridge = setting.bridge
    sweep, axes, name = (
        (patching.get_act_patch_resid_pre, ["layer", "pos"], "hook_resid_pre")
        if setting.part == "residual"
        else (patching.get_act_patch_attn_head_out_by_pos, ["layer", "pos", "head"], "hook_z")
    )
    cells = pandas.DataFrame(setting.cells, columns=axes)

    @torch.no_grad()
    def logits(base: Tensor, source: Tensor) -> Tensor:
        _, cache = bridge.run_with_cache(source, names_filter=lambda path: path.endswith(name))
        found: list[Tensor] = []

        def metric(output: Tensor) -> Tensor:
            found.append(output[:, -1].clone())
            return found[-1][:, 0]

        sweep(bridge, base, cache, metric, index_axis_names=None, index_df=cells, reduce="none")
        return torch.stack(found)

    return Sweep(logits, setting)


def compare(part: str, size: Size, peer: bool, rounds: int | None = None) -> list[Row]:
    """One case of one part; TransformerLens where it is installed."""
    setting = Setting(size, part, peer)
    ways = [symscope, hooks] + [transformerlens] * peer
    builders = {way.__name__: lambda way=way: way(setting) for way in ways}
    case = f"{size}, {len(setting.cells)} cells"
    rows = [torch.arange(size.prompts)]
    return side_by_side(part, case, builders, rows, rounds or size.rounds, tolerance=TOLERANCE)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or write the table; 0 when all went well."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--part", action="append", choices=SIZES, help="default: all")
    parser.add_argument("--rounds", type=int, help="default: fewer where a sweep is long")
    parser.add_argument("--quick", action="store_true", help="a small network, nothing written")
    parser.add_argument("--table", action="store_true", help="write the table from the results")
    parser.add_argument("--out", type=Path, default=RESULTS, help="the folder of the results")
    chosen = parser.parse_args(arguments)
    if chosen.table:
        tables.write(PAGE, chosen.out, LAYOUT)
        return 0
    torch.set_num_threads(1)
    if chosen.quick:
        for part in SIZES:
            show(compare(part, QUICK, False))
        return 0
    peer = importlib.util.find_spec("transformer_lens") is not None
    environment = PEERS["transformer_lens"] if peer else "plain"
    options = [word for part in chosen.part or [] for word in ("--part", part)]
    options += ["--rounds", str(chosen.rounds)] if chosen.rounds else []
    began, found = time.monotonic(), []
    for part in chosen.part or SIZES:
        for size in SIZES[part]:
            rows = apart(partial(compare, part, size, peer, chosen.rounds))
            show(rows)
            found += rows
            path = chosen.out / f"patching.{environment}.json"
            save(path, found, command(environment, "patching", options), began)
    return 0


if __name__ == "__main__":
    warnings.filterwarnings("ignore")  # what peers warn of is theirs
    sys.exit(main())

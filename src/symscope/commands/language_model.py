"""`align` and `localize` on someone else's language model: sums of two numbers, a token each."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.align import Search, blocks, examine
from symscope.align.examine import COUNTS
from symscope.causal_model import UnknownName
from symscope.commands.run_directory import described, opened, record
from symscope.commands.terminal import progress, say, show, told
from symscope.evidence import ClaimFailed, read_json
from symscope.featurizer import Rotation
from symscope.localize.places import layout_in
from symscope.network import Network
from symscope.placement import Placement
from symscope.program import Program
from symscope.site import Site
from symscope.studies import language_model
from symscope.studies.heuristics.circuit import place_claims
from symscope.studies.heuristics.grids import WORDS, grids, pairs_of
from symscope.studies.heuristics.neurons import right_prompts
from symscope.studies.idle import idle_patches
from symscope.task import Pairs
from symscope.tasks.arithmetic import SIGNS, Arithmetic
from symscope.tasks.in_tokens import Spoken, in_tokens

OPERANDS, GATE, BATCH = 100, 0.9, 512


def is_language_model(folder: Path) -> bool:
    """Whether this is a folder as Hugging Face's models are saved in."""
    path = folder / "config.json"
    if not path.exists():
        return False
    found = read_json(path)
    return isinstance(found, dict) and "model_type" in found


class FromTheEnd(Arithmetic):
    """The same task, its steps counted from the end: a model may put a token in front."""

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """As those of `Arithmetic`."""
        found = super().pairs(program, variables, count, seed, split, same_phase)
        return replace(found, base_step=found.base_step - self.length,
                       source_step=found.source_step - self.length)  # fmt: skip


def localize_model(
    folder: Path, sign: str, pairs: int, where: Placement, seed: int, json: bool,
) -> int:  # fmt: skip
    """What patching each head and MLP at each position does to the answer, in a run directory."""
    spoken = _spoken(folder, sign, pairs, where)
    run = Path("runs") / f"localize-{folder.name}"
    _open(run, "localize", folder, seed)
    grid, claim = grids(spoken.task)[0], f"localize.{folder.name}.{WORDS[sign]}"
    right = right_prompts(spoken.network, grid).nonzero()[:, 0]
    some = pairs_of(grid[right] if len(right) > 1 else grid, pairs, seed)
    with idle_patches():
        found = place_claims(spoken.network, None, {"all": some}, claim, seed)
    record(run, found)
    if json:
        show([*found], True, run=run, answered=len(right) / len(grid))
        return 0
    say(f"{len(right)} of {len(grid)} prompts are answered right; pairs are of these")
    table: Mapping[str, Any] = found[0].config["table"]
    for place in sorted(table, key=lambda name: -abs(table[name][0]))[:10]:
        print(f"{place}: {table[place][0]:.3f} of the full effect")
    print(found[0])
    return 0


def align_model(  # what is claimed of what, how hard it is looked for, and where
    folder: Path, claim: tuple[str, str, str, int | None, Site | None], effort: tuple[Search, int],
    run: Path | None, where: Placement, seed: int, anyway: bool, json: bool,
) -> int:  # fmt: skip
    """Search the residual stream at `=` for a variable of the sum, beside its controls."""
    sign, program, variable, size, site = claim
    search, pairs = effort
    spoken = _spoken(folder, sign, pairs, where)
    run = run or Path("runs") / f"align-{folder.name}"
    _open(run, "align", folder, seed)
    whole = spoken.task
    task = FromTheEnd(sign, whole.operands, whole.numbers, share=1.0)
    if program not in task.programs:
        raise UnknownName("program", program, task.programs)
    network = replace(spoken.network, answer=_last_steps(spoken.network, task.length))
    share = float((_said(network, task.prompts()) == task.answers(task.prompts())).float().mean())
    if share < GATE and not anyway:
        raise ClaimFailed(
            f"{folder} answers {share:.1%} of {sign} right and is not analysed below {GATE:.0%};"
            " take another --sign, or say --anyway"
        )
    place = site or _middle(network)
    start = blocks(program, place, *_rotation(network, task, place, variable, size, seed))
    few = min(pairs, 1_000)
    with progress() as bar:
        bar(0, 1, f"searching for {variable}")
        counts = {**COUNTS, "fit": pairs, "validation": few, "test": few}
        found, evidence = examine(network, task, start, None, search, seed, counts)
    name = f"align.{folder.name}.{WORDS[sign]}.{program}.{variable}.iia"
    evidence = replace(evidence, claim=name, note=f"{share:.1%} of all prompts answered right")
    found.save(run / "alignment.safetensors")
    record(run, [evidence])
    show([evidence], json, run=run)
    return told([evidence])


def _spoken(folder: Path, sign: str, pairs: int, where: Placement) -> Spoken:
    """The model over the task's tokens; refused where it does not fit, before it is read."""
    if sign not in SIGNS:
        raise UnknownName("sign", sign, SIGNS)
    dtype = where.dtype or "float32"
    settings = {"model": str(folder), "dtype": dtype, "device": where.device}
    form = language_model.form_of(language_model.described(str(folder)))
    cost = language_model.runs_cost(form, OPERANDS**2 + 10 * pairs, 5, BATCH, dtype)
    text = f"{folder}: about {cost.memory / 1e9:.1f} GB in {dtype} on {where.device}"
    language_model.announced(text, cost, 0.0, settings, False)
    network = Network.from_pretrained(folder, dtype, where.device)
    return in_tokens(network, sign, OPERANDS)


def _open(run: Path, command: str, folder: Path, seed: int) -> None:
    """A run directory about this model; what it holds of other claims stays."""
    again = run.exists() and (run / "config.json").exists()
    opened(run, described(command, seed, task="arithmetic", model=str(folder)), resume=again)


def _last_steps(network: Network, count: int) -> Any:
    """The network's answer on the task's own steps alone."""
    answer = network.answer

    def cut(output: Any) -> Tensor:
        found = answer(output)
        return found[:, -count:] if found.dim() == 3 else found

    return cut


@torch.no_grad()
def _said(network: Network, prompts: Tensor) -> Tensor:
    return torch.cat([network.run(rows.to(network.device)).output[:, -1].argmax(-1).cpu()
                      for rows in prompts.split(BATCH)])  # fmt: skip


def _middle(network: Network) -> Site:
    layout = layout_in(network)
    return layout.site(layout.layers // 2, "residual")


def _rotation(  # where it stands, what for, how large
    network: Network, task: Arithmetic, site: Site, variable: str, size: int | None, seed: int
) -> tuple[Rotation, dict[str, int]]:
    with torch.no_grad():
        run = network.run(task.prompts()[:1].to(network.device), read=[site.at(-1)])
    width = run.values[site.at(-1)].shape[-1]
    size = width // 2 if size is None else size
    return Rotation(width, size, seed).to(run.values[site.at(-1)].device), {variable: size}

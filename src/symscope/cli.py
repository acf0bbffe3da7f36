"""The commands: arguments, files, progress bars, exit codes.

0 success, 1 a claim failed its own check, 2 bad input, 3 a computation failed (what was good is
kept), 130 interrupted.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small networks; several cores, several processes

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import torch
import typer

from symscope.align import Search
from symscope.align.examine import COUNTS
from symscope.causal_model import UnknownName
from symscope.commands.binding import localize_command, train_binding
from symscope.commands.demo import PRESETS, RIGHT, demo
from symscope.commands.doctor import doctor_command
from symscope.commands.generate import generate_command
from symscope.commands.language_model import align_model, is_language_model
from symscope.commands.loop import (
    HIGHEST,
    Claim,
    Effort,
    align_one,
    built,
    keep_network,
    name_of,
    read_checkpoint,
    task_of,
    train_into,
)
from symscope.commands.options import (
    MOST_SEED,
    MOST_STEPS,
    NOT_TRAINED,
    DemoOut,
    Device,
    Dtype,
    Force,
    Jobs,
    Json,
    Out,
    Resume,
    Seed,
    Sign,
    numbers_in,
    site_of,
)
from symscope.commands.programs import TASKS, extract_command, train_algorithm, verify_command
from symscope.commands.run_directory import configured, described, opened, recorded, spent
from symscope.commands.scripts import bench_command, study_command
from symscope.commands.sweep import sweep_command
from symscope.commands.terminal import printable, progress, say, show, show_json, told
from symscope.evidence import SymscopeError
from symscope.extras import needed
from symscope.failures import outcome
from symscope.models.load import ARCHITECTURES
from symscope.placement import placement
from symscope.report import write_page
from symscope.train import Schedule

app = typer.Typer(
    add_completion=False, rich_markup_mode=None, pretty_exceptions_enable=False,
    no_args_is_help=True, help="Which program did this network learn, and is that really so?",
)  # fmt: skip


@app.command("demo")
def demo_command(  # one parameter per option
    out: DemoOut = Path("runs/demo"), seed: Seed = 0,
    preset: Annotated[str, typer.Option(help="default or tiny.")] = "default",
    device: Device = "cpu", dtype: Dtype = None, jobs: Jobs = None, resume: Resume = False,
    force: Force = False, json: Json = False,
) -> int:  # fmt: skip
    """Train a GRU to count, take its program out, prove it, and find its variables in the state.

    \b
    symscope demo                            minutes; writes runs/demo/report.html
    symscope demo --preset tiny --out runs/tiny
    symscope demo --resume                   go on with a demo that was ended
    """
    if preset not in PRESETS:
        raise UnknownName("preset", preset, PRESETS)
    where = placement(device, dtype, NOT_TRAINED)
    needed("plotly.offline", "the page")  # said before anything is computed
    chosen, began = PRESETS[preset], time.monotonic()
    settings = {"preset": preset, "task": "multi", "architecture": "gru", "width": chosen.width}
    place = {"program": "up_down", "site": "rnn.state"}
    opened(out, described("demo", seed, **settings | place), resume, force)
    with progress() as bar:
        found = demo(out, chosen, where, jobs or os.cpu_count() or 1, bar)
    spent(out, began)
    page = write_page(out)
    show(found, json, run=out, report=page)
    right = [e for e in found if e.claim.endswith(tuple(f"{p}.{v}.iia" for p, v in RIGHT))]
    return told(right)


@app.command("train")
def train_command(  # one parameter per option
    task: Annotated[str, typer.Argument(
        help="multi, single, same, modulo, round, binding, or one of the 62.")],
    network: Annotated[str | None, typer.Option(help="gru, lstm, transformer; mlp, elman.")] = None,
    width: Annotated[int | None, typer.Option(help="Of embedding and state; default: 20.")] = None,
    epochs: Annotated[int, typer.Option(
        min=1, max=MOST_STEPS, help="8 updates each; stops early from 200.")] = 400,
    own_answers: Annotated[bool | None, typer.Option(
        help="Give its own answers back in training (recurrent networks: yes).")] = None,
    highest: Annotated[int, typer.Option(min=1, max=HIGHEST, help="The largest count.")] = 20,
    hold_out: Annotated[str, typer.Option(help="Counts never trained on.")] = "4,9,14,17",
    preset: Annotated[str, typer.Option(help="binding: tiny, small or published.")] = "tiny",
    steps: Annotated[int | None, typer.Option(
        min=1, max=MOST_STEPS, help="binding: fewer steps.")] = None,
    seed: Seed = 0, out: Out = None, device: Device = "cpu", dtype: Dtype = None,
    resume: Resume = False, force: Force = False, json: Json = False,
) -> int:  # fmt: skip
    """Train a network on a task until it answers without a mistake.

    \b
    symscope train multi --network gru --width 48 --epochs 200 --out runs/x
    symscope train multi --width 48 --epochs 400 --out runs/x --resume
    symscope train div_3 --out runs/y        one of 62 sequence tasks; --network mlp, gru or elman
    symscope train binding --preset tiny     a transformer that follows chains of assignments
    """
    where = placement(device, dtype, {} if task == "binding" else NOT_TRAINED)
    if task == "binding":
        run, evidence = train_binding(out, preset, steps, seed, where, resume, force)
        show([evidence], json, run=run)
        return 0
    if task in TASKS:
        run = out or Path("runs") / "-".join((task, *([network] if network else []), str(seed)))
        asked = task, network or "mlp", width
        show([train_algorithm(run, asked, seed, where, resume, force)], json, run=run)
        return 0
    network, width = network or "gru", 20 if width is None else width
    if network not in ARCHITECTURES:
        raise UnknownName("network", network, ARCHITECTURES)
    settings = {"task": task, "architecture": network, "width": width, "highest": highest}
    settings |= {} if dtype is None else {"dtype": dtype}
    settings["held_out"] = [n for n in numbers_in(hold_out) if n <= highest]
    task_of(settings)
    built(settings, seed)  # so that a network that cannot be is refused before anything is written
    run, began = out or Path("runs") / f"{task}-{network}-{width}-{seed}", time.monotonic()
    opened(run, described("train", seed, **settings), resume, force)
    own = network != "transformer" if own_answers is None else own_answers
    with progress() as bar:
        evidence = train_into(run, Schedule(epochs, own_answers=own), where, bar)
    spent(run, began)
    if evidence.score != 1:
        say(f"below the gate: align refuses this network; train on with --epochs {2 * epochs}"
            f" --out {run} --resume")  # fmt: skip
    show([evidence], json, run=run)
    return 0


@app.command("align")
def align_command(  # one parameter per option
    target: Annotated[Path, typer.Argument(
        help="A run directory, a checkpoint, or a folder of a Hugging Face model.")],
    program: Annotated[str, typer.Option(help="up_down, up_up or progress.")] = "up_down",
    variable: Annotated[str, typer.Option(help="A variable of the program.")] = "count",
    site: Annotated[str | None, typer.Option(help="A module path; default: the state.")] = None,
    part: Annotated[str, typer.Option(help="output, input, state, h or c.")] = "",
    size: Annotated[int | None, typer.Option(help="Dimensions; default: half.")] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also below the gate.")] = False,
    steps: Annotated[int, typer.Option(
        min=1, max=MOST_STEPS, help="Steps of the search …")] = 1000,
    most: Annotated[int, typer.Option(
        min=1, max=MOST_STEPS, help="… up to so many while it gains.")] = 5000,
    pairs: Annotated[int, typer.Option(min=1, max=10**6, help="Pairs to fit on.")] = 10_000,
    fitted_controls: Annotated[bool, typer.Option(
        help="Repeat the search where there is nothing to find.")] = True,
    task: Annotated[str | None, typer.Option(help="For a checkpoint: its task.")] = None,
    network: Annotated[str, typer.Option(help="For a checkpoint: its architecture.")] = "gru",
    width: Annotated[int, typer.Option(help="For a checkpoint: its width.")] = 20,
    seed: Annotated[int | None, typer.Option(
        min=0, max=MOST_SEED, help="Default: the run's.")] = None,
    sign: Sign = "+", out: Out = None, device: Device = "cpu", dtype: Dtype = None,
    resume: Resume = False, force: Force = False, json: Json = False,
) -> int:  # fmt: skip
    """Search a network for one variable of a program, and score it beside its controls.

    \b
    symscope align runs/x --program up_down --variable count
    symscope align runs/x --program up_up --variable demo --site rnn --part state --size 8
    symscope align FOLDER --program arithmetic --variable answer --dtype bfloat16 --device auto
    symscope align theirs.pt --task multi --network gru --width 48 --out runs/theirs
    """
    where = placement(device, dtype)
    if is_language_model(target):
        asked = sign, program, variable, size, site_of(site, part) if site else None
        return align_model(
            target, asked, (Search(steps, most=most), pairs), out, where, seed or 0, anyway, json
        )
    if target.is_dir():
        if out is not None:
            raise SymscopeError(f"--out is for a bare checkpoint; this is written into {target}")
        run = target
    else:
        run = out or Path("runs") / f"align-{target.stem}"
        if task is None:
            raise SymscopeError(f"say which task {target} was trained on, for example --task multi")
        if not target.exists():
            raise SymscopeError(f"no run directory or checkpoint {target}")
        settings = {"task": task, "architecture": network, "width": width}
        task_of(settings)
        module = read_checkpoint(target, settings)
        opened(run, described("align", seed or 0, **settings), resume, force)
        keep_network(run, module)
    place = site_of(site, part)
    claim = Claim(program, variable, size, place, fitted_controls)
    there = [e for e in recorded(run) if e.claim == name_of(run, claim) and e.score is not None]
    if there and resume:
        show(there, json, run=run)
        return told(there)
    if there and not force:
        raise SymscopeError(
            f"{run} already holds {there[0].claim}; show it with --resume, replace it with --force"
        )
    effort = Effort(Search(steps, most=most), {**COUNTS, "fit": pairs})
    with progress() as bar:
        bar(0, 1, f"searching for {variable}")
        evidence = align_one(run, claim, effort, where, seed, anyway)
    show([evidence], json, run=run)
    return told([evidence])


app.command("extract")(extract_command)
app.command("verify")(verify_command)


app.command("localize")(localize_command)
app.command("generate")(generate_command)
app.command("study")(study_command)
app.command("bench")(bench_command)
app.command("sweep")(sweep_command)
app.command("doctor")(doctor_command)


@app.command("report")
def report_command(
    run: Annotated[Path, typer.Argument(help="A run directory.")], json: Json = False
) -> int:
    """Write a run's evidence as one HTML page that opens offline.

    \b
    symscope report runs/demo
    """
    configured(run)
    if not recorded(run):
        raise SymscopeError(f"{run} holds no evidence yet; go on with it (--resume)")
    page = write_page(run)
    show_json(report=page) if json else print(f"report: {page}")
    return 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code. Failures are one line on stderr."""
    torch.set_num_threads(1)
    printable()
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        code = app(arguments, standalone_mode=False)
        if code == 130:  # where typer has turned the interrupt into an exit
            raise KeyboardInterrupt
        return int(code or 0)
    except (Exception, KeyboardInterrupt) as error:  # here every failure becomes a line
        code, line = outcome(error)
        say(line)
        if "--json" in arguments:
            show_json(error=line, exit=code)
        return code

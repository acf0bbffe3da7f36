"""From a network to a program to a proof: `extract`, `verify`, and training on the 62 tasks."""

import shutil
import subprocess
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated

import typer

from symscope.align import require_gate
from symscope.causal_model import UnknownName
from symscope.commands.loop import EXTRACTED, extract_into, network_of, task_of
from symscope.commands.options import (
    NOT_EXTRACTED,
    ON_CPU,
    Device,
    Dtype,
    Force,
    Json,
    Out,
    Resume,
    Seed,
    finite,
)
from symscope.commands.run_directory import (
    configured,
    described,
    opened,
    record,
    recorded,
    spent,
    update,
)
from symscope.commands.terminal import say, show, show_json
from symscope.evidence import (
    ComputationFailed,
    Counterexample,
    Evidence,
    Proof,
    SymscopeError,
    write_whole,
)
from symscope.extract import extract, machine_of
from symscope.extract.extract import require_perfect
from symscope.models.load import WIDEST, load_network, save_network
from symscope.models.real_rnn import RealRNN, shape_of
from symscope.placement import Placement, placement
from symscope.program import Program
from symscope.programs.dafny import dafny_source
from symscope.programs.joined import answered
from symscope.programs.reading import read_program
from symscope.report import write_page
from symscope.studies.programs.extraction import graded, network_in
from symscope.studies.programs.settings import CELL_WIDTH, CELLS, setting_of
from symscope.task import Task
from symscope.tasks import ALGORITHMS, algorithm
from symscope.tasks.algorithms import EXTRAS
from symscope.tasks.numbers import KINDS, Counting
from symscope.train_cell import train_cell
from symscope.train_copies import answers_right, train_copies
from symscope.verify import Domain, equivalent
from symscope.verify.pair import Answer

TASKS = (*ALGORITHMS, *EXTRAS)
NETWORKS = {"mlp": "real_mlp", **CELLS}


def train_algorithm(
    run: Path, asked: tuple[str, str, int | None], seed: int, where: Placement,
    resume: bool, force: bool,
) -> Evidence:  # fmt: skip
    """Train a network on one of the sequence tasks, into a run directory.

    `asked` is the task, "mlp" (the published form), "gru" or "elman", and the width of a cell.
    """
    name, kind, width = asked
    if kind not in NETWORKS:
        raise UnknownName("network for sequences", kind, NETWORKS)
    setting, architecture = setting_of(name), NETWORKS[kind]
    if where.device not in ("cpu", "auto"):
        raise SymscopeError(f"--device {where.device} is not for {name}: {ON_CPU}")
    if kind != "mlp" and where.dtype == "float64":
        raise SymscopeError(f"--dtype float64 is for mlp; {kind} is trained in float32")
    if kind == "mlp" and width is not None:
        raise SymscopeError("--width is for gru and elman; an MLP's shape comes with its task")
    began, double = time.monotonic(), where.dtype == "float64"
    plan = setting.plan if where.dtype is None else replace(setting.plan, double=double)
    width = setting.width if kind == "mlp" else CELL_WIDTH if width is None else width
    settings = {"task": name, "architecture": architecture, "width": width}
    settings |= {} if where.dtype is None else {"dtype": where.dtype}
    if not 1 <= width <= WIDEST:
        raise SymscopeError(f"width {width}: 1 or more, up to {WIDEST:,}")
    opened(run, described("train", seed, **settings), resume, force)
    there = [e for e in recorded(run) if e.unit == "accuracy"]
    if there and (run / "network.safetensors").exists():
        return there[0]
    if kind == "mlp":
        network, evidence = train_copies(algorithm(name), width, setting.f, setting.g, plan, seed)
    else:
        network, evidence = train_cell(algorithm(name), architecture, width, seed=seed)
    shape = {"architecture": architecture, **evidence.config["shape"]}
    save_network(run / "network.safetensors", network, shape)
    evidence = Evidence(**{**asdict(evidence), "claim": f"programs.{name}.network.accuracy"})
    record(run, [evidence])
    spent(run, began)
    return evidence


def extract_command(  # one parameter per option
    target: Annotated[Path, typer.Argument(help="A run directory, or a file of weights.")],
    task: Annotated[str | None, typer.Option(help="For a file: its task.")] = None,
    seconds: Annotated[float, typer.Option(
        min=0.1, callback=finite, help="For the search of one formula.")] = 20.0,
    within: Annotated[float, typer.Option(
        min=0, callback=finite, help="For all routes together.")] = 600.0,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also if it makes mistakes.")] = False,
    seed: Seed = 0, out: Out = None, device: Device = "cpu", dtype: Dtype = None,
    resume: Resume = False, force: Force = False, json: Json = False,
) -> int:  # fmt: skip
    """Turn a trained network into a short program, prove it, and write a page about it.

    \b
    symscope extract runs/multi-gru-48-0
    symscope train div_3 --out runs/div_3
    symscope extract runs/div_3
    symscope extract theirs.safetensors --task parity_last2 --out runs/theirs
    """
    where = placement(device, dtype, NOT_EXTRACTED)
    if device not in ("cpu", "auto"):
        raise SymscopeError(f"--device {device} is not for extraction: {ON_CPU}")
    where = replace(where, device="cpu")
    if target.is_dir() and configured(target).get("task") in KINDS:
        return _extract_counting(target, where, seconds, anyway, json)
    run, name, module = _network(target, task, seed, out, resume, force)
    rule, began = algorithm(name), time.monotonic()
    machine = machine_of(module, rule.program.inputs, rule.length)
    require_perfect(answers_right(module, rule, seed)[0], anyway)
    say("searching for a program")
    found = extract(machine, seconds=seconds, within=within, seed=seed)
    if found.undecided is not None:
        say(f"mind: {found.undecided}")
    records = graded(name, rule, machine, found, seed)
    record(run, records)
    spent(run, began)
    if found.chosen is None:
        (run / "program.py").unlink(missing_ok=True)  # of an earlier extraction
        page = write_page(run)
        raise ComputationFailed(f"no program was found that answers as the network does"
                                f" ({'; '.join(_told(records[0]))}); report: {page}")  # fmt: skip
    source = records[0].config["source"]
    write_whole(run / "program.py", lambda p: p.write_text(source, encoding="utf8"))
    update(run, program="extracted")
    say("drawing")
    _shown(run, run / "program.py", records, json, write_page(run))
    return 0 if records[0].score == 1 else 1


def _extract_counting(run: Path, where: Placement, seconds: float, anyway: bool, json: bool) -> int:
    """The same for a network of the counting tasks, whose run keeps a program of its own."""
    began = time.monotonic()
    if not anyway:
        require_gate(network_of(run, where)[0], task_of(configured(run)))
    say("searching for a program")
    records = extract_into(run, where, again=True, seconds=seconds)
    spent(run, began)
    if records[0].score is None:
        raise ComputationFailed(f"no program was found that answers as the network does"
                                f" ({'; '.join(_told(records[0]))})")  # fmt: skip
    _shown(run, run / EXTRACTED, records, json)
    if not json:
        config = records[0].config
        print(f"the network itself answers like it up to N = {config['agrees_to']}; it was trained"
              f" up to {config['trained_to']}")  # fmt: skip
    return 0 if records[1].score == 1 else 1


def _shown(
    run: Path, program: Path, records: list[Evidence], json: bool, report: Path | None = None
) -> None:
    places = {"program": program} | ({"report": report} if report else {})
    if json:
        show(records, True, run=run, **places)
        return
    print(records[0].config["source"])
    print("\n".join([*_told(records[0]), records[0].config["said"]]))
    print("\n".join(f"{name}: {place}" for name, place in places.items()))


def _told(record: Evidence) -> list[str]:
    return [f"{route}: {said}" for route, said in record.config["tried"].items()]


def verify_command(
    program: Annotated[Path, typer.Argument(help="A program, as `symscope extract` writes it.")],
    task: Annotated[str | None, typer.Option(help="The task whose rule it shall equal.")] = None,
    rule: Annotated[Path | None, typer.Option(help="Or another program.")] = None,
    length: Annotated[int | None, typer.Option(min=1, help="Up to so many steps only.")] = None,
    seconds: Annotated[float, typer.Option(min=1, callback=finite, help="Time limit.")] = 60.0,
    dafny: Annotated[Path | None, typer.Option(help="Write both as Dafny source here.")] = None,
    json: Json = False,
) -> int:
    """Prove that a program equals a rule, or show an input on which it does not.

    \b
    symscope verify runs/div_3/program.py --task div_3
    symscope verify runs/demo/extracted.py --task multi    on the task's sequences, of any N
    symscope verify one.py --rule other.py --length 10
    symscope verify program.py --task div_3 --dafny div_3.dfy
    """
    if (task is None) == (rule is None):
        raise SymscopeError("say what the program shall equal: --task NAME or --rule FILE")
    mine = read_program(program)
    legal = Counting(task).legal if task is not None and task in KINDS else None
    other = read_program(rule) if rule is not None else _task(task or "").program
    answer = equivalent(mine, other, Domain(other.inputs, length, legal), seconds=seconds)
    told = {} if dafny is None else {"dafny": _written(dafny, mine, other, legal, answer)}
    if json:
        show_json(verdict=type(answer).__name__.lower(), **asdict(answer), **told)
    else:
        print("\n".join([str(answer), *told.values()]))
    return 0 if isinstance(answer, Proof) else 1 if isinstance(answer, Counterexample) else 3


def _written(
    path: Path, program: Program, rule: Program, legal: Program | None, answer: Answer
) -> str:
    """Both programs as Dafny source in a file, and what a Dafny on the path says of it."""
    if legal is not None:
        program, rule = (answered(one, legal, otherwise=0) for one in (program, rule))
    relations = answer.invariants if isinstance(answer, Proof) else ()
    source = dafny_source(program, rule, relations)
    write_whole(path, lambda p: p.write_text(source, encoding="utf8"))
    binary = shutil.which("dafny")
    if binary is None:
        return f"Dafny source: {path}, not checked, for no dafny is on the path"
    ran = subprocess.run([binary, "verify", path], capture_output=True, text=True)
    said = (ran.stdout.strip().splitlines() or [ran.stderr.strip()])[-1]
    return f"Dafny source: {path}; dafny says: {said}"


def _network(
    target: Path, task: str | None, seed: int, out: Path | None, resume: bool, force: bool
) -> tuple[Path, str, RealRNN]:
    """The run, the task's name and the network; a file of weights is kept in a run of its own."""
    if target.is_dir():
        config = configured(target)
        if config.get("task") not in TASKS:
            raise SymscopeError(
                f"{target} holds a network of the task {config.get('task')}; programs are taken"
                " from networks of the tasks that symscope train knows"
            )
        module, _ = load_network(target / "network.safetensors")
        if not isinstance(module, RealRNN):
            raise SymscopeError(f"{target} holds a {type(module).__name__}, which reads no numbers")
        return target, config["task"], module
    if task is None:
        raise SymscopeError(f"say which task {target} was trained on, for example --task div_3")
    if task not in TASKS:
        raise UnknownName("task", task, TASKS)
    module = network_in(target)
    run = out or Path("runs") / f"extract-{target.stem}"
    shape = shape_of(module)
    form = {key: shape[key] for key in ("architecture", "width")}
    opened(run, described("extract", seed, task=task, **form), resume, force)
    save_network(run / "network.safetensors", module, shape)
    return run, task, module


def _task(name: str) -> Task:
    if name in KINDS:
        return Counting(name)
    if name not in TASKS:
        raise UnknownName("task", name, (*KINDS, *TASKS))
    return algorithm(name)

"""From a network to a program to a proof: `extract`, `verify`, and training on the 62 tasks."""

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from symscope.causal_model import UnknownName
from symscope.commands.options import Force, Json, Out, Resume, Seed
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
from symscope.models.load import load_network, load_weights, save_network
from symscope.models.real_rnn import RealRNN, from_published
from symscope.programs.reading import read_program
from symscope.report import write_page
from symscope.studies.programs.extraction import graded
from symscope.studies.programs.settings import SETTINGS
from symscope.tasks import ALGORITHMS, algorithm
from symscope.tasks.algorithms import EXTRAS
from symscope.tasks.programmed import Programmed
from symscope.train_copies import answers_right, train_copies
from symscope.verify import Domain, equivalent

TASKS = (*ALGORITHMS, *EXTRAS)


def train_algorithm(run: Path, name: str, seed: int, resume: bool, force: bool) -> Evidence:
    """Train a network of the published form on one of the sequence tasks, into a run directory."""
    setting = SETTINGS[name.removesuffix("_now")]
    began = time.monotonic()
    settings = {"task": name, "architecture": "real_mlp", "width": setting.width}
    opened(run, described("train", seed, **settings), resume, force)
    if (run / "network.safetensors").exists():
        return next(e for e in recorded(run) if e.unit == "accuracy")
    network, evidence = train_copies(
        algorithm(name), setting.width, setting.f, setting.g, setting.plan, seed
    )
    shape = {"architecture": "real_mlp", **evidence.config["shape"]}
    save_network(run / "network.safetensors", network, shape)
    evidence = Evidence(**{**asdict(evidence), "claim": f"programs.{name}.network.accuracy"})
    record(run, [evidence])
    spent(run, began)
    return evidence


def extract_command(  # one parameter per option
    target: Annotated[Path, typer.Argument(help="A run directory, or a file of weights.")],
    task: Annotated[str | None, typer.Option(help="For a file: its task.")] = None,
    seconds: Annotated[float, typer.Option(min=0.1, help="For the search of one formula.")] = 20.0,
    anyway: Annotated[bool, typer.Option("--anyway", help="Also if it makes mistakes.")] = False,
    seed: Seed = 0, out: Out = None, resume: Resume = False, force: Force = False,
    json: Json = False,
) -> int:  # fmt: skip
    """Turn a trained recurrent network into a short program, prove it, and write a page about it.

    \b
    symscope train div_3 --out runs/div_3
    symscope extract runs/div_3
    symscope extract theirs.safetensors --task parity_last2 --out runs/theirs
    """
    run, name, module = _network(target, task, seed, out, resume, force)
    rule, began = algorithm(name), time.monotonic()
    machine = machine_of(module, rule.program.inputs, rule.length)
    require_perfect(answers_right(module, rule, seed)[0], anyway)
    say("searching for a program")
    found = extract(machine, seconds=seconds, seed=seed)
    records = graded(name, rule, machine, found, seed)
    record(run, records)
    spent(run, began)
    if found.chosen is None:
        (run / "program.py").unlink(missing_ok=True)  # of an earlier extraction
        page = write_page(run)
        tried = "; ".join(f"{route}: {said}" for route, said in found.tried.items())
        raise ComputationFailed(
            f"no program was found that answers as the network does ({tried}); report: {page}"
        )
    source = records[0].config["source"]
    write_whole(run / "program.py", lambda p: p.write_text(source, encoding="utf8"))
    update(run, program="extracted")
    say("drawing")
    page = write_page(run)
    if json:
        show(records, True, run=run, program=run / "program.py", report=page)
    else:
        print(source)
        for route, said in found.tried.items():
            print(f"{route}: {said}")
        print(f"{records[0].config['said']}\nprogram: {run / 'program.py'}\nreport: {page}")
    return 0 if records[0].score == 1 else 1


def verify_command(
    program: Annotated[Path, typer.Argument(help="A program, as `symscope extract` writes it.")],
    task: Annotated[str | None, typer.Option(help="The task whose rule it shall equal.")] = None,
    rule: Annotated[Path | None, typer.Option(help="Or another program.")] = None,
    length: Annotated[int | None, typer.Option(min=1, help="Up to so many steps only.")] = None,
    seconds: Annotated[float, typer.Option(min=1, help="Time limit.")] = 60.0,
    json: Json = False,
) -> int:
    """Prove that a program equals a rule, or show an input on which it does not.

    \b
    symscope verify runs/div_3/program.py --task div_3
    symscope verify one.py --rule other.py --length 10
    """
    if (task is None) == (rule is None):
        raise SymscopeError("say what the program shall equal: --task NAME or --rule FILE")
    mine = read_program(program)
    other = read_program(rule) if rule is not None else _task(task or "").program
    answer = equivalent(mine, other, Domain(other.inputs, length), seconds=seconds)
    if json:
        show_json(verdict=type(answer).__name__.lower(), **asdict(answer))
    else:
        print(answer)
    return 0 if isinstance(answer, Proof) else 1 if isinstance(answer, Counterexample) else 3


def _network(
    target: Path, task: str | None, seed: int, out: Path | None, resume: bool, force: bool
) -> tuple[Path, str, RealRNN]:
    """The run, the task's name and the network; a file of weights is kept in a run of its own."""
    if target.is_dir():
        config = configured(target)
        if config.get("task") not in TASKS:
            raise SymscopeError(
                f"{target} holds a network of the task {config.get('task')}; programs are taken"
                " from networks of the sequence tasks: symscope train div_3"
            )
        module, _ = load_network(target / "network.safetensors")
        assert isinstance(module, RealRNN), "sequence tasks are trained with such networks"
        return target, config["task"], module
    if task is None:
        raise SymscopeError(f"say which task {target} was trained on, for example --task div_3")
    _task(task)
    module = from_published(load_weights(target), target)
    run = out or Path("runs") / f"extract-{target.stem}"
    width = module.g[0].in_features
    opened(run, described("extract", seed, task=task, architecture="real_mlp", width=width),
           resume, force)  # fmt: skip
    return run, task, module


def _task(name: str) -> Programmed:
    if name not in TASKS:
        raise UnknownName("task", name, TASKS)
    return algorithm(name)

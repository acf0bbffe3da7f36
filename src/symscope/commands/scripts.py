"""Commands that are programs of their own: studies and benchmarks."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from symscope.align.methods import METHODS
from symscope.causal_model import UnknownName
from symscope.commands.options import Jobs, Json, Out
from symscope.commands.terminal import show_json
from symscope.evidence import SymscopeError


def studies() -> list[str]:
    """The files and folders of `studies/` that say in a docstring how they are run."""
    folder = Path(__file__).parents[1] / "studies"
    files = [*folder.glob("*.py"), *folder.glob("*/__main__.py")]
    named = {f: f.parent.name if f.stem == "__main__" else f.stem for f in files}
    return sorted(n for f, n in named.items() if f"symscope study {n}" in f.read_text("utf8"))


def given(options: Mapping[str, object]) -> list[str]:
    """The options that were given, as arguments."""
    return [str(x) for k, v in options.items() if v is not None for x in (k, v)]


def script(command: list[str], json_wanted: bool) -> int:
    """Run Python on `command`; what it prints goes to stderr where stdout is for JSON."""
    asked = [sys.executable, *command]
    code = subprocess.run(asked, stdout=sys.stderr if json_wanted else None).returncode
    if json_wanted:
        show_json(command=command, exit=code)
    return code


def study_command(  # one parameter per option
    name: Annotated[str, typer.Argument(help="Which study.")],
    preset: Annotated[str, typer.Option(help="small or published.")] = "small",
    seeds: Annotated[int | None, typer.Option(min=1, help="Networks per condition.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="binding: train no longer.")] = None,
    device: Annotated[str | None, typer.Option(help="binding: cpu, cuda, cuda:1 …")] = None,
    jobs: Jobs = None, out: Out = None, json: Json = False,
) -> int:  # fmt: skip
    """Replicate a published result, from where it stands.

    \b
    symscope study numbers --preset small --seeds 1 --jobs 2
    symscope study binding --preset small
    symscope study binding --preset published --device cuda
    """
    if name not in studies():
        raise UnknownName("study", name, studies())
    if preset not in ("small", "published", "tiny"):
        raise UnknownName("preset", preset, ("small", "published"))
    own = {"--steps": steps, "--device": device}
    if name != "binding" and any(v is not None for v in own.values()):
        raise SymscopeError(f"--steps and --device are for the study binding, not for {name}")
    options = given({"--seeds": seeds, "--jobs": jobs, "--out": out, **own})
    return script(["-m", f"symscope.studies.{name}", "--preset", preset, *options], json)


def bench_command(  # one parameter per option
    name: Annotated[str, typer.Argument(help="truth, programs, or which benchmark.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer sizes, fewer rounds.")] = False,
    preset: Annotated[str, typer.Option(help="truth: small or full.")] = "full",
    method: Annotated[str | None, typer.Option(help="truth: one method alone.")] = None,
    tasks: Annotated[str | None, typer.Option(help="programs: an expression for names.")] = None,
    networks: Annotated[Path | None, typer.Option(help="programs: trained elsewhere.")] = None,
    jobs: Jobs = None, out: Out = None, json: Json = False,
) -> int:  # fmt: skip
    """Error rates on networks whose program is known (truth), or speed beside other libraries.

    The speed benchmarks are run in a checkout of the repository.

    \b
    symscope bench truth --preset small
    symscope bench truth --method das
    symscope bench das --quick
    """
    if name == "truth":
        if preset not in ("small", "full"):
            raise UnknownName("preset", preset, ("small", "full"))
        if method is not None and method not in METHODS:
            raise UnknownName("method", method, METHODS)
        options = given({"--method": method, "--jobs": jobs, "--out": out})
        return script(["-m", "symscope.studies.truth", "--preset", preset, *options], json)
    if name == "programs":
        options = given({"--tasks": tasks, "--networks": networks, "--jobs": jobs, "--out": out})
        return script(["-m", "symscope.studies.programs", *options], json)
    folder = Path(__file__).parents[3] / "benchmarks"
    if not folder.is_dir():
        raise SymscopeError(
            "benchmarks are run in a checkout of the repository, and this symscope is not in one;"
            " get one and type pip install -e . there"
        )
    scripts = [p.stem for p in folder.glob("*.py") if "__main__" in p.read_text("utf8")]
    there = sorted(["truth", "programs", *scripts])
    if name not in there:
        raise UnknownName("benchmark", name, there)
    return script([str(folder / f"{name}.py"), *(["--quick"] if quick else [])], json)

"""Commands that are programs of their own: studies and benchmarks."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from symscope.align.methods import METHODS
from symscope.causal_model import UnknownName
from symscope.commands.options import Address, Engines, Jobs, Json, Out, finite
from symscope.commands.terminal import show_json
from symscope.engines import engine_named
from symscope.evidence import SymscopeError
from symscope.placement import placement


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


def _spread(engine: str, address: str, jobs: int | None, device: str = "cpu") -> list[str]:
    """Where units are run, as arguments; raises `SymscopeError` where that cannot be."""
    engine_named(engine, jobs, address, device)
    cluster = {} if engine == "local" else {"--engine": engine, "--address": address}
    return given({**cluster, "--jobs": jobs})


PRESETS = {
    "numbers": ("small", "published"),
    "binding": ("small", "tiny", "published"),
    "geometry": ("small", "tiny", "language", "gpt2", "mistral-7b", "llama-3-8b"),
    "hypernetworks": ("small", "tiny", "search", "published"),
    "heuristics": ("small", "more", "tiny", "pythia-6.9b", "gpt-j", "llama-3-8b"),
}
"""Of studies that have several sizes; the others have "small" and "published"."""


def study_command(  # one parameter per option
    name: Annotated[str, typer.Argument(help="Which study.")],
    preset: Annotated[str, typer.Option(help="Its size; a wrong one lists them.")] = "small",
    seeds: Annotated[int | None, typer.Option(min=1, help="Networks per condition.")] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="binding: train no longer.")] = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1, auto …")] = None,
    model: Annotated[str | None, typer.Option(help="A folder, or a name on the hub.")] = None,
    dtype: Annotated[str | None, typer.Option(help="bfloat16, float32 …")] = None,
    dry_run: Annotated[bool, typer.Option(help="Memory and time alone.")] = False,
    budget: Annotated[float | None, typer.Option(
        min=0.1, callback=finite, help="heuristics: GB for maps.")] = None,
    pairs: Annotated[int | None, typer.Option(min=1, help="geometry: at most so many.")] = None,
    layers: Annotated[str | None, typer.Option(help="geometry: such as 0,4,8.")] = None,
    layer: Annotated[int | None, typer.Option(help="geometry: for points off the circle.")] = None,
    untrained: Annotated[bool, typer.Option(help="geometry: a fresh network too.")] = False,
    dictionary: Annotated[str | None, typer.Option(help="geometry: a folder of SAELens.")] = None,
    dictionary_layer: Annotated[int | None, typer.Option(help="geometry: what it reads.")] = None,
    text: Annotated[str | None, typer.Option(help="geometry: a file to rank clusters on.")] = None,
    engine: Engines = "local", address: Address = "auto",
    jobs: Jobs = None, out: Out = None, json: Json = False,
) -> int:  # fmt: skip
    """Replicate a published result, from where it stands.

    \b
    symscope study numbers --preset small --seeds 1 --jobs 2
    symscope study binding --preset published --device cuda
    symscope study geometry --preset small
    symscope study hypernetworks --preset small
    symscope study heuristics --preset llama-3-8b --model FOLDER --device cuda --dry-run
    """
    if name not in studies():
        raise UnknownName("study", name, studies())
    known = PRESETS.get(name, ("small", "published"))
    if preset not in known:
        raise UnknownName("preset", preset, known)
    models = ("geometry", "heuristics")
    on_device = ("binding", "hypernetworks", *models)
    alone = {"--pairs": pairs, "--layers": layers, "--layer": layer, "--dictionary": dictionary,
             "--dictionary-layer": dictionary_layer, "--text": text}  # fmt: skip
    own = {"--steps": (steps, ("binding",)), "--device": (device, on_device),
           "--budget": (budget, ("heuristics",)), "--model": (model, models),
           "--dtype": (dtype, ("binding", *models)),
           **{k: (v, ("geometry",)) for k, v in alone.items()},
           "--untrained": (untrained or None, ("geometry",))}  # fmt: skip
    for option, (value, theirs) in own.items():
        if value is not None and name not in theirs:
            listed = " and ".join(filter(None, (", ".join(theirs[:-1]), theirs[-1])))
            raise SymscopeError(f"{option} is for {listed}, not for {name}")
    if device is not None and engine == "local":
        placement(device)
    options = _spread(engine, address, jobs, device or "cpu")
    options += given({"--seeds": seeds, "--out": out, "--steps": steps,
                     "--device": device, "--dtype": dtype, "--model": model,
                     "--budget": budget, **alone})  # fmt: skip
    options += ["--dry-run"] * dry_run + ["--untrained"] * untrained
    return script(["-m", f"symscope.studies.{name}", "--preset", preset, *options], json)


SIZES = {"truth": ("full", "small"), "dictionaries": ("small", "tiny")}
"""Of benchmarks that have several sizes, the first without `--preset`."""


def bench_command(  # one parameter per option
    name: Annotated[str, typer.Argument(help="truth, dictionaries, programs, or which benchmark.")],
    quick: Annotated[bool, typer.Option("--quick", help="Fewer sizes, fewer rounds.")] = False,
    preset: Annotated[str | None, typer.Option(help="truth, dictionaries: its size.")] = None,
    method: Annotated[str | None, typer.Option(help="truth: one method alone.")] = None,
    tasks: Annotated[str | None, typer.Option(help="programs: an expression for names.")] = None,
    networks: Annotated[Path | None, typer.Option(help="programs: trained elsewhere.")] = None,
    dry_run: Annotated[bool, typer.Option(help="programs: memory and time alone.")] = False,
    engine: Engines = "local", address: Address = "auto",
    jobs: Jobs = None, out: Out = None, json: Json = False,
) -> int:  # fmt: skip
    """Error rates where the program is known (truth), dictionaries' worth, or speed beside others.

    The speed benchmarks are run in a checkout of the repository.

    \b
    symscope bench truth --preset small
    symscope bench truth --method das
    symscope bench dictionaries --preset tiny
    symscope bench das --quick
    """
    spread = _spread(engine, address, jobs)
    if dry_run and name != "programs":
        raise SymscopeError(f"--dry-run is for programs, not for {name}")
    if name in SIZES:
        preset = SIZES[name][0] if preset is None else preset
        if preset not in SIZES[name]:
            raise UnknownName("preset", preset, SIZES[name])
        if method is not None and name != "truth":
            raise SymscopeError(f"--method is for truth, not for {name}")
        if method is not None and method not in METHODS:
            raise UnknownName("method", method, METHODS)
        options = spread + given({"--method": method, "--out": out})
        return script(["-m", f"symscope.studies.{name}", "--preset", preset, *options], json)
    if name == "programs":
        options = spread + given({"--tasks": tasks, "--networks": networks, "--out": out})
        options += ["--dry-run"] * dry_run
        return script(["-m", "symscope.studies.programs", *options], json)
    folder = Path(__file__).parents[3] / "benchmarks"
    if not folder.is_dir():
        raise SymscopeError(
            "benchmarks are run in a checkout of the repository, and this symscope is not in one;"
            " get one and type pip install -e . there"
        )
    scripts = [p.stem for p in folder.glob("*.py") if "__main__" in p.read_text("utf8")]
    there = sorted([*SIZES, "programs", *scripts])
    if name not in there:
        raise UnknownName("benchmark", name, there)
    return script([str(folder / f"{name}.py"), *(["--quick"] if quick else [])], json)

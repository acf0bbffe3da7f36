"""Variable binding at the command line: train a network, and see where a value travels in it."""

import time
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from rich.console import Console
from rich.table import Table

from symscope.causal_model import UnknownName
from symscope.commands.language_model import is_language_model, localize_model
from symscope.commands.options import Device, Dtype, Json, Seed, Sign
from symscope.commands.run_directory import configured, described, opened, record, spent
from symscope.commands.terminal import progress, say, show_json
from symscope.evidence import Evidence, SymscopeError
from symscope.localize import logit_shift, patched, places
from symscope.localize.places import PER_HEAD
from symscope.models.load import fill, load_network, load_weights, save_network
from symscope.models.transformer import Transformer
from symscope.network import Network, NothingChanged
from symscope.placement import Placement, placement, put
from symscope.studies.binding.circuits import part_claims
from symscope.studies.binding.mechanism import numbered, residual_claims
from symscope.studies.binding.settings import PRESETS, Preset, in_precision, shorter
from symscope.tasks.binding import KINDS, Binding, NoPair, counterfactual
from symscope.train_answers import train_answers

_TRIES = 200


def preset_of(name: str) -> Preset:
    """The preset of that name; raises `UnknownName`."""
    if name not in PRESETS:
        raise UnknownName("preset", name, PRESETS)
    return PRESETS[name]


def train_binding(
    run: Path | None, name: str, steps: int | None, seed: int, where: Placement, resume: bool,
    force: bool,
) -> tuple[Path, Evidence]:  # fmt: skip
    """Train a transformer on programs of assignments, into a run directory."""
    preset = preset_of(name) if steps is None else shorter(preset_of(name), steps)
    run, began = run or Path("runs") / f"binding-{name}-{seed}", time.monotonic()
    settings = {"task": "binding", "preset": name, "architecture": "transformer",
                "width": preset.width, "steps": preset.plan.steps}  # fmt: skip
    settings |= {} if where.dtype is None else {"dtype": where.dtype}
    opened(run, described("train", seed, **settings), resume, force)
    preset, where = in_precision(preset, where.alone)
    module = put(preset.network(seed), where)
    with progress() as bar:
        evidence = train_answers(module, preset.task, preset.plan, seed, run, (), bar)
    save_network(run / "network.safetensors", module.to("cpu"), preset.shaped())
    evidence = replace(evidence, claim=f"binding.{name}.accuracy")
    record(run, [evidence])
    spent(run, began)
    return run, evidence


def localize_command(  # one parameter per option
    target: Annotated[Path, typer.Argument(
        help="A run of `train binding`, its weights, or a folder of a Hugging Face model.")],
    text: Annotated[str | None, typer.Option(help="One program, such as 'a=5; b=a; #b:'.")] = None,
    kind: Annotated[str, typer.Option(help="What is changed: root, rebind, query …")] = "root",
    sites: Annotated[
        str, typer.Option(help="residual, attention, mlp, head, q, k, v.")] = "residual",
    hops: Annotated[int | None, typer.Option(min=1, help="Of the chains; default: most.")] = None,
    role: Annotated[str | None, typer.Option(help="One role alone, such as 'right 2'.")] = None,
    head: Annotated[str | None, typer.Option(help="One head alone: block.head, from 1.")] = None,
    pairs: Annotated[int, typer.Option(min=4, max=10**6, help="Counterfactual pairs.")] = 200,
    preset: Annotated[str, typer.Option(help="For a file of weights: its preset.")] = "small",
    sign: Sign = "+", seed: Seed = 0, device: Device = "cpu", dtype: Dtype = None,
    json: Json = False,
) -> int:  # fmt: skip
    """See where a value travels: patch each place and watch the answer.

    \b
    symscope train binding --preset tiny --out runs/binding
    symscope localize runs/binding                     by role and layer, many pairs
    symscope localize runs/binding --sites head        which heads carry it
    symscope localize FOLDER --sign + --dtype bfloat16 --device auto
    symscope localize runs/binding --text "a=5; b=a; c=7; d=1; e=b; #e:"
    """
    where = placement(device, dtype)
    if is_language_model(target):
        if (text, hops, role, head) != (None,) * 4:
            raise SymscopeError("--text, --hops, --role and --head are for binding alone")
        return localize_model(target, sign, pairs, where, seed, json)
    if kind not in KINDS:
        raise UnknownName("kind of counterfactual", kind, KINDS)
    task, network, shape = _loaded(target, preset, where)
    if text is not None:
        return _one(task, network, text, kind, sites, (role, head), seed, json)
    fresh = Network(put(preset_of(shape["preset"]).network(seed + 1000), where).eval())
    depth = task.hops if hops is None else hops
    if depth > task.hops:
        raise SymscopeError(
            f"{depth} hops were asked for; this task has chains of 1 to {task.hops}"
        )
    layers, name = shape["layers"], f"binding.{shape['preset']}"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)
        if sites in ("head", "mlp"):
            parts = {sites: numbered(network, sites)}
            found = part_claims(network, task, parts, pairs, name, seed)
        elif sites == "residual":
            found = residual_claims(network, fresh, task, kind, depth, pairs, layers, name, seed)
        else:
            raise UnknownName("sites for many pairs", sites, ("residual", "head", "mlp"))
    if role is not None:
        there = [e.claim.rsplit(".", 1)[1].replace("_", " ") for e in found]
        if role not in there:
            raise UnknownName("role", role, there)
        found = [found[there.index(role)]]
    if target.is_dir():
        record(target, found)
    _show_many(found, json)
    return 0


def _loaded(target: Path, preset: str, where: Placement) -> tuple[Binding, Network, dict[str, Any]]:
    """Task, network and shape of a run, or of a file of weights with its preset."""
    if not target.exists():
        raise SymscopeError(f"no run directory or file {target}; symscope train binding makes one")
    if target.is_dir():
        config = configured(target)
        if config.get("task") != "binding":
            raise SymscopeError(f"{target} was trained on {config.get('task')!r}, not on binding")
        preset = config["preset"]
        module, _ = load_network(target / "network.safetensors")
    else:
        module = preset_of(preset).network(0)
        fill(module, load_weights(target), target)
    made = preset_of(preset)
    return made.task, Network(put(module, where)), {**made.shape, "preset": preset}


def _one(  # eight: what the options of the command said
    task: Binding, network: Network, text: str, kind: str, sites: str,
    only: tuple[str | None, str | None], seed: int, json: bool,
) -> int:  # fmt: skip
    """Δ of the counterfactual's answer for one program, place by place."""
    base = task.parse(text)
    source = _changed(task, base, kind, seed)
    expected = task.trace(source).answer
    chosen = _places(task, network, base, sites, *only)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)
        natural = network.run(base).output[:, -1]
        shift = logit_shift(
            patched(network, base, source, list(chosen.values())), natural, expected
        )
    answered = task.vocabulary[int(natural.argmax())]
    right = task.vocabulary[int(task.trace(base).answer)]
    rows = [{"block": k[0] + 1, "place": _called(k, sites), "shift": float(v)}
            for k, v in zip(chosen, shift[:, 0], strict=True)]  # fmt: skip
    said = {
        "program": task.text(base[0]),
        "counterfactual": task.text(source[0]),
        "answer": right,
        "network": answered,
        "expected": task.vocabulary[int(expected)],
    }
    if json:
        show_json(**said, sites=sites, map=rows)
        return 0
    for name, value in said.items():
        say(f"{name}: {value!r}" if "\n" in value else f"{name}: {value}")
    labels = list(dict.fromkeys(r["place"] for r in rows))
    say(f"shift of the logit of {said['expected']!r} when each place is patched, {sites}:")
    table = Table("block", *labels)
    for block in sorted({r["block"] for r in rows}):
        here = {r["place"]: r["shift"] for r in rows if r["block"] == block}
        table.add_row(str(block), *(f"{here[c]:.1f}" if c in here else "" for c in labels))
    Console().print(table)
    return 0


def _called(key: tuple[Any, ...], sites: str) -> str:
    """A place's label for people: its role, or its head counted from 1, or both."""
    if sites not in PER_HEAD:
        return str(key[1])
    return " at ".join([f"head {key[1] + 1}", *map(str, key[2:])])


def _places(
    task: Binding, network: Network, base: torch.Tensor, sites: str, role: str | None,
    head: str | None,
) -> dict[Any, Any]:  # fmt: skip
    """The places of a kind at the roles of one program, or one role or head of them."""
    roles = {k: int(v) for k, v in task.roles(base).items() if int(v) >= 0}
    if role is not None and role not in roles:
        raise UnknownName("role in this program", role, roles)
    at = roles if role is None else {role: roles[role]}
    if sites in PER_HEAD and role is None:
        at = {}
    if head is None:
        return places(network, sites, at or None)
    shape = network.module
    assert isinstance(shape, Transformer)
    there = [f"{i + 1}.{h + 1}" for i, block in enumerate(shape.blocks)
             for h in range(block.attention.heads)]  # type: ignore[union-attr, arg-type]  # fmt: skip
    if head not in there:
        raise UnknownName("head (block.head, from 1)", head, there)
    block, index = (int(part) - 1 for part in head.split("."))
    return places(network, sites, at or None, [block], [index])


def _changed(task: Binding, base: torch.Tensor, kind: str, seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(_TRIES):
        source, _, holds = counterfactual(base, kind, task.alphabet, generator)
        if bool(holds.all()):
            return source
    moves = "moves" if KINDS[kind][1] else "keeps"
    raise NoPair(f"this program has no change {kind!r} that {moves} its answer")


def _show_many(found: list[Evidence], json: bool) -> None:
    if json:
        show_json(evidence=[asdict(e) for e in found])
        return
    table = Table("claim", "score", "95 % interval", "n", "best control", "by block")
    for e in found:
        if e.score is None or e.low is None:
            table.add_row(e.claim, "–", "–", str(e.n), e.note, "")
            continue
        whole = "everything patched"
        name, value = max(((k, v) for k, v in e.controls.items() if k != whole), key=lambda c: c[1])
        blocks = " ".join(f"{v:.2f}" for v in e.config.get("success", []))
        table.add_row(e.claim, f"{e.score:.3f}", f"{e.low:.3f}–{e.high:.3f}", str(e.n),
                      f"{value:.3f} ({name})", blocks)  # fmt: skip
    Console(width=160).print(table)

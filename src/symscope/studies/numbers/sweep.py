"""What can be swept of networks that count: training, alignment, extraction, a dictionary."""

from dataclasses import replace
from pathlib import Path

from symscope.align import Search, blocks, examine, require_gate
from symscope.evidence import Evidence, SymscopeError, write_whole
from symscope.features.dictionaries import Training, bench, fit_dictionary, save_dictionary
from symscope.featurizer import Rotation
from symscope.models.load import build, default_site, load_network, save_network
from symscope.network import Network
from symscope.site import Site
from symscope.studies.numbers.extraction import SECONDS, learned
from symscope.studies.numbers.vectors import states_of
from symscope.tasks.numbers import VOCABULARY, Counting
from symscope.train import Schedule
from symscope.train import train as train_on

NETWORK = "network.safetensors"


def train(
    folder: Path, *, task: str = "multi", network: str = "gru", width: int = 20,
    highest: int = 20, epochs: int = 400, seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """A network that counts up to `highest`, kept; the evidence is its accuracy at the gate."""
    module = build(network, len(VOCABULARY), width, seed)
    schedule = Schedule(epochs, own_answers=network != "transformer")
    evidence = train_on(module, _counting(task, highest), folder, schedule, seed)
    shape = {"architecture": network, "vocabulary": len(VOCABULARY), "width": width}
    save_network(folder / NETWORK, module, shape)
    history = [h for h in evidence.config["history"] if "accuracy" in h]
    config = {"epochs": evidence.config["epochs"], "history": history}
    return [replace(evidence, claim=f"numbers.{task}.{network}.accuracy", config=config)]


def align(
    folder: Path, *, task: str = "multi", highest: int = 20, program: str = "up_down",
    variable: str = "count", site: str | None = None, part: str = "", size: int | None = None,
    steps: int = 1000, pairs: int = 10_000, controls: bool = True, seed: int = 0,
) -> list[Evidence]:  # fmt: skip  # what `symscope align` is asked
    """A variable searched for at a site, beside every control; a network below the gate is refused.

    `site` is a module path, the state without; `size` the subspace's, half of the site without.
    """
    module, shape = load_network(folder / NETWORK)
    found, counting = Network(module), _counting(task, highest)
    require_gate(found, counting)
    where = default_site(shape["architecture"]) if site is None else Site(site, part or "output")
    width = states_of(found, counting, where, 1, seed).shape[-1]
    half = width // 2 if size is None else size
    start = blocks(program, where, Rotation(width, half, seed), {variable: half})
    fresh = Network(build(**{**shape, "seed": seed + 1000})) if controls else None
    counts = {"fit": pairs, "validation": max(1, pairs // 10), "test": 1_000}
    search = Search(steps, most=steps)
    alignment, evidence = examine(found, counting, start, fresh, search, seed, counts)
    alignment.save(folder / "alignment.safetensors")
    name = f"numbers.{task}.{shape['architecture']}.{program}.{variable}.iia"
    return [replace(evidence, claim=name)]


def extract(
    folder: Path, *, task: str = "multi", highest: int = 20, seconds: float = SECONDS, seed: int = 0
) -> list[Evidence]:
    """The program that a network runs, with its proof; `seconds` for the search of one formula."""
    module, shape = load_network(folder / NETWORK)
    fresh, counting = build(**{**shape, "seed": seed + 1000}), _counting(task, highest)
    name = f"numbers.{task}.{shape['architecture']}.extracted"
    program, evidence = learned(module, fresh, counting, name, seed, seconds)
    if program is not None:
        source = evidence[0].config["source"]
        write_whole(folder / "extracted.py", lambda p: p.write_text(source, encoding="utf8"))
    return evidence


def dictionary(
    folder: Path, *, task: str = "multi", highest: int = 20, method: str = "topk",
    features: int = 80, sparsity: float | None = 4.0, steps: int = 2000, vectors: int = 20_000,
    seed: int = 0,
) -> list[Evidence]:  # fmt: skip  # what a dictionary is made by
    """A sparse dictionary of the states, scored by the bench on other states."""
    module, shape = load_network(folder / NETWORK)
    where = default_site(shape["architecture"])
    drawn = states_of(Network(module), _counting(task, highest), where, 2 * vectors, seed)
    fit, test = drawn[:vectors], drawn[vectors:]
    training = Training(steps, min(256, len(fit)), folder=folder / "dictionary")
    found = fit_dictionary(fit, method, size=features, sparsity=sparsity, training=training,
                           seed=seed)  # fmt: skip
    save_dictionary(folder / "dictionary.safetensors", found)
    return bench(found, test, seed)


def _counting(task: str, highest: int) -> Counting:
    if highest < 1:
        raise SymscopeError(f"highest={highest}: the largest count, 1 or more")
    held_out = tuple(n for n in Counting("multi").held_out if n <= highest)
    return Counting(task, highest=highest, held_out=held_out)

"""Weekdays and months in language models that were trained by others: from a folder, or the hub."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

from symscope.causal_model import UnknownName
from symscope.cost import Cost
from symscope.evidence import Evidence, SymscopeError
from symscope.features.geometry import counterfactuals
from symscope.jobs import Unit
from symscope.localize import layout_in
from symscope.network import Network
from symscope.studies.geometry.language_circle import (
    intervention_claims,
    layers_of,
    off_circle_claims,
    probe_claims,
)
from symscope.studies.geometry.language_dictionary import Placed, dictionary_claims, placed
from symscope.studies.geometry.language_explained import explained_claims
from symscope.studies.geometry.language_places import HEADS_FROM, PAIRS, place_claims
from symscope.studies.geometry.language_prompts import Posed, accuracy_claims, posed
from symscope.studies.geometry.language_view import cycle_view
from symscope.studies.idle import idle_patches
from symscope.studies.language_model import described, form_of, runs_cost, told
from symscope.tasks.cycles import CYCLES

STEPS, EDITS, TURNS, TOGETHER = 17, 21, 21 * 100 * 4, 512
"""Of a run: tokens of a prompt, edits of each pair, points off the circle, prompts at a time."""


@dataclass(frozen=True)
class Language:
    """A model on the hub: the layer where points off the circle are written, and which layers' last
    states are explained, by cycle. With `untrained` a fresh network stands beside it.
    """

    source: str
    layer: int
    explained: Mapping[str, range]
    untrained: bool = False

    def last_layers(self, name: str, count: int) -> list[int]:
        """The layers explained; of a model of `count` that has none of these its later half."""
        published = [layer for layer in self.explained.get(name, ()) if layer < count]
        return published or list(range(count // 2, count))


LANGUAGE = {
    "gpt2": Language("openai-community/gpt2", 5, {"weekdays": range(6, 12), "months": range(6, 12)},
                     untrained=True),
    "mistral-7b": Language("mistralai/Mistral-7B-v0.1", 5,
                           {"weekdays": range(17, 30), "months": range(17, 30)}),
    "llama-3-8b": Language("meta-llama/Meta-Llama-3-8B", 5,
                           {"weekdays": range(13, 30), "months": range(13, 30)}),
}  # fmt: skip
"""Layer 5 and layers 17 to 29 are published for Mistral's weekdays, 13 to 29 for Llama's months; a
fresh network beside the other two would take as much memory again."""
CYCLE = ("weekdays", "months")
"""What a run asks of a model; the other cycles of `tasks.cycles` can be asked as well."""
Question = tuple[str, Callable[[], list[Evidence]]]
"""What claims of the answer begin with, and the question."""


def language_settings(preset: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Everything that a unit needs to know, with defaults; raises `UnknownName` for others.

    `model` is a folder or a name on the hub, `pairs` how many pairs an intervention has at most,
    `layers` those that are probed and written into (all without), `layer` where points off the
    circle are, `untrained` whether a fresh network is asked too; `dictionary` is a folder of
    SAELens, `dictionary_layer` the block whose input it reads, `text` a file to rank clusters on.
    """
    about = LANGUAGE[preset]
    known = {"model": about.source, "dtype": "bfloat16", "device": "cpu", "pairs": None,
             "layers": None, "layer": about.layer, "untrained": about.untrained,
             "dictionary": None, "dictionary_layer": None, "text": None}  # fmt: skip
    for name in given:
        if name not in known:
            raise UnknownName("setting", name, known)
    return {"preset": preset, **known, **{k: v for k, v in given.items() if v is not None}}


def dictionary_of(settings: dict[str, Any]) -> Placed | None:
    """The dictionary asked for, if it fits the model; raises `SymscopeError` before any run."""
    if settings["dictionary"] is None:
        return None
    width = int(described(settings["model"]).hidden_size)
    return placed(Path(settings["dictionary"]), width, settings["dictionary_layer"])


def reckoned(settings: dict[str, Any]) -> tuple[str, Cost]:
    """What a run of both cycles will take, as a text and on the device, without any weights.

    Raises `SymscopeError` where the model is not there, or the dictionary does not fit it.
    """
    config, source = described(settings["model"]), settings["model"]
    dictionary_of(settings)
    form, fresh = form_of(config), settings["untrained"]
    runs = sum(prompts_of(CYCLES[name].period, config, settings) for name in CYCLE)
    cost = runs_cost(form, runs, STEPS, TOGETHER, settings["dtype"], 1 + bool(fresh))
    text = (
        f"{source}: {form.parameters / 1e9:.2f}·10⁹ parameters, {cost.memory / 1e9:.1f} GB in"
        f" {settings['dtype']}{' with a fresh network' if fresh else ''} and {TOGETHER} prompts at"
        f" a time. About {runs:,} prompts of {STEPS} tokens, {told(cost, settings)}; and minutes of"
        " regression on one core."
    )
    return text, cost


def prompts_of(period: int, config: Any, settings: dict[str, Any]) -> int:
    """How many prompts a cycle of that period is run on."""
    count, prompts = int(config.num_hidden_layers), period**2
    layers = count if settings["layers"] is None else len(settings["layers"])
    pairs = min(settings["pairs"] or prompts * (period - 1), prompts * (period - 1))
    networks = 2 if settings["untrained"] else 1
    heads = int(config.num_attention_heads) * (count - int(HEADS_FROM * count))
    places = 2 * PAIRS * (3 * count * 6 + heads)  # from the duration on, six steps are left
    dictionary = 0 if settings["dictionary"] is None else 3 * EDITS * pairs
    return (networks * (2 * prompts + layers * (EDITS * pairs + prompts)) + TURNS + places
            + dictionary)  # fmt: skip


def cycle_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """Everything about one cycle. Where memory ends it says what to try, and no file is written."""
    _, name, seed = unit
    given = dictionary_of(settings)
    try:
        network = Network.from_pretrained(settings["model"], settings["dtype"], settings["device"])
        return cycle_claims(network, name, settings, given, int(seed))
    except torch.OutOfMemoryError as error:
        raise MemoryError(
            f"{name}: {error}. Take --dtype bfloat16, --device auto to spread the model, fewer"
            " --pairs, or a larger device; cycles that are done are kept, and the same command"
            " goes on from there"
        ) from None


def cycle_claims(
    network: Network, name: str, settings: dict[str, Any], given: Placed | None, seed: int
) -> list[Evidence]:
    """Accuracy in every wording, and everything else in the published text's.

    A tokenizer that does not fit the cycle skips it: one record without a score says why. So does
    a question that fails. Raises `SymscopeError` for layers that are not there, before any run.
    """
    claim = f"geometry.{settings['preset']}.{name}"
    layers = layers_of(settings["layers"], layout_in(network).layers)
    try:
        one = posed(network, name)
    except SymscopeError as error:
        return [Evidence(claim, None, None, None, 0, seeds=[seed], note=str(error))]
    blank = posed(fresh(network, seed + 1000), name) if settings["untrained"] else None
    asked = questions(one, blank, {**settings, "layers": layers}, given, claim, seed)
    return answered(asked, seed)


def questions(
    one: Posed, blank: Posed | None, settings: dict[str, Any], given: Placed | None, claim: str,
    seed: int,
) -> Iterator[Question]:  # fmt: skip
    """All that is asked of a model about one cycle."""
    prompts, name, count = one.prompts, one.name, layout_in(one.network).layers
    about = LANGUAGE[settings["preset"]]
    for wording in CYCLES[name].wordings:
        yield f"{claim}.accuracy.{wording}", partial(_accuracy, one, blank, wording, claim, seed)
    layers = settings["layers"]
    states = one.states(layers, "a")
    empty = blank.states(layers, "a") if blank else {}
    for layer in layers:
        yield (f"{claim}.circle.layer_{layer}",
               partial(probe_claims, states[layer], empty.get(layer), prompts.first, one.period,
                       claim, layer, seed))  # fmt: skip
    pairs = counterfactuals(one.crossed, settings["pairs"], seed)
    for layer in layers:
        begin = f"{claim}.intervention.layer_{layer}"
        yield begin, partial(intervention_claims, one, blank, pairs, layer, begin, seed)
    yield f"{claim}.off_circle", partial(off_circle_claims, one, settings["layer"], claim)
    for same in ("a", "b"):
        yield f"{claim}.places.same_{same}", partial(place_claims, one, same, claim, seed)
    for layer, vectors in one.states(about.last_layers(name, count), "last").items():
        yield (f"{claim}.explained.layer_{layer}",
               partial(explained_claims, {layer: vectors}, name, (prompts.first, prompts.second),
                       one.period, claim, seed))  # fmt: skip
    if given is not None:
        text = settings["text"] and Path(settings["text"])
        begin = f"{claim}.dictionary"
        yield begin, partial(dictionary_claims, one, given, pairs, text, begin, seed)


def _accuracy(
    one: Posed, blank: Posed | None, wording: str, claim: str, seed: int
) -> list[Evidence]:
    asked = [network and posed(network.network, one.name, wording) for network in (one, blank)]
    assert asked[0] is not None
    return accuracy_claims(asked[0], asked[1], f"{claim}.accuracy", seed)


def viewed(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """What a page draws of a cycle, see `cycle_view`, of the layers that a unit asks about."""
    network = Network.from_pretrained(settings["model"], settings["dtype"], settings["device"])
    last = LANGUAGE[settings["preset"]].last_layers(name, layout_in(network).layers)
    return cycle_view(posed(network, name), settings["layers"], last)


def answered(questions: Iterator[Question], seed: int) -> list[Evidence]:
    """The answers; a question without one is a record without a score. Idle patches are meant."""
    found: list[Evidence] = []
    with idle_patches():
        for claim, question in questions:
            try:
                found += question()
            except SymscopeError as error:
                found.append(Evidence(claim, None, None, None, 0, seeds=[seed], note=str(error)))
    return found


def fresh(network: Network, seed: int) -> Network:
    """A network of the same form as before any training, in the same precision and place."""
    from transformers import AutoModelForCausalLM

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        module: Any = AutoModelForCausalLM.from_config(network.module.config)
    module = module.to(network.device)
    return Network(module, network.enter, network.answer, network.layout, network.tokenizer)

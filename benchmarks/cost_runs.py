"""The methods that `benchmarks/cost.py` measures, each at a point's sizes."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import torch

from cost_points import DRAWN, HUB_VOCABULARY, SUMS, VECTORS, Point
from symscope.align import Search, fit
from symscope.align.swap import Swap
from symscope.alignment import blocks
from symscope.features.dictionaries import Training, fit_dictionary
from symscope.featurizer import Rotation
from symscope.generate.training import Plan as HyperPlan
from symscope.generate.training import train_hypernetwork
from symscope.localize import attribution, find_circuit, patched
from symscope.localize.heuristics import neuron_maps
from symscope.localize.places import layout_in
from symscope.models.load import build, default_site
from symscope.network import Network, NothingChanged
from symscope.site import Site
from symscope.studies.programs.settings import setting_of
from symscope.task import Pairs
from symscope.tasks import algorithm
from symscope.tasks.functions import function
from symscope.tasks.numbers import VOCABULARY, Counting
from symscope.train import Schedule, train
from symscope.train_answers import Plan, train_answers
from symscope.train_copies import train_copies


def prepared(point: Point) -> Callable[[], Any]:
    """The point, ready to be run; what belongs to its memory is made in the run."""
    torch.manual_seed(0)
    return _RUNS[point.method](**point.sizes)


def _transformer(layers: int, width: int, vocabulary: int, **options: Any) -> Any:
    return build("transformer", vocabulary, width, layers=layers, heads=max(2, width // 32),
                 **options)  # fmt: skip


def _recurrent_training(width: int, epochs: int) -> Callable[[], Any]:
    def run() -> None:
        module = build("gru", len(VOCABULARY), width)
        train(module, Counting("multi"), None, Schedule(epochs, own_answers=False))

    return run


def _copies_training(task: str, steps: int) -> Callable[[], Any]:
    chosen, rule = setting_of(task), algorithm(task)
    plan = replace(chosen.plan, steps=steps, cool=1)
    return lambda: train_copies(rule, chosen.width, chosen.f, chosen.g, plan)


def _transformer_training(layers: int, width: int, batch: int, steps: int) -> Callable[[], Any]:
    plan = Plan(steps, batch, queries=0)

    def run() -> None:
        module = _transformer(layers, width, len(SUMS.vocabulary))
        train_answers(module, SUMS, plan)

    SUMS.prompts()
    return run


def _aligned(network: Network, site: Site, pairs: Pairs, width: int, steps: int) -> None:
    start = blocks("p", site, Rotation(width, width // 2, 0), {"v": width // 2})
    named = replace(pairs, variables=("v",))
    swap = Swap(network, site, named)
    fit(start, [swap], [swap.only(torch.arange(500))], Search(steps, most=steps))


def _recurrent_alignment(width: int, pairs: int, steps: int) -> Callable[[], Any]:
    task = Counting("multi")
    network = Network(build("gru", len(VOCABULARY), width))
    drawn = task.pairs(task.program, ("count",), pairs, 0, "fit")
    return partial(_aligned, network, default_site("gru"), drawn, width, steps)


def _transformer_alignment(
    layers: int, width: int, layer: int, pairs: int, steps: int
) -> Callable[[], Any]:
    task = Counting("multi")
    network = Network(_transformer(layers, width, len(VOCABULARY)))
    drawn = task.pairs(task.program, ("count",), pairs, 0, "fit")
    return partial(_aligned, network, Site(f"blocks.{layer}"), drawn, width, steps)


def _tokens(count: int, tokens: int) -> torch.Tensor:
    return torch.randint(DRAWN, (count, tokens))


def _patching(layers: int, width: int, tokens: int, pairs: int) -> Callable[[], Any]:
    base, source = _tokens(pairs, tokens), _tokens(pairs, tokens)
    sites = [Site(f"blocks.{b}", position=t) for b in range(layers) for t in range(tokens)]

    def run() -> None:
        patched(Network(_transformer(layers, width, DRAWN)), base, source, sites)

    return run


def _attribution(layers: int, width: int, tokens: int, pairs: int) -> Callable[[], Any]:
    base, source = _tokens(pairs, tokens), _tokens(pairs, tokens)

    def run() -> None:
        network = Network(_transformer(layers, width, DRAWN))
        layout = layout_in(network)
        sites = [layout.site(b, "mlp").at(t) for b in range(layers) for t in range(tokens)]
        attribution(network, base, source, sites)

    return run


def _circuit(layers: int, width: int, tokens: int, pairs: int) -> Callable[[], Any]:
    base, source = _tokens(pairs, tokens), _tokens(pairs, tokens)

    def run() -> None:
        find_circuit(Network(_transformer(layers, width, DRAWN)), base, source, "c")

    return run


def _dictionary(width: int, features: int, dense: bool, steps: int) -> Callable[[], Any]:
    vectors = torch.randn(VECTORS, width)
    method, sparsity = ("relu", 0.1) if dense else ("topk", 16)
    return lambda: fit_dictionary(
        vectors, method, size=features, sparsity=sparsity,
        training=Training(steps, batch=1024, warm_up=1),
    )  # fmt: skip


def _activation_maps(layers: int, width: int, prompts: int) -> Callable[[], Any]:
    asked = _tokens(prompts, 4)

    def run() -> None:
        list(neuron_maps(Network(_transformer(layers, width, DRAWN)), asked, batch=512))

    return run


def _hypernetwork_training(inputs: int, hidden: int, betas: int, steps: int) -> Callable[[], Any]:
    plan = HyperPlan(steps=steps, betas=betas)
    return lambda: train_hypernetwork(function("l1_norm", inputs), (inputs, hidden, 1), plan)


def _config(family: str, layers: int, width: int) -> Any:
    import transformers

    old = {"n_embd": width, "n_layer": layers, "n_head": width // 64}
    new = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": width // 64,
           "intermediate_size": 4 * width}  # fmt: skip
    named = {"gpt2": "GPT2Config", "llama": "LlamaConfig", "gpt_neox": "GPTNeoXConfig"}[family]
    made = getattr(transformers, named)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    return made(vocab_size=HUB_VOCABULARY, **(old if family == "gpt2" else new), **ends)


def _inference(family: str, layers: int, width: int, prompts: int) -> Callable[[], Any]:
    import transformers

    folder = Path(mkdtemp())
    model = transformers.AutoModelForCausalLM.from_config(_config(family, layers, width))
    model.save_pretrained(folder)
    model(torch.zeros(1, 2, dtype=torch.long))
    asked = torch.randint(HUB_VOCABULARY, (prompts, 16))

    @torch.no_grad()
    def run() -> None:
        network = Network.from_pretrained(folder)
        for rows in asked.split(64):
            network.run(rows).output[:, -1].argmax(-1)

    return run


_RUNS: dict[str, Callable[..., Callable[[], Any]]] = {
    "recurrent_training": _recurrent_training, "copies_training": _copies_training,
    "transformer_training": _transformer_training,
    "recurrent_alignment": _recurrent_alignment, "transformer_alignment": _transformer_alignment,
    "patching": _patching, "attribution": _attribution, "circuit": _circuit,
    "dictionary": _dictionary, "activation_maps": _activation_maps,
    "hypernetwork_training": _hypernetwork_training, "inference": _inference,
}  # fmt: skip
warnings.simplefilter("ignore", NothingChanged)

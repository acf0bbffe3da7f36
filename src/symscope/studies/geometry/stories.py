"""What dictionaries of a small language model hold: which clusters are no mixture, no product.

The texts are the model's own, so that no corpus is needed: samples at temperature 1.
"""

from pathlib import Path
from typing import Any, cast

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize

from symscope.evidence import Evidence, SymscopeError, bootstrap, write_json
from symscope.features.dictionaries import (
    Dictionary,
    Training,
    bench,
    fit_dictionary,
    load_dictionary,
    save_dictionary,
)
from symscope.features.geometry import (
    neighbour_clusters,
    ranked,
    spectral_clusters,
)
from symscope.jobs import Unit
from symscope.models.llama2c import load_llama2c, vocabulary
from symscope.network import Network
from symscope.site import Site
from symscope.studies.geometry.settings import PRESETS, Reading
from symscope.studies.geometry.view_clusters import row_of, shown_tokens

FIRST, FEWEST, SCORED = 1, 3, 6_000
"""The token that begins a text; the smallest cluster; vectors scored."""


def stories_unit(unit: Unit, settings: dict[str, Any], folder: Path) -> list[Evidence]:
    """One layer: its dictionary, and its clusters ranked by (1 − M) · S.

    Claims name the layer, from 0 for the embedding. Control: clusters of as many random features
    that are read in the same way, of the same vectors.
    """
    _, layer, seed_text = unit
    reading, seed = PRESETS[settings["preset"]].reading, int(seed_text)
    vectors, tokens = read_layer(settings, int(layer), seed)
    claim = f"geometry.stories.layer_{layer}"
    fitted = _fitted(vectors, reading, folder, layer, seed)
    found = [Evidence(f"{claim}.{r.claim.rsplit('.', 1)[1]}", r.score, r.low, r.high, r.n, r.unit,
                      r.controls, [seed]) for r in bench(fitted, vectors, seed)]  # fmt: skip
    own = scores(fitted, vectors, reading, seed)
    other = scores(_random(fitted, seed), vectors, reading, seed)
    words = vocabulary(Path(settings["weights"]) / "stories260k" / "tok512.bin")
    best = [(one, shown_tokens(fitted, (vectors, tokens), one[0], words))
            for one in own[: reading.shown]]  # fmt: skip
    write_json(folder / "views" / f"stories-{layer}.json", [row_of(*pair) for pair in best])
    gaussian = [one.controls["gaussian"] for _, one in own]
    numbers, null = ([s.score or 0.0 for _, s in some] for some in (own, other))
    if not numbers:
        raise SymscopeError(f"layer {layer}: no cluster of three features has 50 vectors")
    low, high = bootstrap([numbers])
    return [*found, Evidence(
        f"{claim}.clusters", sum(numbers) / len(numbers), low, high, len(numbers), "bits",
        {"gaussian": sum(gaussian) / len(gaussian),
         "random features": sum(null) / len(null) if null else 0.0}, [seed],
        config={"scores": [round(x, 4) for x in numbers], "null": [round(x, 4) for x in null],
                "gaussian": [round(x, 4) for x in gaussian]},
        note="mean over clusters, bootstrap over them",
    ), *_best(own, null, claim, seed)]  # fmt: skip


def _best(
    own: list[tuple[tuple[int, ...], Evidence]], null: list[float], claim: str, seed: int
) -> list[Evidence]:
    """The highest score, beside the highest of the random dictionary's, and how many pass that."""
    cluster, first = own[0]
    above = sum((s.score or 0.0) > max(null, default=0.0) for _, s in own)
    best = Evidence(
        f"{claim}.best", first.score, first.low, first.high, first.n, "bits",
        {"gaussian": first.controls["gaussian"], "best of random features": max(null, default=0.0)},
        [seed], config={"size": len(cluster)},
    )  # fmt: skip
    share = above / len(own)
    return [best, Evidence(f"{claim}.above", share, share, share, len(own), "share of clusters",
                           {"random features": 0.0}, [seed],
                           note="above the best cluster of random features")]  # fmt: skip


def read_layer(settings: dict[str, Any], layer: int, seed: int) -> tuple[Tensor, Tensor]:
    """Vectors of the residual stream at a layer, (vector, width), and their tokens (vector,).

    Those of the first token of each text are left out: they are all the same.
    """
    reading = PRESETS[settings["preset"]].reading
    network = stories(settings)
    assert network.layout is not None
    texts = sampled(network.module, reading.texts, reading.length, seed)
    last = layer == network.layout.layers
    site = Site(network.layout.norm, "input") if last else network.layout.site(layer, "residual")
    with torch.no_grad():
        parts = [network.run(t, read=[site]).values[site][:, 1:] for t in texts.split(64)]
    return torch.cat(parts).flatten(0, 1), texts[:, 1:].flatten()


def stories(settings: dict[str, Any]) -> Network:
    """The model; raises `SymscopeError` where its folder was not given."""
    if "weights" not in settings:
        raise SymscopeError("SYMSCOPE_WEIGHTS names no folder, so stories260k is not there")
    path = Path(settings["weights"]) / "stories260k" / "stories260K.bin"
    return Network(load_llama2c(path))


@torch.no_grad()
def sampled(module: nn.Module, texts: int, length: int, seed: int) -> Tensor:
    """Texts of `length` tokens at temperature 1, (text, length); they begin with token 1."""
    begin = torch.full((texts, 1), FIRST)
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        generate = cast(Any, module).generate
        found: Tensor = generate(
            begin, attention_mask=torch.ones_like(begin), do_sample=True, temperature=1.0, top_k=0,
            min_new_tokens=length - 1, max_new_tokens=length - 1, pad_token_id=0,
        )  # fmt: skip
    return found


def _fitted(vectors: Tensor, reading: Reading, folder: Path, layer: str, seed: int) -> Dictionary:
    """The layer's dictionary, fitted or as it was kept."""
    path = dictionary_path(folder, layer, seed)
    if not path.exists():
        training = Training(reading.steps, min(512, len(vectors)))
        save_dictionary(path, fit_dictionary(vectors, "topk", size=reading.size,
                                             sparsity=reading.sparsity, training=training,
                                             seed=seed))  # fmt: skip
    return load_dictionary(path)


def dictionary_path(folder: Path, layer: str, seed: int) -> Path:
    """Where a layer's dictionary is kept."""
    return folder / "dictionaries" / f"layer-{layer}-{seed}.safetensors"


def scores(
    dictionary: Dictionary, vectors: Tensor, reading: Reading, seed: int
) -> list[tuple[tuple[int, ...], Evidence]]:
    """Clusters of three features or more with their scores, the highest first.

    By spectral clustering and by neighbours, as published for two models; on 6,000 vectors.
    """
    generator = torch.Generator().manual_seed(seed)
    some = vectors[torch.randperm(len(vectors), generator=generator)[:SCORED]]
    with torch.no_grad():
        alive = (dictionary.encode(some) != 0).any(0).nonzero()[:, 0]
    directions = dictionary.decoder.detach()[alive].double()
    if len(alive) < reading.clusters:
        raise SymscopeError(f"{len(alive)} features are alive, fewer than {reading.clusters}")
    ways = [spectral_clusters(directions, reading.clusters, seed=seed),
            neighbour_clusters(directions)]  # fmt: skip
    found = {tuple(alive[list(c)].tolist()) for way in ways for c in way if len(c) >= FEWEST}
    told = ranked(dictionary, some, sorted(found), seed)
    return [(cluster, one) for cluster, one in told if one.score is not None]


def _random(dictionary: Dictionary, seed: int) -> Dictionary:
    """The same reading with random features of length 1."""
    from copy import deepcopy

    other = deepcopy(dictionary)
    generator = torch.Generator().manual_seed(seed + 1)
    with torch.no_grad():
        features = normalize(torch.randn(other.decoder.shape, generator=generator), dim=1)
        other.decoder.copy_(features)
        other.encoder.copy_(features.T)
    return other

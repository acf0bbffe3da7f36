"""What a dictionary is worth: how well it gives vectors back, how sparsely, and from what."""

import math
import warnings

import torch
from torch import Tensor
from torch.nn.functional import normalize

from symscope.conditioning import IllConditioned
from symscope.evidence import Evidence, SymscopeError, bootstrap, wilson
from symscope.features.dictionaries.check import fit_to_fit
from symscope.features.dictionaries.dictionary import Dictionary
from symscope.features.dictionaries.methods import empty

CHUNK = 4096


def bench(dictionary: Dictionary, vectors: Tensor, seed: int = 0) -> list[Evidence]:
    """Explained variance, features per vector (L0) and the share of dead features on `vectors`.

    1 − Σ ‖x − x̂‖² / Σ ‖x − x̄‖², the mean number of coordinates that are not 0, and the share of
    features that no vector has. Controls: the same dictionary with random features, and principal
    axes, as many as the dictionary has features or the vectors units. Intervals are normal, over
    vectors, for this dictionary; Wilson's for the dead. A transcoder is refused: see `spliced`.
    """
    if dictionary.outputs is not None:
        raise SymscopeError("a transcoder does not give vectors back; see `spliced`")
    vectors = fit_to_fit(vectors, 2)
    others = {"random": random_like(dictionary, seed), "pca": principal_like(dictionary, vectors)}
    found = _read(dictionary, vectors)
    control = {name: _read(other, vectors) for name, other in others.items()}
    n, config = len(vectors), dictionary.config()
    records = []
    for place, (claim, unit) in enumerate((("explained", "share of variance"), ("l0", "features"))):
        values = found[place]
        half = 1.96 * float(values.std()) / math.sqrt(n)
        score = float(values.mean())
        records.append(Evidence(
            f"dictionary.{dictionary.method.name}.{claim}", score, score - half, score + half, n,
            unit, {name: float(c[place].mean()) for name, c in control.items()},
            [seed], config=config, note="normal interval over vectors",
        ))  # fmt: skip
    dead = int((~found[2]).sum())
    low, high = wilson(dead, dictionary.size)
    records.append(Evidence(
        f"dictionary.{dictionary.method.name}.dead", dead / dictionary.size, low, high,
        dictionary.size, "share of features",
        {name: float((~c[2]).float().mean()) for name, c in control.items()},
        [seed], config=config, note="Wilson interval over features",
    ))  # fmt: skip
    return records


def recovery(dictionary: Dictionary, truth: Tensor, vectors: Tensor, seed: int = 0) -> Evidence:
    """The mean, over the true directions `truth` (feature, width), of the best cosine.

    Without its sign where coordinates can be negative. Controls as in `bench`, the principal axes
    of `vectors`; the interval is a bootstrap over the true directions.
    """
    truth = fit_to_fit(truth, 1, "true directions") if len(truth) > 1 else truth
    if truth.shape[1] != dictionary.decoder.shape[1]:
        raise SymscopeError(
            f"true directions of width {truth.shape[1]}, the features' is"
            f" {dictionary.decoder.shape[1]}"
        )
    best = cosines(dictionary, truth)
    controls = {"random": random_like(dictionary, seed),
                "pca": principal_like(dictionary, vectors)}  # fmt: skip
    low, high = bootstrap([best.double().numpy()])
    return Evidence(
        f"dictionary.{dictionary.method.name}.recovery", float(best.mean()), low, high, len(truth),
        "mean best cosine", {name: float(cosines(c, truth).mean()) for name, c in controls.items()},
        [seed], config=dictionary.config(), note="bootstrap over true directions",
    )  # fmt: skip


def cosines(dictionary: Dictionary, truth: Tensor) -> Tensor:
    """The best cosine of any feature with each true direction, (feature,)."""
    with torch.no_grad():
        found = normalize(truth, dim=1) @ normalize(dictionary.decoder, dim=1).T.to(truth)
    return (found.abs() if dictionary.method.signed else found).amax(1).cpu()


def random_like(dictionary: Dictionary, seed: int = 0) -> Dictionary:
    """The same method and biases with random features of length 1, the encoder their transpose."""
    other = empty(**dictionary.config()).to(dictionary.decoder)
    other.load_state_dict(dictionary.state_dict())
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        features = torch.randn(other.decoder.shape, generator=generator)
        other.decoder.copy_(normalize(features, dim=1))
        if "encoder" in other.method.parts:
            same = other.outputs is None
            reads = features if same else torch.randn(
                other.size, other.width, generator=generator
            )  # fmt: skip
            other.encoder.copy_(normalize(reads, dim=1).T)
    return other


def principal_like(dictionary: Dictionary, vectors: Tensor) -> Dictionary:
    """Principal axes of `vectors`, as many as the dictionary has features if there are so many."""
    width = vectors.shape[1]
    other = empty(width, min(dictionary.size, width), "pca").to(vectors)
    assert other.method.solve is not None, "pca is solved"
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", IllConditioned)  # their number is nobody's wish
        other.method.solve(other, vectors, None, 0, 0)
    return other


@torch.no_grad()
def _read(dictionary: Dictionary, vectors: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Per vector its share of what is explained and its features, per feature if it is alive."""
    spread = (vectors - vectors.mean(0)).square().sum(1).mean()
    explained, counts, alive = [], [], torch.zeros(dictionary.size, dtype=torch.bool)
    for chunk in vectors.split(CHUNK):
        codes = dictionary.encode(chunk)
        error = (chunk - dictionary.decode(codes)).square().sum(1)
        explained.append((1 - error / spread).cpu())
        counts.append((codes != 0).sum(1).float().cpu())
        alive |= (codes != 0).any(0).cpu()
    return torch.cat(explained), torch.cat(counts), alive

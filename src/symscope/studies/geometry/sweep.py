"""What can be swept of modular addition: a transformer's training, its circles, a dictionary."""

from pathlib import Path

from symscope.evidence import Evidence
from symscope.models.load import load_network, save_network
from symscope.network import Network
from symscope.studies.geometry.adders import frequencies_there, waves
from symscope.studies.geometry.networks import Adder, shape, train_adder
from symscope.studies.geometry.search import search_claims, searched
from symscope.studies.geometry.settings import Adding, Search

NETWORK = "network.safetensors"


def train(
    folder: Path, *, modulus: int = 59, width: int = 128, steps: int = 1200, decay: float = 1.0,
    seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """A network that adds modulo a number, kept; its accuracy on pairs not trained on."""
    adding = Adding(modulus, width, steps, decay)
    module, evidence = train_adder(adding, seed, folder, "geometry.accuracy")
    save_network(folder / NETWORK, module, shape(adding))
    return [evidence]


def circles(folder: Path, *, modulus: int = 59, seed: int = 0) -> list[Evidence]:
    """How much of embedding, neurons and logits is a few waves; accuracy with those alone."""
    return waves(_adder(folder, modulus), "geometry", seed)


def dictionary(
    folder: Path, *, modulus: int = 59, features: int = 128, penalty: float = 0.003,
    steps: int = 1500, seed: int = 0,
) -> list[Evidence]:  # fmt: skip
    """A dictionary across the MLP, its clusters, and which frequencies they are."""
    adder = _adder(folder, modulus)
    found = searched(adder, Search(features, (penalty,), steps), seed)
    return search_claims(adder, found, frequencies_there(adder, seed), "geometry", seed)


def _adder(folder: Path, modulus: int) -> Adder:
    module, _ = load_network(folder / NETWORK)
    return Adder(Network(module.eval()), modulus, 3)

"""The geometry of features of more than one dimension: which shape, and does the network use it?"""

from symscope.features.geometry.candidates import candidates, random_functions
from symscope.features.geometry.circle import (
    Circle,
    by_frequency,
    circle_evidence,
    circles,
    fit_circle,
    nearest_value,
    point_on,
    put_on,
    read_circle,
    turn_to,
)
from symscope.features.geometry.clock_pizza import distance_irrelevance, gradient_symmetricity
from symscope.features.geometry.cloud import FewerComponents, NotFinite
from symscope.features.geometry.cluster_score import cluster_score, ranked
from symscope.features.geometry.clusters import (
    jaccard,
    neighbour_clusters,
    similarity,
    spectral_clusters,
    sweep_neighbours,
)
from symscope.features.geometry.crossed import Crossed, counterfactuals
from symscope.features.geometry.curves import CURVES, compare_curves
from symscope.features.geometry.frequency_ablation import frequency_ablation
from symscope.features.geometry.groups import Group, cyclic, dihedral, symmetric
from symscope.features.geometry.intervention import intervene
from symscope.features.geometry.mixture import mixture_index, published_mixture
from symscope.features.geometry.neighbours import neighbour_information
from symscope.features.geometry.off_circle import off_circle
from symscope.features.geometry.planes import swap_planes
from symscope.features.geometry.reconstruction import in_components, reconstructions
from symscope.features.geometry.regression import explained_by, explanation, residual_colours
from symscope.features.geometry.representations import (
    character_shares,
    key_representations,
    representation_spectrum,
    with_representations,
)
from symscope.features.geometry.separability import published_separability, separability
from symscope.features.geometry.shapes import SHAPES
from symscope.features.geometry.spectrum import (
    frequency_of_maps,
    key_frequencies,
    map_spectrum,
    power_spectrum,
    with_frequencies,
)
from symscope.features.geometry.split import split_separability

__all__ = [
    "CURVES",
    "SHAPES",
    "Circle",
    "Crossed",
    "FewerComponents",
    "Group",
    "NotFinite",
    "by_frequency",
    "candidates",
    "character_shares",
    "circle_evidence",
    "circles",
    "cluster_score",
    "compare_curves",
    "counterfactuals",
    "cyclic",
    "dihedral",
    "distance_irrelevance",
    "explained_by",
    "explanation",
    "fit_circle",
    "frequency_ablation",
    "frequency_of_maps",
    "gradient_symmetricity",
    "in_components",
    "intervene",
    "jaccard",
    "key_frequencies",
    "key_representations",
    "map_spectrum",
    "mixture_index",
    "nearest_value",
    "neighbour_clusters",
    "neighbour_information",
    "off_circle",
    "point_on",
    "power_spectrum",
    "published_mixture",
    "published_separability",
    "put_on",
    "random_functions",
    "ranked",
    "read_circle",
    "reconstructions",
    "representation_spectrum",
    "residual_colours",
    "separability",
    "similarity",
    "spectral_clusters",
    "split_separability",
    "swap_planes",
    "sweep_neighbours",
    "symmetric",
    "turn_to",
    "with_frequencies",
    "with_representations",
]

"""What a network computes on its own at a site: for all samples, in chunks, without gradient."""

import torch
from torch import Tensor

from symscope.network import Network
from symscope.site import Site

CHUNK = 128


def natural_vectors(network: Network, inputs: Tensor, site: Site) -> Tensor:
    """The vectors at `site`, (sample, width), of all samples, in chunks and without gradient."""
    parts = []
    with torch.no_grad():
        for rows in torch.arange(len(inputs)).split(CHUNK):
            place = of_rows(site, rows)
            parts.append(network.run(inputs[rows], read=[place]).values[place])
    return torch.cat(parts)


def of_rows(site: Site, rows: Tensor) -> Site:
    """The site on these samples only, where its position differs between samples."""
    if site.position is None or isinstance(site.position, int):
        return site
    return site.at(torch.tensor(site.position)[rows.cpu()])


def natural_values(network: Network, inputs: Tensor, site: Site) -> Tensor:
    """What enters or leaves a module on all samples, (sample, step, width)."""
    sample_first = getattr(network.at(site), "batch_first", True)
    parts = []
    with torch.no_grad():
        for rows in torch.arange(len(inputs)).split(CHUNK):
            value = network.run(inputs[rows], read=[site]).values[site]
            parts.append(value if sample_first else value.transpose(0, 1))
    return torch.cat(parts)

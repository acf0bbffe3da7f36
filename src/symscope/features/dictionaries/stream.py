"""A network's own vectors at a site, one pass after another, with little in memory."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.network import Network
from symscope.site import Site


@dataclass(frozen=True, eq=False)
class Stream:
    """Batches of vectors at a site, (batch, width), in a mixed order; iterating is one pass.

    Every pass gives the same batches in the same order. The last may be smaller.
    """

    network: Network
    site: Site
    batches: Iterable[Any]
    batch: int
    buffer: int
    seed: int

    def __iter__(self) -> Iterator[Tensor]:
        generator = torch.Generator().manual_seed(self.seed)
        held: Tensor | None = None
        for inputs in self.batches:
            new = self._vectors(inputs)
            while len(new):
                room = self.buffer - (0 if held is None else len(held))
                held = new[:room] if held is None else torch.cat([held, new[:room]])
                new = new[room:]
                if len(held) == self.buffer:
                    out, held = _drawn(held, self.batch, generator)
                    yield out
        while held is not None and len(held):
            out, held = _drawn(held, self.batch, generator)
            yield out

    def _vectors(self, inputs: Any) -> Tensor:
        """What one run of the network has at the site, without padding, (vector, width)."""
        with torch.no_grad():
            value = self.network.run(inputs, read=[self.site]).values[self.site]
        mask = inputs.get("attention_mask") if isinstance(inputs, Mapping) else None
        if mask is not None and value.shape[:-1] == mask.shape:
            return value[mask.bool()]
        return value.reshape(-1, value.shape[-1])


def streamed(
    network: Network, site: Site, batches: Iterable[Any], *, batch: int = 256,
    buffer: int = 16_384, seed: int = 0,
) -> Stream:  # fmt: skip
    """The vectors at `site` for all inputs in `batches`, `batch` at a time, in a mixed order.

    At most `buffer` vectors are held, beside those of the run in hand: as soon as so many are, a
    random `batch` of them is given. `batches` are inputs of the network, one run each; where they
    hold an `attention_mask`, padding is left out. It can be read again if `batches` can: a list,
    not a generator. Raises `SymscopeError` where the buffer is smaller than a batch.
    """
    network.at(site)
    if not 1 <= batch <= buffer:
        raise SymscopeError(f"batches of {batch} from a buffer of {buffer}: 1 or more, no larger")
    return Stream(network, site, batches, batch, buffer, seed)


def _drawn(held: Tensor, count: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """A random `count` of the vectors, and the others."""
    order = torch.randperm(len(held), generator=generator).to(held.device)
    return held[order[:count]], held[order[count:]]

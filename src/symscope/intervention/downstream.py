"""The part of a network after a site: what comes before it is computed once and kept.

While an alignment is fitted the network is frozen, so whatever ran before the site gives the same
values at every step. Recurrent modules go on from the edited state, over the remaining steps only.
In every other module the calls that ended before the site are answered from memory: time runs one
way, so they cannot depend on the edit. `hooked` is the literal version, which runs everything; a
fast version first proves on a few samples that it gives the same, or it is not used.
"""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.intervention.natural import natural_values, natural_vectors, of_rows
from symscope.intervention.replay import continued, replayed
from symscope.intervention.resume import resumed, resumed_to_readout
from symscope.network import Network
from symscope.site import Site, positions
from symscope.visit import SEQUENCE_CELLS

PROOF_ROWS = 8
Answers = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True, eq=False)
class Downstream:
    """`from_vectors(vectors, rows)` are the scored answers of those samples, (answers, classes).

    `vectors` (sample, width) stand at the site in place of the natural ones, which are kept in
    `natural`. Answers come sample by sample, step by step. `how` names the way it is computed.
    """

    natural: Tensor
    from_vectors: Answers
    how: str

    def only(self, rows: Tensor) -> "Downstream":
        """The same for some of the samples."""
        return Downstream(
            self.natural[rows], lambda vectors, of: self.from_vectors(vectors, rows[of]), self.how
        )


def downstream(network: Network, inputs: Tensor, site: Site, scored: Tensor) -> Downstream:
    """What follows `site` on `inputs` (sample, step), read where `scored` (sample, step) is true.

    `inputs` may be any tensor with samples first; `scored` then has the answer's leading axes.
    The site needs one position, or one per sample, if its values have steps.
    """
    reference = hooked(network, inputs, site, scored)
    module = network.at(site)
    fast = {"continued": continued, "replayed": replayed}
    if hasattr(network.module, "resumed"):
        fast = {"resumed by the module": _resumed_by_module, "replayed": replayed}
    if site.stateful and isinstance(module, SEQUENCE_CELLS):
        fast = {"resumed to the readout": resumed_to_readout, "resumed": resumed}
        if not hasattr(network.module, "readout"):
            del fast["resumed to the readout"]
    for how, build in fast.items():
        answers = _proven(partial(build, network, inputs, site, scored), reference)
        if answers is not None:
            return _frozen(network, Downstream(reference.natural, answers, how))
    return _frozen(network, reference)


def _frozen(network: Network, plan: Downstream) -> Downstream:
    """The same, without gradients for the network's own parameters."""
    parameters = list(network.module.parameters())

    def from_vectors(vectors: Tensor, rows: Tensor) -> Tensor:
        wanted = [p for p in parameters if p.requires_grad]
        try:
            for p in wanted:
                p.requires_grad_(False)
            return plan.from_vectors(vectors.to(plan.natural.dtype), rows)
        finally:
            for p in wanted:
                p.requires_grad_(True)

    return Downstream(plan.natural, from_vectors, plan.how)


def hooked(network: Network, inputs: Tensor, site: Site, scored: Tensor) -> Downstream:
    """The reference: the whole network runs each time, with the vectors put in by a hook."""

    def from_vectors(vectors: Tensor, rows: Tensor) -> Tensor:
        place = of_rows(site, rows)
        run = network.run(inputs[rows], do={place: lambda _: vectors})
        return run.output[scored[rows]]

    return Downstream(natural_vectors(network, inputs, site), from_vectors, "hooked")


def _proven(build: Callable[[], Answers | None], reference: Downstream) -> Answers | None:
    """What is built, if it gives the same on the first samples with their vectors shuffled."""
    rows = torch.arange(min(PROOF_ROWS, len(reference.natural)))
    vectors = reference.natural[rows].roll(1, 0)
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            answers = build()
            found = None if answers is None else answers(vectors, rows)
        except (RuntimeError, TypeError, SymscopeError):
            return None
        expected = reference.from_vectors(vectors, rows)
    if found is None or found.shape != expected.shape:
        return None
    return answers if torch.allclose(found, expected, atol=1e-4, rtol=1e-4) else None


def _resumed_by_module(
    network: Network, inputs: Tensor, site: Site, scored: Tensor
) -> Answers | None:
    """A module that knows how to go on from the output of one of its blocks."""
    name, _, block = site.module.rpartition(".")
    if name != "blocks" or site.part != "output" or site.units is not None or site.head:
        return None
    if scored.dim() != 2:  # an answer without steps is not what the module's own logits are
        return None
    outputs = natural_values(network, inputs, Site(site.module))
    steps = positions(site.position, *outputs.shape[:2]).to(outputs.device)
    if bool(
        (scored & (torch.arange(scored.shape[1], device=scored.device) < steps[:, None])).any()
    ):
        return None
    return network.module.resumed(int(block), outputs, steps, scored)  # type: ignore[operator]

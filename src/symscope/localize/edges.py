"""The edge view of a decoder: what each head and MLP hands to each input of a later one.

Nodes are "embed" (token and position), heads "l.h", MLPs "mlp l" and "logits"; an edge goes from a
sender to one input of a receiver: "l.h.q", "l.h.k", "l.h.v", "mlp l" or "logits". The residual
stream is a sum, so what a receiver reads is the sum of its edges, and each can be exchanged apart
(Elhage et al., 2021; Goldowsky-Dill et al., 2023). Networks are symscope's own transformer and any
decoder whose layout is known, language models among them; see `edge_view` for shared keys and
parallel blocks.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence

import torch
from torch import Tensor

from symscope.evidence import SymscopeError
from symscope.localize.edge_view import EdgeView, earlier, receivers, senders
from symscope.localize.edges_by_hooks import by_hooks
from symscope.localize.edges_of_transformer import of_transformer
from symscope.models.transformer import Transformer
from symscope.network import Network

Edge = tuple[str, str]
"""Sender and receiver's input; a circuit is a set of them."""
PAIRS_AT_ONCE = 16
"""What a run holds at once, (pair, step, sender, width), is best when not much above a cache."""


def view_of(network: Network) -> EdgeView:
    """The network's senders and receivers, and how it is run with what they read exchanged.

    Raises `SymscopeError` where the network's layout is not known, or does not say enough.
    """
    if isinstance(network.module, Transformer):
        return of_transformer(network.module)
    return by_hooks(network)


def edges(network: Network) -> list[Edge]:
    """Every edge, in the order of its receivers."""
    view = view_of(network)
    names = senders(view)
    return [
        (sender, receiver)
        for group, count in zip(receivers(view), earlier(view), strict=True)
        for receiver in group
        for sender in names[:count]
    ]


def run_edges(
    network: Network, base: Tensor, source: Tensor, patched: Iterable[Edge],
    steps: Tensor | None = None,
) -> Tensor:  # fmt: skip
    """Logits at the last step (pair, vocabulary) of the base, `patched` edges from the source.

    Each receiver reads the sum of what its senders hand it: in this run, or, over a patched edge,
    in the natural run on `source`. Norms are computed anew on the sum; the output projection's
    bias belongs to no head and is counted once. With `steps` (pair, step) an edge is patched where
    they are true alone. With no edge patched this is the run on `base`, with all on `source`.
    Raises `UnknownName` for an edge that is not there.
    """
    return edge_runs(network, base, source, steps)(patched)


def edge_runs(
    network: Network, base: Tensor, source: Tensor, steps: Tensor | None = None
) -> Callable[[Iterable[Edge]], Tensor]:
    """`run_edges` for several sets of edges: what the source hands over is computed once."""
    view = view_of(network)
    require_aligned(base, source)
    chunks = torch.arange(len(base)).split(PAIRS_AT_ONCE)
    given = [contributions(view, source[rows]) for rows in chunks]

    @torch.no_grad()
    def run(patched: Iterable[Edge]) -> Tensor:
        masks = _masks(view, frozenset(patched))
        found = []
        for rows, other in zip(chunks, given, strict=True):
            where = None if steps is None else steps[rows]
            found.append(_run(view, base[rows], other, masks, where))
        return torch.cat(found)

    return run


def path_patched(
    network: Network, base: Tensor, source: Tensor, sender: str, receivers: Sequence[str]
) -> Tensor:
    """Logits at the last step when `receivers` read `sender` as it is on the source.

    Path patching (Wang et al., 2023) of direct edges only: the receivers, and all that follows
    them, are computed anew. Departure: there, a path may also lead through the MLPs between the
    two; name these edges too in `run_edges` where that is meant.
    """
    return run_edges(network, base, source, [(sender, receiver) for receiver in receivers])


def require_aligned(base: Tensor, source: Tensor) -> None:
    """Raise `SymscopeError` unless the pairs are inputs of the same shape."""
    if isinstance(base, Mapping) or isinstance(source, Mapping):
        raise SymscopeError(
            "an edge joins the same steps of both, so that nothing may be padded:"
            " give tokens (pair, step) of prompts of one length, without a mask"
        )
    if base.shape != source.shape:
        raise SymscopeError(
            f"base is {tuple(base.shape)} and source {tuple(source.shape)}:"
            " an edge joins the same steps of both, give inputs of one length"
        )


@torch.no_grad()
def contributions(view: EdgeView, tokens: Tensor) -> Tensor:
    """What each sender writes in the natural run, (pair, step, sender, width)."""
    written, _ = view.forward(tokens, lambda _, x, __: x[:, :, None])
    return torch.cat(written, 2)


def _masks(view: EdgeView, patched: frozenset[Edge]) -> list[Tensor]:
    """Which edges are patched, (receiver, sender) per group; raises for one that is not there."""
    names, groups = senders(view), receivers(view)
    masks = [
        torch.tensor([[float((s, r) in patched) for s in names[:count]] for r in group])
        for group, count in zip(groups, earlier(view), strict=True)
    ]
    if sum(int(mask.sum()) for mask in masks) < len(patched):
        known = {(s, r) for g, c in zip(groups, earlier(view), strict=True)
                 for r in g for s in names[:c]}  # fmt: skip
        raise SymscopeError(
            f"no edge {next(iter(patched - known))}: an edge goes from one of {', '.join(names)}"
            f" to a later one of {', '.join(r for g in groups for r in g)}"
        )
    return masks


def _run(
    view: EdgeView, base: Tensor, given: Tensor, masks: list[Tensor], steps: Tensor | None
) -> Tensor:
    """Logits of a run in which masked edges hand over what is `given` (pair, step, sender, …)."""

    change, counts = given.clone(), [0, *earlier(view)]
    if steps is not None:
        change *= steps[:, :, None, None]

    def meet(group: int, x: Tensor, written: list[Tensor]) -> Tensor:
        start, stop = counts[group : group + 2]
        new = written[-1] if steps is None else written[-1] * steps[:, :, None, None]
        change[:, :, start:stop] -= new  # in place: a copy per group costs more than all else
        mask = masks[group].to(x)
        if not mask.any():
            return x[:, :, None]
        return x[:, :, None] + mask @ change[:, :, :stop]

    return view.forward(base, meet)[1]

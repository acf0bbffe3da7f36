"""Recurrent modules: they go on from the edited state, over the remaining steps only."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from symscope.intervention.natural import natural_values, natural_vectors
from symscope.intervention.recurrence import gru_states
from symscope.network import Network
from symscope.site import Site, positions
from symscope.visit import SEQUENCE_CELLS, Recurrent, join_state, replaced_forward, split_state


def _whole(site: Site, vectors: Tensor, states: Tensor, lstm: bool) -> Tensor:
    """The whole state, with `vectors` at the part and units that the site names."""
    width = states.shape[1]
    span = list(range(width))
    if lstm and site.part in ("h", "c"):
        span = span[: width // 2] if site.part == "h" else span[width // 2 :]
    units = site.selected(len(span))
    chosen = span if units is None else [span[u] for u in units]
    if len(chosen) == width and units is None:
        return vectors
    states = states.clone()
    states[:, chosen] = vectors
    return states


def resumed(
    network: Network, inputs: Tensor, site: Site, scored: Tensor
) -> Callable[[Tensor, Tensor], Tensor]:
    """Any module around an `nn.GRU`, `nn.LSTM` or `nn.RNN`, which goes on from the edited state."""
    module = network.at(site)
    assert isinstance(module, SEQUENCE_CELLS)
    tail = _Tail(network, inputs, site, None)
    whole_outputs = natural_values(network, inputs, Site(site.module, 0))

    def from_vectors(vectors: Tensor, rows: Tensor) -> Tensor:
        outputs, final = tail(vectors, rows)
        full = whole_outputs[rows].clone()
        offset = torch.arange(outputs.shape[1], device=full.device)
        steps = tail.steps[rows][:, None] + offset
        inside = steps < full.shape[1]
        full[torch.arange(len(rows))[:, None].expand_as(steps)[inside], steps[inside]] = outputs[
            inside
        ]
        answer = (full if module.batch_first else full.transpose(0, 1), final)
        with replaced_forward(module, lambda *_: answer):
            return network.answer(network.enter(network.module, inputs[rows]))[scored[rows]]

    return from_vectors


def resumed_to_readout(
    network: Network, inputs: Tensor, site: Site, scored: Tensor
) -> Callable[[Tensor, Tensor], Tensor] | None:
    """A module whose logits are `readout(rnn outputs)`, which is run where it is scored only."""
    readout = network.module.readout
    assert isinstance(readout, nn.Module)
    if scored.dim() != 2:
        return None
    tail = _Tail(network, inputs, site, scored)
    offset = torch.arange(scored.shape[1])
    ahead = (tail.steps[:, None].cpu() + offset).clamp(max=scored.shape[1] - 1)
    beyond = tail.steps[:, None].cpu() + offset >= scored.shape[1]
    aligned = scored.cpu().gather(1, ahead) & ~beyond
    if int(aligned.sum()) != int(scored.sum()):
        return None  # something before the site is scored: the tail does not hold it
    if tail.plain:
        return _PlainTail(tail, aligned, readout)

    def from_vectors(vectors: Tensor, rows: Tensor) -> Tensor:
        outputs, _ = tail(vectors, rows)
        return readout(outputs[aligned[rows][:, : outputs.shape[1]].to(outputs.device)])

    return from_vectors


class _Tail:
    """A recurrent module from a state on: outputs (batch, 1 + step, width) and the final state."""

    def __init__(self, network: Network, inputs: Tensor, site: Site, scored: Tensor | None):
        module = network.at(site)
        assert isinstance(module, SEQUENCE_CELLS)
        self.module, self.site = module, site
        entering = natural_values(network, inputs, Site(site.module, "input"))
        count, length = entering.shape[:2]
        self.steps = positions(site.position, count, length).to(entering.device)
        last = torch.full_like(self.steps, length - 1)
        if scored is not None:  # nothing after the last scored step is needed
            order = torch.arange(length, device=scored.device)
            last = torch.maximum((scored * order).amax(1).to(last.device), self.steps)
        self.lengths = (last - self.steps).cpu()
        index = self.steps[:, None] + 1 + torch.arange(length, device=entering.device)
        index = index.clamp(max=length - 1)[..., None].expand(-1, -1, entering.shape[-1])
        self.entering = entering.gather(1, index)[:, : max(1, int(self.lengths.max()))]
        self.states = natural_vectors(network, inputs, Site(site.module, "state").at(self.steps))
        self.lstm = isinstance(module, nn.LSTM)

    @property
    def plain(self) -> bool:
        """Whether it is one layer of a GRU on a CPU, for which `gru_states` is the faster way."""
        module = self.module
        one_layer = isinstance(module, nn.GRU) and module.num_layers == 1 and module.bias
        return one_layer and self.entering.device.type == "cpu"

    def _split(self, vectors: Tensor) -> Any:
        layers = self.module.num_layers
        width = vectors.shape[1] // ((1 + self.lstm) * layers)
        like = vectors.new_empty(layers, len(vectors), width)
        return split_state(vectors, (like, like) if self.lstm else like)

    def __call__(self, vectors: Tensor, rows: Tensor) -> tuple[Tensor, Any]:
        vectors = _whole(self.site, vectors, self.states[rows], self.lstm)
        state = self._split(vectors)
        lengths = self.lengths[rows]
        if isinstance(self.module, Recurrent):
            outputs, _ = self.module(self.entering[rows, : max(1, int(lengths.max()))], state)
            last = (lengths.to(outputs.device) - 1).clamp(min=0)
            final = outputs[torch.arange(len(rows)), last][None]
        else:
            packed = pack_padded_sequence(
                self.entering[rows], lengths.clamp(min=1), batch_first=True, enforce_sorted=False
            )
            outputs, final = self.module(packed, state)
            outputs, _ = pad_packed_sequence(outputs, batch_first=True)
        top = (state[0] if self.lstm else state)[-1]
        stopped = (lengths == 0).to(vectors.device)[:, None]
        final = self._split(torch.where(stopped, vectors, join_state(final)))
        return torch.cat([top[:, None], outputs], dim=1), final


class _PlainTail:
    """One GRU layer and a readout; the inputs' share of the gates is computed once as well."""

    def __init__(self, tail: _Tail, aligned: Tensor, readout: nn.Module):
        self.tail, self.aligned, self.readout = tail, aligned, readout
        weights = dict(tail.module.named_parameters())
        self.weight, self.bias = (weights[f"{name}_hh_l0"].detach() for name in ("weight", "bias"))
        share = (weights[f"{name}_ih_l0"].detach() for name in ("weight", "bias"))
        self.entering = linear(tail.entering.transpose(0, 1), *share)  # (step, sample, 3 · width)
        del tail.entering

    def __call__(self, vectors: Tensor, rows: Tensor) -> Tensor:
        vectors = _whole(self.tail.site, vectors, self.tail.states[rows], False)
        lengths = self.tail.lengths[rows]
        order = lengths.argsort(descending=True, stable=True)  # the longest first, as they end
        most = int(lengths.max())
        running = (lengths[:, None] > torch.arange(most)).sum(0).tolist()
        entering = self.entering[:most].index_select(1, rows[order])
        states = gru_states(
            vectors.index_select(0, order), entering, self.weight, self.bias, running
        )
        row, step = self.aligned[rows][:, : most + 1].nonzero(as_tuple=True)
        wanted = step * len(rows) + order.argsort()[row]
        states = states.flatten(0, 1)
        if len(wanted) == len(states):  # the logits are the smaller thing to put in order
            return self.readout(states).index_select(0, wanted)
        return self.readout(states.index_select(0, wanted))

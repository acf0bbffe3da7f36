"""A recurrent token model: embedding, one GRU or LSTM layer, and a small head."""

import numpy as np
import torch
from torch import Tensor, nn

CELLS = {"gru": nn.GRU, "lstm": nn.LSTM}


class RNN(nn.Module):
    """Next-token logits, (batch, step) → (batch, step, vocabulary).

    The architecture of Grant, Goodman & McClelland (2025): embedding and state of the same
    `width`, a head width → 4·width → vocabulary with GELU and dropout 0.5. Their text has this
    head, their drawing one with a norm. A LayerNorm stands before it where `head_norm` says so;
    unsaid, in a GRU and not in an LSTM, with which Count aligns best. The state after each update
    is at `Site("rnn", "state")`.
    """

    def __init__(self, cell: str, vocabulary: int, width: int, head_norm: bool | None = None):
        super().__init__()
        norm = cell == "gru" if head_norm is None else head_norm
        self.embed = nn.Embedding(vocabulary, width)
        self.rnn = CELLS[cell](width, width, batch_first=True)
        self.readout = nn.Sequential(
            nn.LayerNorm(width) if norm else nn.Identity(),
            nn.Linear(width, 4 * width),
            nn.GELU(),
            HalfDropout(),
            nn.Linear(4 * width, vocabulary),
        )

    def hidden(self, tokens: Tensor) -> Tensor:
        """What `readout` reads, step by step, (batch, step, width)."""
        return self.rnn(self.embed(tokens))[0]

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits at every step."""
        return self.readout(self.hidden(tokens))


class HalfDropout(nn.Module):
    """`nn.Dropout(0.5)` with one random bit per unit.

    On a CPU, torch's mask costs as much as the whole head. The bits follow torch's global seed.
    """

    def forward(self, x: Tensor) -> Tensor:
        """In training each unit is doubled or zero; otherwise `x`."""
        if not self.training:
            return x
        rng = np.random.Generator(np.random.SFC64(int(torch.randint(2**62, ()))))
        drawn = np.frombuffer(rng.bytes(x.numel() // 8 + 1), dtype=np.uint8)
        bits = torch.from_numpy(np.unpackbits(drawn, count=x.numel()))
        return x * (2 * bits.to(x.device, x.dtype)).view_as(x)

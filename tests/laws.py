"""What every law is tested on: one table each of featurizers, networks and programs."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from symscope.causal_model import interchange
from symscope.featurizer import PCA, Featurizer, Frame, Identity, Linear, Mask, Reversible, Rotation
from symscope.models.mlp_rnn import MLPRNN, MLPRecurrence
from symscope.models.rnn import RNN
from symscope.models.transformer import Transformer
from symscope.network import Network
from symscope.program import Program, Variable
from symscope.site import Site
from symscope.tasks import Counting

SAMPLES, LENGTH, WIDTH, TOKENS = 11, 7, 6, 9


def draws(*shape: int, seed: int = 0) -> Tensor:
    """Standard normal numbers."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


def token_batch(seed: int, count: int = SAMPLES, length: int = LENGTH) -> Tensor:
    """Token sequences, (sample, step)."""
    return torch.randint(TOKENS, (count, length), generator=torch.Generator().manual_seed(seed))


def perturbed(featurizer: Featurizer, seed: int = 7) -> Featurizer:
    """The same featurizer with its weights moved, as after some steps of a fit."""
    with torch.no_grad():
        for weight in featurizer.parameters():
            weight += 0.3 * draws(*weight.shape, seed=seed)
    return featurizer


FEATURIZERS: dict[str, Callable[[], Featurizer]] = {
    "identity": lambda: Identity(WIDTH),
    "mask": lambda: Mask(WIDTH, 3, units=(4, 0, 5)),
    "low-rank rotation": lambda: perturbed(Rotation(WIDTH, 4, seed=1)),
    "full rotation": lambda: perturbed(Rotation(WIDTH, WIDTH, seed=2)),
    "linear": lambda: perturbed(Linear(WIDTH, WIDTH, seed=3)),
    "reversible": lambda: perturbed(Reversible(WIDTH, WIDTH, seed=8)),
    "frame": lambda: Frame(WIDTH, WIDTH, torch.eye(WIDTH) + 0.2 * draws(WIDTH, WIDTH, seed=6)),
    "low-rank pca": lambda: PCA(WIDTH, 2, vectors=draws(40, WIDTH, seed=4) + 3),
    "full pca": lambda: PCA(WIDTH, WIDTH, vectors=draws(40, WIDTH, seed=5) - 2),
}


class Stacked(nn.Module):
    """Someone else's recurrent model: two layers, its own names, either axis order."""

    def __init__(self, cell: type[nn.RNNBase], batch_first: bool):
        super().__init__()
        self.look_up = nn.Embedding(TOKENS, 5)
        self.cell = cell(5, WIDTH, num_layers=2, batch_first=batch_first)
        self.head = nn.Linear(WIDTH, TOKENS)

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.look_up(tokens)
        if self.cell.batch_first:
            return self.head(self.cell(x)[0])
        return self.head(self.cell(x.transpose(0, 1))[0].transpose(0, 1))


class Classifier(nn.Module):
    """One answer per sequence, read from the final state."""

    def __init__(self, rnn: Callable[[], nn.Module]):
        super().__init__()
        self.embed, self.rnn = nn.Embedding(TOKENS, WIDTH), rnn()
        self.head = nn.Linear(WIDTH, 4)

    def forward(self, tokens: Tensor) -> Tensor:
        _, final = self.rnn(self.embed(tokens))
        return self.head(final[-1])


class Stepwise(nn.Module):
    """A cell called once per step in a Python loop."""

    def __init__(self, cell: type[nn.RNNCellBase]):
        super().__init__()
        self.embed = nn.Embedding(TOKENS, WIDTH)
        self.cell = cell(WIDTH, WIDTH)
        self.head = nn.Linear(WIDTH, TOKENS)

    def forward(self, tokens: Tensor) -> Tensor:
        state, seen = None, []
        for x in self.embed(tokens).unbind(1):
            state = self.cell(x, state)
            seen.append(state[0] if isinstance(state, tuple) else state)
        return self.head(torch.stack(seen, 1))


class Perceptron(nn.Module):
    """A multi-layer perceptron with a residual connection around its second layer."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.second = nn.Linear(5, WIDTH), nn.Linear(WIDTH, WIDTH)
        self.last = nn.Linear(WIDTH, 3)

    def forward(self, x: Tensor) -> Tensor:
        x = self.first(x).relu()
        return self.last(x + self.second(x).relu())


class Attentive(nn.Module):
    """Two layers of torch's own attention, whose modules return tuples."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(TOKENS, WIDTH)
        self.place = nn.Embedding(LENGTH, WIDTH)
        self.attention = nn.ModuleList(
            nn.MultiheadAttention(WIDTH, 2, batch_first=True) for _ in range(2)
        )
        self.mlp = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(2))
        self.unembed = nn.Linear(WIDTH, TOKENS)

    def forward(self, tokens: Tensor) -> Tensor:
        length = tokens.shape[1]
        later = torch.ones(length, length, dtype=torch.bool).triu(1)
        x = self.embed(tokens) + self.place.weight[:length]
        for attention, mlp in zip(self.attention, self.mlp, strict=True):
            x = x + attention(x, x, x, attn_mask=later, need_weights=False)[0]
            x = x + mlp(x).relu()
        return self.unembed(x)


@dataclass(frozen=True)
class Case:
    """A network, a site in it, and how its downstream part should be computed."""

    build: Callable[[], nn.Module]
    site: Site
    how: str
    answers_from_site_on: bool = True
    stepped: bool = True
    last: int = -1  # the last step at which an edit can still be seen

    def network(self) -> Network:
        torch.manual_seed(5)
        return Network(self.build())

    def inputs(self, seed: int) -> Tensor:
        return token_batch(seed) if self.stepped else draws(SAMPLES, 5, seed=seed)

    def at(self, where: str) -> Site:
        """The site at one position ("one"), per sample ("each") or as it is."""
        if not self.stepped:
            return self.site
        return self.site.at({"one": 2, "last": self.last, "each": EACH}[where])

    def scored(self, where: str) -> Tensor:
        """Some steps from the site on are scored, or some of all."""
        if not self.stepped or isinstance(self.build(), Classifier):
            return torch.ones(SAMPLES, dtype=torch.bool)
        step = torch.tensor({"one": [2], "last": [self.last % LENGTH], "each": EACH}[where])
        scored = draws(SAMPLES, LENGTH, seed=3) > -0.5
        order = torch.arange(LENGTH)
        scored |= order == LENGTH - 1
        return scored & (order >= step[:, None]) if self.answers_from_site_on else scored


EACH = (0, 6, 3, 1, 6, 2, 5, 4, 0, 3, 6)  # one step for each of the samples, both ends among them

_TO_READOUT, _RESUMED, _BY_MODULE = "resumed to the readout", "resumed", "resumed by the module"
_gru, _lstm = lambda: RNN("gru", TOKENS, WIDTH), lambda: RNN("lstm", TOKENS, WIDTH)
_state = Site("rnn", "state")


def _transformer(layers: int, positions: str, heads: int = 1) -> Callable[[], nn.Module]:
    return lambda: Transformer(TOKENS, 8, layers=layers, heads=heads, positions=positions)


NETWORKS: dict[str, Case] = {
    "gru": Case(_gru, _state, _TO_READOUT),
    "gru units": Case(_gru, Site("rnn", "state", units=(4, 1)), _TO_READOUT),
    "gru head": Case(_gru, Site("rnn", "h", head=(1, 3)), _TO_READOUT),
    "gru, all steps scored": Case(_gru, _state, _RESUMED, answers_from_site_on=False),
    "gru output": Case(_gru, Site("rnn", 0), "replayed"),
    "lstm": Case(_lstm, _state, _TO_READOUT),
    "lstm h": Case(_lstm, Site("rnn", "h"), _TO_READOUT),
    "lstm c": Case(_lstm, Site("rnn", "c"), _TO_READOUT, last=-2),
    "lstm units of c": Case(_lstm, Site("rnn", "c", units=range(1, 4)), _TO_READOUT, last=-2),
    "foreign gru": Case(lambda: Stacked(nn.GRU, True), Site("cell", "state"), _RESUMED),
    "foreign gru, steps first": Case(
        lambda: Stacked(nn.GRU, False), Site("cell", "state"), _RESUMED
    ),
    "foreign lstm c": Case(lambda: Stacked(nn.LSTM, False), Site("cell", "c"), _RESUMED, last=-2),
    "foreign rnn units": Case(
        lambda: Stacked(nn.RNN, True), Site("cell", "state", units=(7, 2)), _RESUMED
    ),
    "mlp rnn": Case(lambda: MLPRNN(TOKENS, WIDTH, 10, TOKENS), _state, _TO_READOUT),
    "mlp rnn units": Case(
        lambda: MLPRNN(TOKENS, WIDTH, 10, TOKENS), Site("rnn", "h", units=(2, 5)), _TO_READOUT
    ),
    "mlp rnn, all steps scored": Case(
        lambda: MLPRNN(TOKENS, WIDTH, 10, TOKENS), _state, _RESUMED, answers_from_site_on=False
    ),
    "classifier": Case(
        lambda: Classifier(lambda: nn.GRU(WIDTH, WIDTH, batch_first=True)), _state, _RESUMED
    ),
    "classifier, mlp rnn": Case(
        lambda: Classifier(lambda: MLPRecurrence(WIDTH, WIDTH)), _state, _RESUMED
    ),
    "gru cell": Case(lambda: Stepwise(nn.GRUCell), Site("cell", "state"), "replayed", last=6),
    "lstm cell c": Case(lambda: Stepwise(nn.LSTMCell), Site("cell", "c"), "replayed", last=5),
    **{
        f"transformer {positions}, block {block} of {layers}": Case(
            _transformer(layers, positions), Site(f"blocks.{block}"), _BY_MODULE
        )
        for positions in ("rope", "none")
        for layers in (1, 2, 3)
        for block in range(layers)
    },
    "transformer, learned positions, no norm": Case(
        lambda: Transformer(TOKENS, 8, 2, 2, "learned", norm=False, length=LENGTH),
        Site("blocks.0"),
        _BY_MODULE,
    ),
    "transformer, two heads": Case(_transformer(2, "rope", 2), Site("blocks.0"), _BY_MODULE),
    "transformer units": Case(
        _transformer(2, "rope"), Site("blocks.0", units=(0, 3, 5)), "replayed"
    ),
    "transformer head": Case(
        _transformer(2, "rope", 2), Site("blocks.1.attention.out", "input", head=(1, 2)), "replayed"
    ),
    "transformer, all steps scored": Case(
        _transformer(2, "rope"), Site("blocks.0"), "replayed", answers_from_site_on=False
    ),
    "foreign transformer": Case(Attentive, Site("mlp.0"), "replayed"),
    "foreign attention": Case(Attentive, Site("attention.1", 0), "replayed"),
    "perceptron": Case(Perceptron, Site("first"), "replayed", stepped=False),
    "perceptron units": Case(Perceptron, Site("second", units=(1, 2)), "replayed", stepped=False),
}  # fmt: skip


@dataclass(frozen=True)
class Ruled:
    """A step program, sequences to run it on, and the steps of an interchange."""

    program: Program
    base: Tensor
    source: Tensor


def _counting(kind: str, name: str) -> Ruled:
    task = Counting(kind, highest=5, held_out=())
    batches = [task.sample(SAMPLES, torch.Generator().manual_seed(s))[:, :LENGTH] for s in (0, 1)]
    return Ruled(task.programs[name], *batches)


PARITY = Program(
    "parity",
    (Variable("bit", 0, 1),),
    (Variable("flipped", 0, 1), Variable("odd", 0, 1)),
    {"flipped": "1 - bit", "odd": "odd ^ (flipped == 0)"},
    "odd + 2 * flipped",
    start={"odd": 0},
)
PROGRAMS: dict[str, Ruled] = {
    **{
        f"{kind} {name}": _counting(kind, name)
        for kind in ("multi", "same")
        for name in ("up_down", "up_up", "ctx_distr", "progress")
    },
    "modulo up_down": _counting("modulo", "up_down"),
    "round up_down": _counting("round", "up_down"),
    "parity": Ruled(PARITY, token_batch(1) % 2, token_batch(2) % 2),
}


def with_variable_set(program: Program, tokens: list, name: str, step: int, value: object) -> list:
    """The outputs of a plain loop on numbers in which a variable is set at one step."""
    state, outputs = program.initial(), []
    for t, token in enumerate(tokens):
        edits = {name: lambda _: value} if t == step else {}
        state, output = program.step(state, {program.inputs[0].name: token}, edits)
        outputs.append(output)
    return outputs


def value_after(program: Program, tokens: list, name: str, step: int) -> object:
    """A variable's value after one step of a plain loop on numbers."""
    state = program.initial()
    for token in tokens[: step % len(tokens) + 1]:
        state, _ = program.step(state, {program.inputs[0].name: token})
    return state[name]


def exchanged(ruled: Ruled, name: str, base_step: tuple, source_step: tuple) -> Tensor:
    """The interchange of one variable between the batches of a program."""
    names = {(name, base_step): (name, source_step)}
    return interchange(ruled.program, ruled.base, ruled.source, names)

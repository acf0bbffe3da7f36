"""One DAS step inside a GRU: a swap of half the state's dimensions at the middle step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from interleaved import Contender, Row, side_by_side
from symscope.align import Swap
from symscope.featurizer import Rotation
from symscope.models.rnn import RNN
from symscope.network import Network
from symscope.site import Site
from symscope.task import IGNORE, Pairs

VOCABULARY = 16
PAIRS = 2048
CASES = [(d, tokens, batch) for d in (20, 128) for tokens in (32, 43) for batch in (64, 512)]


@dataclass(frozen=True, eq=False)
class Setting:
    """A frozen random network and pairs of random tokens; answers count from the swap on."""

    width: int
    tokens: int

    def __post_init__(self) -> None:
        generator = torch.Generator().manual_seed(0)
        torch.manual_seed(0)
        module = RNN("gru", VOCABULARY, self.width).eval().requires_grad_(False)
        base, source, target = (
            torch.randint(VOCABULARY, (PAIRS, self.tokens), generator=generator) for _ in range(3)
        )
        target[:, : self.step] = IGNORE
        object.__setattr__(self, "module", module)
        object.__setattr__(self, "data", (base, source, target))

    @property
    def step(self) -> int:
        """Where the state is swapped, in base and source."""
        return self.tokens // 2

    def rotation(self) -> Rotation:
        """The same start for every contender."""
        return Rotation(self.width, self.width // 2, seed=0)

    def contender(self, rotation: nn.Module, outputs: Callable[[Tensor], Tensor]) -> Contender:
        """Cross-entropy on the answers from the swap on."""
        target = self.data[2]

        def loss(rows: Tensor) -> Tensor:
            return cross_entropy(outputs(rows), target[rows][:, self.step :].flatten())

        return Contender(outputs, loss, rotation.parameters())


def symscope(setting: Setting) -> Contender:
    """`align.Swap`, as `align.fit` uses it."""
    base, source, target = setting.data
    steps = torch.full((PAIRS,), setting.step)
    pairs = Pairs(base, steps, source, steps, target, {}, ("variable",))
    swap = Swap(Network(setting.module), Site("rnn", "state"), pairs)
    rotation = setting.rotation()
    chosen = range(rotation.size)

    def outputs(rows: Tensor) -> Tensor:
        edited = rotation.swap(swap.base[rows], swap.source[rows], chosen)
        return swap.down.from_vectors(edited, rows)

    loss = lambda rows: swap.loss(rotation, chosen, rows)  # noqa: E731
    return Contender(outputs, loss, rotation.parameters())


def bare(setting: Setting) -> Contender:
    """By hand, for this network and this step only: states and embeddings kept, nothing checked."""
    base, source, _ = setting.data
    module, t, rotation = setting.module, setting.step, setting.rotation()
    with torch.no_grad():
        entering = module.embed(base)
        at_base = module.rnn(entering[:, : t + 1])[0][:, -1]
        at_source = module.rnn(module.embed(source[:, : t + 1]))[0][:, -1]
    entering = entering[:, t + 1 :].contiguous()
    chosen = range(rotation.size)

    def outputs(rows: Tensor) -> Tensor:
        edited = rotation.swap(at_base[rows], at_source[rows], chosen)
        after, _ = module.rnn(entering[rows], edited[None])
        return module.readout(torch.cat([edited[:, None], after], 1).flatten(0, 1))

    return setting.contender(rotation, outputs)


def split(setting: Setting) -> Contender:
    """`nn.GRU` up to the swap, without gradient, and on from it; the readout from the swap on."""
    base, source, _ = setting.data
    module, t, rotation = setting.module, setting.step, setting.rotation()
    chosen = range(rotation.size)

    def outputs(rows: Tensor) -> Tensor:
        with torch.no_grad():
            entering = module.embed(base[rows])
            at_base = module.rnn(entering[:, : t + 1])[1][0]
            at_source = module.rnn(module.embed(source[rows][:, : t + 1]))[1][0]
        edited = rotation.swap(at_base, at_source, chosen)
        after, _ = module.rnn(entering[:, t + 1 :], edited[None])
        return module.readout(torch.cat([edited[:, None], after], 1).flatten(0, 1))

    return setting.contender(rotation, outputs)


class Loop(nn.Module):
    """The same network as a plain loop over an `nn.GRUCell`, so that a hook sees every step."""

    def __init__(self, module: RNN, width: int):
        super().__init__()
        self.embed, self.readout = module.embed, module.readout
        self.cell = nn.GRUCell(width, width).eval().requires_grad_(False)
        state = {k.removesuffix("_l0"): v for k, v in module.rnn.state_dict().items()}
        self.cell.load_state_dict(state)

    def forward(self, tokens: Tensor) -> Tensor:
        """Logits at every step."""
        state = self.embed.weight.new_zeros(len(tokens), self.cell.hidden_size)
        states = []
        for vectors in self.embed(tokens).unbind(1):
            state = self.cell(vectors, state)
            states.append(state)
        return self.readout(torch.stack(states, 1))


def loop(setting: Setting) -> Contender:
    """The whole module twice: the source without gradient to read, the base with the swap."""
    base, source, _ = setting.data
    t, rotation = setting.step, setting.rotation()
    module = Loop(setting.module, setting.width)
    chosen = range(rotation.size)

    def run(tokens: Tensor, visit: Callable[[Tensor], Tensor | None]) -> Tensor:
        calls = 0

        def hook(_: nn.Module, __: tuple, state: Tensor) -> Tensor | None:
            nonlocal calls
            calls += 1
            return visit(state) if calls == t + 1 else None

        handle = module.cell.register_forward_hook(hook)
        try:
            return module(tokens)
        finally:
            handle.remove()

    def outputs(rows: Tensor) -> Tensor:
        found: list[Tensor] = []
        with torch.no_grad():
            run(source[rows], found.append)
        logits = run(base[rows], lambda state: rotation.swap(state, found[0], chosen))
        return logits[:, t:].flatten(0, 1)

    return setting.contender(rotation, outputs)


def pyvene(setting: Setting) -> Contender:
    """pyvene's own GRU with the same weights and its low-rank rotation."""
    import pyvene as pv
    from pyvene.models.gru.modelings_gru import GRUConfig, GRULMHeadModel

    width, t = setting.width, setting.step
    base, source, _ = setting.data
    model = GRULMHeadModel(
        GRUConfig(include_emb=True, vocab_size=VOCABULARY, n_layer=1, h_dim=width)
    )
    cell, weights = model.gru.cells[0], setting.module.rnn.state_dict()
    for mine, theirs in (("ih", cell.x2h), ("hh", cell.h2h)):
        theirs.load_state_dict(
            {"weight": weights[f"weight_{mine}_l0"], "bias": weights[f"bias_{mine}_l0"]}
        )
    model.gru.wte, model.lm_head = setting.module.embed, setting.module.readout
    rank = setting.rotation().size
    place = pv.RepresentationConfig(0, "cell_output", "t", 1, low_rank_dimension=rank)
    config = pv.IntervenableConfig(
        model_type=type(model), representations=[place],
        intervention_types=pv.LowRankRotatedSpaceIntervention,
    )  # fmt: skip
    intervenable = pv.IntervenableModel(config, model)
    intervenable.disable_model_gradients()
    (intervention,) = intervenable.interventions.values()
    intervention = intervention[0] if isinstance(intervention, tuple | list) else intervention
    intervention.rotate_layer.weight = setting.rotation().axes().detach()
    model.eval()

    def outputs(rows: Tensor) -> Tensor:
        where = {"sources->base": ([[[t]] * len(rows)], [[[t]] * len(rows)])}
        _, run = intervenable({"input_ids": base[rows]}, [{"input_ids": source[rows]}], where)
        logits = run[0] if isinstance(run, tuple) else run.logits
        return logits[:, t:].flatten(0, 1)

    return setting.contender(intervention, outputs)


def compare(
    rounds: int, cases: list[tuple[int, int, int]], peers: dict[str, bool]
) -> Iterator[list[Row]]:
    """All cases; pyvene where it is installed."""
    for width, tokens, batch in cases:
        setting = Setting(width, tokens)
        generator = torch.Generator().manual_seed(1)
        rows = [torch.randint(PAIRS, (batch,), generator=generator) for _ in range(16)]
        ways = [symscope, bare, split, loop] + [pyvene] * peers["pyvene"]
        builders = {way.__name__: lambda way=way, s=setting: way(s) for way in ways}
        case = f"d {width}, {tokens} tokens, batch {batch}"
        yield side_by_side("gru", case, builders, rows, rounds)

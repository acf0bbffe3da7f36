"""One DAS step at the middle layer of a randomly initialised GPT-2-shaped network."""

import copy
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from bridge import bridged
from interleaved import RATE, Contender, Row, side_by_side
from symscope.align import Swap
from symscope.featurizer import Rotation
from symscope.network import Network
from symscope.site import Site
from symscope.task import IGNORE, Pairs

LAYERS, WIDTH, HEADS, TOKENS, BATCH, RANK = 4, 256, 4, 32, 64, 16
LAYER = 1
"""The second of four blocks: its output is the middle of the residual stream."""
VOCABULARY = 512
PAIRS = 512
CASES = [TOKENS // 2, TOKENS - 1]
"""The token at which the two runs' vectors are swapped; the answer is read at the last one."""


class Setting:
    """A frozen random network and pairs of random tokens."""

    def __init__(self, position: int):
        from transformers import GPT2Config, GPT2LMHeadModel

        torch.manual_seed(0)
        config = GPT2Config(
            vocab_size=VOCABULARY,
            n_positions=TOKENS,
            n_embd=WIDTH,
            n_layer=LAYERS,
            n_head=HEADS,
            bos_token_id=0,
            eos_token_id=0,
        )
        self.module = GPT2LMHeadModel(config).eval().requires_grad_(False)
        generator = torch.Generator().manual_seed(0)
        self.base, self.source = (
            torch.randint(VOCABULARY, (PAIRS, TOKENS), generator=generator) for _ in range(2)
        )
        self.target = torch.randint(VOCABULARY, (PAIRS,), generator=generator)
        self.position = position

    def rotation(self) -> Rotation:
        """The same start for every contender."""
        return Rotation(WIDTH, RANK, seed=0)

    def contender(self, rotation: nn.Module, outputs: Callable[[Tensor], Tensor]) -> Contender:
        """Cross-entropy on the last token's answer."""
        return Contender(
            outputs,
            lambda rows: cross_entropy(outputs(rows), self.target[rows]),
            rotation.parameters(),
        )


def symscope(setting: Setting) -> Contender:
    """`align.Swap`, as `align.fit` uses it."""
    steps = torch.full((PAIRS,), setting.position)
    target = torch.full((PAIRS, TOKENS), IGNORE)
    target[:, -1] = setting.target
    pairs = Pairs(setting.base, steps, setting.source, steps, target, {}, ("variable",))
    swap = Swap(Network(setting.module), Site(f"transformer.h.{LAYER}"), pairs)
    rotation = setting.rotation()
    chosen = range(RANK)

    def outputs(rows: Tensor) -> Tensor:
        edited = rotation.swap(swap.base[rows], swap.source[rows], chosen)
        return swap.down.from_vectors(edited, rows)

    loss = lambda rows: swap.loss(rotation, chosen, rows)  # noqa: E731
    return Contender(outputs, loss, rotation.parameters())


def bare(setting: Setting) -> Contender:
    """By hand: the blocks after the swap, on the tokens from it on, keys and values kept."""
    from transformers import DynamicCache

    module, t, rotation = setting.module.transformer, setting.position, setting.rotation()
    after = list(enumerate(module.h))[LAYER + 1 :]
    with torch.no_grad():
        states = module(setting.base, output_hidden_states=True).hidden_states[LAYER + 1]
        at_source = module(setting.source, output_hidden_states=True).hidden_states[LAYER + 1][:, t]
        layers = module(setting.base[:, :t], use_cache=True).past_key_values.layers
    kept = {index: (layers[index].keys, layers[index].values) for index, _ in after}
    states = states[:, t:].contiguous()
    reach = torch.ones(TOKENS, TOKENS, dtype=torch.bool).tril()[t:]
    chosen = range(RANK)

    def outputs(rows: Tensor) -> Tensor:
        x = states[rows]
        edited = rotation.swap(x[:, 0], at_source[rows], chosen)
        x = torch.cat([edited[:, None], x[:, 1:]], 1)
        cache = DynamicCache()
        for index in range(LAYERS):
            keys, values = kept.get(index, kept[LAYERS - 1])
            cache.update(keys[rows], values[rows], index)
        for _, block in after:
            x = block(x, past_key_values=cache, attention_mask=reach[None, None], use_cache=True)
            x = x[0] if isinstance(x, tuple) else x
        return setting.module.lm_head(module.ln_f(x[:, -1]))

    return setting.contender(rotation, outputs)


def hooks(setting: Setting) -> Contender:
    """Plain hooks: the source's run without gradient to read, the base's with the swap."""
    block, t, rotation = setting.module.transformer.h[LAYER], setting.position, setting.rotation()
    chosen = range(RANK)

    def run(tokens: Tensor, visit: Callable[[Tensor], Tensor | None]) -> Tensor:
        def hook(_: nn.Module, __: tuple, output: Tensor | tuple) -> Tensor | tuple | None:
            states = output[0] if isinstance(output, tuple) else output
            new = visit(states[:, t])
            if new is None:
                return None
            states = states.clone()
            states[:, t] = new
            return (states, *output[1:]) if isinstance(output, tuple) else states

        handle = block.register_forward_hook(hook)
        try:
            return setting.module(tokens, use_cache=False).logits[:, -1]
        finally:
            handle.remove()

    def outputs(rows: Tensor) -> Tensor:
        found: list[Tensor] = []
        with torch.no_grad():
            run(setting.source[rows], found.append)
        return run(setting.base[rows], lambda old: rotation.swap(old, found[0], chosen))

    return setting.contender(rotation, outputs)


def pyvene(setting: Setting) -> Contender:
    """pyvene's low-rank rotated-space intervention on the block's output."""
    import pyvene as pv

    module = copy.deepcopy(setting.module)
    place = pv.RepresentationConfig(LAYER, "block_output", "pos", 1, low_rank_dimension=RANK)
    config = pv.IntervenableConfig(
        model_type=type(module), representations=[place],
        intervention_types=pv.LowRankRotatedSpaceIntervention,
    )  # fmt: skip
    intervenable = pv.IntervenableModel(config, module)
    intervenable.disable_model_gradients()
    (intervention,) = intervenable.interventions.values()
    intervention = intervention[0] if isinstance(intervention, tuple | list) else intervention
    intervention.rotate_layer.weight = setting.rotation().axes().detach()
    module.eval()

    def outputs(rows: Tensor) -> Tensor:
        where = {"sources->base": (setting.position, setting.position)}
        base, source = setting.base[rows], setting.source[rows]
        _, run = intervenable({"input_ids": base}, [{"input_ids": source}], where)
        return run.logits[:, -1]

    return setting.contender(intervention, outputs)


class TransformerLens(Contender):
    """`fit_das` with its own defaults (20 epochs) on one batch: 20 training steps a call.

    It keeps the source's vectors itself; collecting them is part of the call. Outputs are those of
    `run_with_intervention`, which it calls, for the axes that all contenders start from.
    """

    steps = 20

    def __init__(self, setting: Setting):
        from transformer_lens.tools.analysis import interchange

        self.tools, self.setting = interchange, setting
        self.model = bridged(setting.module)
        self.hook = f"blocks.{LAYER}.hook_out"
        self.axes = setting.rotation().axes().detach()

    def answer(self, tokens: Tensor) -> Tensor:
        """Logits at the last token."""
        return self.model(tokens)[:, -1]

    def outputs(self, rows: Tensor) -> Tensor:
        """With the axes at the start."""
        positions = torch.full((len(rows),), self.setting.position)
        source = self.tools.collect_activations(
            self.model, self.hook, self.setting.source[rows], self.answer, positions=positions
        )
        return self.tools.run_with_intervention(
            self.model, self.hook, self.tools.SubspaceInterchange(self.axes),
            self.setting.base[rows], source, self.answer, positions=positions,
        )  # fmt: skip

    def step(self, rows: Tensor) -> None:
        """A whole fit on one batch."""
        positions = torch.full((len(rows),), self.setting.position)
        self.tools.fit_das(
            self.model, self.hook, self.setting.base[rows], self.setting.source[rows],
            self.setting.target[rows], self.answer, rank=RANK, base_positions=positions,
            source_positions=positions, epochs=self.steps, batch_size=len(rows), lr=RATE,
        )  # fmt: skip


def compare(rounds: int, cases: list[int], peers: dict[str, bool]) -> Iterator[list[Row]]:
    """All cases; each peer where it is installed."""
    for position in cases:
        setting = Setting(position)
        generator = torch.Generator().manual_seed(1)
        rows = [torch.randint(PAIRS, (BATCH,), generator=generator) for _ in range(8)]
        builders = {
            way.__name__: lambda way=way, s=setting: way(s)
            for way in [symscope, bare, hooks] + [pyvene] * peers["pyvene"]
        }
        if peers["transformer_lens"]:
            builders["fit_das"] = lambda s=setting: TransformerLens(s)
        case = f"swap at token {position + 1} of {TOKENS}"
        yield side_by_side("gpt2", case, builders, rows, rounds)

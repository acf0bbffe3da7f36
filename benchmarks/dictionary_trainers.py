"""The trainers that `dictionary.py` compares, each from the same weights on the same vectors."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from interleaved import Contender
from symscope.features.dictionaries import Dictionary, Training
from symscope.features.dictionaries.training import _State, _update

RATE = 1e-3
NEVER = 10**6


@dataclass(frozen=True)
class Setting:
    """Vectors, the dictionary all start from, and how long: `steps` None is without schedules."""

    vectors: Tensor
    start: Dictionary
    steps: int | None = None

    @property
    def warm(self) -> int:
        """Over how many steps rate and penalty grow."""
        return 0 if self.steps is None else self.steps // 10

    @property
    def last(self) -> int:
        """Over how many steps the rate falls, which symscope has fixed."""
        return 0 if self.steps is None else self.steps // 5

    @property
    def weights(self) -> dict[str, Tensor]:
        """Copies of encoder (width, size), its bias, decoder (size, width) and bias."""
        return {name: w.detach().clone() for name, w in self.start.named_parameters()}


class Trainer(Contender):
    """One call is a step on one batch; `weights` are named and laid out as symscope's."""

    measured = 2

    def __init__(
        self, setting: Setting, outputs: Callable[[Tensor], Tensor],
        update: Callable[[int, Tensor], Any], weights: Callable[[], dict[str, Tensor]],
    ):  # fmt: skip
        self.vectors, self.outputs_of, self.update = setting.vectors, outputs, update
        self.weights, self.number = weights, 0
        if setting.vectors.is_cuda:
            self.clock = _after_all

    @torch.no_grad()
    def outputs(self, rows: Tensor) -> Tensor:
        """The reconstructions of a batch."""
        return self.outputs_of(self.vectors[rows])

    def step(self, rows: Tensor) -> None:
        """One step on a batch."""
        self.update(self.number, self.vectors[rows])
        self.number += 1


def _after_all() -> float:
    torch.cuda.synchronize()
    return time.perf_counter()


def symscope(setting: Setting, quick: bool = True, longest: float | None = None) -> Trainer:
    """One step of the library's own loop."""
    start = setting.start
    dictionary = Dictionary(start.width, start.size, start.method, start.sparsity)
    dictionary.load_state_dict(setting.weights)
    dictionary.to(setting.vectors.device)
    if not quick:
        dictionary.method = replace(start.method, quick=None)
    training = Training(setting.steps or NEVER, setting.vectors.shape[0], RATE, setting.warm, NEVER)
    state = _State(dictionary).to(setting.vectors.device)
    adam = torch.optim.Adam(dictionary.parameters(), lr=RATE, fused=quick)

    if longest is not None:
        weights = list(dictionary.parameters())
        adam.register_step_pre_hook(lambda *_: _shortened(weights, longest))

    def update(number: int, x: Tensor) -> None:
        _update(state, adam, (x, x), number, training, 0)

    def outputs(x: Tensor) -> Tensor:
        return dictionary.decode(dictionary.encode(x))

    return Trainer(setting, outputs, update, dictionary.state_dict)


def literal(setting: Setting) -> Trainer:
    """The same, with the loss as it is written."""
    return symscope(setting, quick=False)


def clipped(setting: Setting) -> Trainer:
    """symscope with gradients no longer than 1, all weights together, as others have them."""
    return symscope(setting, longest=1.0)


def _shortened(weights: Sequence[Tensor], longest: float) -> None:
    torch.nn.utils.clip_grad_norm_(weights, longest)


def saelens(setting: Setting, sparse: bool = False) -> Trainer:
    """`SAETrainer.step`, then its number of the step, as its `fit` does."""
    from sae_lens.config import SAETrainerConfig
    from sae_lens.saes.standard_sae import StandardTrainingSAE, StandardTrainingSAEConfig
    from sae_lens.saes.topk_sae import TopKTrainingSAE, TopKTrainingSAEConfig
    from sae_lens.training.sae_trainer import SAETrainer

    start, device = setting.start, setting.vectors.device.type
    common = {"d_in": start.width, "d_sae": start.size, "device": device}
    if start.method.name == "topk":
        sae = TopKTrainingSAE(TopKTrainingSAEConfig(
            k=start.k, use_sparse_activations=sparse, rescale_acts_by_decoder_norm=not sparse,
            **common,
        ))  # fmt: skip
    else:
        sae = StandardTrainingSAE(StandardTrainingSAEConfig(
            l1_coefficient=start.sparsity, l1_warm_up_steps=setting.warm, **common
        ))  # fmt: skip
    names = {"encoder": "W_enc", "encoder_bias": "b_enc", "decoder": "W_dec", "bias": "b_dec"}
    sae.load_state_dict({names[name]: value for name, value in setting.weights.items()})
    config = SAETrainerConfig(
        total_training_samples=(setting.steps or NEVER) * 512, train_batch_size_samples=512,
        lr=RATE, lr_end=RATE, lr_warm_up_steps=setting.warm, lr_decay_steps=setting.last,
        device=device, dead_feature_window=NEVER,
    )  # fmt: skip
    trainer = SAETrainer(config, sae, iter(()))

    def update(number: int, x: Tensor) -> None:
        trainer.step(x)
        trainer.n_training_steps += 1

    def weights() -> dict[str, Tensor]:
        length = sae.W_dec.norm(dim=1) if not sparse else sae.W_dec.new_ones(len(sae.W_dec))
        return {"encoder": sae.W_enc * length, "encoder_bias": sae.b_enc * length,
                "decoder": sae.W_dec / length[:, None], "bias": sae.b_dec}  # fmt: skip

    return Trainer(setting, sae, update, weights)


def saelens_sparse(setting: Setting) -> Trainer:
    """The same with sparse activations, which do not run here with rescaled ones."""
    return saelens(setting, sparse=True)


def dictionary_learning(setting: Setting) -> Trainer:
    """`update` of its trainer."""
    from dictionary_learning.trainers import StandardTrainer, TopKTrainer

    start, steps = setting.start, setting.steps
    common = {
        "steps": steps or NEVER, "activation_dim": start.width, "dict_size": start.size,
        "layer": 0, "lm_name": "", "lr": RATE, "warmup_steps": setting.warm,
        "decay_start": steps and steps - setting.last, "device": setting.vectors.device.type,
    }  # fmt: skip
    topk = start.method.name == "topk"
    trainer: Any = (
        TopKTrainer(k=start.k, **common) if topk
        else StandardTrainer(
            l1_penalty=start.sparsity, sparsity_warmup_steps=setting.warm, **common
        )
    )  # fmt: skip
    ae, given = trainer.ae, setting.weights
    bias = ae.b_dec if topk else ae.bias
    with torch.no_grad():
        ae.encoder.weight.copy_(given["encoder"].T)
        ae.encoder.bias.copy_(given["encoder_bias"])
        ae.decoder.weight.copy_(given["decoder"].T)
        bias.copy_(given["bias"])

    def weights() -> dict[str, Tensor]:
        return {"encoder": ae.encoder.weight.T, "encoder_bias": ae.encoder.bias,
                "decoder": ae.decoder.weight.T, "bias": bias}  # fmt: skip

    return Trainer(setting, ae, lambda number, x: trainer.update(number + 1, x), weights)

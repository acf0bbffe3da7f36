"""The rotation alone: swap, backward and Adam step, against torch's default `orthogonal`."""

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import orthogonal

from interleaved import Contender, Row, side_by_side
from symscope.featurizer import Rotation

BATCH = 64
CASES = [(256, 16), (256, 128), (768, 16), (768, 128), (2048, 16), (2048, 128), (256, 256),
         (768, 768), (2048, 2048)]  # fmt: skip


class Setting:
    """Random vectors; the loss is the swapped vectors' product with fixed random ones."""

    def __init__(self, width: int, size: int):
        generator = torch.Generator().manual_seed(0)
        self.base, self.source, self.weights = (
            torch.randn(BATCH, width, generator=generator) for _ in range(3)
        )
        self.rotation = lambda: Rotation(width, size, seed=0)
        # A full swap would put the source in place of the base, and train nothing.
        self.chosen = range(size if size < width else width // 2)

    def contender(self, module: nn.Module, outputs: Callable[[Tensor], Tensor]) -> Contender:
        """The loss is linear, so that its own cost does not count."""
        return Contender(
            outputs, lambda rows: (outputs(rows) * self.weights).mean(), module.parameters()
        )


def symscope(setting: Setting) -> Contender:
    """`Rotation.swap`."""
    rotation = setting.rotation()

    def outputs(_: Tensor) -> Tensor:
        return rotation.swap(setting.base, setting.source, setting.chosen)

    return setting.contender(rotation, outputs)


def default(setting: Setting) -> Contender:
    """torch's `orthogonal` as it comes, read once per step."""
    rotation = setting.rotation()
    linear = orthogonal(nn.Linear(rotation.size, rotation.width, bias=False))
    linear.weight = rotation.axes().detach()
    count, whole = len(setting.chosen), len(setting.chosen) == rotation.size

    def outputs(_: Tensor) -> Tensor:
        axes = linear.weight
        axes = axes if whole else axes[:, :count]
        return setting.base + (setting.source - setting.base) @ axes @ axes.T

    return setting.contender(linear, outputs)


def compare(
    rounds: int, cases: list[tuple[int, int]], peers: dict[str, bool]
) -> Iterator[list[Row]]:
    """All cases; torch is always there."""
    for width, size in cases:
        setting = Setting(width, size)
        builders = {
            "symscope": lambda s=setting: symscope(s),
            "torch": lambda s=setting: default(s),
        }
        case = f"d {width}, " + (f"k {size}" if size < width else "full")
        fewer = max(3, rounds // 4) if width * size >= 2048 * 2048 else rounds
        yield side_by_side("rotation", case, builders, [torch.arange(BATCH)], fewer)

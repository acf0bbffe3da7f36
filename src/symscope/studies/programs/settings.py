"""How each of the 62 networks is trained, and which shape was published for it."""

from dataclasses import dataclass

from symscope.models.real_rnn import Layers
from symscope.tasks import ALGORITHMS
from symscope.tasks.algorithms import EXTRAS
from symscope.train_copies import DEFAULT, Plan

AFFINE = (1, 1)


@dataclass(frozen=True)
class Setting:
    """The state's width, f and g as (hidden width, linear layers), and the plan."""

    width: int
    f: Layers = AFFINE
    g: Layers = AFFINE
    plan: Plan = DEFAULT


def _mlp(width: int, hidden: int, layers: int = 2, steps: int = 6000) -> Setting:
    return Setting(width, (hidden, layers), plan=Plan(steps=steps))


def _affine(width: int, g: Layers = AFFINE) -> Setting:
    """The published shape. In float64: the answers go up to hundreds and errors add up."""
    return Setting(width, g=g, plan=Plan(copies=16, batch=64, rate=5e-3, double=True))


SETTINGS: dict[str, Setting] = {
    "binary_addition": _mlp(2, 32),
    **{f"base_{b}_addition": _mlp(2, 32) for b in range(3, 8)},
    "bitwise_xor": _mlp(1, 16),
    "bitwise_or": _affine(1),
    "bitwise_and": _affine(1),
    "bitwise_not": _affine(1),
    **{f"parity_last{k}": _mlp(k, 32) for k in (2, 3, 4)},
    "parity_all": _mlp(1, 16),
    "parity_zeros": _mlp(1, 16),
    "evens_counter": _mlp(3, 64, steps=10_000),
    "sum_all": _affine(1),
    **{f"sum_last{k}": _affine(k) for k in range(2, 8)},
    "current_number": _affine(1),
    **{f"prev{k}": _affine(k + 1) for k in range(1, 6)},
    "previous_equals_current": _mlp(2, 32),
    "diff_last2": _affine(2),
    "abs_diff": _affine(2, g=(8, 2)),
    "abs_current": _mlp(1, 16),
    "diff_abs_values": _mlp(2, 16, steps=10_000),
    "min_seen": _mlp(2, 64),
    "max_seen": _mlp(2, 64),
    "majority_0_1": _mlp(2, 64),
    "majority_0_2": _mlp(6, 48, 3, steps=10_000),
    "majority_0_3": Setting(6, (32, 2), (96, 3), Plan(steps=20_000, cool=8000)),
    "evens_detector": _mlp(1, 64),
    "perfect_square_detector": _mlp(1, 96),
    "bit_palindrome": _mlp(8, 128, steps=10_000),
    "balanced_parenthesis": _mlp(2, 32),
    "parity_bits_mod2": _affine(1),
    "alternating_last3": _mlp(2, 32),
    "alternating_last4": _mlp(3, 32),
    "bit_shift_right": _affine(2),
    "bit_dot_prod_mod2": _mlp(1, 32),
    "div_3": _mlp(3, 64, steps=10_000),
    "div_5": _mlp(6, 96, steps=10_000),
    "div_7": _mlp(6, 96, steps=10_000),
    "add_mod_3": _mlp(1, 64),
    "add_mod_4": _mlp(2, 64),
    "add_mod_5": _mlp(2, 64),
    "add_mod_6": _mlp(2, 64, steps=10_000),
    "add_mod_7": _mlp(2, 96, steps=10_000),
    "add_mod_8": _mlp(2, 128, steps=10_000),
    "dithering": Setting(8, (128, 2), plan=Plan(steps=12_000, cool=8000)),
    "newton_freebody": _affine(2),
    "newton_gravity": _affine(2),
    "newton_spring": _affine(2),
    "newton_magnetic": _affine(4),
}
assert list(SETTINGS) == list(ALGORITHMS)

MORE: dict[str, Setting] = {
    **{f"div_{m}_now": SETTINGS[f"div_{m}"] for m in (3, 5, 7)},
    "add_mod_11": _mlp(2, 128, steps=10_000),
    "parity_last5": _mlp(5, 64),
    "max_last2": _mlp(2, 64),
    "rises": _mlp(3, 64),
    "toggle_at_3": _mlp(2, 64),
    "clipped_sum": _mlp(2, 64),
    "second_largest": _mlp(3, 64),
    "longest_run": _mlp(4, 64, steps=10_000),
    "same_as_first": _mlp(4, 64, steps=10_000),
}
"""The same for tasks outside the 62."""
assert list(MORE) == list(EXTRAS)

CELLS = {"gru": "real_gru", "elman": "real_elman"}
CELL_WIDTH = 24
CELL_TASKS = (
    "parity_all", "binary_addition", "base_3_addition", "div_3", "prev2", "max_seen", "add_mod_4",
    "balanced_parenthesis", "majority_0_1",
)  # fmt: skip
"""Tasks that GRUs and Elman networks are trained on too: are the routes for MLPs alone?"""


def setting_of(name: str) -> Setting:
    """How the task of that name is trained."""
    return SETTINGS[name] if name in SETTINGS else MORE[name]


def cost(name: str) -> float:
    """A measure of how long the training can take, to do the short ones first."""
    setting = setting_of(name)
    return setting.plan.steps * setting.f[0]

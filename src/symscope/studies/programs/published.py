"""What was published on the 62 tasks (Michaud, Liao, Tegmark et al., 2024, arXiv 2402.05110)."""

from symscope.models.real_rnn import Layers

SOLVED = (
    "binary_addition", "bitwise_xor", "bitwise_or", "bitwise_and", "bitwise_not", "parity_last2",
    "parity_last3", "parity_all", "parity_zeros", "sum_all",
    *(f"sum_last{k}" for k in range(2, 8)), "current_number", *(f"prev{k}" for k in range(1, 6)),
    "previous_equals_current", "diff_last2", "abs_diff", "abs_current", "bit_shift_right",
    "bit_dot_prod_mod2", "add_mod_3", "newton_freebody", "newton_gravity", "newton_spring",
)  # fmt: skip
"""By their own system, MIPS (Table 1)."""

BY_GPT = (
    "base_6_addition", "bitwise_xor", "bitwise_or", "bitwise_and", "bitwise_not", "parity_last2",
    "sum_all", *(f"sum_last{k}" for k in range(4, 8)), "current_number",
    *(f"prev{k}" for k in range(1, 6)), "abs_current", "diff_abs_values", "min_seen", "max_seen",
    "majority_0_1", "evens_detector", "bit_palindrome", "parity_bits_mod2", "alternating_last4",
    "bit_shift_right", "div_3", "add_mod_3", "dithering",
)  # fmt: skip
"""By GPT-4 Turbo, as the authors counted: one of three scripts printed the word "success".

From their repository, github.com/ejmichaud/neural-verification, commit cce9238,
`gpt4/task_results.csv`; `gpt4/run_extracted_code.py` is how they counted. The totals are those of
the paper: 30, of which 11 were not solved by MIPS, and 13 of MIPS's not by it.
"""

GPT_RIGHT = 15
"""How many of these tasks have a script that is right on fresh inputs too: counted once, by running
the published scripts; nothing here repeats that."""

AFFINE = (1, 1)
SHAPES: dict[str, tuple[int, Layers, Layers]] = {
    "sum_all": (1, AFFINE, AFFINE),
    **{f"sum_last{k}": (k, AFFINE, AFFINE) for k in range(2, 8)},
    **{f"prev{k}": (k + 1, AFFINE, AFFINE) for k in range(1, 6)},
    "newton_magnetic": (4, AFFINE, AFFINE),
}
"""The smallest networks: the width of the state, and f and g as (hidden width, layers)."""
assert len(SOLVED) == 32 and len(BY_GPT) == 30 and len(set(SOLVED) - set(BY_GPT)) == 13

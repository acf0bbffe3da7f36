"""What was published: the tasks that MIPS solved (Michaud, Liao, Tegmark et al., 2024, Table 1)."""

SOLVED = (
    "binary_addition", "bitwise_xor", "bitwise_or", "bitwise_and", "bitwise_not", "parity_last2",
    "parity_last3", "parity_all", "parity_zeros", "sum_all",
    *(f"sum_last{k}" for k in range(2, 8)), "current_number", *(f"prev{k}" for k in range(1, 6)),
    "previous_equals_current", "diff_last2", "abs_diff", "abs_current", "bit_shift_right",
    "bit_dot_prod_mod2", "add_mod_3", "newton_freebody", "newton_gravity", "newton_spring",
)  # fmt: skip
assert len(SOLVED) == 32

"""Where does a computation happen?"""

from symscope.localize.attention import edit_shifts_the_end, with_extra_pair

__all__ = ["edit_shifts_the_end", "with_extra_pair"]

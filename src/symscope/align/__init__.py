"""Is it there? Distributed alignment search, agreement (IIA), and the controls of both."""

from symscope.align.agreement import agreement
from symscope.align.copies import copies
from symscope.align.das import fit
from symscope.align.descend import Search
from symscope.align.examine import examine, require_gate, unchanged
from symscope.align.swap import Swap
from symscope.alignment import blocks

__all__ = [
    "Search",
    "Swap",
    "agreement",
    "blocks",
    "copies",
    "examine",
    "fit",
    "require_gate",
    "unchanged",
]

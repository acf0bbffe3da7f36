"""Which program did this network learn, where does it keep its variables, is that really so?"""

from importlib.metadata import PackageNotFoundError, version

from symscope.align import Search, agreement, blocks, examine, fit, require_gate, unchanged
from symscope.alignment import Alignment, Handle
from symscope.causal_model import CausalModel, Run, UnknownName, interchange
from symscope.evidence import (
    ClaimFailed,
    ComputationFailed,
    Counterexample,
    Evidence,
    Proof,
    SymscopeError,
    Unknown,
    read_evidence,
    write_evidence,
)
from symscope.featurizer import PCA, Featurizer, Identity, Linear, Mask, Rotation
from symscope.layout import Layout
from symscope.network import Network
from symscope.program import Program, Variable
from symscope.site import Site
from symscope.task import Pairs, Task
from symscope.verify import Domain, equivalent

try:
    __version__ = version("symscope")
except PackageNotFoundError:  # a source tree on the path, not installed
    __version__ = "unknown"

__all__ = [
    "PCA",
    "Alignment",
    "CausalModel",
    "ClaimFailed",
    "ComputationFailed",
    "Counterexample",
    "Domain",
    "Evidence",
    "Featurizer",
    "Handle",
    "Identity",
    "Layout",
    "Linear",
    "Mask",
    "Network",
    "Pairs",
    "Program",
    "Proof",
    "Rotation",
    "Run",
    "Search",
    "Site",
    "SymscopeError",
    "Task",
    "Unknown",
    "UnknownName",
    "Variable",
    "__version__",
    "agreement",
    "blocks",
    "equivalent",
    "examine",
    "fit",
    "interchange",
    "read_evidence",
    "require_gate",
    "unchanged",
    "write_evidence",
]

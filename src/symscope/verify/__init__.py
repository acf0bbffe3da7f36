"""Always? Whether two programs are the same function: a proof, a counterexample, or neither."""

from symscope.verify.domain import Domain
from symscope.verify.equivalent import equivalent

__all__ = ["Domain", "equivalent"]

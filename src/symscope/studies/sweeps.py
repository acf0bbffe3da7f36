"""What can be swept: of each study its units of work, as the stages that lead to them."""

from collections.abc import Mapping

from symscope.studies.binding import sweep as binding
from symscope.studies.dictionaries import sweep as dictionaries
from symscope.studies.geometry import sweep as geometry
from symscope.studies.heuristics import sweep as heuristics
from symscope.studies.hypernetworks import sweep as hypernetworks
from symscope.studies.numbers import sweep as numbers
from symscope.studies.programs import sweep as programs
from symscope.studies.truth import sweep as truth
from symscope.sweep import Stage


def _after(*stages: Stage) -> dict[str, tuple[Stage, ...]]:
    """The first stage alone, and each other one after it, under their names."""
    first, *others = stages
    return {s.__name__: (first, s) for s in others} | {first.__name__: (first,)}


UNITS: Mapping[str, Mapping[str, tuple[Stage, ...]]] = {
    "numbers": _after(numbers.train, numbers.align, numbers.extract, numbers.dictionary),
    "programs": _after(programs.train, programs.extract),
    "binding": _after(binding.train, binding.patch),
    "heuristics": _after(heuristics.train, heuristics.patch, heuristics.match),
    "geometry": _after(geometry.train, geometry.circles, geometry.dictionary),
    "hypernetworks": _after(hypernetworks.train, hypernetworks.read),
    "dictionaries": _after(dictionaries.fit),
    "truth": _after(truth.judge),
}
"""Study → unit of work → its stages; the first unit is the one without `--unit`."""

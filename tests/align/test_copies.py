"""A variable stored more than once is reported as stored, not as absent."""

import pytest

from symscope.align.accept import verdict
from symscope.align.copies import copies
from symscope.align.descend import Search
from symscope.alignment import blocks
from symscope.evidence import SymscopeError
from symscope.featurizer import Rotation
from symscope.models.compiled import plant
from symscope.models.compiled.attention import vote
from symscope.site import Site

SEARCH = Search(steps=120, more=60, most=120, batch=64, rate=0.03)
COUNTS = {"fit": 600, "validation": 150, "test": 150}


@pytest.fixture(scope="module")
def redundant():
    planted = plant(vote(), noise=2, seed=1)
    rule = planted.task.program
    pairs = {s: planted.task.pairs(rule, ("bit",), n, 0, s) for s, n in COUNTS.items()}
    return planted, list(planted.decoys.values()), pairs


def test_two_copies_of_three_do_together_what_neither_does_alone(redundant):
    planted, claims, pairs = redundant
    found, evidence = copies(planted.network, claims[:2], pairs, planted.task.program, SEARCH)
    alone = [value for name, value in evidence.controls.items() if name.startswith("alone")]
    assert len(alone) == len(found) == 2 and max(alone) < 0.8
    assert evidence.score > 0.95 and verdict(evidence).word == "found"
    assert evidence.controls["permuted_sources"] < 0.9
    assert evidence.config["sites"] == ["blocks.0 @ 1", "blocks.0 @ 2"]


def test_a_copy_and_a_place_without_one_are_no_redundancy(redundant):
    planted, claims, pairs = redundant
    width = claims[0]["bit"].featurizer.width
    gone_by = Site("blocks.0", position=0)  # where the bit was read from, one block before
    start = blocks("vote", gone_by, Rotation(width, 1), {"bit": 1})
    _, evidence = copies(planted.network, [claims[0], start], pairs, planted.task.program, SEARCH)
    assert verdict(evidence).word != "found"


def test_claims_that_are_no_copies_are_refused(redundant):
    planted, claims, pairs = redundant
    with pytest.raises(SymscopeError, match="two or more claims about one variable"):
        copies(planted.network, claims[:1], pairs, planted.task.program, SEARCH)
    with pytest.raises(SymscopeError, match="one subspace: claim more dimensions"):
        copies(planted.network, [claims[0]] * 2, pairs, planted.task.program, SEARCH)

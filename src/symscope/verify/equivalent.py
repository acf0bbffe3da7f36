"""Are two programs the same function? The routes to an answer, the cheapest first."""

import time
from dataclasses import replace

from symscope.evidence import Counterexample, Unknown
from symscope.program import Program
from symscope.programs.joined import answered
from symscope.verify.affine import affine
from symscope.verify.bounded import bounded, short_bounded
from symscope.verify.domain import Domain
from symscope.verify.exhaustive import exhaustive
from symscope.verify.induction import induction
from symscope.verify.pair import Answer, Pair
from symscope.verify.product import product, small_product
from symscope.verify.sampling import sampled
from symscope.verify.shortest import shortest

ROUTES = (
    (affine, 0.1),
    (sampled, 0.2),
    (small_product, 0.1),
    (exhaustive, 0.3),
    (short_bounded, 0.05),
    (induction, 0.6),
    (product, 0.5),
    (bounded, 1.0),
)
"""Each with the share that it may take of the time that is left when it begins."""


def equivalent(
    program: Program,
    rule: Program,
    domain: Domain | None = None,
    *,
    seconds: float = 60.0,
    seed: int = 0,
) -> Answer:
    """A `Proof` that `program` gives what `rule` gives, a `Counterexample`, or `Unknown`.

    On the rule's input ranges and sequences of any length, if no `domain` is given; inputs are
    matched by position. Where the domain says what is legal, both are compared there alone, and
    counterexamples are legal. True is 1 and False is 0; `x // 0` is 0. `seed` draws the tests and
    the runs from which relations are guessed. Raises `SymscopeError` where z3 is needed and not
    there.

    >>> from symscope.program import Variable
    >>> bit, odd = (Variable("bit", 0, 1),), (Variable("odd", 0, 1),)
    >>> flips = Program("flips", bit, odd, {"odd": "odd ^ bit"}, "odd", start={"odd": 0})
    >>> ones = Program("ones", bit, (), {}, "total(bit) % 2")
    >>> print(equivalent(flips, ones))
    proved for all lengths: flips equals ones (bit 0..1; 1-induction)
    """
    began = time.monotonic()
    domain = domain or Domain(rule.inputs)
    if (legal := domain.legal) is not None:
        program, rule = (answered(one, legal, otherwise=0) for one in (program, rule))
    pair = Pair(program, rule, domain)
    answers: list[Unknown] = []
    for route, share in ROUTES:
        left = began + seconds - time.monotonic()
        answer = route(pair, time.monotonic() + share * left, seed)
        if isinstance(answer, Counterexample):
            answer = shortest(pair, answer, began + seconds)
        if not isinstance(answer, Unknown):
            return replace(answer, seconds=time.monotonic() - began)
        answers.append(answer)
    return Unknown(
        pair.statement,
        str(pair.domain),
        tuple(told for answer in answers for told in answer.tried),
        max(answer.cases for answer in answers),
        time.monotonic() - began,
        max(answer.length for answer in answers),
    )

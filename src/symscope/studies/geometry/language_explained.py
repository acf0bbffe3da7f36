"""Of which functions of start and duration is the state made from which the answer is read?

After Engels, Liao et al. (ICLR 2025, section 6), at the last token, layer by layer.
"""

from collections.abc import Mapping
from dataclasses import replace

from torch import Tensor
from torch.nn.functional import one_hot

from symscope.evidence import Evidence
from symscope.features.geometry import candidates, circles, explained_by, explanation

MOST = 6
"""Groups that the automatic explanation may have."""


def published_groups(name: str, first: Tensor, second: Tensor, period: int) -> dict[str, Tensor]:
    """The published words of an explanation in their order, name → columns (prompt, column).

    Starts count from 0 and durations from 1. The constant that comes first there is part of every
    regression here.
    """
    total = first + second
    answer = total % period
    start, one = one_hot(first, period).double(), (second == 1).double()[:, None]
    groups = {
        "table of a": start, "table of b": one_hot(second - 1, period).double(),
        "table of a where b = 1": start * one, "circle of c": circles(answer, period),
        "circle of a − b": circles(first - second, period),
    }  # fmt: skip
    if name == "months":
        groups |= {
            "parity of c": (1 - 2 * (answer % 2)).double()[:, None],
            "circle of 2c": circles(answer, period, (2,)),
            "a + 1 = b": (first + 1 == second).double()[:, None],
            "table of a + b": one_hot(total - int(total.min())).double(),
        }
    return groups


def published_claims(
    states: Tensor, groups: Mapping[str, Tensor], answers: Tensor, claim: str, seed: int
) -> list[Evidence]:
    """r² of the published words together; the table has it as they are added one by one.

    Each line of `config["table"]` is r² as published, r² on prompts left out, and the latter for as
    many random functions of the answer.
    """
    table, chosen = {}, dict[str, Tensor]()
    for group, columns in groups.items():
        chosen[group] = columns
        found = explained_by(states, chosen, answers, claim, seed=seed)
        assert found.score is not None
        table[group] = [found.controls["in_sample"], found.score, found.controls["random"]]
    config = {**found.config, "table": table}
    return [replace(found, config=config)]


def automatic_claims(
    states: Tensor, first: Tensor, second: Tensor, period: int, claim: str, seed: int
) -> list[Evidence]:  # fmt: skip
    """Words chosen one by one out of all candidates, each by what it adds on prompts left out.

    One record, that of all that were chosen; `config["table"]` has r² with each group added, what
    it gains, and what random functions of the answer gain. None where nothing is explained.
    """
    words = candidates(first, second, period)
    answers = (first + second) % period
    found = explanation(states, words, answers, most=MOST, seed=seed)
    if not found:
        return [Evidence(claim, None, None, None, len(states), "held-out r²", seeds=[seed],
                         note="no candidate explains more than random functions do")]  # fmt: skip
    table = {one.config["group"]: [one.score, one.config["gain"], one.controls["random_gain"]]
             for one in found}  # fmt: skip
    config = {"table": table, "columns": sum(one.config["columns"] for one in found)}
    return [replace(found[-1], claim=claim, seconds=sum(one.seconds for one in found),
                    config=config)]  # fmt: skip


def explained_claims(
    states: Mapping[int, Tensor], name: str, operands: tuple[Tensor, Tensor], period: int,
    claim: str, seed: int,
) -> list[Evidence]:  # fmt: skip
    """Both explanations of each layer's states at the last token, (prompt, width)."""
    first, second = operands
    groups, answers = published_groups(name, first, second, period), (first + second) % period
    found = []
    for layer, vectors in states.items():
        found += published_claims(vectors, groups, answers, f"{claim}.explained.layer_{layer}",
                                  seed)  # fmt: skip
        found += automatic_claims(vectors, first, second, period,
                                  f"{claim}.explanation.layer_{layer}", seed)  # fmt: skip
    return found

"""Do the shallow rules live on in the network that follows chains?

Two tests. Where line 1's digit is changed though it is not the root, a network that has forgotten
the rule is not moved towards the new digit. And where the root is on line 1, the value is patched
where the circuit carries it, at the second token of the chain: if the answer does not follow as
it does for later roots, another way from line 1 to the answer is in use.
"""

import torch

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize import logit_shift, success
from symscope.network import Network
from symscope.studies.binding.mechanism import role_map, roles_of, usable_pairs
from symscope.tasks.binding import Binding


@torch.no_grad()
def pull_of_line_one(network: Network, task: Binding, count: int, name: str, seed: int) -> Evidence:
    """How much changing line 1's digit, off the chain, raises the new digit's logit.

    Control: the same of a digit on another line off the chain. Score: the share of answers that
    become the new digit; the mean Δ stands in the config.
    """
    pairs = task.counterfactuals("distractor", count, seed + 400, earliest_root=1)
    base, changed = network.run(pairs.base).output[:, -1], network.run(pairs.source).output[:, -1]
    rows = torch.arange(len(pairs))
    new = pairs.source[rows, pairs.source_step]
    shift, moved = logit_shift(changed, base, new).detach(), success(changed, new)
    first = pairs.base_step == 2
    fresh = new != pairs.labels["answer.base"]
    on, off = first & fresh, ~first & fresh
    if min(int(on.sum()), int(off.sum())) < 2:
        raise SymscopeError(f"{int(on.sum())} of {len(pairs)} pairs change line 1's digit: too few")
    low, high = wilson(int(moved[on].sum()), int(on.sum()))
    means = {
        "shift": float(shift[on].mean()),
        "shift_elsewhere": float(shift[off].mean()),
        "spread": float(shift[on].std()),
        "spread_elsewhere": float(shift[off].std()),
    }
    score = float(moved[on].float().mean())
    return Evidence(f"{name}.persistence.pull_of_line_1", score, low, high, int(on.sum()),
                    "share of answers that follow line 1",
                    {"a digit of another line": float(moved[off].float().mean())}, [seed],
                    config=means, note="Wilson interval, one seed")  # fmt: skip


def circuit_in_use(
    network: Network, task: Binding, count: int, layers: int, name: str, seed: int
) -> list[Evidence]:
    """Success of patching the second token of two-hop chains, by the root's line."""
    records, block = [], None
    for line, word in ((2, "later"), (0, "1"), (1, "2")):
        try:
            pairs = usable_pairs(network, task, "root", 2, 4 * count, seed + 500 + line,
                                 earliest_root=line)  # fmt: skip
            root = pairs.labels["root_line"]
            rows = (root >= 2) if word == "later" else (root == line)
            if not bool(rows.any()):
                raise SymscopeError(f"of {len(pairs)} pairs none has its root on line {word}")
        except SymscopeError as error:
            records.append(Evidence(f"{name}.persistence.circuit.root_{word}", None, None, None, 0,
                                    seeds=[seed], note=str(error)))  # fmt: skip
            continue
        pairs = pairs[rows.nonzero()[:count, 0]]
        found = role_map(network, pairs, roles_of(task, pairs.base, 2), layers)
        if block is None:
            block = int(found.right["right 2"].float().mean(1).argmax())
        right = found.right["right 2"][block]
        direct = found.right["right 1"]
        low, high = wilson(int(right.sum()), len(right))
        natural = success(network.run(pairs.base).output[:, -1], found.expected)
        records.append(
            Evidence(
                f"{name}.persistence.circuit.root_{word}", float(right.float().mean()), low, high,
                len(right), "success", {"nothing patched": float(natural.float().mean())}, [seed],
                config={"block": block + 1, "success": found.success("right 2"),
                        "at_the_root": direct.float().mean(1).tolist(),
                        "at_the_colon": found.success("colon")},
                note="block: best for later roots; Wilson interval, one seed",
            )
        )  # fmt: skip
    return records

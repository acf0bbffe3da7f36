"""Is the chain program what the network runs? Each hop's value and name, searched for by DAS.

A value is looked for at the right-hand token of its line, a name where it is read. The layer is the
one at which swapping the whole vector does most on pairs that score nothing; then `align.examine`
searches there, with all its controls, and the acceptance rule says whether it is found.
"""

from dataclasses import replace

import torch

from symscope.align import Search, Swap, blocks, examine
from symscope.evidence import Evidence, SymscopeError
from symscope.featurizer import Rotation
from symscope.network import Network
from symscope.studies.binding.subspaces import network_width, stream
from symscope.tasks.binding import Binding

BATCH = 256
WRONG = (("first_wins", "value_1"), ("query_time", "value_2"), ("first_line", "constant"))
LOOKED_AT = 300


def variables(hops: int) -> list[tuple[str, str]]:
    """(program, variable): the chain's values and names by hop, then those of wrong programs."""
    right = [("chain", f"{kind}_{h}") for h in range(1, hops + 1) for kind in ("value", "name")]
    return [*right, *WRONG]


def hop_claims(
    network: Network, untrained: Network, task: Binding, fits: int, steps: int, layers: int,
    name: str, seed: int,
) -> list[Evidence]:  # fmt: skip  # eight: what is asked of one network
    """The evidence of every claim; one that has no pairs is not analysed and says so."""
    search = Search(steps=steps, most=2 * steps, more=max(1, steps // 2), batch=BATCH)
    counts = {"fit": fits, "validation": fits // 4, "test": fits // 4}
    records = []
    for program, variable in variables(task.hops):
        claim = f"{name}.{program}.{variable}.iia"
        size = task.digits if variable.startswith(("value", "constant")) else task.letters
        try:
            layer, shares = _layer(network, task, program, variable, layers, seed, fits)
            width = network_width(network)
            start = blocks(program, stream(layer), Rotation(width, size, seed), {variable: size})
            _, evidence = examine(network, task, start, untrained, search, seed, counts)
        except SymscopeError as error:
            records.append(Evidence(claim, None, None, None, 0, seeds=[seed], note=str(error)))
            continue
        config = {**evidence.config, "block": layer + 1, "full_swap_by_block": shares}
        records.append(replace(evidence, claim=claim, config=config))
    return records


def _layer(
    network: Network, task: Binding, program: str, variable: str, layers: int, seed: int,
    fits: int,
) -> tuple[int, list[float]]:  # fmt: skip
    """Where swapping the whole vector does most, and the share by block."""
    hypothesis = task.hypothesis(program)
    count = min(LOOKED_AT, fits)
    pairs = task.pairs(hypothesis, (variable,), count, seed + 50, "validation")
    shares = []
    for layer in range(layers):
        swap = Swap(network, stream(layer), pairs)
        shares.append(float(swap.right_with(swap.source).float().mean()))
    return int(torch.tensor(shares).argmax()), shares

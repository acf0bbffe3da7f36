"""Several variables in disjoint blocks of one rotation, and a block that belongs to none."""

import time
from dataclasses import replace

import torch
from torch import Tensor

from symscope.align.agreement import agreement
from symscope.align.das import NULL, coordinates, fit
from symscope.align.descend import DEFAULT, Search
from symscope.align.examine import draw
from symscope.align.swap import swaps
from symscope.alignment import Alignment, blocks
from symscope.evidence import Evidence, wilson
from symscope.featurizer import Rotation
from symscope.network import Network
from symscope.programs.counting import ANY
from symscope.site import Site
from symscope.tasks.numbers import D1, EOS, PAD, Counting, R, T

SETS: tuple[tuple[str, ...], ...] = (("count",), ("phase",), ("count", "phase"), ())
_SHARES = {"count": 0.5, "phase": 0.2}


def together(
    network: Network,
    task: Counting,
    site: Site,
    search: Search = DEFAULT,
    seed: int = 0,
) -> list[Evidence]:
    """Count and Phase of Up-Down fitted in one rotation, half and a fifth of it, the rest null.

    Claims: each variable, both at once, the null block (whose swap shall change nothing), and
    Phase flipped two and four times in one sequence.
    """
    began = time.monotonic()
    ready = {names: swaps(network, site, draw(task, "up_down", names, seed)) for names in SETS}
    width = ready["count",].test.width
    sizes = {name: int(share * width) for name, share in _SHARES.items()}
    sizes[NULL] = width - sum(sizes.values())
    rotation = Rotation(width, width, seed).to(ready["count",].test.source)
    start = blocks("up_down", site, rotation, sizes)
    found = fit(
        start, [s.fit for s in ready.values()], [s.validation for s in ready.values()], search, seed
    )
    seconds = time.monotonic() - began
    records = []
    for names, swap in ((n, s.test) for n, s in ready.items()):
        before = agreement(start, swap).score or 0.0
        no_op = float(swap.right_with(swap.base).float().mean())
        controls = {"no_op": no_op, "untrained_rotation": before}
        claim = f"{'_'.join(names) or NULL}_together.iia"
        record = agreement(found, swap, claim, controls, seed)
        sized = {"size": len(coordinates(found, swap)), "width": width}
        records.append(replace(record, seconds=seconds, config=dict(record.config) | sized))
    return [*records, *(flipped(network, task, found, times, seed) for times in (2, 4))]


def flipped(
    network: Network, task: Counting, alignment: Alignment, times: int, seed: int = 0
) -> Evidence:
    """Phase swapped `times` times in one sequence, to 1 and back, each time from a new source."""
    generator = torch.Generator().manual_seed(seed + 900)
    count, handle = 500, alignment["phase"]
    tokens, steps = _flipping_sequences(task, count, times, generator)
    edits = {
        ("phase", tuple(s.tolist())): (lambda _, i=i: (i + 1) % 2) for i, s in enumerate(steps)
    }
    target = task.program.run(tokens, do=edits).output
    over = (tokens == EOS) | (tokens == PAD)
    scored = (target != ANY) & ~over & (torch.arange(tokens.shape[1]) >= steps[0][:, None])
    do = {}
    for i, step in enumerate(steps):
        source, at = _sources(task, (i + 1) % 2, count, generator)
        place = handle.site.at(at)
        donor = network.run(source.to(network.device), read=[place]).values[place]
        do[handle.site.at(step)] = lambda base, donor=donor: handle.featurizer.swap(
            base, donor, handle.coordinates
        )

    def right(output: Tensor) -> Tensor:
        return ((output.argmax(-1).cpu() == target) | ~scored).all(1)

    with torch.no_grad():
        tokens = tokens.to(network.device)
        won, still = right(network.run(tokens, do=do).output), right(network.run(tokens).output)
    low, high = wilson(int(won.sum()), count)
    controls = {"no_op": float(still.float().mean())}
    return Evidence(
        f"phase_flipped_{times}_times.iia",
        float(won.float().mean()),
        low,
        high,
        count,
        controls=controls,
        seeds=[seed],
    )


def _flipping_sequences(
    task: Counting, count: int, times: int, generator: torch.Generator
) -> tuple[Tensor, list[Tensor]]:
    """Demo items, answers while Phase is 1, demo items again while it is 0, T, what is left."""

    def draw_up_to(most: int) -> list[int]:
        return torch.randint(1, most + 1, (count,), generator=generator).tolist()

    demo = R if task.kind == "same" else D1
    first, answers, more = draw_up_to(6), draw_up_to(3), draw_up_to(3)
    rows, steps = [], []
    for q, j, k in zip(first, answers, more, strict=True):
        row, at, left = [1, *[demo] * (q + 3)], [], q + 3
        for _ in range(times // 2):
            at.append(len(row) - 1)
            row += [R] * j
            at.append(len(row) - 1)
            row += [demo] * k
            left += k - j
        rows.append([*row, T, *[R] * left, EOS])
        steps.append(at)
    length = max(map(len, rows))
    tokens = torch.tensor([row + [PAD] * (length - len(row)) for row in rows])
    return tokens, list(torch.tensor(steps).T)


def _sources(
    task: Counting, phase: int, count: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Sequences and a step of each that is in the phase asked for, BOS and EOS excepted."""
    tokens = task.sample(count, generator, training=False)
    turn, end = (tokens == T).int().argmax(1), (tokens == EOS).int().argmax(1)
    low, high = (turn, end) if phase else (torch.ones_like(turn), turn)
    step = low + (torch.rand(count, generator=generator) * (high - low)).long()
    return tokens, step

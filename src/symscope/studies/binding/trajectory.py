"""What a network answers, checkpoint by checkpoint: accuracy by attribute, rules, phases."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from symscope.evidence import Evidence, SymscopeError, wilson
from symscope.localize.phases import Phase, explained, onset, plateaus
from symscope.models.load import fill, load_weights
from symscope.models.transformer import Transformer
from symscope.studies.binding.settings import Preset
from symscope.tasks.binding import Binding
from symscope.tasks.binding.rules import floors, shallow
from symscope.train_answers import answers, checkpoints_in

NAMES = ("random digit", "shallow heuristics", "general")
LEARNT = 0.9


def at_checkpoint(preset: Preset, path: Path) -> Transformer:
    """The network with the weights that were kept there."""
    module = preset.network(0)
    fill(module, load_weights(path), path)
    return module.eval()


@dataclass(frozen=True)
class Course:
    """Answers (checkpoint, program) on fixed test programs, at the steps of the checkpoints."""

    task: Binding
    steps: Sequence[int]
    tokens: Tensor
    found: Tensor

    @property
    def right(self) -> Tensor:
        """Whether each answer is right, (checkpoint, program)."""
        return self.found == self.task.trace(self.tokens).answer

    @property
    def accuracy(self) -> list[float]:
        """By checkpoint."""
        return self.right.float().mean(1).tolist()

    def phases(self) -> list[Phase]:
        """The three plateaus of the accuracy."""
        return plateaus(self.steps, self.accuracy)


def course(preset: Preset, folder: Path) -> Course:
    """The answers at all checkpoints of a training, on programs that it cannot have seen."""
    tokens = preset.task.drawn(preset.tested, torch.Generator().manual_seed(17), "test")
    kept = checkpoints_in(folder)
    found = [answers(at_checkpoint(preset, path), tokens) for path in kept.values()]
    return Course(preset.task, list(kept), tokens, torch.stack(found))


def attributes(task: Binding, tokens: Tensor) -> dict[str, dict[str, Tensor]]:
    """Attribute → value → which programs have it, (program,)."""
    run = task.trace(tokens)
    root = run.root_line.clamp(max=2)
    return {
        "hops": {str(d): run.hops == d for d in range(1, task.hops + 1)},
        "root on": {n: root == i for i, n in enumerate(("line 1", "line 2", "a later line"))},
        "a name of the chain is bound again": {"no": ~run.reassigned, "yes": run.reassigned},
        "chains in the program": {
            str(b): run.branches == b for b in run.branches.unique().tolist()
        },
    }  # fmt: skip


def breakdown(found: Course) -> dict[str, dict[str, list[list[int]]]]:
    """Attribute → value → [right, n] at each checkpoint."""
    right = found.right
    return {
        attribute: {
            value: [[int(now[rows].sum()), int(rows.sum())] for now in right]
            for value, rows in values.items() if bool(rows.any())
        }
        for attribute, values in attributes(found.task, found.tokens).items()
    }  # fmt: skip


def shares(found: Course) -> dict[str, list[float]]:
    """How often the answer equals that of a shallow rule, is a digit that occurs, or a digit."""
    task, rules = found.task, shallow(found.tokens, found.task.alphabet)
    run = task.trace(found.tokens)
    named = {name: found.found == answer for name, answer in rules.items()}
    digits = torch.where(run.parent < 0, run.right, -1)
    present = (found.found[:, :, None] == digits).any(2)
    named |= {"some digit of the program": present, "any digit": found.found < task.digits}
    named = {"the right one": found.right} | named
    return {name: value.float().mean(1).tolist() for name, value in named.items()}


def confusion(found: Course, checkpoint: int = -1) -> list[list[int]]:
    """How often each digit (row: right) was answered by each digit (column); others not counted."""
    answer, digits = found.task.trace(found.tokens).answer, found.task.digits
    now = found.found[checkpoint]
    inside = now < digits
    cells = torch.bincount(answer[inside] * digits + now[inside], minlength=digits**2)
    return cells.view(digits, digits).tolist()


def claims(found: Course, name: str, seed: int) -> list[Evidence]:
    """Accuracy at the end by depth and by line of the root, beside the rules; and the phases."""
    right, controls = found.right[-1], floors(found.tokens, found.task.alphabet)
    controls["untrained"] = float(found.right[0].float().mean())
    course_config = {"steps": list(found.steps), "accuracy": found.accuracy,
                     "shares": shares(found), "confusion": confusion(found)}  # fmt: skip
    records = [_share(f"{name}.accuracy", right, controls, seed, course_config)]
    for attribute, values in attributes(found.task, found.tokens).items():
        for value, rows in values.items():
            if not bool(rows.any()):
                continue
            rules = shallow(found.tokens[rows], found.task.alphabet)
            answer = found.task.trace(found.tokens[rows]).answer
            own = {k: float((v == answer).float().mean()) for k, v in rules.items()}
            claim = f"{name}.accuracy.{_word(attribute)}.{_word(value)}"
            curve = found.right[:, rows].float().mean(1).tolist()
            config = {"accuracy": curve, "learnt": onset(found.steps, curve, LEARNT)}
            records.append(_share(claim, right[rows], own, seed, config))
    try:
        return [*records, *phase_claims(found, name, seed)]
    except SymscopeError as error:  # too few checkpoints, in a training that was cut short
        none = Evidence(f"{name}.phase", None, None, None, 0, seeds=[seed], note=str(error))
        return [*records, none]


def phase_claims(found: Course, name: str, seed: int) -> list[Evidence]:
    """Each plateau's accuracy, with the first and last step on it; controls: fewer plateaus."""
    accuracy, n = found.accuracy, len(found.tokens)
    fits = {f"{k}_plateaus_explain": explained(accuracy, k) for k in (1, 2, 3, 4)}
    records = []
    for word, phase in zip(("random", "shallow", "general"), found.phases(), strict=True):
        low, high = wilson(round(phase.level * n), n)
        config = {"first": phase.first, "last": phase.last}
        floors_now = floors(found.tokens, found.task.alphabet)
        records.append(
            Evidence(f"{name}.phase.{word}", phase.level, low, high, n, unit="accuracy",
                     controls=fits | floors_now, seeds=[seed], config=config,
                     note="the median of a plateau; Wilson interval, one seed")
        )  # fmt: skip
    return records


def crossed(found: Course) -> int | None:
    """The first step from which more is right than shallow rules can give; None if there is none.

    The best of them is no rule but a bound: the digit of line 1 or of line 2, whichever is right.
    """
    bound = max(floors(found.tokens, found.task.alphabet).values())
    return onset(found.steps, found.accuracy, bound)


def _share(
    claim: str, right: Tensor, controls: Mapping[str, float], seed: int, config: Mapping[str, Any]
) -> Evidence:
    low, high = wilson(int(right.sum()), len(right))
    return Evidence(claim, float(right.float().mean()), low, high, len(right), unit="accuracy",
                    controls=dict(controls), seeds=[seed], config=config,
                    note="Wilson interval, one seed")  # fmt: skip


def _word(text: str) -> str:
    return text.replace(" ", "_")

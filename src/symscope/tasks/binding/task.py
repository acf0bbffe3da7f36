"""The task of Wu, Geiger & Millière (2025): follow a chain of assignments to its digit."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import torch
from torch import Tensor

from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.program import Program
from symscope.programs import binding as programs
from symscope.task import IGNORE, Pairs, Task, joined
from symscope.tasks.binding.alphabet import Alphabet, right_at
from symscope.tasks.binding.counterfactuals import NoPair, counterfactual
from symscope.tasks.binding.draw import Rule, balanced_by, draw
from symscope.tasks.binding.rules import floors
from symscope.tasks.binding.text import parsed, shown
from symscope.tasks.binding.trace import Trace, trace

SPLITS = {"train": range(900), "validation": range(900, 902), "test": range(902, 1000)}
"""Thousandths of all programs, by a hash of their assignments: 90, 0.2 and 9.8 %."""
_FITTING = {"fit": range(6), "validation": range(6, 8), "test": range(8, 10)}
"""Tenths of the test programs, for alignments: by the same hash, divided by 1,000."""
_ROUNDS = 400


@dataclass(frozen=True)
class Binding(Task):
    """`lines` assignments and a query; the answer is the next token, a digit.

    Letters, digits and `hops` (the most on a queried chain, 1 is a digit's own line) as in the
    publication by default; how programs are drawn is ours, see `draw.py`, and so is what is
    balanced over the letters asked for: "depth", or "root", which leaves line 1 no advantage. With
    `hold_out` a tenth of the (letter, digit) pairs is never bound in training: those with
    (3·letter + digit) mod 10 = 0. No test program's assignments occur in training.

    >>> task = Binding()
    >>> task.answer("k=2; j=k; t=8; b=j; #b:")
    2
    """

    lines: int = 16
    letters: int = 26
    digits: int = 10
    hops: int = 4
    constants: float = 0.45
    power: float = 3.0
    hold_out: bool = True
    balance: str = "depth"
    name: str = "binding"

    def __post_init__(self) -> None:
        assert self.alphabet and self._rule(True), "raise now for sizes that cannot be"

    @cached_property
    def alphabet(self) -> Alphabet:
        """The tokens."""
        return Alphabet(self.digits, self.letters)

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:  # type: ignore[override]
        """Every token as text."""
        return self.alphabet.tokens

    @property
    def length(self) -> int:
        """Tokens of a program, the answer not counted."""
        return 4 * self.lines + 3

    @cached_property
    def programs(self) -> Mapping[str, Program]:  # type: ignore[override]
        """The chain, which is right, and the hypotheses beside it."""
        sizes = self.lines, self.hops, self.digits, self.letters
        following = (programs.chain, programs.query_time, programs.first_wins)
        fixed = (programs.first_line, programs.last_digit)
        made = [make(*sizes) for make in following]
        made += [make(self.lines, self.digits, self.letters) for make in fixed]
        return {program.name: program for program in made}

    @property
    def program(self) -> Program:
        """Each name's value is that of the last line before it is read."""
        return self.programs["chain"]

    def _rule(self, training: bool) -> Rule:
        pairs = ((v, d) for v in range(self.letters) for d in range(self.digits))
        held = frozenset(p for p in pairs if (3 * p[0] + p[1]) % 10 == 0 and self.hold_out)
        sizes = self.lines, self.hops, self.constants, self.power
        return Rule(*sizes, held if training else frozenset(), self.balance)

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` programs, (sample, 4·lines + 3), of the split "train", or else of "test"."""
        return self.drawn(count, generator, "train" if training else "test", not training)

    def drawn(
        self, count: int, generator: torch.Generator, split: str = "train", all_pairs: bool = False
    ) -> Tensor:
        """Programs of one split; with `all_pairs` the held-out (letter, digit) occur as well.

        Raises `SymscopeError` where there are too few programs for the split to have any.
        """
        if split not in SPLITS:
            raise UnknownName("split", split, SPLITS)
        rule, share = self._rule(not all_pairs), len(SPLITS[split]) / 1000
        wanted, parts, found = torch.tensor(SPLITS[split]), [torch.empty(0, self.length).long()], 0
        for _ in range(_ROUNDS):
            if found >= count:
                break
            more = min(max(256, int(1.1 * (count - found) / share)), 200_000)
            tokens = draw(rule, more, self.alphabet, generator)
            parts.append(tokens[torch.isin(self.key(tokens) % 1000, wanted)])
            found += len(parts[-1])
        if found < count:
            raise SymscopeError(
                f"{found} programs of the split {split!r} were found and {count} asked for: there"
                f" are too few programs of {self.lines} lines with {self.letters} letters and"
                f" {self.digits} digits"
            )
        return torch.cat(parts)[:count]

    def key(self, tokens: Tensor) -> Tensor:
        """A number that depends on all assignments and not on the query, (sample,)."""
        key = torch.zeros(len(tokens), dtype=torch.long)
        for column in tokens[:, :-3].T:
            key = (key * 1_103_515_245 + column + 12_345) % 2_147_483_647
        return key // 7

    def trace(self, tokens: Tensor) -> Trace:
        """What happens when the programs run."""
        return trace(tokens, self.alphabet)

    def correct(self, inputs: Tensor) -> Tensor:
        """The answer at the last step, nothing elsewhere, (sample, step)."""
        target = torch.full_like(inputs, IGNORE)
        target[:, -1] = self.trace(inputs).answer
        return target

    def parse(self, text: str) -> Tensor:
        """A program as tokens, (1, step); raises `NotAProgram` with line and column."""
        return parsed(text, self.alphabet)

    def text(self, tokens: Tensor) -> str:
        """One program, (step,), as text."""
        return shown(tokens, self.alphabet)

    def answer(self, text: str) -> int:
        """The digit that a program's query asks for."""
        return int(self.trace(self.parse(text)).answer)

    def gate(self, generator: torch.Generator) -> Tensor:
        """1,000 programs that training cannot have seen."""
        return self.drawn(1000, generator, "test")

    def floors(self, tokens: Tensor) -> dict[str, float]:
        """How often each shallow rule gives the right answer."""
        return floors(tokens, self.alphabet)

    def asked_too(
        self, tokens: Tensor, count: int, generator: torch.Generator
    ) -> tuple[Tensor, Tensor]:
        """`count` letters to ask for in each program, its own first, and the right answers.

        The others are drawn as the first was: a depth (or root line) of those there are, then a
        letter that has it, and again if it was drawn before. Where a program has too few letters
        one is asked for again. Both are (sample, letter).
        """
        run = self.trace(tokens)
        names = torch.arange(self.letters) + self.digits
        lines = torch.arange(self.lines)[:, None]
        last = torch.where(run.left[:, :, None] == names, lines, -1).amax(1)
        line = last.clamp(min=0)
        depth = torch.where(last >= 0, run.depth.gather(1, line), 0)
        balanced = balanced_by(self.balance, depth, run.root.gather(1, line), self.hops)
        equal = (balanced[:, :, None] == balanced[:, None, :]).sum(2)
        weights = torch.where(balanced > 0, 1 / equal, torch.zeros(()))
        found = [run.query]
        for _ in range(count - 1):
            weights = weights.scatter(1, (found[-1] - self.digits)[:, None], 0.0)
            left = torch.where(weights.sum(1, keepdim=True) > 0, weights, (depth > 0).float())
            found.append(torch.multinomial(left, 1, generator=generator)[:, 0] + self.digits)
        asked = torch.stack(found, 1)
        return asked, run.value.gather(1, last.gather(1, asked - self.digits))

    def roles(self, tokens: Tensor) -> dict[str, Tensor]:
        """Role → its position in each program, -1 where it has none, (sample,) each.

        "right d" is the right-hand token of the line at depth d of the queried chain (1: the
        digit), "left d" its letter; "query" and "colon" are the last two tokens.
        """
        run = self.trace(tokens)
        found: dict[str, Tensor] = {}
        for depth in range(self.hops):
            line = run.chain[:, depth]
            for side, offset in (("right", 2), ("left", 0)):
                found[f"{side} {depth + 1}"] = torch.where(line >= 0, 4 * line + offset, -1)
        whole = torch.full_like(run.query, tokens.shape[1])
        return found | {"query": whole - 2, "colon": whole - 1}

    def counterfactuals(
        self, kind: str, count: int, seed: int, earliest_root: int = 0, split: str = "test"
    ) -> Pairs:
        """`count` pairs of a kind (see `counterfactuals.py`), with the changed program's answer.

        `earliest_root` excludes roots on lines before it (from 0). `redrawn` is the share of
        programs that were refused. Raises `NoPair` where none, or too few, are left.
        """
        generator = torch.Generator().manual_seed(seed)
        found: list[Pairs] = []
        tried = kept = 0
        for _ in range(_ROUNDS):
            if kept >= count:
                break
            base = self.drawn(max(64, count), generator, split)
            base = base[self.trace(base).root_line >= earliest_root]
            source, at, holds = counterfactual(base, kind, self.alphabet, generator)
            tried, kept = tried + len(base), kept + int(holds.sum())
            found.append(self._pairs(base, source, at, at)[holds])
        if kept < count:
            raise NoPair(
                f"{kept} of {tried} programs of {self.lines} lines allow the change {kind!r} with a"
                f" root on line {earliest_root + 1} or later; {count} were asked for"
            )
        whole = joined(found, padding=0)[torch.arange(count)]
        return replace(whole, redrawn=1 - kept / tried)

    def _pairs(self, base: Tensor, source: Tensor, at: Tensor, there: Tensor) -> Pairs:
        run, target = self.trace(base), self.correct(source)
        labels = {"answer.base": run.answer, "answer.source": target[:, -1], "hops": run.hops,
                  "root_line": run.root_line}  # fmt: skip
        return Pairs(base, at, source, there, target, labels)

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """Pairs of test programs in which the swap of one variable changes the program's answer.

        `value_h` is swapped where `line_h` has its right-hand token, `name_h` where that name is
        read (the query, or a right-hand token), in base and source alike. Pairs for which the
        program has no other answer are drawn again.
        """
        if split not in _FITTING:
            raise UnknownName("split", split, _FITTING)
        if len(variables) != 1 or variables[0] not in program.names:
            raise UnknownName("single variable", variables, program.names)
        if same_phase:
            raise SymscopeError(f"{self.name} has no phases")
        generator = torch.Generator().manual_seed(3 * seed + list(_FITTING).index(split))
        pool = self._of(split, 2 * count, generator)
        found: list[Pairs] = []
        tried = kept = 0
        for _ in range(_ROUNDS):
            if kept >= count:
                break
            base, source = (pool[torch.randperm(len(pool), generator=generator)] for _ in "bs")
            pairs, holds = self._swapped(program, variables[0], base, source)
            tried, kept = tried + len(base), kept + int(holds.sum())
            found.append(pairs[holds])
        if kept < count:
            raise NoPair(f"{kept} of {tried} pairs let a swap of {variables[0]} change the answer")
        whole = joined(found, padding=0)[torch.arange(count)]
        return replace(whole, variables=variables, redrawn=1 - kept / tried)

    def _of(self, split: str, count: int, generator: torch.Generator) -> Tensor:
        """Test programs of one of the splits for alignments, `count` or a few less."""
        share = len(_FITTING[split]) / 10
        drawn = self.drawn(max(64, int(count / share)), generator, "test")
        mine = torch.isin(self.key(drawn) // 1000 % 10, torch.tensor(_FITTING[split]))
        return drawn[mine][:count]

    def _swapped(
        self, program: Program, variable: str, base: Tensor, source: Tensor
    ) -> tuple[Pairs, Tensor]:
        here, there = (self._place(program, variable, tokens) for tokens in (base, source))
        pairs = self._pairs(base, source, here.clamp(min=0), there.clamp(min=0))
        natural = program.run(base, read=[variable])
        donor = program.run(source, read=[variable]).values[variable]
        target = interchange(program, base, source, [variable])
        pairs.target[:, -1] = target
        labels = {f"{variable}.base": natural.values[variable], f"{variable}.source": donor}
        holds = (here >= 0) & (there >= 0) & (target >= 0) & (target != natural.output)
        return replace(pairs, labels={**pairs.labels, **labels}), holds

    def _place(self, program: Program, variable: str, tokens: Tensor) -> Tensor:
        """Where a variable is expected, -1 where the program does not reach it, (sample,)."""
        kind, _, hop = variable.partition("_")
        if not hop:  # one of the fixed rules
            return torch.full((len(tokens),), int(right_at(0)))
        if variable == "name_1":
            return torch.full((len(tokens),), tokens.shape[1] - 2)
        line_name = f"line_{int(hop) - 1}" if kind == "name" else f"line_{hop}"
        line = program.run(tokens, read=[line_name]).values[line_name]
        line = line if isinstance(line, Tensor) else torch.full((len(tokens),), line)
        return torch.where(line > 0, torch.as_tensor(right_at(line - 1)), -1)

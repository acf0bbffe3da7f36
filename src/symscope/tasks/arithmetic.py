"""Arithmetic with two operands, `a + b =`, one token for each number.

The form that Nikankin et al. (2025) study in language models: non-negative operands and answers,
each a token of its own, and four signs; / is integer division. Every legal prompt is known, so
that nothing about a network has to be sampled.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor

from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.program import Program, Variable
from symscope.task import IGNORE, Pairs, Task, joined

SIGNS = ("+", "-", "*", "/")
CHANGES = ("first", "second", "sign", "all")
"""What differs between the prompts of a counterfactual pair."""
_SPLITS = {"fit": range(6), "validation": range(6, 8), "test": range(8, 10)}
"""Tenths of all prompts, for alignments, of the base."""
_ROUNDS = 200


class Arithmetic(Task):
    """Prompts `a sign b =`, (sample, 4); the answer is the next token.

    Tokens are the numbers from 0 to `numbers` − 1, the four signs and `=`. A prompt is legal where
    its operands are below `operands`, at least 1 on the right of /, and its answer is a token; with
    a `modulus` answers are taken modulo it. `share` of the legal prompts are trained on, the others
    never: which, is drawn from `seed`. Variables of the program: "first", "second", "sign" (a
    token) and "answer".

    >>> task = Arithmetic("+-")
    >>> task.text(task.prompts("test")[0]), len(task.prompts())
    ('0 + 1 =', 15050)
    """

    name = "arithmetic"

    def __init__(
        self, signs: str = "+", operands: int = 100, numbers: int = 200, share: float = 0.8,
        seed: int = 0, modulus: int | None = None,
    ):  # fmt: skip
        for sign in signs:
            if sign not in SIGNS:
                raise UnknownName("sign", sign, SIGNS)
        if not 2 <= operands <= numbers or (modulus is not None and not 2 <= modulus <= numbers):
            raise SymscopeError(
                f"operands below {operands} and {numbers} numbers, modulus {modulus}: both must be"
                " 2 or more and no larger than the numbers"
            )
        self.signs, self.operands, self.numbers = signs, operands, numbers
        self.share, self.seed, self.modulus = share, seed, modulus
        self.vocabulary = (*map(str, range(numbers)), *SIGNS, "=")
        self.equals = numbers + len(SIGNS)

    def sign(self, sign: str) -> int:
        """The token of a sign."""
        return self.numbers + SIGNS.index(sign)

    @cached_property
    def _legal(self) -> Tensor:
        """Every legal prompt, in the order of sign, first and second operand."""
        number = torch.arange(self.operands)
        signs = torch.tensor([self.sign(sign) for sign in self.signs])
        sign, first, second = torch.cartesian_prod(signs, number, number).unbind(1)
        whole = torch.stack([first, sign, second, torch.full_like(first, self.equals)], 1)
        answer = self.answers(whole)
        return whole[(answer >= 0) & (answer < self.numbers)]

    @cached_property
    def _trained_on(self) -> Tensor:
        order = torch.randperm(len(self._legal), generator=torch.Generator().manual_seed(self.seed))
        return order.argsort() < self.share * len(order)

    def prompts(self, split: str = "all", sign: str | None = None) -> Tensor:
        """Every legal prompt: "all", or those of "train" or "test"; of one sign or of all."""
        if split not in ("all", "train", "test"):
            raise UnknownName("split", split, ("all", "train", "test"))
        if sign is not None and sign not in self.signs:
            raise UnknownName("sign", sign, self.signs)
        mine = torch.ones_like(self._trained_on)
        if split != "all":
            mine = self._trained_on == (split == "train")
        if sign is not None:
            mine = mine & (self._legal[:, 1] == self.sign(sign))
        return self._legal[mine]

    def answers(self, prompts: Tensor) -> Tensor:
        """The answers, (sample,), -1 for a division by 0; other illegal ones may be negative."""
        first, sign, second = prompts[:, 0], prompts[:, 1] - self.numbers, prompts[:, 2]
        divided = torch.where(second > 0, first // second.clamp(min=1), -1)
        each = torch.stack([first + second, first - second, first * second, divided])
        found = each.gather(0, sign[None])[0]
        return found if self.modulus is None else found % self.modulus

    @cached_property
    def programs(self) -> Mapping[str, Program]:  # type: ignore[override]
        """The rule, and hypotheses that look at one operand alone."""
        return {name: self._program(name, rule) for name, rule in (
            ("arithmetic", self._rule()), ("first_operand", "first"), ("second_operand", "second"),
        )}  # fmt: skip

    @property
    def program(self) -> Program:
        """The answer is computed from both operands and the sign."""
        return self.programs["arithmetic"]

    def _rule(self) -> str:
        terms = {"+": "first + second", "-": "first - second", "*": "first * second",
                 "/": "first // second if second > 0 else 0 - 1"}  # fmt: skip
        rule = f"({terms[self.signs[-1]]})"
        for sign in self.signs[-2::-1]:
            rule = f"({terms[sign]}) if sign == {self.sign(sign)} else ({rule})"
        return rule if self.modulus is None else f"({rule}) % {self.modulus}"

    def _program(self, name: str, rule: str) -> Program:
        highest = self.equals
        inputs = tuple(Variable(n, 0, highest) for n in ("left", "mark", "right", "equals"))
        variables = (*(Variable(n, 0, highest) for n in ("first", "sign", "second")),
                     Variable("answer", 1 - self.numbers, self.numbers**2))  # fmt: skip
        rules = {"first": "left", "sign": "mark", "second": "right", "answer": rule}
        return Program(name, inputs, variables, rules, "answer")

    length = 4
    """Tokens of a prompt."""

    def drawn(self, count: int, generator: torch.Generator, split: str = "train") -> Tensor:
        """`count` prompts of one split, each as likely, (sample, 4)."""
        kept = self.prompts(split)
        return kept[torch.randint(len(kept), (count,), generator=generator)]

    def floors(self, tokens: Tensor) -> dict[str, float]:
        """How often the commonest answer, and either operand, is right."""
        answer = self.answers(tokens)
        rules = {"commonest answer": answer.mode().values, "first operand": tokens[:, 0],
                 "second operand": tokens[:, 2]}  # fmt: skip
        return {name: float((rule == answer).float().mean()) for name, rule in rules.items()}

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` prompts with their answers, (sample, 5), of the split "train", or else "test"."""
        rows = self.drawn(count, generator, "train" if training else "test")
        return torch.cat([rows, self.answers(rows)[:, None]], 1)

    def correct(self, inputs: Tensor) -> Tensor:
        """The answer at `=`, nothing elsewhere, (sample, step)."""
        target = torch.full_like(inputs, IGNORE)
        target[:, 3] = self.answers(inputs)
        return target

    def gate(self, generator: torch.Generator) -> Tensor:
        """Every prompt that is not trained on."""
        return self.prompts("test")

    def text(self, prompt: Tensor) -> str:
        """One prompt, (4,), as text."""
        return " ".join(self.vocabulary[t] for t in prompt.tolist())

    def counterfactuals(
        self, change: str, count: int, seed: int, split: str = "all", sign: str | None = None
    ) -> Pairs:
        """`count` pairs of legal prompts with other answers that differ in one thing, or in all.

        With a `sign`, all bases have it, and all sources but where the sign is what differs. The
        target is the source's answer. Raises `SymscopeError` where there is no such pair.
        """
        if change not in CHANGES:
            raise UnknownName("change", change, CHANGES)
        kept = self.prompts(split, sign)
        others = self.prompts(split) if change == "sign" else kept
        generator = torch.Generator().manual_seed(seed)
        found: list[tuple[Tensor, Tensor]] = []
        tried = have = 0
        for _ in range(_ROUNDS):
            if have >= count:
                break
            base, source = (some[torch.randint(len(some), (4 * count,), generator=generator)]
                            for some in (kept, others))  # fmt: skip
            if change != "all":
                column, other = {"first": 0, "sign": 1, "second": 2}[change], source
                source = base.clone()
                source[:, column] = other[:, column]
            answer = self.answers(source)
            good = (answer >= 0) & (answer < self.numbers) & (answer != self.answers(base))
            tried, have = tried + len(base), have + int(good.sum())
            found.append((base[good], source[good]))
        if have < count:
            raise SymscopeError(
                f"{have} of {tried} pairs of prompts differ in {change!r} alone and in the answer;"
                f" {count} were asked for"
            )
        base, source = (torch.cat([pair[i] for pair in found])[:count] for i in range(2))
        return self._pairs(base, source, self.answers(source), 3, 1 - have / tried)

    def _pairs(
        self, base: Tensor, source: Tensor, answer: Tensor, step: int, redrawn: float
    ) -> Pairs:
        target = torch.full_like(base, IGNORE)
        target[:, 3] = answer
        at = torch.full((len(base),), step)
        labels = {"answer.base": self.answers(base), "answer.source": self.answers(source)}
        return Pairs(base, at, source, at, target, labels, redrawn=redrawn)

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """Pairs in which a swap of `variables` gives an answer that is a token, and another one.

        The swap is at `=`, where everything has been read.
        """
        asked = program, variables, seed, split, _SPLITS, same_phase
        generator = self.pairs_generator(*asked)
        kept = self._legal[torch.isin(self._tenths, torch.tensor(_SPLITS[split]))]
        found: list[Pairs] = []
        tried = have = 0
        while have < count and tried < _ROUNDS * count:
            base, source = (kept[torch.randint(len(kept), (2 * count,), generator=generator)]
                            for _ in range(2))  # fmt: skip
            answer, natural = (
                interchange(program, base, source, variables),
                program.run(base).output,
            )
            good = (answer >= 0) & (answer < self.numbers) & (answer != natural)
            tried, have = tried + len(base), have + int(good.sum())
            made = self._pairs(base, source, answer, 3, 0.0)
            labels = {**made.labels, **self._values(program, variables, base, source)}
            found.append(replace(made, labels=labels)[good])
        if have < count:
            raise SymscopeError(f"{have} of {tried} pairs let a swap of {variables} change it")
        whole = joined(found, padding=0)[torch.arange(count)]
        return replace(whole, variables=variables, redrawn=1 - have / tried)

    @staticmethod
    def _values(
        program: Program, variables: tuple[str, ...], base: Tensor, source: Tensor
    ) -> dict[str, Tensor]:
        """The variables' values before the swap."""
        return {f"{name}.{end}": value for end, tokens in (("base", base), ("source", source))
                for name, value in program.run(tokens, read=variables).values.items()}  # fmt: skip

    @cached_property
    def _tenths(self) -> Tensor:
        order = torch.randperm(len(self._legal), generator=torch.Generator().manual_seed(1))
        return order % 10

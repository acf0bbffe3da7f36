"""Identity rules, ABA or ABB: from examples with other tokens, say how the last triple ends.

In-context examples `a b a` or `a b b`, all of the same rule, each followed by a separator, then two
tokens of a last triple (Marcus et al., 1999; Yang et al., 2025). All tokens of a sequence differ
but for the rule, so the answer can be copied from no example: the rule has to be.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from symscope.causal_model import interchange
from symscope.evidence import SymscopeError
from symscope.program import Program, Variable
from symscope.task import IGNORE, Pairs, Task

SEPARATOR = 0
TRIPLE = 4
"""Tokens of an example: three and the separator."""
_SPLITS = {"fit": range(8), "validation": range(8, 9), "test": range(9, 10)}
"""Tenths of all prompts, told apart by a hash of the base."""


class IdentityRules(Task):
    """Symbols 1 to `symbols`, `examples` in each prompt; `held_out` symbols are not trained on.

    A sequence is a prompt, 4 · examples + 2 tokens, and its answer. What is scored is the end of
    each triple but the first. Variables of the program: "second", whether a triple ends as its
    second token (ABB) or its first (ABA), and "item", the token the answer is.

    >>> task = IdentityRules(symbols=8, examples=2)
    >>> task.correct(torch.tensor([[1, 2, 1, 0, 5, 3, 5, 0, 8, 4]])).tolist()
    [[-100, -100, -100, -100, -100, 5, -100, -100, -100, 8]]
    """

    name = "identity_rules"

    def __init__(self, symbols: int = 16, examples: int = 2, held_out: Sequence[int] = ()):
        if symbols - len(set(held_out)) < 2 * (examples + 1) or examples < 1:
            raise SymscopeError(
                f"{symbols - len(set(held_out))} symbols in training and {examples} examples:"
                " give one example or more, and two symbols for each triple"
            )
        self.symbols, self.examples, self.held_out = symbols, examples, tuple(held_out)
        self.vocabulary = (";", *(f"s{i}" for i in range(1, symbols + 1)))
        length = TRIPLE * examples + 2
        inputs = tuple(
            Variable(f"t{i}", 0, 0 if i % TRIPLE == 3 else symbols) for i in range(length)
        )
        a, b = f"t{length - 2}", f"t{length - 1}"
        item = Variable("item", 0, symbols)

        def program(name: str, second: str) -> Program:
            rules = {"second": second, "item": f"{b} if second == 1 else {a}"}
            return Program(name, inputs, (Variable("second", 0, 1), item), rules, "item")

        self._program = program("rule", "1 if t2 == t1 else 0")
        self.programs: Mapping[str, Program] = {
            p.name: p for p in (self._program, program("always_first", "0 * t0"),
                                program("always_second", "0 * t0 + 1"))
        }  # fmt: skip

    @property
    def program(self) -> Program:
        """The first example says the rule; the rule says which of the last two tokens to answer."""
        return self._program

    @property
    def example_ends(self) -> list[int]:
        """The steps of the examples' third tokens."""
        return [TRIPLE * i + 2 for i in range(self.examples)]

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` sequences, half of each rule on average, (sample, 4 · examples + 3)."""
        kept = [s for s in range(1, self.symbols + 1) if not training or s not in self.held_out]
        return self._drawn(count, kept, generator)

    def unseen(self, count: int, generator: torch.Generator) -> Tensor:
        """Sequences whose last triple is of held-out symbols; the examples are not."""
        if len(self.held_out) < 2:
            raise SymscopeError("a triple takes two held-out symbols; give held_out at least two")
        sequences = self.sample(count, generator)
        last = self._drawn(count, self.held_out, generator, triples=1)
        second = (sequences[:, 2] == sequences[:, 1])[:, None]
        last[:, 2:] = torch.where(second, last[:, 1:2], last[:, :1])
        return torch.cat([sequences[:, :-3], last], 1)

    def _drawn(
        self, count: int, symbols: Sequence[int], generator: torch.Generator, triples: int = 0
    ) -> Tensor:
        triples = triples or self.examples + 1
        order = torch.rand(count, len(symbols), generator=generator).argsort(1)[:, : 2 * triples]
        first, other = torch.tensor(symbols)[order].view(count, triples, 2).unbind(2)
        second = torch.rand(count, 1, generator=generator) < 0.5
        end = torch.where(second, other, first)
        marks = torch.full_like(first, SEPARATOR)
        return torch.stack([first, other, end, marks], 2).flatten(1)[:, :-1]

    def correct(self, inputs: Tensor) -> Tensor:
        """The end of each triple but the first, at the step before it."""
        target = torch.full_like(inputs, IGNORE)
        second = inputs[:, 2] == inputs[:, 1]
        for step in range(TRIPLE + 1, inputs.shape[1], TRIPLE):
            target[:, step] = torch.where(second, inputs[:, step], inputs[:, step - 1])
        return target

    def gate(self, generator: torch.Generator) -> Tensor:
        """2,048 sequences of training symbols."""
        return self.sample(2048, generator)

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """Pairs of prompts that differ in `variables` alone; the answer at the last step counts.

        ("second",): the other rule, and both tokens of each triple exchanged, so that all third
        tokens and the answer are the same tokens as on the base, and only the rule is another (the
        abstract condition of Yang et al., 2025). ("item",): the same rule, the last two tokens
        exchanged (their token condition). Both or none: other tokens and whichever rule comes.
        """
        asked = program, variables, seed, split, _SPLITS, same_phase
        generator = self.pairs_generator(*asked)
        base = self._split(count, split, generator)
        source = self._counterpart(base, variables, generator)
        swapped = interchange(program, base, source, variables) if variables else None
        answer = program.run(base).output if swapped is None else swapped
        target = torch.full_like(base, IGNORE)
        target[:, -1] = answer
        last = torch.full((count,), base.shape[1] - 1)
        labels: dict[str, Tensor] = {}
        for end, tokens in (("base", base), ("source", source)):
            values = program.run(tokens, read=program.names).values
            labels |= {f"{name}.{end}": values[name] for name in program.names}
        return Pairs(base, last, source, last.clone(), target, labels, variables)

    def _split(self, count: int, split: str, generator: torch.Generator) -> Tensor:
        """Prompts of one split; each prompt belongs to one alone."""
        found: list[Tensor] = []
        while sum(map(len, found)) < count:
            prompts = self.sample(4 * count, generator)[:, :-1]
            key = torch.zeros(len(prompts), dtype=torch.long)
            for column in prompts.T:
                key = (key * 1_103_515_245 + column + 12_345) % 2_147_483_647
            found.append(prompts[torch.isin(key // 1000 % 10, torch.tensor(_SPLITS[split]))])
        return torch.cat(found)[:count]

    def _counterpart(
        self, base: Tensor, variables: tuple[str, ...], generator: torch.Generator
    ) -> Tensor:
        """The source of each base."""
        if len(variables) != 1:
            return self.sample(len(base), generator)[:, :-1]
        source, start = base.clone(), base.shape[1] - 2
        starts = [start] if variables == ("item",) else range(0, start + 1, TRIPLE)
        for i in starts:
            source[:, i], source[:, i + 1] = base[:, i + 1], base[:, i]
        return source

"""Counting: N demo items are to be answered with N response items (Grant et al., 2025).

`BOS, N demo items, T, N responses, EOS` with N uniform on 1..20, of which networks never see
4, 9, 14 and 17 in training.
"""

from dataclasses import dataclass, field, replace
from functools import cached_property

import torch
from torch import Tensor

from symscope.causal_model import Edit, UnknownName
from symscope.evidence import SymscopeError
from symscope.program import Program
from symscope.programs.counting import ANY, asked, ctx_distr, legal, progress, up_down, up_up
from symscope.task import IGNORE, Pairs, Task, joined

PAD, BOS, EOS, D1, D2, D3, R, T, V = range(9)
VOCABULARY = ("PAD", "BOS", "EOS", "D1", "D2", "D3", "R", "T", "V")
HELD_OUT = (4, 9, 14, 17)

KINDS = {
    "multi": (D1, D2, D3),  # three demo items, drawn anew at each position
    "single": (D1,),
    "same": (R,),  # one item serves as demo and as response
    "modulo": (D1, D2, D3),  # the answer is N mod 4
    "round": (D1, D2, D3),  # the answer is the multiple of 3 nearest to N
}
_MORE_DEMO = 3  # after a swap to the demo phase, 0..3 more demo items follow
_SPLITS = {"fit": range(0, 10), "validation": range(10, 11), "test": range(11, 12)}
_BUCKETS = 12


@dataclass(frozen=True)
class Counting(Task):
    """The counting tasks. `kind` is one of `KINDS`.

    `void` is the share of demo-phase steps that show V, which is not counted (0.2 in the
    variable-length versions). `minimal` leaves out BOS and T: the first response begins the
    answer. `highest` is the largest N. `others` are programs to ask about besides the published.
    """

    kind: str = "multi"
    void: float = 0.0
    minimal: bool = False
    highest: int = 20
    held_out: tuple[int, ...] = HELD_OUT
    others: tuple[Program, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise UnknownName("task", self.kind, KINDS)
        if not set(range(1, self.highest + 1)) - set(self.held_out):
            raise SymscopeError(f"holding out {self.held_out} leaves no count of 1..{self.highest}")
        if self.minimal and self.kind not in ("multi", "single"):
            raise SymscopeError(f"{self.kind} needs T; minimal is for 'multi' and 'single'")
        if not 0 <= self.void < 0.9:
            raise SymscopeError(f"void {self.void} must be at least 0 and below 0.9")

    @property
    def name(self) -> str:  # type: ignore[override]
        """The kind, with what is special about it."""
        return self.kind + ("_variable" if self.void else "") + ("_minimal" if self.minimal else "")

    @property
    def vocabulary(self) -> tuple[str, ...]:  # type: ignore[override]
        """The names of the token ids."""
        return VOCABULARY

    @cached_property
    def programs(self) -> dict[str, Program]:  # type: ignore[override]
        """The published programs for this task by name, and the others."""
        tokens = self._constants
        if self.kind == "modulo":
            written = [up_down(tokens, at_demo="(count + 1) % 4")]
        elif self.kind == "round":
            written = [up_down(tokens, at_trigger="(count + 1) // 3 * 3")]
        else:
            written = [write(tokens) for write in (up_down, up_up, ctx_distr)]
            if not self.minimal:  # Progress needs a T that is not itself a response
                written.append(progress(tokens))
        return {p.name: p for p in (*written, *self.others)}

    @property
    def _constants(self) -> dict[str, int | tuple[int, ...]]:
        trigger = (R,) if self.minimal else (T,)
        return {"EOS": EOS, "R": R, "ANY": ANY, "DEMO": KINDS[self.kind], "TRIGGER": trigger}

    @property
    def asked(self) -> Program:
        """At which steps a particular token is asked for, `correct`'s own mask before EOS."""
        return asked(self._constants)

    @property
    def legal(self) -> Program:
        """The sequences there are, for any N, as a program that gives 1 on each of their steps.

        Raises `SymscopeError` for those that show V or have no BOS.
        """
        if self.void or self.minimal:
            raise SymscopeError(f"{self.name}: its sequences are not written down as a program")
        turned = {"modulo": {"at_demo": "(left + 1) % 4"},
                  "round": {"at_trigger": "(left + 1) // 3 * 3"}}  # fmt: skip
        return legal({**self._constants, "BOS": BOS}, **turned.get(self.kind, {}))

    @property
    def program(self) -> Program:
        """Up-Down, which is right for every kind."""
        return self.programs["up_down"]

    def answers(self, count: Tensor) -> Tensor:
        """How many responses N demo items ask for."""
        if self.kind == "modulo":
            return count % 4
        return (count + 1) // 3 * 3 if self.kind == "round" else count

    def sample(self, count: int, generator: torch.Generator, training: bool = True) -> Tensor:
        """`count` sequences, padded on the right, (sample, step)."""
        held_out = self.held_out if training else ()
        allowed = torch.tensor([n for n in range(1, self.highest + 1) if n not in held_out])
        picks = torch.randint(len(allowed), (count,), generator=generator)
        return self.sequences(allowed[picks], generator)

    def enumerate(self) -> Tensor:
        """One sequence per N, the demo items drawn with seed 0 where there are several."""
        return self.sequences(torch.arange(1, self.highest + 1), torch.Generator().manual_seed(0))

    def sequences(self, counts: Tensor, generator: torch.Generator) -> Tensor:
        """One sequence for each N in `counts`, padded on the right, (sample, step)."""
        most = int(counts.max())
        width = self._demo_steps(most)
        demo = self._demo((len(counts), width), generator)
        real = torch.rand(demo.shape, generator=generator) >= self.void
        real[:, width - most :] |= self.void > 0  # so that N real items always fit
        demo = torch.where(real, demo, V)
        first = 0 if self.minimal else 1
        ends = first + 1 + (real.cumsum(1) < counts[:, None]).sum(1)  # one after the last item
        answers = ends + (0 if self.minimal else 1)
        stop = answers + self.answers(counts)
        at = torch.arange(int(stop.max()) + 1)
        items = torch.cat([demo[:, :1]] * first + [demo], dim=1)
        missing = max(0, len(at) - items.shape[1])
        items = torch.nn.functional.pad(items, (0, missing))[:, : len(at)]
        tokens = torch.where(at < ends[:, None], items, R)
        if not self.minimal:
            tokens[:, 0] = BOS
            tokens = torch.where(at == ends[:, None], T, tokens)
        tokens = torch.where(at == stop[:, None], EOS, tokens)
        return torch.where(at > stop[:, None], PAD, tokens)

    def correct(self, inputs: Tensor) -> Tensor:
        """The next token from the trigger to EOS, which is the program's, `IGNORE` elsewhere."""
        answering = (inputs == (R if self.minimal else T)).cumsum(1) > 0
        over = (inputs == EOS) | (inputs == PAD)
        following = torch.nn.functional.pad(inputs[:, 1:], (0, 1), value=PAD)
        return torch.where(over | ~answering, IGNORE, following)

    def gate(self, generator: torch.Generator) -> Tensor:
        """15 sequences of each of the 20 counts, held-out ones included."""
        counts = torch.arange(1, self.highest + 1).repeat_interleave(15)
        return self.sequences(counts, generator)

    def pairs(
        self, program: Program, variables: tuple[str, ...], count: int, seed: int, split: str,
        same_phase: bool = False,
    ) -> Pairs:  # fmt: skip
        """Pairs whose base goes on as `program` says once `variables` are the source's.

        Steps are uniform over each sequence but never BOS or EOS. A base that is then in the demo
        phase gets 0..3 more demo items and T; the answer follows from the program. Pairs without
        an end are drawn again. Held-out counts occur in the "test" split only. With `same_phase`
        base and source are in the same phase.
        """
        for variable in variables:
            if variable not in program.names:
                raise UnknownName("variable", variable, program.names)
        if split not in _SPLITS:
            raise UnknownName("split", split, _SPLITS)
        generator = torch.Generator().manual_seed(seed * 3 + list(_SPLITS).index(split))
        found: list[Pairs] = []
        drawn = kept = 0
        while kept < count:
            draw = self._draw(max(64, count - kept) * (2 if split == "fit" else 16), generator,
                              split, same_phase)  # fmt: skip
            pairs, ended = self._swapped(program, variables, *draw, generator)
            drawn, kept = drawn + len(ended), kept + int(ended.sum())
            found.append(pairs[ended])
            if drawn > 200 and kept < drawn / 2:
                raise SymscopeError(
                    f"{1 - kept / drawn:.0%} of the pairs for {', '.join(variables)} of"
                    f" {program.name} never stop: this swap is not a test"
                )
        return _first(joined(found, PAD), count, 1 - kept / drawn)

    def _demo_steps(self, most: int) -> int:
        return most if not self.void else int(most / (1 - self.void) * 2) + 20

    def _demo(self, shape: tuple[int, ...], generator: torch.Generator) -> Tensor:
        items = torch.tensor(KINDS[self.kind])
        return items[torch.randint(len(items), shape, generator=generator)]

    def _draw(
        self, count: int, generator: torch.Generator, split: str, same_phase: bool
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Bases, their steps, sources, their steps, of one split."""
        halves, counts = [], torch.arange(1, self.highest + 1)
        for _ in range(2):
            tokens = self.sample(count, generator, training=split != "test")
            first = 0 if self.minimal else 1
            last = (tokens == EOS).int().argmax(1)  # exclusive
            step = first + (torch.rand(count, generator=generator) * (last - first)).long()
            halves += [tokens, step]
        base, t, source, u = halves
        longest = self._demo_steps(self.highest) + int(self.answers(counts).max()) + 3
        keys = _key(base, t, longest) * 1_000_003 + _key(source, u, longest)
        buckets = _SPLITS[split]
        mine = (keys % _BUCKETS >= buckets.start) & (keys % _BUCKETS < buckets.stop)
        if same_phase:
            mine &= self._phase(base, t) == self._phase(source, u)
        return base[mine], t[mine], source[mine], u[mine]

    def _phase(self, tokens: Tensor, step: Tensor) -> Tensor:
        trigger = tokens == (R if self.minimal else T)
        return (trigger.int().argmax(1) <= step).long()

    def _swapped(
        self, program: Program, variables: tuple[str, ...], base: Tensor, t: Tensor, source: Tensor,
        u: Tensor, generator: torch.Generator,
    ) -> tuple[Pairs, Tensor]:  # fmt: skip
        """The bases continued by the swapped program, and which of them came to an end."""
        u_names = [(v, tuple(u.tolist())) for v in program.names]
        donor = program.run(source, read=u_names).values
        values = {name: donor[key] for name, key in zip(program.names, u_names, strict=True)}
        more = torch.randint(_MORE_DEMO + 1, t.shape, generator=generator)
        length = 2 * self.highest + 3 + self.highest + _MORE_DEMO + 3
        length = max(length, base.shape[1] + self.highest + _MORE_DEMO + 3)
        state = program.initial()
        token = base[:, 0]
        tokens, targets = [], []
        labels: dict[str, Tensor] = {}
        waiting = torch.full_like(t, -1)  # demo items still to come; -1 before the swap
        for step in range(length):
            here = t == step
            before = state
            state, output = program.step(state, {"token": token})
            for name in program.names:
                value = torch.as_tensor(state[name]).expand(t.shape)
                labels[f"{name}.base"] = torch.where(here, value, labels.get(f"{name}.base", value))
            if variables and bool(here.any()):
                edits = {v: _put(here, values[v]) for v in variables}
                state, output = program.step(before, {"token": token}, edits)
            output = torch.as_tensor(output).expand(t.shape)
            waiting = torch.where(here, more, waiting)
            free = output == ANY
            following = torch.where(free & (waiting > 0), self._demo(t.shape, generator), output)
            following = torch.where(free & (waiting <= 0), R if self.minimal else T, following)
            waiting = torch.where(free & (step >= t), waiting - 1, waiting)
            over = (token == EOS) | (token == PAD)
            following = torch.where(over, PAD, following)
            tokens.append(token)
            targets.append(torch.where((step < t) | over | free, IGNORE, following))
            ahead = base[:, min(step + 1, base.shape[1] - 1)]
            token = torch.where(step < t, ahead, following)
        labels |= {f"{name}.source": values[name] for name in program.names}
        labels["phase.base"], labels["phase.source"] = self._phase(base, t), self._phase(source, u)
        labels["n.base"], labels["n.source"] = self._count(base), self._count(source)
        held_out = torch.tensor(self.held_out)
        labels["held_out"] = torch.isin(labels["n.base"], held_out)
        labels["held_out"] |= torch.isin(labels["n.source"], held_out)
        whole, target = torch.stack(tokens, 1), torch.stack(targets, 1)
        return Pairs(whole, t, source, u, target, labels, variables), (whole == EOS).any(1)

    def _count(self, tokens: Tensor) -> Tensor:
        """N of each sequence."""
        trigger = (tokens == (R if self.minimal else T)).int().argmax(1)
        demo = torch.isin(tokens, torch.tensor(KINDS[self.kind]))
        return (demo & (torch.arange(tokens.shape[1]) < trigger[:, None])).sum(1)


def _put(here: Tensor, value: Tensor) -> Edit:
    return lambda old: torch.where(here, value, old)


def _key(tokens: Tensor, step: Tensor, longest: int) -> Tensor:
    """A number for each prefix up to and with `step`, however far its batch is padded."""
    tokens = torch.nn.functional.pad(tokens, (0, longest - tokens.shape[1]))
    seen = torch.where(torch.arange(longest) <= step[:, None], tokens + 1, 0)
    key = torch.zeros_like(step)
    for column in seen.T:
        key = (key * 31 + column) % 2_147_483_647
    return key


def _first(pairs: Pairs, count: int, redrawn: float) -> Pairs:
    """The first `count` pairs, no wider than they need."""
    pairs = pairs[torch.arange(count)]
    used = int((pairs.base != PAD).any(0).nonzero().max()) + 1
    return replace(pairs, base=pairs.base[:, :used], target=pairs.target[:, :used], redrawn=redrawn)

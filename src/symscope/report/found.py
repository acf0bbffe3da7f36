"""What one extraction found, in words: the program, how far it is right, what is proven of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from symscope.evidence import Evidence, SymscopeError
from symscope.report.claims import checked
from symscope.report.sentence import percent

_VERDICTS = {"proof": "proved", "counterexample": "refuted", "unknown": "undecided"}


@dataclass(frozen=True)
class Found:
    """One network's extraction; `config` is that of its record `programs.TASK.solved`.

    `solved` says whether the program equals the rule on `n` sequences of the trained length,
    `longer` is (share right, n) at ten times it, `length` the description's.
    """

    task: str
    seed: int | None
    solved: bool
    n: int
    seconds: float = 0.0
    longer: tuple[float, int] | None = None
    length: float | None = None
    note: str = ""
    config: Mapping[str, Any] = field(default_factory=dict)

    @property
    def source(self) -> str:
        """The program's text; "" where none was found."""
        return str(self.config.get("source") or "")

    @property
    def said(self) -> str:
        """What the verifier said, in its own words."""
        return str(self.config.get("said") or "")

    @property
    def verdict(self) -> str:
        """ "proof", "counterexample", "unknown", or "none" without a program."""
        if not self.source:
            return "none"
        given = str(self.config.get("verdict") or "")
        if given in _VERDICTS:
            return given
        begins = [v for v, word in _VERDICTS.items() if self.said.startswith(word)]
        return begins[0] if begins else "unknown"

    @property
    def word(self) -> str:
        """The verdict in a few words; a program that is wrong anywhere is refuted."""
        if self.verdict == "none":
            return "no program"
        if not self.solved:
            return "refuted"
        if self.verdict == "counterexample":
            return "refuted on longer inputs"
        return self.said.split(":")[0] if self.verdict == "proof" else "not proven"

    @property
    def chip(self) -> str:
        """The style of the word: "found", "partial", "refuted" or "" ."""
        if self.word.startswith("refuted"):
            return "refuted"
        return {"proof": "found", "unknown": "partial"}.get(self.verdict, "")

    @property
    def counterexample(self) -> str:
        """The input on which the program is wrong, with what was expected; "" without one."""
        if self.verdict != "counterexample":
            return ""
        return self.said.rsplit(": on ", 1)[-1] if ": on " in self.said else self.said

    @property
    def registers(self) -> str:
        """The rules on one line, and the output where it is no register of its own name."""
        rules = dict(self.config.get("rules") or {})
        if (output := self.config.get("output", "")) != "answer":
            rules["output"] = output
        return "; ".join(f"{name} = {rule}" for name, rule in rules.items())


def found_in(records: Iterable[Evidence]) -> Found | None:
    """The extraction that the records of one network tell of; None where there was none."""
    by_claim = {e.claim: checked(e) for e in records}
    for claim, solved in by_claim.items():
        task = claim.removeprefix("programs.").removesuffix(".solved")
        if solved.unit != "solved" or claim != f"programs.{task}.solved":
            continue
        longer = by_claim.get(f"programs.{task}.generalises")
        length = by_claim.get(f"programs.{task}.length")
        _refuse_odd(solved)
        return Found(
            task, solved.seeds[0] if solved.seeds else None, solved.score == 1, solved.n,
            solved.seconds,
            None if longer is None or longer.score is None else (longer.score, longer.n),
            None if length is None else length.score, solved.note, solved.config,
        )  # fmt: skip
    return None


def _refuse_odd(record: Evidence) -> None:
    """Raises `SymscopeError` where what has to be a mapping in the config is none."""
    for key in ("tried", "rules", "start", "grounding", "proof"):
        if not isinstance(record.config.get(key) or {}, Mapping):
            raise SymscopeError(f"{record.claim}: config[{key!r}] is no JSON object")
    grounding = record.config.get("grounding") or {}
    for key in ("variance", "repeated", "equal", "different") if grounding else ():
        if not isinstance(grounding.get(key), int | float):
            raise SymscopeError(f"{record.claim}: config['grounding'][{key!r}] is no number")
    places = grounding.get("places") or {}
    numbers = [place.get(key) if isinstance(place, Mapping) else None
               for place in (places.values() if isinstance(places, Mapping) else [None])
               for key in ("linear", "told")]  # fmt: skip
    if not all(isinstance(number, int | float) for number in numbers):
        raise SymscopeError(f"{record.claim}: config['grounding']['places'] has no numbers")


def headline(found: Found) -> str:
    """What was found, as one or two sentences that say what is not shown as well."""
    if found.verdict == "none":
        return f"No program was found in this {found.task} network ({found.note or 'no route'})."
    size = "" if found.length is None else f" of {found.length:.0f} nodes and bits"
    route = found.config.get("route", "unknown")
    made = f"A program{size} was extracted from this {found.task} network (route: {route})."
    right = f"right on {found.n:,} of {found.n:,} sequences of the trained length"
    wrong = f" Counterexample: {found.counterexample}." if found.counterexample else ""
    if not found.solved:
        return (
            f"REFUTED. {made} It does not answer as the task's rule does on all of {found.n:,}"
            f" sequences of the trained length.{wrong}"
        )
    if found.verdict == "counterexample":
        return f"REFUTED on other inputs. {made} It is {right}, and wrong elsewhere.{wrong}"
    if found.verdict == "unknown":
        return (
            f"NOT PROVEN. {made} It is {right}. That is a test, no proof: neither a proof nor a"
            " counterexample was found."
        )
    lengths = found.word.removeprefix("proved")
    return f"{made} It is {right}, and proved equal to the task's rule{lengths}."


def lead(found: Found) -> str:
    """The numbers beside the headline."""
    parts = []
    if found.longer is not None:
        parts.append(f"{percent(found.longer[0])} of {found.longer[1]:,} sequences right at ten"
                     " times the trained length")  # fmt: skip
    grounding = found.config.get("grounding")
    if grounding:
        shown = "in the network's states" if grounding.get("grounded") else (
            "not shown to be in the network's states")  # fmt: skip
        parts.append(f"the program's registers are {shown}")
    return "; ".join(parts)


def routes(found: Found) -> Sequence[tuple[str, str, bool]]:
    """(route, what became of it, whether it is the one chosen) in the order in which they ran."""
    chosen = found.config.get("route")
    tried = dict(found.config.get("tried") or {})
    return [(name, str(said), name == chosen or (name == "automaton" and chosen == "table"))
            for name, said in tried.items()]  # fmt: skip

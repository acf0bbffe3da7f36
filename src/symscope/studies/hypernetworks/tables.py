"""The tables of the study's page, from its joined evidence."""

from collections.abc import Sequence
from functools import partial

from symscope.evidence import Evidence
from symscope.generate.reading import PATTERNS
from symscope.report.tables import Maker, Records, score, table
from symscope.studies.hypernetworks.chosen import METHODS
from symscope.studies.hypernetworks.front import sizes_of_claim
from symscope.studies.hypernetworks.reading import CLASSES
from symscope.studies.hypernetworks.settings import FAMILIES, LARGE, OTHERS, TARGET, TRIED, WIDE

PART = f"hypernetworks.{TARGET}"
WORDS = {"generated": "generated", "adam": "Adam", "adam_l1": "Adam + L1", "pruned": "Adam, pruned"}
KINDS = {"convexity": "convexity", "pudding_positive": "pudding, +", "pudding_negative":
         "pudding, −", "double_sided": "double-sided", "none": "none"}  # fmt: skip
ORDERS = {"double_sidedness": "a₁, as published", "most_double_sided": "a₁, repaired",
          "strongest": "a₂, as published", "strongest_path": "a₂, repaired",
          "seed_dependence": "a₃, as published", "matched_dependence": "a₃, matched"}  # fmt: skip
TESTS = {
    "rotation": "W rotated: loss, times", "linear_replacement": "unowned units made linear: times",
    "permuted_owners": "owners given to other inputs: times",
    "sided_ablation": "one side's owners zeroed: change predicted",
    "rebuilt.inputs": "R² of the formula's network", "rebuilt.sparse": "… on sparse inputs",
    "rebuilt.far": "… on inputs five times as large",
}  # fmt: skip
MEASURES = {
    "loss": "loss", "bits": "bits", "bits_at_equal": "… at the generated one's loss",
    "bits_at_double": "… at twice that", "needed": "weights needed", "values": "values needed",
    "owned": "units of one input", "participation": "inputs a unit reads",
    "formula.error": "error of the formula", "formula.sparse": "its R² on sparse inputs",
}  # fmt: skip


def search(records: Records) -> str:
    """What was tried: the loss, with the decoder alone, the most KL, and the classes."""
    found = []
    for name, (seed, _) in TRIED.items():
        claim = f"hypernetworks.tried.{name.replace(' ', '_')}"
        loss, nats = records.get(f"{claim}.loss"), records.get(f"{claim}.nats")
        if loss is None or nats is None:
            continue
        shares = [records.get(f"{claim}.algorithm.{kind}") for kind in CLASSES]
        found.append([name, str(seed), score(loss), _control(loss, "decoder only"),
                      f"{nats.score:.3f}", *map(_plain, shares), _speed(loss)])  # fmt: skip
    return table(["tried", "seed", "loss", "decoder alone", "most KL, nats", *KINDS.values(),
                  "steps/s"], found)  # fmt: skip


def losses(records: Records) -> str:
    """What the hypernetworks of each function write, beside what needs no insight."""
    found = []
    for name in (*FAMILIES, *OTHERS):
        loss = records.get(f"hypernetworks.{name}.loss")
        if loss is not None:
            names = ("decoder only", "untrained", "radial", "quadratic", "linear")
            found.append([name.replace("_", " "), str(len(loss.seeds)), score(loss), _seeds(loss),
                          *(_control(loss, n) for n in names), _speed(loss)])  # fmt: skip
    return table(["function", "hypernetworks", "loss", "each", "decoder alone", "untrained",
                  "radial floor", "best quadratic", "best linear", "steps/s"], found)  # fmt: skip


def algorithms(records: Records, family: str = TARGET) -> str:
    """Of how many hypernetworks each algorithm was ever, at last, and mostly."""
    found = []
    for kind, words in KINDS.items():
        share = records.get(f"hypernetworks.{family}.algorithm.{kind}")
        counts = [records.get(f"hypernetworks.{family}.{how}.{kind}")
                  for how in ("appeared", "at_the_end", "mostly")]  # fmt: skip
        if share is not None:
            found.append([words, *map(_count, counts), score(share), _control(share, "shuffled"),
                          _control(share, "untrained")])  # fmt: skip
    return table(["algorithm", "ever in training", "at the end, at any β",
                  "most of what it writes at the end", "share of networks", "shuffled weights",
                  "untrained"], found)  # fmt: skip


def patterns(records: Records, family: str = TARGET) -> str:
    """The courses of development, and how many hypernetworks took each."""
    part = f"hypernetworks.{family}.pattern"
    found = [[name, said, _count(records.get(f"{part}.{name}"))]
             for name, said in PATTERNS.items() if f"{part}.{name}" in records]  # fmt: skip
    for claim, said in (
        ("goes_back", "convexity again after another algorithm, at some β"),
        ("random_assignment", "KL below .1 at every β, loss below the floor"),
        ("development.convexity_first", "share of β at which convexity is first"),
    ):
        if (record := records.get(f"hypernetworks.{family}.{claim}")) is not None:
            told = _count(record) if record.unit == "share of hypernetworks" else score(record)
            found.append(["", said, told])
    return table(["pattern", "course", "hypernetworks"], found)


def held_out(records: Records) -> str:
    """How often the reading is right on hand-built networks that it has not seen."""
    found = []
    for kind in (*KINDS, "mixed", "shuffled", "gaussian", "zero", "algorithms", "no_algorithm"):
        row = [records.get(f"hypernetworks.held_out.{how}.{kind}")
               for how in ("by_weights", "with_interventions")]  # fmt: skip
        if row[0] is not None:
            cells = [x for r in row for x in ((score(r), _control(r, "another algorithm"))
                                              if r is not None else ("", ""))]  # fmt: skip
            found.append([KINDS.get(kind, kind.replace("_", " ")), *cells])
    return table(["kind", "right, by weights and outputs", "another algorithm",
                  "right, with interventions", "another algorithm"], found)  # fmt: skip


def bounds(records: Records) -> str:
    """The fitted bounds, and what each alone is worth."""
    found = []
    for claim, record in records.items():
        if claim.startswith("hypernetworks.boundary."):
            found.append([claim.rsplit(".", 1)[1].replace("_", " "), _plain(record),
                          _control(record, "balanced accuracy"), _control(record, "typical above"),
                          _control(record, "typical below"), record.note])  # fmt: skip
    return table(["measure", "bound", "balanced accuracy", "typical above", "typical below",
                  "kinds"], found)  # fmt: skip


def named_rows(
    records: Records, part: str, names: dict[str, str], controls: int, family: str = TARGET
) -> str:
    """Claims as rows with all their controls."""
    found = []
    for claim, words in names.items():
        record = records.get(f"hypernetworks.{family}.{part}.{claim}")
        if record is not None:
            beside = "; ".join(f"{k.replace('_', ' ')} {v:.2f}"
                               for k, v in list(record.controls.items())[:controls])  # fmt: skip
            found.append([words, score(record), beside, _seeds(record)])
    return table(["what", "mean", "controls", "each hypernetwork"], found)


def sizes(records: Records, family: str) -> str:
    """Mean loss at each size after scale and offset, and as it is in brackets; italics: no gain."""
    part = f"hypernetworks.{family}.sizes."
    at = {sizes_of_claim(c): r for c, r in records.items()
          if c.startswith(part) and r.score is not None}  # fmt: skip
    hidden = sorted({h for _, h in at})
    found = []
    for inputs in sorted({n for n, _ in at}):
        row = [at[inputs, h] for h in hidden]
        cells = [_at_size(r) for r in row]
        found.append([str(inputs), *cells, f"{row[0].controls['radial']:.3f}"])
    return table(["inputs", *(f"{h} hidden units" for h in hidden), "radial floor"], found)


def _at_size(record: Evidence) -> str:
    assert record.score is not None
    below = record.score < record.controls["radial"]
    told = f"{record.score:.3f}" if below else f"*{record.score:.3f}*"
    return f"{told} ({record.controls['as it is']:.3g})"


def compared(records: Records, name: str) -> str:
    """Method by method, the means over networks."""
    found = []
    for method in METHODS:
        claim = f"hypernetworks.{name}.{method}"
        row = [records.get(f"{claim}.{what}") for what in MEASURES]
        if row[0] is not None:
            named = _count(records.get(f"{claim}.named"))
            found.append([WORDS[method], *map(_mean, row), *([named] if name in FAMILIES else [])])
    names = ["networks", *MEASURES.values(), "algorithm named"]
    return table(names if name in FAMILIES else names[:-1], found)


def by_hand(records: Records) -> str:
    """What networks written by hand need for each function."""
    found = []
    for claim, loss in records.items():
        if ".by_hand." in claim and claim.endswith(".loss") and loss.score is not None:
            _, name, _, algorithm, _ = claim.split(".")
            bits = records.get(claim.removesuffix("loss") + "bits")
            generated = records.get(f"hypernetworks.{name}.generated.loss")
            found.append([name.replace("_", " "), algorithm.replace("_", " "), _mean(loss),
                          _mean(bits), _mean(generated)])  # fmt: skip
    return table(["function", "algorithm", "loss", "bits", "generated: loss"], found)


def variables(records: Records, names: Sequence[str]) -> str:
    """The interchange R² of each variable, in generated networks and in Adam's."""
    found = []
    for name in names:
        for method in ("generated", "adam"):
            part = f"hypernetworks.{name}.{method}."
            for claim, r in records.items():
                if not (claim.startswith(part) and claim.endswith(".r2")) or r.score is None:
                    continue
                _, _, _, program, variable, _ = claim.split(".")
                beside = [_control(r, c) for c in ("random_subspace", "permuted_sources",
                                                   "untrained_network", "wrong_variable",
                                                   "full_swap")]  # fmt: skip
                found.append([name.replace("_", " "), WORDS[method], program.replace("_", " "),
                              variable, score(r), *beside])  # fmt: skip
    return table(["function", "networks", "program", "variable", "interchange R²",
                  "random subspace", "permuted sources", "untrained", "another variable",
                  "everything swapped"], found)  # fmt: skip


def _mean(record: Evidence | None) -> str:
    if record is None or record.score is None:
        return "–"
    low, high = record.low, record.high
    short = f"{record.score:.3f}" if abs(record.score) < 10 else f"{record.score:.0f}"
    if low is None or high is None:
        return short
    spread = f"{low:.3f}–{high:.3f}" if abs(record.score) < 10 else f"{low:.0f}–{high:.0f}"
    return f"{short} ({spread})"


def _plain(record: Evidence | None) -> str:
    return "–" if record is None or record.score is None else f"{record.score:.3f}"


def _count(record: Evidence | None) -> str:
    if record is None or record.score is None:
        return "–"
    return f"{round(record.score * record.n)} of {record.n}"


def _control(record: Evidence, name: str) -> str:
    return f"{record.controls[name]:.3f}" if name in record.controls else "–"


def _seeds(record: Evidence) -> str:
    return ", ".join(f"{x:.3f}" for x in record.config.get("by_seed", []))


def _speed(record: Evidence) -> str:
    found = record.config.get("steps_per_second")
    values = found if isinstance(found, list) else [found] if found else []
    return f"{min(values):.0f}–{max(values):.0f}" if len(values) > 1 else "".join(
        f"{v:.0f}" for v in values)  # fmt: skip


TABLES: dict[str, Maker] = {
    "search": search,
    "losses": losses,
    "algorithms": algorithms,
    "patterns": patterns,
    "held_out": held_out,
    "bounds": bounds,
    "orders": partial(named_rows, part="order", names=ORDERS, controls=1),
    "tests": partial(named_rows, part="test", names=TESTS, controls=4),
    "without": partial(named_rows, part="without", controls=1, names={
        "noise": "noise", "learned": "learned features", "channel": "channel"}),
    "sizes": partial(sizes, family=TARGET),
    "sizes.wide": partial(sizes, family=WIDE),
    "sizes.large": partial(sizes, family=LARGE),
    "algorithms.wide": partial(algorithms, family=WIDE),
    "patterns.wide": partial(patterns, family=WIDE),
    "algorithms.large": partial(algorithms, family=LARGE),
    "tests.wide": partial(named_rows, part="test", names=TESTS, controls=4, family=WIDE),
    "by_hand": by_hand,
    "compared": partial(compared, name=TARGET),
    **{f"compared.{name}": partial(compared, name=name) for name in OTHERS},
    "variables": partial(variables, names=(TARGET,)),
    "variables.wide": partial(variables, names=(WIDE,)),
    "variables.others": partial(variables, names=tuple(OTHERS)),
    "compared.wide": partial(compared, name=WIDE),
}  # fmt: skip

"""The tables of the study's page, from its joined evidence."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from symscope.evidence import Evidence
from symscope.report.tables import Maker, Records, published, score, seeds, table

NETWORKS = {
    "plus": "+", "plus_minus": "+ and −", "gated": "+, gated MLP", "four": "all four",
    "units_first": "digits, units first", "units_last": "digits, units last",
    "modular": "+ mod 59, published",
}  # fmt: skip
GRIDS = {"add": "+", "subtract": "−", "multiply": "×", "divide": "÷", "digit_1": "units",
         "digit_2": "tens", "add_mod_59": "+"}  # fmt: skip
Column = tuple[str, Callable[[Evidence], str]]
"""Its head, and what it shows of a record."""
COUNTS, TERMS = (5, 10, 20, 50), (1, 2, 4, 8, 16, 32)


def _cells(records: Records) -> Iterator[tuple[str, str, str]]:
    """Every network and sign with evidence: what its claims begin with, and both in words."""
    begun = {".".join(claim.split(".")[:4]) for claim in records}
    for name, network in NETWORKS.items():
        for grid, sign in GRIDS.items():
            for before in sorted(b for b in begun if b.endswith(f".{name}.{grid}")):
                yield before, network, sign


def rows(records: Records, claim: str, columns: Sequence[Column]) -> str:
    """A row for each network and sign that has the claim."""
    found = []
    for before, network, sign in _cells(records):
        record = records.get(f"{before}.{claim}")
        if record is not None:
            found.append([network, sign, seeds(record), *(read(record) for _, read in columns)])
    return table(["network", "asked", "networks", *(name for name, _ in columns)], found)


def _plain(record: Evidence | None) -> str:
    """The score alone; empty where there is none."""
    return "" if record is None or record.score is None else f"{record.score:.3f}"


def control(name: str) -> Callable[[Evidence], str]:
    """One of the controls."""
    return lambda r: f"{r.controls[name]:.3f}" if name in r.controls else "–"


def by_seed(r: Evidence) -> str:
    """Each network's own score."""
    return ", ".join(f"{x:.3f}" for x in r.config.get("by_seed", ()))


SCORE: Column = ("score", score)
PUBLISHED: Column = ("published", published)


def _of(
    claim: str, *controls: str, more: Sequence[tuple[str, Callable[[Evidence], str]]] = ()
) -> Maker:
    columns = [SCORE, *((name, control(name)) for name in controls), *more]
    return partial(rows, claim=claim, columns=columns)


def knockouts(records: Records, rule: str) -> str:
    """Accuracy after silencing by prompt, for each number of neurons a layer."""
    found = []
    named = ("random", "any", "most active", "as active")
    for before, network, sign in _cells(records):
        for count in COUNTS:
            record = records.get(f"{before}.knockout.{rule}.{count}")
            if record is not None:
                beside = [control(name)(record) for name in named]
                found.append([network, sign, str(count), score(record), *beside, published(record)])
    head = ["network", "asked", "neurons a block", "matching silenced", "random without", "random",
            "most active without", "as active without", "published"]  # fmt: skip
    return table(head, found)


def families(records: Records, what: str) -> str:
    """Accuracy with neurons rebuilt from so many features of a family, or without that part."""
    found = []
    for before, network, sign in _cells(records):
        for family in ("patterns", "waves", "random"):
            some = [records.get(f"{before}.{what}.{family}.{n}") for n in TERMS]
            if any(some):
                found.append([network, sign, family, *map(_plain, some)])
    return table(["network", "asked", "family", *(f"{n} features" for n in TERMS)], found)


def kept(records: Records) -> str:
    """Accuracy with the strongest neurons of each block alone."""
    counts, found = (10, 20, 50, 100, 200), []
    for before, network, sign in _cells(records):
        some = [records.get(f"{before}.kept.{n}") for n in counts]
        if any(some):
            found.append([network, sign, *(f"{_plain(r)} ({control('random')(r)})" if r else ""
                                           for r in some)])  # fmt: skip
    return table(["network", "asked", *(f"{n} a block (random)" for n in counts)], found)


def sweep(records: Records) -> str:
    """The share with a label at thresholds from 0.4 to 0.9, of the neurons and of each null."""
    thresholds, found = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9), []
    for before, network, sign in _cells(records):
        record = records.get(f"{before}.labelled.published")
        for name, values in (record.config.get("sweep", {}) if record else {}).items():
            shown = [sum(v) / len(v) if isinstance(v, list) else v for v in values]
            found.append([network, sign, name, *(f"{v:.2f}" for v in shown)])
    return table(["network", "asked", "maps", *(f"{t}" for t in thresholds)], found)


def course(records: Records) -> str:
    """Labels, accuracy and knock-outs over the training of the first network."""
    keys, found = ("step", "accuracy", "labels", "overlap", "dealt_anew", "matching", "random"), []
    for before, network, sign in _cells(records):
        record = records.get(f"{before}.development.overlap")
        if record is not None:
            values = record.config["course"]
            found += [[network, sign, str(step), *(f"{values[k][i]:.3f}" for k in keys[1:])]
                      for i, step in enumerate(values["step"])]  # fmt: skip
    head = ["network", "asked", "step", "accuracy", "labelled", "final labels there",
            "dealt anew", "10 matching silenced", "10 random silenced"]  # fmt: skip
    return table(head, found)


def read_where(records: Records) -> str:
    """Accuracy of the probe on unseen pairs, after each block (down) and at each position."""
    head, found = ["network", "asked", "after block"], []
    for before, network, sign in _cells(records):
        record = records.get(f"{before}.probe.unseen_pairs")
        cells = {} if record is None else record.config.get("table", {})
        layers = sorted({key.split(" @ ")[0] for key in cells})
        roles = list(dict.fromkeys(key.split(" @ ")[1] for key in cells))
        head = head if len(head) > 3 else [*head, *roles]
        found += [[network, sign, layer, *(f"{cells[f'{layer} @ {role}']:.2f}" for role in roles)]
                  for layer in layers]  # fmt: skip
    return table(head, found)


def speed(records: Records) -> str:
    """Prompts per second of neuron maps beside those of a plain run."""
    found = []
    for claim, record in records.items():
        if claim.endswith(".speed.maps"):
            network = NETWORKS[claim.split(".")[2]]
            plain = record.controls["a run without maps"]
            found.append([network, seeds(record), f"{record.score:,.0f}", f"{plain:,.0f}"])
    return table(["network", "networks", "prompts per second", "a run without maps"], found)


def signs(records: Records) -> str:
    """Of the top neurons of two signs, the share that both have."""
    found = [[NETWORKS[claim.split(".")[2]], claim.split(".")[-1].replace("_", " and "),
              score(record), control("random neurons")(record)]
             for claim, record in records.items() if ".shared." in claim]  # fmt: skip
    return table(["network", "signs", "shared", "random neurons"], found)


def _seconds(r: Evidence) -> str:
    found = r.config.get("seconds", {})
    return ", ".join(f"{k} {v:.1f}" for k, v in found.items()) if isinstance(found, dict) else ""


def _config(key: str, form: str = "{}") -> Callable[[Evidence], str]:
    def read(r: Evidence) -> str:
        value = r.config.get(key, "–")
        return ", ".join(map(form.format, value)) if isinstance(value, list) else form.format(value)

    return read


_PLACE = [("place", _config("place"))]
TABLES: dict[str, Maker] = {
    "accuracy": _of("accuracy", "untrained", more=[("each", by_seed), PUBLISHED]),
    "labels": _of("labelled.published", "as smooth", "operands shuffled",
                  "neurons with least effect", "random neurons", "untrained", "linear",
                  "rectified", "noise", more=[PUBLISHED]),
    "fdr": _of("labelled.fdr", "as smooth", "operands shuffled", "neurons with least effect",
               "random neurons", "untrained"),
    "precision": _of("precision.published", "null: operands shuffled", "null: linear",
                     more=[("each", by_seed)]),
    "sweep": sweep,
    "knockout": partial(knockouts, rule="published"),
    "knockout_fdr": partial(knockouts, rule="fdr"),
    "knockout_mean": partial(knockouts, rule="mean"),
    "by_type": _of("by_type", "labels dealt anew", more=[("each", by_seed), PUBLISHED]),
    "alone": _of("published.alone", "without a label", "random", "all of the top",
                 "commonest answer"),
    "failures": _of("failures.contribution", "shuffled", more=[("each", by_seed)]),
    "failures_matching": _of("failures.matching", "shuffled", more=[("each", by_seed)]),
    "rebuilt": partial(families, what="rebuilt"),
    "removed": partial(families, what="removed"),
    "decision": _of("rebuilt.waves_less_patterns", "random sets less patterns",
                    more=[("each", by_seed)]),
    "kept": kept,
    "place": _of("place.all", "untrained", "mean of all places", more=_PLACE),
    "place_first": _of("place.first", "untrained", "mean of all places", more=_PLACE),
    "place_second": _of("place.second", "untrained", "mean of all places", more=_PLACE),
    "place_sign": _of("place.sign", "untrained", "mean of all places", more=_PLACE),
    "circuit": _of("circuit.faithfulness", "random_circuits", "best_random_circuit",
                   more=[("places of 40", _config("size")), PUBLISHED]),
    "edges": _of("edges.faithfulness", "random_circuits", "best_random_circuit"),
    "probe_pairs": _of("probe.unseen_pairs", "labels shuffled", "commonest answer",
                       "at second operand"),
    "read_where": read_where,
    "probe_answers": _of("probe.unseen_answers", "labels shuffled", "commonest answer",
                         "at second operand"),
    "attribution": _of("ranking.attribution", "shuffled", "halves", more=[("seconds", _seconds)]),
    "direct": _of("ranking.direct", "shuffled", "halves"),
    "development": _of("development.overlap", "labels dealt anew"),
    "course": course,
    "speed": speed,
    "signs": signs,
}  # fmt: skip

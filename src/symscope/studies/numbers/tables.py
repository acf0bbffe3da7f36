"""The tables of the study, one function each, from its pooled evidence."""

import re
from collections.abc import Iterable

from symscope.align.accept import verdict
from symscope.evidence import Evidence
from symscope.report.tables import (
    Maker,
    Records,
    bracketed,
    published,
    score,
    seeds,
    share,
    table,
    word,
)  # fmt: skip
from symscope.studies.numbers.published import FIGURE_3_RIGHT, FIGURE_4_LEFT, FIGURE_4_RIGHT
from symscope.studies.numbers.units import ARCHITECTURES, BEYOND, KINDS, WIDTH, WIDTHS

COLUMNS = {
    "Count (Up-Down)": "up_down.count.iia",
    "Phase (Up-Down)": "up_down.phase.iia",
    "Demo (Up-Up)": "up_up.demo.iia",
    "Resp (Up-Up)": "up_up.resp.iia",
    "Progress": "progress.progress.iia",
    "unchanged (Ctx-Distr)": "ctx_distr.unchanged.iia",
}
PHASES = {"demo → demo": "0:0", "demo → response": "0:1", "response → demo": "1:0",
          "response → response": "1:1"}  # fmt: skip
"""Source phase → base phase, and the key of its cell."""


def main_table(records: Records) -> str:
    """IIA with interval, published value and floor, by network and task."""
    rows = []
    for arch, kind in _networks():
        found = [records.get(f"numbers.{kind}.{arch}.{c}") for c in COLUMNS.values()]
        rows.append([arch, kind, seeds(found[0]), *map(_with_floor, found)])
    return table(["network", "task", "seeds", *COLUMNS], rows)


def short_table(records: Records) -> str:
    """Count's IIA beside the published value and its highest floor."""
    rows = []
    for arch, kind in _networks():
        record = records.get(f"numbers.{kind}.{arch}.up_down.count.iia")
        unchanged = records.get(f"numbers.{kind}.{arch}.ctx_distr.unchanged.iia")
        if record is None or record.score is None:
            continue
        rows.append([
            arch, kind, seeds(record), score(record), published(record),
            f"{verdict(record).floor:.3f}", score(unchanged), published(unchanged),
        ])  # fmt: skip
    head = ["network", "task", "seeds", "Count IIA", "published", "floor",
            "full swap changes nothing", "published"]  # fmt: skip
    return table(head, rows)


def accuracy_table(records: Records) -> str:
    """How many networks passed the gate, and the accuracy of those that did not."""
    rows = [
        [f"`{claim.removeprefix('numbers.').removesuffix('.accuracy')}`", seeds(r), _failed(r)]
        for claim, r in records.items()
        if re.fullmatch(r"numbers\.\w+\.\w+\.accuracy", claim) and "size" not in claim
    ]
    return table(["task.network", "passed", "not passed"], rows)


def controls_table(records: Records) -> str:
    """Every control of every variable, one line per claim."""
    claims = [r for c, r in records.items() if re.fullmatch(r"numbers\.\w+\.\w+\.\w+\.\w+\.iia", c)
              and r.score is not None and c.endswith(tuple(COLUMNS.values()))]  # fmt: skip
    names = list(dict.fromkeys(n for r in claims for n in r.controls))
    rows = [[_short(r), f"**{r.score:.3f}**{word(r)}"]
            + [f"{r.controls[n]:.2f}" if n in r.controls else "" for n in names]
            for r in claims]  # fmt: skip
    return table(["claim", "IIA", *(n.replace("_", " ") for n in names)], rows)


def phases_table(records: Records) -> str:
    """Count's IIA by the phases of source and base, one rotation for all and one for each."""
    rows = []
    for arch, kind in _networks():
        for variable in ("count", "count_by_phase"):
            record = records.get(f"numbers.{kind}.{arch}.up_down.{variable}.iia")
            if record is not None and record.score is not None:
                cells = record.config["phase"]
                rows.append([arch, kind, variable.replace("_", " "), seeds(record), score(record),
                             *(share(cells.get(k)) for k in PHASES.values())])  # fmt: skip
    return table(["network", "task", "variable", "seeds", "IIA", *PHASES], rows)


def size_table(records: Records) -> str:
    """Count's IIA in GRUs of several widths, and how far each goes on counting."""
    rows = []
    for width in sorted((WIDTH, *WIDTHS)):
        own = width == WIDTH  # the main table's networks
        record = records.get(
            "numbers.multi.gru.up_down.count.iia" if own else f"numbers.size.{width}.count.iia"
        )
        if record is not None:
            longer = "extrapolation.multi.gru" if own else f"size.{width}"
            beyond = [records.get(f"numbers.{longer}.n{n}") for n in BEYOND]
            no_op = "" if record.score is None else f"{record.controls['no_op']:.3f}"
            rows.append([str(width), seeds(record), score(record), published(record), no_op,
                         *map(_with_published, beyond)])  # fmt: skip
    return table(["width", "seeds", "Count IIA", "published", "no-op",
                  *(f"N = {n}" for n in BEYOND)], rows)  # fmt: skip


def training_table(records: Records) -> str:
    """Accuracy and Count's IIA over training."""
    rows = []
    for epoch, figures in FIGURE_3_RIGHT.items():
        cells = []
        for width, (accuracy, iia) in figures.items():
            record = records.get(f"numbers.training.{width}.epoch{epoch}.count.iia")
            mine = (
                ""
                if record is None or record.score is None
                else (f"{record.controls['accuracy']:.2f} / {record.score:.3f}{word(record)}")
            )
            cells.append(f"{mine} [{accuracy:.2f} / {iia:.3f}]")
        rows.append([str(epoch), *cells])
    widths = next(iter(FIGURE_3_RIGHT.values()))
    return table(["epoch", *(f"width {w}: accuracy / IIA" for w in widths)], rows)


def extrapolation_table(records: Records) -> str:
    """Accuracy beyond the trained range."""
    rows = []
    for arch, kind in _networks():
        found = [records.get(f"numbers.extrapolation.{kind}.{arch}.n{n}") for n in BEYOND]
        if any(found):
            rows.append([arch, kind, seeds(found[0]), *map(_with_published, found)])
    return table(["network", "task", "seeds", *(f"N = {n}" for n in BEYOND)], rows)


def distance_table(records: Records) -> str:
    """Count's IIA by |source − base|, and for held-out counts."""
    rows = []
    for kind, arch, width, record in _gradience(records):
        printed = FIGURE_4_RIGHT.get(width, ()) if (kind, arch) == ("multi", "gru") else ()
        cells = record.config["difference"]
        by = [share(cells.get(str(d))) for d in (0, 5, 10, 15, 19)]
        if printed:
            by = [f"{mine} [{value:.3f}]" for mine, value in zip(by, printed, strict=True)]
        held = [share(record.config.get(cell)) for cell in ("seen", "held_out")]
        claimed = records.get(f"numbers.{kind}.{arch}.up_down.count.iia" if width == WIDTH else
                              f"numbers.size.{width}.count.iia", record)  # fmt: skip
        rows.append([arch, kind, str(width), seeds(record), *by, *held, word(claimed).strip()])
    distances = [f"distance {d}" for d in (0, 5, 10, 15, 19)]
    head = ["network", "task", "width", "seeds", *distances, "trained N only", "a held-out N",
            "verdict"]  # fmt: skip
    return table(head, rows)


def gradience_table(records: Records) -> str:
    """Count's IIA by source count (rows) and base count (columns), all GRUs on Multi-Object."""
    total: dict[str, list[int]] = {}
    for kind, arch, _, record in _gradience(records):
        if (kind, arch) == ("multi", "gru"):
            for key, (right, n) in record.config.get("value", {}).items():
                cell = total.setdefault(key, [0, 0])
                cell[0], cell[1] = cell[0] + right, cell[1] + n
    bases = (1, 5, 10, 15, 20)
    rows = [
        [str(s), *(f"{share(total.get(f'{s}:{b}'))} [{value:.3f}]"
                   for b, value in zip(bases, printed, strict=True))]
        for s, printed in FIGURE_4_LEFT.items()
    ]  # fmt: skip
    return table(["source \\ base", *map(str, bases)], rows)


def variable_table(records: Records) -> str:
    """Transformers on the variable-length tasks: a full swap changes nothing."""
    wanted = r"numbers\.\w+_variable\.transformer\.ctx_distr\.unchanged\.iia"
    return _lines(records, wanted, "no_op", "machine_full_swap")


def attention_table(records: Records) -> str:
    """One more strength-value pair in the attention of the one-layer transformer."""
    return _lines(records, r"numbers\.\w+_minimal\.attention\.\w+", "no_op", "opposite_pair")


def same_table(records: Records) -> str:
    """What is Same-Object's variable? The hypotheses beside each other, Multi-Object too."""
    hypotheses = (
        r"up_down\.(count|count_by_phase|count_in_\w)|up_up\.(demo|resp)|progress\.progress"
    )
    wanted = rf"numbers\.(multi|same)\.(gru|lstm)\.({hypotheses})\.iia"
    return _lines(records, wanted, "no_op", "untrained_network", "shuffled_sources")


def together_table(records: Records) -> str:
    """Count, Phase and a null block in one rotation; Phase flipped more than once."""
    wanted = r"numbers\.\w+\.\w+\.up_down\.(\w+_together|phase_flipped_\w+)\.iia"
    return _lines(records, wanted, "no_op", "untrained_rotation")


def maps_table(records: Records) -> str:
    """Rotation (OAF) against a linear map (LAF), on trained and untrained networks."""
    wanted = r"numbers\.\w+\.\w+\.up_down\.count_(oaf|laf)\.iia"
    return _lines(records, wanted, "no_op", "untrained_network", "shuffled_sources")


def search_table(records: Records) -> str:
    """Other subspace sizes, other starts, another rate, more steps."""
    return _lines(records, r"numbers\.search\..*", "no_op", "full_swap")


def heads_table(records: Records) -> str:
    """Count with the main table's head and with the other one: a norm before it, or none."""
    heads = r"multi\.(gru|lstm)\.up_down\.count|other_head\.\w+\.\w+\.(count|count_by_phase)"
    return _lines(records, rf"numbers\.({heads})\.iia", "no_op", "full_swap")


def longer_table(records: Records) -> str:
    """Count as trained, with one rotation per phase, and after longer training."""
    wanted = {
        "one rotation": "numbers.{}.up_down.count.iia",
        "one per phase": "numbers.longer.{}.count_by_phase_before.iia",
        "longer training": "numbers.longer.{}.count.iia",
    }
    rows = []
    for arch, kind in _networks():
        found = {name: records.get(claim.format(f"{kind}.{arch}"))
                 for name, claim in wanted.items()}  # fmt: skip
        if found["longer training"] is not None:
            first = found["one rotation"]
            rows.append([arch, kind, published(first),
                         *map(_each, found.values())])  # fmt: skip
    return table(["network", "task", "published", *wanted], rows)


TABLES: dict[str, Maker] = {
    f.__name__.removesuffix("_table"): f
    for f in (main_table, short_table, accuracy_table, controls_table, phases_table, size_table,
              training_table, extrapolation_table, distance_table, gradience_table, variable_table,
              attention_table, same_table, together_table, maps_table, search_table,
              heads_table, longer_table)
}  # fmt: skip


def _networks() -> Iterable[tuple[str, str]]:
    return ((arch, kind) for arch in ARCHITECTURES for kind in KINDS)


def _gradience(records: Records) -> Iterable[tuple[str, str, int, Evidence]]:
    """Task, network, width and record of each gradience claim."""
    for claim, record in sorted(records.items()):
        named = re.fullmatch(r"numbers\.gradience\.(\w+)\.(\w+)\.(\d+)\.count\.iia", claim)
        if named and "difference" in record.config:
            yield named[1], named[2], int(named[3]), record


def _lines(records: Records, wanted: str, *controls: str) -> str:
    """One line per claim that matches, with some of its controls."""
    rows = [
        [_short(r), seeds(r), score(r), published(r) or "–", str(r.n)]
        + [f"{r.controls[c]:.3f}" if c in r.controls else "–" for c in controls]
        for claim, r in sorted(records.items())
        if re.fullmatch(wanted, claim)
    ]
    head = ["claim", "seeds", "score", "published", "n"]
    return table([*head, *(c.replace("_", " ") for c in controls)], rows)


def _each(record: Evidence | None) -> str:
    """The score, and those of the networks behind it."""
    if record is None or record.score is None:
        return score(record)
    each = " ".join(f"{value:.3f}".lstrip("0") for value in record.config.get("by_seed", ()))
    return f"{score(record)}: {each}"


def _failed(record: Evidence) -> str:
    """The parts of the note that name seeds below the gate."""
    return "; ".join(p for p in record.note.split("; ") if "not analysed" in p) or "–"


def _short(record: Evidence) -> str:
    return f"`{record.claim.removeprefix('numbers.').removesuffix('.iia')}`"


def _with_floor(record: Evidence | None) -> str:
    if record is None or record.score is None:
        return score(record)
    floor, name = ("machine_full_swap", "counter") if record.unit == "unchanged" else (
        "no_op", "no-op")  # fmt: skip
    said = f", {name} {record.controls[floor]:.2f}" if floor in record.controls else ""
    return f"{score(record)}{bracketed(record)}{said}"


def _with_published(record: Evidence | None) -> str:
    if record is None or record.score is None:
        return ""
    return f"{record.score:.3f}{bracketed(record)}"

"""The tables of the page on numbers: precision, threads and leaks."""

from symscope.evidence import Evidence
from symscope.report.tables import Maker, Records, table

PRECISION, THREADS, LEAKS = (f"reliability.{name}." for name in ("precision", "threads", "leaks"))


def precision_table(records: Records) -> str:
    """Each method in float32 beside float64."""
    rows = []
    for claim, record in records.items():
        if not claim.startswith(PRECISION):
            continue
        searches, control = record.config["searches"], record.controls
        same = f"{record.config['same_way']} of {len(record.seeds)}" if searches else "–"
        coarse = control.get("rounded to bfloat16")
        rows.append([
            f"`{claim.removeprefix(PRECISION)}`", f"{record.config['largest_difference']:.0e}",
            f"{record.score:.0e}" if searches else "–", same,
            "–" if coarse is None else f"{coarse:.0e}", f"{control['another seed']:.0e}",
            "yes" if (record.score or 0) <= record.config["bound"] else "no",
        ])  # fmt: skip
    head = ["method", "largest difference of numbers", "difference of scores",
            "seeds that went the same way", "control: rounded to bfloat16",
            "control: another seed", "within its bound"]  # fmt: skip
    return table(head, rows)


def threads_table(records: Records) -> str:
    """How many tensors are the same to the last bit, by method."""
    names = dict.fromkeys(c.split(".")[2] for c in records if c.startswith(THREADS))
    rows = []
    for name in names:
        found = [records.get(f"{THREADS}{name}.{pair}")
                 for pair in ("one_thread", "two_threads", "one_and_two")]  # fmt: skip
        last = found[-1]
        if last is None:
            continue
        scores = last.config["scores"]
        rows.append([
            f"`{name}`", *map(_identical, found), f"{last.config['largest_difference']:.0e}",
            f"{abs(scores[0] - scores[1]):.0e}", f"{last.controls['another seed']:.2f}",
        ])  # fmt: skip
    head = ["method", "one thread, twice", "two threads, twice", "one and two",
            "largest difference, one and two", "difference of scores, one and two",
            "control: another seed"]  # fmt: skip
    return table(head, rows)


def leaks_table(records: Records) -> str:
    """What many runs leave on the modules and in memory."""
    rows = []
    for claim, record in records.items():
        if not claim.startswith(LEAKS):
            continue
        subject, kind = claim.removeprefix(LEAKS).split(".")
        grown = record.config
        rows.append([
            subject.replace("_", " "), kind.replace("_", " "),
            f"{round((record.score or 0) * record.n)} of {record.n}",
            f"{grown['tensors_per_run']:.2f}", f"{grown['objects_per_run']:.2f}",
            f"{grown['bytes_per_run']:.0f}", f"{grown['resident_grown'] / 2**20:.1f}",
            f"{max(record.controls.values()):.0f}",
        ])  # fmt: skip
    head = ["network", "run", "runs that left nothing", "tensors per run", "objects per run",
            "bytes per run", "the process, MiB in all", "control"]  # fmt: skip
    return table(head, rows)


TABLES: dict[str, Maker] = {
    f.__name__.removesuffix("_table"): f for f in (precision_table, threads_table, leaks_table)
}


def _identical(record: Evidence | None) -> str:
    return "–" if record is None else f"{round((record.score or 0) * record.n)} of {record.n}"

"""The tables of what happens when things go wrong, and of what a sweep costs."""

from symscope.report.tables import Maker, Records, table


def checks(records: Records) -> str:
    """Every check with its cases, the share that went right, and the same where it must fail."""
    rows = []
    for record in records.values():
        what = record.claim.split(".", 2)[2].replace("_", " ").replace(".", ", ")
        right = "–" if record.score is None else (
            f"**{record.score:.3f}** ({record.low:.3f}–{record.high:.3f})")  # fmt: skip
        beside = ", ".join(f"{k.replace('_', ' ')} {v:.2f}" for k, v in record.controls.items())
        rows.append([what, f"{record.n:,}", right, beside or "–", record.note or "–"])
    return table(["what", "cases", "went right", "where it must fail", "remark"], rows)


def sweep(records: Records) -> str:
    """Speed-up and overhead, round by round; whole sweeps of jobs that do nothing."""
    said = {"speedup": "64 jobs in two processes for one", "overhead.local": "overhead, local",
            "overhead.ray": "overhead, Ray", "overhead.cells": "local, with files"}  # fmt: skip
    rows = []
    for name, what in said.items():
        record = records.get(f"reliability.sweep.{name}")
        if record is not None and record.score is not None:
            rounds = f"**{record.score:.2f}** ({record.low:.2f}–{record.high:.2f})"
            rows.append([what, f"{record.config['jobs']:,}", rounds, record.unit])
    return table(["what", "jobs", "median (lowest–highest round)", "unit"], rows)


def many(records: Records) -> str:
    """Of whole sweeps: seconds by part, memory and files, by the number of jobs."""
    found = [r for c, r in records.items() if c.startswith("reliability.sweep.jobs.")]
    parts = [name for name in found[0].config if name != "made"] if found else []
    rows = [[f"{r.n:,}", *(str(r.config[name]) for name in parts)] for r in found]
    return table(["jobs", *parts], rows)


TABLES: dict[str, Maker] = {"checks": checks, "sweep": sweep, "many": many}

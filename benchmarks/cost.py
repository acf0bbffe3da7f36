"""How far the estimates of memory and time are from what is measured, method by method.

Each point is one method at one size, in a process of its own: what it adds to the process's highest
resident size, and the CPU seconds of one thread. Of every method the points marked `fit` give its
two factors, `symscope.cost.FITTED`: the geometric mean of measured / counted. The other points are
estimated with these factors, and are what the table is about. How fast the machine is at products,
at moving bytes and at calls is measured first, as before every run (`room.speed_of`).

    OMP_NUM_THREADS=1 python benchmarks/cost.py      writes results/performance/cost.json
    python benchmarks/cost.py --table                the table of docs/scale.md from it
    python benchmarks/cost.py --recount              count what was measured anew
    python benchmarks/cost.py --quick                one point per method, nothing written

Where the factors that come out are not those in the source, it says so and prints them. Linux only.
"""

import argparse
import ctypes
import json
import math
import multiprocessing
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parent))

from cost_points import POINTS, Point, counted
from cost_runs import prepared
from recorded import ROOT, command, described, write_record
from symscope.cost import FITTED
from symscope.room import Speed, amount, duration, speed_of

RESULTS = ROOT / "results" / "performance" / "cost.json"
PAGE = ROOT / "docs" / "scale.md"
BEGIN, END = "<!-- cost: begin (benchmarks/cost.py --table) -->", "<!-- cost: end -->"
MEMORY_AIM, TIME_AIM = 1.5, 2.0


def measure(point: Point) -> dict[str, float]:
    """Bytes and CPU seconds of one point, in this process."""
    run = prepared(point)
    ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")  # the highest resident size starts anew
    before, began = _resident("VmRSS"), time.process_time()
    run()
    seconds = time.process_time() - began
    return {"memory": 1024.0 * (_resident("VmHWM") - before), "seconds": seconds}


def apart(point: Point) -> dict[str, float]:
    """The same in a process of its own, forked so that nothing has to be loaded again."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=lambda: sender.send(measure(point)))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise RuntimeError(f"{point}: the process ended without a result") from None
    finally:
        child.join()


def _resident(kind: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(kind))


def _warm_up() -> None:
    """What any first step loads is not the method's."""
    module = torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.GELU())
    optimiser = torch.optim.Adam(module.parameters())
    module(torch.nn.GRU(8, 8)(torch.ones(2, 2, 8))[0]).sum().backward()
    optimiser.step()


def factors(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[float, float]]:
    """Method → geometric mean of measured / counted on the points to fit by, two digits."""
    found = {}
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method and row["fit"]]
        found[method] = tuple(_rounded(_mean([row[of] / row[f"counted_{of}"] for row in mine]))
                              for of in ("memory", "seconds"))  # fmt: skip
    return found  # type: ignore[return-value]


def _mean(ratios: Sequence[float]) -> float:
    return math.exp(sum(map(math.log, ratios)) / len(ratios))


def _rounded(x: float) -> float:
    return float(f"{x:.2g}")


def row_of(point: Point, found: Mapping[str, float], speed: Speed) -> dict[str, Any]:
    """What was measured beside what is counted without any factor."""
    cost = counted(point)
    return {**asdict(point), **found, "counted_memory": cost.memory,
            "counted_seconds": speed.seconds(cost)}  # fmt: skip


def estimated(rows: list[dict[str, Any]], fitted: Mapping[str, tuple[float, float]]) -> None:
    """Add to each row what the estimate is, and how many times as much was measured."""
    for row in rows:
        for of, factor in zip(("memory", "seconds"), fitted[row["method"]], strict=True):
            row[f"estimated_{of}"] = factor * row[f"counted_{of}"]
            row[f"{of}_ratio"] = row[of] / row[f"estimated_{of}"]


def table(record: Mapping[str, Any]) -> str:
    """A line per method: its points, and how far off the estimates were on those not fitted by."""
    lines = [["method", "memory measured", "measured / estimated", "time measured",
              "measured / estimated", "factors"], ["---"] * 6]  # fmt: skip
    rows, missed = record["rows"], []
    for method in dict.fromkeys(row["method"] for row in rows):
        mine = [row for row in rows if row["method"] == method and not row["fit"]]
        spread = {of: [row[f"{of}_ratio"] for row in mine] for of in ("memory", "seconds")}
        low, high = ({of: f([row[of] for row in mine]) for of in spread} for f in (min, max))
        memory, seconds = record["fitted"][method]
        lines.append([
            method.replace("_", " "),
            f"{amount(low['memory'])} to {amount(high['memory'])}", _spread(spread["memory"]),
            f"{low['seconds']:.2g} to {high['seconds']:.2g} s", _spread(spread["seconds"]),
            f"{memory:g} and {seconds:g}",
        ])  # fmt: skip
        missed += [f"{method.replace('_', ' ')} at {_sizes(row)}: {kind} {row[f'{of}_ratio']:.2f}"
                   for of, kind, aim in (("memory", "memory", MEMORY_AIM),
                                         ("seconds", "time", TIME_AIM))
                   for row in mine if not 1 / aim <= row[f"{of}_ratio"] <= aim]  # fmt: skip
    held = [row for row in rows if not row["fit"]]
    inside = {of: sum(1 / aim <= row[f"{of}_ratio"] <= aim for row in held)
              for of, aim in (("memory", MEMORY_AIM), ("seconds", TIME_AIM))}  # fmt: skip
    said = (
        f"Of {len(held)} points that no factor was fitted on, {inside['memory']} are within a"
        f" factor of {MEMORY_AIM:g} in memory and {inside['seconds']} within {TIME_AIM:g} in time."
    )
    outside = f" Outside (measured / estimated): {'; '.join(missed)}." if missed else ""
    fits = [f"{row['method'].replace('_', ' ')}: {_sizes(row)}" for row in rows if row["fit"]]
    return "\n\n".join([
        "\n".join(f"| {' | '.join(line)} |" for line in lines), said + outside,
        "Fitted on: " + "; ".join(fits) + ".", f"- {_origin(record)}",
    ])  # fmt: skip


def _sizes(row: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in row["sizes"].items())


def _spread(ratios: Sequence[float]) -> str:
    return f"{_mean(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def _origin(record: Mapping[str, Any]) -> str:
    speed, machine = record["speed"], record["machine"]
    changed = " with changes" if record["changed_files"] else ""
    return (
        f"`{record['command']}`: commit {record['commit'][:10]}{changed}; torch"
        f" {record['versions']['torch']}; {machine['processor']}, {machine['cores']} cores, 1"
        f" thread: {speed['operations'] / 1e9:.0f}·10⁹ operations, {amount(speed['moved'])} and"
        f" {speed['calls'] / 1e3:.0f} thousand calls a second; {duration(record['seconds'])}."
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, or write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="one point each, nothing written")
    parser.add_argument("--table", action="store_true", help="write the table from the results")
    parser.add_argument("--recount", action="store_true", help="count anew, measure nothing")
    parser.add_argument("--only", default="", help="methods whose name has this in it")
    parser.add_argument("--out", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    if asked.recount:
        _recount(asked.out)
        return 0
    if asked.table:
        _write_table(asked.out)
        return 0
    torch.set_num_threads(1)
    _warm_up()
    began, speed = time.monotonic(), speed_of("cpu", seconds=1.0)
    wanted = [p for p in POINTS if asked.only in p.method]
    if asked.quick:
        wanted = list({p.method: p for p in reversed(wanted)}.values())
    rows = []
    for point in wanted:
        rows.append(row_of(point, apart(point), speed))
        _tell(rows[-1])
    fitted = factors(rows)
    if asked.quick:
        return 0
    estimated(rows, fitted)
    if any(FITTED.get(name) != pair for name, pair in fitted.items()):
        print(f"the source has other factors than these: {fitted}")
    if not asked.only:
        made = described(command("plain", "cost", []), began)
        write_record(asked.out, {**made, "speed": asdict(speed), "fitted": fitted, "rows": rows})
    return 0


def _recount(path: Path) -> None:
    """Counts, factors and estimates anew, of the measurements that are there."""
    record = json.loads(path.read_text(encoding="utf8"))
    speed, rows = Speed(**record["speed"]), []
    for row in record["rows"]:
        point = Point(row["method"], row["fit"], row["sizes"])
        rows.append(row_of(point, {of: row[of] for of in ("memory", "seconds")}, speed))
    fitted = factors(rows)
    estimated(rows, fitted)
    print(f"factors: {fitted}")
    write_record(path, {**record, "fitted": fitted, "rows": rows})


def _tell(row: Mapping[str, Any]) -> None:
    print(f"{row['method']}: {_sizes(row)}: {amount(row['memory'])}, counted"
          f" {amount(row['counted_memory'])} ({row['memory'] / row['counted_memory']:.2f});"
          f" {row['seconds']:.2f} s, counted {row['counted_seconds']:.2f}"
          f" ({row['seconds'] / row['counted_seconds']:.2f})", flush=True)  # fmt: skip


def _write_table(path: Path) -> None:
    before, rest = PAGE.read_text(encoding="utf8").split(BEGIN)
    _, after = rest.split(END)
    text = table(json.loads(path.read_text(encoding="utf8")))
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n\n{END}{after}", encoding="utf8")


if __name__ == "__main__":
    sys.exit(main())

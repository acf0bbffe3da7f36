"""What is counted from the units of the 62 tasks, and the tables made of it."""

from dataclasses import replace

import pytest

from symscope.evidence import Evidence, read_evidence, write_evidence
from symscope.jobs import count
from symscope.studies.programs.__main__ import extraction_units
from symscope.studies.programs.published import BY_GPT, SOLVED
from symscope.studies.programs.tables import TABLES, counted
from symscope.tasks import ALGORITHMS


def unit(claim: str, score: float, seed: int, **config) -> Evidence:
    return Evidence(claim, score, None, None, 1, seeds=[seed], seconds=2.0, config=config)


def solved(seed: int, score: float = 1.0) -> list[Evidence]:
    said = "proved for all lengths: extracted equals div_3 (x 0..1; product machine)"
    grounding = {"variance": 1e-5, "repeated": 1.0, "equal": 1.0, "different": 1.0,
                 "grounded": seed < 2}  # fmt: skip
    return [
        unit("programs.div_3.solved", score, seed, route="registers", said=said,
             grounding=grounding, seconds_to_prove=0.25),
        unit("programs.div_3.generalises", 1.0, seed),
        unit("programs.div_3.proof", score, seed),
        unit("programs.div_3.length", 20.0 + seed, seed),
    ]  # fmt: skip


def test_the_share_of_seeds_is_counted_and_each_seed_is_kept():
    records = {e.claim: e for e in counted([*solved(0), *solved(2, 0.0), *solved(1)])}
    found = records["programs.div_3.solved"]
    assert found.score == pytest.approx(2 / 3) and list(found.seeds) == [0, 1, 2]
    assert found.low < 2 / 3 < found.high and found.source["value"] == 0.0
    assert found.config["by_seed"] == [1.0, 1.0, 0.0]
    assert records["programs.div_3.length"].score == 21.0


def test_every_task_has_a_row_tried_or_not():
    records = {e.claim: e for e in counted([*solved(0), *solved(1), *solved(2)])}
    lines = TABLES["tasks"](records).splitlines()
    assert len(lines) == 2 + 62 and len({line.count(" | ") for line in lines}) == 1
    (row,) = (line for line in lines if "`div_3`" in line)
    assert "| no | yes | 3 of 3 | registers | 21 | 1 of all 1 | 1 | for all lengths |" in row
    assert row.endswith("| yes, yes, not shown | – | 2 | 0.25 |")
    totals = TABLES["totals"](records)
    assert "| solved in most seeds | 1 |" in totals and "| published: MIPS | 32 |" in totals
    assert "in the states in most seeds | 1 |" in totals and "answers alone | 0 |" in totals
    assert "| … that neither published system solved | 0 |" in totals  # GPT-4 Turbo did


def test_a_program_that_lists_numbers_is_marked_as_a_table():
    rules = {"rules": {"y": "x in (0, 1, 4)"}, "output": "y", "route": "feedback", "said": "",
             "grounding": None}  # fmt: skip
    records = {e.claim: e for e in counted([unit("programs.div_5.solved", 1.0, 0, **rules)])}
    totals = TABLES["totals"](records)
    assert "feedback, table" in TABLES["tasks"](records) and "written as a table | 1 |" in totals
    assert "that neither published system solved | 1 |" in totals
    assert "in the states in most seeds | 0 |" in totals and "answers alone | 1 |" in totals


def test_costs_are_the_median_and_the_worst_network():
    records = [replace(r, seconds=float(s)) for s in (3, 1) for r in solved(s)[:1]]
    other = replace(solved(0)[0], claim="programs.div_5.solved", seconds=8.0)
    lines = TABLES["costs"]({e.claim: e for e in counted([*records, other])}).splitlines()
    assert lines[2] == "| to extract | seconds | 3 | 8 (`div_5`) | 0.0033 hours | 3 |"
    assert [line.split(" | ")[0] for line in lines[2:]] == ["| to extract", "| to prove"]


def test_the_published_ones_are_tasks():
    assert set(SOLVED) < set(ALGORITHMS) and len(set(SOLVED)) == 32
    assert set(BY_GPT) < set(ALGORITHMS) and len(set(BY_GPT)) == 30
    assert len(set(SOLVED) - set(BY_GPT)) == 13 and len(set(BY_GPT) - set(SOLVED)) == 11


def test_only_networks_that_are_there_are_extracted_from(tmp_path):
    for name in ("div_3-1", "parity_all-0", "nonsense-0", "div_3-x"):
        (tmp_path / f"{name}.safetensors").touch()
    assert extraction_units(tmp_path) == [("extract", "parity_all", "0"), ("extract", "div_3", "1")]


def test_units_are_counted_into_one_file(tmp_path):
    folder = tmp_path / "programs"
    write_evidence(folder / "units" / "extract-div_3-0.json", solved(0))
    count(folder, counted, "symscope bench programs")
    found = {e.claim: e for e in read_evidence(tmp_path / "programs.json")}
    assert found["programs.div_3.solved"].config["command"] == "symscope bench programs"

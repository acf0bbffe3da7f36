"""The controls of the 62 tasks: each sees what it is there to see."""

from dataclasses import replace

from by_hand import last, network, parity
from symscope.evidence import (
    Counterexample,
    Evidence,
    Proof,
    SymscopeError,
    Unknown,
    write_evidence,
)
from symscope.models.copies import Shape
from symscope.models.load import save_network
from symscope.program import Program, Variable
from symscope.programs.printing import python_source
from symscope.studies.programs import search
from symscope.studies.programs.__main__ import control_units
from symscope.studies.programs.controls import changed, untrained
from symscope.studies.programs.controls.changed import changed_constants, changed_unit, outcome
from symscope.studies.programs.controls.counting import TABLES, counted_controls
from symscope.studies.programs.controls.misfiled import alike, misfiled_unit
from symscope.studies.programs.controls.untrained import untrained_unit
from symscope.studies.programs.controls.wrong_states import (
    late,
    with_idle_register,
    wrong_states_unit,
)
from symscope.tasks import ALGORITHMS, algorithm
from symscope.train_copies import Plan, answers_right, train_copies, untrained_copy

BIT = (Variable("x", 0, 1),)
ODD = Program("odd", BIT, (Variable("odd", 0, 1),), {"odd": "(odd + x) % 2 if odd < 5 else 0"},
              "odd", start={"odd": 0})  # fmt: skip
LARGE = (Variable("x", 0, 99),)
SUM = Program("sum", LARGE, (Variable("answer", 0, 990),), {"answer": "answer + x"}, "answer",
              start={"answer": 0})  # fmt: skip


def extracted(folder, name, program, score=1.0):
    record = Evidence(f"programs.{name}.solved", score, None, None, 1, seeds=[0],
                      config={"source": python_source(program)})  # fmt: skip
    write_evidence(folder / "units" / f"extract-{name}-0.json", [record])


def running_sum():
    """h' = h + x, y = h."""
    return network(([[1, 1]], [0]))


def saved(folder, name, made):
    form = {"architecture": "real_mlp", "inputs": 1, "width": made.rnn.width, "outputs": 1,
            "f": (made.rnn.f[0].out_features, (len(made.rnn.f) + 1) // 2), "g": (1, 1)}  # fmt: skip
    save_network(folder / f"{name}-0.safetensors", made.float(), form)
    return {"networks": str(folder), "extracted": str(folder), "seconds": 1.0}


def test_an_untrained_network_is_the_one_that_training_begins_with():
    task, plan = algorithm("bitwise_not"), Plan(copies=2, batch=8, steps=10, cool=5)
    _, evidence = train_copies(task, 2, (1, 1), plan=plan, seed=4)
    before = untrained_copy(task, 2, (1, 1), plan=plan, seed=4)
    share = float(answers_right(before, task, 4 + 10**6)[0].float().mean())
    assert share == evidence.controls["untrained"] < 1
    other = untrained_copy(task, 2, (1, 1), plan=plan, seed=5)
    assert not other.g[0].weight.equal(before.g[0].weight)


def test_what_an_untrained_network_gives_is_not_the_rule(tmp_path):
    settings = {"seconds": 0.1}
    (none,) = untrained_unit(("untrained", "sum_last3", "0"), settings, tmp_path)
    assert none.score == 0 and "source" not in none.config and none.config["network_right"] < 1
    (some,) = untrained_unit(("untrained", "parity_all", "0"), settings, tmp_path)
    assert (
        some.score == 0 and some.config["share_right"] < 1 and "def step" in some.config["source"]
    )


def test_an_untrained_network_that_gave_the_rule_would_be_counted(tmp_path, monkeypatch):
    monkeypatch.setattr(untrained, "untrained_copy", lambda *_: running_sum())
    (found,) = untrained_unit(("untrained", "sum_all", "0"), {"seconds": 0.1}, tmp_path)
    assert found.score == found.config["share_right"] == 1
    (total, _) = counted_controls([found])
    assert (total.claim, total.score, total.config["programs"]) == (
        "programs.controls.untrained", 1, 1)  # fmt: skip


def test_tasks_alike_have_the_same_inputs_and_length():
    assert alike("sum_last7")[:2] == ["prev5", "sum_last5"]  # the list goes round
    assert alike("bitwise_xor")[0] == "bitwise_or" and alike("dithering") == []
    for name in ALGORITHMS:
        assert name not in alike(name)
        for other in alike(name):
            assert algorithm(name).length == algorithm(other).length
            ranges = [[(v.low, v.high) for v in algorithm(n).program.inputs] for n in (name, other)]
            assert ranges[0] == ranges[1]


def test_a_misfiled_network_gives_the_program_of_its_own_task(tmp_path):
    assert alike("parity_last4")[0] == "parity_all"
    unit = ("misfiled", "parity_last4", "0")
    settings = saved(tmp_path, "parity_all", parity())
    (found,) = misfiled_unit(unit, settings, tmp_path)
    assert found.score == 1 and found.config["as_its_own"].startswith("proved for all lengths")
    assert found.config["as_filed"].startswith("refuted: extracted equals parity_last4")
    saved(tmp_path, "parity_all", last(1))  # neither of the two
    (found,) = misfiled_unit(unit, settings, tmp_path)
    assert found.score == 0 and found.config["as_its_own"].startswith("refuted")


def test_every_integer_is_changed_up_and_down():
    words = [w for w, _ in changed_constants(ODD)]
    assert sorted(words) == sorted([
        "2 → 1 in odd", "2 → 3 in odd", "5 → 4 in odd", "5 → 6 in odd", "0 → -1 in odd",
        "0 → 1 in odd", "odd starts at -1", "odd starts at 1",
    ])  # fmt: skip
    programs = dict(changed_constants(replace(ODD, output="odd + 1")))
    assert {p.output for p in programs.values()} == {"odd + 1", "odd + 0", "odd + 2"}
    assert programs["2 → 3 in odd"].rules["odd"] == "(odd + x) % 3 if odd < 5 else 0"


def test_changes_that_matter_are_refuted_and_the_others_counted_apart(tmp_path):
    extracted(tmp_path, "parity_all", ODD)
    settings = {"extracted": str(tmp_path)}
    (found,) = changed_unit(("changed", "parity_all", "0"), settings, tmp_path)
    assert found.score == 1 and found.n == 4 and found.config["changes"] == 8
    assert found.config["kinds"] == {"found": 4, "idle": 4, "unknown": 0, "refused": 0,
                                     "not replayed": 0, "false proof": 0}  # fmt: skip
    assert sorted(found.config["others"]) == [
        "idle: 0 → -1 in odd",
        "idle: 0 → 1 in odd",
        "idle: 5 → 4 in odd",
        "idle: 5 → 6 in odd",
    ]
    extracted(tmp_path, "parity_all", ODD, score=0.0)
    (none,) = changed_unit(("changed", "parity_all", "0"), settings, tmp_path)
    assert none.score is None and "no right program" in none.note


def test_a_false_proof_and_an_idle_counterexample_would_be_seen(monkeypatch):
    task = algorithm("parity_all")
    wrong = replace(ODD, rules={"odd": "(odd + x) % 3"})
    said = {
        "false proof": (wrong, Proof("", "", "", 0)),
        "idle": (ODD, Proof("", "", "", 0)),
        "not replayed": (wrong, Counterexample("", [1], 1, 0, 0)),
        "found": (wrong, Counterexample("", [1, 1], 0, 2, 1)),
        "unknown": (wrong, Unknown("", "", (), 0)),
    }
    for kind, (program, answer) in said.items():
        monkeypatch.setattr(changed, "equivalent", lambda *_, a=answer, **__: a)
        assert outcome(program, task, 0)[0] == kind

    def refuses(*_, **__):
        raise SymscopeError("divides by zero")

    monkeypatch.setattr(changed, "equivalent", refuses)
    assert outcome(wrong, task, 0)[0] == "refused"


def test_wrong_programs_and_idle_registers_are_not_in_the_states(tmp_path):
    settings = saved(tmp_path, "sum_all", running_sum())
    extracted(tmp_path, "sum_all", SUM)
    here = replace(SUM, rules={"answer": "x"})
    extracted(tmp_path, "current_number", here)
    assert alike("sum_all")[0] == "sum_last2"  # it would come first, but has two registers
    extracted(tmp_path, "sum_last2", with_idle_register(here))
    records = wrong_states_unit(("states", "sum_all", "0"), settings, tmp_path)
    scores = {r.claim.split(".")[3]: (r.score, r.n) for r in records}
    assert scores == {"another": (0, 1), "late": (0, 1), "changed": (None, 0), "start": (0, 2),
                      "idle": (0, 1)}  # fmt: skip
    (stranger,) = records[0].config["programs"]
    assert stranger["what"] == "current_number" and stranger["variance"] > 0.1


def test_a_program_with_late_inputs_answers_one_step_late():
    sums = late(SUM).run([1, 2, 3, 4]).output
    assert sums == [0, 1, 3, 6]


def test_the_search_stands_beside_the_published_shape(tmp_path, monkeypatch):
    plans = []

    def smallest(task, seconds, plan, seed):
        plans.append(plan)
        return Shape(1, 3, 1), True

    monkeypatch.setattr(search, "smallest_shape", smallest)
    (found,) = search.search_unit(("smallest", "prev3", "0"), {}, tmp_path)
    assert found.claim == "programs.controls.smallest.prev3" and found.score == 1
    assert plans[0].copies == 5 and plans[0].double
    row = TABLES["smallest"]({found.claim: found}).splitlines()[2]
    assert "3 states; f affine, g affine | 4 states; f affine, g affine | yes" in row


def test_networks_of_seed_0_are_controlled_and_three_untrained_ones_of_each_task(tmp_path):
    for name in ("div_3-0", "parity_all-0", "parity_all-1"):
        (tmp_path / f"{name}.safetensors").touch()
    units = control_units(tmp_path)
    assert [u for u in units if u[0] == "changed"] == [("changed", "parity_all", "0"),
                                                       ("changed", "div_3", "0")]  # fmt: skip
    filed = [u[1] for u in units if u[0] == "misfiled"]
    assert [alike(name)[0] for name in filed] == ["parity_all", "div_3"]
    assert len({u for u in units if u[0] == "untrained"}) == 186


def test_controls_are_counted_over_tasks_and_said_in_a_table():
    def record(claim, score, n, **config):
        return Evidence(f"programs.controls.{claim}", score, None, None, n, seeds=[0],
                        config=config)  # fmt: skip

    kinds = {"found": 3, "idle": 2, "unknown": 1, "refused": 0, "not replayed": 0, "false proof": 0}
    records = counted_controls([
        record("changed.div_3", 0.75, 4, kinds=kinds), record("changed.sum_all", 1.0, 6, kinds={}),
        record("changed.prev1", None, 0, kinds={"idle": 2}),
        record("misfiled.div_3", 1.0, 1), record("misfiled.prev1", 0.0, 1),
        record("states.changed.div_3", 0.5, 4), record("states.changed.prev1", None, 0),
        record("untrained.div_3", 0.0, 1024, network_right=0.0),
        record("untrained.prev1", 0.0, 9, network_right=0.0, source="def", share_right=0.25),
    ])  # fmt: skip
    found = {r.claim: r for r in records}
    assert found["programs.controls.changed"].score == 0.9
    assert found["programs.controls.changed"].config["kinds"]["idle"] == 4
    assert found["programs.controls.misfiled"].score == 0.5
    assert found["programs.controls.states.changed"].config == {"yes": 2, "without": 1}
    assert found["programs.controls.changed.div_3"].n == 4
    text = TABLES["controls"](found)
    assert "| 9 of 10 | all | 1 undecided, 0 false proofs" in text
    assert "| 0 of 2 | 0 | 1 give any program; the best of these answers 0.25" in text
    assert "| – | 0 | not run |" in text and "| 1 of 2 | all |" in text

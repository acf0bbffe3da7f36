"""Counting tasks against formulas computed from the tokens alone."""

import re
from dataclasses import replace

import pytest
import torch

from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.programs.counting import ANY, up_down
from symscope.task import IGNORE, joined
from symscope.tasks.numbers import BOS, D1, EOS, HELD_OUT, KINDS, PAD, VOCABULARY, Counting, R, T, V

LETTERS = dict(enumerate("PBE123RTV"))
TASKS = {
    **{kind: Counting(kind) for kind in KINDS},
    **{f"{kind} with voids": Counting(kind, void=0.2) for kind in KINDS},
    "multi minimal": Counting("multi", minimal=True),
    "single minimal with voids": Counting("single", void=0.3, minimal=True),
    "multi to 30": Counting("multi", highest=30, held_out=()),
    "same to 3": Counting("same", highest=3, held_out=(2,)),
}
EVERY_PROGRAM = [(name, program) for name, task in TASKS.items() for program in task.programs]
tasks = pytest.mark.parametrize("name", TASKS)


def answer(task: Counting, shown: int) -> int:
    return {"modulo": shown % 4, "round": 3 * round(shown / 3)}.get(task.kind, shown)


def written(task: Counting, tokens: torch.Tensor) -> list[str]:
    return ["".join(LETTERS[t] for t in row) for row in tokens.tolist()]


def shape(task: Counting) -> re.Pattern:
    items = {"multi": "123", "single": "1", "same": "R"}.get(task.kind, "123")
    demo = f"[{items}{'V' if task.void else ''}]*"
    if task.minimal:
        return re.compile(f"({demo})(R*)EP*")
    return re.compile(f"B({demo})T(R*)EP*")


@tasks
def test_n_items_are_answered_as_the_task_says(name):
    task = TASKS[name]
    counts = torch.arange(1, task.highest + 1).repeat(3)
    for n, text in zip(
        counts.tolist(), written(task, task.sequences(counts, _seed(0))), strict=True
    ):
        demo, responses = shape(task).fullmatch(text).groups()
        assert len(demo.replace("V", "")) == n
        assert not demo.endswith("V")  # the last real item ends the phase
        assert len(responses) == answer(task, n)


def test_real_items_always_fit_between_the_voids():
    task = Counting("multi", void=0.89, highest=1, held_out=())
    for text in written(task, task.sequences(torch.ones(2000, dtype=torch.long), _seed(0))):
        assert len(shape(task).fullmatch(text)[1].replace("V", "")) == 1


def _seed(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(("name", "program"), EVERY_PROGRAM)
def test_every_program_gives_the_right_answer_wherever_it_asks_for_one(name, program):
    task = TASKS[name]
    inputs = task.sample(200, _seed(1), training=False)
    found, right = task.programs[program].run(inputs).output, task.correct(inputs)
    over = ((inputs == EOS) | (inputs == PAD)).cumsum(1) > 0
    assert torch.equal(found[right != IGNORE], right[right != IGNORE])
    assert torch.equal(found[~over] == ANY, right[~over] == IGNORE)
    assert (right[over] == IGNORE).all()
    following = inputs.roll(-1, 1)
    assert torch.equal(right[right != IGNORE], following[right != IGNORE])


@tasks
def test_training_never_shows_what_is_held_out_and_testing_does(name):
    task = TASKS[name]
    seen = {True: set(), False: set()}
    for training, shown in seen.items():
        for text in written(task, task.sample(600, _seed(2), training)):
            shown.add(len(shape(task).fullmatch(text)[1].replace("V", "")))
    everything = set(range(1, task.highest + 1))
    assert seen[False] == everything
    assert seen[True] == everything - set(task.held_out)


def test_counts_and_items_are_uniform_and_voids_have_their_share():
    task = Counting("multi", void=0.2, held_out=())
    tokens = task.sample(4000, _seed(3))
    demo = torch.isin(tokens, torch.tensor([3, 4, 5]))
    counts = torch.bincount(demo.sum(1), minlength=21)[1:]
    assert (counts - 200).abs().max() < 60
    items = torch.bincount(tokens[demo], minlength=6)[3:]
    assert (items / items.sum() - 1 / 3).abs().max() < 0.01
    voids = (tokens == V).sum()
    assert abs(float(voids / (voids + demo.sum())) - 0.2) < 0.01


@tasks
def test_the_gate_asks_every_count_fifteen_times(name):
    task = TASKS[name]
    texts = written(task, task.gate(_seed(4)))
    counts = [len(shape(task).fullmatch(text)[1].replace("V", "")) for text in texts]
    assert counts == [n for n in range(1, task.highest + 1) for _ in range(15)]


@tasks
def test_an_enumeration_has_one_sequence_per_count(name):
    task = TASKS[name]
    texts = written(task, task.enumerate())
    counts = [len(shape(task).fullmatch(text)[1].replace("V", "")) for text in texts]
    assert counts == list(range(1, task.highest + 1))
    assert written(task, task.enumerate()) == texts


def test_the_same_seed_gives_the_same_pairs():
    task = TASKS["multi"]
    first, again, other = (task.pairs(task.program, ("count",), 50, s, "fit") for s in (1, 1, 2))
    assert torch.equal(first.base, again.base) and torch.equal(first.target, again.target)
    assert not torch.equal(first.base_step, other.base_step)


# Counterfactual pairs: prefix and source are parsed by hand, the continuation must be the formula's


def state_after(task: Counting, tokens: list[int], step: int) -> dict[str, int]:
    """Demo items d, responses r, their difference q, and phase p after `step`."""
    d = r = p = 0
    for token in tokens[: step + 1]:
        if token == T:
            p = 1
        elif task.minimal and token == R:
            p, r = 1, r + 1
        elif p == 1 and token == R:
            r += 1
        elif p == 0 and token in KINDS[task.kind]:
            d += 1
    if task.kind == "modulo" or (task.kind == "round" and p):
        return {"q": answer(task, d) - r, "p": p, "d": d, "r": r}
    return {"q": d - r, "p": p, "d": d, "r": r}


LEFT = {  # how many responses are left after the swap, of base b and source u
    ("up_down", ()): lambda b, u: b["q"],
    ("up_down", ("count",)): lambda b, u: u["q"],
    ("up_down", ("phase",)): lambda b, u: b["q"],
    ("up_down", ("count", "phase")): lambda b, u: u["q"],
    ("up_up", ("demo",)): lambda b, u: u["d"] - b["r"],
    ("up_up", ("resp",)): lambda b, u: b["d"] - u["r"],
    ("up_up", ("phase",)): lambda b, u: b["d"] - b["r"],
    ("up_up", ("demo", "resp")): lambda b, u: u["d"] - u["r"],
}
SWAPS = [
    (name, program, variables)
    for name, task in TASKS.items()
    for program, variables in LEFT
    if program in task.programs and task.highest > 3
]


@pytest.mark.parametrize(("name", "program", "variables"), SWAPS)
def test_a_swap_goes_on_as_the_formula_says(name, program, variables):
    task = TASKS[name]
    pairs = task.pairs(task.programs[program], variables, 60, 3, "test")
    assert len(pairs) == 60 and pairs.variables == variables
    whole = zip(
        pairs.base.tolist(), pairs.base_step.tolist(), pairs.source.tolist(),
        pairs.source_step.tolist(), pairs.target.tolist(), strict=True,
    )  # fmt: skip
    for tokens, t, source, u, target in whole:
        assert tokens[t] not in (BOS, EOS, PAD) and source[u] not in (BOS, EOS, PAD)
        base, other = state_after(task, tokens, t), state_after(task, source, u)
        left = LEFT[program, variables](base, other)
        phase = other["p"] if "phase" in variables else base["p"]
        rest = [token for token in tokens[t + 1 :] if token != PAD]
        if phase == 0:
            opening = next(i for i, x in enumerate(rest) if x == (R if task.minimal else T))
            assert opening <= 3 and set(rest[:opening]) <= set(KINDS[task.kind])
            left += opening
            if task.kind in ("modulo", "round"):
                left = answer(task, left)
            rest = rest[opening if task.minimal else opening + 1 :]
        assert rest == [R] * left + [EOS]
        end = tokens.index(EOS)
        asked = end - len(rest) + (1 if task.minimal and phase == 0 else 0)
        expected = [tokens[j + 1] if asked <= j < end else IGNORE for j in range(len(tokens))]
        assert target == expected


@pytest.mark.parametrize("name", [n for n, task in TASKS.items() if "up_up" in task.programs])
def test_a_progress_or_a_value_is_swapped_as_its_program_runs(name):
    task = TASKS[name]
    for program in (p for n, p in task.programs.items() if n == "progress"):
        for variable in program.names:
            pairs = task.pairs(program, (variable,), 40, 0, "test")
            key = {(variable, tuple(pairs.base_step.tolist())):
                   (variable, tuple(pairs.source_step.tolist()))}  # fmt: skip
            output = interchange(program, pairs.base, pairs.source, key)
            assert torch.equal(output[pairs.scored], pairs.target[pairs.scored])


@pytest.mark.parametrize("name", ["multi", "same", "round", "single minimal with voids"])
def test_labels_are_the_values_before_the_swap(name):
    task = TASKS[name]
    pairs = task.pairs(task.program, ("count",), 60, 5, "test")
    for i in range(60):
        for side in ("base", "source"):
            tokens, step = getattr(pairs, side)[i].tolist(), int(getattr(pairs, f"{side}_step")[i])
            state = state_after(task, tokens, step)
            assert int(pairs.labels[f"count.{side}"][i]) == state["q"]
            assert int(pairs.labels[f"phase.{side}"][i]) == state["p"]


def test_pairs_of_the_same_phase_are():
    task = TASKS["multi"]
    pairs = task.pairs(task.programs["ctx_distr"], (), 200, 0, "test", same_phase=True)
    assert torch.equal(pairs.labels["phase.base"], pairs.labels["phase.source"])
    assert set(pairs.labels["phase.base"].tolist()) == {0, 1}


def test_draws_of_different_widths_are_joined_and_filled_up():
    short, long = (
        Counting("single", highest=n, held_out=()).pairs(TASKS["single"].program, (), 20, 0, "test")
        for n in (2, 9)
    )
    both = joined([short, long], PAD)
    assert len(both) == 40 and both.base.shape[1] == long.base.shape[1] > short.base.shape[1]
    beyond = short.base.shape[1]
    assert (both.base[:20, beyond:] == PAD).all() and (both.target[:20, beyond:] == IGNORE).all()
    assert torch.equal(both.target[:20, :beyond], short.target)
    assert torch.equal(both.labels["count.source"][20:], long.labels["count.source"])


@pytest.mark.parametrize(
    "name", ["multi", "single", "same with voids", "single minimal with voids"]
)
def test_splits_share_no_pair_and_hold_out_is_for_the_test(name):
    task = TASKS[name]
    prefixes, counts = {}, {}
    for split in ("fit", "validation", "test"):
        pairs = task.pairs(task.program, ("count",), 600, 0, split)
        whole = zip(pairs.base.tolist(), pairs.base_step.tolist(), pairs.source.tolist(),
                    pairs.source_step.tolist(), strict=True)  # fmt: skip
        prefixes[split] = {(tuple(b[: t + 1]), tuple(s[: u + 1])) for b, t, s, u in whole}
        counts[split] = {
            len(shape(task).fullmatch(text)[1].replace("V", ""))
            for text in written(task, pairs.source)
        }
    for one, other in (("fit", "validation"), ("fit", "test"), ("validation", "test")):
        assert not prefixes[one] & prefixes[other]
    assert not counts["fit"] & set(HELD_OUT) and not counts["validation"] & set(HELD_OUT)
    assert counts["test"] == set(range(1, 21))


# What a machine that is perfect by one program scores, swapped by another (spec: the floors)

FLOORS = {
    ("up_down", "count"): (0.080, 0.750),
    ("up_up", "demo"): (0.072, 0.324),
    ("up_down", "phase"): (0.753, 0.077),
    ("up_up", "resp"): (0.357, 0.053),
    ("ctx_distr", None): (1.0, 0.087),
}


@pytest.mark.parametrize(("program", "variable"), FLOORS)
def test_the_floors_of_a_perfect_machine_are_the_known_ones(program, variable):
    task = TASKS["multi"]
    variables = (variable,) if variable else ()
    hypothesis = task.programs[program]
    pairs = task.pairs(hypothesis, variables, 6000, 1, "test", same_phase=not variable)
    steps = [tuple(s.tolist()) for s in (pairs.base_step, pairs.source_step)]
    everything = {(name, steps[0]): (name, steps[1]) for name in task.program.names}
    outputs = (
        task.program.run(pairs.base).output,
        interchange(task.program, pairs.base, pairs.source, everything),
    )
    shares = [float(((o == pairs.target) | ~pairs.scored).all(1).float().mean()) for o in outputs]
    assert shares == pytest.approx(FLOORS[program, variable], abs=0.02)
    if variable:
        one = {(variable, steps[0]): (variable, steps[1])}
        own = interchange(hypothesis, pairs.base, pairs.source, one)
        assert torch.equal(own[pairs.scored], pairs.target[pairs.scored])


@pytest.mark.parametrize(("variable", "share"), [("demo", 0.16), ("resp", 0.14)])
def test_the_share_that_never_stops_is_the_known_one(variable, share):
    task = TASKS["multi"]
    pairs = task.pairs(task.programs["up_up"], (variable,), 4000, 0, "test")
    assert pairs.redrawn == pytest.approx(share, abs=0.02)


def test_a_swap_that_stops_on_the_way_is_not_redrawn():
    task = TASKS["multi"]
    assert task.pairs(task.program, ("count",), 300, 0, "test").redrawn == 0


# What is refused


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"kind": "mutli"}, "'mutli'; there is 'multi', 'single', 'same'"),
        ({"held_out": tuple(range(1, 21))}, r"leaves no count of 1\.\.20"),
        ({"highest": 0}, r"leaves no count of 1\.\.0"),
        ({"kind": "same", "minimal": True}, "same needs T"),
        ({"void": 0.95}, "at least 0 and below 0.9"),
        ({"void": -0.1}, "at least 0 and below 0.9"),
    ],
)
def test_a_task_that_cannot_be_is_refused(asked, told):
    with pytest.raises(SymscopeError, match=told):
        Counting(**asked)


def test_unknown_names_are_refused_with_those_there_are():
    task = TASKS["multi"]
    with pytest.raises(UnknownName, match="'demo'; there is 'count', 'phase'"):
        task.pairs(task.program, ("demo",), 5, 0, "fit")
    with pytest.raises(UnknownName, match="'train'; there is 'fit', 'validation', 'test'"):
        task.pairs(task.program, ("count",), 5, 0, "train")
    with pytest.raises(UnknownName, match="'up'; there is 'up_down', 'up_up'"):
        task.hypothesis("up")


def test_a_swap_that_hardly_ever_stops_is_refused_with_its_share():
    task = TASKS["multi"]
    falling = up_down(task.program.constants, at_demo="count - 1")
    with pytest.raises(SymscopeError, match=r"\d+% of the pairs for count of up_down never stop"):
        task.pairs(falling, ("count",), 500, 0, "test")


def test_a_name_says_what_is_special():
    assert Counting("single", void=0.2, minimal=True).name == "single_variable_minimal"
    assert Counting("multi").vocabulary == VOCABULARY and len(LETTERS) == len(VOCABULARY)


WRITTEN_DOWN = [n for n, t in TASKS.items() if not t.void and not t.minimal]


@pytest.mark.parametrize("name", WRITTEN_DOWN)
def test_what_is_legal_is_what_the_task_shows_before_its_end(name):
    task = TASKS[name]
    tokens = task.sequences(torch.arange(1, task.highest + 1), torch.Generator().manual_seed(1))
    shown = (tokens != EOS) & (tokens != PAD)
    assert torch.equal(task.legal.run(tokens).output.bool(), shown)
    one_more = torch.where(tokens == EOS, R, tokens)  # a response too many
    legal = task.legal.run(one_more).output.bool()
    assert torch.equal(legal, shown)
    assert torch.equal(task.asked.run(tokens).output.bool() & shown, task.correct(tokens) != IGNORE)


def test_nothing_else_is_legal():
    legal = TASKS["multi"].legal
    for wrong in ([D1, T], [BOS, T], [BOS, R], [BOS, D1, BOS], [BOS, D1, R], [BOS, V],
                  [BOS, D1, T, D1], [BOS, D1, T, T], [BOS, D1, T, R, R]):  # fmt: skip
        assert legal.run(wrong).output[-1] == 0 and not any(legal.run([*wrong, D1]).output[-2:])
    with pytest.raises(SymscopeError, match="multi_variable"):
        _ = TASKS["multi with voids"].legal


def test_other_programs_stand_beside_the_published_ones():
    mine = up_down(TASKS["multi"].program.constants, at_demo="count + 2")
    own = replace(TASKS["multi"], others=(replace(mine, name="mine"),))
    assert own.hypothesis("mine").rules == mine.rules and own.program.name == "up_down"

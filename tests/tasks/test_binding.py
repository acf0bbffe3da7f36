"""Programs of assignments: what they mean, how they are drawn, changed, written and refused."""

from dataclasses import replace

import pytest
import torch

from symscope.align.controls import floors as machine_floors
from symscope.causal_model import UnknownName, interchange
from symscope.evidence import SymscopeError
from symscope.tasks.binding import KINDS, Binding, NoPair, counterfactual
from symscope.tasks.binding.rules import floors, shallow
from symscope.tasks.binding.task import SPLITS
from symscope.tasks.binding.text import NotAProgram
from symscope.tasks.binding.tokenizer import token_numbers

FIRST = "k=2;j=k;t=8;b=j;s=6;g=8;w=j;r=8;d=r;j=b;s=j;s=5;v=j;z=b;d=w;z=2;#d:"
SECOND = "g=1;p=4;l=p;i=7;p=0;b=8;x=g;q=b;u=x;j=2;c=u;x=4;z=q;i=c;k=4;o=9;#z:"
PUBLISHED = Binding()
SMALL = Binding(lines=6, letters=8, digits=8, hops=3)


def drawn(task=SMALL, count=600, seed=0, **options):
    return task.drawn(count, torch.Generator().manual_seed(seed), **options)


@pytest.mark.parametrize(
    ("text", "answer", "hops", "chain"), [(FIRST, 2, 4, "kjwd"), (SECOND, 8, 3, "bqz")]
)
def test_the_published_examples_have_the_published_answers(text, answer, hops, chain):
    tokens = PUBLISHED.parse(text)
    run = PUBLISHED.trace(tokens)
    assert (int(run.answer), int(run.hops)) == (answer, hops)
    lines = [line for line in run.chain[0].tolist() if line >= 0]
    assert "".join(PUBLISHED.vocabulary[run.left[0, i]] for i in lines) == chain
    assert PUBLISHED.program.run(tokens).output.tolist() == [answer]
    assert tokens.shape[1] == PUBLISHED.length == 67


def test_the_first_example_tells_the_chain_from_other_rules():
    tokens = PUBLISHED.parse(FIRST)
    found = {name: p.run(tokens).output.tolist()[0] for name, p in PUBLISHED.programs.items()}
    assert found["chain"] == 2 and found["first_wins"] == 8 and found["query_time"] == -1


def _by_hand(task, row):
    """The answer, by running the text line by line in Python."""
    values = {}
    *lines, query = task.text(row).split("\n")
    for line in lines:
        left, right = line.split("=")
        values[left] = int(right) if right.isdigit() else values[right]
    return values[query[1]]


def test_program_and_trace_do_what_running_the_lines_does():
    tokens = drawn()
    expected = [_by_hand(SMALL, row) for row in tokens]
    assert SMALL.trace(tokens).answer.tolist() == expected
    assert SMALL.program.run(tokens).output.tolist() == expected
    assert SMALL.correct(tokens)[:, -1].tolist() == expected
    assert bool((SMALL.correct(tokens)[:, :-1] == -100).all())


def test_depths_are_balanced_and_rules_score_what_was_measured_for_this_generator():
    task = replace(PUBLISHED, hold_out=False)
    tokens = drawn(task, 6_000)
    run = task.trace(tokens)
    shares = torch.bincount(run.hops, minlength=5)[1:] / len(tokens)
    assert bool((shares - 0.25).abs().lt(0.03).all())
    found = floors(tokens, task.alphabet)
    for rule, value in (("digit of line 1", 0.52), ("digit of line 2", 0.173),
                        ("either of lines 1 and 2", 0.664), ("commonest digit", 0.395),
                        ("random digit of the program", 0.225), ("last digit", 0.153)):  # fmt: skip
        assert abs(found[rule] - value) < 0.03, rule
    for name, value in (("query_time", 0.631), ("first_wins", 0.79)):
        right = (task.programs[name].run(tokens).output == run.answer).float().mean()
        assert abs(float(right) - value) < 0.03, name
    assert abs(float((run.root_line == 0).float().mean()) - 0.46) < 0.04


def test_shallow_rules_say_none_where_line_two_holds_a_letter():
    tokens = SMALL.parse("a=5; b=a; c=1; d=1; e=2; f=3; #b:")
    assert shallow(tokens, SMALL.alphabet)["digit of line 2"].tolist() == [-1]


def test_letters_and_digits_that_are_held_out_do_not_occur_in_training():
    run = SMALL.trace(drawn(count=2_000))
    letter = run.left - SMALL.digits
    held = (run.parent < 0) & ((3 * letter + run.value) % 10 == 0)
    assert not bool(held.any())
    everything = SMALL.trace(drawn(count=2_000, split="test", all_pairs=True))
    letter = everything.left - SMALL.digits
    assert bool(((everything.parent < 0) & ((3 * letter + everything.value) % 10 == 0)).any())


def test_no_assignments_are_both_in_training_and_in_the_test():
    keys = {s: set(SMALL.key(drawn(count=2_000, split=s)).tolist()) for s in ("train", "test")}
    assert not keys["train"] & keys["test"]
    shares = [set(share) for share in SPLITS.values()]
    assert sum(map(len, shares)) == len(set.union(*shares)) == 1000


def test_the_split_does_not_depend_on_what_is_asked():
    tokens = SMALL.parse("a=5; b=a; c=1; d=1; e=2; f=3; #b:")
    other = SMALL.parse("a=5; b=a; c=1; d=1; e=2; f=3; #a:")
    assert SMALL.key(tokens).tolist() == SMALL.key(other).tolist()


def test_a_letter_may_read_itself_once_it_has_a_value():
    tokens = SMALL.parse("a=5; a=a; c=1; d=1; e=2; f=3; #a:")
    assert SMALL.trace(tokens).answer.tolist() == SMALL.program.run(tokens).output.tolist() == [5]


@pytest.mark.parametrize(
    ("text", "again"),
    [("a=5; b=a; a=1; d=1; e=2; f=3; #b:", True), ("a=1; a=5; b=a; d=1; e=2; f=3; #b:", False)],
)
def test_a_name_of_the_chain_counts_as_bound_again_only_after_it_was_read(text, again):
    assert SMALL.trace(SMALL.parse(text)).reassigned.tolist() == [again]


def test_of_letters_asked_for_too_each_depth_is_as_likely():
    text = "a=5; b=1; c=2; d=3; e=4; f=e; #a:"  # five of depth 1, one of depth 2
    tokens = SMALL.parse(text).expand(2_000, -1)
    asked, _ = SMALL.asked_too(tokens, 2, torch.Generator().manual_seed(0))
    deep = (asked[:, 1] == SMALL.vocabulary.index("f")).float().mean()
    assert abs(float(deep) - 0.5 / 0.9) < 0.04  # a, one of five of depth 1, is drawn again


def test_balanced_by_root_no_line_answers_more_often_than_another():
    task = replace(SMALL, balance="root")
    tokens = task.drawn(3_000, torch.Generator().manual_seed(0))
    run = task.trace(tokens)
    assert (run.root_line.bincount(minlength=6) / 3_000 - 1 / 6).abs().max() < 0.03
    assert run.hops.min() >= 1 and run.hops.max() <= 3
    text = "a=5; b=1; c=2; d=a; e=d; f=a; #a:"  # roots: line 1 of a, d, e, f; lines 2 and 3
    asked, _ = task.asked_too(task.parse(text).expand(2_000, -1), 2, torch.Generator())
    of_line_2 = (asked[:, 1] == task.vocabulary.index("b")).float().mean()
    assert abs(float(of_line_2) - (1 / 3) / (1 - 1 / 12)) < 0.04
    with pytest.raises(UnknownName, match="balance"):
        replace(SMALL, balance="line")


def test_letters_asked_for_too_are_bound_and_answered_right():
    tokens = drawn(count=200)
    asked, values = SMALL.asked_too(tokens, 4, torch.Generator().manual_seed(1))
    assert asked[:, 0].tolist() == tokens[:, -2].tolist()
    for k in range(4):
        other = tokens.clone()
        other[:, -2] = asked[:, k]
        assert SMALL.trace(other).answer.tolist() == values[:, k].tolist()
    several = SMALL.trace(tokens).branches > 4
    assert all(len(set(row)) == 4 for row in asked[several].tolist())


@pytest.mark.parametrize("kind", KINDS)
def test_a_counterfactual_moves_the_answer_or_keeps_it_as_its_kind_says(kind):
    pairs = SMALL.counterfactuals(kind, 100, 0)
    before, after = SMALL.trace(pairs.base), SMALL.trace(pairs.source)
    assert bool(((before.answer != after.answer) == KINDS[kind][1]).all())
    assert pairs.target[:, -1].tolist() == after.answer.tolist()
    rows = torch.arange(len(pairs))
    differs = pairs.base != pairs.source
    assert bool(differs[rows, pairs.base_step].all())
    most = {"values": 2, "rename": 30, "order": 4}.get(kind, 1)
    assert int(differs.sum(1).max()) <= most


def test_a_rebound_link_stays_on_the_chain_and_names_something_bound_before():
    pairs = SMALL.counterfactuals("rebind", 100, 0)
    before, after = SMALL.trace(pairs.base), SMALL.trace(pairs.source)
    line = (pairs.base_step - 2) // 4
    rows = torch.arange(len(pairs))
    assert bool(before.on_chain[rows, line].all())
    assert bool((after.parent[rows, line] < line).all() and (after.parent[rows, line] >= 0).all())


def test_a_distractor_is_off_the_chain():
    pairs = SMALL.counterfactuals("distractor", 100, 0)
    line = (pairs.base_step - 2) // 4
    assert not bool(SMALL.trace(pairs.base).on_chain[torch.arange(100), line].any())


def test_exchanged_lines_bind_what_they_bound():
    pairs = SMALL.counterfactuals("order", 200, 0)
    before, after = SMALL.trace(pairs.base), SMALL.trace(pairs.source)
    rows, line = torch.arange(200), pairs.base_step // 4
    assert bool((before.value[rows, line] == after.value[rows, line + 1]).all())
    assert bool((before.value[rows, line + 1] == after.value[rows, line]).all())


def test_a_flawless_machine_is_a_floor_for_a_program_that_answers_once():
    pairs = SMALL.pairs(SMALL.program, ("value_1",), 50, 0, "test")
    assert machine_floors(SMALL.program, pairs) == {"machine_no_op": 0, "machine_full_swap": 1}


def test_roots_before_the_earliest_are_left_out():
    assert int(SMALL.counterfactuals("root", 50, 0, 2).labels["root_line"].min()) == 2


def test_what_no_program_allows_raises_with_counts():
    task = Binding(lines=1, hops=1)
    with pytest.raises(NoPair, match=r"0 of \d+ programs of 1 lines .*'rebind'"):
        task.counterfactuals("rebind", 5, 0)


def test_a_split_without_programs_says_so_and_does_not_look_for_ever():
    task = Binding(lines=1, letters=2, digits=2, hops=1)
    with pytest.raises(SymscopeError, match="too few programs of 1 lines with 2 letters"):
        drawn(task, 4, split="validation")


def test_an_unknown_kind_names_those_there_are():
    with pytest.raises(SymscopeError, match="no counterfactual 'roots'; there is root, rebind"):
        counterfactual(drawn(count=2), "roots", SMALL.alphabet, torch.Generator())


@pytest.mark.parametrize("variable", ["value_1", "value_2", "value_3", "name_1", "name_2"])
def test_pairs_hold_what_the_chain_answers_after_the_swap(variable):
    pairs = SMALL.pairs(SMALL.program, (variable,), 60, 0, "test")
    swapped = interchange(SMALL.program, pairs.base, pairs.source, [variable])
    assert pairs.target[:, -1].tolist() == swapped.tolist()
    assert not bool((swapped == SMALL.trace(pairs.base).answer).any())
    if variable.startswith("value"):
        run, line = SMALL.trace(pairs.base), (pairs.base_step - 2) // 4
        values = run.value.gather(1, line[:, None])[:, 0]
        assert values.tolist() == pairs.labels[f"{variable}.base"].tolist()


def test_pairs_of_different_splits_share_no_base():
    keys = {}
    for split in ("fit", "validation", "test"):
        pairs = SMALL.pairs(SMALL.program, ("value_1",), 100, 0, split)
        keys[split] = set(SMALL.key(pairs.base).tolist()) | set(SMALL.key(pairs.source).tolist())
    assert not keys["fit"] & keys["test"] and not keys["fit"] & keys["validation"]
    assert not keys["validation"] & keys["test"]


def test_roles_are_where_the_tokens_stand():
    tokens = SMALL.parse("a=5; c=1; b=a; a=2; d=b; f=3; #d:")
    roles = {k: int(v) for k, v in SMALL.roles(tokens).items()}
    assert roles == {"right 1": 2, "left 1": 0, "right 2": 10, "left 2": 8, "right 3": 18,
                     "left 3": 16, "query": 25, "colon": 26}  # fmt: skip
    short = SMALL.parse("a=5; c=1; b=a; a=2; d=b; f=3; #c:")
    assert int(SMALL.roles(short)["right 2"]) == -1


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a=5\nb=c\n#b:", "line 2: 'c' has no value yet .there is: a."),
        ("a=5\n#b:", "line 2: 'b' has no value yet"),
        ("a=b\nb=a\n#a:", "line 1: 'b' has no value yet .*cycle"),
        ("a=a\n#a:", "line 1: 'a' has no value yet .*cycle"),
        ("A=5\n#A:", "line 1, column 1: 'A' where a letter a–z"),
        ("a=55\n#a:", "line 1, column 4: '5' after the end .*one digit"),
        ("a=5\n\n#a:", "line 2, column 1: the end of the line"),
        ("a=5", "line 1: the last line has to ask"),
        ("#a:", "line 1: there is no assignment"),
        ("a=5\n#a", "line 2, column 3: .*':' has to stand"),
    ],
)  # fmt: skip
def test_a_text_that_is_no_program_is_refused_with_its_line(text, said):
    with pytest.raises(NotAProgram, match=said):
        PUBLISHED.parse(text)


def test_a_program_comes_back_as_it_was_written():
    text = "a=5\nb=a\n#b:"
    assert PUBLISHED.text(PUBLISHED.parse(text)[0]) == text


@pytest.mark.parametrize(
    ("sizes", "said"),
    [
        ({"lines": 3, "hops": 4}, "4 hops do not fit into 3 lines"),
        ({"digits": 11}, "11 digits"),
        ({"letters": 1}, "1 letters"),
        ({"constants": 0.0}, "no probability"),
    ],
)
def test_sizes_that_cannot_be_are_refused(sizes, said):
    with pytest.raises(SymscopeError, match=said):
        Binding(**sizes)


def test_a_depth_that_is_never_drawn_raises_naming_it(monkeypatch):
    monkeypatch.setattr("symscope.tasks.binding.draw.REDRAWS", 20)
    with pytest.raises(SymscopeError, match="a chain of 2 hops was not reached in 20 programs"):
        drawn(Binding(lines=2, letters=2, digits=2, hops=2, constants=1.0), 4)
    monkeypatch.setattr("symscope.tasks.binding.draw.REDRAWS", 0)
    with pytest.raises(SymscopeError, match=r"a root on line \d was not reached in 0 programs"):
        drawn(Binding(lines=2, letters=2, digits=2, hops=1, balance="root"), 4)


def test_a_tokenizer_that_splits_or_joins_signs_is_refused():
    alphabet = SMALL.alphabet
    single = {sign: i + 100 for i, sign in enumerate(alphabet.tokens)}
    numbers = token_numbers(lambda text: [single[c] for c in text], alphabet)
    assert numbers.tolist() == list(range(100, 100 + len(alphabet.tokens)))
    with pytest.raises(SymscopeError, match="reads '3' as 2 tokens"):
        token_numbers(lambda text: [1, 2] if text == "3" else [single[text]], alphabet)
    with pytest.raises(SymscopeError, match="joins signs"):
        token_numbers(lambda text: [single[text]] if len(text) == 1 else [7], alphabet)

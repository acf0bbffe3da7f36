"""Prompts of things that come round, with tokenizers of every kind that the spec has to expect."""

from collections import Counter

import pytest
import torch

from cycle_tokens import BEGIN, VALUES, tokenizer
from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.tasks import CYCLES, Cycle, NotOneToken, cycle_prompts
from symscope.tasks.cycles import NUMBERS

MISTRAL = ("Nine", "Eleven", "Twelve")
"""Two tokens each in Mistral's tokenizer."""
WHOLE = tokenizer()


def text_of(prompts, row: int, speaks=WHOLE) -> str:
    return speaks.decode(prompts.tokens[row])


def test_every_start_meets_every_duration_once_and_the_answer_is_their_sum():
    for name, count in (("weekdays", 49), ("months", 144)):
        prompts = cycle_prompts(WHOLE, name)
        period = CYCLES[name].period
        both = Counter(zip(prompts.first.tolist(), prompts.second.tolist(), strict=True))
        assert len(prompts) == count and set(both.values()) == {1}
        assert set(both) == {(a, b) for a in range(period) for b in range(1, period + 1)}
        assert torch.equal(prompts.answers, (prompts.first + prompts.second) % period)


def test_prompts_are_in_the_published_words():
    weekdays, code = (cycle_prompts(WHOLE, "weekdays", w) for w in ("text", "code"))
    months = cycle_prompts(WHOLE, "months")
    assert weekdays.texts[1] == "Let's do some day of the week math. Two days from Monday is"
    assert weekdays.texts[7] == "Let's do some day of the week math. One day from Tuesday is"
    assert code.texts[1] == "Let's do some days of the week math. Two days from Monday is"
    assert months.texts[3] == "Let's do some calendar math. Four months from January is"
    assert months.texts[0] == "Let's do some calendar math. One months from January is"
    assert months.texts[-1] == "Let's do some calendar math. Twelve months from December is"


def test_the_answer_is_the_token_that_follows_the_prompt_and_not_that_of_the_word_alone():
    prompts = cycle_prompts(WHOLE, "weekdays")
    said = WHOLE.convert_ids_to_tokens(prompts.choices.tolist())
    assert said == [f"Ġ{day}" for day in CYCLES["weekdays"].values]
    assert WHOLE.convert_ids_to_tokens(prompts.bare.tolist()) == list(CYCLES["weekdays"].values)
    row = 1  # two days from Monday
    longer = WHOLE(prompts.texts[row] + " Wednesday")["input_ids"]
    assert longer == [*prompts.tokens[row].tolist(), int(prompts.choices[prompts.answers[row]])]


def test_places_are_where_the_words_stand_whatever_comes_in_front():
    for begin in (True, False):
        speaks = tokenizer(begin=begin)
        for name in ("weekdays", "months"):
            prompts = cycle_prompts(speaks, name)
            at = {role: speaks.convert_ids_to_tokens(prompts.tokens[:, step].tolist())
                  for role, step in prompts.places.items()}  # fmt: skip
            values = CYCLES[name].values
            assert at["a"] == [f"Ġ{values[a]}" for a in prompts.first.tolist()]
            assert at["b"] == [f"Ġ{NUMBERS[b - 1]}" for b in prompts.second.tolist()]
            assert set(at["last"]) == {"Ġis"} and not prompts.prefixed
            assert (prompts.tokens[0, 0] == speaks.convert_tokens_to_ids(BEGIN)) == begin


def test_where_three_numbers_are_two_tokens_the_published_prefix_makes_lengths_equal():
    speaks = tokenizer(cut=MISTRAL)
    prompts = cycle_prompts(speaks, "months")
    assert prompts.prefixed
    for text, second in zip(prompts.texts, prompts.second.tolist(), strict=True):
        assert text.startswith(". Let") == (NUMBERS[second - 1] not in MISTRAL)
    at = speaks.convert_ids_to_tokens(prompts.tokens[:, prompts.places["b"]].tolist())
    assert {at[i] for i in range(len(at)) if prompts.second[i] == 9} == {"##ine"}
    assert {at[i] for i in range(len(at)) if prompts.second[i] == 4} == {"ĠFour"}
    assert not cycle_prompts(speaks, "weekdays").prefixed


def test_lengths_that_stay_unequal_are_listed():
    with pytest.raises(SymscopeError, match=r"of one length: 13 tokens \(132 .*14 tokens \(12 "):
        cycle_prompts(tokenizer(cut=("Nine",)), "months")


def test_a_number_of_two_tokens_that_the_prefix_was_not_made_for_is_refused():
    """If all numbers are, lengths are equal."""
    for cut in (NUMBERS, [number for number in NUMBERS if number not in MISTRAL], ["One"]):
        said = r"'One' in .* is to be one token, and is \[' O', 'ne'\]"
        with pytest.raises(NotOneToken, match=said):
            cycle_prompts(tokenizer(cut=cut), "months")


def test_a_start_or_answer_of_two_tokens_is_refused_and_never_shortened():
    with pytest.raises(NotOneToken, match=r"'Friday' in .* is to be one token"):
        cycle_prompts(tokenizer(cut=["Friday"]), "weekdays")
    speaks = tokenizer(cut=CYCLES["weekdays"].values)
    with pytest.raises(NotOneToken, match=r"'Monday' in .* is to be one token, and is \[' M', 'on"):
        cycle_prompts(speaks, "weekdays")
    assert len(cycle_prompts(speaks, "months")) == 144


def test_a_start_that_shares_a_token_with_its_neighbour_is_refused():
    speaks = tokenizer()
    speaks.add_tokens([" Monday is"])
    with pytest.raises(NotOneToken, match=r"'Monday' in .* shares one with its neighbours"):
        cycle_prompts(speaks, "weekdays")


def test_an_answer_that_melts_into_the_prompt_is_refused():
    speaks = tokenizer()
    speaks.add_tokens([" is Tuesday"])
    with pytest.raises(NotOneToken, match=r"'Tuesday' after .* is to be one token, and is"):
        cycle_prompts(speaks, "weekdays")


def test_two_answers_that_are_one_token_are_refused():
    speaks = tokenizer()
    wording = CYCLES["weekdays"].wordings["text"]
    twice = Cycle(("Monday", "Tuesday", "Monday"), {"text": wording}, ("day", "days"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(CYCLES, "twice", twice)  # type: ignore[arg-type]
        with pytest.raises(NotOneToken, match="two answers are the same token"):
            cycle_prompts(speaks, "twice")


def test_a_word_that_is_unknown_is_refused():
    with pytest.raises(NotOneToken, match=r"' Friday' in .* is unknown"):
        cycle_prompts(tokenizer(without=("Friday",)), "weekdays")
    with pytest.raises(NotOneToken, match="' Eight' in"):
        cycle_prompts(tokenizer(without=("Eight",)), "months")


def test_without_a_tokenizer_or_with_another_name_it_says_what_there_is():
    with pytest.raises(SymscopeError, match=r"tokenizer\.json"):
        cycle_prompts(None, "weekdays")
    with pytest.raises(UnknownName, match="'weekdays', 'months'"):
        cycle_prompts(WHOLE, "years")
    with pytest.raises(UnknownName, match="text"):
        cycle_prompts(WHOLE, "months", "code")


def test_values_have_bare_tokens_only_where_each_is_one():
    assert cycle_prompts(tokenizer(begin=False), "months").bare is not None
    assert len(set(VALUES)) == 19


def test_every_cycle_has_wordings_with_places_for_its_words():
    for cycle in CYCLES.values():
        assert cycle.period <= len(NUMBERS) and "text" in cycle.wordings
        for wording in cycle.wordings.values():
            assert {f for f in ("{a}", "{b}", "{unit}") if f in wording} == {"{a}", "{b}", "{unit}"}

"""A language model over the tokens of `Arithmetic`: the same model, its vocabulary reordered."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest
import torch

from number_tokens import BEGIN, SIZE, model, saved, tokenizer, words
from symscope.evidence import SymscopeError
from symscope.localize import literal_patched, patched
from symscope.localize.heuristics import added_to, neuron_maps
from symscope.network import Network
from symscope.tasks.arithmetic import Arithmetic
from symscope.tasks.in_tokens import Spoken, in_tokens

WORDS = words()
EVERY = [("llama", False), ("llama", True), ("gpt2", False), ("gpt2", True)]


@cache
def network_of(family: str, begin: bool = False) -> Network:
    folder = Path(mkdtemp()) / family
    return Network.from_pretrained(saved(folder, model(family), [tokenizer(WORDS, begin)]))


@cache
def spoken_of(family: str, begin: bool = False) -> Spoken:
    return in_tokens(network_of(family, begin), operands=25)


def speaking(one) -> Network:
    """The same model with another tokenizer."""
    return replace(network_of("llama"), tokenizer=one)


def spelt(network: Network, task: Arithmetic, rows: Iterable[torch.Tensor]) -> torch.Tensor:
    """The model's own tokens of some prompts, written as text."""
    texts = [task.text(row).replace(" ", "") for row in rows]
    return network.tokenizer(texts, return_tensors="pt")["input_ids"]


@torch.no_grad()
@pytest.mark.parametrize(("family", "begin"), EVERY)
def test_the_logits_are_those_of_the_text_in_another_order(family, begin):
    network, spoken = network_of(family, begin), spoken_of(family, begin)
    task, prompts = spoken.task, spoken.task.prompts()[::60]
    assert task.operands == 25 and task.numbers == 40 and len(prompts) > 20
    logits = spoken.network.run(prompts).output
    for row, found in zip(prompts, logits, strict=True):
        tokens = spelt(network, task, [row])
        assert tokens.shape[1] == 4 + begin and (int(tokens[0, 0]) == WORDS[BEGIN]) == begin
        plain = network.run(tokens).output[0]
        named = torch.tensor([WORDS[word] for word in task.vocabulary])
        torch.testing.assert_close(found[:, : len(named)], plain[:, named], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(found.sort(1).values, plain.sort(1).values, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_what_is_said_is_the_same_word():
    network, spoken = network_of("llama", True), spoken_of("llama", True)
    order = [WORDS[word] for word in spoken.task.vocabulary]
    order += [token for token in range(SIZE) if token not in order]
    for row in spoken.task.prompts()[::100]:
        tokens = spelt(network, spoken.task, [row])
        said = int(spoken.network.run(row[None]).output[0, -1].argmax())
        assert order[said] == int(network.run(tokens).output[0, -1].argmax())


def test_numbers_end_before_the_first_that_is_no_token_of_its_own():
    split = tokenizer(words(13), parts=r"1[0-2](?!\d)|\d|[^\d\s]")  # 13 is "1" and "3"
    assert len(split("13", add_special_tokens=False)["input_ids"]) == 2
    for one in (split, tokenizer(words(13))):  # for the other 13 is the unknown token
        spoken = in_tokens(speaking(one), "+-")
        assert (spoken.task.numbers, spoken.task.operands) == (13, 13)
        assert spoken.dropped == {
            "operands from 13 on, of several tokens": 287,
            "prompts with +": 300**2 - 13 * 14 // 2, "prompts with -": 300**2 - 13 * 14 // 2,
        }  # fmt: skip


def test_what_is_left_out_is_counted_sign_by_sign():
    dropped = spoken_of("llama").dropped
    legal = {"+": [(a, b) for a in range(25) for b in range(25) if a + b < 40],
             "-": [(a, b) for a in range(25) for b in range(a + 1)],
             "*": [(a, b) for a in range(25) for b in range(25) if a * b < 40],
             "/": [(a, b) for a in range(25) for b in range(1, 25)]}  # fmt: skip
    assert dropped == {"operands from 40 on, of several tokens": 0} | {
        f"prompts with {sign}": 625 - len(pairs) for sign, pairs in legal.items()
    }


def test_a_network_without_a_tokenizer_is_refused(tmp_path):
    silent = Network.from_pretrained(saved(tmp_path / "silent", model("llama")))
    with pytest.raises(SymscopeError, match="no tokenizer: give a folder that has its files"):
        in_tokens(silent)


def test_a_tokenizer_of_digits_is_refused_with_the_task_that_would_do():
    with pytest.raises(SymscopeError, match=r"^9 is .* 9 numbers .*LongAddition"):
        in_tokens(speaking(tokenizer(words(9))))


def test_marks_that_are_several_tokens_or_unknown_are_refused():
    without = {word: token for word, token in WORDS.items() if word != "/"}
    with pytest.raises(SymscopeError, match=r"'/'.* is to be one"):
        in_tokens(speaking(tokenizer(without)))
    double = tokenizer(WORDS)
    plain = double.__call__

    class Doubling:
        """Says `*` twice."""

        unk_token_id = double.unk_token_id

        def __call__(self, text, **options):
            return plain(text.replace("*", "**"), **options)

    with pytest.raises(SymscopeError, match=r"'\*' is 2 tokens, and is to be one"):
        in_tokens(speaking(Doubling()))


def test_text_whose_tokens_are_drawn_together_is_refused():
    merged = {**WORDS, "0=": len(WORDS)}
    with pytest.raises(SymscopeError, match=r"'0\+0=' is the tokens .* not those of its parts"):
        in_tokens(speaking(tokenizer(merged, parts=r"0=|\d+|[^\d\s]")), "+")


@pytest.mark.parametrize(("family", "begin"), EVERY)
def test_patching_and_maps_run_on_it_as_on_the_model(family, begin):
    network, spoken = network_of(family, begin), spoken_of(family, begin)
    layout, pairs = network.layout, spoken.task.counterfactuals("all", 6, 0, sign="+")
    places = [layout.site(1, "mlp").at(-1), layout.site(0, "neuron", 3).at(-1)]
    found = patched(spoken.network, pairs.base, pairs.source, places)
    torch.testing.assert_close(
        found, literal_patched(spoken.network, pairs.base, pairs.source, places)
    )
    base, source = (spelt(network, spoken.task, rows) for rows in (pairs.base, pairs.source))
    plain = patched(network, base, source, places)
    named = torch.tensor([WORDS[word] for word in spoken.task.vocabulary])
    torch.testing.assert_close(found[..., : len(named)], plain[..., named], atol=1e-5, rtol=1e-4)
    maps = {layer: m for layer, _, m in neuron_maps(spoken.network, pairs.base)}
    again = {layer: m for layer, _, m in neuron_maps(network, base)}
    for layer in (0, 1):
        torch.testing.assert_close(maps[layer], again[layer], atol=1e-5, rtol=1e-4)
        answers = torch.tensor([7, 0, 39])
        tokens = torch.tensor([WORDS[str(n)] for n in answers.tolist()])
        torch.testing.assert_close(
            added_to(spoken.network, layer, answers), added_to(network, layer, tokens)
        )


def test_the_model_s_own_order_is_left_as_it_was():
    network = network_of("llama")
    tokens = torch.tensor([[WORDS["3"], WORDS["+"], WORDS["4"], WORDS["="]]])
    before = network.run(tokens).output
    in_tokens(network, "+", 10).network.run(torch.tensor([[3, 40, 4, 44]]))
    assert torch.equal(network.run(tokens).output, before)

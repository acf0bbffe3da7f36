"""Compiled networks do their task without a mistake, hidden or not, and hold what they claim."""

import dataclasses

import pytest
import torch

from symscope.align.controls import floors
from symscope.align.swap import Swap
from symscope.alignment import Alignment
from symscope.causal_model import UnknownName
from symscope.evidence import SymscopeError
from symscope.featurizer import Mask
from symscope.models.compiled import BASES, FAMILIES, family, plant
from symscope.models.compiled.attention import vote
from symscope.models.compiled.feedforward import circuit, clock
from symscope.models.compiled.recurrent import modular_counter, parity, up_up_counter
from symscope.models.compiled.wiring import Wiring
from symscope.task import IGNORE

families = pytest.mark.parametrize("name", FAMILIES)
SAMPLES, PAIRS = 100_000, 200


def some(name, **options):
    return plant(FAMILIES[name](), **options)


def inputs_of(task, count):
    return task.sample(count, torch.Generator().manual_seed(5))


def swapped(planted, variable, split="test"):
    program = planted.task.hypothesis(planted.alignment.program)
    pairs = planted.task.pairs(program, (variable,), PAIRS, 0, split)
    return Swap(planted.network, planted.alignment[variable].site, pairs)


@families
def test_a_hidden_network_does_its_task_without_a_mistake(name):
    planted = some(name, seed=3)
    try:
        inputs = planted.task.enumerate()
    except (SymscopeError, AttributeError):
        inputs = inputs_of(planted.task, SAMPLES)
    target = planted.task.correct(inputs)
    with torch.no_grad():
        for rows in torch.arange(len(inputs)).split(20_000):
            found = planted.network.run(inputs[rows]).output.argmax(-1)
            assert bool(((found == target[rows]) | (target[rows] == IGNORE)).all())


@families
@pytest.mark.parametrize("basis", [b for b in BASES if b != "plain"])
def test_hiding_changes_no_answer(name, basis):
    plain, hidden = some(name, noise=0, basis="plain"), some(name, noise=5, seed=2, basis=basis)
    inputs = inputs_of(plain.task, 300)
    expected, found = plain.network.run(inputs).output, hidden.network.run(inputs).output
    assert (expected - found).abs().max() < 1e-4 * expected.abs().max()


@families
@pytest.mark.parametrize("basis", ["orthogonal", "invertible"])
def test_the_true_alignment_has_an_iia_of_one(name, basis):
    planted = some(name, seed=1, basis=basis)
    for variable, handle in planted.alignment.handles.items():
        swap = swapped(planted, variable)
        assert bool(swap.right(handle.featurizer, handle.coordinates).all()), variable
        natural = swap.right_with(swap.base).float().mean()
        assert natural < 0.85, f"{variable}: swapping it has to change something"


@families
def test_no_unit_holds_a_hidden_variable(name):
    planted = some(name, seed=1)
    for variable, handle in planted.alignment.handles.items():
        swap = swapped(planted, variable)
        width = swap.width
        alone = [float(swap.right(Mask(width, 1, [unit]), [0]).float().mean())
                 for unit in range(width)]  # fmt: skip
        assert max(alone) < 1, (variable, handle)


@families
def test_every_wrong_program_behaves_as_the_true_one(name):
    design = FAMILIES[name]()
    inputs = inputs_of(design.task, 500)
    target = design.task.correct(inputs)
    asked = target != IGNORE
    for program in design.task.programs.values():
        assert torch.equal(program.run(inputs).output[asked], target[asked]), program.name


@families
def test_every_decoy_is_about_a_program_variable_and_site_that_are_there(name):
    planted = some(name)
    assert planted.decoys
    for why, claim in planted.decoys.items():
        ((variable, handle),) = claim.handles.items()
        pairs = planted.task.pairs(
            planted.task.hypothesis(claim.program), (variable,), 20, 0, "fit"
        )
        swap = Swap(planted.network, handle.site, pairs)
        assert swap.width == handle.featurizer.width, why


@families
def test_noise_varies_and_is_not_read(name):
    design, noise = FAMILIES[name](), 3
    planted = plant(design, noise=noise, basis="plain")
    variable, handle = next(iter(planted.alignment.handles.items()))
    swap = swapped(planted, variable)
    at = list(range(design.coordinates, design.coordinates + noise))
    assert bool((swap.source[:, at].std(0) > 0.05).all())
    assert torch.equal(
        swap.right(Mask(swap.width, noise, at), range(noise)), swap.right_with(swap.base)
    )
    assert handle.featurizer.width == design.coordinates + noise


def test_the_same_seed_hides_in_the_same_way_and_another_in_another():
    first, again, other = (some("adder", seed=s) for s in (4, 4, 5))
    weights = [p.network.module.rnn.read.weight for p in (first, again, other)]
    assert torch.equal(weights[0], weights[1]) and not torch.allclose(weights[0], weights[2])


def test_a_claimed_variable_starts_from_random_axes_at_the_right_place():
    planted = some("clock_7")
    claim, true = planted.claimed("sum", seed=3)["sum"], planted.alignment["sum"]
    assert (claim.site, len(claim.coordinates)) == (true.site, len(true.coordinates))
    swap = swapped(planted, "sum")
    assert float(swap.right(claim.featurizer, claim.coordinates).float().mean()) < 0.7


def test_an_alignment_in_an_invertible_basis_can_be_kept(tmp_path):
    planted = some("register", basis="invertible")
    planted.alignment.save(tmp_path / "a.safetensors")
    loaded = Alignment.load(tmp_path / "a.safetensors")
    swap = swapped(planted, "back1")
    assert bool(swap.right(loaded["back1"].featurizer, loaded["back1"].coordinates).all())


def test_one_copy_of_three_does_nothing_and_two_do():
    planted = plant(vote())
    pairs = planted.task.pairs(planted.task.program, ("bit",), PAIRS, 0, "test")
    sites = [claim["bit"].site for claim in planted.decoys.values()]
    donor = planted.network.run(pairs.source, read=sites).values
    natural = planted.network.run(pairs.base).output.argmax(-1)

    def answers(chosen):
        do = {site: (lambda _, v=donor[site]: v) for site in chosen}
        return planted.network.run(pairs.base, do=do).output.argmax(-1)

    for site in sites:
        assert torch.equal(answers([site]), natural)
    assert torch.equal(answers(sites[:2]), pairs.target)


def test_up_down_is_true_of_an_up_up_network_along_the_difference():
    planted = plant(up_up_counter(), basis="plain", noise=2)
    pairs = planted.task.pairs(planted.task.program, ("count",), PAIRS, 0, "test")
    swap = Swap(planted.network, planted.alignment["demo"].site, pairs)
    change = (swap.source - swap.base)[:, :2] @ torch.tensor([0.5, -0.5])
    edited = swap.base.clone()
    edited[:, 0] += change
    edited[:, 1] -= change
    assert bool(swap.right_with(edited).all())


def test_floors_of_an_expression_program_are_those_of_the_machine():
    task = circuit(2).task
    pairs = task.pairs(task.program, ("left",), 300, 0, "test")
    found = floors(task.program, pairs)
    changed = float(pairs.labels["changes"].float().mean())
    assert found["machine_no_op"] == pytest.approx(1 - changed)
    assert found["machine_full_swap"] < 0.7


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: plant(parity(), noise=4, width=4), "width 5 is the smallest"),
        (lambda: plant(parity(), noise=-1), "does not fit"),
        (lambda: modular_counter(2.5), "modulus 2.5: a whole number, 3 or more"),
        (lambda: clock(2), "modulus 2: a whole number, 3 or more"),
        (lambda: circuit(7), "depth 7: there is 2, 3, 4"),
    ],
)
def test_what_cannot_be_built_is_refused_with_what_can(make, told):
    with pytest.raises(SymscopeError, match=told):
        make()


def test_unknown_names_are_refused_with_those_there_are():
    with pytest.raises(UnknownName, match=r"family 'partiy'; there is 'counter'"):
        family("partiy")
    with pytest.raises(UnknownName, match="basis 'skew'; there is 'orthogonal', 'invertible'"):
        plant(parity(), basis="skew")
    with pytest.raises(UnknownName, match="coordinate 'c'; there is 'a', 'b'"):
        Wiring(["a", "b"]).unit({"c": 1}, {"a": 1})


def test_a_network_that_does_not_do_its_task_is_refused():
    design = parity()

    def broken(width, noise, generator):
        module, writers, readers = design.build(width, noise, generator)
        with torch.no_grad():
            module.rnn.write.weight.mul_(1.5)
        return module, writers, readers

    with pytest.raises(SymscopeError, match="noise or basis destroy the behaviour"):
        plant(dataclasses.replace(design, build=broken))


def test_a_wider_network_is_the_same_with_empty_dimensions():
    planted = plant(parity(), noise=2, width=9)
    assert planted.alignment["odd"].featurizer.width == 9
    handle = planted.alignment["odd"]
    assert bool(swapped(planted, "odd").right(handle.featurizer, handle.coordinates).all())

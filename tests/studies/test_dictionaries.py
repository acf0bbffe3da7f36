"""The bench of sparse dictionaries: what is fitted, what is chosen, and what it adds up to."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn.functional import normalize

from symscope.align.swap import swaps
from symscope.cli import main
from symscope.commands import scripts
from symscope.evidence import Evidence, read_evidence
from symscope.features.dictionaries import METHODS
from symscope.features.dictionaries.methods import empty
from symscope.jobs import count, run_unit
from symscope.models.compiled import family, plant
from symscope.report.tables import Records
from symscope.studies.dictionaries.__main__ import WORK, units
from symscope.studies.dictionaries.causal import SWAPPED
from symscope.studies.dictionaries.chosen import (
    choose,
    counts,
    informative,
    probe_weight,
    random_features,
)
from symscope.studies.dictionaries.fitted import Recipe, dictionary, per_vector, rank
from symscope.studies.dictionaries.known import ideal
from symscope.studies.dictionaries.places import place
from symscope.studies.dictionaries.settings import (
    ALL,
    DENSE,
    KNOWN,
    LABELLED,
    LEVELS,
    NETWORKS,
    PRESETS,
    STORIES,
    sparsity_at,
)
from symscope.studies.dictionaries.sums import counted, sums
from symscope.studies.dictionaries.tables import TABLES

NUMBERS = Path(__file__).parents[2] / "results" / "numbers" / "published"
TINY = {**PRESETS["tiny"], "numbers": str(NUMBERS), "weights": None}
FLOORS = {"no_op", "full_swap", "machine_no_op", "machine_full_swap", "random_dictionary",
          "shuffled_labels", "untrained_network"}  # fmt: skip


@pytest.fixture(scope="module")
def bench(tmp_path_factory) -> tuple[Records, dict[str, list[Evidence]]]:
    """The tiny preset from beginning to end: pooled records, and those of each unit."""
    folder = tmp_path_factory.mktemp("dictionaries") / "tiny"
    named = [run_unit(WORK[u[0]], u, TINY, folder) for u in units(TINY)]
    count(folder, counted, "symscope bench dictionaries --preset tiny")
    pooled = {r.claim: r for r in read_evidence(folder.with_suffix(".json"))}
    return pooled, {n: read_evidence(folder / "units" / f"{n}.json") for n in named}


def test_every_method_is_scored_wherever_it_can_be(bench):
    pooled, each = bench
    assert not [r for records in each.values() for r in records if r.score is None]
    for made in ("ideal", "superposition"):
        told = [m for m in ALL if m != "transcoder" and (m != LABELLED or made == "ideal")]
        assert [m for m in ALL if f"dictionaries.{made}.{m}.recovery" in pooled] == told
    for where in ("counting_gru", "counting_transformer"):
        for what in ("explained", "l0", "dead", "spliced"):
            found = {m for m in ALL if f"dictionaries.{where}.{m}.{what}" in pooled}
            across = where == "counting_transformer" and what in ("l0", "spliced")
            assert found == set(ALL) - (set() if across else {"transcoder"})
    for variable in ("hierarchical_equality.left", "hierarchical_equality.right", "gru.count",
                     "gru.phase"):  # fmt: skip
        for method in ("das", *SWAPPED):
            assert f"dictionaries.causal.{variable}.{method}.iia" in pooled
    assert set(ALL) - set(SWAPPED) == {"transcoder"}


def test_every_score_stands_beside_its_controls_and_says_what_made_it(bench):
    pooled, each = bench
    for claim, record in pooled.items():
        assert record.n > 0 and record.low <= record.score <= record.high, claim
        assert record.config["command"] == "symscope bench dictionaries --preset tiny"
        assert record.config["made"]["commit"] and record.seeds == [0]
        if claim.startswith("dictionaries.causal") and ".das." not in claim:
            assert set(record.controls) >= FLOORS
            some = record.config["size"] < record.config["width"] and LABELLED not in claim
            assert some <= ("random_features" in record.controls)
        if claim.endswith((".explained", ".recovery")):
            assert {"random", "pca"} <= set(record.controls)
    scored = [r for records in each.values() for r in records]
    assert all(r.seconds > 0 for r in scored if ".das." not in r.claim)
    assert pooled["dictionaries.counting_gru.topk.explained"].controls["untrained"] < 1


def test_each_table_has_the_records_that_it_is_made_of(bench):
    pooled, _ = bench
    for name, make in TABLES.items():
        if "stories" not in name:
            assert make(pooled).count("\n") >= 5, name
    relu = pooled["dictionaries.causal.gru.count.relu.iia"]
    (row,) = [r for r in TABLES["variables"](pooled).splitlines() if "`gru` count" in r]
    assert f"{relu.score:.2f}" in row and f"{relu.controls['full_swap']:.2f} |" in row
    assert TABLES["worth_stories260k"]({}).count("\n") == 1


def test_a_feature_that_is_the_variable_is_the_most_informative_one():
    generator = torch.Generator().manual_seed(0)
    values = torch.randint(4, (400,), generator=generator)
    noise = torch.rand(400, 3, generator=generator)
    codes = torch.cat([noise, (values == 2)[:, None] * 3.0, values[:, None] * 1.0,
                       torch.ones(400, 1)], 1)  # fmt: skip
    for ranking in (informative, probe_weight):
        found = ranking(codes, values)
        assert set(found.argsort(descending=True)[:2].tolist()) == {3, 4}
        assert found[5] == pytest.approx(0, abs=1e-6)
    shares = informative(codes, values)
    assert shares[4] == pytest.approx(1) and bool((shares[:3] < 0.05).all())


def test_a_probe_prefers_one_of_two_features_over_what_both_say_already():
    generator = torch.Generator().manual_seed(1)
    values = torch.randint(2, (500,), generator=generator)
    sharp = values + 0.01 * torch.rand(500, generator=generator)
    dull = values + 2 * torch.rand(500, generator=generator)
    other = torch.rand(500, generator=generator)
    codes = torch.stack([sharp, dull, other], 1)
    assert informative(codes, values)[1] > 10 * informative(codes, values)[2]
    assert probe_weight(codes, values)[1] < 0.1 * probe_weight(codes, values)[0]
    longer = codes * torch.tensor([1.0, 50.0, 0.1])
    assert torch.allclose(probe_weight(longer, values), probe_weight(codes, values), atol=1e-6)


@pytest.fixture(scope="module")
def planted():
    """A hidden network, pairs for one of its variables, and the true coordinates as features."""
    found = plant(family("hierarchical_equality"), seed=3)
    true = found.alignment["left"]
    pairs = {s: found.task.pairs(found.task.program, ("left",), n, 0, s)
             for s, n in (("fit", 400), ("validation", 100), ("test", 200))}  # fmt: skip
    one = empty(true.featurizer.width, true.featurizer.width, "pca")
    with torch.no_grad():
        axes = true.featurizer.axes()
        one.encoder.copy_(axes)
        one.decoder.copy_(axes.T)
    ready = swaps(found.network, true.site, pairs)
    return ready, one, true.coordinates, pairs["fit"].labels["left.source"]


def test_true_coordinates_are_chosen_and_no_more_of_them_than_needed(planted):
    ready, one, true, values = planted
    worse = empty(one.width, one.size, "pca")
    worse.load_state_dict(one.state_dict())
    with torch.no_grad():
        worse.decoder.copy_(-one.decoder)
    found = choose([worse, one], ready.fit, ready.validation, values)
    assert found.dictionary is one and found.coordinates == true and found.score == 1
    assert float(ready.test.right(one, found.coordinates).float().mean()) == 1


def test_shuffled_labels_and_random_features_do_not_find_them(planted):
    ready, one, true, values = planted
    some = torch.randperm(len(values), generator=torch.Generator().manual_seed(2))
    mixed = choose([one], ready.fit, ready.validation, values[some])
    assert mixed.coordinates != true and mixed.score < 0.9
    assert random_features(one, ready.fit, ready.test, 1, 0) < 0.9
    assert counts(6) == [1, 2, 4] and counts(1) == [1] and counts(64)[-1] == 32


def test_methods_are_compared_at_about_as_many_features_a_vector():
    generator = torch.Generator().manual_seed(4)
    truth = normalize(torch.randn(40, 12, generator=generator), dim=1)
    vectors = (torch.rand(3000, 40, generator=generator) < 0.05).float() @ truth
    recipe = Recipe(30, 5, 2, KNOWN, 300)
    for method in ALL:
        targets = None
        if method in (LABELLED, "transcoder"):
            continue
        found = dictionary(method, vectors, recipe, 0, targets)
        if method in DENSE:
            assert found.size == 5
        else:
            assert found.size == 30 and 1 <= per_vector(found, vectors) <= 6
    labels = (vectors[:, 0] > 0.1).long() + (vectors[:, 1] > 0.1).long()
    assert dictionary(LABELLED, vectors, recipe, 0, labels).size == 2
    assert rank(vectors) == 12 and rank(vectors[:, :3].repeat(1, 2)) == 3


def test_every_sparse_method_has_a_sparsity_at_every_level():
    sparse = [m for m in METHODS if m not in (*DENSE, LABELLED)]
    for penalties, levels in ((NETWORKS, LEVELS), (NETWORKS, (4,)), (STORIES, (8,)), (KNOWN, (2,))):
        for level in levels:
            across = level != 4 and penalties is not STORIES
            for method in [m for m in sparse if not (across and m == "transcoder")]:
                assert sparsity_at(method, level, penalties) > 0
    assert sparsity_at("topk", 8, NETWORKS) == 8 and sparsity_at("pca", 8, NETWORKS) is None


def test_ideal_vectors_are_sums_of_the_directions_that_are_said_to_be_there():
    vectors, truth, there = ideal({"vectors": 300}, 0)
    assert torch.allclose(truth.norm(dim=1), torch.ones(len(truth)))
    assert len(vectors) == len(there) and bool(there.any(1).all())
    alone = there.sum(1) == 1
    cosines = normalize(vectors[alone], dim=1) @ truth.T
    assert torch.equal(cosines.argmax(1), there[alone].long().argmax(1))
    lengths = vectors[alone].norm(dim=1)
    assert lengths.min() >= 0.5 and lengths.max() <= 1.5
    drawn = torch.randn(72, truth.shape[1], generator=torch.Generator().manual_seed(0))
    start = normalize(drawn, dim=1) @ truth.T
    assert start.max() < 0.99, "a dictionary must not start at the true directions"


def test_vectors_of_padding_are_left_out_and_labels_belong_to_vectors():
    for name in ("counting_transformer", "counting_gru"):
        here = place(name, TINY, 0)
        vectors = here.vectors(here.network, *here.fit)
        assert len(vectors) == len(here.labels) and set(here.labels.tolist()) == {0, 1}
        padding = int((~here.kept(here.fit[1])).sum())
        if name == "counting_transformer":
            assert len(vectors) == here.fit[1].numel() - padding and padding > 0
        else:
            steps = torch.tensor(here.fit[0].position)
            assert bool(here.kept(here.fit[1])[torch.arange(len(steps)), steps].all())


def scored(claim: str, score: float, seed: int, **controls: float) -> Evidence:
    floors = {"no_op": 0.1, **controls}
    config = {"size": 4, "width": 16, "course": {"l0": 2, "1": 0.1, "2": score}}
    return Evidence(claim, score, score - 0.02, min(1.0, score + 0.02), 500, controls=floors,
                    seeds=[seed], seconds=2.0, config=config)  # fmt: skip


def test_sums_are_means_over_variables_and_count_what_is_found():
    records = [
        scored("dictionaries.causal.counter.count.relu.iia", 1.0, 0),
        scored("dictionaries.causal.counter.count.relu.iia", 0.6, 1),
        scored("dictionaries.causal.counter.phase.relu.iia", 0.4, 0, random_features=0.9),
        scored("dictionaries.causal.gru.count.relu.iia", 0.3, 0),
        scored("dictionaries.causal.counter.count.topk.iia", 0.9, 0),
    ]
    found = {e.claim: e for e in sums([*records, replace(records[0], score=None, note="no")])}
    iia, share = (found[f"dictionaries.compiled.relu.{x}"] for x in ("iia", "found"))
    assert iia.score == pytest.approx((0.8 + 0.4) / 2) and iia.n == 3
    assert iia.controls["random_features"] == 0.9 and iia.config["coordinates"] == 4
    assert (share.score, share.n) == (pytest.approx(1 / 3), 3)
    assert share.controls["seconds_per_claim"] == 2
    assert iia.config["course"] == {"1": pytest.approx(0.1), "2": pytest.approx(2 / 3)}
    short = replace(records[0], config={**records[0].config, "course": {"1": 0.4}})
    (uneven, _) = sums([short, records[2]])
    assert uneven.config["course"] == {"1": pytest.approx(0.25), "2": pytest.approx(0.4)}
    assert found["dictionaries.counting.relu.iia"].score == 0.3
    assert found["dictionaries.compiled.topk.iia"].unit == "mean IIA"
    assert iia.low <= iia.score <= iia.high
    json.dumps([dict(e.config) for e in found.values()])


def test_a_network_that_is_not_at_hand_is_said_and_the_rest_goes_on(tmp_path):
    nowhere = {**TINY, "numbers": str(tmp_path)}
    run_unit(WORK["counting"], ("counting", "gru", "0"), nowhere, tmp_path)
    (said,) = read_evidence(tmp_path / "units" / "counting-gru-0.json")
    assert said.score is None and "run this in a checkout, or give --numbers" in said.note
    assert not [u for u in units(TINY) if "stories260k" in u]
    assert [u for u in units({**TINY, "weights": "here"}) if "stories260k" in u]


def test_the_command_reaches_the_bench_and_refuses_what_it_does_not_know(monkeypatch, capfd):
    asked = []
    monkeypatch.setattr(scripts, "script", lambda command, json: asked.append(command) or 0)
    assert main(["bench", "dictionaries"]) == 0
    assert main(["bench", "dictionaries", "--preset", "tiny", "--jobs", "1"]) == 0
    assert main(["bench", "truth"]) == 0
    dictionaries = ["-m", "symscope.studies.dictionaries", "--preset"]
    assert asked == [[*dictionaries, "small"], [*dictionaries, "tiny", "--jobs", "1"],
                     ["-m", "symscope.studies.truth", "--preset", "full"]]  # fmt: skip
    assert main(["bench", "dictionaries", "--preset", "full"]) == 2
    assert "'small', 'tiny'" in capfd.readouterr().err
    assert main(["bench", "dictionaries", "--method", "das"]) == 2
    assert "--method is for truth" in capfd.readouterr().err

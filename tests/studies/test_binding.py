"""The study of variable binding in miniature: every unit runs and says what it must."""

from dataclasses import replace

import pytest
import torch

import symscope.studies.binding.settings as settings
from symscope.evidence import Evidence, read_evidence, read_json
from symscope.jobs import join, run_unit
from symscope.network import Network
from symscope.report.explorer_view import checked_view
from symscope.report.pool import pool
from symscope.studies.binding import units
from symscope.studies.binding.mechanism import _off_the_chain, role_map, roles_of, usable_pairs
from symscope.studies.binding.published import PUBLISHED
from symscope.studies.binding.relatives import contexts
from symscope.studies.binding.settings import PRESETS, SEARCH, SMALL, shorter
from symscope.studies.binding.tables import TABLES
from symscope.studies.binding.traced import chosen
from symscope.studies.binding.trajectory import Course, claims, crossed
from symscope.studies.binding.view import _trajectory
from symscope.tasks.binding import Binding
from symscope.tasks.binding.rules import shallow

TASK = Binding(lines=5, letters=8, digits=8, hops=2)


class Shallow(torch.nn.Module):
    """Answers with line 1's digit, whatever is asked."""

    def __init__(self, tokens: int):
        super().__init__()
        self.embed = torch.nn.Embedding.from_pretrained(torch.eye(tokens))

    def forward(self, tokens):
        """Logits (batch, step, token)."""
        first = self.embed(tokens)[:, 2]
        return first[:, None].expand(-1, tokens.shape[1], -1)


def test_pairs_are_those_that_the_network_answers_right():
    network = Network(Shallow(len(TASK.vocabulary)))
    with pytest.raises(units.SymscopeError, match="the network answers none right"):
        usable_pairs(network, TASK, "root", 2, 20, 0)
    pairs = usable_pairs(network, TASK, "distractor", 1, 30, 0, earliest_root=0)
    assert pairs.labels["answer.base"].tolist() == pairs.base[:, 2].tolist()
    assert pairs.labels["answer.source"].tolist() == pairs.source[:, 2].tolist()
    tokens = TASK.drawn(50, torch.Generator().manual_seed(0))
    found = network.run(tokens).output[:, -1].argmax(-1)
    assert found.tolist() == shallow(tokens, TASK.alphabet)["digit of line 1"].tolist()


def test_a_line_off_the_chain_is_off_it_and_keeps_the_kind_of_token():
    tokens = SMALL.task.drawn(200, torch.Generator().manual_seed(0))
    run = SMALL.task.trace(tokens)
    for role, steps in roles_of(SMALL.task, tokens, 1).items():
        away = _off_the_chain(steps, tokens, SMALL.task)
        some = ~run.on_chain.all(1)
        rows = torch.arange(len(tokens))[some]
        assert not bool(run.on_chain[rows, away[some] // 4].any()), role
        expected = {"right 1": 2, "query": 0, "colon": 3}[role]
        assert bool((away[some] % 4 == expected).all()), role


def test_patching_the_embedding_of_the_root_is_running_the_source():
    module = SMALL.network(0).eval()
    pairs = SMALL.task.counterfactuals("root", 20, 0)
    pairs = pairs[pairs.labels["hops"] == 1]
    roles = {"right 1": SMALL.task.roles(pairs.base)["right 1"]}
    found = role_map(Network(module), pairs, roles, 5)
    with torch.no_grad():
        source = module(pairs.source)[:, -1].argmax(-1) == found.expected
    assert found.right["right 1"][0].tolist() == source.tolist()


def test_traced_checkpoints_end_with_the_last_and_start_after_the_first_steps():
    steps = SMALL.checkpoints
    some = chosen(steps, 8)
    assert len(some) == 8 and some[-1] == SMALL.plan.steps and some[0] >= 50


def test_a_place_that_moves_next_to_nothing_at_the_end_has_no_birth(miniature):
    born = [r for r in read_evidence(miniature / "units" / "mechanism-0.json")
            if ".birth." in r.claim]  # fmt: skip
    for record in born:
        assert (record.config["half"] is None) == (record.score < 0.2), record.claim


def test_the_search_changes_one_thing_at_a_time_and_names_it():
    assert SEARCH["as_small"].shape == SMALL.shape and SEARCH["as_small"].task == SMALL.task
    for label, tried in SEARCH.items():
        assert tried.plan.one_hop == 0, label
        assert label == "as_small" or tried != SEARCH["as_small"], label


def test_the_search_s_table_says_which_settings_crossed_and_when():
    def tried(label: str, crossed: int | None) -> Evidence:
        return Evidence(f"binding.search.{label}.accuracy", 0.5, 0.4, 0.6, 100, "accuracy",
                        {"digit of line 1": 0.55}, [0], 300.0, {"crossed": crossed})  # fmt: skip

    pooled = pool([tried("as_small", 1_778), tried("three_layers", None)])
    lines = TABLES["search"]({r.claim: r for r in pooled}).splitlines()
    assert lines[2].startswith("| as small |") and lines[2].endswith("| 1778 |")
    assert lines[3].startswith("| three layers |") and lines[3].endswith("| no |")


def test_only_the_tiny_preset_has_a_curriculum():
    assert [n for n, p in PRESETS.items() if p.plan.one_hop] == ["tiny"]
    published = PRESETS["published"]
    assert published.plan.steps == 105_400 and published.task.length == 67
    assert sum(p.numel() for p in published.network(0).parameters()) // 10**5 == 378


def test_a_shorter_preset_is_the_same_but_for_its_end():
    short = shorter(SMALL, 10)
    assert short.plan.steps == 10 and short.task == SMALL.task and short.checkpoints[-1] == 10


def test_contexts_bind_different_letters_to_different_digits_and_ask_for_one():
    found = contexts(SMALL.task, 50, 0)
    run = SMALL.task.trace(found.tokens)
    assert bool((run.parent < 0).all()) and run.asked.tolist() == found.asked.tolist()
    for side in found.steps:
        written = found.tokens.gather(1, side)
        assert all(len(set(row)) == 6 for row in written.tolist())
    answer = found.tokens.gather(1, found.attribute).gather(1, found.asked[:, None])[:, 0]
    assert answer.tolist() == run.answer.tolist()
    assert contexts(replace(SMALL.task, digits=4), 5, 0).entity.shape == (5, 4)


def test_with_too_few_checkpoints_for_phases_all_else_is_claimed_and_shown():
    tokens = SMALL.task.drawn(50, torch.Generator().manual_seed(0), "test")
    answer = SMALL.task.trace(tokens).answer
    found = Course(SMALL.task, [0, 10, 20], tokens, torch.stack([answer * 0, answer * 0, answer]))
    records = {r.claim: r for r in claims(found, "x", 0)}
    assert records["x.accuracy"].score == 1 and records["x.accuracy.hops.1"].score == 1
    assert records["x.phase"].score is None and "plateaus need at least" in records["x.phase"].note
    assert _trajectory(found)["phases"] == []
    assert crossed(found) == 20  # the first digit is right in one of four
    never = replace(found, found=torch.stack([answer * 0] * 3))
    assert crossed(never) is None


@pytest.fixture(scope="module")
def miniature(tmp_path_factory):
    """A network that has learned nothing yet, and all that is asked of it."""
    tiny = settings.TINY
    small = replace(
        tiny, width=16, shape={"layers": 2, "heads": 2}, pairs=16, fits=40, traced=2,
        dense=12, tested=300, each=1, inside=2,
        task=replace(tiny.task, lines=4, digits=4, letters=4),
        plan=replace(tiny.plan, steps=60, warmup=5, one_hop=10),
    )  # fmt: skip
    folder = tmp_path_factory.mktemp("study") / "tiny"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(settings.PRESETS, "tiny", small)
        patch.setattr("symscope.studies.binding.generalisation.LINES", (2, 4, 6))
        patch.setattr("symscope.studies.binding.mechanism._ROUNDS", 4)
        patch.setattr("symscope.studies.binding.relatives.STEPS", 20)
        for kind in ("network", "mechanism", "heads", "beyond", "view"):
            run_unit(getattr(units, f"{kind}_unit"), (kind, "0"), {"preset": "tiny"}, folder)
    return folder


def test_every_unit_leaves_evidence_with_controls_and_seed(miniature):
    paths = sorted((miniature / "units").glob("*.json"))
    assert [p.stem for p in paths] == ["beyond-0", "heads-0", "mechanism-0", "network-0", "view-0"]
    records = [r for p in paths for r in read_evidence(p)]
    done = [r for r in records if r.score is not None]
    assert len(done) > 15
    for record in done:
        assert record.controls and record.seeds == [0], record.claim
        assert record.claim.startswith("binding.tiny."), record.claim
    for record in records:
        assert record.score is not None or record.note, record.claim


def test_the_view_is_one_that_the_explorer_takes(miniature):
    view = read_json(miniature / "views" / "0.json")
    assert checked_view(view)["checkpoints"][-1] == 60
    assert all(p["predictions"] for p in view["programs"])


def test_joined_evidence_names_the_published_value_and_fills_the_tables(miniature):
    records = {r.claim: r for r in join(miniature, PUBLISHED, "a command")}
    assert records["binding.tiny.accuracy"].source["value"] == 0.999
    small = {c.replace(".tiny.", ".small."): r for c, r in records.items()}
    assert "0.999" in TABLES["accuracy"](small)
    assert "random digit" in TABLES["phases"](small)

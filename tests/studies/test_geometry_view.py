"""What the units find in networks that add, and the page and the tables made of it."""

import base64
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from symscope.evidence import Evidence, read_evidence, read_json
from symscope.features.geometry import circles
from symscope.jobs import join, run_unit
from symscope.models.load import save_network
from symscope.report.geometry import geometry
from symscope.report.geometry_view import checked_geometry
from symscope.report.pool import pool
from symscope.studies.geometry import toys
from symscope.studies.geometry.__main__ import WORK
from symscope.studies.geometry.adders import circle_unit, verdict
from symscope.studies.geometry.networks import fresh, shape
from symscope.studies.geometry.published import PUBLISHED
from symscope.studies.geometry.settings import PRESETS, Adding, Preset, Search
from symscope.studies.geometry.tables import TABLES
from symscope.studies.geometry.view import view
from symscope.studies.geometry.view_networks import _verdict

FEW = Search(size=32, penalties=(0.003,), steps=300, thresholds=(), neighbours=(), counts=(4,),
             angles=12)  # fmt: skip
MINUTE = Preset(points=300, pairs=60, adding=Adding(17, 32, 500), search=FEW)
SETTINGS = {"preset": "minute"}
UNITS = (
    ("network", "trained", "1"), ("circle", "trained", "1"), ("search", "trained", "1"),
    ("circle", "untrained", "1"), ("toy", "circle", "1"),
)  # fmt: skip
WRITTEN = [f"written.{which}.{kept}{metric}" for which in ("one", "all")
           for kept in ("", "kept.") for metric in ("difference", "share")]  # fmt: skip
OFF = [f"off.radius_{round(0.1 * i, 1):g}" for i in range(20)]
CLAIMS = {
    "accuracy_of_all", "embedding.power", "neurons.pure", "logits.waves", "keys.accuracy",
    "probe.one", "probe.all", *(f"curve.{c}" for c in ("circle", "helix", "torus", "line", "grid")),
    *WRITTEN, *OFF, "gradient_symmetricity", "distance_irrelevance",
}  # fmt: skip


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """The folder, what each unit left in it by the claim's end, and the joined records."""
    folder = tmp_path_factory.mktemp("geometry") / "minute"
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(PRESETS, "minute", MINUTE)
        patch.setattr(toys, "published_mixture", lambda points, seed: 0.1784)
        found = {}
        for unit in UNITS:
            name = run_unit(WORK[unit[0]], unit, SETTINGS, folder)
            records = read_evidence(folder / "units" / f"{name}.json")
            found[unit[:2]] = {r.claim.removeprefix(f"geometry.{unit[1]}."): r for r in records}
        yield folder, found, join(folder, PUBLISHED, "the command")


@pytest.fixture(scope="module")
def page(study) -> dict[str, Any]:
    folder, _, records = study
    return view(records, SETTINGS, folder, "the command")


def test_every_question_about_a_network_is_answered_beside_its_controls(study):
    found = study[1]["circle", "trained"]
    steps = sorted(name for name in found if name.startswith("explanation."))
    assert set(found) - set(steps) == CLAIMS
    assert steps == [f"explanation.{i}" for i in range(1, len(steps) + 1)] and steps
    for name, record in found.items():
        assert record.controls, name
        assert record.low <= record.score <= record.high, name
    assert set(study[1]["circle", "untrained"]) >= CLAIMS - {"keys.accuracy"}


def test_every_record_names_its_network_by_the_seed(study):
    for kind in ("trained", "untrained"):
        assert {tuple(r.seeds) for r in study[1]["circle", kind].values()} == {(1,)}


def test_a_network_that_was_trained_differs_from_one_that_was_not_and_from_what_is_dealt(study):
    found, never = (study[1]["circle", kind] for kind in ("trained", "untrained"))
    assert found["accuracy_of_all"].score > 0.9 > 0.2 > never["accuracy_of_all"].score
    for name in ("embedding.power", "neurons.pure", "logits.waves"):
        (chance,) = found[name].controls.values()
        assert found[name].score > chance and found[name].score > never[name].score + 0.3
    assert "keys.accuracy" not in never and never["embedding.power"].config["keys"] == "none"
    keys = found["keys.accuracy"].controls
    assert keys["untouched"] == pytest.approx(found["accuracy_of_all"].score)
    assert found["gradient_symmetricity"].controls["untrained"] > 0.9  # all but linear
    assert not never["gradient_symmetricity"].controls
    whole = found["written.one.share"].controls["whole"]
    assert whole > 0.8 > found["written.one.share"].score > found["off.radius_0"].score
    assert found["written.one.share"].n == MINUTE.pairs


def test_the_verdict_needs_both_measures_on_their_sides():
    assert verdict(0.659, 0.511) == "clock" and verdict(0.66, 0.51) == "pizza"
    assert {verdict(0.66, 0.511), verdict(0.659, 0.51)} == {"neither"}
    assert {verdict(None, 0.9), verdict(0.1, None)} == {"neither"}


def test_of_a_network_whose_numbers_are_all_the_same_the_other_questions_are_answered(
    tmp_path, study, monkeypatch
):
    monkeypatch.setitem(PRESETS, "minute", MINUTE)
    module = fresh(MINUTE.adding, 0)
    with torch.no_grad():
        module.embed.weight.zero_()
    save_network(tmp_path / "networks" / "trained-0.safetensors", module, shape(MINUTE.adding))
    found = circle_unit(("circle", "trained", "0"), SETTINGS, tmp_path)
    failed = {r.claim: r.note for r in found if r.claim.startswith("geometry.trained.circle.")}
    assert set(failed) >= {f"geometry.trained.circle.question_{i}" for i in range(3)}
    assert "all numbers have the same vector" in failed["geometry.trained.circle.question_0"]
    named = {r.claim: r for r in found}
    assert named["geometry.trained.gradient_symmetricity"].score is not None
    assert all(r.score is not None or r.note for r in found)


def test_a_search_leaves_claims_and_the_rows_of_its_page(study):
    folder, found, _ = study
    records = found["search", "trained"]
    assert set(records) == {*(f"search.{w}" for w in ("recall", "precision", "there", "waves")),
                            "planes.share", "planes.difference"}  # fmt: skip
    assert records["search.recall"].score == 1.0
    planes = records["planes.share"].controls
    assert planes["no_op"] == 0.0 < planes["whole"]
    rows = read_json(folder / "views" / "search-trained-1.json")
    assert [r["score"]["score"] for r in rows] == sorted((r["score"]["score"] for r in rows),
                                                         reverse=True)  # fmt: skip
    best = {str(r["frequency"]): [r["r2"]["score"], r["circle"]] for r in rows if r["best"]}
    assert best == records["search.waves"].config["best"]


def test_the_page_accepts_the_view_and_has_all_parts(page):
    checked = checked_geometry(page)
    for part in ("clouds", "ranking", "interventions", "off_circle", "residuals", "verdicts",
                 "spectra", "claims"):  # fmt: skip
        assert checked[part], part
    groups = {c["group"] for c in checked["clouds"]}
    assert groups == {"Toy shapes", "Embeddings", "Found without labels"}
    text = geometry(page)
    assert page["title"] in text and "the command" in text


def test_verdicts_have_the_numbers_of_each_network_and_untrained_ones_none(page, study):
    trained, never = page["verdicts"]
    records, search = (study[1][unit, "trained"] for unit in ("circle", "search"))
    assert trained["network"] == "trained here, 1" and never["network"] == "untrained, 1"
    for name, claim in (("gradient_symmetricity", "gradient_symmetricity"),
                        ("distance_irrelevance", "distance_irrelevance"),
                        ("intervention", "written.all.share")):  # fmt: skip
        told = records[claim]
        assert trained[name] == {"score": told.score, "low": told.low, "high": told.high,
                                 "reason": told.note}, name  # fmt: skip
    measured = (records[k].score for k in ("gradient_symmetricity", "distance_irrelevance"))
    assert trained["verdict"] == verdict(*measured)
    used = search["search.waves"].config["used"]
    assert " ".join(map(str, trained["fourier"])) == used
    assert " ".join(map(str, trained["unsupervised"])) == search["search.waves"].config["found"]
    assert never["untrained"] and never["verdict"] is None and never["fourier"] == []


def test_what_was_found_and_what_is_used_stand_beside_each_other():
    measure = {k: Evidence(k, 0.1, 0.0, 1.0, 9) for k in ("gradient_symmetricity",
                                                          "distance_irrelevance")}  # fmt: skip
    config = {"found": "1 2", "used": "2 3", "there": "2 3 4"}
    (row,) = _verdict("trained", "x", {**measure, "search.waves": Evidence(
        "x", 0.5, 0.1, 0.9, 4, config=config)})  # fmt: skip
    assert row["unsupervised"] == [1, 2] and row["fourier"] == [2, 3] and row["network"] == "x"


def test_spectra_and_residuals_are_those_of_the_records(page, study):
    records = study[1]["circle", "trained"]
    (spectrum, _), (residual, _) = page["spectra"], page["residuals"]
    assert spectrum["frequencies"] == list(range(1, 9))
    assert spectrum["power"] == records["embedding.power"].config["spectrum"][1:]
    assert " ".join(map(str, sorted(spectrum["key"]))) == records["embedding.power"].config["keys"]
    first, *steps = residual["steps"]
    assert first["added"] == "nothing" and first["r2"] == 0 and residual["shape"] == [17, 17]
    told = [records[f"explanation.{i}"] for i in range(1, len(steps) + 1)]
    assert [s["r2"] for s in steps] == [r.score for r in told]
    assert [s["added"] for s in steps] == [r.config["group"] for r in told]
    assert [s["null"] for s in steps] == [r.controls["random_gain"] for r in told]
    assert len({s["grid"] for s in residual["steps"]}) == len(steps) + 1


def test_interventions_and_radii_are_those_of_the_joined_records(page, study):
    records = {r.claim: r for r in study[2]}
    some = {(i["network"], i["unit"]): i["series"] for i in page["interventions"]}
    assert len(some) == 8 and len(page["off_circle"]) == 2
    for which, words in (("one", "one circle"), ("all", "all circles")):
        for unit, metric in (("logits", "difference"), ("share", "share")):
            series = some[f"trained here, {words}", unit]
            record = records[f"geometry.trained.written.{which}.{metric}"]
            kept = records[f"geometry.trained.written.{which}.kept.{metric}"]
            assert series["circle"][0]["score"] == record.score
            assert series["circle_kept"][0]["score"] == kept.score
            assert series["whole"][0]["score"] == record.controls["whole"]
    off = page["off_circle"][0]
    assert off["radius"] == [round(0.1 * i, 1) for i in range(20)] and off["chance"] == 1 / 17
    assert [a["score"] for a in off["accuracy"]] == [
        records[f"geometry.trained.{name}"].score for name in OFF
    ]


def unpacked(cloud: dict[str, Any]) -> np.ndarray:
    flat = np.frombuffer(base64.b64decode(cloud["points"]), "<f4")
    return flat.reshape(-1, cloud["dimensions"])


def test_clouds_go_round_with_their_colours(page, study):
    """The first plane of each is a circle of the values that colour it, as far as it is said."""
    clouds = {c["group"]: c for c in reversed(page["clouds"])}
    embedded, found = clouds["Embeddings"], clouds["Found without labels"]
    assert len(unpacked(embedded)) == 17 and embedded["facts"]["frequency"] == 7
    keys = study[1]["circle", "trained"]["embedding.power"].config["keys"]
    assert str(embedded["facts"]["frequency"]) in keys.split()
    for cloud, least in ((embedded, 0.8), (found, found["facts"]["R² of the circle"] - 1e-3)):
        waves = circles(torch.tensor(cloud["variable"]["values"]), cloud["variable"]["period"])
        waves, points = (x - x.mean(0) for x in (waves.numpy(), unpacked(cloud)[:, :2]))
        assert np.linalg.matrix_rank(points, tol=0.1) == 2
        left = points - waves @ np.linalg.lstsq(waves, points, rcond=None)[0]
        assert 1 - (left**2).sum() / (points**2).sum() >= least
    rows = [r for r in page["ranking"] if r["cloud"] is not None]
    assert len(rows) == len(page["ranking"]) > 1
    for row in rows:
        cloud = page["clouds"][row["cloud"]]
        assert cloud["facts"]["r2"] == row["r2"]["score"]
        assert row["cluster"].endswith(cloud["facts"]["cluster"])
    toy = clouds["Toy shapes"]
    assert len(unpacked(toy)) == MINUTE.points and toy["published"]["mixture"] == 0.1784
    mixture = study[1]["toy", "circle"]["geometry.toy.circle.mixture"]
    assert toy["indices"]["mixture"]["score"] == mixture.score
    assert toy["indices"]["mixture"]["null"] == mixture.controls["gaussian"]


def test_the_page_has_the_claims_about_networks(page):
    assert "geometry.trained.written.all.share" in {c["claim"] for c in page["claims"]}
    assert "geometry.trained.search.recall" in {c["claim"] for c in page["claims"]}


def cells(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()]


def test_tables_hold_the_numbers_of_the_records_each_in_its_column(study):
    records = {r.claim: r for r in study[2]}
    head, _, row = cells(TABLES["toys"](records))
    s, m = (records[f"geometry.toy.circle.{i}"] for i in ("separability", "mixture"))
    beside = dict(zip(head, row, strict=True))
    assert beside["S, bits"].startswith(f"**{s.score:.3f}** ({s.low:.3f}–{s.high:.3f})")
    assert beside["M"].startswith(f"**{m.score:.3f}**") and beside["M published"] == "0.178"
    assert beside["Gaussian"] == f"{m.controls['gaussian']:.3f}" and beside["support alone"] == ""
    head, _, one, *_ = cells(TABLES["written.share"](records))
    record = records["geometry.trained.written.one.share"]
    beside = dict(zip(head, one, strict=True))
    assert beside["networks"] == "trained here" and beside["circles"] == "one"
    assert beside["circle"].startswith(f"**{record.score:.3f}**")
    assert beside["whole"] == f"{record.controls['whole']:.2f}"
    assert beside["plane alone"] == f"{record.controls['plane_alone']:.2f}"
    kept = records["geometry.trained.written.one.kept.share"]
    assert beside["rest kept"] == f"{kept.score:.3f}"
    fourier = {tuple(c[:2]): c for c in cells(TABLES["fourier"](records))}
    accuracy = records["geometry.trained.accuracy_of_all"].score
    told = fourier["accuracy on all pairs", "trained here"]
    assert told[3].startswith(f"**{accuracy:.3f}**") and told[4] == "chance 0.059"
    first = records["geometry.trained.explanation.1"]
    assert cells(TABLES["explanations"](records))[2][5] == first.config["group"]


def test_tables_of_several_networks_have_the_findings_of_each(study):
    found = {**study[1]["circle", "trained"], **study[1]["search", "trained"]}
    named = ("search.recall", "search.waves", "gradient_symmetricity", "distance_irrelevance")
    ours = [replace(found[name], seeds=[1]) for name in named]
    more = [replace(r, seeds=[4], score=r.score / 2, config={**r.config, "found": "2 3"})
            for r in ours]  # fmt: skip
    records: dict[str, Evidence] = {r.claim: r for r in pool([*ours, *more])}
    waves, alike = (records[f"geometry.trained.{c}"]
                    for c in ("search.waves", "gradient_symmetricity"))  # fmt: skip
    used = waves.config["used"]
    rows = cells(TABLES["frequencies"](records))[2:]
    own = study[1]["search", "trained"]["search.waves"].config["found"]
    assert rows[0][:3] == ["trained here, 1", own, used]
    assert rows[1][:3] == ["trained here, 4", "2 3", used]
    assert cells(TABLES["verdicts"](records))[2][2] == ", ".join(
        f"{x:.2f}" for x in alike.config["by_seed"]
    )
    recall = cells(TABLES["search"](records))[2]
    assert recall[:3] == ["used frequencies found", "trained here", "2"]
    assert recall[3].startswith("**0.750**") and recall[4].startswith("random frequencies 0.125")


def test_what_is_not_there_leaves_an_empty_table():
    for name, maker in TABLES.items():
        assert len(maker({}).splitlines()) == 2, name

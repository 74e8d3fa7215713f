from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from divided import gaussian, keys_of, terms, write_part, write_scores

from spoofbench import judging
from spoofbench.calibration import development, fitted, fusion
from spoofbench.calibration.maps import read_operating_point
from spoofbench.errors import InvalidCalibration, InvalidScores, InvalidSettings
from spoofbench.plugins import catalogue
from spoofbench.protocols import load
from spoofbench.scores import ScoreTable
from spoofbench.terms import Terms, terms_of

OPERATION = fitted.operation_of(0.05, 1.0, 10.0)


def eer(scores, bonafide):
    """Equal error rate by walking through all thresholds; scores without ties."""
    order = np.argsort(scores)
    miss = np.cumsum(bonafide[order]) / bonafide.sum()
    false_alarm = 1 - np.cumsum(~bonafide[order]) / (~bonafide).sum()
    best = np.argmin(np.abs(miss - false_alarm))
    return (miss[best] + false_alarm[best]) / 2


def cllr(llrs, bonafide):
    """Cost of log-likelihood ratios in bits, from its definition (Brümmer and du Preez 2006)."""
    own = np.log2(1 + np.exp(-llrs[bonafide])).mean()
    other = np.log2(1 + np.exp(llrs[~bonafide])).mean()
    return (own + other) / 2


def systems(there: Terms, folder: Path, scores: dict[str, np.ndarray]) -> list[Path]:
    return [write_scores(folder / f"{name}.txt", there, values) for name, values in scores.items()]


@pytest.fixture
def there(tmp_path: Path) -> Terms:
    return terms(write_part(tmp_path, "dev", bonafide=4000, spoof=8000))


@pytest.fixture
def dev(there: Terms, tmp_path: Path) -> development.DevScores:
    """Two independent systems, of which the second is weaker and scaled by 10."""
    random, bonafide = np.random.default_rng(1), keys_of(there)
    scores = {
        "a": gaussian(bonafide, random, mu=1.0),
        "b": 10 * gaussian(bonafide, random, mu=0.5) + 3,
    }
    return development.read_dev(systems(there, tmp_path, scores), there, negate=None)


@pytest.fixture
def file(dev, tmp_path: Path) -> Path:
    fitted.write(fusion.fit(dev, operation=OPERATION), tmp_path / "f.json")
    return tmp_path / "f.json"


def test_independent_systems_get_the_weights_of_their_likelihood_ratios(dev):
    made = fusion.fit(dev, operation=OPERATION)
    a, b = (system.weight for system in made.systems)
    # ratios of independent scores add up: 2 x 1 x a, and 2 x 0.5 x (b - 3) / 10
    assert a == pytest.approx(2, rel=0.1)
    assert b == pytest.approx(0.1, rel=0.1)
    assert made.offset == pytest.approx(-0.3, abs=0.1)


def test_standardised_weights_can_be_compared_whatever_the_scales(dev):
    made = fusion.fit(dev, operation=OPERATION)
    for system, table in zip(made.systems, dev.tables, strict=True):
        assert system.standardised == pytest.approx(system.weight * np.std(table.scores))
    assert made.systems[0].standardised > made.systems[1].standardised > 0


def test_a_fusion_of_independent_systems_beats_each(dev, there, tmp_path: Path):
    made = fusion.fit(dev, operation=OPERATION)
    bonafide = dev.bonafide
    fused = fusion.apply(made, dev.tables, "dev").scores
    # d' of the fusion is the root of the sum of squares: an EER of Phi(-sqrt(1 + 0.25)) = 0.1318
    assert eer(fused, bonafide) == pytest.approx(0.1318, abs=0.012)
    assert eer(fused, bonafide) < min(eer(table.scores, bonafide) for table in dev.tables)


def test_a_useless_system_gets_next_to_no_weight(there, tmp_path: Path):
    random, bonafide = np.random.default_rng(2), keys_of(there)
    noise = random.standard_normal(len(bonafide))
    files = systems(there, tmp_path, {"a": gaussian(bonafide, random), "noise": noise})
    made = fusion.fit(development.read_dev(files, there, negate=False), operation=OPERATION)
    assert abs(made.systems[1].standardised) < 0.05 * made.systems[0].standardised


def test_a_negative_weight_is_remarked(there, tmp_path: Path):
    random, bonafide = np.random.default_rng(3), keys_of(there)
    shared = 2 * random.standard_normal(len(bonafide))
    scores = {
        "a": gaussian(bonafide, random) + shared,
        "b": 0.2 * np.where(bonafide, 1, -1) + shared + 0.1 * random.standard_normal(len(bonafide)),
    }
    files = systems(there, tmp_path, scores)
    dev = development.read_dev(files, there, negate=None)
    made = fusion.fit(dev, operation=OPERATION)
    assert any("the weight of b is negative" in said for said in made.describe())


def test_positive_weights_are_not_remarked(dev):
    assert not any("negative" in said for said in fusion.fit(dev, operation=OPERATION).describe())


def test_the_order_of_the_systems_does_not_matter(dev):
    made = fusion.fit(dev, operation=OPERATION)
    turned = development.DevScores(
        terms=dev.terms,
        labels=dev.labels[::-1],
        files=dev.files[::-1],
        tables=dev.tables[::-1],
        negated=False,
    )
    other = fusion.fit(turned, operation=OPERATION)
    fused = fusion.apply(made, dev.tables, "").scores
    assert np.allclose(fusion.apply(other, turned.tables, "").scores, fused, atol=1e-6)


def test_a_file_that_is_given_twice_is_refused(dev, there):
    twice = development.read_dev([dev.files[0], dev.files[0]], there, negate=None)
    with pytest.raises(InvalidCalibration, match=r"a, a \(2\) follow from the others"):
        fusion.fit(twice, operation=OPERATION)


def test_a_score_too_large_to_fuse_is_refused(dev, there):
    made = fusion.fit(dev, operation=OPERATION)
    large = ScoreTable(trials=there.trials, scores=np.full(len(there.trials), 1.7e308))
    with pytest.raises(InvalidScores, match="mine: the score of dev-0 is too large"):
        fusion.apply(made, [large, large], "mine")


def test_one_system_is_no_fusion():
    with pytest.raises(InvalidSettings, match="two systems or more"):
        fusion.check_several([Path("a.txt")])


@pytest.mark.parametrize("files", [["a.txt"], ["a.txt", "b.txt", "c.txt"]])
def test_another_number_of_files_than_of_systems_is_refused(files):
    with pytest.raises(InvalidSettings, match=r"2 systems are fused \(a, b\)"):
        fusion.check_order(["a", "b"], [Path(file) for file in files])


def test_files_called_like_the_systems_in_another_order_are_refused():
    with pytest.raises(InvalidSettings, match="the systems are a, b, but --apply gives b, a"):
        fusion.check_order(["a", "b"], [Path("b.txt"), Path("a.txt")])


def test_it_is_said_which_file_stands_for_which_system():
    said = fusion.pairing(["a", "b"], [Path("x.txt"), Path("y.txt")])
    assert said == "taken in order: x as a, y as b"


def test_a_fusion_is_read_as_it_was_written(dev, file: Path):
    again = fusion.read(file)
    made = fusion.fit(dev, operation=OPERATION)
    assert again.model_copy(update={"made": made.made}) == made


def test_the_operating_point_of_a_fusion_is_on_the_scale_of_ratios_alone(file: Path):
    point = read_operating_point(file)
    assert (point.threshold, point.raw_threshold) == (pytest.approx(-math.log(1.9)), None)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda table: table["systems"].pop(), "systems"),
        (lambda table: table["systems"][0].update(weight=math.nan), "weight"),
        (lambda table: table["systems"][0].update(path="/etc"), "path"),
        (lambda table: table["operation"].update(raw_threshold=1.0), "no raw_threshold"),
        (lambda table: table.update(kind="calibration"), "kind"),
    ],
)
def test_a_fusion_file_that_was_changed_is_refused(file: Path, change, said):
    table = json.loads(file.read_text())
    change(table)
    file.write_text(json.dumps(table))
    with pytest.raises(InvalidCalibration, match=said):
        fusion.read(file)


@pytest.mark.reference
def test_two_published_systems_fused_cost_less_than_each_alone_on_speakers_not_fitted_on(
    reference: Path,
):
    known = catalogue()
    there = terms_of(load("la-eval", known), known, reference / "asvspoof2019-la")
    tables = [
        judging.read(reference / "scores" / f"la-eval.{name}.txt", there, negate=None)
        for name in ("aasist", "rawgat-st-mul")
    ]
    speakers = tables[0].column("speaker")
    own = np.isin(speakers, sorted(set(speakers))[::2])
    scores, bonafide = np.column_stack([t.scores for t in tables]), tables[0].bonafide
    found = fusion.logistic.fit(
        scores[own], bonafide[own], ["aasist", "rawgat"], log_odds=-OPERATION.threshold
    )
    assert (found.standardised > 0).all()
    fused = cllr(found.apply(scores[~own]), bonafide[~own])
    for column in (scores[:, :1], scores[:, 1:]):
        alone = fusion.logistic.fit(
            column[own], bonafide[own], ["alone"], log_odds=-OPERATION.threshold
        )
        assert fused < cllr(alone.apply(column[~own]), bonafide[~own])

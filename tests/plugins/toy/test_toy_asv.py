"""The verifier: it tells talkers apart, not perfectly, and lets a share of the spoofs through."""

import numpy as np
import pytest

from spoofbench_toy.asv import enrol, learn_background, voice_print
from spoofbench_toy.randomness import random_for


def scores(folder, part) -> dict[str, np.ndarray]:
    file = folder / "toy_asv_scores" / f"toy.asv.{part}.gi.trl.scores.txt"
    rows = [line.split() for line in file.read_text().splitlines()]
    return {
        key: np.array([float(score) for _, found, score in rows if found == key])
        for key in ("target", "nontarget", "spoof")
    }


def asv_eer(targets: np.ndarray, others: np.ndarray) -> tuple[float, float]:
    """The threshold and the rate where misses and false alarms are nearest to each other."""
    thresholds = np.unique(np.concatenate([targets, others]))
    miss = np.array([(targets < threshold).mean() for threshold in thresholds])
    false_alarm = np.array([(others >= threshold).mean() for threshold in thresholds])
    best = np.argmin(np.abs(miss - false_alarm))
    return float(thresholds[best]), float(miss[best] + false_alarm[best]) / 2


@pytest.mark.parametrize("part", ["dev", "eval"])
def test_talkers_are_verified_with_some_errors(built_toy, part):
    found = scores(built_toy, part)
    _, rate = asv_eer(found["target"], found["nontarget"])
    assert found["target"].mean() > found["nontarget"].mean()
    assert 0.02 <= rate <= 0.15


@pytest.mark.parametrize("part", ["dev", "eval"])
def test_a_share_of_the_spoofs_is_accepted_and_a_share_is_not(built_toy, part):
    found = scores(built_toy, part)
    threshold, _ = asv_eer(found["target"], found["nontarget"])
    assert 0.2 < (found["spoof"] >= threshold).mean() < 0.9


def drawn(talkers: int, utterances: int, spread: float) -> dict[str, list[np.ndarray]]:
    """Voice prints whose variance is ``spread`` squared between talkers, and one within."""
    random = random_for("prints", str(talkers), str(utterances))
    means = spread * random.standard_normal((talkers, 3))
    return {
        str(number): list(mean + random.standard_normal((utterances, 3)))
        for number, mean in enumerate(means)
    }


def test_the_background_finds_the_variances_that_were_drawn():
    background = learn_background(drawn(talkers=2000, utterances=5, spread=2.0))
    np.testing.assert_allclose(background.within, 1.0, rtol=0.1)
    np.testing.assert_allclose(background.between, 4.0, rtol=0.1)


def test_a_score_is_the_log_of_a_likelihood_ratio():
    """Of trials with a ratio near r, targets are r times as frequent as non-targets."""
    background = learn_background(drawn(talkers=2000, utterances=5, spread=1.0))
    tested = drawn(talkers=1500, utterances=4, spread=1.0)
    verifier = enrol(background, {name: prints[:3] for name, prints in tested.items()})
    names = list(tested)
    target = [verifier.score(tested[name][3], name) for name in names]
    other = [verifier.score(tested[name][3], names[at - 1]) for at, name in enumerate(names)]
    # The mean of exp(-LLR) over targets, and of exp(LLR) over non-targets, is one.
    assert np.mean(np.exp(-np.array(target))) == pytest.approx(1.0, abs=0.15)
    assert np.mean(np.exp(other)) == pytest.approx(1.0, abs=0.15)


def test_more_enrolment_makes_the_verifier_surer_of_the_mean():
    prints = drawn(talkers=50, utterances=8, spread=1.0)
    background = learn_background(prints)
    few = enrol(background, {"0": prints["0"][:2]}).talkers["0"]
    many = enrol(background, {"0": prints["0"]}).talkers["0"]
    assert (many.variance < few.variance).all()


def test_a_voice_print_does_not_hang_on_the_level():
    noise = random_for("noise").standard_normal(8000)
    np.testing.assert_allclose(voice_print(noise), voice_print(0.1 * noise), atol=1e-4)

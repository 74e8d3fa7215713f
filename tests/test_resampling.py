from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from spoofbench.statistics.intervals import percentile
from spoofbench.statistics.resampling import (
    UNITS,
    Design,
    jackknife,
    jackknife_samples,
    weights,
)

SPEAKERS = ("s1", "s2", "s3", "s4", "s5")
ATTACKS = ("A07", "A08", "A09")

units = st.sampled_from(UNITS)
seeds = st.integers(0, 2**70)


def names(unit: str) -> dict[str, list[str] | list[bool] | str]:
    """Every speaker with two bona fide trials and one spoof of each attack, all mixed up."""
    trials = [(True, speaker, "-") for speaker in SPEAKERS for _ in range(2)]
    trials += [(False, speaker, attack) for speaker in SPEAKERS for attack in ATTACKS]
    shuffled = [trials[place] for place in np.random.default_rng(3).permutation(len(trials))]
    bonafide, speaker, attack = zip(*shuffled, strict=True)
    return {
        "unit": unit,
        "bonafide": list(bonafide),
        "speaker": list(speaker),
        "attack": list(attack),
    }


def design(unit: str) -> Design:
    return Design.of(**names(unit))


def drawn(unit: str, seed: int = 1, replicates: int = 40) -> NDArray[np.int64]:
    """All weights as one array ``(replicates, trials)``."""
    return np.stack(list(weights(design(unit), replicates=replicates, seed=seed)))


def per_cluster(counts: NDArray[np.int64], codes: NDArray[np.int32]) -> NDArray[np.int64]:
    """The one weight that all trials of a cluster have, ``(replicates, clusters)``."""
    columns = [counts[:, codes == code] for code in range(codes.max() + 1)]
    assert all((column == column[:, :1]).all() for column in columns)
    return np.stack([column[:, 0] for column in columns], axis=1)


@given(units, seeds)
def test_a_replicate_is_the_same_however_many_are_drawn(unit, seed):
    few = list(weights(design(unit), replicates=2, seed=seed))
    many = list(islice(weights(design(unit), replicates=1000, seed=seed), 2))
    np.testing.assert_array_equal(few, many)


@pytest.mark.parametrize("unit", UNITS)
def test_another_seed_and_another_replicate_give_other_weights(unit):
    first, second = drawn(unit, seed=1), drawn(unit, seed=2)
    assert (first != second).any()
    assert (first[0] != first[1]).any()


@given(units, seeds)
def test_weights_are_whole_numbers_and_none_is_negative(unit, seed):
    (counts,) = weights(design(unit), replicates=1, seed=seed)
    assert counts.dtype == np.int64
    assert (counts >= 0).all()


@given(seeds)
def test_drawing_trials_keeps_the_size_of_each_class(seed):
    of = design("trial")
    (counts,) = weights(of, replicates=1, seed=seed)
    assert counts[of.bonafide].sum() == of.bonafide.sum()
    assert counts[~of.bonafide].sum() == (~of.bonafide).sum()


def test_a_drawn_speaker_brings_all_trials_of_both_classes():
    counts = per_cluster(drawn("speaker"), design("speaker").speaker)
    assert (counts.sum(axis=1) == len(SPEAKERS)).all()


def test_a_drawn_attack_brings_all_its_spoofs_and_bona_fide_trials_count_once():
    of, counts = design("attack"), drawn("attack")
    assert (counts[:, of.bonafide] == 1).all()
    assert (per_cluster(counts, of.attack).sum(axis=1) == len(ATTACKS)).all()


def test_drawing_speakers_and_attacks_multiplies_two_draws():
    of, counts = design("speaker+attack"), drawn("speaker+attack")
    speakers = per_cluster(counts[:, of.bonafide], of.speaker[of.bonafide])
    assert (speakers.sum(axis=1) == len(SPEAKERS)).all()
    spoofs = np.stack(
        [
            counts[:, (of.speaker == speaker) & (of.attack == attack)][:, 0]
            for speaker in range(len(SPEAKERS))
            for attack in range(len(ATTACKS))
        ],
        axis=1,
    ).reshape(-1, len(SPEAKERS), len(ATTACKS))
    attacks = spoofs.sum(axis=1) / len(SPEAKERS)
    assert (attacks.sum(axis=1) == len(ATTACKS)).all()
    np.testing.assert_array_equal(spoofs, speakers[:, :, None] * attacks[:, None, :])


@pytest.mark.parametrize("unit", UNITS)
def test_on_average_every_trial_counts_once(unit):
    counts = drawn(unit, replicates=4000)
    # A count of n of n draws has a variance below 1, a product of two below 3: five deviations.
    np.testing.assert_allclose(counts.mean(axis=0), 1, atol=5 * np.sqrt(3 / 4000))


@pytest.mark.parametrize(
    ("unit", "variance"),
    [
        # Each of n values drawn n times: the variance of their mean is theirs, over n.
        ("trial", (2.0 + 32 / 3) / 15),
        ("speaker", 2.0 / 5),
        ("attack", (32 / 3) / 3),
        ("speaker+attack", 2.0 / 5 + (32 / 3) / 3),
    ],
)
def test_the_mean_over_resamples_has_the_variance_of_what_is_drawn(unit, variance):
    of = design(unit)
    # A spoof is worth 0, 1, 2, 3 or 4 by its speaker (variance 2) and 0, 4 or 8 by its attack.
    values = (of.speaker + 4.0 * of.attack)[~of.bonafide]
    spoofs = drawn(unit, replicates=4000)[:, ~of.bonafide]
    means = spoofs @ values / spoofs.sum(axis=1)
    assert means.mean() == pytest.approx(6, abs=5 * np.sqrt(variance / 4000))
    # The deviation of a variance of 4,000 numbers is about sqrt(2 / 4000) of it: five of them.
    assert means.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / 4000))


@pytest.mark.parametrize("unit", ["speaker", "attack", "speaker+attack"])
def test_clusters_are_drawn_alike_in_whatever_order_the_trials_stand(unit):
    given_names = names(unit)
    order = np.random.default_rng(8).permutation(len(given_names["speaker"]))
    shuffled = {
        name: np.asarray(column)[order] for name, column in given_names.items() if name != "unit"
    }
    again = weights(Design.of(unit=unit, **shuffled), replicates=5, seed=4)
    for counts, reordered in zip(drawn(unit, seed=4), again, strict=False):
        np.testing.assert_array_equal(counts[order], reordered)


def test_what_stands_as_the_attack_of_a_bona_fide_trial_does_not_matter():
    given_names = names("attack")
    spelled = [
        "bonafide" if own else attack
        for own, attack in zip(given_names["bonafide"], given_names["attack"], strict=True)
    ]
    again = Design.of(**(given_names | {"attack": spelled}))
    np.testing.assert_array_equal(again.attack, design("attack").attack)


def test_a_design_says_how_many_there_are_of_what_is_drawn():
    assert design("trial").clusters == {"bona fide trial": 10, "spoof": 15}
    assert design("speaker").clusters == {"speaker": 5}
    assert design("attack").clusters == {"attack": 3}
    assert design("speaker+attack").clusters == {"speaker": 5, "attack": 3}


@pytest.mark.parametrize("unknown", ["", "-"])
@pytest.mark.parametrize("unit", ["speaker", "speaker+attack"])
def test_unknown_speakers_cannot_be_drawn(unit, unknown):
    with pytest.raises(ValueError, match="the speaker of 25 of 25 trials is unknown"):
        Design.of(**(names(unit) | {"speaker": [unknown] * 25}))


def test_a_single_unknown_speaker_is_not_taken_for_a_speaker():
    speaker = ["-", *names("speaker")["speaker"][1:]]
    with pytest.raises(ValueError, match="the speaker of 1 of 25 trials is unknown"):
        Design.of(**(names("speaker") | {"speaker": speaker}))


@pytest.mark.parametrize("unit", ["trial", "attack"])
def test_speakers_may_be_unknown_if_they_are_not_drawn(unit):
    assert Design.of(**(names(unit) | {"speaker": ["-"] * 25})).clusters == design(unit).clusters


def test_spoofs_of_unknown_attacks_cannot_be_drawn_by_attack():
    with pytest.raises(ValueError, match="the attack of 15 of 15 spoofs is unknown"):
        Design.of(**(names("attack") | {"attack": ["-"] * 25}))


@pytest.mark.parametrize("unit", ["speaker", "attack"])
def test_one_cluster_is_too_few(unit):
    with pytest.raises(ValueError, match=f"only one {unit}"):
        Design.of(**(names(unit) | {unit: ["same"] * 25}))


def test_trials_of_one_class_alone_cannot_be_drawn():
    with pytest.raises(ValueError, match="two trials of each class"):
        Design.of(**(names("trial") | {"bonafide": [True] * 25}))


def test_a_column_that_is_too_short_is_an_error():
    with pytest.raises(ValueError, match="25 trials have 24 speakers and 25 attacks"):
        Design.of(**(names("trial") | {"speaker": ["s"] * 24}))


def test_codes_with_a_gap_are_an_error():
    of = design("speaker")
    speaker = np.where(of.speaker == 1, 0, of.speaker).astype(np.int32)
    with pytest.raises(ValueError, match="without a gap"):
        Design(unit="speaker", bonafide=of.bonafide, speaker=speaker, attack=of.attack)


def test_a_bona_fide_trial_with_the_code_of_an_attack_is_an_error():
    of = design("attack")
    with pytest.raises(ValueError, match="bona fide trial has no attack"):
        Design(
            unit="attack", bonafide=of.bonafide, speaker=of.speaker, attack=np.zeros(25, np.int32)
        )


def test_an_unknown_unit_is_an_error_that_names_the_known_ones():
    with pytest.raises(ValueError, match="'session' cannot be drawn, only trial, speaker"):
        design("session")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replicates": 0, "seed": 1}, "at least one"),
        ({"replicates": 9, "seed": -1}, "negative"),
    ],
)
def test_no_replicates_and_a_negative_seed_are_errors_at_once(arguments, message):
    with pytest.raises(ValueError, match=message):
        weights(design("trial"), **arguments)


@pytest.mark.parametrize(("unit", "parts"), [("speaker", 5), ("attack", 3)])
def test_the_jackknife_leaves_out_each_cluster_once(unit, parts):
    of = design(unit)
    codes = of.speaker if unit == "speaker" else of.attack
    left_out = list(jackknife(of, seed=1))
    assert len(left_out) == parts
    for code, kept in enumerate(left_out):
        np.testing.assert_array_equal(kept, codes != code)


def test_the_jackknife_of_two_factors_leaves_out_each_speaker_and_then_each_attack():
    both = list(jackknife(design("speaker+attack"), seed=1))
    of_each = [*jackknife(design("speaker"), seed=1), *jackknife(design("attack"), seed=1)]
    np.testing.assert_array_equal(both, of_each)
    assert jackknife_samples(design("speaker+attack")).tolist() == [0] * 5 + [1] * 3


def test_few_trials_are_left_out_one_by_one():
    left_out = np.stack(list(jackknife(design("trial"), seed=1)))
    np.testing.assert_array_equal(left_out.sum(axis=1), np.full(25, 24))
    np.testing.assert_array_equal(left_out.sum(axis=0), np.full(25, 24))
    of_bonafide = left_out[jackknife_samples(design("trial")) == 0]
    np.testing.assert_array_equal((of_bonafide == 0).any(axis=0), design("trial").bonafide)


@given(st.integers(2, 12), seeds)
def test_many_trials_are_left_out_in_groups_of_equal_size_that_are_all_different(groups, seed):
    of = design("trial")
    left_out = np.stack(list(jackknife(of, seed=seed, groups=groups))) == 0
    samples = jackknife_samples(of, groups=groups)
    assert left_out.shape == (samples.size, 25)
    np.testing.assert_array_equal(left_out.sum(axis=0), np.ones(25))
    for sample, in_class in enumerate([of.bonafide, ~of.bonafide]):
        assert not left_out[samples == sample][:, ~in_class].any()
        sizes = left_out[samples == sample].sum(axis=1)
        assert sizes.size == min(groups, in_class.sum())
        assert sizes.max() - sizes.min() <= 1


def test_the_groups_of_the_jackknife_follow_the_seed():
    first, again, other = (
        np.stack(list(jackknife(design("trial"), seed=seed, groups=4))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_one_group_is_too_few():
    with pytest.raises(ValueError, match="at least two"):
        jackknife(design("trial"), seed=1, groups=1)
    with pytest.raises(ValueError, match="at least two"):
        jackknife_samples(design("trial"), groups=1)


def coverage(unit: str) -> float:
    """How often a 95 % interval holds the mean, over 200 corpora of 50 speakers of 8 trials.

    A trial is its speaker's own mean, N(0, 1), plus N(0, 0.25). Resamples are the same for all
    corpora; each corpus is new.
    """
    random = np.random.default_rng(95)
    speakers, trials, corpora = 50, 8, 200
    of = Design.of(
        unit=unit,
        bonafide=[trial % 2 == 0 for _ in range(speakers) for trial in range(trials)],
        speaker=[f"s{speaker}" for speaker in range(speakers) for _ in range(trials)],
        attack=["A01"] * (speakers * trials),
    )
    own = random.normal(0, 1, (corpora, speakers)).repeat(trials, axis=1)
    values = own + random.normal(0, 0.5, own.shape)
    counts = np.stack(list(weights(of, replicates=1000, seed=5)))
    means = values @ (counts / counts.sum(axis=1, keepdims=True)).T
    intervals = [percentile(replicates) for replicates in means]
    return float(np.mean([interval.low <= 0 <= interval.high for interval in intervals]))


def test_an_interval_by_speaker_holds_the_mean_as_often_as_it_says():
    # A share of 200 has a deviation of 0.015 here; the percentile interval itself is at 0.944.
    assert 0.90 <= coverage("speaker") <= 0.98


def test_an_interval_by_trial_is_too_short_where_the_trials_of_a_speaker_are_alike():
    # The variance of a mean is (1 + 0.25 / 8) / 50, by trial it looks like 1.25 / 400. The ratio of
    # deviations is 2.57, and 1.96 / 2.57 deviations hold 55 %.
    assert 0.45 <= coverage("trial") <= 0.66


LA_EVAL = 71_237


def la_eval_like(unit: str) -> Design:
    random = np.random.default_rng(2019)
    return Design.of(
        unit=unit,
        bonafide=np.arange(LA_EVAL) < 7_355,
        speaker=np.array([f"LA_{n:04d}" for n in range(67)])[random.integers(67, size=LA_EVAL)],
        attack=np.array([f"A{n:02d}" for n in range(7, 20)])[random.integers(13, size=LA_EVAL)],
    )


@pytest.mark.benchmark(group="100 resamples of 71,237 trials")
@pytest.mark.parametrize("unit", UNITS)
def test_100_resamples_of_71237_trials(benchmark: BenchmarkFixture, unit: str):
    of = la_eval_like(unit)

    def resample() -> int:
        return sum(counts.size for counts in weights(of, replicates=100, seed=1))

    assert benchmark(resample) == 100 * LA_EVAL


class RankedTrials:
    """The published trials of 2019 LA eval in the order of a system's scores, and its EER."""

    def __init__(self, reference: Path, scores: str) -> None:
        keys = reference / "asvspoof2019-la" / "ASVspoof2019_LA_cm_protocols"
        lines = (keys / "ASVspoof2019.LA.cm.eval.trl.txt").read_text().splitlines()
        scored = (reference / "scores" / scores).read_text().splitlines()
        of = {line.split()[0]: float(line.split()[3]) for line in scored}
        columns = sorted((line.split() for line in lines), key=lambda line: of[line[1]])
        self.speaker = [line[0] for line in columns]
        self.attack = [line[3] for line in columns]
        self.bonafide = np.array([line[4] == "bonafide" for line in columns])

    def design(self, unit: str) -> Design:
        return Design.of(
            unit=unit, bonafide=self.bonafide, speaker=self.speaker, attack=self.attack
        )

    def eer(self, counts: NDArray[np.int64]) -> float:
        """The mean rate where miss and false alarm are nearest; the file has hardly any tie."""
        own = np.where(self.bonafide, counts, 0)
        missed, rejected = np.cumsum(own), np.cumsum(counts - own)
        miss, false_alarm = missed / missed[-1], 1 - rejected / rejected[-1]
        nearest = np.abs(miss - false_alarm).argmin()
        return float(miss[nearest] + false_alarm[nearest]) / 2


@pytest.fixture(scope="module")
def rawgat_st(reference: Path) -> RankedTrials:
    return RankedTrials(reference, "la-eval.rawgat-st-mul.txt")


@pytest.mark.reference
@pytest.mark.parametrize(
    ("unit", "known", "deviations"),
    [
        # Deviations of either end over seeds, at 1,000 replicates. The known figures scatter alike:
        # they are of one run of another program. Four deviations, as there are six comparisons.
        ("trial", (0.94, 1.24), (0.006, 0.011)),
        ("speaker", (0.71, 1.43), (0.011, 0.021)),
        ("attack", (0.37, 1.59), (0.007, 0.022)),
    ],
)
def test_intervals_of_rawgat_st_on_la_eval_are_the_known_ones(
    rawgat_st: RankedTrials, unit: str, known: tuple[float, ...], deviations: tuple[float, ...]
):
    of = rawgat_st.design(unit)
    assert of.clusters.get("speaker", 67) == 67
    assert of.clusters.get("attack", 13) == 13
    eers = [rawgat_st.eer(counts) for counts in weights(of, replicates=1000, seed=1)]
    assert rawgat_st.eer(np.ones(LA_EVAL, np.int64)) == pytest.approx(0.010601, abs=5e-7)
    interval = percentile(100 * np.array(eers))
    tolerances = 4 * np.sqrt(2) * np.array(deviations) + 0.005
    assert (np.abs(np.array(interval[:2]) - known) <= tolerances).all(), interval

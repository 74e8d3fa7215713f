from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from spoofbench.errors import InvalidKeys, InvalidProtocol
from spoofbench.groups import POOLED, Group, groups_of
from spoofbench.metrics.judged import AsvRates, AsvScores
from spoofbench.trials import Trial

# utterance, attack, codec: the codec is of both classes, the attack of spoofs alone.
TRIALS = (
    ("b0", "-", "alaw"),
    ("b1", "-", "gsm"),
    ("b2", "-", "gsm"),
    ("s0", "A07", "alaw"),
    ("s1", "A07", "gsm"),
    ("s2", "A08", "gsm"),
    ("s3", "A08", "opus"),
)


def trials(rows: Sequence[tuple[str, str, str]] = TRIALS) -> list[Trial]:
    return [
        Trial(
            utterance=utterance,
            speaker="",
            attack=attack,
            bonafide=attack == "-",
            audio=f"{utterance}.flac",
            columns={"codec": codec},
        )
        for utterance, attack, codec in rows
    ]


def groups(*by: str, asv: AsvScores | None = None, joint: bool = False) -> tuple[Group, ...]:
    return groups_of(trials(), by, asv, joint=joint)


def named(found: Sequence[Group]) -> dict[str, tuple[list[int], list[int]]]:
    return {group.name: (group.bonafide.tolist(), group.spoof.tolist()) for group in found}


def asv_scores(**changes) -> AsvScores:
    """Targets and non-targets that a threshold parts, in two codecs, and spoofs of two attacks."""
    fields = {
        "target": np.array([2.0, 3.0, 12.0, 13.0]),
        "nontarget": np.array([-2.0, -1.0, 8.0, 9.0]),
        "spoof": np.array([2.5, -3.0, 8.5, 12.5]),
        "attack": np.array(["A07", "A08", "A07", "A08"]),
        "conditions": {"codec": tuple(np.array(["alaw", "alaw", "gsm", "gsm"]) for _ in range(3))},
    }
    return AsvScores(**{**fields, **changes})


def test_the_first_group_is_of_all_trials():
    (everything,) = groups()
    assert (everything.by, everything.name) == ("", POOLED)
    assert (everything.bonafide.tolist(), everything.spoof.tolist()) == ([0, 1, 2], [3, 4, 5, 6])


def test_the_spoofs_of_an_attack_stand_against_all_bona_fide_trials():
    found = groups("attack")[1:]
    assert named(found) == {"A07": ([0, 1, 2], [3, 4]), "A08": ([0, 1, 2], [5, 6])}
    assert not any(group.within for group in found)


def test_the_spoofs_of_a_codec_stand_against_its_own_bona_fide_trials():
    found = groups("codec")[1:]
    assert named(found) == {"alaw": ([0], [3]), "gsm": ([1, 2], [4, 5]), "opus": ([], [6])}
    assert all(group.within for group in found)


def test_crossed_columns_give_the_combinations_that_spoofs_have():
    assert named(groups("attack x codec")[1:]) == {
        "A07 x alaw": ([0], [3]),
        "A07 x gsm": ([1, 2], [4]),
        "A08 x gsm": ([1, 2], [5]),
        "A08 x opus": ([], [6]),
    }


def test_crossing_gives_the_same_groups_whichever_column_comes_first():
    one = {
        frozenset(name.split(" x ")): places
        for name, places in named(groups("codec x attack")[1:]).items()
    }
    other = {
        frozenset(name.split(" x ")): places
        for name, places in named(groups("attack x codec")[1:]).items()
    }
    assert one == other


def test_every_spoof_is_in_one_group_of_a_column():
    for by in ("attack", "codec", "attack x codec"):
        places = np.concatenate([group.spoof for group in groups(by)[1:]])
        assert sorted(places.tolist()) == [3, 4, 5, 6]


def test_a_column_that_the_trials_lack_is_named():
    with pytest.raises(InvalidProtocol, match="no column 'vocoder'"):
        groups("vocoder")


def test_the_asv_system_meets_an_attack_with_its_threshold_of_all_trials():
    asv = asv_scores()
    by_attack = {group.name: group.asv for group in groups("attack", asv=asv)[1:]}
    assert by_attack == {"A07": asv.rates("A07"), "A08": asv.rates("A08")}


def test_an_attack_that_the_asv_system_never_met_has_no_rates():
    asv = asv_scores(attack=np.array(["A07"] * 4))
    assert groups("attack", asv=asv)[2].asv is None


def test_the_asv_system_is_judged_in_each_codec_by_itself():
    by_codec = {group.name: group.asv for group in groups("codec", asv=asv_scores())[1:]}
    # alaw: targets 2 3, non-targets -2 -1, threshold -1 which accepts one of two non-targets;
    # gsm: targets 12 13, non-targets 8 9, threshold 9 likewise. Spoofs: 2.5 -3 and 8.5 12.5.
    assert by_codec["alaw"] == AsvRates(miss=0, false_alarm=0.5, spoof_false_alarm=0.5)
    assert by_codec["gsm"] == AsvRates(miss=0, false_alarm=0.5, spoof_false_alarm=0.5)
    assert by_codec["opus"] is None


def test_a_crossed_group_has_the_attack_s_rate_in_its_codec():
    crossed = {group.name: group.asv for group in groups("attack x codec", asv=asv_scores())[1:]}
    assert crossed["A07 x alaw"] == AsvRates(miss=0, false_alarm=0.5, spoof_false_alarm=1)
    assert crossed["A07 x gsm"] == AsvRates(miss=0, false_alarm=0.5, spoof_false_alarm=0)


def test_a_column_that_asv_trials_lack_leaves_the_asv_system_as_it_is():
    asv = asv_scores(conditions={})
    assert {group.asv for group in groups("codec", asv=asv)} == {asv.rates()}


def of_utterances(target: str, nontarget: str, spoof: str) -> AsvScores:
    return AsvScores(
        target=np.array([3.0]),
        nontarget=np.array([-3.0]),
        spoof=np.array([1.0]),
        utterances=(np.array([target]), np.array([nontarget]), np.array([spoof])),
    )


def test_joint_trials_point_at_the_utterances_that_are_judged():
    joint = groups(asv=of_utterances("b1", "b0", "s3"), joint=True)[0].joint
    assert (joint.kind.tolist(), joint.asv.tolist()) == ([0, 1, 2], [3.0, -3.0, 1.0])
    assert joint.place.tolist() == [1, 0, 6]


def test_joint_trials_of_a_group_are_those_of_its_utterances():
    found = groups("codec", asv=of_utterances("b1", "b2", "s1"), joint=True)
    assert {group.name: group.joint.place.tolist() for group in found[1:]} == {
        "alaw": [],
        "gsm": [1, 2, 4],
        "opus": [],
    }


def test_there_are_no_joint_trials_unless_they_are_asked_for():
    assert groups(asv=of_utterances("b1", "b0", "s3"))[0].joint is None


def test_an_asv_trial_of_an_utterance_that_is_not_judged_is_refused():
    with pytest.raises(InvalidKeys, match=r"1 ASV trials .* such as enrolment"):
        groups(asv=of_utterances("b1", "enrolment", "s3"), joint=True)


def test_a_value_that_looks_like_two_crossed_ones_stays_one():
    """A room of 3 x 4 metres is one value of one column."""
    rooms = [(name, attack, "3 x 4" if codec == "gsm" else codec) for name, attack, codec in TRIALS]
    crossed = groups_of(trials(rooms), ["attack x codec"], None, joint=False)[1:]
    assert [len(group.name.split(" x ")) for group in crossed] == [2] * 4
    (alone,) = [g for g in groups_of(trials(rooms), ["codec"], None, joint=False) if "3" in g.name]
    assert alone.name == "3 x 4"

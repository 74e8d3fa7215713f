from __future__ import annotations

import math

import pytest

from spoofbench.errors import InvalidCondition, UnknownName
from spoofbench.plugins import catalogue
from spoofbench.robustness.conditions import Condition, example, parse, usual


def read(text: str, **options) -> Condition:
    return parse(text, catalogue(), **options)


@pytest.mark.parametrize(
    "text",
    [
        "clean",
        "babble@10",
        "white@-5",
        "white@7.5",
        "g711-alaw",
        "overlap@10@50",
        "recordings(/data/musan/noise)@5",
        "band-limit@3400 + g711-alaw + packet-loss@5 + babble@10",
    ],
)
def test_a_condition_is_written_as_it_is_read(text: str):
    assert str(read(text)) == text


def test_an_option_that_is_the_default_is_not_written():
    assert str(read("overlap@10@100")) == "overlap@10"


def test_a_step_without_a_level_has_none():
    assert math.isnan(read("g711-alaw").steps[0].level)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("babble", "a level in dB SNR"),
        ("babble@loud", "'loud' is not a number"),
        ("babble@nan", "'nan' is not a number"),
        ("babble@10@3@4@5", "babble takes a level"),
        ("babble@500", "between"),
        ("g711-alaw@8", "takes no level"),
        ("recordings@10", "needs"),
        ("babble(/data)@10", "takes nothing in parentheses"),
        ("babble 10", "not a step"),
        ("", "not a step"),
        ("babble@10 + ", "not a step"),
    ],
)
def test_what_does_not_read_as_a_condition_is_refused_with_what_is_wrong(text: str, said: str):
    with pytest.raises(InvalidCondition) as raised:
        read(text)
    assert said in str(raised.value)


def test_an_unknown_augmentation_is_refused_with_the_nearest_one():
    with pytest.raises(UnknownName) as raised:
        read("bable@10")
    assert "babble" in raised.value.hint


def test_a_seed_depends_on_run_condition_and_utterance_and_nothing_else():
    seed = read("babble@10").seed(1, "LA_E_1")
    assert seed == read("babble@10").seed(1, "LA_E_1")
    others = {
        read("babble@10").seed(2, "LA_E_1"),
        read("babble@5").seed(1, "LA_E_1"),
        read("babble@10").seed(1, "LA_E_2"),
    }
    assert len(others | {seed}) == 4


def test_both_classes_hear_the_same_noise_as_one_class_alone():
    assert read("white@0").seed(1, "a") == read("white@0", apply_to="spoof").seed(1, "a")


@pytest.mark.parametrize(
    ("apply_to", "bonafide", "spoof"),
    [("both", True, True), ("bonafide", True, False), ("spoof", False, True)],
)
def test_a_condition_concerns_the_classes_that_it_is_applied_to(apply_to, bonafide, spoof):
    condition = read("white@0", apply_to=apply_to)
    assert condition.concerns(bonafide=True) is bonafide
    assert condition.concerns(bonafide=False) is spoof


def test_one_class_alone_is_said():
    assert str(read("white@0", apply_to="spoof")) == "white@0 [spoof only]"


@pytest.mark.parametrize("offer", list(catalogue().augmentations), ids=lambda o: o.spec.name)
def test_the_example_and_the_usual_levels_of_every_augmentation_can_be_read(offer):
    read(example(offer.spec))
    source = "/data" if offer.spec.source else ""
    assert [str(read(text)) for text in usual(offer.spec, source)] == list(
        usual(offer.spec, source)
    )

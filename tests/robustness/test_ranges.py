from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from spoofbench.errors import InvalidCondition
from spoofbench.plugins import catalogue
from spoofbench.robustness.conditions import parse
from spoofbench.robustness.listening import write_changed
from spoofbench.robustness.ranges import RandomCondition, parse_ranges


def read(text: str) -> RandomCondition:
    return parse_ranges(text, catalogue())


def drawn(text: str, count: int = 200):
    random = np.random.default_rng(0)
    return [read(text).drawn(random) for _ in range(count)]


@pytest.mark.parametrize("text", ["white@10", "g711-alaw + babble@10@4", "recordings(/a..b|c)@5"])
def test_without_a_range_it_is_the_condition_that_a_sweep_reads(text: str):
    assert set(drawn(text, 3)) == {parse(text, catalogue())}


def test_a_level_lies_anywhere_in_its_range():
    levels = [condition.steps[0].level for condition in drawn("white@-5..5")]
    assert -5 <= min(levels) < -4.5
    assert 4.5 < max(levels) <= 5
    assert len(set(levels)) == 200


def test_a_choice_gives_nothing_else():
    assert {str(condition) for condition in drawn("mp3@32|64|128")} == {
        "mp3@32",
        "mp3@64",
        "mp3@128",
    }


def test_each_step_and_each_option_draws_for_itself():
    conditions = drawn("overlap@0..10@20|50 + gain@-6..6")
    pairs = [(c.steps[0].level / 10, c.steps[1].level / 12 + 0.5) for c in conditions]
    assert {c.steps[0].options for c in conditions} == {(20.0,), (50.0,)}
    assert abs(np.corrcoef(np.array(pairs).T)[0, 1]) < 4 / np.sqrt(200)


def test_an_option_that_is_not_written_keeps_its_default():
    assert {condition.steps[0].options for condition in drawn("overlap@0..10")} == {(100.0,)}


def test_a_range_is_probed_at_its_ends_and_inside():
    levels = [probe.steps[0].level for probe in read("white@5..20").probes]
    assert levels[:2] == [5, 20]
    assert 5 < levels[2] < 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("white@20..5", "'20..5' is neither"),
        ("white@5..", "'5..' is neither"),
        ("white@5..10..20", "is neither"),
        ("white@loud", "'loud' is neither"),
        ("white@5|", "'5|' is neither"),
        ("white@5..500", "between -40 and 80"),
        ("white@5..inf", "not a number"),
        ("g711-alaw@1..2", "takes no level"),
        ("white", "a level in dB SNR"),
        ("white@1..2@3", "takes a level"),
        ("white 1..2", "not a step"),
    ],
)
def test_what_is_no_range_is_refused_with_what_is_wrong(text: str, said: str):
    with pytest.raises(InvalidCondition) as refused:
        read(text)
    assert said in str(refused.value)


@pytest.mark.parametrize("text", ["white@5..20", "mp3@32|64"])
def test_a_sweep_refuses_ranges(text: str):
    with pytest.raises(InvalidCondition, match="drawn from in training") as refused:
        parse(text, catalogue())
    assert "name each level" in refused.value.hint


def test_a_recording_can_be_heard_at_a_level_that_a_seed_draws(tmp_path: Path):
    file, out = tmp_path / "a.wav", tmp_path / "b.wav"
    soundfile.write(file, 0.5 * np.ones(16_000), 16_000, subtype="FLOAT")
    notes = write_changed(file, "gain@-12..-6", out, catalogue(), seed=3)
    level = float(str(notes["condition"]).partition("@")[2])
    made, _ = soundfile.read(out)
    assert -12 <= level <= -6
    assert made[0] == pytest.approx(0.5 * 10 ** (level / 20), abs=1e-4)

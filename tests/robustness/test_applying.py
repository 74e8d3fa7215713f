from __future__ import annotations

import pickle

import numpy as np
import pytest
import torch

from spoofbench.errors import BrokenPlugin, InvalidAudio
from spoofbench.plugins import catalogue
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.conditions import Condition, Step, parse
from spoofbench.specs import AugmentationSpec
from spoofbench.trials import Trial

RATE = 16_000
SPEECH = np.sin(np.arange(RATE) / 10).astype(np.float32)


def trial(*, bonafide: bool = True) -> Trial:
    return Trial(utterance="a", speaker="s", attack="-", bonafide=bonafide, audio="a.wav")


def applied(text: str, **options) -> Applied:
    return Applied(condition=parse(text, catalogue(), **options), seed=1, rate=RATE)


def test_clean_is_the_audio_itself():
    audio, notes = applied("clean")(SPEECH, trial())
    assert (audio is SPEECH, notes) == (True, {})


def test_a_trial_sounds_the_same_whenever_it_is_made():
    once = applied("white@10")
    first, _ = once(SPEECH, trial())
    once(SPEECH[::-1].copy(), Trial(utterance="b", speaker="", attack="-", bonafide=True, audio=""))
    again, _ = once(SPEECH, trial())
    other, _ = applied("white@10")(SPEECH, trial())
    assert np.array_equal(first, again)
    assert np.array_equal(first, other)


def test_the_steps_of_a_chain_follow_one_another():
    chained, _ = applied("gain@-20 + gain@-20")(SPEECH, trial())
    np.testing.assert_allclose(chained, SPEECH / 100, rtol=1e-5)


def test_only_the_class_that_is_meant_is_changed():
    spoofs = applied("gain@-20", apply_to="spoof")
    assert spoofs(SPEECH, trial(bonafide=True))[0] is SPEECH
    assert not np.array_equal(spoofs(SPEECH, trial(bonafide=False))[0], SPEECH)


def test_what_was_measured_is_given_back():
    _, notes = applied("white@10")(SPEECH, trial())
    assert notes["snr_db"] == pytest.approx(10, abs=0.1)


def test_it_can_be_sent_to_a_worker_process():
    there = pickle.loads(pickle.dumps(applied("white@10")))  # noqa: S301
    assert np.array_equal(there(SPEECH, trial())[0], applied("white@10")(SPEECH, trial())[0])


class Shorter:
    def apply(self, audio, level, context):
        return audio[: len(audio) // 2]


class Endless:
    def apply(self, audio, level, context):
        return audio / 0


class Numbers:
    def apply(self, audio, level, context):
        return audio.numpy()


class Nothing:
    pass


def of(name: str, **changes) -> Applied:
    spec = AugmentationSpec(
        name="mine",
        target=f"test_applying:{name}",
        summary="",
        unit="",
        levels=(),
        **changes,
    )
    step = Step(spec=spec, distribution="mine", level=float("nan"))
    return Applied(condition=Condition(steps=(step,)), seed=1, rate=RATE)


def test_audio_that_loses_its_length_is_refused():
    with pytest.raises(BrokenPlugin, match="mine made 8,000 samples of 16,000"):
        of("Shorter")(SPEECH, trial())


def test_audio_may_lose_its_length_where_that_is_said():
    assert len(of("Shorter", keeps_length=False)(SPEECH, trial())[0]) == RATE // 2


def test_audio_that_is_not_finite_is_no_audio():
    with pytest.raises(InvalidAudio, match="nothing finite is left"):
        of("Endless")(SPEECH, trial())


def test_what_is_no_waveform_is_refused():
    with pytest.raises(BrokenPlugin, match=r"waveform \(time,\) of torch\.float32"):
        of("Numbers")(SPEECH, trial())


def test_what_cannot_apply_anything_is_refused():
    with pytest.raises(BrokenPlugin, match=r"no apply\(\)"):
        of("Nothing").ready()


def test_gradients_are_not_kept():
    assert torch.is_grad_enabled()
    audio, _ = applied("white@10")(SPEECH, trial())
    assert isinstance(audio, np.ndarray)

"""The measured delay, against coders of a known one and against what standards state."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from codec_calls import SPECS, context, noise
from scipy.signal import correlate

from spoofbench.errors import InvalidCondition
from spoofbench_codecs.chain import Codec
from spoofbench_codecs.coder import Array, Coded, Setting
from spoofbench_codecs.probe import delay, probe


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """A coder that is ``late`` samples late and gives back ``lost`` samples too few."""

    late: int
    lost: int = 0
    name: str = "late"
    rate: int = 8000

    def require(self) -> None:
        pass

    def code(self, audio: Array, setting: Setting) -> Coded:
        moved = np.concatenate([np.zeros(self.late, np.float32), audio])
        return Coded(audio=moved[: len(audio) - self.lost], payload=len(audio))


@pytest.mark.parametrize("late", [0, 1, 37, 555, 900])
def test_the_delay_of_a_coder_is_found(late):
    assert delay(Late(late=late), Setting(level=0)) == late


def test_the_delay_is_taken_out_and_noted():
    sent = torch.from_numpy(noise(0.5, 8000))
    used = context(SPECS["gsm"], rate=8000)
    received = Codec(coder=Late(late=160)).apply(sent, math.nan, used)
    assert torch.equal(received, sent)
    assert used.notes == {"delay_ms": 20.0, "kbit_per_s": 64.0}


def test_a_coder_that_loses_samples_is_an_error():
    sent = torch.from_numpy(noise(0.5, 8000))
    with pytest.raises(InvalidCondition, match="gave back 3990 of 4000 samples"):
        Codec(coder=Late(late=0, lost=10)).apply(sent, math.nan, context(SPECS["gsm"], rate=8000))


@pytest.mark.parametrize(
    ("name", "level", "samples"),
    [
        ("g711-alaw", 0, 0),
        ("g711-mulaw", 0, 0),
        ("g726", 32, 0),
        ("gsm", 0, 0),
        # The look-ahead of AMR: 5 ms (3GPP TS 26.090).
        ("amr-nb", 12.2, 40),
        # Two quadrature mirror filters of 24 taps, less one sample each (ITU-T G.722).
        ("g722", 0, 22),
        # One frame of the transform.
        ("aac", 64, 1024),
        # The encoder delay of LAME, 576, and that of a layer III decoder, 528 + 1.
        ("mp3", 64, 1105),
    ],
)
def test_the_delay_is_that_of_the_standard(name, level, samples):
    coder = SPECS[name].resolve()().coder
    assert delay(coder, Setting(level=level)) == samples


@pytest.mark.parametrize("rate", [8000, 16_000])
def test_the_probe_is_like_no_shifted_copy_of_itself(rate):
    sent = probe(rate).astype(float)
    correlation = correlate(sent, sent, method="fft")[len(sent) - 1 :] / np.sum(sent**2)
    assert correlation[rate // 400 : rate // 8].max() < 0.75

"""What is missing is said, and audio never comes back as it went in."""

from __future__ import annotations

import sys

import pytest
import soundfile
from codec_calls import EASIEST, SPECS, noise, through

import spoofbench
from spoofbench.errors import InvalidCondition, MissingExtra, SpoofbenchError
from spoofbench.plugins import catalogue
from spoofbench.robustness.conditions import parse
from spoofbench_codecs.chain import Codec
from spoofbench_codecs.ffmpeg_coders import FfmpegCoder

FFMPEG = ["g722", "g726", "amr-nb", "opus", "mp3", "aac"]
SOUNDFILE = ["g711-alaw", "g711-mulaw", "gsm", "vorbis"]


def coder(**changed: str) -> FfmpegCoder:
    names = {"encoder": "aac", "decoder": "aac"} | changed
    return FfmpegCoder(name="aac", rate=16_000, sample_format="fltp", **names)


@pytest.mark.parametrize("name", SPECS)
def test_every_codec_is_ready_here(name):
    SPECS[name].resolve()().ready()


@pytest.mark.parametrize("name", FFMPEG)
def test_without_pyav_the_extra_is_named(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtra, match=f"'{name}' needs PyAV") as raised:
        SPECS[name].resolve()().ready()
    assert "pip install 'spoofbench[codecs]'" in raised.value.hint
    with pytest.raises(MissingExtra):
        through(name, SPECS[name].levels[0] if SPECS[name].levels else 0, noise(0.1))


@pytest.mark.parametrize("name", SOUNDFILE)
def test_the_codecs_of_libsndfile_need_no_pyav(name, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    SPECS[name].resolve()().ready()


@pytest.mark.parametrize("name", SOUNDFILE)
def test_a_libsndfile_without_the_codec_is_an_error(name, monkeypatch):
    monkeypatch.setattr(soundfile, "available_subtypes", lambda container: {"PCM_16": ""})
    with pytest.raises(InvalidCondition, match=f"'{name}': libsndfile .* was built without") as e:
        SPECS[name].resolve()().ready()
    assert "pip install" in e.value.hint


@pytest.mark.parametrize(("part", "kind"), [("encoder", "encoder"), ("decoder", "decoder")])
def test_an_ffmpeg_without_the_codec_is_an_error(part, kind):
    lacking = Codec(coder=coder(**{part: "libfdk_none"}))
    with pytest.raises(InvalidCondition, match=f"has no {kind} 'libfdk_none'") as raised:
        lacking.ready()
    assert "pip install" in raised.value.hint


def test_what_fails_inside_ffmpeg_is_an_error():
    broken = FfmpegCoder(
        name="aac",
        encoder="aac",
        decoder="aac",
        rate=16_000,
        sample_format="fltp",
        kbit=32,
        flags=(("aac_coder", "nonsense"),),
    )
    with pytest.raises(SpoofbenchError, match="failed in FFmpeg"):
        through_coder(broken)


def through_coder(used: FfmpegCoder) -> None:
    from codec_calls import context
    from torch import from_numpy

    Codec(coder=used).apply(from_numpy(noise(0.1)), 32, context(SPECS["aac"]))


@pytest.mark.parametrize(("name", "level"), [("g726", 20), ("amr-nb", 9), ("mp3", 60)])
def test_a_bit_rate_that_the_codec_lacks_is_an_error_that_lists_those_it_has(name, level):
    with pytest.raises(InvalidCondition, match=f"'{name}@{level}'.*no such bit rate") as raised:
        through(name, level, noise(0.1))
    assert f"{SPECS[name].levels[0]:g}" in raised.value.hint


@pytest.mark.parametrize("complexity", [-1.0, 2.5, 11.0])
def test_a_complexity_that_opus_lacks_is_an_error(complexity):
    with pytest.raises(InvalidCondition, match="whole number from 0 to 10"):
        through("opus", 16, noise(0.1), options=(complexity,))


@pytest.mark.parametrize(("name", "level"), EASIEST)
def test_every_codec_is_offered_as_a_condition(name, level):
    text = name if level != level else f"{name}@{level:g}"
    (step,) = parse(text, catalogue()).steps
    assert step.spec.target == SPECS[name].target
    assert spoofbench.AugmentationSpec is type(step.spec)

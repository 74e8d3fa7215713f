from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from voices import voice

from spoofbench.errors import UnknownName
from spoofbench_mini.attacks import catalogue, sound
from spoofbench_mini.attacks.codec2 import Codec2
from spoofbench_mini.attacks.espeak import EspeakNg
from spoofbench_mini.attacks.festival import Festival
from spoofbench_mini.attacks.flite import Flite
from spoofbench_mini.attacks.sentences import sentences
from spoofbench_mini.contracts import RATE, Attack, Made, TextToSpeech, Unusable

LANGUAGES = ("en", "es", "fr", "it", "ru", "cs", "nl", "ja")


def usable(name: str) -> Attack:
    """Return the attack, or skip the test with the command that would install it."""
    attack = catalogue.attack(name)
    if command := attack.missing():
        pytest.skip(f"{name} is not installed: {command}")
    return attack


def make(attack: Attack, seed: int = 0) -> Made:
    random = np.random.default_rng(seed)
    if isinstance(attack, TextToSpeech):
        language = attack.languages[0]
        return attack.speak(sentences(language)[0], language, random)
    return attack.copy(voice(seconds=2.0), random)


@pytest.mark.parametrize("name", catalogue.names())
def test_an_attack_gives_the_same_audio_for_the_same_draws(name: str):
    attack = usable(name)
    first, again = make(attack), make(attack)
    assert np.isfinite(first.audio).all()
    assert np.abs(first.audio).max() > 0.01
    assert first.steps
    assert np.array_equal(first.audio, again.audio)
    assert first.steps == again.steps


@pytest.mark.parametrize("name", [n for n in catalogue.names() if not isinstance(
    catalogue.attack(n), TextToSpeech)])  # fmt: skip
def test_copy_synthesis_says_the_same_at_the_same_time(name: str):
    """The energy of the copy rises and falls with that of the original."""
    attack = usable(name)
    original = voice(seconds=2.0)
    copy = make(attack).audio
    assert 0 <= len(original) - len(copy) < RATE // 20
    own, other = (
        np.sqrt(np.square(a[: len(copy) // 800 * 800].reshape(-1, 800)).mean(axis=1))
        for a in (original, copy)
    )
    assert np.corrcoef(own, other)[0, 1] > 0.7
    assert not np.allclose(original[: len(copy)], copy, atol=1e-3)


def test_world_with_another_f0_is_at_the_pitch_that_its_steps_name():
    made = make(usable("world-f0"))
    semitones = float(made.steps[0].split()[-2])
    import pyworld

    f0 = [
        np.median([f for f in pyworld.dio(np.ascontiguousarray(a), RATE)[0] if f > 0])
        for a in (voice(seconds=2.0), made.audio)
    ]
    assert 12 * np.log2(f0[1] / f0[0]) == pytest.approx(semitones, abs=0.7)


def test_known_and_unknown_attacks_of_both_kinds_are_on_offer():
    kinds = {
        (attack.side, isinstance(attack, TextToSpeech))
        for attack in map(catalogue.attack, catalogue.names())
    }
    assert len(kinds) == 4
    assert sum(catalogue.attack(name).neural for name in catalogue.names()) == 3


def test_an_unknown_attack_names_the_known_ones():
    with pytest.raises(UnknownName, match="--attacks magic") as refused:
        catalogue.attack("magic")
    assert all(name in refused.value.hint for name in catalogue.names())


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_has_sentences_enough_for_three_parts(language: str):
    own = sentences(language)
    assert len(own) == len(set(own)) >= 36


def test_every_voice_has_sentences_in_a_language_of_its_own():
    for attack in map(catalogue.attack, catalogue.names()):
        if isinstance(attack, TextToSpeech) and not attack.missing():
            assert any(sentences(language) for language in attack.languages)


Fake = Callable[[str, str], None]


PROGRAMS: list[tuple[str, Attack]] = [
    ("espeak-ng", EspeakNg()),
    ("flite", Flite()),
    ("c2enc", Codec2()),
]


@pytest.mark.parametrize(("program", "attack"), PROGRAMS, ids=[p for p, _ in PROGRAMS])
@pytest.mark.parametrize(
    ("script", "reason"),
    [("exit 3", "failed with exit code 3"), ("kill -SEGV $$", "failed with"), ("exit 0", "wrote")],
)
def test_a_synthesiser_that_crashes_or_writes_nothing_costs_one_file(
    program: str, attack: Attack, script: str, reason: str, fake: Fake
):
    fake(program, script)
    with pytest.raises(Unusable, match=f"{program} {reason}"):
        make(attack)


def test_a_synthesiser_that_hangs_is_ended(fake: Fake, monkeypatch: pytest.MonkeyPatch):
    fake("espeak-ng", "exec sleep 30")
    monkeypatch.setattr(sound, "SECONDS", 0.2)
    with pytest.raises(Unusable, match=r"did not end in 0\.2 s"):
        make(EspeakNg())


def test_what_is_not_installed_names_the_command(fake: Fake):
    assert EspeakNg().missing() == "apt-get install espeak-ng"
    assert Codec2().missing() == "apt-get install codec2"
    assert Flite().missing() == "apt-get install flite"
    assert Festival().missing().startswith("apt-get install festival")


def test_festival_speaks_only_the_languages_of_the_voices_that_are_there(tmp_path: Path):
    (tmp_path / "czech" / "czech_ph").mkdir(parents=True)
    festival = Festival(tmp_path)
    assert festival.languages == ("cs",)
    with pytest.raises(Unusable, match="no voice for en"):
        festival.speak("hello", "en", np.random.default_rng(0))

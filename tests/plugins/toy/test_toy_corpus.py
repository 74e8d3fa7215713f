"""The corpus: complete, repeatable, disjoint, and without shortcuts."""

import hashlib
import itertools
import subprocess
import sys
import tomllib
from importlib.resources import files

import numpy as np
import pytest
import soundfile

from spoofbench_toy.corpus import PARTS, build, generate, list_trials

NAMES = [part.name for part in PARTS]


def protocol(part: str) -> dict:
    return tomllib.loads((files("spoofbench_protocols") / f"toy-{part}.toml").read_text())


def key_rows(folder, part) -> list[list[str]]:
    return [line.split() for line in (folder / protocol(part)["data"]["keys"]).open()]


def audio_file(folder, part, utterance):
    return folder / protocol(part)["data"]["audio"].format(utterance=utterance)


@pytest.fixture(scope="module")
def decoded(built_toy):
    """Every trial as (part, attack, audio)."""
    return [
        (part, attack, soundfile.read(audio_file(built_toy, part, utterance), dtype="float32")[0])
        for part in NAMES
        for _, utterance, _, attack, _ in key_rows(built_toy, part)
    ]


def test_it_is_the_same_bit_for_bit_when_built_again(built_toy, tmp_path):
    calls = []
    build(tmp_path, lambda done, total: calls.append((done, total)))
    total = calls[0][1]
    assert calls == [(done, total) for done in range(1, total + 1)]
    relative = sorted(file.relative_to(built_toy) for file in built_toy.rglob("*.*"))
    assert relative == sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*.*"))
    for file in relative:
        assert (built_toy / file).read_bytes() == (tmp_path / file).read_bytes(), file


def test_an_utterance_hangs_on_its_name_and_not_on_what_was_made_before(built_toy):
    for part in reversed(PARTS):
        line = list_trials(part)[-1]
        stored, _ = soundfile.read(audio_file(built_toy, part.name, line.utterance), dtype="int16")
        np.testing.assert_array_equal(generate(line), stored)


def test_making_it_leaves_the_global_random_state_alone():
    before = np.random.get_state()[1].copy()
    generate(list_trials(PARTS[0])[0])
    np.testing.assert_array_equal(np.random.get_state()[1], before)


@pytest.mark.parametrize("part", NAMES)
def test_the_counts_are_those_that_the_protocol_expects(built_toy, part):
    keys = [row[4] for row in key_rows(built_toy, part)]
    found = {key: keys.count(key) for key in ("bonafide", "spoof")}
    assert found == protocol(part)["expect"]


@pytest.mark.parametrize("part", ["dev", "eval"])
def test_the_asv_trials_are_those_that_the_protocol_expects(built_toy, part):
    tandem = protocol(part)["tandem"]
    rows = [line.split() for line in (built_toy / tandem["scores"]).open()]
    keys = [key for _, key, _ in rows]
    assert {key: keys.count(key) for key in set(keys)} == tandem["expect"]
    attacks = sorted(attack for attack, key, _ in rows if key == "spoof")
    assert attacks == sorted(row[3] for row in key_rows(built_toy, part) if row[4] == "spoof")


def test_talkers_of_one_part_are_in_no_other(built_toy):
    talkers = [{row[0] for row in key_rows(built_toy, part)} for part in NAMES]
    for one, other in itertools.combinations(talkers, 2):
        assert not one & other


def test_attacks_of_eval_are_in_neither_train_nor_dev(built_toy):
    train, dev, evaluation = (
        {row[3] for row in key_rows(built_toy, part)} - {"-"} for part in NAMES
    )
    assert train == dev
    assert not train & evaluation


def test_every_talker_has_bona_fide_and_every_attack(built_toy):
    for part in NAMES:
        rows = key_rows(built_toy, part)
        pairs = {(row[0], row[3]) for row in rows}
        assert len(pairs) == len({row[0] for row in rows}) * len({row[3] for row in rows})


def test_the_order_and_the_names_say_nothing_of_the_key(built_toy):
    for part in NAMES:
        rows = key_rows(built_toy, part)
        names = [row[1] for row in rows]
        assert names == sorted(set(names))
        places = [np.mean([at for at, row in enumerate(rows) if row[4] == key]) / len(rows)
                  for key in ("bonafide", "spoof")]  # fmt: skip
        assert abs(places[0] - places[1]) < 0.15


def test_files_are_mono_16_khz_16_bit_flac_between_minus_one_and_one(built_toy, decoded):
    for part in NAMES:
        for row in key_rows(built_toy, part):
            info = soundfile.info(audio_file(built_toy, part, row[1]))
            assert (info.samplerate, info.channels) == (16_000, 1)
            assert (info.format, info.subtype) == ("FLAC", "PCM_16")
    for _, _, audio in decoded:
        assert np.isfinite(audio).all()
        assert np.abs(audio).max() < 1
        assert 0.9 * 16_000 < len(audio) < 2.5 * 16_000


def test_there_is_no_file_that_is_in_no_key_file(built_toy):
    for part in NAMES:
        found = {file.stem for file in (built_toy / f"toy_{part}" / "flac").iterdir()}
        assert found == {row[1] for row in key_rows(built_toy, part)}


def test_no_audio_is_there_twice(decoded):
    digests = {hashlib.sha256(audio.tobytes()).digest() for _, _, audio in decoded}
    assert len(digests) == len(decoded)


def test_it_says_that_no_human_speech_is_in_it(built_toy):
    assert "NO HUMAN SPEECH" in (built_toy / "LICENCE.txt").read_text()
    assert all("no human speech" in protocol(part)["stamp"] for part in NAMES)


def leading_silence(audio: np.ndarray) -> int:
    """Samples before the first one that is within 20 dB of the highest."""
    return int(np.argmax(np.abs(audio) > 0.1 * np.abs(audio).max()))


@pytest.mark.parametrize(
    "shortcut",
    [len, lambda audio: float(np.sqrt(np.mean(audio**2))), leading_silence],
    ids=["duration", "level", "leading silence"],
)
def test_a_shortcut_tells_nothing(decoded, shortcut):
    bonafide, spoof = (
        np.array([shortcut(audio) for _, attack, audio in decoded if (attack == "-") == wanted])
        for wanted in (True, False)
    )
    above = (bonafide[:, None] > spoof).mean() + 0.5 * (bonafide[:, None] == spoof).mean()
    assert 0.4 < above < 0.6


def test_it_can_be_built_from_a_script_that_has_no_main_guard(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(
        "from spoofbench_toy.corpus import PARTS, generate, list_trials\n"
        "print(generate(list_trials(PARTS[0])[0]).tobytes().hex()[:64])\n"
    )
    printed = subprocess.run(
        [sys.executable, script], check=True, capture_output=True, text=True
    ).stdout
    assert printed.strip() == generate(list_trials(PARTS[0])[0]).tobytes().hex()[:64]

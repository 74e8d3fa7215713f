"""``spoofbench robustness`` and ``augment`` on the tiny corpus, which has two speakers."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from inprocess import run_here
from program import Outcome, run_program

Sweep = Callable[..., Outcome]
MODEL = """\
from spoofbench import ModelSpec, hookimpl


@hookimpl
def spoofbench_models():
    return [
        ModelSpec(name="hiss", target="hiss_model:Hiss", summary="Less hiss, more bona fide."),
        ModelSpec(name="level", target="hiss_model:Level", summary="Louder, more bona fide."),
    ]
"""
HISS = '''\
import os


class Hiss:
    """Scores by how smooth a waveform is, and tells a file how many utterances it was given."""

    def score(self, audio, lengths):
        with open(os.environ["HISS_COUNT"], "a") as file:
            file.write("x" * len(audio))
        return -(audio[:, 1:] - audio[:, :-1]).abs().mean(dim=1) - audio.abs().mean(dim=1) / 10


class Level:
    def score(self, audio, lengths):
        return audio.abs().mean(dim=1)
'''


@pytest.fixture
def counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Install the model `hiss`; give how many utterances it has scored so far."""
    site = tmp_path / "site"
    info = site / "hiss-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hiss\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[spoofbench]\nhiss = hiss_plugin\n")
    (site / "hiss_plugin.py").write_text(MODEL)
    (site / "hiss_model.py").write_text(HISS)
    monkeypatch.syspath_prepend(site)
    monkeypatch.setenv("HISS_COUNT", str(tmp_path / "count"))
    monkeypatch.chdir(tmp_path)
    return lambda: len((tmp_path / "count").read_text()) if (tmp_path / "count").exists() else 0


@pytest.fixture
def sweep(tiny: Path, counted: Callable[[], int]) -> Sweep:
    given = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
    return lambda *args: run_here("robustness", "hiss", *given, *args)


def rows(outcome: Outcome, table: int = 0) -> dict[str, dict]:
    assert outcome.code == 0, outcome.err
    return {row["group"]: row for row in json.loads(outcome.out)[table]["rows"]}


NOISE = ("--noise", "white", "--snr", "20,0", "--format", "json")


def test_every_condition_stands_beside_clean(sweep):
    found = rows(sweep(*NOISE))
    assert list(found) == ["clean", "white@20", "white@0", "mean"]
    clean = found["clean"]["eer"]
    for name in ("white@20", "white@0"):
        assert found[name]["eer-change"] == pytest.approx(found[name]["eer"] - clean)


def test_the_mean_over_the_sweep_leaves_clean_out(sweep):
    found = rows(sweep(*NOISE))
    assert found["mean"]["eer"] == pytest.approx(
        (found["white@20"]["eer"] + found["white@0"]["eer"]) / 2
    )


def test_the_level_is_told_as_it_was_measured(sweep):
    found = rows(sweep(*NOISE))
    assert found["white@20"]["measured"] == pytest.approx(20, abs=0.1)
    assert found["white@0"]["measured"] == pytest.approx(0, abs=0.1)
    assert found["clean"]["measured"] is None


def test_each_condition_and_trial_is_scored_once(sweep, counted):
    sweep(*NOISE)
    assert counted() == 3 * 10
    sweep(*NOISE)
    assert counted() == 3 * 10


def test_a_condition_that_is_added_is_all_that_is_scored(sweep, counted):
    sweep(*NOISE)
    sweep("--noise", "white", "--snr", "20,0,10")
    assert counted() == 4 * 10


def test_the_first_line_says_what_is_run(sweep):
    assert "hiss on " in sweep(*NOISE).err.splitlines()[0]
    assert "3 conditions, clean included" in sweep(*NOISE).err.splitlines()[0]


def test_a_sweep_is_summed_up(sweep):
    summary = rows(sweep(*NOISE, "--ci", "trial", "--replicates", "50"), table=1)
    assert "white: EER doubles at (dB SNR)" in summary
    assert "white: mean EER % from 20 to 0 dB SNR" in summary
    assert "mean over the sweep (EER %)" in summary
    assert any(name.startswith("worst: white@") for name in summary)


def test_differences_to_clean_have_paired_intervals(sweep):
    found = rows(sweep(*NOISE, "--ci", "trial", "--replicates", "50"))
    assert {"eer", "eer-change"} <= set(found["white@0"]["intervals"])
    assert "eer-change" not in found["clean"]["intervals"]


def test_several_models_stand_side_by_side(sweep):
    outcome = sweep("level", *NOISE)
    assert outcome.code == 0, outcome.err
    found = json.loads(outcome.out)[0]["rows"]
    assert {row["run"] for row in found} == {"hiss", "level"}
    groups = {run: [r["group"] for r in found if r["run"] == run] for run in ("hiss", "level")}
    assert groups["hiss"] == groups["level"] == ["clean", "white@20", "white@0", "mean"]
    assert sweep("level", "--noise", "white", "--snr", "20,0").code == 0


def test_a_pass_without_conditions_looks_for_no_other_speakers(sweep, monkeypatch):
    def never(*args, **options):
        raise AssertionError("a pool was made")

    monkeypatch.setattr("spoofbench.robustness.pool.SpeechPool.of", never)
    assert sweep("--chain", "clean").code == 0


def test_noise_on_one_class_alone_is_another_condition(sweep, counted):
    sweep(*NOISE)
    found = rows(sweep(*NOISE, "--apply-to", "spoof"))
    assert "white@0 [spoof only]" in found
    assert counted() == (3 + 2) * 10


def test_an_interferer_makes_a_table_of_four_cells(sweep):
    outcome = sweep("--overlap", "0@50", "--chain", "overlap-spoof@0@50", "--format", "json")
    assert outcome.code == 0, outcome.err
    table = json.loads(outcome.out)[-1]
    cells = {row["group"]: row for row in table["rows"]}
    assert set(cells) == {
        f"{target} x {other}" for target in ("bonafide", "spoof") for other in ("bonafide", "spoof")
    }
    assert all(0 <= row["accepted"] <= 1 for row in cells.values())


def test_runs_of_a_sweep_are_told_apart_in_other_tables(sweep, tiny, spoofbench_cli, tmp_path):
    sweep(*NOISE)
    outcome = run_here("table", tmp_path / "runs", "--data", tiny, "--format", "json")
    (table,) = json.loads(outcome.out)
    assert {row["run"] for row in table["rows"]} == {
        "hiss",
        "hiss [white@0]",
        "hiss [white@20]",
    }


def test_a_sweep_file_can_be_run(sweep, tmp_path):
    (tmp_path / "mine.toml").write_text(
        'schema = 1\ntitle = "Mine"\nconditions = ["gain@-20", "gain@-20 + white@10"]\n'
    )
    found = rows(sweep("--sweep", "mine.toml", "--format", "json"))
    assert list(found) == ["clean", "gain@-20", "gain@-20 + white@10", "mean"]


def test_a_condition_that_there_is_not_is_named_with_its_line(sweep, tmp_path):
    (tmp_path / "mine.toml").write_text(
        'schema = 1\ntitle = "Mine"\nconditions = [\n  "gain@-20",\n  "whit@10",\n]\n'
    )
    outcome = sweep("--sweep", "mine.toml")
    assert outcome.code == 2
    assert "mine.toml, line 5: " in outcome.err
    assert "white" in outcome.err


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("--noise", "babble"), "3 other speakers are needed, and the protocol has 1"),
        (("--noise", "opus"), "opus is of the family 'codec'"),
        (("--snr", "10"), "there is no --noise"),
        (("--noise", "white", "--snr", "loud"), "'loud' is not a number"),
        (("--noise", "white", "--snr", "900"), "between"),
        (("--noise", "white@10"), "levels are said by --snr"),
        (("--overlap", "5@150"), "overlap over 150 %"),
        (("--codec", "g726@20"), "g726@20"),
        (("--noise", "white", "--metrics", "eeer"), "eer"),
        (("mistaken", "--noise", "white"), "mistaken"),
        (("--sweep", "everything"), "shipped: core, noise, telephony"),
        (("--chain", "white 10"), "not a step of a condition"),
        (("--reverb", "-1"), "between"),
    ],
)
def test_what_cannot_be_done_is_said_before_anything_is_scored(sweep, counted, asked, said):
    outcome = sweep(*asked)
    assert outcome.code == 2
    assert said in outcome.err + outcome.out
    assert "Traceback" not in outcome.err
    assert counted() == 0


def test_a_class_with_a_single_speaker_has_no_other_speaker_of_it(tiny, counted, tmp_path):
    """All spoofs are of one speaker, who is then the only one that cannot be overlapped."""
    alone = tmp_path / "alone"
    shutil.copytree(tiny, alone)
    keys = alone / "keys" / "eval.txt"
    lines = [line.split() for line in keys.read_text().splitlines()]
    keys.write_text(
        "".join(
            f"{'eval1' if key == 'spoof' else who} {' '.join(rest)} {key}\n"
            for who, *rest, key in lines
        )
    )
    outcome = run_here(
        "robustness", "hiss", "--protocol", alone / "tiny-eval.toml", "--data", alone,
        "--chain", "overlap-spoof@5",
    )  # fmt: skip
    assert outcome.code == 2
    assert "1 other speakers are needed, and the protocol has 0 with spoofed speech" in outcome.err
    assert counted() == 0


def test_an_empty_noise_folder_is_named(sweep, tmp_path, counted):
    (tmp_path / "noises").mkdir()
    outcome = sweep("--noise", tmp_path / "noises")
    assert (outcome.code, "noises" in outcome.err) == (2, True)
    assert counted() == 0


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    tone = 0.5 * np.sin(np.arange(16_000) / 8)
    soundfile.write(tmp_path / "tone.wav", tone, 16_000)
    return tmp_path / "tone.wav"


def test_a_recording_can_be_listened_to_under_a_condition(recording, tmp_path, spoofbench_cli):
    outcome = spoofbench_cli(
        "augment", recording, "--condition", "gain@-20", "-o", tmp_path / "out.wav"
    )
    assert outcome.code == 0, outcome.err
    made, rate = soundfile.read(tmp_path / "out.wav")
    original, _ = soundfile.read(recording)
    assert rate == 16_000
    np.testing.assert_allclose(made, original / 10, atol=2e-4)


def test_other_speakers_come_from_a_protocol(recording, tmp_path, tiny, spoofbench_cli):
    given = ("augment", recording, "--condition", "overlap@5", "-o", tmp_path / "out.flac")
    alone = spoofbench_cli(*given)
    assert (alone.code, "--protocol" in alone.err) == (2, True)
    outcome = spoofbench_cli(*given, "--protocol", tiny / "tiny-eval.toml", "--data", tiny)
    assert outcome.code == 0, outcome.err
    assert "interferer: E0" in outcome.err
    assert len(soundfile.read(tmp_path / "out.flac")[0]) == 16_000


def test_what_cannot_be_written_is_refused(recording, tmp_path, spoofbench_cli):
    outcome = spoofbench_cli(
        "augment", recording, "--condition", "gain@-20", "-o", tmp_path / "out.mp4"
    )
    assert (outcome.code, ".wav, .flac" in outcome.err) == (2, True)


def test_what_ends_a_pass_in_a_worker_process_is_told_as_it_is_here(tiny, counted, tmp_path):
    """An error that crosses a process border keeps its hint and shows no traceback."""
    site = tmp_path / "site"
    (site / "hiss_plugin.py").write_text(
        MODEL + BREAKS.replace("MODULE", "hiss_model"), encoding="utf-8"
    )
    (site / "hiss_model.py").write_text(HISS + BREAKING)
    outcome = run_program(
        "robustness", "hiss", "--protocol", tiny / "tiny-eval.toml", "--data", tiny,
        "--chain", "breaks", "--workers", "1",
        env={"PYTHONPATH": str(site)}, cwd=tmp_path,
    )  # fmt: skip
    assert outcome.code == 2
    assert "error: this trial cannot be" in outcome.err
    assert "hint:  choose another" in outcome.err
    assert "Traceback" not in outcome.err


BREAKS = """

from spoofbench import AugmentationSpec


@hookimpl
def spoofbench_augmentations():
    return [
        AugmentationSpec(name="breaks", target="MODULE:Breaks", summary="", unit="", levels=())
    ]
"""
BREAKING = """

class Breaks:
    def apply(self, audio, level, context):
        from spoofbench.errors import InvalidCondition

        if context.utterance != "a second of noise":
            raise InvalidCondition("this trial cannot be", hint="choose another")
        return audio
"""


def test_a_silent_trial_stays_as_it_is_and_is_told(tiny, counted, tmp_path):
    quiet = tmp_path / "quiet"
    shutil.copytree(tiny, quiet)
    first = sorted((quiet / "eval").glob("*.flac"))[0]
    soundfile.write(first, np.zeros(4_800), 16_000)
    outcome = run_here(
        "robustness", "hiss", "--protocol", quiet / "tiny-eval.toml", "--data", quiet,
        "--workers", "0", *NOISE,
    )  # fmt: skip
    found = rows(outcome)
    assert found["white@20"]["measured"] == pytest.approx(20, abs=0.1)
    assert any(
        "1 of 10 trials stayed as they were" in s for s in json.loads(outcome.out)[0]["stamps"]
    )


def test_a_folder_that_is_called_like_a_noise_does_not_take_its_place(sweep, tmp_path):
    (tmp_path / "white").mkdir()
    assert "white@20" in rows(sweep(*NOISE))


def test_a_recording_is_not_written_over(recording, spoofbench_cli):
    outcome = spoofbench_cli("augment", recording, "--condition", "gain@-20", "-o", recording)
    assert (outcome.code, "is the recording itself" in outcome.err) == (2, True)


def test_all_conditions_under_which_trials_fail_are_told_and_the_others_are_kept(
    tiny, counted, tmp_path
):
    """An augmentation makes nothing finite of one trial; two of the four conditions use it."""
    broken = tmp_path / "broken"
    shutil.copytree(tiny, broken)
    first = sorted((broken / "eval").glob("*.flac"))[0]
    site = tmp_path / "site"
    (site / "hiss_plugin.py").write_text(MODEL + BREAKS.replace("MODULE", "hiss_model"))
    (site / "hiss_model.py").write_text(HISS + FAILING.replace("UTTERANCE", first.stem))
    sys.modules.pop("hiss_plugin", None)
    sys.modules.pop("hiss_model", None)
    outcome = run_here(
        "robustness", "hiss", "--protocol", broken / "tiny-eval.toml", "--data", broken,
        "--chain", "breaks", "--chain", "breaks + gain@-20", "--chain", "gain@-10",
        "--workers", "0",
    )  # fmt: skip
    assert outcome.code == 2
    assert "breaks: 1 of 10 trials could not be scored" in outcome.err
    assert "and trials failed under breaks + gain@-20" in outcome.err
    finished = sorted(Path("runs").glob("tiny-eval/*/run.json"))
    assert len(finished) == 2  # clean and gain@-10


FAILING = """

class Breaks:
    def apply(self, audio, level, context):
        return audio / 0 if context.utterance == "UTTERANCE" else audio
"""

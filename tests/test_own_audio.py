from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from inprocess import Spoofbench
from program import run_program

from spoofbench import corpora
from spoofbench.errors import CorpusNotFound, InvalidKeys
from spoofbench.plugins import catalogue
from spoofbench.protocols import Protocol, load
from spoofbench.runs import RunRecord
from spoofbench.trials import Trial

LIST = "path,label,speaker,attack,codec\na/1.wav,real,Ann,,opus\na/2.wav,fake,Ben,tts,opus\n"


def protocol(file: Path, text: str = LIST) -> Protocol:
    file.write_text(text)
    return load(f"csv:{file}", catalogue())


def trials_of(protocol: Protocol, data: Path | None = None) -> tuple[Trial, ...]:
    root = corpora.root_of(protocol, catalogue(), data=data)
    return corpora.read_trials(protocol, catalogue(), root)


def fault(file: Path, text: str) -> InvalidKeys:
    with pytest.raises(InvalidKeys) as raised:
        trials_of(protocol(file, text))
    return raised.value


def write_folder(root: Path, *, each: int = 4) -> Path:
    """Write tones and noise: ``each`` recordings of a class, the spoofs as two attacks."""
    random = np.random.default_rng(3)
    for number in range(each):
        time = np.arange(4_000 + 400 * number) / 16_000
        tone = 0.3 * np.sin(2 * np.pi * (200 + 40 * number) * time)
        for name, audio in (
            (f"bonafide/b{number}.wav", tone),
            (f"spoof/s{number % 2}/s{number}.wav", 0.1 * random.standard_normal(len(time))),
        ):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            soundfile.write(root / name, audio, 16_000)
    return root


def test_a_line_of_a_list_is_a_trial(tmp_path: Path):
    assert trials_of(protocol(tmp_path / "mine.csv")) == (
        Trial(
            utterance="a/1",
            speaker="Ann",
            attack="-",
            bonafide=True,
            audio="a/1.wav",
            columns={"codec": "opus"},
        ),
        Trial(
            utterance="a/2",
            speaker="Ben",
            attack="tts",
            bonafide=False,
            audio="a/2.wav",
            columns={"codec": "opus"},
        ),
    )


def test_a_list_can_be_judged_and_says_on_what_a_model_is_trained(tmp_path: Path):
    made = protocol(tmp_path / "mine.csv")
    assert (made.name, made.role, made.train, made.dev) == (
        "csv-mine",
        "eval",
        "la-train",
        "la-dev",
    )
    assert (made.report.metrics, made.report.by) == (("eer", "min-dcf", "auc"), ("attack",))


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_the_mark_between_cells_is_found(tmp_path: Path, mark: str):
    made = protocol(tmp_path / "mine.csv", LIST.replace(",", mark))
    assert [trial.audio for trial in trials_of(made)] == ["a/1.wav", "a/2.wav"]


@pytest.mark.parametrize("heading", ["path", "File", "filename", "audio", "wav", "utterance", "id"])
@pytest.mark.parametrize("key", ["key", "Label", "class"])
def test_columns_are_found_by_their_headings(tmp_path: Path, heading: str, key: str):
    made = protocol(tmp_path / "mine.csv", f"x,{key},{heading}\n1,spoof,a.wav\n2,real,b.wav\n")
    assert [(t.audio, t.bonafide) for t in trials_of(made)] == [("a.wav", False), ("b.wav", True)]


def test_an_utterance_beside_a_path_is_what_a_trial_is_called(tmp_path: Path):
    text = "utterance,path,key\nU1,a/1.wav,spoof\nU2,a/2.wav,real\n"
    assert [t.utterance for t in trials_of(protocol(tmp_path / "mine.csv", text))] == ["U1", "U2"]


def test_a_list_without_attacks_is_not_broken_down(tmp_path: Path):
    assert protocol(tmp_path / "mine.csv", "path,key\n").report.by == ()


@pytest.mark.parametrize("text", ["", "a.wav,spoof\n", "path,codec\na.wav,opus\n", "key\nspoof\n"])
def test_a_first_line_that_does_not_name_the_columns_is_a_fault(tmp_path: Path, text: str):
    error = fault(tmp_path / "mine.csv", text)
    assert "mine.csv, line 1: no column is called " in str(error)
    assert "path,key" in error.hint


def test_two_columns_of_one_name_are_a_fault(tmp_path: Path):
    assert "several columns are called codec" in str(
        fault(tmp_path / "mine.csv", "path,key,codec,codec\n")
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("b.wav,spoof,x", "3 columns where there should be 2 (path key)"),
        ("b.wav,maybe", "the key is 'maybe'"),
        ("../b.wav,spoof", "'../b.wav' is not a path below"),
        ("/b.wav,spoof", "'/b.wav' is not a path below"),
    ],
)
def test_a_line_that_cannot_be_used_is_named(tmp_path: Path, line: str, said: str):
    text = f"path,key\na.wav,real\n{line}\n"
    assert f"mine.csv, line 3: {said}" in str(fault(tmp_path / "mine.csv", text))


def test_a_recording_that_is_listed_twice_is_refused(tmp_path: Path):
    assert "twice" in str(fault(tmp_path / "mine.csv", "path,key\na.wav,real\na.wav,spoof\n"))


def test_a_list_of_one_class_is_refused_before_anything_is_scored(tmp_path: Path):
    error = fault(tmp_path / "mine.csv", "path,key\na.wav,real\n")
    assert "mine.csv lists no trials of one of the classes" in str(error)


def test_audio_lies_in_the_folder_of_the_list(tmp_path: Path):
    made = protocol(tmp_path / "mine.csv")
    assert corpora.root_of(made, catalogue()) == tmp_path


def test_audio_can_lie_in_another_folder_than_the_list(tmp_path: Path):
    (tmp_path / "audio").mkdir()
    made = protocol(tmp_path / "mine.csv")
    assert corpora.root_of(made, catalogue(), data=tmp_path / "audio") == tmp_path / "audio"
    assert len(trials_of(made, tmp_path / "audio")) == 2


def test_a_folder_of_audio_that_is_not_there_is_named(tmp_path: Path):
    made = protocol(tmp_path / "mine.csv")
    with pytest.raises(CorpusNotFound, match="nowhere is not there"):
        corpora.root_of(made, catalogue(), data=tmp_path / "nowhere")


@pytest.mark.parametrize("name", ["csv:none.csv", "folder:none", "csv:", "folder:", "csv:."])
def test_what_is_not_there_is_named(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CorpusNotFound, match=f"'{name}': "):
        load(name, catalogue())


def test_a_folder_is_a_protocol(tmp_path: Path):
    made = load(f"folder:{write_folder(tmp_path / 'mine')}", catalogue())
    assert (made.name, made.report.by) == ("folder-mine", ("attack",))
    assert [t.attack for t in trials_of(made)] == ["-", "-", "-", "-", "s0", "s0", "s1", "s1"]


def test_a_folder_without_attacks_is_not_broken_down(tmp_path: Path):
    for name in ("real/a.wav", "fake/b.wav"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert load(f"folder:{tmp_path}", catalogue()).report.by == ()


def test_a_protocol_of_one_s_own_survives_being_written_down(tmp_path: Path):
    made = protocol(tmp_path / "mine.csv")
    assert Protocol.model_validate_json(made.model_dump_json(by_alias=True)) == made


def test_lists_of_one_name_are_two_corpora(tmp_path: Path):
    (tmp_path / "other").mkdir()
    first, second = protocol(tmp_path / "a.csv"), protocol(tmp_path / "other" / "a.csv")
    assert first.data.corpus != second.data.corpus


def test_recordings_that_are_not_there_are_named(tmp_path: Path, spoofbench_cli: Spoofbench):
    (tmp_path / "mine.csv").write_text(LIST)
    checked = spoofbench_cli("data", "check", "csv:mine.csv")
    assert checked.code == 2
    assert "2 of 2 recordings are missing" in checked.out


def test_scores_of_one_s_own_audio_are_judged(tmp_path: Path, spoofbench_cli: Spoofbench):
    (tmp_path / "mine.csv").write_text(LIST)
    (tmp_path / "scores.txt").write_text("a/1 1\na/2 0\n")
    judged = spoofbench_cli("score", "scores.txt", "--protocol", "csv:mine.csv", "--format", "json")
    assert judged.code == 0, judged.err
    (table,) = json.loads(judged.out)
    assert (table["rows"][0]["eer"], table["rows"][0]["auc"]) == (0, 1)


def test_a_model_without_weights_says_what_it_needs(tmp_path: Path, spoofbench_cli: Spoofbench):
    write_folder(tmp_path / "mine")
    done = spoofbench_cli("run", "aasist", "--protocol", "folder:mine")
    assert done.code == 2
    assert "give weights with --weights" in done.err
    assert "asvspoof2019-la" in done.err


SILENCE = """
from spoofbench import ModelSpec, hookimpl

@hookimpl
def spoofbench_models():
    return [ModelSpec(name="steady", target="steady_plugin:Steady", summary="Likes steadiness.")]

class Steady:
    def score(self, audio, lengths):
        return -(audio[:, 1:] - audio[:, :-1]).abs().mean(dim=1)
"""
"""A model without parameters: tones move less from sample to sample than noise of their level."""


@pytest.fixture
def steady(tmp_path: Path) -> dict[str, str]:
    """The environment in which the model ``steady`` is installed."""
    site = tmp_path / "site"
    information = site / "steady_plugin-1.0.dist-info"
    information.mkdir(parents=True)
    (site / "steady_plugin.py").write_text(SILENCE)
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: steady\nVersion: 1.0\n")
    (information / "entry_points.txt").write_text("[spoofbench]\nsteady = steady_plugin\n")
    return {"PYTHONPATH": str(site)}


@pytest.mark.parametrize("kind", ["folder", "csv"])
def test_a_model_is_judged_on_one_s_own_audio_and_the_table_can_be_drawn_again(
    kind: str, tmp_path: Path, steady: dict[str, str]
):
    write_folder(tmp_path / "mine")
    lines = [
        f"{file.relative_to(tmp_path / 'mine')},{file.relative_to(tmp_path / 'mine').parts[0]}\n"
        for file in sorted((tmp_path / "mine").rglob("*.wav"))
    ]
    (tmp_path / "mine" / "list.csv").write_text("path,key\n" + "".join(lines))
    name = {"folder": "folder:mine", "csv": "csv:mine/list.csv"}[kind]
    done = run_program(
        *("run", "steady", "--protocol", name, "--format", "json"), env=steady, cwd=tmp_path
    )
    assert done.code == 0, done.err
    (table,) = json.loads(done.out)
    noisy = [row for row in table["rows"] if not row["by"]]
    assert (table["bonafide"], table["spoof"]) == (4, 4)
    assert [row["eer"] for row in noisy] == [0]
    (folder,) = (tmp_path / "runs").glob("*/*")
    record = RunRecord.model_validate_json((folder / "run.json").read_text(), by_alias=True)
    assert record.corpus == str(tmp_path / "mine")
    again = run_program("table", folder, "--format", "json", env=steady, cwd="/")
    assert json.loads(again.out) == json.loads(done.out)

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from spoofbench import corpora
from spoofbench.errors import (
    CorpusNotFound,
    IncompleteCorpus,
    InvalidKeys,
    InvalidProtocol,
    StorageError,
)
from spoofbench.plugins import Catalogue, Offer, Plugin, catalogue
from spoofbench.protocols import Protocol, load, read
from spoofbench.settings import remember_corpus, settings
from spoofbench.specs import CorpusSpec, ProtocolSpec

Progress = Callable[[int, int], None]


def build_two_files(folder: Path, progress: Progress) -> None:
    (folder / "one.txt").write_text("1")
    progress(1, 2)
    (folder / "two.txt").write_text("2")


def crash(folder: Path, progress: Progress) -> None:
    (folder / "one.txt").write_text("1")
    raise RuntimeError("no more formulas")


def fill_the_disk(folder: Path, progress: Progress) -> None:
    raise OSError(28, "No space left on device")


def interrupt(folder: Path, progress: Progress) -> None:
    (folder / "one.txt").write_text("1")
    raise KeyboardInterrupt


def generated(builder: Callable[[Path, Progress], None]) -> CorpusSpec:
    return CorpusSpec(
        name="made",
        target=f"{__name__}:{builder.__name__}",
        summary="Made here.",
        licence="none",
        obtain="generated",
    )


def silent(done: int, total: int) -> None:
    pass


@pytest.fixture
def known() -> Catalogue:
    """The catalogue, which also knows the corpus ``made``."""
    known = catalogue()
    known.corpora.put(Offer(generated(build_two_files), Plugin("test", "tests", "1")))
    return known


@pytest.fixture
def protocol(tiny: Path) -> Protocol:
    return read(tiny / "tiny-eval.toml")


@pytest.fixture
def copy(tiny: Path, tmp_path: Path) -> Path:
    """A copy of the tiny corpus that may be damaged."""
    return Path(shutil.copytree(tiny, tmp_path / "copy"))


def folder_of_environment(corpus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "environment" / corpus
    folder.mkdir(parents=True)
    monkeypatch.setenv("SPOOFBENCH_DATA", str(folder.parent))
    settings.cache_clear()
    return folder


def folder_of_settings(corpus: str, tmp_path: Path) -> Path:
    folder = tmp_path / "settings" / corpus
    folder.mkdir(parents=True)
    remember_corpus(corpus, folder)
    return folder


def test_a_corpus_of_which_nobody_said_anything_is_nowhere(known: Catalogue):
    assert corpora.locate("made", known).folder is None


def test_a_generated_corpus_is_found_in_the_cache(known: Catalogue):
    spec = known.corpora.get("made").spec
    corpora.build(spec, corpora.generated_folder(spec), silent)
    assert corpora.locate("made", known).said_by == "generated"


def test_the_settings_go_before_what_was_generated(known: Catalogue, tmp_path: Path):
    spec = known.corpora.get("made").spec
    corpora.build(spec, corpora.generated_folder(spec), silent)
    assert folder_of_settings("made", tmp_path) == corpora.locate("made", known).folder


def test_the_environment_goes_before_the_settings(known: Catalogue, tmp_path: Path, monkeypatch):
    folder_of_settings("made", tmp_path)
    folder = folder_of_environment("made", tmp_path, monkeypatch)
    assert corpora.locate("made", known).folder == folder


def test_the_option_goes_before_the_environment(known: Catalogue, tmp_path: Path, monkeypatch):
    folder_of_environment("made", tmp_path, monkeypatch)
    assert corpora.locate("made", known, data=tmp_path).folder == tmp_path


def test_an_environment_that_lacks_the_corpus_leaves_it_to_the_settings(
    known: Catalogue, tmp_path: Path, monkeypatch
):
    folder = folder_of_settings("made", tmp_path)
    folder_of_environment("another", tmp_path, monkeypatch)
    assert corpora.locate("made", known).folder == folder


def test_a_new_version_of_a_generated_corpus_is_another_folder():
    old, new = (
        CorpusSpec(name="made", summary="", licence="", obtain="", version=version)
        for version in ("1", "2")
    )
    assert corpora.generated_folder(old) != corpora.generated_folder(new)


def test_a_corpus_that_is_nowhere_is_an_error_that_says_how_to_get_it(known: Catalogue):
    with pytest.raises(CorpusNotFound, match="no folder is set") as raised:
        corpora.root_of(load("la-eval", known), known)
    assert "https://doi.org/10.7488/ds/2555" in raised.value.hint
    assert "spoofbench data set asvspoof2019-la DIR" in raised.value.hint


def test_the_way_to_get_a_corpus_names_its_licence(known: Catalogue):
    assert "ODC-By" in corpora.how_to_obtain(known.corpora.get("asvspoof2019-la").spec)


def test_a_command_that_would_refuse_the_corpus_is_not_recommended(
    known: Catalogue, protocol: Protocol
):
    with pytest.raises(CorpusNotFound) as raised:
        corpora.root_of(protocol, known)
    assert "data set tiny" not in raised.value.hint
    assert "--data DIR" in raised.value.hint


def test_a_folder_that_does_not_exist_is_named_with_who_said_it(
    known: Catalogue, protocol: Protocol, tmp_path: Path
):
    with pytest.raises(CorpusNotFound, match=r"nowhere \(from --data\) does not exist"):
        corpora.root_of(protocol, known, data=tmp_path / "nowhere")


def test_a_file_is_no_folder(known: Catalogue, protocol: Protocol, tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(CorpusNotFound, match="is not a folder"):
        corpora.root_of(protocol, known, data=tmp_path / "file")


def test_an_empty_folder_is_said_to_be_empty(known: Catalogue, protocol: Protocol, tmp_path: Path):
    with pytest.raises(CorpusNotFound, match=r"lacks keys/eval\.txt") as raised:
        corpora.root_of(protocol, known, data=tmp_path)
    assert raised.value.hint == "the folder is empty"


def test_la_given_for_pa_is_recognised(known: Catalogue, tmp_path: Path):
    keys = tmp_path / load("la-eval", known).data.keys
    keys.parent.mkdir(parents=True)
    keys.touch()
    with pytest.raises(CorpusNotFound) as raised:
        corpora.root_of(load("pa-eval", known), known, data=tmp_path)
    assert "looks like asvspoof2019-la" in raised.value.hint


def test_a_corpus_one_folder_deeper_is_found_for_the_user(
    known: Catalogue, protocol: Protocol, tiny: Path, tmp_path: Path
):
    (tmp_path / "LA").symlink_to(tiny)
    with pytest.raises(CorpusNotFound) as raised:
        corpora.root_of(protocol, known, data=tmp_path)
    assert raised.value.hint == f"it lies one folder deeper: use {tmp_path / 'LA'}"


def test_a_protocol_of_a_plugin_that_cannot_be_read_does_not_hide_the_hint(
    known: Catalogue, protocol: Protocol, tmp_path: Path
):
    add_unreadable_protocol(known)
    (tmp_path / "something").touch()
    with pytest.raises(CorpusNotFound):
        corpora.root_of(protocol, known, data=tmp_path)


def test_the_protocols_of_a_corpus_are_found_beside_one_that_cannot_be_read(known: Catalogue):
    add_unreadable_protocol(known)
    found = corpora.protocols_of("asvspoof2019-la", known)
    assert [protocol.name for protocol in found] == ["la-dev", "la-eval", "la-train"]


def add_unreadable_protocol(known: Catalogue) -> None:
    spec = ProtocolSpec(name="a", target="spoofbench_protocols:no-such-file.toml", summary="")
    known.protocols.put(Offer(spec, Plugin("bad", "bad", "1")))
    with pytest.raises(InvalidProtocol):
        load("a", known)


def test_a_whole_corpus_is_found(known: Catalogue, protocol: Protocol, tiny: Path):
    assert corpora.root_of(protocol, known, data=tiny) == tiny


def test_the_trials_of_a_corpus_are_read_in_the_order_of_its_keys(
    known: Catalogue, protocol: Protocol, tiny: Path
):
    trials = corpora.read_trials(protocol, known, tiny)
    assert [trial.utterance for trial in trials] == [f"E{number:03d}" for number in range(10)]


def test_a_key_file_that_was_cut_is_refused(known: Catalogue, protocol: Protocol, copy: Path):
    keys = copy / "keys" / "eval.txt"
    keys.write_text("".join(keys.read_text().splitlines(keepends=True)[:-1]))
    with pytest.raises(IncompleteCorpus, match="4 bona fide and 5 spoof"):
        corpora.read_trials(protocol, known, copy)


def test_a_trial_that_is_listed_twice_is_refused(known: Catalogue, protocol: Protocol, copy: Path):
    keys = copy / "keys" / "eval.txt"
    keys.write_text(keys.read_text().replace("E002", "E001"))
    with pytest.raises(InvalidKeys, match=r"eval\.txt lists E001 twice"):
        corpora.read_trials(protocol, known, copy)


def test_missing_recordings_are_an_error_with_counts_and_the_first_few_names(
    known: Catalogue, protocol: Protocol, copy: Path
):
    for number in range(5):
        (copy / "eval" / f"E00{number}.flac").unlink()
    trials = corpora.read_trials(protocol, known, copy)
    with pytest.raises(IncompleteCorpus) as raised:
        corpora.check_audio(protocol, trials, copy)
    said = "5 of 10 recordings are missing"
    named = "eval/E000.flac, eval/E001.flac, eval/E002.flac and 2 more"
    assert said in str(raised.value)
    assert named in str(raised.value)


def test_no_more_recordings_than_are_missing_are_named(
    known: Catalogue, protocol: Protocol, copy: Path
):
    (copy / "eval" / "E007.flac").unlink()
    trials = corpora.read_trials(protocol, known, copy)
    with pytest.raises(IncompleteCorpus, match=r"eval/E007\.flac$"):
        corpora.check_audio(protocol, trials, copy)


def test_a_corpus_that_is_whole_has_no_faults(known: Catalogue, protocol: Protocol, tiny: Path):
    findings = corpora.inspect(protocol, known, data=tiny)
    assert (findings.faults, findings.said[0]) == ((), f"4 bona fide + 6 spoof trials in {tiny}")


def test_a_look_at_a_corpus_goes_on_after_a_fault(known: Catalogue, copy: Path):
    file = copy / "tiny-eval.toml"
    file.write_text(file.read_text() + '\n[tandem]\nscores = "no-such-file.txt"\n')
    (copy / "eval" / "E007.flac").unlink()
    findings = corpora.inspect(read(file), known, data=copy)
    assert len(findings.faults) == 2


def test_a_corpus_that_is_nowhere_is_a_fault_and_no_crash(known: Catalogue, protocol: Protocol):
    assert corpora.inspect(protocol, known).said == ("unusable",)


def test_a_built_corpus_is_there_with_all_its_files(tmp_path: Path):
    corpora.build(generated(build_two_files), tmp_path / "made", silent)
    assert sorted(file.name for file in (tmp_path / "made").iterdir()) == ["one.txt", "two.txt"]


def test_building_leaves_nothing_else_behind(tmp_path: Path):
    corpora.build(generated(build_two_files), tmp_path / "made", silent)
    assert list(tmp_path.iterdir()) == [tmp_path / "made"]


@pytest.mark.parametrize(
    ("builder", "raised"),
    [(crash, RuntimeError), (fill_the_disk, StorageError), (interrupt, KeyboardInterrupt)],
)
def test_a_builder_that_does_not_finish_leaves_nothing(
    builder: Callable[[Path, Progress], None], raised: type[BaseException], tmp_path: Path
):
    with pytest.raises(raised):
        corpora.build(generated(builder), tmp_path / "made", silent)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_exists_is_not_built_over(tmp_path: Path):
    with pytest.raises(CorpusNotFound, match="exists already"):
        corpora.build(generated(build_two_files), tmp_path, silent)


def test_a_corpus_that_is_not_generated_cannot_be_built(known: Catalogue, tmp_path: Path):
    spec = known.corpora.get("asvspoof2019-la").spec
    with pytest.raises(CorpusNotFound, match="is not generated"):
        corpora.build(spec, tmp_path / "la", silent)

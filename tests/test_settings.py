from __future__ import annotations

import os
from pathlib import Path

import pytest

from spoofbench.errors import InvalidSettings, StorageError
from spoofbench.settings import remember_corpus, settings, settings_file


@pytest.fixture
def file() -> Path:
    return settings_file()


def test_without_a_file_nothing_is_set():
    assert (settings().corpora, settings().block, settings().data) == ({}, (), None)


def test_the_settings_file_is_the_one_that_the_environment_names(monkeypatch, tmp_path: Path):
    monkeypatch.setenv("SPOOFBENCH_SETTINGS", str(tmp_path / "mine.toml"))
    assert settings_file() == tmp_path / "mine.toml"


def test_else_the_settings_file_lies_in_the_users_configuration_folder(monkeypatch, tmp_path: Path):
    monkeypatch.delenv("SPOOFBENCH_SETTINGS")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert settings_file().is_relative_to(tmp_path)


def test_the_file_says_where_corpora_lie(file: Path):
    file.write_text('[corpora]\nasvspoof2019-la = "/corpora/LA"\n')
    assert settings().corpora == {"asvspoof2019-la": Path("/corpora/LA")}


def test_the_cache_of_the_environment_goes_before_that_of_the_file(
    file: Path, monkeypatch, tmp_path: Path
):
    file.write_text('cache = "/somewhere/else"\n')
    monkeypatch.setenv("SPOOFBENCH_CACHE", str(tmp_path))
    assert settings().cache_folder() == tmp_path


def test_the_cache_of_the_file_is_used_where_the_environment_says_nothing(file: Path, monkeypatch):
    monkeypatch.delenv("SPOOFBENCH_CACHE")
    file.write_text('cache = "/somewhere/else"\n')
    assert settings().cache_folder() == Path("/somewhere/else")


def test_blocked_plugins_of_file_and_environment_are_added_up(file: Path, monkeypatch):
    file.write_text('block = ["one"]\n')
    monkeypatch.setenv("SPOOFBENCH_BLOCK", "two, three")
    assert settings().block == ("one", "two", "three")


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("corpora = ?", "line 1"),
        ('corpus = "/x"\n', "corpus"),
        ('block = "aasist"\n', "block"),
        ("block = 5\n", "block"),
        ("cache = 5\n", "cache"),
        ("[corpora]\ntoy = 5\n", "corpora.toy"),
        ('data = "/x"\n', "data"),
    ],
)
@pytest.mark.parametrize("blocked", ["", "toy"])
def test_a_file_that_is_wrong_is_an_error_that_names_it_and_the_place(
    text: str, named: str, blocked: str, file: Path, monkeypatch
):
    monkeypatch.setenv("SPOOFBENCH_BLOCK", blocked)
    file.write_text(text)
    with pytest.raises(InvalidSettings) as raised:
        settings()
    assert str(file) in str(raised.value)
    assert named in str(raised.value)


def test_a_file_that_is_no_text_is_an_error(file: Path):
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidSettings):
        settings()


def test_a_remembered_corpus_is_found_again(tmp_path: Path):
    remember_corpus("toy", tmp_path)
    assert settings().corpora == {"toy": tmp_path}


def test_a_corpus_is_remembered_by_its_absolute_path(tmp_path: Path, monkeypatch):
    (tmp_path / "corpus").mkdir()
    monkeypatch.chdir(tmp_path)
    remember_corpus("toy", Path("corpus"))
    assert settings().corpora == {"toy": tmp_path / "corpus"}


def test_remembering_a_corpus_keeps_comments_and_other_settings(file: Path, tmp_path: Path):
    kept = 'block = ["x"]  # it crashes\n\n[corpora]\n# on the big disk\nla = "/big/LA"\n'
    file.write_text(kept)
    remember_corpus("toy", tmp_path)
    assert file.read_text().startswith(kept)


def test_remembering_a_corpus_again_replaces_its_folder(tmp_path: Path):
    remember_corpus("toy", Path("/old"))
    remember_corpus("toy", tmp_path)
    assert settings().corpora == {"toy": tmp_path}


def test_a_file_that_is_wrong_is_not_written_to(file: Path, tmp_path: Path):
    file.write_text("corpora = ")
    with pytest.raises(InvalidSettings):
        remember_corpus("toy", tmp_path)
    assert file.read_text() == "corpora = "


def test_a_configuration_folder_that_cannot_be_made_is_an_error(tmp_path: Path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("SPOOFBENCH_SETTINGS", str(tmp_path / "file" / "settings.toml"))
    with pytest.raises((StorageError, InvalidSettings)):
        remember_corpus("toy", tmp_path)


def test_the_tests_do_not_see_the_settings_of_the_user():
    assert "SPOOFBENCH_DATA" not in os.environ
    assert not settings_file().exists()

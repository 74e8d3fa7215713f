from __future__ import annotations

import io
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from voices import voice

from spoofbench.errors import CorpusNotFound, UnknownName
from spoofbench.fingerprint import sha256
from spoofbench.torchaudio_import import torchaudio
from spoofbench_mini.contracts import RATE, Unusable
from spoofbench_mini.sources import debian, decoding
from spoofbench_mini.sources.chosen import sources
from spoofbench_mini.sources.folder import Folder
from spoofbench_mini.sources.librispeech import PART, LibriSpeech

sys.path.insert(0, str(Path(__file__).parents[2] / "fetching"))
from servers import File, serving

Notes = list[str]


def test_a_subfolder_is_a_speaker_and_transcripts_are_found(tmp_path: Path):
    chapter = tmp_path / "84" / "121"
    chapter.mkdir(parents=True)
    soundfile.write(chapter / "84-121-0001.flac", voice(), RATE)
    (chapter / "84-121.trans.txt").write_text("84-121-0001 GO ON\n")
    (tmp_path / "README.txt").write_text("not a speaker")
    (speech,) = Folder(name="readers", folder=tmp_path, language="en").speeches()
    assert (speech.speaker, speech.text, speech.language) == ("readers-84", "go on", "en")
    assert speech.utterance == "84_121_84-121-0001.flac"
    assert len(Folder(name="readers", folder=tmp_path).read(speech)) == len(voice())


def test_another_rate_is_converted_and_channels_are_averaged(tmp_path: Path):
    time = np.arange(3 * 44_100) / 44_100
    tone = np.sin(2 * np.pi * 440 * time)
    soundfile.write(tmp_path / "a.wav", np.stack([tone, 0 * tone], axis=1), 44_100)
    read = decoding.read(tmp_path / "a.wav")
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(3 * RATE) / RATE)
    assert len(read) == 3 * RATE
    assert np.abs(read - expected)[RATE:-RATE].max() < 1e-3


@pytest.mark.parametrize(
    ("rate", "seconds", "reason"),
    [
        (8000, 3, "recorded at 8 kHz, less than 16"),
        (RATE, 1, "shorter than 1.5 s"),
        (RATE, 13, "longer than 12 s"),
    ],
)
def test_what_is_too_narrow_or_too_long_is_refused_without_decoding(
    tmp_path: Path, rate: int, seconds: int, reason: str, monkeypatch: pytest.MonkeyPatch
):
    soundfile.write(tmp_path / "a.flac", np.zeros(rate * seconds), rate)
    monkeypatch.setattr(decoding.audio, "read", lambda *_: pytest.fail("it was decoded"))
    with pytest.raises(Unusable, match=reason):
        decoding.read(tmp_path / "a.flac")


def test_two_hours_are_refused_without_decoding(tmp_path: Path):
    soundfile.write(tmp_path / "a.flac", np.zeros(2 * 3600 * RATE, dtype=np.int16), RATE)
    with pytest.raises(Unusable, match="longer than 12 s"):
        decoding.read(tmp_path / "a.flac")


def test_what_is_no_audio_is_refused(tmp_path: Path):
    (tmp_path / "a.wav").write_bytes(b"not audio")
    with pytest.raises(Unusable, match="cannot be decoded"):
        decoding.read(tmp_path / "a.wav")


def test_a_folder_that_is_not_there_or_holds_no_speakers_says_what_is_needed(tmp_path: Path):
    with pytest.raises(CorpusNotFound, match="no such folder"):
        Folder(name="x", folder=tmp_path / "nowhere").speeches()
    soundfile.write(tmp_path / "loose.wav", voice(), RATE)
    with pytest.raises(CorpusNotFound, match="no subfolder has recordings") as refused:
        Folder(name="x", folder=tmp_path).speeches()
    assert "one subfolder a speaker" in refused.value.hint


def test_names_of_sources(tmp_path: Path):
    assert [source.name for source in sources("librispeech")] == ["librispeech"]
    assert [source.name for source in sources("debian:klettres-data")] == ["klettres"]
    assert len(sources("debian")) == 8, "letters are taken by name alone"
    assert [source.name for source in sources(str(tmp_path))] == [tmp_path.name]
    with pytest.raises(UnknownName, match="debian:cowsay") as refused:
        sources("debian:cowsay")
    assert "festvox-ru" in refused.value.hint


PROMPTS = {
    "en_US_f_Allison/vm-intro.g722": ("allison", "en"),
    "es_MX_f_Allison/vm-intro.g722": ("allison", "es"),
    "it_IT_m_Carlo/digits/1.g722": ("carlo", "it"),
    "en_US_f_Allison/beep.g722": None,
    "en_US_f_Allison/silence/1.g722": None,
    "de_DE_m_Somebody/vm-intro.g722": None,
}


def packages(name: str) -> debian.Package:
    return next(package for package in debian.PACKAGES if package.name == name)


def put(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A root folder in which packages can be said to be installed."""
    monkeypatch.setattr(debian, "INSTALLED", tmp_path / "root")
    return tmp_path / "root"


def test_prompts_of_one_person_in_two_languages_have_one_speaker(root: Path):
    put(root / "usr/share/asterisk/sounds", *PROMPTS)
    found = {s.utterance: (s.speaker, s.language) for s in packages("asterisk-en").speeches()}
    assert found == {n.replace("/", "_"): known for n, known in PROMPTS.items() if known}


def test_a_voice_that_was_built_from_recordings_gives_them_with_their_texts(root: Path):
    folder = "usr/share/festival/voices/russian/msu_ru_nsh_clunits"
    put(root / folder, "wav/ru_0001.wav", "etc/txt.done.data")
    (root / folder / "etc/txt.done.data").write_text('( ru_0001 "м+ама м+ыла" )\n')
    (speech,) = packages("festvox-ru").speeches()
    assert (speech.text, speech.language, speech.speaker) == ("мама мыла", "ru", "msu-ru-nsh")


def test_of_the_dialogue_only_the_two_fish_are_taken(root: Path):
    folder = "usr/share/games/fillets-ng/sound"
    put(root / folder, "city/cs/vit-m-a.ogg", "city/cs/vit-v-b.ogg", "city/cs/vit-hs-c.ogg")
    found = [(s.speaker, s.language) for s in packages("fillets-cs").speeches()]
    assert found == [("fillets-cs-m", "cs"), ("fillets-cs-v", "cs")]


def test_letters_have_a_speaker_for_each_language(root: Path):
    put(root / "usr/share/klettres", "en_GB/alpha/a.ogg", "de/syllab/ba.ogg")
    found = [s.speaker for s in packages("klettres").speeches()]
    assert found == ["klettres-de", "klettres-en_gb"]


def test_a_package_that_is_laid_out_otherwise_says_so(root: Path):
    (root / "usr/share/klettres").mkdir(parents=True)
    with pytest.raises(CorpusNotFound, match="klettres-data has no recordings"):
        packages("klettres").speeches()


Fake = Callable[[str, str], None]


def test_without_apt_the_command_that_installs_a_package_is_said(root: Path, fake: Fake):
    notes: Notes = []
    assert packages("klettres").prepare(notes.append).startswith("apt-get install klettres-data")
    assert notes == []


def test_a_package_is_fetched_and_unpacked_once_and_read_there(root: Path, fake: Fake):
    fake("apt-get", 'test "$1 $2" = "download klettres-data" && touch klettres-data_1.deb')
    fake("dpkg-deb", 'd="$3/usr/share/klettres/de/alpha"; mkdir -p "$d" && touch "$d/a.ogg"')
    notes: Notes = []
    assert packages("klettres").prepare(notes.append) == ""
    assert [s.speaker for s in packages("klettres").speeches()] == ["klettres-de"]
    assert packages("klettres").prepare(notes.append) == ""
    assert notes == ["fetching Debian's package klettres-data"]


@pytest.mark.parametrize("failing", ["apt-get", "dpkg-deb"])
def test_a_fetch_that_fails_leaves_nothing_and_says_why(
    root: Path, fake: Fake, failing: str, tmp_path: Path
):
    fake("apt-get", "touch klettres-data_1.deb")
    fake("dpkg-deb", "mkdir content")
    fake(failing, "echo 'E: no such thing' >&2; exit 100")
    said = packages("klettres").prepare(lambda line: None)
    assert said == "apt-get update && apt-get install klettres-data   (E: no such thing)"
    from spoofbench.settings import settings

    assert list((settings().cache_folder() / "debian").iterdir()) == []


def archive() -> bytes:
    """Return a LibriSpeech of one utterance, as its publishers pack it."""
    audio = io.BytesIO()
    soundfile.write(audio, voice(), RATE, format="FLAC")
    folder = f"LibriSpeech/{PART}/84/121"
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name, content in (
            (f"{folder}/84-121-0001.flac", audio.getvalue()),
            (f"{folder}/84-121.trans.txt", b"84-121-0001 GO ON\n"),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return packed.getvalue()


ADDRESS = f"http://www.openslr.org/resources/12/{PART}.tar.gz"


@pytest.mark.parametrize("tampered", [False, True])
def test_librispeech_is_fetched_and_its_checksum_heeded(
    tampered: bool, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    content = archive()
    (tmp_path / "packed").write_bytes(content)
    sums = torchaudio().datasets.librispeech._CHECKSUMS
    monkeypatch.setitem(sums, ADDRESS, "0" * 64 if tampered else sha256(tmp_path / "packed"))
    source = LibriSpeech()
    with serving() as server:
        server.files[ADDRESS] = File(content)
        monkeypatch.setenv("http_proxy", server.address)
        monkeypatch.delenv("no_proxy", raising=False)
        said = source.prepare(lambda line: None)
        if tampered:
            assert "could not be fetched" in said
            assert "--speech LibriSpeech/dev-clean" in said
            return
        assert said == ""
        assert source.prepare(lambda line: pytest.fail("fetched twice")) == ""
    (speech,) = source.speeches()
    assert (speech.speaker, speech.text) == ("librispeech-84", "go on")
    assert speech.licence == "CC-BY-4.0"


def test_without_a_network_librispeech_says_what_to_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    said = LibriSpeech().prepare(lambda line: None)
    assert said.startswith("unpack its dev-clean and name the folder")

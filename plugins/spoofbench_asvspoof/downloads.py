"""Where the archives of the ASVspoof corpora are, and their checksums where these are published.

Zenodo states size and checksum in its records, which are read when a corpus is fetched. Checksums
of the 2021 keys: README of the evaluation package, github.com/asvspoof-challenge/2021. None is
published for the 2019 archives, and none for the LA keys since they were issued again in 2023.
"""

from spoofbench import Download

RECORDS_2021 = {"LA": "4837263", "PA": "4834716", "DF": "4835108"}
RECORD_5 = "14498691"

_ZENODO = "https://zenodo.org/api/records/{}"
_AUDIO_2021 = {
    "LA": ("ASVspoof2021_LA_eval.tar.gz",),
    "PA": tuple(f"ASVspoof2021_PA_eval_part{part:02d}.tar.gz" for part in range(7)),
    "DF": tuple(f"ASVspoof2021_DF_eval_part{part:02d}.tar.gz" for part in range(4)),
}
_KEYS_2021 = {
    "LA": "",
    "PA": "md5:a639ea472cf4fb564a62fbc7383c24cf",
    "DF": "md5:dabbc5628de4fcef53036c99ac7ab93a",
}
_AUDIO_5 = {"T": "abcde", "D": "abc", "E": "abcdefghij"}


def of_2019(track: str) -> tuple[Download, ...]:
    """Return the archive of a track of ASVspoof 2019: LA or PA."""
    return (
        Download(
            file=f"{track}.zip",
            url=f"https://datashare.ed.ac.uk/bitstream/handle/10283/3336/{track}.zip",
            inside=track,
        ),
    )


def of_2021(track: str) -> tuple[Download, ...]:
    """Return the audio and the keys of a track of ASVspoof 2021: LA, PA or DF."""
    record = _ZENODO.format(RECORDS_2021[track])
    keys = f"{track}-keys-full.tar.gz"
    return (
        *(Download(file=file, record=record) for file in _AUDIO_2021[track]),
        Download(
            file=keys,
            url=f"https://www.asvspoof.org/asvspoof2021/{keys}",
            checksum=_KEYS_2021[track],
        ),
    )


def of_5() -> tuple[Download, ...]:
    """Return the protocols and the audio of ASVspoof 5."""
    record = _ZENODO.format(RECORD_5)
    protocols = "ASVspoof5_protocols"
    return (
        Download(file=f"{protocols}.tar.gz", record=record, inside=protocols),
        *(
            Download(file=f"flac_{part}_a{letter}.tar", record=record)
            for part, letters in _AUDIO_5.items()
            for letter in letters
        ),
        *(Download(file=file, record=record) for file in ("LICENSE.txt", "README.txt")),
    )

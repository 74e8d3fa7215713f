"""Miniatures of the public corpora: a few trials each, in the layout of the official key files."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path

LA_2021 = """\
LA_0009 LA_E_9332881 alaw ita_tx A07 spoof notrim eval
LA_0020 LA_E_7294490 alaw ita_tx bonafide bonafide notrim eval
LA_0009 LA_E_0000003 alaw loc_tx A08 spoof notrim eval
LA_0020 LA_E_0000004 alaw loc_tx bonafide bonafide notrim eval
LA_0009 LA_E_0000005 g722 loc_tx A07 spoof notrim eval
LA_0020 LA_E_0000006 g722 loc_tx bonafide bonafide notrim eval
LA_0009 LA_E_0000007 g722 sin_tx A08 spoof notrim eval
LA_0020 LA_E_0000008 g722 sin_tx bonafide bonafide notrim eval
LA_0009 LA_E_0000009 g722 sin_tx A08 spoof notrim progress
LA_0020 LA_E_0000010 g722 sin_tx bonafide bonafide notrim progress
LA_0009 LA_E_0000011 none - A07 spoof trim hidden
LA_0020 LA_E_0000012 none - bonafide bonafide trim hidden
"""
"""2021 LA: 4 + 4 trials of subset eval, and one of each class of the others."""

DF_2021 = """\
LA_0023 DF_E_2000011 nocodec asvspoof A14 spoof notrim progress traditional_vocoder - - - -
VCC2TM2 DF_E_2000012 mp3m4a vcc2018 - bonafide notrim eval bonafide - - - -
TEM1 DF_E_2000013 low_mp3 vcc2020 Task1-team20 spoof notrim eval waveform_concatenation \
Task1 team20 FF E
TEM1 DF_E_2000014 low_mp3 vcc2020 - bonafide trim hidden bonafide - - - -
"""

PA_2021 = """\
PA_0010 PA_E_1000001 R3 M3 d4 r1 m1 s4 c4 spoof notrim eval
PA_0010 PA_E_1000002 R3 M2 D4 - - - - bonafide notrim eval
PA_0011 PA_E_1000003 R1 M3 d1 r2 m1 s2 c3 spoof notrim progress
PA_0011 PA_E_1000004 R1 M3 D1 - - - - bonafide notrim progress
PA_0012 PA_E_1000005 R1 M3 d1 r2 m1 s2 c3 spoof notrim hidden
PA_0013 PA_E_1000006 R1 M3 d1 r2 m1 s3 c3 spoof trim hidden
"""

ASV_5 = {
    "train": """\
T_4850 T_0000000000 F - - - AC3 A05 spoof -
T_3734 T_0000000011 F - - - - bonafide bonafide -
""",
    "dev.track_1": """\
D_0062 D_0000000001 F - - - AC1 A11 spoof -
D_0461 D_0000000190 M - - - - bonafide bonafide -
""",
    "eval.track_1": """\
E_1607 E_0009538969 M C05 2 E_0009486171 AC1 A26 spoof -
E_1608 E_0009538970 F - 0 - AC1 A17 spoof -
E_1609 E_0009538971 F - 0 - - bonafide bonafide -
""",
}

IN_THE_WILD = """\
file,speaker,label
0.wav,Alec Guinness,spoof
1.wav,Alec Guinness,spoof
2.wav,"Guinness, Alec",bona-fide
"""


def write_keys(name: str, root: Path) -> None:
    """Write the key file of the shipped protocol ``name`` below ``root``, in miniature."""
    if name.startswith("asv5-track1-"):
        part = {"train": "train", "dev": "dev.track_1", "eval": "eval.track_1"}[name[12:]]
        _write(root / f"ASVspoof5.{part}.tsv", ASV_5[part])
    elif name == "in-the-wild":
        _write(root / "meta.csv", IN_THE_WILD)
    else:
        track = name[:2].upper()
        keys = {"LA": LA_2021, "DF": DF_2021, "PA": PA_2021}[track]
        _write(root / "keys" / track / "CM" / "trial_metadata.txt", keys)


def write_asv_2021(root: Path, trials: str, track: str = "LA", *, reverse: bool = False) -> None:
    """Write the ASV key file of 2021 and its score file.

    A line of ``trials`` is a line of the key file, and the score. The score file can have its lines
    in ``reverse``.
    """
    lines = [line.split() for line in trials.splitlines()]
    folder = root / "keys" / track / "ASV"
    _write(folder / "trial_metadata.txt", "".join(f"{' '.join(line[:-1])}\n" for line in lines))
    scores = [f"{line[0]} {line[1]} {line[-1]}\n" for line in lines]
    _write(
        folder / "ASVTorch_Kaldi" / "score.txt",
        "".join(scores[::-1] if reverse else scores),
    )


def protocol_file(name: str, folder: Path, **expected: int) -> Path:
    """Copy the shipped protocol ``name`` to ``folder``, with other counts in [expect]."""
    text = (files("spoofbench_protocols") / f"{name}.toml").read_text(encoding="utf-8")
    counts = "".join(f"{key} = {count}\n" for key, count in expected.items())
    text, found = re.subn(r"(?m)^\[expect\]\n(?:\w+ = \d+\n)+", f"[expect]\n{counts}", text)
    assert found == 1
    return _write(folder / f"{name}.toml", text)


def _write(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
    return file

"""A tiny corpus in the layout of ASVspoof 2019: tones for bona fide, noise for spoofs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000
PARTS = ("train", "dev", "eval")
PROTOCOL = """\
schema = 1
title = "Tiny, {part}"
role = "{part}"
{chosen}
[data]
reader = "table"
corpus = "tiny"
keys = "keys/{part}.txt"
columns = ["speaker", "utterance", "-", "attack", "key"]
audio = "{part}/{{utterance}}.flac"

[expect]
bonafide = {bonafide}
spoof = {spoof}

[report]
metrics = ["eer", "accuracy-at-eer"]
by = ["attack"]
"""


def write_corpus(root: Path, *, bonafide: int = 4, spoof: int = 6, seconds: float = 0.3) -> None:
    """Write audio and keys below ``root``, and a protocol file ``tiny-PART.toml`` for each part."""
    random = np.random.default_rng(7)
    for part in PARTS:
        (root / part).mkdir(parents=True)
        lines = []
        for number in range(bonafide + spoof):
            is_bonafide = number < bonafide
            utterance = f"{part[0].upper()}{number:03d}"
            time = np.arange(int(seconds * RATE)) / RATE
            tone = 0.3 * np.sin(2 * np.pi * (200 + 40 * number) * time)
            noise = 0.1 * random.standard_normal(len(time))
            soundfile.write(
                root / part / f"{utterance}.flac",
                tone + 0.1 * noise if is_bonafide else noise,
                RATE,
            )
            attack = "-" if is_bonafide else f"X{number % 2 + 1:02d}"
            key = "bonafide" if is_bonafide else "spoof"
            lines.append(f"{part}{number % 2} {utterance} - {attack} {key}\n")
        (root / "keys").mkdir(exist_ok=True)
        (root / "keys" / f"{part}.txt").write_text("".join(lines))
        write_protocol(root / f"tiny-{part}.toml", part, bonafide=bonafide, spoof=spoof)


ATTACKS = ("X01", "X02")
KEYED = """\
schema = 1
title = "Keyed"
role = "eval"

[data]
reader = "table"
corpus = "keyed"
keys = "keys.txt"
columns = ["utterance", "attack", "key"]
audio = "{utterance}.flac"

[expect]
bonafide = BONAFIDE
spoof = SPOOF

[report]
metrics = ["eer", "accuracy-at-eer"]
by = ["attack"]
"""
ASV = """\
- target 2
- target 3
- target 4
- nontarget -4
- nontarget -3
- nontarget -2
X01 spoof 3
X01 spoof -3
X02 spoof 3
X02 spoof 3
"""
"""ASV scores that part targets and non-targets; half of X01 and all of X02 are accepted."""


def write_keys(root: Path, *, bonafide: int = 4, each: int = 4, asv: bool = False) -> Path:
    """Write a corpus without audio, ``each`` spoofs of two attacks; return its protocol file.

    The trials are called B0, B1, ... and X01-0, X01-1, ..., X02-0, ...
    """
    root.mkdir(parents=True, exist_ok=True)
    lines = [f"B{number} - bonafide\n" for number in range(bonafide)]
    lines += [f"{attack}-{i} {attack} spoof\n" for attack in ATTACKS for i in range(each)]
    (root / "keys.txt").write_text("".join(lines))
    text = KEYED.replace("BONAFIDE", str(bonafide)).replace("SPOOF", str(len(ATTACKS) * each))
    if asv:
        (root / "asv.txt").write_text(ASV)
        text = text.replace('"eer",', '"eer", "min-tdcf-2019", "min-tdcf-2021",')
        text += '\n[tandem]\nscores = "asv.txt"\n'
    (root / "keyed.toml").write_text(text)
    return root / "keyed.toml"


def write_protocol(file: Path, part: str, *, bonafide: int, spoof: int) -> None:
    """Write a protocol file whose train and dev protocols lie beside it."""
    chosen = "".join(
        f'{name} = "{file.parent / f"tiny-{name}.toml"}"\n' for name in ("train", "dev")
    )
    text = PROTOCOL.format(part=part, chosen=chosen, bonafide=bonafide, spoof=spoof)
    if part == "train":
        text += "\n[training]\nepochs = 2\nbatch_size = 4\nsamples = 4000\nlearning_rate = 1e-3\n"
    file.write_text(text)

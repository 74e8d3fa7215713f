"""A corpus in two parts without audio, dev and eval, and scores of known likelihood ratio."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from spoofbench.plugins import catalogue
from spoofbench.protocols import read
from spoofbench.terms import Terms, terms_of

PROTOCOL = """\
schema = 1
title = "Divided, {part}"
role = "{role}"
{dev}
[data]
reader = "table"
corpus = "divided"
keys = "{part}.txt"
columns = ["speaker", "utterance", "attack", "key"]
audio = "{{utterance}}.flac"

[expect]
bonafide = {bonafide}
spoof = {spoof}

[report]
metrics = ["eer"]
"""


def write_part(
    root: Path,
    part: str,
    *,
    bonafide: int = 300,
    spoof: int = 700,
    role: str = "",
    called: str = "",
    speaker: str = "",
    corpus: str = "divided",
) -> Path:
    """Write keys and protocol of one part; return the protocol file.

    Utterances are ``called`` like the part, with a number; speakers are ``speaker`` 0 to 4.
    """
    root.mkdir(parents=True, exist_ok=True)
    lines = []
    for number in range(bonafide + spoof):
        key, attack = ("bonafide", "-") if number < bonafide else ("spoof", "X01")
        lines.append(f"{speaker or part}{number % 5} {called or part}-{number} {attack} {key}\n")
    (root / f"{part}.txt").write_text("".join(lines))
    file = root / f"{part}.toml"
    text = PROTOCOL.format(
        part=part,
        role=role or part,
        dev='dev = "dev.toml"\n' if part == "eval" else "",
        bonafide=bonafide,
        spoof=spoof,
    )
    file.write_text(text.replace('"divided"', f'"{corpus}"'))
    return file


def terms(file: Path) -> Terms:
    return terms_of(read(file), catalogue(), file.parent)


def gaussian(
    bonafide: NDArray[np.bool_], random: np.random.Generator, *, mu: float = 1.0
) -> NDArray[np.float64]:
    """Draw from N(mu, 1) and N(-mu, 1); the log-likelihood ratio of a score s is 2 mu s."""
    return np.where(bonafide, mu, -mu) + random.standard_normal(bonafide.shape)


def write_scores(file: Path, terms: Terms, scores: Sequence[float] | NDArray[np.float64]) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    pairs = zip(terms.trials, scores, strict=True)
    file.write_text("".join(f"{trial.utterance} {float(score)!r}\n" for trial, score in pairs))
    return file


def keys_of(terms: Terms) -> NDArray[np.bool_]:
    return np.array([trial.bonafide for trial in terms.trials])

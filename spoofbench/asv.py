"""Reading the scores of the fixed ASV system, which the tandem metrics need."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from spoofbench.errors import InvalidKeys
from spoofbench.metrics.judged import AsvScores, TandemCosts
from spoofbench.protocols import ExpectAsv, Protocol, Tandem

KEYS = ("target", "nontarget", "spoof")


def read(file: Path, expect: ExpectAsv | None = None) -> AsvScores:
    """Read an ASV score file: attack, key (target, nontarget or spoof) and score on each line.

    Raises `InvalidKeys`, naming the line, for one that cannot be used, and for counts that are not
    those of ``expect``: the scores of another part of the corpus.
    """
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidKeys(f"the ASV score file {file} cannot be read: {error}") from error
    scores: dict[str, list[float]] = {key: [] for key in KEYS}
    attacks: list[str] = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            attack, key, text = line.split()
            score = float(text)
            scores[key].append(score)
        except (ValueError, KeyError):
            score = math.nan
        if not math.isfinite(score):
            raise InvalidKeys(
                f"{file}, line {number}: '{line.strip()}' is not an attack, a key and a score",
                hint=f"known keys: {', '.join(KEYS)}",
            )
        if key == "spoof":
            attacks.append(attack)
    counts = {key: len(scores[key]) for key in KEYS}
    if expect is not None and counts != expect.model_dump():
        raise InvalidKeys(
            f"{file} has {_said(counts)}; the protocol expects {_said(expect.model_dump())}",
            hint="these are the ASV scores of another part of the corpus, or a cut file",
        )
    for key, number in counts.items():
        if number == 0:
            raise InvalidKeys(f"{file} has no {key} trial")
    return AsvScores(
        target=np.array(scores["target"]),
        nontarget=np.array(scores["nontarget"]),
        spoof=np.array(scores["spoof"]),
        attack=np.array(attacks),
    )


def of(protocol: Protocol, root: Path) -> AsvScores | None:
    """Return the ASV scores of ``protocol``, or None if it has no ASV system."""
    if protocol.tandem is None:
        return None
    return read(root / protocol.tandem.scores, protocol.tandem.expect)


def costs_of(tandem: Tandem) -> TandemCosts:
    """Return the priors and costs that a protocol names."""
    return TandemCosts(
        p_spoof=tandem.p_spoof,
        p_target=tandem.p_target,
        p_nontarget=tandem.p_nontarget,
        c_miss=tandem.c_miss,
        c_fa=tandem.c_fa,
        c_fa_spoof=tandem.c_fa_spoof,
    )


def _said(counts: dict[str, int]) -> str:
    return ", ".join(f"{number:,} {key}" for key, number in counts.items())

"""One other talker over a contiguous part of a trial, at a signal-to-interferer ratio."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from spoofbench import Context, Pool, Talk
from spoofbench.audio import Audio
from spoofbench.errors import InvalidCondition
from spoofbench.robustness.recordings import from_random_place
from spoofbench.robustness.speech_level import MARGIN_DB, active_level

RAMP_SECONDS = 0.01
"""How long the interferer takes to come and to go."""
DRAWS = 50
"""So many times in a row may the interferer be heard to say nothing."""


class Interference(NamedTuple):
    """A stretch of somebody's speech ``(samples,)``, and of which utterance it is."""

    audio: Audio
    talk: Talk


class Overlap:
    """A bona fide utterance of another speaker."""

    bonafide = True

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with a talker at ``level`` dB SIR over a share of the time.

        Notes the ratio as made, the share, where it starts, the interferer and its key. Raises
        `InvalidCondition` if there is no other speaker, or the share is not above 0 and up to 100.
        """
        share = _share(context)
        pool = _pool(context)
        target = active_level(audio, context.rate)
        if target is None:
            context.notes["undefined"] = "no active speech"
            return audio
        samples = max(1, round(share * len(audio)))
        start = int(torch.randint(len(audio) - samples + 1, (), generator=context.random))
        speech, talk = self._interference(samples, pool, context)
        added = speech * np.float32(10 ** ((target.level_db - level) / 20))
        made = audio.clone()
        made[start : start + samples] += torch.from_numpy(added)
        context.notes["sir_db"] = target.level_db - _level_db(added, context.rate)
        context.notes["share_percent"] = 100 * samples / len(audio)
        context.notes["start_seconds"] = start / context.rate
        context.notes["interferer"] = talk.utterance
        context.notes["interferer_key"] = "bonafide" if talk.bonafide else "spoof"
        return made

    def _interference(self, samples: int, pool: Pool, context: Context) -> Interference:
        """Return ``samples`` of another speaker from a place where there is speech, at 0 dB."""
        for _ in range(DRAWS):
            (talk,) = pool.draw(1, context.random, bonafide=self.bonafide)
            whole = talk.audio.numpy()
            piece = from_random_place(whole, samples, context.rate, context.random)
            level_db = _level_db(piece, context.rate)
            if level_db >= _level_db(whole, context.rate) - MARGIN_DB and np.isfinite(level_db):
                ramped = piece * _ramps(samples, context.rate)
                level_db = _level_db(ramped, context.rate)
                return Interference(ramped * np.float32(10 ** (-level_db / 20)), talk)
        raise InvalidCondition(
            f"overlap: {DRAWS} times in a row, the other talker said nothing in the part drawn",
            hint="use a protocol with speech in it",
        )


class OverlapBySpoof(Overlap):
    """A spoof of another speaker."""

    bonafide = False


def _share(context: Context) -> float:
    """Return the share of the time that is overlapped, above 0 and up to 1."""
    percent = context.options[0] if context.options else 100.0
    if not 0 < percent <= 100:
        raise InvalidCondition(
            f"overlap over {percent:g} % of the time: the share is above 0 and up to 100 %",
            hint="write overlap@5@50",
        )
    return percent / 100


def _pool(context: Context) -> Pool:
    if context.pool is None:
        raise InvalidCondition(
            "overlap takes a protocol's other speakers, and there is no protocol here",
            hint="use recordings(DIR)@5 with a folder of speech",
        )
    return context.pool


def _level_db(audio: Audio, rate: int) -> float:
    """Return the active speech level of ``audio`` ``(time,)``, -inf for silence."""
    level = active_level(audio, rate)
    return -np.inf if level is None else level.level_db


def _ramps(samples: int, rate: int) -> Audio:
    """Return gains ``(samples,)``: raised-cosine ramps of 10 ms, half of it all at most, and 1."""
    ramp = min(int(RAMP_SECONDS * rate), samples // 2)
    rise = 0.5 - 0.5 * np.cos(np.pi * (np.arange(ramp, dtype=np.float32) + 0.5) / max(ramp, 1))
    gains = np.ones(samples, dtype=np.float32)
    gains[:ramp] = rise
    gains[samples - ramp :] = rise[::-1]
    return gains

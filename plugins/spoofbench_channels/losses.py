"""Channels that lose pieces of speech: ``dropout`` and ``packet-loss``."""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, from_numpy

from spoofbench import Context
from spoofbench.errors import InvalidCondition

PACKET_S = 0.02
"""How long a piece or packet is, in seconds."""
FULL_S, GONE_S = 0.01, 0.06
"""How long a repeated packet is as loud as it was, and when it has faded away, in seconds."""


class Dropout:
    """Silences pieces of speech."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with ``level`` percent of its pieces zero.

        Their number is the share of all pieces, rounded up or down by chance so that it is right
        on average; which ones they are is drawn, each as likely. The share of time goes into
        ``context.notes``.
        """
        packet = round(PACKET_S * context.rate)
        pieces = -(-len(audio) // packet)
        random = _generator(context)
        count = math.floor(level / 100 * pieces + random.random())
        lost = np.zeros(pieces, dtype=bool)
        lost[random.permutation(pieces)[:count]] = True
        gone = from_numpy(np.repeat(lost, packet)[: len(audio)])
        context.notes["lost_percent"] = 100 * float(gone.double().mean()) if len(audio) else 0.0
        return audio.masked_fill(gone, 0.0)


class PacketLoss:
    """Loses packets in bursts and conceals the gaps by repetition."""

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` with packets lost by a chance of ``level`` percent.

        The option is the mean length of a burst, in packets. How many are lost is drawn; the share
        goes into ``context.notes``. Raises `InvalidCondition` for bursts too short for the level.
        """
        burst = context.options[0] if context.options else 3.0
        packet = round(PACKET_S * context.rate)
        packets = -(-len(audio) // packet)
        lost = losses(packets, level / 100, burst, _generator(context))
        context.notes["lost_percent"] = 100 * float(lost.mean()) if packets else 0.0
        if not lost.any():
            return audio.clone()
        padded = np.pad(audio.numpy(), (0, packets * packet - len(audio)))
        concealed = conceal(padded.reshape(packets, packet), lost, context.rate)
        return from_numpy(concealed.reshape(-1)[: len(audio)].copy())


def losses(
    packets: int, share: float, burst: float, random: np.random.Generator
) -> NDArray[np.bool_]:
    """Say which of ``packets`` are lost, ``(packets,)``, by a Markov chain of two states.

    Gilbert (1960), which is Elliott's model with nothing lost in the good state and all in the bad
    one. The bad state is left with probability 1 / ``burst`` and entered so that ``share`` of all
    packets is lost in the long run, from the first packet on. Raises `InvalidCondition` if no
    chain has this share and burst.
    """
    if burst < 1 or share > burst * (1 - share):
        raise InvalidCondition(
            f"packet-loss@{100 * share:g}@{burst:g}: no bursts of {burst:g} packets in the mean "
            f"lose {100 * share:g} % of all packets",
            hint=f"the mean burst is at least {max(1.0, share / (1 - share)):g} packets",
        )
    leave = 1 / burst
    enter = leave * share / (1 - share)
    bad = False
    lost = np.zeros(packets, dtype=bool)
    for number, draw in enumerate(random.random(packets)):
        chance = share if number == 0 else (1 - leave) if bad else enter
        lost[number] = bad = bool(draw < chance)
    return lost


def conceal(
    packets: NDArray[np.float32], lost: NDArray[np.bool_], rate: int
) -> NDArray[np.float32]:
    """Return ``packets`` ``(packets, time)``, each lost one replaced by the last one received.

    It keeps its level for `FULL_S` of a gap, then fades linearly to nothing at `GONE_S`. Before
    the first packet received there is silence. As in G.711 Appendix I, speech goes on for up to
    60 ms and fades by a fifth in 10 ms; unlike there, whole packets are repeated instead of pitch
    periods, and the seams are not smoothed.
    """
    number = np.arange(len(packets))
    received = np.maximum.accumulate(np.where(lost, -1, number))
    length = packets.shape[1]
    since = ((number - received - 1)[:, None] * length + np.arange(length)) / rate
    fade = np.clip((GONE_S - since) / (GONE_S - FULL_S), 0, 1) * (received >= 0)[:, None]
    repeated = packets[np.maximum(received, 0)] * fade
    return np.where(lost[:, None], repeated, packets).astype(np.float32)


def _generator(context: Context) -> np.random.Generator:
    return np.random.default_rng(int(torch.randint(2**62, (), generator=context.random)))

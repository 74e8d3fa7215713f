"""The stages of RawBoost, each by its equation, and the algorithms that put them together.

Tak, Kamble, Patino, Todisco and Evans (2022), "RawBoost: a raw data boosting and augmentation
method applied to automatic speaker verification anti-spoofing", ICASSP, arXiv 2111.04433.
The ranges are those of the paper's section 4. Everything is computed in float64, and drawn for each
trial from its own generator: one trial or many, on one thread or several, the audio is the same to
the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor
from torch.nn import functional

from spoofbench import Context
from spoofbench.errors import InvalidCondition
from spoofbench.robustness.batched import Batched
from spoofbench.robustness.blocks import joined, spectra
from spoofbench_rawboost.notches import DRAWS, REACH, notches

ORDERS = 5
"""Highest power of the signal in the convolutive noise."""
FALL_DB = (5.0, 20.0)
"""How much weaker the powers above the first are."""
IMPULSES_PERCENT = 10.0
IMPULSE_GAIN = 2.0
SNR_DB = (10.0, 40.0)

SERIES = {
    0: (), 1: (1,), 2: (2,), 3: (3,), 4: (1, 2, 3), 5: (1, 2), 6: (1, 3), 7: (2, 3), 8: (1, 2),
}  # fmt: skip
"""The stages of each algorithm; those of `PARALLEL` work side by side."""
PARALLEL = 8

_TINY = 1e-12
_SUMMED = 256
"""Samples that are added up at once: small enough for sums that no number of threads changes."""


class Convolutive(Batched):
    """Stage 1: powers of the signal, each through a filter of its own, added up."""

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` with powers up to ``levels``, as loud at its peak.

        Powers above the first make harmonics, as an overdriven amplifier does.
        """
        orders = [round(level) for level in levels.tolist()]
        return convolutive(audio.double(), contexts, orders).to(audio.dtype)


class Impulsive(Batched):
    """Stage 2: single samples changed in proportion to themselves."""

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` with at most ``levels`` percent of it changed."""
        return impulsive(audio.double(), contexts, levels.tolist()).to(audio.dtype)


class Stationary(Batched):
    """Stage 3: filtered white noise."""

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` with noise ``levels`` dB below it (by their RMS)."""
        return stationary(audio.double(), contexts, levels.tolist()).to(audio.dtype)


class RawBoost(Batched):
    """The algorithms, numbered as by the authors, with everything else drawn."""

    def apply_batch(self, audio: Tensor, levels: Tensor, contexts: Sequence[Context]) -> Tensor:
        """Return ``audio`` ``(batch, time)`` after the algorithms that are the ``levels``.

        0: as it is; 1, 2, 3: a single stage; 4: all in series; 5: 1 and 2; 6: 1 and 3; 7: 2 and 3
        in series; 8: 1 and 2 side by side, added up. Raises `InvalidCondition` for another.
        """
        numbers = [_algorithm(level) for level in levels.tolist()]
        wave = audio.double()
        beside = torch.tensor([number == PARALLEL for number in numbers], device=wave.device)
        first = _where(1, numbers, wave, contexts, _convolutive_as_drawn)
        second = _where(
            2, numbers, torch.where(beside[:, None], wave, first), contexts, _impulsive_as_drawn
        )
        both = torch.where(beside[:, None], _normalised(first + second, wave), second)
        return _where(3, numbers, both, contexts, _stationary_as_drawn).to(audio.dtype)


Stage = Callable[[Tensor, Sequence[Context]], Tensor]


def _where(
    stage: int, numbers: Sequence[int], wave: Tensor, contexts: Sequence[Context], apply: Stage
) -> Tensor:
    """Return ``wave`` ``(batch, time)``, changed by ``apply`` in rows whose algorithm has it."""
    rows = [row for row, number in enumerate(numbers) if stage in SERIES[number]]
    if not rows:
        return wave
    made = wave.clone()
    made[rows] = apply(wave[rows], [contexts[row] for row in rows])
    return made


def _convolutive_as_drawn(wave: Tensor, contexts: Sequence[Context]) -> Tensor:
    return convolutive(wave, contexts, [ORDERS] * len(contexts))


def _impulsive_as_drawn(wave: Tensor, contexts: Sequence[Context]) -> Tensor:
    return impulsive(wave, contexts, [IMPULSES_PERCENT] * len(contexts))


def _stationary_as_drawn(wave: Tensor, contexts: Sequence[Context]) -> Tensor:
    return stationary(wave, contexts, [_uniform(SNR_DB, own.random) for own in contexts])


def convolutive(wave: Tensor, contexts: Sequence[Context], orders: Sequence[int]) -> Tensor:
    """Return the sum over ``j`` of ``g_j`` times the filtered ``j``-th power of ``wave``.

    ``wave`` is ``(batch, time)``, each row has so many ``orders``.
    """
    drawn = torch.zeros(len(wave), max(orders), 1 + DRAWS, dtype=torch.float64)
    gains = torch.zeros(len(wave), max(orders), 1, dtype=torch.float64)
    for row, (context, count) in enumerate(zip(contexts, orders, strict=True)):
        # The first power does not fall, so nothing is drawn for that.
        drawn[row, :count].view(-1)[1:] = _drawn((1 + DRAWS) * count - 1, context.random)
        falls_db = FALL_DB[0] + (FALL_DB[1] - FALL_DB[0]) * drawn[row, :count, :1]
        gains[row, :count] = 10 ** (-falls_db / 20)
        gains[row, 0] = 1.0
    responses = (gains * notches(drawn[..., 1:], contexts[0].rate)).to(wave.device)
    power = wave
    total = spectra(power, REACH) * responses[:, 0, None]
    for order in range(1, max(orders)):
        power = power * wave
        total += spectra(power, REACH) * responses[:, order, None]
    made = joined(total, wave.shape[-1], REACH)
    return _normalised(made - _sum(made) / made.shape[-1], wave)


def impulsive(wave: Tensor, contexts: Sequence[Context], percents: Sequence[float]) -> Tensor:
    """Return ``x + g d x`` on a drawn share of samples; ``d`` is a product of two draws.

    ``wave`` is ``(batch, time)``; the share is at most the row's ``percents``.
    """
    factors = torch.ones(wave.shape, dtype=torch.float64)
    for row, (context, percent) in enumerate(zip(contexts, percents, strict=True)):
        share = _uniform((0.0, percent), context.random) / 100
        count = int(share * wave.shape[-1])
        where = torch.randperm(wave.shape[-1], generator=context.random)[:count]
        one, other = 2 * _drawn(2 * count, context.random).view(2, count) - 1
        factors[row, where] += IMPULSE_GAIN * one * other
    return _normalised(wave * factors.to(wave.device), wave)


def stationary(wave: Tensor, contexts: Sequence[Context], snr_db: Sequence[float]) -> Tensor:
    """Return ``wave`` ``(batch, time)`` with filtered white noise at each row's ``snr_db``."""
    white = torch.empty(wave.shape, dtype=torch.float64)
    drawn = torch.empty(len(wave), DRAWS, dtype=torch.float64)
    for row, context in enumerate(contexts):
        torch.randn(wave.shape[-1:], generator=context.random, out=white[row])
        drawn[row] = _drawn(DRAWS, context.random)
    response = notches(drawn, contexts[0].rate).to(wave.device)
    filtered = spectra(white.to(wave.device), REACH) * response[:, None]
    noise = joined(filtered, wave.shape[-1], REACH)
    ratios = torch.tensor([10 ** (-ratio / 20) for ratio in snr_db], dtype=torch.float64)
    size = (_sum(wave**2) / _sum(noise**2).clamp(min=_TINY**2)).sqrt()
    return wave + noise * size * ratios.to(wave.device)[:, None]


def _algorithm(level: float) -> int:
    if level not in SERIES:
        raise InvalidCondition(f"RawBoost has algorithms 0 to 8, not {level:g}")
    return int(level)


def _drawn(count: int, random: Generator) -> Tensor:
    """Return ``(count,)`` numbers from 0 to 1."""
    return torch.rand(count, generator=random, dtype=torch.float64)


def _uniform(ends: tuple[float, float], random: Generator) -> float:
    low, high = ends
    return low + (high - low) * float(_drawn(1, random))


def _sum(wave: Tensor) -> Tensor:
    """Return the sums ``(batch, 1)`` over time, in an order that no number of threads changes."""
    whole = functional.pad(wave, (0, -wave.shape[-1] % _SUMMED))
    return whole.reshape(len(wave), -1, _SUMMED).sum(dim=-1).sum(dim=-1, keepdim=True)


def _normalised(made: Tensor, like: Tensor) -> Tensor:
    """Return ``made`` ``(batch, time)`` with the peak of ``like``."""
    peak = made.abs().amax(dim=-1, keepdim=True)
    return made * (like.abs().amax(dim=-1, keepdim=True) / peak.clamp(min=_TINY))

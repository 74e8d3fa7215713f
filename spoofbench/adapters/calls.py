"""What all adapters share: which column is the score, and in which direction it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from spoofbench.errors import BrokenPlugin

Function = Callable[[Tensor, Tensor], Any]
"""Called with audio ``(batch, time)`` and lengths ``(batch,)``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How the output is read: see `spoofbench.adapters.named.offer_named`."""

    rate: int = 16_000
    samples: int | None = None
    logit: int | None = None
    sign: int = 1


class Call:
    """A `spoofbench.contracts.Countermeasure` out of a function on waveforms."""

    def __init__(self, function: Function, options: Options) -> None:
        self._function = function
        self._options = options

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        """Return the scores ``(batch,)``. Raises `BrokenPlugin` for an output that has none."""
        given = self._function(audio, lengths)
        if isinstance(given, tuple | list) and not isinstance(given, Tensor):
            given = given[-1] if given and not np.isscalar(given[0]) else given
        values = torch.as_tensor(np.asarray(given) if not isinstance(given, Tensor) else given)
        values = values.detach().cpu().squeeze()
        if len(audio) == 1:
            values = values[None]
        if values.ndim == 2:
            values = self._column(values)
        if values.shape != (len(audio),):
            raise BrokenPlugin(
                f"the detector gave {tuple(values.shape)} for {len(audio)} utterances",
                hint="it must give one score for each, or some, of which logit=N names one",
            )
        return self._options.sign * values.float()

    def _column(self, values: Tensor) -> Tensor:
        logit, columns = self._options.logit, values.shape[1]
        if columns == 1:
            return values[:, 0]
        if logit is None:
            raise BrokenPlugin(
                f"the detector gives {columns} numbers for each utterance",
                hint="say which is the score: logit=1 behind a comma; often 1 is bona fide",
            )
        if not -columns <= logit < columns:
            raise BrokenPlugin(f"logit={logit}: there are {columns} columns, from 0 on")
        return values[:, logit]

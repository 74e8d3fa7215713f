"""The whole way through a codec: to its rate, encoded, decoded, and back in step with the input."""

from __future__ import annotations

from dataclasses import dataclass
from math import isnan

import numpy as np
import torch
from torch import Tensor

from spoofbench.contracts import Context
from spoofbench.errors import InvalidCondition
from spoofbench_codecs.coder import Array, Coder, Setting
from spoofbench_codecs.probe import delay


@dataclass(frozen=True, slots=True, kw_only=True)
class Codec:
    """A codec as an augmentation. Nothing is kept between calls but the delay that was measured."""

    coder: Coder

    def ready(self) -> None:
        """Raise `MissingExtra` or `InvalidCondition` where encoder or decoder is missing."""
        self.coder.require()

    def apply(self, audio: Tensor, level: float, context: Context) -> Tensor:
        """Return ``audio`` ``(time,)`` as it is after the codec, at the same rate and length.

        Input beyond -1..1 is clipped. Notes ``kbit_per_s``, the bytes that were really made, and
        ``delay_ms``, that of the codec, which is taken out again. Raises as `ready`, and
        `InvalidCondition` where the codec fails.
        """
        self.ready()
        setting = Setting(level=0.0 if isnan(level) else level, options=context.options)
        late = delay(self.coder, setting)
        there = _resample(audio.detach().cpu().float().numpy(), context.rate, self.coder.rate)
        sent = np.pad(np.clip(there, -1, 1), (0, late))
        coded = self.coder.code(sent, setting)
        received = coded.audio[late : late + len(there)]
        if len(received) < len(there):
            raise InvalidCondition(
                f"'{self.coder.name}' gave back {len(received)} of {len(there)} samples"
            )
        context.notes["kbit_per_s"] = coded.payload * 8 / len(coded.audio) * self.coder.rate / 1000
        context.notes["delay_ms"] = late / self.coder.rate * 1000
        back = _fit(_resample(received, self.coder.rate, context.rate), len(audio))
        return torch.from_numpy(back).to(audio)


def _resample(audio: Array, rate: int, wanted: int) -> Array:
    """Return ``audio`` ``(time,)`` at the rate ``wanted``; soxr keeps it in step."""
    if rate == wanted:
        return audio
    import soxr

    resampled: Array = soxr.resample(audio, rate, wanted)
    return resampled


def _fit(audio: Array, samples: int) -> Array:
    """Cut ``audio`` ``(time,)`` to ``samples`` or fill it with zeros: resampling rounds lengths."""
    return np.pad(audio[:samples], (0, max(0, samples - len(audio))))

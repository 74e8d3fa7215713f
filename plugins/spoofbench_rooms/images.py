"""Impulse responses of rooms: image sources early on, decaying noise where they get dense.

Allen & Berkley (JASA 65, 1979) for the image sources, which pyroomacoustics finds; Lehmann &
Johansson (IEEE TASLP 18, 2010) for going on with a diffuse tail.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from types import ModuleType

import numpy as np

from spoofbench.errors import MissingExtra
from spoofbench_rooms.decay import Array, with_rt60

SPEED_OF_SOUND = 343.0
"""In metres per second."""
ROOMS = 20
"""How many rooms there are."""

_ORDER = 20
"""Reflections that an image source has at most; the count of sources grows with its cube."""
_WALL_M = 0.5
_DISTANCE_M = (1.0, 2.5)
_FADE_S = 0.01
_HALF_SINC = 40
_HIGH_PASS_HZ = 20.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Geometry:
    """A shoebox: ``size``, ``source`` and ``microphone``, each ``(3,)`` in metres."""

    size: Array
    source: Array
    microphone: Array

    @property
    def volume(self) -> float:
        """Cubic metres."""
        return float(np.prod(self.size))

    @property
    def surface(self) -> float:
        """Square metres of walls, floor and ceiling."""
        x, y, z = self.size
        return float(2 * (x * y + y * z + z * x))

    def absorption(self, rt60_s: float) -> float:
        """Return the share of energy that a wall takes so that Eyring's RT60 is ``rt60_s``."""
        constant = 24 * math.log(10) / SPEED_OF_SOUND
        return -math.expm1(-constant * self.volume / (self.surface * rt60_s))

    @property
    def complete_s(self) -> float:
        """Until when every reflection is among those of the order that we go to.

        An image of order n is no nearer than n - 1 room lengths along each axis; the order spread
        over the three axes so that it is nearest gives this bound.
        """
        metres = (_ORDER - 2) / math.sqrt(np.sum(1 / np.square(self.size)))
        return metres / SPEED_OF_SOUND


def library() -> ModuleType:
    """Import pyroomacoustics; raise `MissingExtra` where it is not installed."""
    try:
        import pyroomacoustics
    except ImportError as error:
        raise MissingExtra(
            "simulated rooms need pyroomacoustics, which is not installed",
            hint="pip install 'spoofbench[rooms]'",
        ) from error
    module: ModuleType = pyroomacoustics
    return module


def geometry(number: int) -> Geometry:
    """Return room ``number``, from 0 to ``ROOMS`` - 1: the same on every machine.

    Sizes are those of a living room up to a small class room. Talker and microphone are 1 to 2.5 m
    apart and half a metre from every wall.
    """
    random = np.random.default_rng([number, ROOMS])
    size = random.uniform((4.0, 3.0, 2.5), (8.0, 6.0, 3.5))
    while True:
        source, microphone = random.uniform(_WALL_M, size - _WALL_M, (2, 3))
        if _DISTANCE_M[0] <= math.dist(source, microphone) <= _DISTANCE_M[1]:
            return Geometry(size=size, source=source, microphone=microphone)


def response(room: Geometry, rt60_s: float, rate: int, random: np.random.Generator) -> Array:
    """Return the impulse response ``(time,)`` of ``room``, its direct sound the first sample.

    The walls absorb alike, as Eyring's formula says. Image sources make the beginning, noise of
    ``random`` the rest; then the decay is shaped until the T30 that is measured is ``rt60_s``.
    """
    from scipy.signal import butter, sosfilt

    early = _early(room, rt60_s, rate)
    # All reflections are positive, so that they pile up at 0 Hz, as Allen & Berkley say.
    high_pass = butter(2, _HIGH_PASS_HZ, "highpass", fs=rate, output="sos")
    whole = _with_tail(np.asarray(sosfilt(high_pass, early)), rt60_s, rate, random)
    return with_rt60(whole, rate, rt60_s)


def _early(room: Geometry, rt60_s: float, rate: int) -> Array:
    """Return the response to the end of the time for which it is complete, direct sound first."""
    distance, gain = _images(room, rt60_s)
    direct = float(distance.min())
    delay = (distance - direct) / SPEED_OF_SOUND
    samples = int((room.complete_s - direct / SPEED_OF_SOUND) * rate)
    heard = delay * rate < samples
    place = delay[heard] * rate
    amplitude = gain[heard] * direct / distance[heard]
    nearest = np.round(place).astype(np.int64)
    taps = np.arange(-_HALF_SINC, _HALF_SINC + 1)
    offset = taps - (place - nearest)[:, None]
    # Windowed sincs put each reflection between the samples, where it belongs.
    pulses = np.sinc(offset) * np.square(np.cos(np.pi * offset / (2 * _HALF_SINC + 2)))
    index = nearest[:, None] + taps
    inside = (index >= 0) & (index < samples)
    weights = (amplitude[:, None] * pulses)[inside]
    early: Array = np.bincount(index[inside], weights, samples).astype(np.float64)
    return early


def _images(room: Geometry, rt60_s: float) -> tuple[Array, Array]:
    """Return the distance of every image source to the microphone, in metres, and its gain."""
    acoustics = library()
    material = acoustics.Material(room.absorption(rt60_s))
    shoebox = acoustics.ShoeBox(room.size, materials=material, max_order=_ORDER)
    shoebox.add_source(room.source)
    shoebox.add_microphone(room.microphone)
    shoebox.image_source_model()
    source = shoebox.sources[0]
    places = np.asarray(source.images, dtype=np.float64)
    distance = np.sqrt(np.sum(np.square(places - room.microphone[:, None]), axis=0))
    return distance, np.asarray(source.damping, dtype=np.float64)[0]


def _with_tail(early: Array, rt60_s: float, rate: int, random: np.random.Generator) -> Array:
    """Go on with Gaussian noise that decays by 60 dB in ``rt60_s``, from the level at the end."""
    fade = int(_FADE_S * rate)
    samples = max(int(1.1 * rt60_s * rate), len(early))
    start = len(early) - fade
    time = np.arange(samples - start) / rate
    envelope = np.exp(-math.log(1000) * time / rt60_s)
    last = early[-4 * fade :]
    level = math.sqrt(np.mean(np.square(last))) * 1000 ** (-1.5 * _FADE_S / rt60_s)
    tail = level * envelope * random.standard_normal(len(time))
    rise = np.sin(0.5 * np.pi * (np.arange(fade) + 0.5) / fade)
    tail[:fade] *= rise
    whole = np.zeros(samples)
    whole[: len(early)] = early
    whole[start : len(early)] *= rise[::-1]
    whole[start:] += tail
    return whole

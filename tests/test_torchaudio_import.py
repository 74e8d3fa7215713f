import sys

import numpy as np
import pytest
import scipy.fft
import torch
from program import run_python

from spoofbench.torchaudio_import import torchaudio

RATE, FFT, HOP, FILTERS = 16_000, 400, 160, 20


def lfcc_from_the_definition(audio: np.ndarray) -> np.ndarray:
    """Power spectra, triangles spaced evenly in Hz, decibels no more than 80 below the peak, DCT.

    Frames are centred on multiples of the hop, the signal is mirrored at its ends: ``(filters,
    frames)``.
    """
    padded = np.pad(audio, FFT // 2, mode="reflect")
    starts = np.arange(0, len(padded) - FFT + 1, HOP)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(FFT) / FFT)
    frames = np.stack([padded[start : start + FFT] * hann for start in starts])
    power = np.abs(np.fft.rfft(frames)) ** 2  # (frames, bins)
    hertz = np.linspace(0, RATE / 2, FFT // 2 + 1)
    corners = np.linspace(0, RATE / 2, FILTERS + 2)
    bank = np.stack(
        [np.interp(hertz, corners[i : i + 3], [0, 1, 0], left=0, right=0) for i in range(FILTERS)]
    )
    decibels = 10 * np.log10(np.maximum(power @ bank.T, 1e-10))  # (frames, filters)
    decibels = np.maximum(decibels, decibels.max() - 80)
    return scipy.fft.dct(decibels, type=2, norm="ortho", axis=1).T


def test_an_lfcc_through_torchaudio_is_the_one_of_the_definition():
    audio = 0.1 * np.random.default_rng(3).standard_normal(RATE // 2)
    audio += np.sin(2 * np.pi * 1_000 * np.arange(len(audio)) / RATE)
    lfcc = torchaudio().transforms.LFCC(
        sample_rate=RATE,
        n_filter=FILTERS,
        n_lfcc=FILTERS,
        speckwargs={"n_fft": FFT, "win_length": FFT, "hop_length": HOP},
    )
    theirs = lfcc(torch.from_numpy(audio).float()).numpy()
    ours = lfcc_from_the_definition(audio)
    assert theirs.shape == ours.shape == (FILTERS, 51)
    np.testing.assert_allclose(theirs, ours, atol=1e-2)  # decibels, in float32


def test_torchaudio_is_imported_once():
    assert torchaudio() is torchaudio() is sys.modules["torchaudio"]


def test_torchaudio_imports_in_a_fresh_process_whether_or_not_its_extension_fits():
    done = run_python(
        "-c",
        "from spoofbench.torchaudio_import import torchaudio;"
        "import torch; t = torchaudio();"
        "print(t.functional.resample(torch.ones(1, 320), 16_000, 8_000).shape[1])",
    )
    assert (done.code, done.out.strip()) == (0, "160"), done.err


def test_a_failure_that_is_not_the_extensions_is_not_hidden():
    done = run_python(
        "-c",
        "import sys; sys.modules['torchaudio'] = None;"
        "from spoofbench.torchaudio_import import torchaudio; torchaudio()",
    )
    assert done.code == 1
    assert "ModuleNotFoundError" in done.err or "ImportError" in done.err


@pytest.mark.parametrize("name", ["torchaudio", "torch"])
def test_importing_the_module_imports_neither_torchaudio_nor_torch(name):
    done = run_python(
        "-c", f"import sys, spoofbench.torchaudio_import; print({name!r} in sys.modules)"
    )
    assert done.out.strip() == "False"

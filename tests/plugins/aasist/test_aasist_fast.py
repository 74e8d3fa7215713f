"""The fast way gives the scores of the model, whatever the length, the size and the batch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from spoofbench import weights
from spoofbench.contracts import Optimisable
from spoofbench.devices import denormals_flushed, evaluating
from spoofbench_aasist.config import AASIST, AASIST_L, AasistConfig
from spoofbench_aasist.fast import BLOCK_TILE, GROUP, FastAasist
from spoofbench_aasist.model import Aasist, aasist, aasist_l

SHORTEST = AASIST.min_samples


def model(config: AasistConfig = AASIST, dtype: torch.dtype = torch.float64) -> Aasist:
    """Return a model in which no batch norm is neutral, so that leaving one out would show."""
    torch.manual_seed(3)
    made = Aasist(config).to(dtype)
    for norm in (module for module in made.modules() if isinstance(module, nn.BatchNorm2d)):
        nn.init.uniform_(norm.weight, 0.5, 1.5)
        nn.init.uniform_(norm.bias, -0.5, 0.5)
        nn.init.uniform_(norm.running_mean, -0.5, 0.5)
        nn.init.uniform_(norm.running_var, 0.5, 1.5)
    return made.eval()


def noise(samples: int, batch: int = 2, dtype: torch.dtype = torch.float64) -> Tensor:
    return 0.1 * torch.randn(
        batch, samples, generator=torch.Generator().manual_seed(samples), dtype=dtype
    )


def lengths(audio: Tensor) -> Tensor:
    return torch.full((len(audio),), audio.shape[1])


@torch.no_grad()
def both(made: Aasist, audio: Tensor) -> tuple[Tensor, Tensor]:
    fast = FastAasist(made, audio.dtype).eval()
    return made.score(audio, lengths(audio)), fast.score(audio, lengths(audio))


@torch.no_grad()
def test_its_embeddings_are_those_of_the_model():
    made, audio = model(), noise(3 * SHORTEST)
    fast = FastAasist(made, audio.dtype).eval()
    ours, theirs = (which.embed(audio, lengths(audio)) for which in (fast, made))
    assert ours.shape == (2, fast.width)
    assert torch.allclose(ours, theirs, atol=1e-9)


def test_the_model_offers_it():
    assert isinstance(aasist(), Optimisable)


@pytest.mark.parametrize("config", [AASIST, AASIST_L], ids=["aasist", "aasist-l"])
@pytest.mark.parametrize(
    "samples",
    [SHORTEST, SHORTEST + 1, SHORTEST + 2, SHORTEST + 3, 8_000, 9_344, 16_000, 33_331, 64_600],
)
def test_scores_are_equal_in_double_precision(config: AasistConfig, samples: int):
    plain, fast = both(model(config), noise(samples, batch=1))
    assert torch.allclose(plain, fast, rtol=0, atol=1e-10)


@pytest.mark.parametrize("extra", range(-4, 5))
def test_lengths_around_the_end_of_a_tile(extra: int):
    """One more or one less frame than fills two tiles of the first block."""
    tile = BLOCK_TILE // AASIST.widths[0]
    samples = 3 * (3 * 2 * tile + extra) + AASIST.taps - 1
    plain, fast = both(model(), noise(samples, batch=1))
    assert torch.allclose(plain, fast, rtol=0, atol=1e-10)


def test_an_utterance_has_the_same_encoding_in_any_batch():
    fast = FastAasist(model(), torch.float64).eval()
    audio = noise(SHORTEST, batch=GROUP + 3)  # in two groups
    with torch.no_grad():
        together = fast.score(audio, lengths(audio))
        alone = torch.cat([fast.score(own[None], lengths(own[None])) for own in audio])
    assert torch.allclose(together, alone, rtol=0, atol=1e-12)


def test_scores_do_not_hang_on_the_number_of_threads():
    fast = FastAasist(model(dtype=torch.float32), torch.float32).eval()
    audio, before, found = (
        noise(SHORTEST, batch=5, dtype=torch.float32),
        torch.get_num_threads(),
        [],
    )
    try:
        for threads in (1, 3):
            torch.set_num_threads(threads)
            with torch.no_grad():
                found.append(fast.embed(audio, lengths(audio)))
    finally:
        torch.set_num_threads(before)
    assert torch.allclose(*found, rtol=0, atol=1e-6)


@pytest.mark.reference
@pytest.mark.parametrize(("name", "make"), [("aasist", aasist), ("aasist-l", aasist_l)])
def test_published_scores_stay_within_the_bound_on_real_speech(name: str, make, reference: Path):
    file = next((reference / "checkpoints").rglob(f"{name.upper()}.pth"))
    made = make()
    weights.load(made, weights.Weights(file=file, source="file", sha256=""))
    parity = np.load(reference / "parity" / f"{name}.npz")
    key = next(k for k in parity.files if parity[k].ndim == 2 and parity[k].shape[1] > 10_000)
    audio = torch.from_numpy(parity[key][:4]).float()
    fast = made.optimise(torch.float32)
    with denormals_flushed(), evaluating(made), evaluating(fast):
        difference = made.score(audio, lengths(audio)) - fast.score(audio, lengths(audio))
    assert difference.abs().max() < 1e-4


def test_in_half_precision_the_scores_stay_near():
    made = model(dtype=torch.float32)
    audio = noise(16_000, dtype=torch.float32)
    fast = made.optimise(torch.bfloat16)
    assert isinstance(fast, FastAasist)
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        near = fast.eval().score(audio, lengths(audio))
    with torch.no_grad():
        exact = made.score(audio, lengths(audio))
    assert near.dtype == torch.float32
    assert (near - exact).abs().max() < 0.1
    assert not torch.equal(near, exact)


def test_what_is_too_short_is_refused():
    with pytest.raises(ValueError, match="needs at least"):
        FastAasist(model(), torch.float64).score(noise(SHORTEST - 1), torch.ones(2))


def test_later_training_does_not_reach_it_in_the_encoder():
    made = model()
    fast = FastAasist(made, torch.float64).eval()
    audio = noise(SHORTEST)
    with torch.no_grad():
        before = fast.score(audio, lengths(audio))
        made.encoder[0].first.weight += 1
        assert torch.equal(fast.score(audio, lengths(audio)), before)

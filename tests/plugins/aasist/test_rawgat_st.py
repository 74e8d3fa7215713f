"""RawGAT-ST: exact where its published weights are at hand, sizes and traps elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest
import soundfile
import torch
from torch import Tensor

from spoofbench.plugins import catalogue
from spoofbench.weights import find, load
from spoofbench_aasist.rawgat_st import RawGatSt

PUBLISHED = "checkpoints/rawgat-st/RawGAT_ST_mul.pth"
RECORDING = "asvspoof2019-la/ASVspoof2019_LA_eval/flac/LA_E_6163791.flac"


@pytest.fixture(scope="module")
def published(reference: Path) -> RawGatSt:
    model = RawGatSt()
    load(model, find(catalogue().models.get("rawgat-st").spec, str(reference / PUBLISHED)))
    return model.eval()


def recording(reference: Path) -> Tensor:
    """The first 64,600 samples of the recording, repeated if it is shorter."""
    audio = torch.from_numpy(soundfile.read(reference / RECORDING, dtype="float32")[0])
    return audio.repeat(-(-64_600 // len(audio)))[None, :64_600]


@pytest.mark.reference
def test_it_gives_the_logits_of_the_published_code(published: RawGatSt, reference: Path) -> None:
    with torch.no_grad():
        logits = published(recording(reference))
    assert logits[0].tolist() == pytest.approx([17.7781, -12.3591], abs=3e-4)


@pytest.mark.reference
def test_it_gives_the_score_of_the_published_file(published: RawGatSt, reference: Path) -> None:
    """The file was made on a GPU: it is off by 0.0035 from the published code on a processor."""
    lines = (reference / "scores/la-eval.rawgat-st-mul.txt").read_text().splitlines()
    (line,) = [line for line in lines if line.startswith("LA_E_6163791 ")]
    audio = recording(reference)
    with torch.no_grad():
        score = published.score(audio, torch.tensor([audio.shape[1]]))
    assert score.item() == pytest.approx(float(line.split()[-1]), abs=5e-3)


@pytest.mark.reference
def test_every_published_tensor_finds_its_place(reference: Path) -> None:
    state = torch.load(reference / PUBLISHED, map_location="cpu", weights_only=True)
    model = RawGatSt()
    assert model.rename_published(state).keys() == model.state_dict().keys()


def test_what_never_learns_is_what_the_published_code_never_uses() -> None:
    """The paper's table says 437 k: it counts the idle norms, and not the idle convolutions."""
    idle = {n: p.numel() for n, p in RawGatSt().named_parameters() if not p.requires_grad}
    assert {name.split(".")[2] for name in idle} == {"unused_norm", "unused_first"}
    convolutions = sum(count for name, count in idle.items() if "unused_first" in name)
    assert 440_810 - convolutions == 436_778


@pytest.mark.parametrize("samples", [63_550, 65_738])
def test_audio_of_another_length_is_refused(samples: int) -> None:
    with pytest.raises(ValueError, match="64,600"):
        RawGatSt().eval()(torch.zeros(1, samples))


@pytest.mark.parametrize("samples", [63_551, 65_737])
def test_the_spec_says_how_short_and_how_long_audio_may_be(samples: int) -> None:
    spec = catalogue().models.get("rawgat-st").spec
    assert samples in (spec.min_samples, spec.max_samples)
    with torch.no_grad():
        assert RawGatSt().eval()(torch.zeros(1, samples)).shape == (1, 2)


def test_filters_are_silenced_in_training_only() -> None:
    """One mask holds for a whole batch: at most 13 of 70 filters, side by side."""
    front = RawGatSt().frontend
    torch.manual_seed(0)
    seen = set()
    for _ in range(60):
        silent = (front.masked().abs().sum(dim=(1, 2)) == 0).nonzero().flatten().tolist()
        assert silent == list(range(silent[0], silent[0] + len(silent))) if silent else True
        seen.add(len(silent))
    assert max(seen) in (12, 13)
    assert min(seen) == 0
    audio = torch.rand(1, 5_000) - 0.5
    front.eval()
    assert torch.equal(front(audio), front(audio))

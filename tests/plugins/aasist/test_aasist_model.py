"""AASIST as the harness meets it: sizes, lengths, scores, losses, saving, precision."""

from __future__ import annotations

import copy
import tomllib
from collections.abc import Callable
from importlib import resources

import pytest
import torch
from torch import Tensor

from spoofbench import PublishedNames, Trainable
from spoofbench_aasist import plugin
from spoofbench_aasist.config import AASIST, AASIST_L
from spoofbench_aasist.model import Aasist, ResidualBlock, aasist, aasist_l, aasist_sequential

SHORT = 5_000
"""Samples that leave two frames of time, to keep the tests short."""

FACTORIES: list[Callable[[], Aasist]] = [aasist, aasist_l, aasist_sequential]


@pytest.fixture(scope="module")
def light() -> Aasist:
    """AASIST-L with random weights, in evaluation mode."""
    torch.manual_seed(0)
    return aasist_l().eval()


def noise(batch: int, samples: int, seed: int = 1) -> Tensor:
    return 0.1 * torch.randn(batch, samples, generator=torch.Generator().manual_seed(seed))


def lengths(audio: Tensor) -> Tensor:
    return torch.full((len(audio),), audio.shape[1])


def parameters(module: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("factory", "count"), [(aasist, 297_866), (aasist_l, 85_306), (aasist_sequential, 297_866)]
)
def test_it_has_the_published_number_of_parameters(
    factory: Callable[[], Aasist], count: int
) -> None:
    assert parameters(factory()) == count


def test_the_blocks_have_the_published_numbers_of_parameters() -> None:
    counts = [parameters(block) for block in aasist().encoder]
    assert counts == [6_592, 12_480, 43_392, 49_536, 49_536, 49_536]


def test_it_has_as_many_tensors_as_the_published_state() -> None:
    assert len(aasist().state_dict()) == 229


def test_no_filter_is_in_the_state() -> None:
    assert [name for name in aasist_l().state_dict() if "filter" in name] == []


@pytest.mark.parametrize("factory", FACTORIES)
def test_it_is_what_the_harness_asks_for(factory: Callable[[], Aasist]) -> None:
    model = factory()
    assert isinstance(model, torch.nn.Module)
    assert isinstance(model, Trainable)
    assert isinstance(model, PublishedNames)


def test_what_is_declared_is_what_there_is() -> None:
    specs = plugin.spoofbench_models()[:3]
    assert [spec.name for spec in specs] == ["aasist", "aasist-l", "aasist-sequential"]
    assert [spec.resolve() for spec in specs] == FACTORIES
    assert {spec.min_samples for spec in specs} == {AASIST.min_samples, AASIST_L.min_samples}


def test_the_recipe_is_the_published_one() -> None:
    package, _, file = plugin.RECIPE.partition(":")
    recipe = tomllib.loads((resources.files(package) / file).read_text(encoding="utf-8"))
    assert recipe == {
        "epochs": 100,
        "batch_size": 24,
        "samples": 64_600,
        "learning_rate": 1e-4,
        "final_learning_rate": 5e-6,
        "betas": [0.9, 0.999],
        "weight_decay": 1e-4,
        "bonafide_weight": 0.9,
        "spoof_weight": 0.1,
    }


@pytest.mark.parametrize("samples", [2_315, 16_000, 100_000])
def test_it_takes_audio_of_many_lengths(samples: int, light: Aasist) -> None:
    with torch.inference_mode():
        logits = light(noise(2, samples))
    assert logits.shape == (2, 2)
    assert logits.isfinite().all()


def test_shorter_audio_is_refused_with_both_numbers(light: Aasist) -> None:
    with pytest.raises(ValueError, match=r"2,314 samples.*at least 2,315"):
        light(noise(1, 2_314))


def test_the_score_is_the_bona_fide_logit(light: Aasist) -> None:
    audio = noise(2, SHORT)
    with torch.inference_mode():
        assert torch.equal(light.score(audio, lengths(audio)), light(audio)[:, 1])


def test_a_score_does_not_depend_on_the_rest_of_the_batch(light: Aasist) -> None:
    audio = noise(4, SHORT)
    with torch.inference_mode():
        together = light.score(audio, lengths(audio))
        alone = torch.cat([light.score(row[None], lengths(row[None])) for row in audio])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


def test_the_same_audio_gets_the_same_score_twice(light: Aasist) -> None:
    audio = noise(2, SHORT)
    with torch.inference_mode():
        assert torch.equal(light(audio), light(audio))


def test_it_does_not_write_into_the_audio(light: Aasist) -> None:
    audio = noise(2, SHORT)
    before = audio.clone()
    with torch.inference_mode():
        light.score(audio, lengths(audio))
    assert torch.equal(audio, before)


def test_weighed_losses_average_to_the_weighted_cross_entropy(light: Aasist) -> None:
    audio = noise(4, SHORT)
    bonafide = torch.tensor([True, False, False, True])
    with torch.inference_mode():
        losses = light.loss(audio, lengths(audio), bonafide)
        weighted = torch.nn.functional.cross_entropy(
            light(audio), bonafide.long(), weight=torch.tensor([0.1, 0.9])
        )
    weights = torch.where(bonafide, 0.9, 0.1)
    assert losses.shape == (4,)
    torch.testing.assert_close((weights * losses).sum() / weights.sum(), weighted)


def test_copies_and_saved_weights_give_the_same_scores(light: Aasist) -> None:
    audio = noise(2, SHORT)
    loaded = aasist_l().eval()
    loaded.load_state_dict(light.state_dict())
    with torch.inference_mode():
        expected = light(audio)
        # Where a copy lies in memory can change how its sums are split, and so the last digit.
        torch.testing.assert_close(copy.deepcopy(light)(audio), expected, rtol=0, atol=1e-6)
        torch.testing.assert_close(loaded(audio), expected, rtol=0, atol=1e-6)


def test_training_reaches_every_parameter_but_the_unused_norms() -> None:
    torch.manual_seed(0)
    model = aasist_l().train()
    audio = noise(3, SHORT)
    model.loss(audio, lengths(audio), torch.tensor([True, False, True])).sum().backward()
    untouched = {name for name, value in model.named_parameters() if value.grad is None}
    unused = {f"encoder.{n}.unused_norm.{leaf}" for n in range(1, 6) for leaf in ("weight", "bias")}
    assert untouched == unused


def test_the_unused_norms_change_nothing(light: Aasist) -> None:
    other = copy.deepcopy(light)
    for block in other.encoder:
        assert isinstance(block, ResidualBlock)
        if hasattr(block, "unused_norm"):
            block.unused_norm.weight.data.fill_(7.0)
    audio = noise(1, SHORT)
    with torch.inference_mode():
        assert torch.equal(other(audio), light(audio))


def test_half_precision_trains_and_stays_finite() -> None:
    torch.manual_seed(0)
    model = aasist_l().train()
    audio = noise(3, SHORT)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        losses = model.loss(audio, lengths(audio), torch.tensor([True, False, True]))
    losses.sum().backward()
    assert losses.isfinite().all()
    gradients = [value.grad for value in model.parameters() if value.grad is not None]
    assert all(gradient.isfinite().all() for gradient in gradients)


def test_the_graphs_keep_full_precision_under_autocast(light: Aasist) -> None:
    seen: list[torch.dtype] = []
    model = copy.deepcopy(light)
    for layer in (model.temporal_attention.pair, model.branches[0].first.pair):
        layer.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        model(noise(1, SHORT))
    assert seen == [torch.float32, torch.float32]


def test_a_few_steps_put_the_bona_fide_utterance_above_the_spoof() -> None:
    torch.manual_seed(0)
    model = aasist_l().train()
    optimiser = torch.optim.Adam(model.parameters(), lr=1e-3)
    time = torch.arange(2_500) / 16_000
    tone = torch.sin(2 * torch.pi * 440 * time)[None]
    audio, bonafide = torch.cat([tone, noise(1, 2_500)]), torch.tensor([True, False])
    for _ in range(8):
        optimiser.zero_grad()
        model.loss(audio, lengths(audio), bonafide).mean().backward()
        optimiser.step()
    with torch.inference_mode():
        scores = model.score(audio, lengths(audio))
    assert scores[0] > scores[1]

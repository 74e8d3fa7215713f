from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from inprocess import Spoofbench
from small import Small, task
from torch import Tensor

from spoofbench import batches
from spoofbench.audio import AudioCache
from spoofbench.batches import Batch, Work
from spoofbench.errors import (
    BrokenPlugin,
    InvalidAudio,
    InvalidCondition,
    InvalidRecipe,
    UnknownName,
)
from spoofbench.plugins import catalogue
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.conditions import Condition, Step, parse
from spoofbench.robustness.pool import SpeechPool
from spoofbench.robustness.ranges import RandomCondition, parse_ranges
from spoofbench.specs import AugmentationSpec
from spoofbench.training import fit
from spoofbench.training.augmenting import Augmenter, OnDevice
from spoofbench.training.recipe import Recipe, change
from spoofbench.trials import Trial

RATE = 16_000
CPU = torch.device("cpu")


def clip(seed: int = 0, samples: int = RATE) -> Tensor:
    hiss = torch.randn(samples, generator=torch.Generator().manual_seed(seed))
    return 0.3 * torch.sin(torch.arange(samples) * (0.1 + 0.01 * seed)) + 0.01 * hiss


def trial(name: str) -> Trial:
    return Trial(utterance=name, speaker=name, attack="-", bonafide=True, audio=f"{name}.wav")


def augmenter(*conditions: str, share: float = 1.0, seed: int = 0, **more) -> Augmenter:
    return Augmenter(
        conditions=[parse_ranges(text, catalogue()) for text in conditions],
        share=share,
        seed=seed,
        rate=RATE,
        **more,
    )


def alone(made: Augmenter, audio: Tensor, name: str, epoch: int = 1) -> Tensor:
    (own,) = made([audio], [trial(name)], epoch)
    return own


def test_the_same_seed_epoch_and_utterance_get_the_same_audio():
    one, other = augmenter("white@10", "rawboost@4"), augmenter("white@10", "rawboost@4")
    for name in ("a", "b", "c"):
        assert torch.equal(alone(one, clip(), name, 3), alone(other, clip(), name, 3))


@pytest.mark.parametrize("change_", ["epoch", "utterance", "seed"])
def test_another_epoch_utterance_or_seed_gets_other_noise(change_: str):
    own = alone(augmenter("white@10"), clip(), "a")
    other = {
        "epoch": lambda: alone(augmenter("white@10"), clip(), "a", 2),
        "utterance": lambda: alone(augmenter("white@10"), clip(), "b"),
        "seed": lambda: alone(augmenter("white@10", seed=1), clip(), "a"),
    }[change_]()
    assert not torch.equal(own, other)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_utterances_is_augmented(share: float):
    names = [f"u{n}" for n in range(200)]
    made = augmenter("gain@-20", share=share)([clip()] * 200, [trial(n) for n in names], 1)
    assert np.mean([not torch.equal(own, clip()) for own in made]) == pytest.approx(share, abs=0.1)


def gains_db(*conditions: str, count: int = 30) -> list[float]:
    """The gains that ``count`` utterances of one batch get."""
    trials = [trial(f"u{n}") for n in range(count)]
    made = augmenter(*conditions)([torch.ones(100)] * count, trials, 1)
    return [20 * float(own[0].log10()) for own in made]


def test_every_condition_has_its_turn():
    assert {round(gain) for gain in gains_db("gain@-20", "gain@-40")} == {-20, -40}


def test_levels_are_drawn_evenly_from_a_range():
    gains = gains_db("gain@-20..-10", count=400)
    assert min(gains) == pytest.approx(-20, abs=0.2)
    assert max(gains) == pytest.approx(-10, abs=0.2)
    assert np.mean(gains) == pytest.approx(-15, abs=4 * 10 / np.sqrt(12 * 400))


def test_levels_are_drawn_from_what_is_listed():
    assert {round(gain) for gain in gains_db("gain@-20|-10|-5", count=50)} == {-20, -10, -5}


EVERYTHING = (
    "rawboost@4",
    "rawboost@1|2|3|5|8 + gain@-6..6",
    "white@5..20",
    "babble@5..20",
    "overlap@0..10@30..100",
    "speed@0.9..1.1 + pink@10..20",
    "g711-alaw + gain@-3",
    "band-limit@2000..5000",
)


@pytest.fixture
def pool(tmp_path: Path) -> SpeechPool:
    trials = [trial(f"p{n}") for n in range(6)]
    for n, one in enumerate(trials):
        soundfile.write(tmp_path / one.audio, clip(n, 2 * RATE).numpy(), RATE)
    return SpeechPool.of(trials, AudioCache(tmp_path, RATE, 1 << 24), seed=0)


def test_a_batch_comes_out_as_its_utterances_one_by_one_to_the_last_bit(pool: SpeechPool):
    trials = [trial(f"u{n}") for n in range(24)]
    audio = [clip(n, RATE if n % 3 else RATE + 500) for n in range(24)]
    made = augmenter(*EVERYTHING, share=0.9, pool=pool)
    together = made(audio, trials, 2)
    for own, given, one in zip(together, audio, trials, strict=True):
        assert torch.equal(own, made([given], [one], 2)[0])
        assert len(own) == len(given)


def test_a_level_is_that_of_the_row_alone():
    """What a range gave an utterance is what the condition gives at that level."""
    made = augmenter("white@5..20")
    number, applied = made._drawn(trial("u"), 1)
    assert (number, 5 < applied.condition.steps[0].level < 20) == (0, True)
    plain, _ = applied(clip().numpy(), trial("u"))
    assert np.array_equal(plain, alone(made, clip(), "u").numpy())


def test_what_is_written_without_a_range_is_what_a_sweep_applies():
    made = augmenter("white@10 + gain@-6")
    _, applied = made._drawn(trial("u"), 4)
    plain = Applied(
        condition=parse("white@10 + gain@-6", catalogue()), seed=applied.seed, rate=RATE
    )
    expected, _ = plain(clip().numpy(), trial("u"))
    assert np.array_equal(expected, alone(made, clip(), "u", 4).numpy())


def test_what_changes_the_length_is_brought_to_it_again():
    assert len(alone(augmenter("speed@1.2"), clip(), "a")) == RATE
    assert len(alone(augmenter("speed@0.8"), clip(), "a")) == RATE


class Loud:
    def apply(self, audio, level, context):
        return audio / 0

    def apply_batch(self, audio, levels, contexts):
        return audio / 0


class Fewer:
    def apply(self, audio, level, context):
        return audio

    def apply_batch(self, audio, levels, contexts):
        return audio[:-1]


def of(name: str) -> Augmenter:
    spec = AugmentationSpec(
        name="mine", target=f"test_augmenting:{name}", summary="", unit="", levels=()
    )
    condition = Condition(steps=(Step(spec=spec, distribution="mine", level=float("nan")),))
    drawn = RandomCondition(text="mine", probes=(condition,), numbers=((),))
    return Augmenter(conditions=[drawn], share=1.0, seed=0, rate=RATE)


def test_audio_that_is_not_finite_is_refused_by_name():
    with pytest.raises(InvalidAudio, match="b: nothing finite"):
        of("Loud")([torch.zeros(9), clip()], [trial("b"), trial("c")], 1)


def test_a_batch_that_lost_a_row_is_refused():
    with pytest.raises(BrokenPlugin, match="mine did not return 2 rows"):
        of("Fewer")([clip(), clip()], [trial("b"), trial("c")], 1)


def test_a_number_that_a_range_can_give_but_the_augmentation_does_not_take_is_refused_at_once():
    with pytest.raises(InvalidCondition, match=r"algorithms 0 to 8, not 5\.") as refused:
        augmenter("rawboost@1..8").ready()
    assert "list those" in refused.value.hint
    augmenter("rawboost@1|4|8", "white@5..20").ready()


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_without_cuda_everything_is_applied_where_audio_is_read(device: str):
    """MPS has no float64, in which RawBoost computes."""
    in_workers, on_device = augmenter("rawboost@4", "mp3@64").divided(torch.device(device))
    assert on_device is None
    assert in_workers is not None
    assert in_workers.left == frozenset()


def test_on_cuda_conditions_are_applied_there_of_which_all_steps_can_be():
    made = augmenter("rawboost@4", "mp3@64", "rawboost@4 + mp3@64", "gain@-6..6")
    in_workers, on_device = made.divided(torch.device("cuda"))
    assert in_workers is not None
    assert on_device is not None
    assert in_workers.left == {0, 3}
    assert on_device.left == {1, 2}


def test_the_two_parts_together_do_what_the_whole_does():
    whole = augmenter("rawboost@4", "white@10", "gain@-6..6", share=0.8)
    audio, trials = [clip(n) for n in range(12)], [trial(f"u{n}") for n in range(12)]
    in_workers, on_device = whole.divided(torch.device("cuda"))
    assert in_workers is not None
    assert on_device is not None
    parted = on_device(in_workers(audio, trials, 3), trials, 3)
    for one, other in zip(parted, whole(audio, trials, 3), strict=True):
        assert torch.equal(one, other)


def batch_of(audio: list[Tensor], names: list[str]) -> Batch:
    return Batch(
        place=0,
        audio=batches.padded(audio),
        lengths=torch.tensor([len(own) for own in audio]),
        bonafide=torch.ones(len(audio), dtype=torch.bool),
        utterances=tuple(names),
        failures=(),
    )


def test_batches_are_augmented_on_the_device_as_they_are_in_workers():
    """Rows of unlike length, one trial of which nothing could be read."""
    audio, names = [clip(1), clip(2, 9_000), clip(3)], ["a", "b", "d"]
    work = [Work(place=0, trials=tuple(trial(n) for n in "abcd"), epoch=5)]
    made = augmenter("rawboost@4", "gain@-6..6")
    (batch,) = OnDevice(loader=[batch_of(audio, names)], work=work, augmenter=made, device=CPU)
    expected = made(audio, [trial(n) for n in names], 5)
    assert torch.equal(batch.audio, batches.padded(expected))
    assert batch.lengths.tolist() == [RATE, 9_000, RATE]


def test_training_learns_the_same_from_audio_augmented_on_the_device(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    made = augmenter("rawboost@4", "gain@-6..6", seed=5)

    def losses(folder: str, given: Augmenter | None) -> list[float]:
        chosen = replace(task(tiny, tmp_path / folder, epochs=1), augmenter=given)
        fit.fit(Small, chosen, progress=lambda *_: None, report=lambda *_: None)
        return [epoch.loss for epoch in fit.history(chosen.folder)]

    plain, in_workers = losses("plain", None), losses("workers", made)
    monkeypatch.setattr(Augmenter, "divided", lambda self, device: (None, self))
    assert losses("device", made) == in_workers != plain


def test_a_recipe_names_conditions_and_a_share():
    recipe = Recipe(**change(['augment=["rawboost@4", "white@20"]', "augment_share=0.5"]))
    assert recipe.augment == ("rawboost@4", "white@20")
    with pytest.raises(InvalidRecipe):
        change(["augment_share=1.5"])


def test_training_with_augmentation_repeats_and_differs_from_training_without(
    tiny: Path,
    spoofbench_cli: Spoofbench,
    example: Path,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
):
    monkeypatch.syspath_prepend(example)
    where = ("--train", tiny / "tiny-train.toml", "--data", tiny)
    augment = ("--set", 'augment=["white@5..20", "gain@-10|-3", "rawboost@4", "speed@0.9..1.1"]')
    losses = []
    for out, more in (
        ("one", (*augment, "--workers", "0")),
        ("two", (*augment, "--workers", "2")),
        ("plain", ("--workers", "0")),
    ):
        done = spoofbench_cli("train", "lfcc-linear", *where, *more, "--out", out)
        assert done.code == 0, done.err
        weights = tmp_path / done.out.strip()
        with (weights.parent / "epochs.csv").open(newline="") as lines:
            losses.append([line["loss"] for line in csv.DictReader(lines)])
    assert losses[0] == losses[1] != losses[2]


@pytest.mark.parametrize("text", ["nothing-like-it@3", "white"])
def test_a_condition_that_is_none_is_refused_before_anything_is_trained(
    text: str, tiny: Path, spoofbench_cli: Spoofbench, example: Path,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
):  # fmt: skip
    monkeypatch.syspath_prepend(example)
    done = spoofbench_cli(
        *("train", "lfcc-linear", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--set", f'augment=["{text}"]'),
    )
    assert done.code == 2
    assert text.split("@")[0] in done.err
    assert not list(tmp_path.glob("runs/**/*.safetensors"))


def test_unknown_augmentations_are_named():
    with pytest.raises(UnknownName):
        augmenter("nothing@1")

import csv
import math
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from small import Small, task, terms
from torch import Tensor, nn
from torch.nn import functional

from spoofbench import audio, weights
from spoofbench.devices import flushes_denormals
from spoofbench.errors import FailedTrials, InvalidRun
from spoofbench.training import checkpoints, fit, loop, tasks
from spoofbench.training.checkpoints import Epoch


def silent(done: int, total: int) -> None:
    pass


def ignore(epoch: Epoch, is_best: bool) -> None:
    pass


def train(chosen: tasks.Task, make: type[nn.Module] = Small) -> Path:
    return fit.fit(make, chosen, progress=silent, report=ignore)


def state(file: Path) -> dict[str, Tensor]:
    return dict(weights.read_tensors(file))


def assert_equal(one: Path, other: Path) -> None:
    mine, yours = state(one), state(other)
    assert mine.keys() == yours.keys()
    for name in mine:
        assert torch.equal(mine[name], yours[name]), name


class Given(nn.Module):
    """A model of which only the logits of ten utterances are learned."""

    def __init__(self) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.logits = nn.Parameter(torch.randn(10, 2, generator=generator))

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return audio.mean(dim=1)

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return functional.cross_entropy(self.logits, bonafide.long(), reduction="none")


def test_denormals_are_flushed_while_it_trains_and_as_before_afterwards(tiny, tmp_path):
    seen: list[bool] = []

    class Watching(Small):
        def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
            seen.append(flushes_denormals())
            return super().loss(audio, lengths, bonafide)

    train(task(tiny, tmp_path / "run", epochs=1), Watching)
    assert seen
    assert all(seen)
    assert not flushes_denormals()


def test_the_loss_is_torchs_weighted_cross_entropy(tiny, tmp_path):
    weighed = {"bonafide_weight": 0.9, "spoof_weight": 0.1, "epochs": 1, "batch_size": 10}
    chosen = task(tiny, tmp_path / "t", **weighed)
    train(chosen, Given)
    order = np.random.default_rng([chosen.seed, 1]).permutation(10)
    bonafide = torch.tensor([chosen.train.trials[place].bonafide for place in order])
    theirs = functional.cross_entropy(
        Given().logits, bonafide.long(), weight=torch.tensor([0.1, 0.9])
    )
    (epoch,) = fit.history(chosen.folder)
    assert epoch.loss == pytest.approx(theirs.item(), rel=1e-6)


# what comes of a training


def test_a_model_learns_to_tell_tones_from_noise(tiny, tmp_path):
    train(task(tiny, tmp_path / "t", epochs=8, learning_rate=0.1))
    best = min(epoch.dev_eer for epoch in fit.history(tmp_path / "t"))
    assert best < 0.2


def test_the_weights_say_where_they_come_from(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t")
    origin = weights.origin_of(train(chosen))
    best = min(reversed(fit.history(tmp_path / "t")), key=lambda epoch: epoch.dev_eer)
    assert origin == weights.Origin(
        model="small",
        train="tiny-train",
        dev="tiny-dev",
        epoch=best.epoch,
        dev_eer=best.dev_eer,
        seed=5,
        recipe=chosen.recipe,
    )


def test_two_trainings_are_equal_bit_by_bit(tiny, tmp_path):
    assert_equal(train(task(tiny, tmp_path / "a")), train(task(tiny, tmp_path / "b")))


def test_workers_do_not_change_a_bit(tiny, tmp_path):
    alone = task(tiny, tmp_path / "a")
    helped = task(tiny, tmp_path / "b")
    helped = replace(helped, options=replace(helped.options, workers=2))
    assert_equal(train(alone), train(helped))


def test_another_seed_gives_other_weights(tiny, tmp_path):
    one = state(train(task(tiny, tmp_path / "a")))
    other = state(train(replace(task(tiny, tmp_path / "b"), seed=6)))
    assert not torch.equal(one["out.weight"], other["out.weight"])


def test_the_global_random_state_is_given_back(tiny, tmp_path):
    before = torch.get_rng_state()
    train(task(tiny, tmp_path / "t"))
    assert torch.equal(torch.get_rng_state(), before)


def timeless(epoch: Epoch) -> Epoch:
    taken = {"seconds": 0, "waiting": 0, "utterances_per_second": 0, "peak_mb": 0}
    taken |= {"cache_mb": 0, "cache_hits": 0}
    return epoch.model_copy(update=taken)


class Killed(Exception):
    pass


@pytest.mark.parametrize("step", [1, 2, 3, 5])
def test_a_training_that_was_killed_ends_with_the_bits_of_one_that_was_not(tiny, tmp_path, step):
    whole, cut = task(tiny, tmp_path / "whole"), task(tiny, tmp_path / "cut")
    cut = replace(cut, checkpoint_seconds=0)

    def stop(done: int, total: int) -> None:
        assert total == 6
        if done == step:
            raise Killed

    with pytest.raises(Killed):
        fit.fit(Small, cut, progress=stop, report=ignore)
    steps: list[int] = []
    fit.fit(Small, cut, progress=lambda done, total: steps.append(done), report=ignore)
    assert steps == list(range(step, 7)), "it began anew"  # step was done, but not yet saved
    assert_equal(train(whole), cut.folder / tasks.BEST)
    assert_equal(whole.folder / tasks.LAST, cut.folder / tasks.LAST)
    ours, theirs = fit.history(whole.folder), fit.history(cut.folder)
    assert [timeless(e) for e in ours] == [timeless(e) for e in theirs]


def test_a_training_killed_between_epochs_goes_on_with_the_next(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t")
    seen: list[int] = []

    def stop(epoch: Epoch, is_best: bool) -> None:
        seen.append(epoch.epoch)
        if epoch.epoch == 2:
            raise Killed

    with pytest.raises(Killed):
        fit.fit(Small, chosen, progress=silent, report=stop)
    fit.fit(Small, chosen, progress=silent, report=lambda epoch, best: seen.append(epoch.epoch))
    assert seen == [1, 2, 3]
    assert_equal(chosen.folder / tasks.BEST, train(task(tiny, tmp_path / "whole")))


def test_a_finished_training_is_not_done_again(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t")
    file = train(chosen)
    steps: list[int] = []
    again = fit.fit(Small, chosen, progress=lambda d, t: steps.append(d), report=ignore)
    assert (again, steps) == (file, [])


def test_each_epoch_has_its_line_in_a_file(tiny, tmp_path):
    reported: list[tuple[int, bool]] = []
    fit.fit(
        Small,
        task(tiny, tmp_path / "t"),
        progress=silent,
        report=lambda epoch, best: reported.append((epoch.epoch, best)),
    )
    with (tmp_path / "t" / tasks.HISTORY).open(newline="") as file:
        lines = list(csv.DictReader(file))
    assert [line["epoch"] for line in lines] == ["1", "2", "3"]
    assert [epoch for epoch, _ in reported] == [1, 2, 3]
    eers = [float(line["dev_eer"]) for line in lines]
    assert [best for _, best in reported] == [e == min(eers[: i + 1]) for i, e in enumerate(eers)]


def test_the_time_of_a_checkpoint_is_no_time_of_a_step(tiny, tmp_path, monkeypatch):
    """By a clock that goes on by a second when it is read, and by an hour when one is written."""
    now = [0.0]
    save = checkpoints.save

    def tick() -> float:
        now[0] += 1
        return now[0]

    def slow(*what, **more) -> None:
        now[0] += 3600
        save(*what, **more)

    monkeypatch.setattr(loop, "time", SimpleNamespace(perf_counter=tick))
    monkeypatch.setattr(checkpoints, "save", slow)
    train(replace(task(tiny, tmp_path / "t", epochs=1), checkpoint_seconds=0))
    (epoch,) = fit.history(tmp_path / "t")
    assert now[0] > 3 * 3600
    assert (epoch.seconds, epoch.waiting) == (2 * 2, 0.5), "a second for audio, one for the step"


def test_a_gradient_is_clipped_to_the_norm_of_the_recipe(tiny, tmp_path):
    def moved(clip: float | None) -> float:
        folder = tmp_path / str(clip)
        recipe = {"epochs": 1, "batch_size": 10, "weight_decay": 0.0, "clip_norm": clip}
        train(task(tiny, folder, **recipe))
        with torch.random.fork_rng():
            torch.manual_seed(5)
            start = Small().state_dict()["out.weight"]
        return float((state(folder / tasks.BEST)["out.weight"] - start).norm())

    # Adam's first step is lr * g / (|g| + 1e-8): a gradient far below 1e-8 hardly moves anything.
    assert moved(1e-12) < 1e-4 < moved(None)


# what ends it


class Diverging(Small):
    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return super().loss(audio, lengths, bonafide) * math.nan


def test_a_loss_that_is_not_finite_names_the_utterances_of_its_batch(tiny, tmp_path):
    with pytest.raises(InvalidRun, match="the loss is nan in epoch 1") as error:
        train(task(tiny, tmp_path / "t"), Diverging)
    named = [t for t in terms(tiny, "train").trials if t.utterance in str(error.value)]
    assert len(named) == 4
    assert not (tmp_path / "t" / tasks.BEST).exists()


class Steep(Small):
    """Its loss is finite, and the slope of a root at nought is not."""

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        return super().loss(audio, lengths, bonafide) + (0 * self.out.weight).abs().sqrt().sum()


@pytest.mark.parametrize("changes", [{}, {"clip_norm": 1.0}])
def test_a_gradient_that_is_not_finite_ends_training_before_it_spoils_a_weight(
    tiny, tmp_path, changes
):
    chosen = replace(task(tiny, tmp_path / "t", **changes), checkpoint_seconds=0)
    made: list[Small] = []

    class Kept(Steep):
        def __init__(self) -> None:
            super().__init__()
            made.append(self)

    with pytest.raises(InvalidRun, match="a gradient is not finite in epoch 1") as error:
        train(chosen, Kept)
    assert len([t for t in chosen.train.trials if t.utterance in str(error.value)]) == 4
    assert all(parameter.isfinite().all() for parameter in made[-1].parameters())


class Growing(Small):
    """The losses of its epochs of two steps are 0.5, then 4 and 16 times as much."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros(1))

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        epoch = int(self.steps) // 2
        self.steps += 1
        return self.out.bias.sum() * 0 + torch.full((len(audio),), 0.5 * 4.0**epoch)


def test_a_loss_that_grows_out_of_all_proportion_ends_training_by_name(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t", divergence=5)
    with pytest.raises(InvalidRun, match=r"diverges, 8 after 0\.5, in epoch 3") as error:
        train(chosen, Growing)
    assert len([t for t in chosen.train.trials if t.utterance in str(error.value)]) == 4
    assert len(fit.history(chosen.folder)) == 2, "the last checkpoint is kept"


class Exploding(Growing):
    """The loss of its second step is 16 times as much as that of its first."""

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        self.steps += 3
        return super().loss(audio, lengths, bonafide)


def test_a_loss_that_grows_within_the_first_epoch_ends_training_too(tiny, tmp_path):
    """2 and then 32: 17 at the mean, after the 2 with which the epoch opened."""
    chosen = task(tiny, tmp_path / "t", divergence=8)
    with pytest.raises(InvalidRun, match=r"diverges, 17 after 2, in epoch 1"):
        train(chosen, Exploding)
    train(task(tiny, tmp_path / "u", divergence=9, epochs=1), Exploding)


@pytest.mark.parametrize("divergence", [0, 8])
def test_a_loss_may_grow_as_far_as_the_recipe_says(tiny, tmp_path, divergence):
    train(task(tiny, tmp_path / "t", divergence=divergence), Growing)
    assert [epoch.loss for epoch in fit.history(tmp_path / "t")] == [0.5, 2, 8]


@pytest.mark.parametrize("part", ["train", "dev"])
def test_a_bad_recording_ends_training_by_name(tiny, tmp_path, part):
    chosen = task(tiny, tmp_path / "t")
    of_part = getattr(chosen, part)
    broken = replace(of_part.trials[0], audio="no/such.flac")
    chosen = replace(chosen, **{part: replace(of_part, trials=(broken, *of_part.trials[1:]))})
    chosen = replace(chosen, recipe=chosen.recipe.model_copy(update={"batch_size": 10}))
    with pytest.raises(FailedTrials, match=r"no/such\.flac"):
        train(chosen)


# selection


class Scripted(nn.Module):
    """In the pass over dev after epoch ``e`` it ranks ``wrong[e]`` of the spoofs above all else."""

    wrong = (3, 0, 1, 0, 6)

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(1))
        self.register_buffer("epoch", torch.zeros(1))
        self.heard = 0

    def loss(self, audio: Tensor, lengths: Tensor, bonafide: Tensor) -> Tensor:
        self.heard = 0
        return self.weight.expand(len(audio))

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        if self.heard == 0:
            self.epoch += 1
        places = torch.arange(self.heard, self.heard + len(audio))
        self.heard += len(audio)
        spoofs_before = places - 4  # the tiny corpus lists 4 bona fide trials, then 6 spoofs
        fooled = (spoofs_before >= 0) & (spoofs_before < self.wrong[int(self.epoch) - 1])
        return torch.where(fooled, 2.0, (places < 4).float())


def test_the_weights_are_those_of_the_lowest_dev_eer_the_last_of_equals(tiny, tmp_path):
    file = train(task(tiny, tmp_path / "t", epochs=5), Scripted)
    assert state(file)["epoch"].item() == 4
    assert [epoch.dev_eer for epoch in fit.history(tmp_path / "t")][1::2] == [0, 0]


def test_only_the_audio_of_train_and_dev_is_opened(tiny, tmp_path, monkeypatch):
    opened: set[str] = set()
    read = audio.read

    def noting(file: Path, rate: int) -> audio.Audio:
        opened.add(file.parent.name)
        assert file.parent.name != "eval", "training looked at the eval protocol"
        return read(file, rate)

    monkeypatch.setattr(audio, "read", noting)
    monkeypatch.setattr(soundfile, "read", None)
    train(task(tiny, tmp_path / "t"))
    assert opened == {"train", "dev"}

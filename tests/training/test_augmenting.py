from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from inprocess import Spoofbench

from spoofbench.batches import RandomCrop
from spoofbench.errors import InvalidRecipe, UnknownName
from spoofbench.plugins import catalogue
from spoofbench.robustness.applying import Applied
from spoofbench.robustness.conditions import parse
from spoofbench.training.augmenting import Augmented
from spoofbench.training.recipe import Recipe, change
from spoofbench.trials import Trial

RATE = 16_000
CLIP = (0.3 * np.sin(np.arange(2 * RATE) * 0.1)).astype(np.float32)


def trial(name: str) -> Trial:
    return Trial(utterance=name, speaker="s", attack="-", bonafide=True, audio="")


def augmented(*conditions: str, share: float = 1.0, seed: int = 0) -> Augmented:
    return Augmented(
        crop=RandomCrop(samples=RATE, seed=seed),
        conditions=[
            Applied(condition=parse(text, catalogue()), seed=seed, rate=RATE) for text in conditions
        ],
        share=share,
        seed=seed,
    )


def test_the_same_seed_epoch_and_utterance_get_the_same_audio():
    one, other = augmented("white@10", "rawboost@4"), augmented("white@10", "rawboost@4")
    for name in ("a", "b", "c"):
        assert np.array_equal(one(CLIP, trial(name), 3), other(CLIP, trial(name), 3))


@pytest.mark.parametrize("change_", ["epoch", "utterance", "seed"])
def test_another_epoch_utterance_or_seed_gets_other_noise(change_: str):
    own = augmented("white@10")(CLIP, trial("a"), 1)
    other = {
        "epoch": lambda: augmented("white@10")(CLIP, trial("a"), 2),
        "utterance": lambda: augmented("white@10")(CLIP, trial("b"), 1),
        "seed": lambda: augmented("white@10", seed=1)(CLIP, trial("a"), 1),
    }[change_]()
    assert not np.array_equal(own, other)


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_utterances_is_augmented(share: float):
    made, plain = augmented("white@10", share=share), RandomCrop(samples=RATE, seed=0)
    changed = [
        not np.array_equal(made(CLIP, trial(f"u{n}"), 1), plain(CLIP, trial(f"u{n}"), 1))
        for n in range(200)
    ]
    assert np.mean(changed) == pytest.approx(share, abs=0.1)


def test_every_condition_has_its_turn():
    made, plain = augmented("gain@-20", "gain@-40"), RandomCrop(samples=RATE, seed=0)
    gains = {
        round(20 * np.log10(np.abs(made(CLIP, trial(f"u{n}"), 1)).max()
                            / np.abs(plain(CLIP, trial(f"u{n}"), 1)).max()))
        for n in range(30)
    }  # fmt: skip
    assert gains == {-20, -40}


def test_what_changes_the_length_is_brought_to_it_again():
    assert len(augmented("speed@1.2")(CLIP, trial("a"), 1)) == RATE


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
    augment = ("--set", 'augment=["white@10", "gain@-10"]')
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
        augmented("nothing@1")

"""The benchmark suite of everything but models, for pytest-benchmark: `spoofbench speed --parts`.

Each benchmark says in ``extra_info["per_call"]`` how many of its ``unit`` a call deals with, so
that rates follow. Scores are synthetic: what is measured is how cost grows with trials.
"""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray
from pytest_benchmark.fixture import BenchmarkFixture

from spoofbench import audio
from spoofbench.contracts import Context
from spoofbench.metrics.costs import min_dcf
from spoofbench.metrics.detection import eer
from spoofbench.metrics.judged import AsvRates, DetectionCosts, Judged, TandemCosts
from spoofbench.metrics.tandem import min_tdcf_2019, min_tdcf_2021
from spoofbench.plugins import catalogue, instantiate
from spoofbench.robustness.ranges import parse_ranges
from spoofbench.scores import ScoreTable
from spoofbench.statistics import resampling
from spoofbench.statistics.resampling import Design
from spoofbench.training.augmenting import Augmenter
from spoofbench.trials import Trial

LA_EVAL = 71_237
SIZES = (10_000, LA_EVAL, 1_000_000)
RATE = 16_000
SECONDS = 4
REPLICATES = 20
METRICS = {"eer": eer, "tdcf-2019": min_tdcf_2019, "tdcf-2021": min_tdcf_2021, "min-dcf": min_dcf}
SPEAKERS = 67
BATCH = 24
CROP = 64_600
AUGMENTED = {
    "rawboost": "rawboost@4",
    "frequency-mask": "frequency-mask@2000",
    "time-mask": "time-mask@500",
    "white": "white@5..20",
    "gain": "gain@-6..6",
}
"""Conditions of a recipe, by the augmentation that each needs."""


def scores(trials: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return bona fide scores, a tenth of ``trials``, and those of spoofs, lower by 4."""
    random = np.random.default_rng(trials)
    bonafide = max(trials // 10, 1)
    return random.normal(4, 1, bonafide), random.normal(0, 1, trials - bonafide)


def judged(trials: int) -> Judged:
    """Return scores as metrics take them, with an ASV system and the costs of ASVspoof."""
    bonafide, spoof = scores(trials)
    return Judged(
        bonafide=bonafide,
        spoof=spoof,
        detection=DetectionCosts(p_spoof=0.05, c_miss=1, c_fa=10),
        asv=AsvRates(miss=0.02, false_alarm=0.02, spoof_false_alarm=0.4),
        costs=TandemCosts(
            p_spoof=0.05, p_target=0.9405, p_nontarget=0.0095, c_miss=1, c_fa=10, c_fa_spoof=10
        ),
    )


def told(benchmark: BenchmarkFixture, per_call: float, unit: str) -> None:
    """Note how many of which unit a call deals with."""
    benchmark.extra_info.update(per_call=per_call, unit=unit)


def noise(seconds: float = SECONDS) -> NDArray[np.float32]:
    """Return noise ``(time,)``."""
    random = np.random.default_rng(0)
    return (0.1 * random.standard_normal(int(seconds * RATE))).astype(np.float32)


@pytest.mark.parametrize("trials", SIZES)
@pytest.mark.parametrize("name", METRICS)
def test_metric(benchmark: BenchmarkFixture, name: str, trials: int) -> None:
    """Sort the scores of all trials, and compute the metric."""
    bonafide, spoof = scores(trials)
    made = judged(trials)

    def compute() -> float:
        from dataclasses import replace

        return METRICS[name](replace(made, bonafide=bonafide, spoof=spoof))

    assert 0 <= benchmark(compute) <= 1
    told(benchmark, trials, "trials")


@pytest.mark.parametrize("trials", SIZES)
def test_resampling(benchmark: BenchmarkFixture, trials: int) -> None:
    """Draw bootstrap weights by speaker and attack."""
    random = np.random.default_rng(0)
    is_bonafide = np.arange(trials) < trials // 10
    design = Design.of(
        unit="speaker+attack",
        bonafide=is_bonafide,
        speaker=random.integers(SPEAKERS, size=trials).astype(str),
        attack=np.where(is_bonafide, "-", random.integers(13, size=trials).astype(str)),
    )

    def draw() -> int:
        return sum(1 for _ in resampling.weights(design, replicates=REPLICATES, seed=0))

    assert benchmark.pedantic(draw, rounds=3) == REPLICATES  # type: ignore[no-untyped-call]
    told(benchmark, REPLICATES * trials, "trials x replicates")


@pytest.mark.parametrize("trials", SIZES[:2])
def test_joining_scores(benchmark: BenchmarkFixture, trials: int) -> None:
    """Put scores in the order of the protocol's trials, checking that each is there once."""
    listed = [
        Trial(utterance=f"U{n}", speaker="s", attack="-", bonafide=n % 10 == 0, audio="")
        for n in range(trials)
    ]
    given = {trial.utterance: float(n) for n, trial in enumerate(listed)}
    benchmark(ScoreTable.join, listed, given, source="suite")
    told(benchmark, trials, "trials")


def test_flac_decoding(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """Decode a FLAC file of 4 s."""
    file = tmp_path / "noise.flac"
    soundfile.write(file, noise(), RATE)
    assert len(benchmark(audio.read, file, RATE)) == SECONDS * RATE
    told(benchmark, 1, "files")


def test_resampling_audio(benchmark: BenchmarkFixture) -> None:
    """Convert 4 s from 48 to 16 kHz."""
    import soxr

    samples = noise(3 * SECONDS)
    assert len(benchmark(soxr.resample, samples, 48_000, RATE, quality="HQ")) == SECONDS * RATE
    told(benchmark, SECONDS, "seconds of audio")


@pytest.mark.parametrize("name", ["white", "g711-alaw", "mp3", "room", "band-limit", "clip"])
def test_augmentation(benchmark: BenchmarkFixture, name: str) -> None:
    """Apply an augmentation at a usual level to 4 s."""
    if name not in catalogue().augmentations.names():
        pytest.skip(f"no plugin offers {name}")
    offer = catalogue().augmentations.get(name)
    made = instantiate(offer, "augmentation")
    levels = offer.spec.levels
    level = levels[len(levels) // 2] if levels else float("nan")
    samples = torch.from_numpy(noise())

    def apply() -> torch.Tensor:
        context = Context(
            rate=RATE,
            random=torch.Generator().manual_seed(0),
            utterance="suite",
            options=tuple(default for _, default in offer.spec.options),
        )
        result: torch.Tensor = made.apply(samples, level, context)
        return result

    assert torch.isfinite(benchmark(apply)).all()
    told(benchmark, SECONDS, "seconds of audio")


@pytest.mark.parametrize("way", ["one by one", "together"])
@pytest.mark.parametrize("name", AUGMENTED)
def test_augmenting(benchmark: BenchmarkFixture, name: str, way: str) -> None:
    """Augment a batch of training, 24 crops of 64,600 samples: the same audio both ways."""
    if name not in catalogue().augmentations.names():
        pytest.skip(f"no plugin offers {name}")
    augmenter = Augmenter(
        conditions=[parse_ranges(AUGMENTED[name], catalogue())], share=1.0, seed=0, rate=RATE
    )
    crop = torch.from_numpy(noise(CROP / RATE))
    trials = [
        Trial(utterance=f"U{n}", speaker="s", attack="-", bonafide=True, audio="")
        for n in range(BATCH)
    ]

    def together() -> list[torch.Tensor]:
        return augmenter([crop] * BATCH, trials, 1)

    def one_by_one() -> list[torch.Tensor]:
        return [own for trial in trials for own in augmenter([crop], [trial], 1)]

    assert all(map(torch.equal, together(), one_by_one()))
    benchmark(together if way == "together" else one_by_one)
    told(benchmark, BATCH, "utterances")


def test_table_building(benchmark: BenchmarkFixture) -> None:
    """Render a table of 20 runs by 13 attacks as Markdown."""
    from spoofbench.tables import ResultTable, Row

    metric = catalogue().metrics.get("eer").spec
    groups = ["", *(f"A{n:02d}" for n in range(7, 20))]
    rows = [
        Row(
            run=f"run {run}",
            by="attack" if group else "",
            group=group or "pooled",
            bonafide=1,
            spoof=1,
            values={"eer": 0.01 * run},
        )
        for run in range(20)
        for group in groups
    ]
    table = ResultTable(
        title="T", fingerprint="f", bonafide=1, spoof=1, stamps=(), metrics=(metric,),
        rows=tuple(rows),
    )  # fmt: skip
    write = catalogue().reporters.get("markdown").spec.resolve()

    def render() -> str:
        stream = io.StringIO()
        write([table], stream)
        return stream.getvalue()

    assert "run 19" in benchmark(render)
    told(benchmark, len(rows), "rows")

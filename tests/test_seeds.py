"""Several seeds of one training: mean and deviation, in every table that has them."""

from __future__ import annotations

import json
import re
import statistics
from pathlib import Path

import pytest
from inprocess import run_here

from spoofbench import weights


@pytest.fixture
def here(example: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(example)
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("here")
def test_three_seeds_are_trained_and_their_spread_is_said(tiny):
    done = run_here(
        *("train", "lfcc-linear", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--workers", "0", "--seeds", "3", "--seed", "7"),
    )
    assert done.code == 0, done.err
    files = [Path(line) for line in done.out.split()]
    origins = [weights.origin_of(file) for file in files]
    assert [origin.seed for origin in origins] == [7, 8, 9]
    values = [100 * origin.dev_eer for origin in origins]
    mean, deviation = statistics.mean(values), statistics.stdev(values)
    assert f"dev EER % of 3 seeds: mean (standard deviation) {mean:.2f} ({deviation:.2f})" in (
        done.err
    )
    best = min(range(3), key=lambda place: values[place])
    assert f"best {values[best]:.2f} (seed {7 + best})" in done.err


@pytest.mark.usefixtures("here")
def test_a_table_says_how_far_the_seeds_differ(tiny):
    command = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
    done = run_here("run", "lfcc-linear", *command, "--seeds", "2", "--seed", "3")
    assert done.code == 0, done.err
    assert "lfcc-linear (trained) (2)" in done.out
    said = " ".join(done.out.split())
    stated = re.search(r"seeds 3, 4: mean \(standard deviation\) of EER % (\S+) \((\S+)\)", said)
    assert stated, done.out
    folders = [line.split(": ")[1] for line in done.err.splitlines() if "run folder" in line]
    table = run_here("table", *folders, "--format", "json", "--data", tiny)
    values = [100 * row["eer"] for row in json.loads(table.out)[0]["rows"] if not row["by"]]
    assert len(values) == 2
    assert float(stated[1]) == pytest.approx(statistics.mean(values), abs=0.006)
    assert float(stated[2]) == pytest.approx(statistics.stdev(values), abs=0.006)


@pytest.mark.usefixtures("here")
def test_one_run_has_no_spread(tiny):
    command = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
    done = run_here("run", "lfcc-linear", *command)
    assert "standard deviation" not in done.out


@pytest.mark.usefixtures("here")
def test_weights_and_several_seeds_exclude_each_other(tiny):
    command = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
    trained = run_here("train", "lfcc-linear", "--train", tiny / "tiny-train.toml", "--data", tiny)
    refused = run_here(
        *("run", "lfcc-linear", *command, "--weights", trained.out.strip(), "--seeds", "2")
    )
    assert refused.code == 2
    assert "leave out one of them" in refused.err


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("weights_of", "precisions"),
    [(("best", "best"), ("fp32", "bf16")), (("best", "epoch-0001"), ("fp32", "fp32"))],
    ids=["one model in two precisions", "two checkpoints of one training"],
)
def test_what_differs_by_more_than_a_seed_has_no_mean(tiny, weights_of, precisions):
    trained = run_here(
        *("train", "lfcc-linear", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--workers", "0", "--keep", "2", "--set", "epochs=2"),
    )
    folder = Path(trained.out.strip()).parent
    for name, precision in zip(weights_of, precisions, strict=True):
        run_here(
            *("run", "lfcc-linear", "--protocol", tiny / "tiny-eval.toml", "--data", tiny),
            *("--weights", folder / f"{name}.safetensors", "--workers", "0"),
            *("--precision", precision),
        )
    folders = [file.parent for file in Path("runs").glob("tiny-eval/*/run.json")]
    assert len(folders) == 2
    table = run_here("table", *folders, "--data", tiny)
    assert table.code == 0, table.err
    assert "standard deviation" not in table.out

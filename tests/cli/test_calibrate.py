from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from divided import gaussian, keys_of, terms, write_part, write_scores
from program import Outcome

from spoofbench.calibration.maps import read, read_operating_point


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Dev and eval with scores dev.txt and eval.txt, ratios that were scaled and shifted."""
    root = tmp_path / "corpus"
    for seed, part in enumerate(("dev", "eval")):
        there = terms(write_part(root, part))
        ratios = 2 * gaussian(keys_of(there), np.random.default_rng(seed))
        write_scores(tmp_path / f"{part}.txt", there, 0.2 * ratios + 5)
    return root


@pytest.fixture
def calibrate(corpus: Path, spoofbench_cli) -> Callable[..., Outcome]:
    """Fit on dev.txt and apply to eval.txt, with further arguments."""
    given = ("--apply", "eval.txt", "--protocol", corpus / "eval.toml", "--data", corpus)
    return lambda *more, dev=("--dev", "dev.txt"), out="out": spoofbench_cli(
        "calibrate", *dev, *given, "--out", out, *more
    )


def values(outcome: Outcome) -> dict[tuple[str, str], dict[str, float]]:
    """Return the numbers by protocol and run."""
    assert outcome.code == 0, outcome.err
    rows = csv.DictReader(io.StringIO(outcome.out))
    return {(row["protocol"], row["run"]): row for row in rows}


def test_before_and_after_stand_side_by_side_for_dev_and_eval(calibrate):
    table = values(calibrate("--format", "csv"))
    assert list(table) == [
        ("Divided, dev (dev)", "dev"),
        ("Divided, dev (dev)", "dev, calibrated"),
        ("Divided, eval (eval)", "eval"),
        ("Divided, eval (eval)", "eval, calibrated"),
    ]


@pytest.mark.parametrize("method", ["affine", "isotonic"])
def test_calibration_lowers_what_bad_calibration_costs(calibrate, method: str):
    for title, label in (("Divided, dev (dev)", "dev"), ("Divided, eval (eval)", "eval")):
        table = values(calibrate("--format", "csv", "--method", method, out=f"{method}-{label}"))
        before, after = table[title, label], table[title, f"{label}, calibrated"]
        assert float(after["act-dcf"]) < float(before["act-dcf"])
        assert float(after["cllr"]) < float(before["cllr"])
        assert float(after["cllr"]) >= float(after["min-cllr"])


def test_affine_calibration_leaves_what_depends_on_order_alone(calibrate):
    outcome = calibrate("--format", "csv")
    table = values(outcome)
    before, after = (table["Divided, eval (eval)", run] for run in ("eval", "eval, calibrated"))
    for name in ("eer", "min-dcf", "min-cllr"):
        assert float(after[name]) == pytest.approx(float(before[name]), abs=1e-12)
    assert "EER, min DCF and min Cllr stay" in outcome.out


def test_the_calibrated_copy_is_the_map_of_the_scores(calibrate, tmp_path: Path):
    calibrate()
    line = read(tmp_path / "out" / "calibration.json").map
    for part, folder in (("dev", "dev"), ("eval", "applied")):
        before = [text.split() for text in (tmp_path / f"{part}.txt").read_text().splitlines()]
        copy = (tmp_path / "out" / folder / f"{part}.txt").read_text().splitlines()
        assert [text.split("\t")[0] for text in copy] == [name for name, _ in before]
        expected = [line.slope * float(score) + line.offset for _, score in before]
        assert [float(text.split("\t")[1]) for text in copy] == expected


def test_the_copy_can_be_judged_as_it_is(calibrate, corpus: Path, spoofbench_cli):
    calibrate()
    outcome = spoofbench_cli(
        *("score", "out/applied/eval.txt", "--protocol", corpus / "eval.toml", "--data", corpus)
    )
    assert outcome.code == 0


def test_the_slope_undoes_the_scale_within_its_error(calibrate, tmp_path: Path):
    calibrate()
    line = read(tmp_path / "out" / "calibration.json").map
    assert line.slope == pytest.approx(5, rel=0.25)
    assert line.offset == pytest.approx(-25, rel=0.25)


def test_costs_are_stored_with_their_threshold(calibrate, tmp_path: Path):
    calibrate("--p-spoof", "0.5", "--c-miss", "1", "--c-fa", "1")
    point = read_operating_point(tmp_path / "out" / "calibration.json")
    assert (point.threshold, point.p_spoof, point.c_fa) == (0.0, 0.5, 1.0)


def test_a_stored_calibration_gives_the_same_copy(calibrate, tmp_path: Path):
    calibrate()
    outcome = calibrate(dev=("--calibration", "out/calibration.json"), out="again")
    assert outcome.code == 0
    first, second = (tmp_path / name / "applied" / "eval.txt" for name in ("out", "again"))
    assert first.read_bytes() == second.read_bytes()
    assert not (tmp_path / "again" / "calibration.json").exists()


def test_a_stored_calibration_of_negated_files_negates_again(calibrate, tmp_path: Path):
    for part in ("dev", "eval"):
        lines = [line.split() for line in (tmp_path / f"{part}.txt").read_text().splitlines()]
        text = "".join(f"{name} {-float(score)!r}\n" for name, score in lines)
        (tmp_path / f"{part}.txt").write_text(text)
    assert "--negate" in calibrate().err
    assert calibrate("--negate").code == 0
    assert read_operating_point(tmp_path / "out" / "calibration.json").negated
    again = calibrate(dev=("--calibration", "out/calibration.json"), out="again")
    assert again.code == 0
    first, second = (tmp_path / name / "applied" / "eval.txt" for name in ("out", "again"))
    assert first.read_bytes() == second.read_bytes()


def test_a_stored_calibration_says_so_on_what_it_was_fitted_on(
    calibrate, corpus: Path, spoofbench_cli
):
    calibrate()
    outcome = spoofbench_cli(
        *("calibrate", "--calibration", "out/calibration.json", "--apply", "dev.txt"),
        *("--protocol", corpus / "dev.toml", "--data", corpus, "--out", "again"),
    )
    assert (outcome.code, "fitted on dev: these numbers flatter" in outcome.out) == (0, True)


def test_several_files_are_calibrated_at_once(calibrate, tmp_path: Path):
    (tmp_path / "other.txt").write_text((tmp_path / "eval.txt").read_text())
    calibrate("--apply", "other.txt")
    copies = sorted(file.name for file in (tmp_path / "out" / "applied").iterdir())
    assert copies == ["eval.txt", "other.txt"]


def refused(outcome: Outcome, said: str) -> None:
    assert (outcome.code, said in outcome.err, outcome.out) == (2, True, ""), outcome


def test_nothing_is_replaced(calibrate, tmp_path: Path):
    calibrate()
    before = (tmp_path / "out" / "calibration.json").read_bytes()
    refused(calibrate("--p-spoof", "0.5"), "exists already")
    assert (tmp_path / "out" / "calibration.json").read_bytes() == before


def test_an_eval_protocol_is_refused_before_its_keys_are_read(calibrate, tmp_path: Path):
    refused(calibrate("--dev-protocol", "la-eval"), "la-eval is an eval protocol")
    assert not (tmp_path / "out").exists()


def test_shared_utterances_are_refused(calibrate, corpus: Path):
    file = write_part(corpus, "more", called="eval", role="dev")
    refused(calibrate("--dev-protocol", file), "1,000 utterances are in more and in eval")


def test_without_anything_to_fit_on_it_is_said_what_to_give(calibrate):
    refused(calibrate(dev=()), "give --dev FILE, or --calibration FILE")


@pytest.mark.parametrize(
    "option", [("--p-spoof", "0"), ("--method", "affine"), ("--ridge", "0"), ("--dev", "dev.txt")]
)
def test_what_a_stored_calibration_fixes_may_not_be_said_again(calibrate, option):
    given = ("--calibration", "out/calibration.json")
    refused(calibrate(*option, dev=given), f"{option[0]} would change nothing")


def test_a_calibration_file_with_faults_is_refused(calibrate, tmp_path: Path):
    calibrate()
    file = tmp_path / "out" / "calibration.json"
    table = json.loads(file.read_text())
    table["map"]["slope"] = -1
    file.write_text(json.dumps(table))
    refused(calibrate(dev=("--calibration", file), out="again"), "map.affine.slope")


def test_separated_classes_are_refused_with_the_way_out(calibrate, corpus: Path, tmp_path: Path):
    there = terms(corpus / "dev.toml")
    write_scores(tmp_path / "dev.txt", there, np.where(keys_of(there), 1.0, -1.0))
    refused(calibrate(), "no threshold on dev makes an error")
    assert calibrate("--ridge", "0.01").code == 0
    assert calibrate("--method", "isotonic", out="steps").code == 0


def test_a_protocol_without_dev_asks_for_one(corpus: Path, spoofbench_cli):
    outcome = spoofbench_cli(
        *("calibrate", "--dev", "eval.txt", "--apply", "dev.txt", "--out", "out"),
        *("--protocol", corpus / "dev.toml", "--data", corpus),
    )
    refused(outcome, "--dev-protocol")

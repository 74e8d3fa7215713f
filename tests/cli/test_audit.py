"""``spoofbench audit`` on the tiny corpus, whose classes differ in everything."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from inprocess import Spoofbench
from tiny import write_corpus

NAMES = ("silence", "channel", "duration", "loudness", "bandwidth")


@pytest.fixture
def audit(tiny: Path, spoofbench_cli: Spoofbench):
    def call(*args: str | Path):
        return spoofbench_cli(
            "audit", "--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0", *args
        )

    return call


def rows(text: str) -> dict[str, dict[str, str]]:
    return {row["run"]: row for row in csv.DictReader(io.StringIO(text))}


def test_every_shortcut_is_judged_with_an_interval(audit):
    done = audit("--format", "csv", "--ci", "trial")
    assert done.code == 0, done.err
    found = rows(done.out)
    assert set(found) == {f"shortcut-{name} (trained)" for name in NAMES}
    for row in found.values():
        assert float(row["eer_low"]) <= float(row["eer"]) <= float(row["eer_high"])


def test_a_tone_is_told_from_noise_by_its_band_but_not_by_its_length(audit):
    """All recordings are 0.3 s; bona fide tones lie below 2 kHz, noise reaches up to 8."""
    found = rows(audit("--format", "csv", "--ci", "trial").out)
    assert float(found["shortcut-bandwidth (trained)"]["eer"]) == 0
    assert float(found["shortcut-duration (trained)"]["eer"]) == pytest.approx(0.5)


def test_words_say_what_the_numbers_mean(audit):
    said = audit("--ci", "trial").out
    assert "tells the classes apart" in said
    assert "here that says nothing of the class" in said


def test_what_was_done_before_is_not_done_again(audit, tmp_path: Path):
    audit("--ci", "trial")
    before = {f: f.stat().st_mtime_ns for f in (tmp_path / "runs").rglob("*") if f.is_file()}
    again = audit("--ci", "trial")
    assert again.code == 0
    assert {f: f.stat().st_mtime_ns for f in before} == before
    assert "measuring" not in again.err


def test_a_model_that_was_judged_before_stands_beside_them(
    audit, tiny: Path, spoofbench_cli: Spoofbench, example: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(example)
    protocol = ("--protocol", tiny / "tiny-eval.toml", "--data", tiny, "--workers", "0")
    assert spoofbench_cli("run", "lfcc-linear", *protocol).code == 0
    said = audit("--ci", "trial").out
    assert "lfcc-linear (trained): EER" in said
    assert "nothing here shows that it hears more" in " ".join(said.split())


def test_tables_of_a_protocol_that_asks_for_it_show_the_shortcuts(
    tmp_path: Path, spoofbench_cli: Spoofbench
):
    root = tmp_path / "corpus"
    write_corpus(root)
    protocol = root / "tiny-eval.toml"
    protocol.write_text(
        protocol.read_text().replace('by = ["attack"]', 'by = ["attack"]\naudit = true')
    )
    where = ("--protocol", protocol, "--data", root, "--workers", "0", "--format", "json")
    first = spoofbench_cli("run", "shortcut-duration", *where)
    assert first.code == 0, first.err
    said = json.loads(first.out)
    (table,) = said["tables"] if isinstance(said, dict) else said
    assert len({row["run"] for row in table["rows"]}) == 5
    limited = spoofbench_cli("run", "shortcut-duration", *where[:-2], "--limit", "6")
    assert "shortcut-channel" not in limited.out


def test_eval_protocols_without_a_train_part_are_told(spoofbench_cli: Spoofbench, tmp_path: Path):
    from tiny import write_keys

    protocol = write_keys(tmp_path / "keyed")
    done = spoofbench_cli("audit", "--protocol", protocol, "--data", tmp_path / "keyed")
    assert done.code == 2
    assert "Traceback" not in done.err


def test_a_shortcut_takes_no_recipe(tiny: Path, spoofbench_cli: Spoofbench):
    done = spoofbench_cli(
        *("train", "shortcut-channel", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--set", "epochs=3"),
    )
    assert done.code == 2
    assert "is fitted at once, so no recipe changes it" in done.err


def test_a_shortcut_is_trained_like_any_other_model(tiny: Path, spoofbench_cli: Spoofbench):
    done = spoofbench_cli(
        *("train", "shortcut-channel", "--train", tiny / "tiny-train.toml", "--data", tiny),
        *("--workers", "0"),
    )
    assert done.code == 0, done.err
    assert "recipe    fitted at once" in done.err
    weights = Path(done.out.strip())
    assert weights.name == "best.safetensors"

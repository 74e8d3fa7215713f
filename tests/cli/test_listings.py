from __future__ import annotations

from pathlib import Path

import pytest

from spoofbench.plugins import catalogue


@pytest.mark.parametrize(
    ("command", "name"),
    [
        ("models", "aasist"),
        ("protocols", "la-eval"),
        ("datasets", "table"),
        ("metrics", "min-tdcf-2021"),
        ("objectives", "oc-softmax"),
        ("reporters", "latex"),
        ("trackers", "tensorboard"),
        ("plugins", "asvspoof"),
    ],
)
def test_a_listing_names_what_is_on_offer(spoofbench_cli, command: str, name: str):
    outcome = spoofbench_cli(command)
    assert (outcome.code, name in outcome.out.split()) == (0, True)


@pytest.mark.parametrize(
    "command", ["models", "protocols", "metrics", "reporters", "trackers", "plugins"]
)
def test_a_listing_says_from_which_distribution(spoofbench_cli, command: str):
    assert "spoofbench 0.1.0" in " ".join(spoofbench_cli(command).out.split())


def test_models_say_which_weights_are_published(spoofbench_cli):
    (line,) = (s for s in spoofbench_cli("models").out.splitlines() if s.startswith("aasist-l "))
    assert "official" in line


def test_objectives_say_whether_they_judge_and_what_their_options_are(spoofbench_cli):
    lines = spoofbench_cli("objectives").out.splitlines()
    rows = {line.split()[0]: " ".join(line.split()) for line in lines if line.strip()}
    assert " yes bonafide_margin 0.9, spoof_margin 0.2, scale 20 " in rows["oc-softmax"]
    assert " no reversal 0 " in rows["speaker"]


def test_protocols_say_what_else_they_are_called(spoofbench_cli):
    lines = spoofbench_cli("protocols").out.splitlines()
    (line,) = (line for line in lines if line.startswith("toy-eval "))
    assert " toy " in line


def test_a_kind_that_nobody_offers_is_said_to_be_so(spoofbench_cli):
    blocked = ",".join(offer.plugin.name for offer in catalogue().models)
    outcome = spoofbench_cli("models", env={"SPOOFBENCH_BLOCK": blocked})
    assert (outcome.code, outcome.out.splitlines()[0]) == (0, "no plugin offers models")


def test_a_blocked_plugin_is_listed_as_blocked(spoofbench_cli):
    outcome = spoofbench_cli("plugins", env={"SPOOFBENCH_BLOCK": "toy"})
    assert "blocked by the settings: toy (spoofbench 0.1.0)" in outcome.out


def test_a_plugin_that_cannot_be_loaded_is_said_with_its_reason(
    spoofbench_cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(install_broken(tmp_path))
    outcome = spoofbench_cli("models")
    assert "not loaded: broken (broken-plugin 3.0): ZeroDivisionError" in outcome.err


def test_a_plugin_that_cannot_be_loaded_stops_nothing(
    spoofbench_cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.syspath_prepend(install_broken(tmp_path))
    outcome = spoofbench_cli("models")
    assert (outcome.code, "aasist" in outcome.out) == (0, True)


def install_broken(folder: Path) -> str:
    info = folder / "broken_plugin-3.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-plugin\nVersion: 3.0\n")
    (info / "entry_points.txt").write_text("[spoofbench]\nbroken = broken_module\n")
    (folder / "broken_module.py").write_text("1 / 0\n")
    return str(folder)


def test_a_model_is_shown_with_its_size_its_weights_and_what_was_published(spoofbench_cli):
    shown = spoofbench_cli("models", "rawgat-st")
    assert shown.code == 0
    for said in (
        "440,810",
        "64,600 samples, 16 kHz",
        "(1,858,500 bytes, MIT)",
        "0.0106 (https://arxiv.org/abs/2107.12710, the published weights)",
        "spoofbench_aasist:rawgat_st.toml",
    ):
        assert said in " ".join(shown.out.split())


def test_an_unknown_model_is_refused_with_the_nearest(spoofbench_cli):
    refused = spoofbench_cli("models", "rawgat")
    assert refused.code == 2
    assert "did you mean 'rawgat-st'?" in refused.err

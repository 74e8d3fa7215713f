"""The public corpora in miniature: every official layout gives the trials that it lists."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from inprocess import Spoofbench
from miniatures import protocol_file, write_asv_2021, write_keys

from spoofbench.corpora import Parts, read_parts
from spoofbench.errors import IncompleteCorpus
from spoofbench.groups import groups_of
from spoofbench.plugins import catalogue
from spoofbench.protocols import Protocol, read

COUNTS = {
    "la21-eval": {"trials": 8},
    "la21-progress": {"trials": 2},
    "la21-hidden": {"trials": 2},
    "df21-eval": {"bonafide": 1, "spoof": 1},
    "df21-progress": {"trials": 1},
    "df21-hidden": {"trials": 1},
    "pa21-eval": {"trials": 2},
    "pa21-progress": {"trials": 2},
    "pa21-hidden1": {"trials": 1},
    "pa21-hidden2": {"trials": 1},
    "asv5-track1-train": {"bonafide": 1, "spoof": 1},
    "asv5-track1-dev": {"bonafide": 1, "spoof": 1},
    "asv5-track1-eval": {"bonafide": 1, "spoof": 2},
    "in-the-wild": {"bonafide": 1, "spoof": 2},
}
UTTERANCES = {
    "la21-eval": [
        *("LA_E_9332881", "LA_E_7294490", "LA_E_0000003", "LA_E_0000004"),
        *("LA_E_0000005", "LA_E_0000006", "LA_E_0000007", "LA_E_0000008"),
    ],
    "la21-progress": ["LA_E_0000009", "LA_E_0000010"],
    "la21-hidden": ["LA_E_0000011", "LA_E_0000012"],
    "df21-eval": ["DF_E_2000012", "DF_E_2000013"],
    "df21-progress": ["DF_E_2000011"],
    "df21-hidden": ["DF_E_2000014"],
    "pa21-eval": ["PA_E_1000001", "PA_E_1000002"],
    "pa21-progress": ["PA_E_1000003", "PA_E_1000004"],
    "pa21-hidden1": ["PA_E_1000005"],
    "pa21-hidden2": ["PA_E_1000006"],
    "asv5-track1-train": ["T_0000000000", "T_0000000011"],
    "asv5-track1-dev": ["D_0000000001", "D_0000000190"],
    "asv5-track1-eval": ["E_0009538969", "E_0009538970", "E_0009538971"],
    "in-the-wild": ["0.wav", "1.wav", "2.wav"],
}
AUDIO = {
    "la21-eval": "ASVspoof2021_LA_eval/flac/LA_E_9332881.flac",
    "df21-eval": "ASVspoof2021_DF_eval/flac/DF_E_2000012.flac",
    "pa21-eval": "ASVspoof2021_PA_eval/flac/PA_E_1000001.flac",
    "asv5-track1-train": "flac_T/T_0000000000.flac",
    "asv5-track1-dev": "flac_D/D_0000000001.flac",
    "asv5-track1-eval": "flac_E_eval/E_0009538969.flac",
    "in-the-wild": "0.wav",
}
ASV_LA = """\
LA_0007-alaw-ita_tx LA_E_1-alaw-ita_tx alaw ita_tx bonafide target notrim eval 2
LA_0007-alaw-ita_tx LA_E_2-alaw-ita_tx alaw ita_tx bonafide target notrim eval 3
LA_0007-alaw-ita_tx LA_E_3-alaw-ita_tx alaw ita_tx bonafide nontarget notrim eval -2
LA_0007-alaw-ita_tx LA_E_4-alaw-ita_tx alaw ita_tx bonafide nontarget notrim eval -3
LA_0013-alaw-ita_tx LA2021-LA_E_5 alaw ita_tx A07 spoof notrim eval 4
LA_0013-alaw-ita_tx LA2021-LA_E_6 alaw loc_tx A08 spoof notrim eval 4
LA_0007-g722-loc_tx LA_E_1-g722-loc_tx g722 loc_tx bonafide target notrim eval 2
LA_0007-g722-loc_tx LA_E_2-g722-loc_tx g722 sin_tx bonafide target notrim eval 3
LA_0007-g722-loc_tx LA_E_3-g722-loc_tx g722 loc_tx bonafide nontarget notrim eval -2
LA_0007-g722-loc_tx LA_E_4-g722-loc_tx g722 sin_tx bonafide nontarget notrim eval -3
LA_0013-g722-loc_tx LA2021-LA_E_7 g722 loc_tx A07 spoof notrim eval 4
LA_0013-g722-sin_tx LA2021-LA_E_8 g722 sin_tx A08 spoof notrim eval -4
LA_0013-g722-sin_tx LA2021-LA_E_9 g722 sin_tx A08 spoof notrim progress 4
"""
"""ASV trials that part targets and non-targets: under alaw all spoofs score high, under g722 one of
the two of subset eval does."""


def miniature(name: str, root: Path) -> Protocol:
    write_keys(name, root)
    return read(protocol_file(name, root, **COUNTS[name]))


def parts_of(name: str, root: Path) -> Parts:
    return read_parts(miniature(name, root), catalogue(), root)


@pytest.mark.parametrize("name", COUNTS)
def test_a_protocol_takes_its_own_trials_from_the_key_file(name: str, tmp_path: Path):
    chosen = parts_of(name, tmp_path).chosen
    assert [trial.utterance for trial in chosen] == UTTERANCES[name]


@pytest.mark.parametrize("name", ["la21-eval", "df21-progress", "pa21-hidden2"])
def test_trials_of_other_subsets_are_known_and_left_out(name: str, tmp_path: Path):
    parts = parts_of(name, tmp_path)
    others = {u for other, us in UTTERANCES.items() if other[:4] == name[:4] for u in us}
    assert {t.utterance for t in parts.left_out} == others - set(UTTERANCES[name])


@pytest.mark.parametrize("name", AUDIO)
def test_audio_is_where_the_archives_put_it(name: str, tmp_path: Path):
    assert parts_of(name, tmp_path).chosen[0].audio == AUDIO[name]


@pytest.mark.parametrize("name", COUNTS)
def test_a_trial_has_an_attack_if_and_only_if_it_is_a_spoof(name: str, tmp_path: Path):
    for trial in parts_of(name, tmp_path).chosen:
        assert (trial.attack == "-") is trial.bonafide


@pytest.mark.parametrize("name", COUNTS)
def test_every_breakdown_of_a_protocol_can_be_made(name: str, tmp_path: Path):
    protocol = miniature(name, tmp_path)
    trials = read_parts(protocol, catalogue(), tmp_path).chosen
    if any(not trial.bonafide for trial in trials):
        groups = groups_of(trials, protocol.report.by, None, joint=False)
        assert {group.by for group in groups} == {"", *protocol.report.by}


@pytest.mark.parametrize(
    ("name", "place", "columns"),
    [
        (
            "la21-eval",
            0,
            {"codec": "alaw", "transmission": "ita_tx", "trim": "notrim", "subset": "eval"},
        ),
        (
            "df21-eval",
            1,
            {
                "codec": "low_mp3",
                "source": "vcc2020",
                "trim": "notrim",
                "subset": "eval",
                "vocoder": "waveform_concatenation",
                "task": "Task1",
                "team": "team20",
                "gender-pair": "FF",
                "language": "E",
            },
        ),
        (
            "pa21-eval",
            0,
            {
                "room": "R3",
                "microphone": "M3",
                "distance": "d4",
                "attacker-room": "r1",
                "attacker-microphone": "m1",
                "replay-device": "s4",
                "attacker-distance": "c4",
                "trim": "notrim",
                "subset": "eval",
            },
        ),
        (
            "asv5-track1-eval",
            0,
            {"gender": "M", "codec": "C05", "codec-quality": "2", "attack-tag": "AC1"},
        ),
        ("in-the-wild", 0, {}),
    ],
)
def test_what_else_the_key_file_says_is_kept(
    name: str, place: int, columns: dict[str, str], tmp_path: Path
):
    assert parts_of(name, tmp_path).chosen[place].columns == columns


@pytest.mark.parametrize(
    ("name", "place", "speaker", "attack"),
    [
        ("la21-eval", 0, "LA_0009", "A07"),
        ("df21-eval", 1, "TEM1", "Task1-team20"),
        ("pa21-eval", 0, "PA_0010", "spoof"),
        ("asv5-track1-train", 0, "T_4850", "A05"),
        ("in-the-wild", 2, "Guinness, Alec", "-"),
    ],
)
def test_speakers_and_attacks_are_read(
    name: str, place: int, speaker: str, attack: str, tmp_path: Path
):
    trial = parts_of(name, tmp_path).chosen[place]
    assert (trial.speaker, trial.attack) == (speaker, attack)


def test_the_first_name_of_the_hidden_subset_is_understood(tmp_path: Path):
    protocol = miniature("la21-hidden", tmp_path)
    keys = tmp_path / protocol.data.keys
    keys.write_text(keys.read_text().replace(" hidden\n", " hidden_track\n"))
    assert len(read_parts(protocol, catalogue(), tmp_path).chosen) == 2


def test_a_subset_that_was_cut_is_refused_with_both_counts(tmp_path: Path):
    protocol = miniature("la21-eval", tmp_path)
    keys = tmp_path / protocol.data.keys
    keys.write_text("".join(keys.read_text().splitlines(keepends=True)[1:]))
    with pytest.raises(IncompleteCorpus, match="lists 7 such trials, the protocol expects 8"):
        read_parts(protocol, catalogue(), tmp_path)


@pytest.mark.parametrize("name", ["la21-eval", "asv5-track1-dev", "in-the-wild"])
def test_a_corpus_that_is_whole_passes_the_check(
    name: str, tmp_path: Path, spoofbench_cli: Spoofbench
):
    for trial in parts_of(name, tmp_path).chosen:
        (tmp_path / trial.audio).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / trial.audio).touch()
    write_asv_2021(tmp_path, ASV_LA)
    checked = spoofbench_cli("data", "check", tmp_path / f"{name}.toml", "--data", tmp_path)
    assert checked.code == 0, checked.out
    assert "every recording is there" in checked.out


def test_the_asv_scores_of_another_part_are_a_fault_of_the_corpus(
    tmp_path: Path, spoofbench_cli: Spoofbench
):
    miniature("la21-eval", tmp_path)
    write_asv_2021(tmp_path, ASV_LA.replace(" A07 ", " A01 ").replace(" A08 ", " A02 "))
    checked = spoofbench_cli("data", "check", tmp_path / "la21-eval.toml", "--data", tmp_path)
    assert checked.code == 2
    assert "A01, A02; those of la21-eval say: A07, A08" in checked.out


@pytest.mark.parametrize("reverse", [False, True])
def test_the_tandem_cost_of_2021_takes_the_asv_system_under_the_same_codec(
    tmp_path: Path, spoofbench_cli: Spoofbench, reverse: bool
):
    chosen = parts_of("la21-eval", tmp_path).chosen
    write_asv_2021(tmp_path, ASV_LA, reverse=reverse)
    # Under alaw and g722 alike: bona fide 1 and 3, spoofs 2 and 0.
    scores = [2, 1, 0, 3, 2, 1, 0, 3]
    (tmp_path / "scores.txt").write_text(
        "".join(f"{t.utterance} {score}\n" for t, score in zip(chosen, scores, strict=True))
    )
    judged = spoofbench_cli(
        *("score", tmp_path / "scores.txt", "--protocol", tmp_path / "la21-eval.toml"),
        *("--data", tmp_path, "--format", "json"),
    )
    assert judged.code == 0, judged.err
    rows = json.loads(judged.out)[0]["rows"]
    costs = {row["group"]: row["min-tdcf-2021"] for row in rows if row["by"] == "codec"}
    # The threshold of each ASV system is the highest score that it rejects at its EER of 0: -2. It
    # accepts one of two non-targets, no target is missed, and of spoofs all under alaw, half under
    # g722: C0 = 0.0095 x 10 x 0.5, C1 = 0.9405 - C0, C2 = 0.05 x 10 x (share of accepted spoofs).
    # The best threshold of the countermeasure accepts half the spoofs and misses nothing.
    c0 = 0.0475
    assert costs["alaw"] == pytest.approx((c0 + 0.5 * 0.5) / (c0 + 0.5))
    assert costs["g722"] == pytest.approx((c0 + 0.25 * 0.5) / (c0 + 0.25))

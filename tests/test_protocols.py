from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from spoofbench.errors import InvalidProtocol, UnknownName
from spoofbench.plugins import catalogue
from spoofbench.protocols import Protocol, load, read

SHIPPED = sorted(
    file.name.removesuffix(".toml")
    for file in files("spoofbench_protocols").iterdir()
    if file.name.endswith(".toml")
)
WHOLE = """\
schema = 1
title = "Mine"
role = "eval"

[data]
reader = "table"
corpus = "mine"
keys = "keys.txt"
columns = ["utterance", "codec", "attack", "key"]
audio = "{codec}/{utterance}.flac"

[report]
metrics = ["eer"]
by = ["attack", "codec"]

[tandem]
scores = "asv.txt"
"""


def protocol(tmp_path: Path, text: str) -> Protocol:
    file = tmp_path / "mine.toml"
    file.write_text(text)
    return read(file)


def fault(tmp_path: Path, old: str, new: str) -> InvalidProtocol:
    assert old in WHOLE
    with pytest.raises(InvalidProtocol) as raised:
        protocol(tmp_path, WHOLE.replace(old, new))
    return raised.value


def line_of(text: str) -> int:
    return WHOLE[: WHOLE.index(text)].count("\n") + 1


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_protocol_loads_by_its_name(name: str):
    assert load(name, catalogue()).name == name


@pytest.mark.parametrize("name", SHIPPED)
def test_what_a_shipped_protocol_names_is_on_offer(name: str):
    known = catalogue()
    loaded = load(name, known)
    known.datasets.get(loaded.data.reader)
    known.corpora.get(loaded.data.corpus)
    for metric in loaded.report.metrics:
        known.metrics.get(metric)


@pytest.mark.parametrize("name", SHIPPED)
def test_train_and_dev_of_a_shipped_protocol_have_these_roles(name: str):
    known = catalogue()
    loaded = load(name, known)
    for role in ("train", "dev"):
        if other := getattr(loaded, role):
            assert load(other, known).role == role


@pytest.mark.parametrize("name", SHIPPED)
def test_a_shipped_protocol_without_a_training_set_is_none_to_be_tested_on(name: str):
    loaded = load(name, catalogue())
    assert loaded.train or loaded.role == "train"


@pytest.mark.parametrize(
    ("name", "bonafide", "spoof"),
    [  # the tables of Wang et al. (2020), doi:10.1016/j.csl.2020.101114
        ("la-train", 2_580, 22_800),
        ("la-dev", 2_548, 22_296),
        ("la-eval", 7_355, 63_882),
        ("pa-train", 5_400, 48_600),
        ("pa-dev", 5_400, 24_300),
        ("pa-eval", 18_090, 116_640),
    ],
)
def test_the_parts_of_asvspoof_2019_have_the_published_counts(name: str, bonafide: int, spoof: int):
    expect = load(name, catalogue()).expect
    assert (expect.bonafide, expect.spoof) == (bonafide, spoof)


@pytest.mark.parametrize(
    ("name", "bonafide", "spoof"),
    [
        ("df21-eval", 14_869, 519_059),
        ("asv5-track1-train", 18_797, 163_560),
        ("asv5-track1-dev", 31_334, 109_616),
        ("asv5-track1-eval", 138_688, 542_086),
        ("in-the-wild", 19_963, 11_816),
    ],
)
def test_later_corpora_have_the_published_counts(name: str, bonafide: int, spoof: int):
    expect = load(name, catalogue()).expect
    assert (expect.bonafide, expect.spoof) == (bonafide, spoof)


@pytest.mark.parametrize(
    ("track", "subsets", "total"),
    [  # lines of keys/*/CM/trial_metadata.txt
        ("la21", ("eval", "progress", "hidden"), 181_566),
        ("df21", ("eval", "progress", "hidden"), 611_829),
        ("pa21", ("eval", "progress", "hidden1", "hidden2"), 943_110),
    ],
)
def test_the_subsets_of_a_track_of_2021_are_the_whole_key_file(
    track: str, subsets: tuple[str, ...], total: int
):
    known = catalogue()
    assert sum(load(f"{track}-{subset}", known).trial_count for subset in subsets) == total


@pytest.mark.parametrize("name", [name for name in SHIPPED if "21-" in name])
def test_the_asv_scores_of_2021_are_of_the_same_subset(name: str):
    loaded = load(name, catalogue())
    assert loaded.data.only
    assert loaded.tandem is None or loaded.tandem.only == loaded.data.only


@pytest.mark.parametrize("name", [name for name in SHIPPED if "21-" in name])
def test_a_model_for_2021_is_trained_on_the_track_of_2019(name: str):
    loaded = load(name, catalogue())
    track = "pa" if name.startswith("pa") else "la"
    assert (loaded.train, loaded.dev) == (f"{track}-train", f"{track}-dev")


@pytest.mark.parametrize("part", ["dev", "eval"])
def test_the_costs_of_asvspoof_5_are_those_of_its_evaluation_plan(part: str):
    detection = load(f"asv5-track1-{part}", catalogue()).detection
    assert (detection.p_spoof, detection.c_miss, detection.c_fa) == (0.05, 1, 10)


def test_a_total_stands_in_for_the_two_classes(tmp_path: Path):
    text = WHOLE.replace("[tandem]", "[expect]\ntrials = 12\n\n[tandem]")
    assert protocol(tmp_path, text).trial_count == 12


def test_two_classes_sum_to_the_number_of_trials(tmp_path: Path):
    text = WHOLE.replace("[tandem]", "[expect]\nbonafide = 5\nspoof = 7\n\n[tandem]")
    assert protocol(tmp_path, text).trial_count == 12


def test_without_expectations_the_number_of_trials_is_open(tmp_path: Path):
    assert protocol(tmp_path, WHOLE).trial_count is None


@pytest.mark.parametrize(
    "counts", ["", "bonafide = 5", "spoof = 7", "trials = 12\nspoof = 7", "trials = -1"]
)
def test_expectations_are_of_both_classes_or_of_all_trials(tmp_path: Path, counts: str):
    error = fault(tmp_path, "[tandem]", f"[expect]\n{counts}\n\n[tandem]")
    assert "expect" in str(error)


@pytest.mark.parametrize("corpus", ["csv:/etc/hosts", "folder:/etc"])
def test_a_protocol_file_cannot_pretend_to_be_one_s_own_audio(tmp_path: Path, corpus: str):
    error = fault(tmp_path, 'corpus = "mine"', f'corpus = "{corpus}"')
    assert f"a corpus cannot be called '{corpus}'" in str(error)


def test_a_path_can_stand_in_for_the_utterance(tmp_path: Path):
    text = WHOLE.replace('"utterance"', '"path"').replace("{utterance}", "{path}")
    assert "path" in protocol(tmp_path, text).data.columns


def test_toy_is_the_evaluation_part_of_the_generated_corpus():
    assert load("toy", catalogue()).name == "toy-eval"


@pytest.mark.parametrize("name", [name for name in SHIPPED if name.startswith("toy")])
def test_every_table_of_the_generated_corpus_says_that_nobody_speaks(name: str):
    assert "no human speech" in load(name, catalogue()).stamp


def test_a_protocol_file_is_called_like_itself(tmp_path: Path):
    assert protocol(tmp_path, WHOLE).name == "mine"


def test_a_path_to_a_file_loads_that_file(tmp_path: Path):
    (tmp_path / "other.toml").write_text(WHOLE)
    assert load(str(tmp_path / "other.toml"), catalogue()).title == "Mine"


def test_a_path_to_no_file_is_an_error_that_names_it(tmp_path: Path):
    with pytest.raises(InvalidProtocol, match=r"none\.toml"):
        load(str(tmp_path / "none.toml"), catalogue())


def test_an_unknown_protocol_gets_the_nearest_name():
    with pytest.raises(UnknownName) as raised:
        load("la-evl", catalogue())
    assert raised.value.hint == "did you mean 'la-eval'?"


def test_a_file_may_not_name_itself(tmp_path: Path):
    with pytest.raises(InvalidProtocol, match="unknown key 'name'"):
        protocol(tmp_path, 'name = "other"\n' + WHOLE)


@pytest.mark.parametrize(
    ("old", "new", "nearest"),
    [
        ("title", "titel", "title"),
        ("schema", "shema", "schema"),
        ("[report]", "[reports]", "report"),
        ("reader", "raeder", "reader"),
        ("[tandem]", "[tandem]\np_spof = 0.05", "p_spoof"),
    ],
)
def test_an_unknown_key_gets_the_nearest_one(tmp_path: Path, old: str, new: str, nearest: str):
    with pytest.raises(InvalidProtocol) as raised:
        protocol(tmp_path, WHOLE.replace(old, new, 1))
    assert raised.value.hint == f"did you mean '{nearest}'?"


@pytest.mark.parametrize("key", ["title", "role", "reader", "corpus", "keys", "columns", "audio"])
def test_a_missing_key_is_named(tmp_path: Path, key: str):
    lines = [line for line in WHOLE.splitlines() if not line.startswith(f"{key} =")]
    with pytest.raises(InvalidProtocol, match=rf"{key}' is missing"):
        protocol(tmp_path, "\n".join(lines))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"Mine"', "5"),
        ('"eval"', '"test"'),
        ("schema = 1", "schema = 2"),
        ('["eer"]', '"eer"'),
        ('["eer"]', "[]"),
        ('["utterance", "codec", "attack", "key"]', "5"),
        ('"{codec}/{utterance}.flac"', '"{codec}/{utterance}.flac"\nsample_rate = "16000"'),
        ('"{codec}/{utterance}.flac"', '"{codec}/{utterance}.flac"\nsample_rate = 0'),
        ('"asv.txt"', '"asv.txt"\nc_fa = "ten"'),
        ("[tandem]", "[expect]\nbonafide = 5\nspoof = -1\n\n[tandem]"),
    ],
)
def test_a_mistyped_value_names_file_and_line(tmp_path: Path, old: str, new: str):
    line = line_of(old) + new.count("\n", 0, max(new.find("sample"), new.find("c_fa"), 0))
    line += 2 if "spoof = -1" in new else 0
    assert f"mine.toml, line {line}:" in str(fault(tmp_path, old, new))


@pytest.mark.parametrize("path", ["/etc/passwd", "../other/keys.txt", "a/../../b", "a\\\\b"])
@pytest.mark.parametrize("key", ['"keys.txt"', '"asv.txt"', '"{codec}/{utterance}.flac"'])
def test_a_path_that_leaves_the_corpus_is_refused(tmp_path: Path, key: str, path: str):
    assert "below the corpus" in str(fault(tmp_path, key, f'"{path}"'))


@pytest.mark.parametrize("column", ["utterance", "key"])
def test_the_key_file_must_have_these_columns(tmp_path: Path, column: str):
    assert f"lacks '{column}'" in str(fault(tmp_path, f'"{column}"', '"-"'))


@pytest.mark.parametrize("audio", ["{other}.flac", "{}.flac", "{utterance.__class__}", "{utter"])
def test_a_name_in_braces_must_be_a_column(tmp_path: Path, audio: str):
    assert "mine.toml, line 5" in str(fault(tmp_path, '"{codec}/{utterance}.flac"', f'"{audio}"'))


@pytest.mark.parametrize("column", ["environment", "key", "utterance", "path", "-"])
def test_a_breakdown_must_be_by_a_column_that_makes_groups(tmp_path: Path, column: str):
    error = fault(tmp_path, '["attack", "codec"]', f'["attack", "{column}"]')
    assert f"'{column}'" in str(error)


@pytest.mark.parametrize(
    "costs", ["p_spoof = 0.5", "p_target = -0.1", "c_miss = 0.0", "c_fa = -1.0", "c_fa = inf"]
)
def test_priors_and_costs_that_make_no_sense_are_refused(tmp_path: Path, costs: str):
    error = fault(tmp_path, "[tandem]", f"[tandem]\n{costs}")
    assert "mine.toml, line" in str(error)


def test_a_recipe_is_for_train_protocols_only(tmp_path: Path):
    error = fault(tmp_path, "[tandem]", "[training]\nepochs = 2\n\n[tandem]")
    assert "train protocol" in str(error)


@pytest.mark.parametrize("line", ["epoch = 2", 'epochs = "two"', "epochs = 0"])
def test_a_recipe_that_is_wrong_is_an_error_of_one_line_that_names_the_key(
    tmp_path: Path, line: str
):
    text = WHOLE.replace('"eval"', '"train"') + f"\n[training]\n{line}\n"
    with pytest.raises(InvalidProtocol) as raised:
        protocol(tmp_path, text)
    assert line.split()[0] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_file_that_is_no_text_is_an_error(tmp_path: Path):
    (tmp_path / "mine.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InvalidProtocol, match="cannot be read"):
        read(tmp_path / "mine.toml")


def test_train_and_dev_files_are_looked_for_beside_the_protocol_file(tmp_path, monkeypatch):
    monkeypatch.chdir("/")
    (tmp_path / "mine.toml").write_text('train = "my-train.toml"\ndev = "la-dev"\n' + WHOLE)
    mine = load(str(tmp_path / "mine.toml"), catalogue())
    assert (mine.train, mine.dev) == (str(tmp_path / "my-train.toml"), "la-dev")

"""The plugins in tests/third_party, installed by pip and used in processes of their own."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
from program import Outcome, run_program, run_python
from strangers import install

import spoofbench

Program = Callable[..., Outcome]


@pytest.fixture(scope="module")
def program(example: Path, tmp_path_factory: pytest.TempPathFactory) -> Program:
    """The program beside the plugin, and its broken sibling, in one workspace for this module."""
    target = tmp_path_factory.mktemp("both") / "site"
    shutil.copytree(example, target)
    install("spoofbench-broken", target, tmp_path_factory.mktemp("source"))
    work = tmp_path_factory.mktemp("work")
    environment = {
        "PYTHONPATH": str(target),
        "SPOOFBENCH_CACHE": str(work / "cache"),
        "SPOOFBENCH_SETTINGS": str(work / "settings.toml"),
    }
    return lambda *args: run_program(*args, env=environment, cwd=work)


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("models", "lfcc-linear"),
        ("metrics", "pair-order"),
        ("reporters", "lines"),
        ("augmentations", "level-change"),
        ("datasets", "csv-keys"),
        ("protocols", "beeps-eval"),
    ],
)
def test_everything_is_listed_with_the_distribution_that_it_comes_from(program, kind, name):
    listed = program(kind)
    assert listed.code == 0
    (line,) = [line for line in listed.out.splitlines() if line.split()[:1] == [name]]
    assert line.rstrip().endswith("spoofbench-example 1.2.3")


def test_the_corpus_of_a_plugin_is_listed_with_its_licence(program):
    (line,) = [line for line in program("data", "list").out.splitlines() if "beeps" in line]
    assert "CC0-1.0" in line


def test_a_broken_sibling_is_reported_and_nothing_else_is_lost(program):
    listed = program("plugins")
    assert listed.code == 0
    names = [line.split()[0] for line in listed.out.splitlines() if line.strip()]
    assert {"aasist", "asvspoof", "example", "metrics", "reports", "toy"} <= set(names)
    assert "broken" not in names
    assert "not loaded: broken (spoofbench-broken 0.0.1)" in listed.err
    assert "a_package_that_nobody_has" in listed.err
    assert "Traceback" not in listed.err


def test_the_whole_job_runs_on_nothing_but_the_plugin(program):
    done = program("run", "lfcc-linear", "--protocol", "beeps", "--format", "lines")
    assert done.code == 0, done.err
    stamp, *numbers = done.out.splitlines()
    assert stamp == "# no human speech: tones and noise"
    assert [line.split()[-2] for line in numbers] == ["eer", "pair-order"]


def test_the_metric_of_the_plugin_is_the_share_of_pairs_in_the_right_order(program, tmp_path):
    scores = {"bonafide": [4, 3, 2, 1, 1, 1, 1, 1], "spoof": [0, 0, 0, 0, 0, 0, 1, 2.5]}
    file = tmp_path / "scores.txt"
    file.write_text(
        "".join(
            f"eval-{key}-{number} {score}\n"
            for key, values in scores.items()
            for number, score in enumerate(values)
        )
    )
    program("data", "build", "beeps")
    judged = program("score", file, "--protocol", "beeps", "--format", "json")
    assert judged.code == 0, judged.err
    pairs = [(b > s) + 0.5 * (b == s) for b in scores["bonafide"] for s in scores["spoof"]]
    assert json.loads(judged.out)[0]["rows"][0]["pair-order"] == sum(pairs) / len(pairs)


def test_its_augmentation_is_a_factor_of_ten_to_twenty_decibels(example):
    done = run_python(
        "-c",
        "import torch; from spoofbench.plugins import catalogue, instantiate;"
        "gain = instantiate(catalogue().augmentations.get('level-change'), 'augmentation');"
        "print(gain.apply(torch.ones(3), -20.0, None).tolist())",
        env={"PYTHONPATH": str(example)},
    )
    assert done.out.strip() == str([0.10000000149011612] * 3), done.err


def test_the_generated_corpus_is_what_its_protocol_says(program):
    program("data", "build", "beeps")
    checked = program("data", "check", "beeps-eval")
    assert checked.code == 0, checked.out
    assert "8 bona fide + 8 spoof trials" in checked.out
    root = Path(checked.out.split(" trials in ")[1].split(";")[0])
    assert soundfile.info(root / "eval" / "eval-spoof-0.flac").samplerate == 16_000


def test_the_plugin_file_imports_nothing_but_spoofbench(example):
    done = run_python(
        "-c",
        "import sys, spoofbench_example.plugin;"
        "print(sorted({'torch', 'numpy', 'scipy', 'soundfile', 'torchaudio'} & set(sys.modules)))",
        env={"PYTHONPATH": str(example)},
    )
    assert done.out.strip() == "[]", done.err


def test_why_a_plugin_is_not_loaded_is_shown_where_it_is_asked_for(program):
    listed = program("--debug", "plugins")
    assert listed.code == 0
    assert "Traceback" in listed.err
    assert "spoofbench_broken" in listed.err
    assert "a_package_that_nobody_has" in listed.err


def test_where_an_error_was_raised_is_shown_where_it_is_asked_for(program):
    plain, debugged = program("models", "teapot"), program("--debug", "models", "teapot")
    assert (plain.code, debugged.code) == (2, 2)
    assert "Traceback" not in plain.err
    assert "UnknownName" in debugged.err
    assert debugged.err.endswith(plain.err)


def test_a_field_that_a_spec_gains_tomorrow_breaks_no_plugin_of_today(example, tmp_path):
    """A copy of spoofbench, in which every spec and every context has one more field."""
    grown = tmp_path / "spoofbench"
    shutil.copytree(Path(spoofbench.__file__).parent, grown, ignore=lambda *_: {"__pycache__"})
    for name, before in (
        ("specs.py", "    summary: str\n"),
        ("contracts.py", "    utterance: str\n"),
    ):
        file = grown / name
        text = file.read_text()
        assert before in text
        file.write_text(text.replace(before, f'{before}    tomorrow: str = "unset"\n'))
    done = run_python(
        "-c",
        "from spoofbench.plugins import catalogue, instantiate\n"
        "import spoofbench, torch\n"
        "from spoofbench import Context\n"
        "known = catalogue()\n"
        "assert not [p for p in known.problems if p.plugin.name == 'example'], known.problems\n"
        "offers = [o for shelf in known.shelves() for o in shelf if o.plugin.name == 'example']\n"
        "gain = instantiate(known.augmentations.get('level-change'), 'augmentation')\n"
        "context = Context(rate=16_000, random=torch.Generator(), utterance='u')\n"
        "model = instantiate(known.models.get('lfcc-linear'), 'model')\n"
        "print(spoofbench.__file__, len(offers), *{o.spec.tomorrow for o in offers},\n"
        "      context.tomorrow, *gain.apply(torch.ones(1), 0.0, context).tolist(),\n"
        "      tuple(model.score(torch.rand(2, 8_000), torch.tensor([8_000] * 2)).shape))",
        env={"PYTHONPATH": f"{tmp_path}{os.pathsep}{example}"},
        cwd=tmp_path,
    )
    assert done.code == 0, done.err
    file, count, *said = done.out.split(maxsplit=5)
    assert file == str(grown / "__init__.py")
    assert int(count) >= 7
    assert said == ["unset", "unset", "1.0", "(2,)\n"]

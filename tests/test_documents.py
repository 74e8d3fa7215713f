"""What the documents show is what happens: their code blocks and shell sessions run."""

from __future__ import annotations

import doctest
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest
import strangers
from sybil import Document, Example, Sybil
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

REPOSITORY = Path(__file__).parent.parent
GENERATED = REPOSITORY / "docs" / "reference" / "commands.md"
DOCUMENTS = [
    file
    for file in (REPOSITORY / "README.md", *sorted((REPOSITORY / "docs").rglob("*.md")))
    if file != GENERATED
]
QUICK_START = REPOSITORY / "docs" / "tutorials" / "quick-start.md"
TUTORIAL = REPOSITORY / "docs" / "tutorials" / "write-a-model.md"
LOOSE = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
LINK = re.compile(r"\[[^\]]*\]\(([^)#:]+)(?:#[^)]*)?\)")


class Session:
    """Runs the shell sessions of one document in one folder, with settings of its own."""

    def __init__(self, folder: Path, reference: Path | None) -> None:
        self.folder = folder
        self.reference = reference
        self.environment = os.environ | {
            "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
            "COLUMNS": "80",
            "SPOOFBENCH_SETTINGS": str(folder / "settings.toml"),
            "SPOOFBENCH_CACHE": str(folder / "cache"),
        }
        if reference is not None:
            shutil.copy(reference / "scores" / "la-eval.aasist.txt", folder / "aasist.txt")
            shutil.copy(
                reference / "scores" / "la-eval.rawgat-st-mul.txt", folder / "rawgat-st.txt"
            )

    def evaluate(self, example: Example) -> str | None:
        """Run each command of a session and compare what it prints with what is shown."""
        if "/corpora" in example.parsed and self.reference is None:
            return None
        for block in re.split(r"(?m)^\$ ", example.parsed)[1:]:
            command, _, wanted = block.partition("\n")
            got = self._run(command)
            if not doctest.OutputChecker().check_output(wanted.strip(), got.strip(), LOOSE):
                return f"$ {command}\nshould print:\n{wanted}\nprinted:\n{got}"
        return None

    def _run(self, command: str) -> str:
        if self.reference is not None:
            command = command.replace("/corpora/LA", str(self.reference / "asvspoof2019-la"))
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        ).stdout


def parse_toml(example: Example) -> None:
    """Raise unless a block of TOML is TOML."""
    tomllib.loads(example.parsed)


def parsed(file: Path, session: Session) -> Document:
    parsers = [
        PythonCodeBlockParser(),
        CodeBlockParser(language="console", evaluator=session.evaluate),
        CodeBlockParser(language="toml", evaluator=parse_toml),
    ]
    return Sybil(parsers=parsers, path=str(file.parent), patterns=[file.name]).parse(file)


def evaluate(file: Path, folder: Path) -> None:
    """Run every example of ``file`` in ``folder``, in order."""
    reference = os.environ.get("SPOOFBENCH_REFERENCE")
    session = Session(folder, Path(reference).resolve(strict=True) if reference else None)
    for example in parsed(file, session).examples():
        example.evaluate()


@pytest.mark.parametrize(
    "file",
    [file for file in DOCUMENTS if file not in (QUICK_START, TUTORIAL)],
    ids=lambda file: str(file.relative_to(REPOSITORY)),
)
def test_the_examples_of_a_document_do_what_it_says(file, tmp_path):
    evaluate(file, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_the_quick_start_does_what_it_says_and_ends_between_chance_and_perfection(tmp_path):
    evaluate(QUICK_START, tmp_path)
    (scores,) = tmp_path.glob("runs/toy-eval/*/scores.tsv")
    table = pd.read_csv(scores, sep="\t")
    bonafide = table.score[table.key == "bonafide"].to_numpy()
    spoof = table.score[table.key == "spoof"].to_numpy()
    auc = (bonafide[:, None] > spoof).mean()
    assert 0.55 < auc < 1, "the area under the ROC curve is 0.5 by chance and 1 without an error"


@pytest.mark.slow
def test_the_tutorial_does_what_it_says(tmp_path):
    (tmp_path / "work").mkdir()
    session = Session(tmp_path / "work", None)
    session.environment = strangers.environment(tmp_path) | {"COLUMNS": "80"}
    for example in parsed(TUTORIAL, session).examples():
        example.evaluate()


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: str(file.relative_to(REPOSITORY)))
def test_the_links_of_a_document_lead_somewhere(file):
    targets = LINK.findall(file.read_text(encoding="utf-8"))
    assert [target for target in targets if not (file.parent / target).exists()] == []


def test_the_command_reference_is_what_the_program_says():
    generated = subprocess.run(
        [
            *(sys.executable, "-m", "typer", "spoofbench.cli", "utils", "docs"),
            *("--name", "spoofbench", "--title", "Commands"),
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert GENERATED.read_text(encoding="utf-8") == generated.rstrip() + "\n", (
        "run `make docs` to write it anew"
    )

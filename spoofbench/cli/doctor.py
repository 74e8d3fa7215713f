"""``spoofbench doctor``: what is wrong with a score file, and a corrected copy."""

from __future__ import annotations

import shlex
import shutil
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spoofbench.cli import options
from spoofbench.errors import InvalidScores, InvalidSettings

if TYPE_CHECKING:
    from spoofbench.doctor.examination import Examination
    from spoofbench.doctor.findings import Finding

WIDEST = 100
MARGIN = len("suspicious  ")
COLOURS = {"wrong": "red", "suspicious": "yellow", "note": "cyan"}


def doctor(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The score file.")],
    protocol: options.Protocol,
    data: options.Data = None,
    column: options.Column = None,
    fix: Annotated[
        Path | None,
        typer.Option(
            "--fix",
            metavar="OUT",
            help="Write a corrected copy there, if nothing has to be guessed: without repeated "
            "lines and scores of no trial, spelt and ordered like the protocol.",
        ),
    ] = None,
    negate: Annotated[
        bool, typer.Option("--negate", help="With --fix: turn a flipped sign round in the copy.")
    ] = False,
) -> None:
    """Say all that is wrong or odd with a score file, and what to do. Needs no audio and no model.

    Exit code 0 if `spoofbench score` can use the file as it is, or --fix wrote a copy that it can
    use; 2 if something is wrong.

    Example: `spoofbench doctor scores.txt --protocol la-eval --data /corpora/LA`
    """
    from spoofbench.corpora import root_of
    from spoofbench.doctor.examination import examine, mend, overlaps_with
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load
    from spoofbench.score_files.formats import parse
    from spoofbench.terms import terms_of

    if negate and fix is None:
        raise InvalidSettings("--negate belongs to --fix OUT", hint="give --fix OUT too")
    known = catalogue()
    chosen = load(protocol, known)
    terms = terms_of(chosen, known, root_of(chosen, known, data=data))
    examination = examine(
        parse(file, column=column),
        terms,
        protocol=protocol,
        overlaps=lambda utterances: overlaps_with(utterances, terms, known),
    )
    _show(file, chosen.title, examination)
    if fix is not None:
        typer.echo(f"\nwrote {mend(examination, fix, negate=negate)}")
    elif examination.wrong:
        ways = {finding.mended_by for finding in examination.wrong}
        negated = " --negate" * ("--negate" in ways)
        raise InvalidScores(
            f"{file} cannot be used as it is",
            hint="do as is said beside each finding"
            if "" in ways
            else f"--fix OUT{negated} writes a corrected copy",
        )


@contextmanager
def pointing_to_doctor(
    files: Sequence[Path], protocol: str, data: Path | None = None
) -> Iterator[None]:
    """Let what is said of a score file that cannot be used end with the way to learn more."""
    try:
        yield
    except InvalidScores as error:
        file = str(files[0]) if len(files) == 1 else "FILE"
        words = ["spoofbench", "doctor", file, "--protocol", protocol]
        words += [] if data is None else ["--data", str(data)]
        more = f"all that is wrong: {shlex.join(words)}"
        hint = "\n".join(filter(None, [error.hint, more]))
        raise InvalidScores(str(error), hint=hint) from error


def _show(file: Path, title: str, examination: Examination) -> None:
    typer.echo(f"{file}, judged by: {title}\n")
    for finding in examination.findings:
        _show_finding(finding)
    severities = [finding.severity for finding in examination.findings]
    counts = [
        f"{severities.count(severity)} {severity}"
        for severity in ("wrong", "suspicious")
        if severity in severities
    ]
    trials = f"{examination.bonafide:,} bona fide + {examination.spoof:,} spoof trials"
    is_known = examination.eer == examination.eer  # NaN is not
    eer = f"EER {100 * examination.eer:.4f} % over {trials}" if is_known else "no EER yet"
    typer.secho(f"\n{', '.join(counts) or 'nothing wrong'}: {eer}", bold=True)


def _show_finding(finding: Finding) -> None:
    typer.secho(f"{finding.severity:<{MARGIN}}", fg=COLOURS[finding.severity], nl=False)
    typer.echo(_wrapped(finding.what)[MARGIN:])
    for line in finding.evidence:
        typer.echo(_wrapped(line, more="  "))
    if finding.advice:
        typer.echo(_wrapped(f"-> {finding.advice}", more="   "))


def _wrapped(text: str, more: str = "") -> str:
    """Return ``text`` below the right column, its further lines ``more`` indented."""
    return textwrap.fill(
        text,
        width=min(shutil.get_terminal_size().columns, WIDEST),
        initial_indent=" " * MARGIN,
        subsequent_indent=" " * MARGIN + more,
        break_long_words=False,
        break_on_hyphens=False,
    )

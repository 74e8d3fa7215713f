"""``spoofbench speed``: how fast models are, in how much memory, at the same scores."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from spoofbench.errors import InvalidRun, InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spoofbench.speed.cases import Case
    from spoofbench.speed.measuring import Measured


def speed(
    models: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODEL...]",
            help="Names of models; also `plain:MODEL` (without its faster way), "
            "`python:FILE:NAME`, `onnxruntime:MODEL`, `openvino:MODEL`. Without: aasist.",
            show_default=False,
        ),
    ] = None,
    against: Annotated[
        str,
        typer.Option(
            metavar="SUBJECT",
            help="What the others are compared with: `official:CHECKOUT` (a checkout of the "
            "published AASIST), or a subject as above. Without: the first model.",
        ),
    ] = "",
    weights: Annotated[
        str,
        typer.Option(
            metavar="FILE|official",
            help="Weights for all; random ones if not given, which make fewer denormals than "
            "trained ones, so that time tells less.",
        ),
    ] = "",
    batch: Annotated[str, typer.Option(metavar="N,N,...", help="Batch sizes.")] = "1,8",
    threads: Annotated[str, typer.Option(metavar="N,N,...", help="Threads of a process.")] = "",
    samples: Annotated[
        str, typer.Option(metavar="N,N,...", help="Lengths of the input.")
    ] = "64600",
    device: Annotated[str, typer.Option(help="cpu, cuda, cuda:1.")] = "cpu",
    precision: Annotated[
        str, typer.Option(metavar="NAMES", help="fp32, bf16, fp16, with commas between.")
    ] = "fp32",
    train: Annotated[
        bool, typer.Option("--train", help="Measure a training step, not scoring.")
    ] = False,
    rounds: Annotated[int, typer.Option(min=1, help="How often all are measured, in turn.")] = 5,
    repeats: Annotated[int, typer.Option(min=1, help="Calls that are timed in a process.")] = 3,
    audio: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Recordings to score; without: noise from a seed."),
    ] = None,
    bound: Annotated[
        float, typer.Option(help="A row whose scores differ by more than this is marked.")
    ] = 1e-4,
    huge_pages: Annotated[
        bool,
        typer.Option("--huge-pages", help="Let torch's allocator use transparent huge pages."),
    ] = False,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Keep all that was measured.")
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with what --json kept before.")
    ] = None,
    fail_if_slower: Annotated[
        str,
        typer.Option(metavar="SHARE", help="Exit code 2 if a case is slower by more: `5%`."),
    ] = "",
    markdown: Annotated[bool, typer.Option("--markdown", help="Print the table so.")] = False,
    parts: Annotated[
        bool,
        typer.Option(
            "--parts",
            help="Run the suite of everything but models instead: metrics, resampling, decoding, "
            "augmentation, tables.",
        ),
    ] = False,
) -> None:
    """Measure how long models take and how much memory, and whether scores stay the same.

    Every measurement is a fresh process, and subjects take turns, round after round, on the same
    audio: what disturbs one disturbs the other. Ratios are those of a round, with their range; the
    largest difference of scores stands beside each.

    Example: `spoofbench speed aasist --against plain:aasist --batch 1,8,32 --threads 1,2`

    Example: `spoofbench speed aasist --against official:/src/aasist --weights official --train`
    """
    from spoofbench.cli.progress import note, shown
    from spoofbench.speed import cases, measuring, report, suite

    if parts:
        _print(("benchmark", "a call", "rate"), suite.lines(suite.run()), markdown=markdown)
        return
    subjects = list(dict.fromkeys([*([against] if against else []), *(models or ["aasist"])]))
    base = against or subjects[0]
    file = _weights_file(weights, subjects)
    plan = cases.Plan(
        cases=cases.cases(
            [(subject, file) for subject in subjects],
            batches=_numbers("--batch", batch),
            threads=_numbers("--threads", threads or "1"),
            precisions=[word.strip() for word in precision.split(",")],
            samples=_numbers("--samples", samples),
            device=device,
            work="train" if train else "score",
            repeats=repeats,
            huge_pages=huge_pages,
        ),
        rounds=rounds,
        audio=str(audio) if audio else "",
        bound=bound,
    )
    share = _share(fail_if_slower) if fail_if_slower else None
    before = report.read_json(compare) if compare else None
    if share is not None and before is None:
        raise InvalidSettings("--fail-if-slower needs --compare FILE")
    with shown("measuring", "processes") as progress:
        results = measuring.measure(plan, progress)
    profiles = {} if train else _profiles(plan.cases)
    _print_table(results, base, bound, markdown=markdown)
    _print_profiles(profiles)
    what = "recordings" if audio else "noise"
    note(
        f"{report.machine()['processor']}, {report.machine()['cores']} cores; {rounds} rounds of "
        f"{repeats} calls each, {what}, {'weights ' + weights if weights else 'random weights'}"
    )
    if json_file:
        report.write_json(results, base, profiles, json_file)
    if before is not None:
        _compare(results, before, share)


def _print_table(results: Sequence[Measured], base: str, bound: float, *, markdown: bool) -> None:
    from spoofbench.speed import report

    lines = report.rows(results, base, bound)
    if markdown:
        _print(report.HEADER, lines, markdown=True)
        return
    header, lines, same = report.without_what_is_the_same(report.HEADER, lines)
    typer.echo(same)
    _print(header, lines, markdown=False)


def _print(header: Sequence[str], lines: Sequence[Sequence[str]], *, markdown: bool) -> None:
    from spoofbench.speed.report import aligned

    if markdown:
        for line in (header, ["---"] * len(header), *lines):
            typer.echo(f"| {' | '.join(line)} |")
    else:
        for line in aligned([header, *lines]):
            typer.echo(line)


def _profiles(measured: Sequence[Case]) -> dict[str, Any]:
    """Return what is known of each subject's network, once for each."""
    from dataclasses import replace

    from spoofbench.speed.measuring import profile

    found: dict[str, Any] = {}
    for case in measured:
        kind = case.subject.partition(":")[0]
        if case.subject not in found and kind not in ("onnxruntime", "openvino"):
            alone = replace(
                case,
                subject=f"plain:{case.subject}" if ":" not in case.subject else case.subject,
                batch=1,
                precision="fp32",
                work="profile",
            )
            found[case.subject] = profile(alone)
    return found


def _print_profiles(profiles: dict[str, Any]) -> None:
    for subject, found in profiles.items():
        if not found:
            continue
        modules = sorted(found["modules"].items(), key=lambda item: -item[1])
        shares = ", ".join(f"{name} {100 * share:.1f} %" for name, share in modules if share > 5e-4)
        typer.echo(
            f"{subject}: {found['parameters']:,} parameters, {found['macs'] / 1e9:.2f} GMAC an "
            f"utterance; time of the plain form: {shares}"
        )


def _compare(results: Sequence[Measured], before: Sequence[Measured], share: float | None) -> None:
    from spoofbench.speed import report

    found = report.changes(results, before)
    for change in found:
        typer.echo(str(change))
    if not found:
        raise InvalidRun("the two runs have no case in common", hint="measure the same cases")
    if share is not None and (slow := [change for change in found if change.slower > share]):
        raise InvalidRun(
            f"{len(slow)} cases are slower by more than {100 * share:g} %",
            hint="run again on a quiet machine before you believe it",
        )


def _weights_file(wanted: str, subjects: Sequence[str]) -> str:
    """Return the path of the weights; a published name is looked up for the first model named."""
    if not wanted:
        return ""
    from spoofbench import weights
    from spoofbench.plugins import catalogue

    known = catalogue().models
    names = [subject.rpartition(":")[2] for subject in subjects]
    name = next((name for name in names if name in known.names()), "aasist")
    return str(weights.find(known.get(name).spec, wanted).file.resolve())


def _numbers(option: str, text: str) -> list[int]:
    try:
        return [int(word) for word in text.split(",")]
    except ValueError:
        raise InvalidSettings(f"{option} {text}: it takes numbers, such as 1,8,32") from None


def _share(text: str) -> float:
    try:
        return float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        raise InvalidSettings(f"--fail-if-slower {text}: it takes a share, such as 5%") from None

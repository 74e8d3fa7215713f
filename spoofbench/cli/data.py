"""``spoofbench data``: where corpora lie, and whether they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from spoofbench.cli import options
from spoofbench.errors import IncompleteCorpus, InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from spoofbench.plugins import Catalogue
    from spoofbench.protocols import Protocol

app = typer.Typer(
    no_args_is_help=True,
    help="Say where corpora lie, check them, fetch them, build those that are generated.",
)


@app.command("list")
def list_corpora() -> None:
    """List the corpora that are known, where each lies, and how one comes by it."""
    from spoofbench.cli.listings import print_table
    from spoofbench.corpora import locate, ways_to_obtain
    from spoofbench.plugins import catalogue

    known = catalogue()
    rows = []
    for offer in known.corpora:
        place = locate(offer.spec.name, known)
        where = f"{place.folder} ({place.said_by})" if place.folder else ways_to_obtain(offer.spec)
        rows.append((offer.spec.name, offer.spec.summary, offer.spec.licence, where))
    print_table(("name", "what it is", "licence", "where"), rows)


@app.command("set")
def set_folder(
    corpus: Annotated[str, typer.Argument(help="Name of a corpus, as in `spoofbench data list`.")],
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder that holds it.")],
) -> None:
    """Remember where a corpus lies, in the settings file.

    Example: `spoofbench data set asvspoof2019-la /corpora/LA`
    """
    from spoofbench.corpora import protocols_of, root_of
    from spoofbench.plugins import catalogue
    from spoofbench.settings import remember_corpus

    known = catalogue()
    known.corpora.get(corpus)
    for protocol in protocols_of(corpus, known):
        root_of(protocol, known, data=folder)
    typer.echo(f"{corpus} is in {folder.resolve()} (said in {remember_corpus(corpus, folder)})")


@app.command("check")
def check(
    name: Annotated[str, typer.Argument(help="Name of a corpus or of one of its protocols.")],
    data: options.Data = None,
) -> None:
    """Check that a corpus is whole: key files, counts, ASV scores, and every recording.

    Exit code 2 if anything is missing. No audio is decoded.
    """
    from spoofbench.corpora import protocols_of
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load

    known = catalogue()
    is_corpus = name in known.corpora.names() and name not in known.protocols.names()
    faulty = _inspected(
        protocols_of(name, known) if is_corpus else [load(name, known)], known, data
    )
    if faulty:
        raise IncompleteCorpus(
            f"not whole: {', '.join(faulty)}",
            hint="copy what is missing; --limit N tries things out with what is there",
        )


@app.command("fetch")
def fetch(
    corpus: Annotated[str, typer.Argument(help="Name of a corpus that may be downloaded.")],
    folder: Annotated[
        Path | None,
        typer.Argument(
            metavar="[DIR]",
            help="Where to put it. Without: the folder that is set for it, else "
            "SPOOFBENCH_DATA/CORPUS, else the cache folder.",
        ),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option("--only", metavar="FILE", help="Fetch only this file of it (repeatable)."),
    ] = None,
    yes: Annotated[
        bool, typer.Option("--yes", help="Do not ask whether to fetch: the licence is accepted.")
    ] = False,
) -> None:
    """Download a corpus, check it and unpack it; licence, size and room are shown first.

    A download that was cut short goes on when the same command is given. For a corpus that cannot
    be downloaded freely, this says how one comes by it.

    Example: `spoofbench data fetch asvspoof2019-la /corpora/LA`
    """
    from spoofbench.cli.progress import note, shown
    from spoofbench.fetching import downloads
    from spoofbench.fetching.web import Voice, Web
    from spoofbench.plugins import catalogue

    known = catalogue()
    spec = known.corpora.get(corpus).spec
    web = Web()
    target = folder or downloads.default_folder(spec, known)
    planned = downloads.plan(spec, target, web, only=only or ())
    if planned.items:
        for line in downloads.describe(planned):
            note(line)
        downloads.check_space(planned)
        if not (yes or _agreed()):
            note("nothing was fetched")
            return
    if planned.items or planned.unfinished:
        downloads.fetch(planned, web, Voice(note=note, progress=shown))
    faulty = _settled(corpus, planned.folder, known)
    if faulty and not only:
        raise IncompleteCorpus(
            f"not whole: {', '.join(faulty)}",
            hint="what was fetched arrived as it was published; its publisher may have changed it",
        )


def _agreed() -> bool:
    """Ask whether to fetch. Raises `InvalidSettings` where nobody can be asked."""
    import sys

    if not sys.stdin.isatty():
        raise InvalidSettings(
            "nobody can be asked whether to fetch this: there is no terminal",
            hint="add --yes if the licence and the size are right",
        )
    try:
        return typer.confirm("fetch it?", err=True)
    except typer.Abort:
        return False


def _settled(corpus: str, folder: Path, known: Catalogue) -> list[str]:
    """Remember where a fetched corpus lies; say what of it is there, return what is faulty."""
    from spoofbench.cli.progress import note
    from spoofbench.corpora import locate, protocols_of
    from spoofbench.settings import remember_corpus

    said = ""
    if not _lies_in(locate(corpus, known).folder, folder):
        said = f" (said in {remember_corpus(corpus, folder)})"
    typer.echo(f"{corpus} is in {folder}{said}")
    found = locate(corpus, known)
    if not _lies_in(found.folder, folder):
        note(f"but {found.said_by} goes before the settings, and names {found.folder}")
    return _inspected(protocols_of(corpus, known), known, folder)


def _lies_in(place: Path | None, folder: Path) -> bool:
    return place is not None and place.resolve() == folder


def _inspected(protocols: Sequence[Protocol], known: Catalogue, folder: Path | None) -> list[str]:
    """Say of each protocol what a look at its corpus shows; return those with a fault."""
    from spoofbench.corpora import inspect

    faulty = []
    for protocol in protocols:
        findings = inspect(protocol, known, data=folder)
        typer.echo(f"{protocol.name}: {'; '.join(findings.said)}")
        for line in "\n".join(findings.faults).splitlines():
            typer.secho(f"  {line}", fg="red")
        if findings.faults:
            faulty.append(protocol.name)
    return faulty


@app.command("build")
def build(
    corpus: Annotated[str, typer.Argument(help="Name of a corpus that is generated.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Where to write it; the cache folder if not given."),
    ] = None,
    speech: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SOURCE",
            help="Human speech (repeatable): a folder with one subfolder a speaker, `debian`, "
            "`debian:PACKAGE` or `librispeech`; without: Debian's packages. For mini.",
        ),
    ] = None,
    size: Annotated[
        str,
        typer.Option(help="How much: `tiny`, `small` (300 + 600 files) or `full`. For mini."),
    ] = "",
    attacks: Annotated[
        str,
        typer.Option(
            metavar="A,B,...",
            help="Make spoofs with these alone; without: all there are. For mini.",
        ),
    ] = "",
    seed: Annotated[int, typer.Option(help="What is drawn hangs on it. For mini.")] = 0,
    workers: Annotated[
        int, typer.Option(min=0, help="Processes at work; 0: one for each core. For mini.")
    ] = 0,
) -> None:
    """Generate a corpus. `run` and `train` generate toy by themselves when they need it.

    A build that was cut short goes on when the same command is given.

    Example: `spoofbench data build mini --size small`
    """
    from spoofbench import corpora
    from spoofbench.cli.progress import note, shown
    from spoofbench.contracts import Choices
    from spoofbench.plugins import catalogue

    spec = catalogue().corpora.get(corpus).spec
    target = folder or corpora.generated_folder(spec)
    choices = Choices(
        speech=tuple(speech or ()),
        size=size,
        attacks=tuple(filter(None, (name.strip() for name in attacks.split(",")))),
        seed=seed,
        workers=workers,
    )
    with shown(f"building {corpus}", "files") as progress:
        if spec.asks or choices != Choices():
            corpora.build_chosen(spec, target, choices, progress, note)
        else:
            corpora.build(spec, target, progress)
    typer.echo(f"{corpus} is in {target}")

"""``spoofbench data``: where corpora lie, and whether they are whole."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from spoofbench.cli import options

app = typer.Typer(
    no_args_is_help=True, help="Say where corpora lie, check them, build those that are generated."
)


@app.command("list")
def list_corpora() -> None:
    """List the corpora that are known, where each lies, and how one comes by it."""
    from spoofbench.cli.listings import print_table
    from spoofbench.corpora import locate
    from spoofbench.plugins import catalogue

    known = catalogue()
    rows = []
    for offer in known.corpora:
        place = locate(offer.spec.name, known)
        where = f"{place.folder} ({place.said_by})" if place.folder else offer.spec.obtain
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
    from spoofbench.corpora import inspect, protocols_of
    from spoofbench.errors import IncompleteCorpus
    from spoofbench.plugins import catalogue
    from spoofbench.protocols import load

    known = catalogue()
    is_corpus = name in known.corpora.names() and name not in known.protocols.names()
    chosen = protocols_of(name, known) if is_corpus else [load(name, known)]
    faulty = []
    for protocol in chosen:
        findings = inspect(protocol, known, data=data)
        typer.echo(f"{protocol.name}: {'; '.join(findings.said)}")
        for fault in findings.faults:
            typer.secho(f"  {fault}", fg="red")
        if findings.faults:
            faulty.append(protocol.name)
    if faulty:
        raise IncompleteCorpus(
            f"not whole: {', '.join(faulty)}",
            hint="copy what is missing; --limit N tries things out with what is there",
        )


@app.command("build")
def build(
    corpus: Annotated[str, typer.Argument(help="Name of a corpus that is generated.")],
    folder: Annotated[
        Path | None,
        typer.Argument(metavar="[DIR]", help="Where to write it; the cache folder if not given."),
    ] = None,
) -> None:
    """Generate a corpus. `run` and `train` do this by themselves when they need one.

    Example: `spoofbench data build toy`
    """
    from spoofbench import corpora
    from spoofbench.cli.progress import shown
    from spoofbench.plugins import catalogue

    spec = catalogue().corpora.get(corpus).spec
    target = folder or corpora.generated_folder(spec)
    with shown(f"building {corpus}", "files") as progress:
        corpora.build(spec, target, progress)
    typer.echo(f"{corpus} is in {target}")

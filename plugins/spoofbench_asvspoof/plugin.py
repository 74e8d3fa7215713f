"""What this plugin offers."""

from collections.abc import Sequence

from spoofbench import CorpusSpec, DatasetSpec, ProtocolSpec, hookimpl

_OBTAIN = (
    "download {zip}.zip from https://doi.org/10.7488/ds/2555 and unpack it; "
    "the corpus is the folder {zip} in it"
)
_PARTS = {"train": "training set", "dev": "development set", "eval": "evaluation set"}
_TRACKS = {"la": "LA", "pa": "PA"}


@hookimpl
def spoofbench_datasets() -> Sequence[DatasetSpec]:
    """Offer the reader of tables in which each line is a trial."""
    return [
        DatasetSpec(
            name="table",
            target="spoofbench_asvspoof.table:read_trials",
            summary="Key files with one trial a line and columns between blanks.",
        )
    ]


@hookimpl
def spoofbench_corpora() -> Sequence[CorpusSpec]:
    """Say how one comes by ASVspoof 2019."""
    return [
        CorpusSpec(
            name=f"asvspoof2019-{track}",
            summary=f"ASVspoof 2019 {zip_name}, {access} access.",
            licence="ODC-By 1.0",
            obtain=_OBTAIN.format(zip=zip_name),
        )
        for track, zip_name, access in (("la", "LA", "logical"), ("pa", "PA", "physical"))
    ]


@hookimpl
def spoofbench_protocols() -> Sequence[ProtocolSpec]:
    """Offer the parts of ASVspoof 2019 LA and PA."""
    return [
        ProtocolSpec(
            name=f"{track}-{part}",
            target=f"spoofbench_protocols:{track}-{part}.toml",
            summary=f"ASVspoof 2019 {_TRACKS[track]}, {_PARTS[part]}",
        )
        for track in _TRACKS
        for part in _PARTS
    ]

"""What this plugin offers."""

from collections.abc import Sequence

from spoofbench import CorpusSpec, Download, ProtocolSpec, hookimpl

_HUGGING_FACE = "https://huggingface.co/datasets/mueller91/In-The-Wild/resolve/main/"
_ARCHIVE = "release_in_the_wild"


@hookimpl
def spoofbench_corpora() -> Sequence[CorpusSpec]:
    """Say how one comes by In-the-Wild."""
    return [
        CorpusSpec(
            name="in-the-wild",
            summary="In-the-Wild: speech of well-known people and deepfakes of them.",
            licence="its pages disagree: Apache-2.0 (deepfake-total.com), CC-BY-SA-4.0 (Hugging "
            "Face)",
            obtain="download release_in_the_wild.zip (8 GB) from "
            "https://deepfake-total.com/in_the_wild and unpack it; the corpus is the folder "
            "release_in_the_wild, with meta.csv in it",
            page="https://deepfake-total.com/in_the_wild",
            downloads=(
                Download(
                    file=f"{_ARCHIVE}.zip",
                    url=f"{_HUGGING_FACE}{_ARCHIVE}.zip",
                    inside=_ARCHIVE,
                ),
            ),
        )
    ]


@hookimpl
def spoofbench_protocols() -> Sequence[ProtocolSpec]:
    """Offer the whole corpus as an evaluation set."""
    return [
        ProtocolSpec(
            name="in-the-wild",
            target="spoofbench_protocols:in-the-wild.toml",
            summary="In-the-Wild, all of it",
        )
    ]

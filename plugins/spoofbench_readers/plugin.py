"""What this plugin offers."""

from collections.abc import Sequence

from spoofbench import DatasetSpec, hookimpl


@hookimpl
def spoofbench_datasets() -> Sequence[DatasetSpec]:
    """Offer the readers that any corpus, and anyone's own audio, can use."""
    return [
        DatasetSpec(
            name="table",
            target="spoofbench_readers.table:read_trials",
            summary="Key files with one trial a line: columns between blanks or tabs, or CSV.",
        ),
        DatasetSpec(
            name="folder",
            target="spoofbench_readers.folder:read_trials",
            summary="A folder with bonafide/ and spoof/; subfolders of spoof/ are attacks.",
        ),
    ]

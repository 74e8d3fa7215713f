"""A reader: CSV files with the columns path and key."""

import csv
from pathlib import PurePosixPath

from spoofbench.trials import Trial


def read_trials(data, root):
    """Read one trial from each line after the header."""
    with (root / data.keys).open(newline="", encoding="utf-8") as file:
        return [
            Trial(
                utterance=PurePosixPath(line["path"]).stem,
                speaker="",
                attack="-" if line["key"] == "bonafide" else "noise",
                bonafide=line["key"] == "bonafide",
                audio=line["path"],
            )
            for line in csv.DictReader(file)
        ]

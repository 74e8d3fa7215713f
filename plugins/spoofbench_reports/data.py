"""Results for programs: numbers as fractions and costs, in full precision."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TextIO

from spoofbench.tables import ResultTable


def write_csv(tables: Sequence[ResultTable], stream: TextIO) -> None:
    """Write one line for each run and group; stamps and fingerprint have their own columns."""
    import pandas as pd

    frames = [
        table.frame().assign(
            protocol=table.title, fingerprint=table.fingerprint, stamps="; ".join(table.stamps)
        )
        for table in tables
    ]
    pd.concat(frames).to_csv(stream, index=False, lineterminator="\n")


def write_json(tables: Sequence[ResultTable], stream: TextIO) -> None:
    """Write a list with one object for each table; what could not be computed is null."""
    json.dump([_plain(table) for table in tables], stream, indent=2)
    stream.write("\n")


def _plain(table: ResultTable) -> dict[str, object]:
    return {
        "protocol": table.title,
        "fingerprint": table.fingerprint,
        "bonafide": table.bonafide,
        "spoof": table.spoof,
        "stamps": list(table.stamps),
        "metrics": {m.name: {"title": m.title, "version": m.version} for m in table.metrics},
        "rows": [
            {
                "run": row.run,
                "by": row.by,
                "group": row.group,
                "bonafide": row.bonafide,
                "spoof": row.spoof,
                **{n: None if math.isnan(v) else v for n, v in row.values.items()},
            }
            for row in table.rows
        ],
    }

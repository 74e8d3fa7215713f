"""Results for programs: numbers as fractions and costs, in full precision."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TextIO

from spoofbench.tables import Ranking, ResultTable, Row


def write_csv(tables: Sequence[ResultTable], stream: TextIO) -> None:
    """Write one line for each run and group; stamps, notes and fingerprint have columns too."""
    import pandas as pd

    frames = [
        table.frame().assign(
            protocol=table.title,
            fingerprint=table.fingerprint,
            stamps="; ".join(table.stamps),
            notes="; ".join(table.notes),
        )
        for table in tables
    ]
    if not frames:
        return
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
        "notes": list(table.notes),
        "metrics": {m.name: {"title": m.title, "version": m.version} for m in table.metrics},
        "rows": [
            {
                "run": row.run,
                "by": row.by,
                "group": row.group,
                "bonafide": row.bonafide,
                "spoof": row.spoof,
                **{n: None if math.isnan(v) else v for n, v in row.values.items()},
                **({"intervals": _intervals(row)} if row.intervals else {}),
            }
            for row in table.rows
        ],
        **({"ranking": _ranks(table.ranking)} if table.ranking is not None else {}),
    }


def _ranks(ranking: Ranking) -> dict[str, object]:
    return {
        "metric": ranking.metric.name,
        "alpha": ranking.alpha,
        "leaders": list(ranking.leaders),
        "runs": {
            run: {
                "rank_group": placing.group,
                "difference": placing.difference.value,
                "low": placing.difference.interval.low,
                "high": placing.difference.interval.high,
                "p": placing.difference.p_value,
                "p_holm": placing.adjusted,
            }
            for run, placing in ranking.placings.items()
        },
    }


def _intervals(row: Row) -> dict[str, object]:
    return {name: {"low": own.low, "high": own.high} for name, own in row.intervals.items()}

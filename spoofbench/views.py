"""How results are shown: what is measured, by which groups, how sure, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from spoofbench.errors import InvalidSettings
from spoofbench.protocols import Protocol
from spoofbench.uncertainty import Uncertainty

AT_THRESHOLD = ("balanced-accuracy", "miss-at-threshold", "false-alarm-at-threshold")
"""What a stated threshold adds to the metrics of a protocol."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a user wants to see beside what the protocol says.

    ``metrics`` stand in for the protocol's if there are any, ``by`` for its groups if it is not
    None: an empty one asks for no groups. ``threshold`` is where the countermeasure works; it adds
    the metrics `AT_THRESHOLD`.
    """

    metrics: tuple[str, ...] = ()
    by: tuple[str, ...] | None = None
    threshold: float | None = None
    worst_first: bool = False
    uncertainty: Uncertainty | None = None

    def revise(self, protocol: Protocol) -> Protocol:
        """Return ``protocol`` with these metrics, groups and threshold.

        Raises `InvalidSettings` for a column that makes no groups.
        """
        metrics = self.metrics or protocol.report.metrics
        detection: Mapping[str, Any] = protocol.detection.model_dump()
        if self.threshold is not None:
            metrics = tuple(dict.fromkeys((*metrics, *AT_THRESHOLD)))
            detection = {**detection, "threshold": self.threshold}
        report = {"metrics": metrics, "by": protocol.report.by if self.by is None else self.by}
        table = protocol.model_dump(by_alias=True) | {"report": report, "detection": detection}
        try:
            return Protocol.model_validate(table)
        except ValidationError as error:
            said = "; ".join(fault["msg"].removeprefix("Value error, ") for fault in error.errors())
            raise InvalidSettings(
                f"{protocol.name}: {said}", hint="--by takes columns of the key file"
            ) from error

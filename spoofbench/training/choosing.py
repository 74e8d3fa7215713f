"""By what weights are chosen: the EER on the dev protocol."""

from __future__ import annotations

from collections.abc import Iterable

from spoofbench.batches import Batch, Failure
from spoofbench.contracts import Countermeasure
from spoofbench.errors import FailedTrials
from spoofbench.metrics.detection import eer_point
from spoofbench.scores import ScoreTable
from spoofbench.scoring import optimised, score_batches
from spoofbench.training.tasks import Task


def dev_eer(model: Countermeasure, loader: Iterable[Batch], task: Task) -> float:
    """Return the EER of ``model`` on the task's dev protocol, which ``loader`` reads, a fraction.

    Raises `FailedTrials` for trials that cannot be scored.
    """
    scores: dict[str, float] = {}
    failures: list[Failure] = []
    for scored in score_batches(optimised(model, task.options), loader, task.options):
        scores |= {utterance: float(score) for utterance, score in scored.scores}
        failures += scored.failures
    if failures:
        raise FailedTrials(
            f"{len(failures):,} dev trials could not be scored: {failures[0].reason}",
            hint="mend the recordings, or lower the learning rate if scores are not finite",
        )
    table = ScoreTable.join(task.dev.trials, scores, source=task.dev.protocol.name)
    return eer_point(table.scores[table.bonafide], table.scores[~table.bonafide]).eer

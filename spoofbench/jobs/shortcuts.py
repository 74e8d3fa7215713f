"""The whole job of an audit: every shortcut model fitted and judged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from spoofbench import auditing
from spoofbench.jobs.choosing import chosen_weights
from spoofbench.jobs.job import Job
from spoofbench.jobs.request import Request, Voice
from spoofbench.jobs.scoring import score
from spoofbench.jobs.training import trained
from spoofbench.plugins import Catalogue
from spoofbench.processes import Processes
from spoofbench.protocols import Protocol


def run_shortcuts(
    request: Request, protocol: Protocol, catalogue: Catalogue, processes: Processes, voice: Voice
) -> list[Path]:
    """Judge every shortcut model by ``protocol``, fitted on its train part; return the runs.

    ``request`` says where and how; its model is not looked at. What was done before is not done
    again, and only what is new is told.
    """
    folders = []
    quiet = replace(voice, note=lambda said: None)  # noqa: ARG005
    for name in auditing.shortcuts(catalogue):
        job = Job.of(replace(request, model=name), catalogue, processes, quiet)
        terms = job.terms(protocol)
        folder = score(job, terms, trained(job, chosen_weights(job, None, protocol)))
        if folder is not None:
            folders.append(folder)
    return folders

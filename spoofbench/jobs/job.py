"""What the steps of a job share: the model, the corpus and its trials, where to compute."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from spoofbench import adapters, batches, corpora, devices
from spoofbench.contracts import Countermeasure
from spoofbench.errors import InvalidSettings
from spoofbench.jobs.request import Request, Voice
from spoofbench.plugins import Catalogue, Offer, instantiate
from spoofbench.processes import Processes, own_device
from spoofbench.protocols import Protocol
from spoofbench.runs import ModelRecord
from spoofbench.scoring import Options
from spoofbench.specs import ModelSpec, TrackerSpec
from spoofbench.store import Store
from spoofbench.terms import Terms, terms_of
from spoofbench.trials import missing_audio


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A request, with what its names stand for: the model, the trackers, the device."""

    request: Request
    catalogue: Catalogue
    processes: Processes
    voice: Voice
    offer: Offer[ModelSpec]
    trackers: tuple[Offer[TrackerSpec], ...]
    device: torch.device

    @classmethod
    def of(cls, request: Request, catalogue: Catalogue, processes: Processes, voice: Voice) -> Job:
        """Look up what ``request`` names.

        Raises `UnknownName`, and `InvalidSettings` for a device or a precision that is not there.
        """
        job = cls(
            request=request,
            catalogue=catalogue,
            processes=processes,
            voice=voice,
            offer=adapters.offer_named(request.model)
            if adapters.is_adapter(request.model)
            else catalogue.models.get(request.model),
            trackers=tuple(catalogue.trackers.get(name) for name in request.trackers),
            device=own_device(devices.device_named(request.device)),
        )
        devices.precision_context(request.precision, job.device)  # raises what stands in its way
        return job

    @property
    def spec(self) -> ModelSpec:
        """What the model declares."""
        return self.offer.spec

    def model(self) -> Countermeasure:
        """Make the model on its device, with its random weights if it has any, from the seed."""
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.request.seed)
            made = instantiate(self.offer, "model")
        if not isinstance(made, Countermeasure):
            raise InvalidSettings(f"the model '{self.spec.name}' has no score()")
        return made.to(self.device) if isinstance(made, nn.Module) else made

    def terms(self, protocol: Protocol, *, given: str | None = None) -> Terms:
        """Find the corpus of ``protocol``, generating it if need be, and read its trials.

        ``given`` is the corpus whose folder --data names; None for that of ``protocol``.
        """
        data = self.request.data if given in (None, protocol.data.corpus) else None
        if protocol.data.sample_rate != self.spec.sample_rate:
            raise InvalidSettings(
                f"{self.spec.name} takes audio at {self.spec.sample_rate:,} Hz, "
                f"{protocol.name} gives it at {protocol.data.sample_rate:,} Hz",
                hint="choose another model or protocol",
            )
        if self.processes.is_first:
            self._generate(protocol, data)
        self.processes.wait_for_all()
        root = corpora.root_of(protocol, self.catalogue, data=data)
        trials = corpora.read_trials(protocol, self.catalogue, root)
        if self.request.limit is None:
            corpora.check_audio(protocol, trials, root)
            return terms_of(protocol, self.catalogue, root, available=trials)
        missing = {trial.utterance for trial in missing_audio(trials, root)}
        present = [trial for trial in trials if trial.utterance not in missing]
        if not present:
            corpora.check_audio(protocol, trials, root)
        return terms_of(
            protocol, self.catalogue, root, limit_to=self.request.limit, available=present
        )

    def options(self, root: Path, samples: int | None) -> Options:
        """Return how audio below ``root`` is read and scored, ``samples`` of each utterance.

        None is for whole utterances.
        """
        request = self.request
        return Options(
            device=self.device,
            precision=request.precision,
            batch_size=request.batch_size,
            workers=batches.workers_for(request.workers, self.device),
            samples=samples,
            min_samples=self.spec.min_samples,
            root=root,
            rate=self.spec.sample_rate,
            store=self._store(),
        )

    def record(self) -> ModelRecord:
        """Return what is written down of the model."""
        plugin = self.offer.plugin
        return ModelRecord(
            name=self.spec.name,
            target=self.spec.target,
            plugin=plugin.name,
            distribution=plugin.distribution,
            version=plugin.version,
        )

    def _store(self) -> Store | None:
        """Return where decoded audio is kept on disk, if the user wants it to be."""
        folder = self.request.cache_dir
        return Store(folder, limit=int(self.request.cache_limit * 1e9)) if folder else None

    def _generate(self, protocol: Protocol, data: Path | None) -> None:
        corpus = protocol.data.corpus
        if corpora.locate(corpus, self.catalogue, data=data).folder is not None:
            return
        if corpus not in self.catalogue.corpora.names():
            return
        spec = self.catalogue.corpora.get(corpus).spec
        if spec.target and not spec.asks:
            with self.voice.progress(f"generating the corpus {corpus}", "files") as progress:
                corpora.build(spec, corpora.generated_folder(spec), progress)

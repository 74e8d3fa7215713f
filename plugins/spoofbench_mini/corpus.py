"""Builds the corpus ``mini``: people's recordings, and spoofs of them by what is installed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from spoofbench.contracts import Choices, Progress
from spoofbench.errors import InvalidSettings
from spoofbench.files import storage_errors, write_text
from spoofbench_mini import asv, casting, making, manifest, plan
from spoofbench_mini.attacks import catalogue
from spoofbench_mini.contracts import Attack, Audio, SpeechSource
from spoofbench_mini.making import Outcome
from spoofbench_mini.parts import PARTS, Part, PartName
from spoofbench_mini.plan import Cast, Item
from spoofbench_mini.sources import chosen
from spoofbench_mini.treatment import treat_recording

Note = Callable[[str], None]

ASV_SCORES = "mini_asv_scores"
_DEFAULT_SPEECH = ("debian",)


def build(folder: Path, progress: Progress, choices: Choices, note: Note) -> None:
    """Build the corpus in ``folder``, or go on where an earlier build with these choices stopped.

    What is not installed is noted with the command that installs it. Raises `InvalidSettings`
    where too little is left to build from, `StorageError` where the disk is full.
    """
    size = choices.size or plan.DEFAULT_SIZE
    attacks = _attacks(choices.attacks, note)
    sources = _sources(choices.speech or _DEFAULT_SPEECH, note)
    cast = casting.cast(sources, size=size, seed=choices.seed, note=note)
    items = plan.items(cast, attacks, size=size, seed=choices.seed)
    with storage_errors(folder):
        outcomes = making.make_all(
            items,
            {source.name: source for source in sources},
            folder,
            seed=choices.seed,
            workers=choices.workers,
            progress=progress,
        )
        kept = _kept(items, outcomes, note)
        verifier = asv.choose()
        note(f"ASV system: {verifier.name}")
        manifest.write_keys(kept, folder)
        _write_asv(verifier, kept, cast, sources, folder, seed=choices.seed)
        manifest.write_manifest(kept, outcomes, {a.name: a for a in attacks}, folder)
        manifest.write_readme(_said(kept, verifier.name, size, choices.seed), folder)
        making.finish(folder)
        manifest.write_checksums(folder)


def _attacks(names: Sequence[str], note: Note) -> list[Attack]:
    """Return the attacks that can be used here; raise `InvalidSettings` if a named one cannot."""
    attacks = [catalogue.attack(name) for name in names or catalogue.names()]
    usable = []
    for attack in attacks:
        command = attack.missing()
        if command and names:
            raise InvalidSettings(f"the attack {attack.name} is not installed", hint=command)
        if command:
            note(f"without {attack.name}: {command}")
        else:
            usable.append(attack)
    return usable


def _sources(names: Sequence[str], note: Note) -> list[SpeechSource]:
    """Return the sources that can be used here; raise `InvalidSettings` if none can."""
    usable, missing = [], []
    for source in (source for name in names for source in chosen.sources(name)):
        if command := source.prepare(note):
            missing.append(f"without {source.name}: {command}")
            note(missing[-1])
        else:
            usable.append(source)
    if not usable:
        raise InvalidSettings("there is no human speech to build from", hint="\n".join(missing))
    return usable


def _kept(items: Sequence[Item], outcomes: Mapping[str, Outcome], note: Note) -> list[Item]:
    """Leave out what could not be made, and the spoofs of an original that could not; say so."""
    lost = {item.utterance for item in items if outcomes[item.utterance].unusable}
    kept = [item for item in items if item.utterance not in lost and item.pair not in lost]
    for name in sorted({item.attack for item in items if item.utterance in lost}):
        own = [i for i in items if i.attack == name and i.utterance in lost]
        reason = outcomes[own[0].utterance].unusable
        what = "recordings" if own[0].kind == "-" else f"files of {name}"
        note(f"left out: {len(own)} {what}: {reason}")
    for part in PARTS:
        if {item.key for item in kept if item.part == part.name} != {"bonafide", "spoof"}:
            raise InvalidSettings(
                f"{part.name} has no trials of one of the classes: nothing else could be made",
                hint="see what was left out above; name other --attacks or more --speech",
            )
    return kept


def _write_asv(
    verifier: asv.Verifier,
    items: Sequence[Item],
    cast: Mapping[PartName, Sequence[Cast]],
    sources: Sequence[SpeechSource],
    folder: Path,
    *,
    seed: int,
) -> None:
    """Enrol the speakers, and write how the ASV system scores every trial of dev and eval."""
    named = {source.name: source for source in sources}
    background: dict[str, list[Audio]] = {}
    for item in items:
        if item.part == "train" and item.kind == "-":
            audio = making.written(folder / item.file)
            background.setdefault(item.speech.speaker, []).append(audio)
    verifier.learn(background)
    for part in (part for part in PARTS if part.has_asv):
        for one in cast[part.name]:
            verifier.enrol(
                one.speaker,
                [treat_recording(s, named[s.source].read(s), seed) for s in one.enrolment],
            )
        _write_scores(verifier, part, items, [one.speaker for one in cast[part.name]], folder)


def _write_scores(
    verifier: asv.Verifier, part: Part, items: Sequence[Item], speakers: Sequence[str], folder: Path
) -> None:
    own = [item for item in items if item.part == part.name]
    claims = [
        asv.Claim(
            utterance=item.utterance,
            speaker=item.speech.speaker,
            attack=item.attack,
            audio=partial(making.written, folder / item.file),
        )
        for item in own
    ]
    kind = {item.utterance: item.kind for item in own}
    lines = [
        f"{line.partition(' ')[0]} {kind[line.partition(' ')[0]]} {line.partition(' ')[2]}\n"
        for line in asv.lines(verifier, claims, speakers)
    ]
    write_text(folder / ASV_SCORES / f"mini.asv.{part.name}.gi.trl.scores.txt", "".join(lines))


def _said(items: Sequence[Item], verifier: str, size: str, seed: int) -> list[str]:
    """Say in lines what the corpus has come to hold."""
    lines = [f"size {size}, seed {seed}; ASV system: {verifier}"]
    for part in PARTS:
        own = [item for item in items if item.part == part.name]
        bonafide = [item for item in own if item.kind == "-"]
        speakers = sorted({item.speech.speaker for item in bonafide})
        attacks = sorted({item.attack for item in own if item.kind != "-"})
        lines.append(
            f"{part.name}: {len(bonafide)} bona fide of {len(speakers)} speakers "
            f"({', '.join(speakers)}), {len(own) - len(bonafide)} spoofs ({', '.join(attacks)})"
        )
    return lines

"""What this plugin offers."""

from collections.abc import Sequence

from spoofbench import CorpusSpec, ProtocolSpec, hookimpl
from spoofbench_asvspoof import downloads

_OBTAIN_2019 = (
    "download {track}.zip from https://doi.org/10.7488/ds/2555 and unpack it; "
    "the corpus is the folder {track} in it"
)
_OBTAIN_2021 = (
    "unpack the audio, https://zenodo.org/records/{record}, and the keys, "
    "https://www.asvspoof.org/asvspoof2021/{track}-keys-full.tar.gz, in one folder, so that it "
    "holds ASVspoof2021_{track}_eval/flac and keys/{track}; that folder is the corpus"
)
_OBTAIN_5 = (
    "unpack all parts of https://zenodo.org/records/14498691 in one folder, so that it holds "
    "ASVspoof5.train.tsv, flac_T, flac_D and flac_E_eval; that folder is the corpus"
)
_ACCESS = {"LA": "logical access", "PA": "physical access", "DF": "speech deepfake"}
_PARTS = {"train": "training set", "dev": "development set", "eval": "evaluation set"}
_LICENCES_2021 = {"LA": "ODC-By 1.0", "PA": "see LICENSE.PA.txt in it", "DF": "ODbL 1.0"}
_SUBSETS_2021 = {
    "LA": ("eval", "progress", "hidden"),
    "PA": ("eval", "progress", "hidden1", "hidden2"),
    "DF": ("eval", "progress", "hidden"),
}


@hookimpl
def spoofbench_corpora() -> Sequence[CorpusSpec]:
    """Say how one comes by ASVspoof 2019, 2021 and 5."""
    return [
        *(
            CorpusSpec(
                name=f"asvspoof2019-{track.lower()}",
                summary=f"ASVspoof 2019 {track}, {_ACCESS[track]}.",
                licence="ODC-By 1.0",
                obtain=_OBTAIN_2019.format(track=track),
                page="https://doi.org/10.7488/ds/2555",
                downloads=downloads.of_2019(track),
            )
            for track in ("LA", "PA")
        ),
        *(
            CorpusSpec(
                name=f"asvspoof2021-{track.lower()}",
                summary=f"ASVspoof 2021 {track}, {_ACCESS[track]}.",
                licence=_LICENCES_2021[track],
                obtain=_OBTAIN_2021.format(track=track, record=record),
                page=f"https://zenodo.org/records/{record}",
                downloads=downloads.of_2021(track),
            )
            for track, record in downloads.RECORDS_2021.items()
        ),
        CorpusSpec(
            name="asvspoof5",
            summary="ASVspoof 5, crowdsourced speech, deepfakes and adversarial attacks.",
            licence="ODC-By 1.0; its bona fide speech CC BY 4.0",
            obtain=_OBTAIN_5,
            page=f"https://zenodo.org/records/{downloads.RECORD_5}",
            downloads=downloads.of_5(),
        ),
    ]


@hookimpl
def spoofbench_protocols() -> Sequence[ProtocolSpec]:
    """Offer the parts of ASVspoof 2019 LA and PA, of 2021 LA, DF and PA, and of 5 track 1."""
    return [
        *(
            _protocol(f"{track.lower()}-{part}", f"ASVspoof 2019 {track}, {said}")
            for track in ("LA", "PA")
            for part, said in _PARTS.items()
        ),
        *(
            _protocol(f"{track.lower()}21-{subset}", f"ASVspoof 2021 {track}, subset {subset}")
            for track, subsets in _SUBSETS_2021.items()
            for subset in subsets
        ),
        *(
            _protocol(f"asv5-track1-{part}", f"ASVspoof 5 track 1, {said}")
            for part, said in _PARTS.items()
        ),
    ]


def _protocol(name: str, summary: str) -> ProtocolSpec:
    return ProtocolSpec(name=name, target=f"spoofbench_protocols:{name}.toml", summary=summary)

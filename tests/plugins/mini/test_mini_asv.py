from __future__ import annotations

import numpy as np
import pytest
from voices import voice

from spoofbench_mini import embeddings
from spoofbench_mini.asv import Claim, Verifier, choose, lines
from spoofbench_mini.contracts import Audio
from spoofbench_mini.embeddings import EmbeddingVerifier
from spoofbench_mini.gmm import GmmVerifier, cepstra

TRACTS = {"low": 0.75, "middle": 1.0, "high": 1.3}


def says(speaker: str, seed: int) -> Audio:
    tract = TRACTS[speaker]
    return voice(pitch=120 * tract, tract=tract, seed=seed)


def stranger(number: int, seed: int) -> Audio:
    tract = 0.8 + 0.1 * number
    return voice(pitch=100 + 20 * number, tract=tract, seed=50 + 10 * number + seed)


def enrolled(verifier: Verifier) -> Verifier:
    background = {f"b{n}": [stranger(n, seed) for seed in range(4)] for n in range(5)}
    verifier.learn(background)
    for speaker in TRACTS:
        verifier.enrol(speaker, [says(speaker, seed) for seed in range(3)])
    return verifier


@pytest.fixture(scope="module", params=["gmm", "embedding"])
def verifier(request: pytest.FixtureRequest) -> Verifier:
    if request.param == "gmm":
        return enrolled(GmmVerifier())
    file = embeddings.weights_file()
    if file is None:
        pytest.skip(f"no speaker embedding is installed: {embeddings.INSTALL}")
    return enrolled(EmbeddingVerifier(file))


def test_a_speaker_sounds_most_like_themselves(verifier: Verifier):
    names = list(TRACTS)
    for speaker in names:
        for seed in range(10, 13):
            given = verifier.scores(says(speaker, seed), names)
            assert names[int(np.argmax(given))] == speaker


def test_scores_do_not_hang_on_the_level(verifier: Verifier):
    audio = says("low", 20)
    loud, quiet = (verifier.scores(audio * gain, ["low"])[0] for gain in (1.0, 0.2))
    assert loud == pytest.approx(quiet, abs=0.05 * max(1.0, abs(loud)))


def test_cepstra_do_not_change_with_a_gain_and_have_no_mean():
    frames = cepstra(says("middle", 1))
    assert frames.shape[1] == 19
    assert np.abs(frames.mean(axis=0)).max() < 1e-9


def test_every_bona_fide_utterance_claims_to_be_itself_and_others():
    class Counting:
        name = "counting"

        def learn(self, background: object) -> None: ...

        def enrol(self, speaker: str, utterances: object) -> None: ...

        def scores(self, audio: Audio, speakers: list[str]) -> list[float]:
            return [float(len(speakers))] * len(speakers)

    speakers = ["a", "b", "c", "d", "e"]
    claims = [
        Claim(utterance="U1", speaker="d", attack="-", audio=lambda: np.zeros(1)),
        Claim(utterance="U2", speaker="b", attack="piper", audio=lambda: np.zeros(1)),
    ]
    assert list(lines(Counting(), claims, speakers)) == [
        "U1 - target 4.000000",
        "U1 - nontarget 4.000000",
        "U1 - nontarget 4.000000",
        "U1 - nontarget 4.000000",
        "U2 piper spoof 1.000000",
    ]


def test_without_pretrained_weights_a_gmm_stands_in(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("spoofbench_mini.asv.weights_file", lambda: None)
    assert choose().name.startswith("GMM-UBM")

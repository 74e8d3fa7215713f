"""What this plugin offers: the corpus ``mini`` and its four protocols."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import CorpusSpec, ProtocolSpec, hookimpl


@hookimpl
def spoofbench_corpora() -> Sequence[CorpusSpec]:
    """Return the corpus that is built of free recordings and synthesisers."""
    return [
        CorpusSpec(
            name="mini",
            target="spoofbench_mini.corpus:build",
            summary="Real human speech against real synthesisers, built on your own machine.",
            licence="that of each recording and synthesiser, in its manifest.csv",
            obtain="spoofbench data build mini",
            asks=("speech", "size", "attacks", "seed", "workers"),
            version="1",
        )
    ]


@hookimpl
def spoofbench_protocols() -> Sequence[ProtocolSpec]:
    """Return the protocols of that corpus."""
    return [
        ProtocolSpec(
            name="mini-train",
            target="spoofbench_protocols:mini-train.toml",
            summary="Built corpus, training set.",
        ),
        ProtocolSpec(
            name="mini-dev",
            target="spoofbench_protocols:mini-dev.toml",
            summary="Built corpus, development set.",
        ),
        ProtocolSpec(
            name="mini-eval",
            target="spoofbench_protocols:mini-eval.toml",
            summary="Built corpus, evaluation set: speakers and attacks that training never met.",
        ),
        ProtocolSpec(
            name="mini-eval-pairs",
            target="spoofbench_protocols:mini-eval-pairs.toml",
            summary="Its copy-synthesis alone, against the originals of the same utterances.",
        ),
    ]

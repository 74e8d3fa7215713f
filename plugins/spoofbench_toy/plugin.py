"""What this plugin offers: the corpus ``toy`` and its three protocols."""

from __future__ import annotations

from collections.abc import Sequence

from spoofbench import CorpusSpec, ProtocolSpec, hookimpl


@hookimpl
def spoofbench_corpora() -> Sequence[CorpusSpec]:
    """Return the generated corpus."""
    return [
        CorpusSpec(
            name="toy",
            target="spoofbench_toy.corpus:build",
            summary="Talkers made of formulas, and ten attacks on them; no human speech.",
            licence="Apache-2.0 (generated)",
            obtain="generated on first use, nothing to download",
            version="1",
        )
    ]


@hookimpl
def spoofbench_protocols() -> Sequence[ProtocolSpec]:
    """Return the protocols of the generated corpus."""
    return [
        ProtocolSpec(
            name="toy-train",
            target="spoofbench_protocols:toy-train.toml",
            summary="Generated corpus, training set; no human speech.",
        ),
        ProtocolSpec(
            name="toy-dev",
            target="spoofbench_protocols:toy-dev.toml",
            summary="Generated corpus, development set; no human speech.",
        ),
        ProtocolSpec(
            name="toy-eval",
            target="spoofbench_protocols:toy-eval.toml",
            summary="Generated corpus, evaluation set; no human speech.",
            aliases=("toy",),
        ),
    ]

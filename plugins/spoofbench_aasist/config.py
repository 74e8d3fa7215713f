"""The sizes of AASIST and AASIST-L, each with the reason for its value."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class AasistConfig:
    """The sizes of one AASIST; the defaults are those of the larger published model.

    Source: Jung et al., "AASIST: Audio anti-spoofing using integrated spectro-temporal graph
    attention networks", ICASSP 2022 (https://arxiv.org/abs/2110.01200).
    """

    rate: int = 16_000
    """Samples per second. The filters span 0 Hz to half of it."""

    filters: int = 70
    """Sinc filters. Pooling by three leaves 23 bands, and drops the 70th filter."""

    taps: int = 129
    """Length of a filter. The paper says 128; an odd length makes the filter symmetric."""

    widths: tuple[int, ...] = (32, 32, 64, 64, 64, 64)
    """Channels that each residual block gives. Six blocks make 29 frames of 64,600 samples."""

    graph_width: int = 64
    """Features of a node in the two separate graphs."""

    node_width: int = 32
    """Features of a node in the heterogeneous graph; the readout is five times as wide."""

    spectral_keep: float = 0.5
    """Share of the spectral nodes that enter the heterogeneous graph: 11 of 23."""

    temporal_keep: float = 0.7
    """Share of the temporal nodes that enter it: 20 of 29. Time is kept finer than frequency."""

    hidden_keep: float = 0.5
    """Share of either type of node that stays after the first heterogeneous layer."""

    temperature: float = 2.0
    """What the attention scores of the separate graphs are divided by."""

    joint_temperature: float = 100.0
    """The same in the heterogeneous graph. So high that its attention is close to uniform."""

    input_dropout: float = 0.2
    """Dropout on the nodes that enter an attention layer."""

    pool_dropout: float = 0.3
    """Dropout on the nodes as they are scored for pooling; the nodes kept are not touched."""

    branch_dropout: float = 0.2
    """Dropout on what a branch gives, so that neither branch can be relied on alone."""

    readout_dropout: float = 0.5
    """Dropout before the last layer."""

    @property
    def bands(self) -> int:
        """Rows of frequency that reach the encoder, and so the number of spectral nodes."""
        return self.filters // 3

    @property
    def min_samples(self) -> int:
        """The shortest input: each of the poolings by three must leave one frame of time."""
        frame: int = 3 ** (1 + len(self.widths))
        return self.taps - 1 + frame


AASIST = AasistConfig()

AASIST_L = AasistConfig(
    widths=(32, 32, 24, 24, 24, 24),  # most of the parameters are in the last four blocks
    graph_width=24,
    spectral_keep=0.4,  # 9 of 23
    temporal_keep=0.5,  # 14 of 29
    hidden_keep=0.7,  # 6 of 9 and 9 of 14: fewer nodes arrive, so more of them stay
)

import math

import numpy as np
import pytest
import torch

from spoofbench import Context
from spoofbench.errors import InvalidCondition
from spoofbench_channels.losses import Dropout, PacketLoss, conceal, losses

RATE, PACKET = 16_000, 320


def context(*options: float, seed: int = 1) -> Context:
    random = torch.Generator().manual_seed(seed)
    return Context(rate=RATE, random=random, utterance="u", options=options)


def noise(samples: int) -> torch.Tensor:
    return torch.randn(samples, generator=torch.Generator().manual_seed(3)) * 0.1 + 1.0


def bursts(lost: np.ndarray) -> np.ndarray:
    """Return the lengths of the runs of lost packets."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], lost.astype(int), [0]])))
    return edges[1::2] - edges[::2]


@pytest.mark.parametrize(("share", "burst"), [(0.05, 3.0), (0.2, 3.0), (0.1, 1.0), (0.5, 8.0)])
def test_packets_are_lost_as_often_and_as_long_as_the_chain_says(share: float, burst: float):
    """Within four standard errors; a chain that forgets slowly has fewer independent draws."""
    packets = 200_000
    lost = losses(packets, share, burst, np.random.default_rng(7))
    memory = 1 - 1 / burst - share / (1 - share) / burst
    error = math.sqrt(share * (1 - share) / packets * (1 + memory) / (1 - memory))
    assert lost.mean() == pytest.approx(share, abs=4 * error)
    lengths = bursts(lost)
    deviation = math.sqrt(burst * (burst - 1))  # of a geometric distribution
    assert lengths.mean() == pytest.approx(
        burst, abs=4 * deviation / math.sqrt(len(lengths)) + 1e-9
    )


def test_the_first_packet_is_lost_as_often_as_any():
    random = np.random.default_rng(3)
    first = np.mean([losses(1, 0.3, 3.0, random)[0] for _ in range(4000)])
    assert first == pytest.approx(0.3, abs=4 * math.sqrt(0.3 * 0.7 / 4000))


@pytest.mark.parametrize(("share", "burst"), [(0.1, 0.5), (0.8, 3.0)])
def test_bursts_that_no_chain_has_are_an_error(share: float, burst: float):
    with pytest.raises(InvalidCondition, match="bursts"):
        losses(10, share, burst, np.random.default_rng(0))


def test_a_gap_repeats_the_last_packet_and_fades_away_in_60_ms():
    packets = np.ones((6, PACKET), dtype=np.float32)
    lost = np.array([False, True, True, True, True, False])
    heard = conceal(packets, lost, RATE).reshape(-1)
    since_ms = np.arange(4 * PACKET) * 1000 / RATE
    expected = np.interp(since_ms, [0, 10, 60], [1, 1, 0])
    np.testing.assert_allclose(heard[PACKET : 5 * PACKET], expected, atol=1e-6)
    assert (heard[:PACKET] == 1).all()
    assert (heard[5 * PACKET :] == 1).all()


def test_what_is_repeated_is_the_last_packet_received():
    packets = np.arange(4, dtype=np.float32)[:, None].repeat(PACKET, axis=1) + 1
    heard = conceal(packets, np.array([False, False, True, False]), RATE)
    assert heard[:, 0].tolist() == [1, 2, 2, 4]


def test_nothing_is_heard_before_the_first_packet_arrives():
    packets = np.ones((3, PACKET), dtype=np.float32)
    heard = conceal(packets, np.array([True, True, False]), RATE)
    assert not heard[:2].any()
    assert heard[2].all()


def test_the_share_of_lost_packets_is_noted_and_the_others_are_untouched():
    audio = noise(200 * PACKET)
    heard = PacketLoss().apply(audio, 20, noted := context(3.0))
    changed = (heard != audio).reshape(200, PACKET).any(dim=1)
    assert 100 * float(changed.double().mean()) == pytest.approx(noted.notes["lost_percent"])
    assert 5 < noted.notes["lost_percent"] < 40


@pytest.mark.parametrize("level", [1.0, 5.0, 20.0])
def test_dropout_takes_the_share_of_time_exactly_where_it_can(level: float):
    heard = Dropout().apply(noise(200 * PACKET), level, noted := context())
    gone = (heard == 0).reshape(200, PACKET)
    assert (gone.all(dim=1) == gone.any(dim=1)).all()
    assert 100 * float(gone.double().mean()) == pytest.approx(level)
    assert noted.notes["lost_percent"] == pytest.approx(level)


def test_dropout_of_short_speech_is_right_on_average():
    """Two pieces of a trial of 40 ms, 20 %: 0.4 pieces in the mean, none or one in each trial."""
    shares = []
    for seed in range(500):
        Dropout().apply(noise(2 * PACKET), 20, noted := context(seed=seed))
        shares.append(noted.notes["lost_percent"])
    assert set(shares) == {0.0, 50.0}
    assert np.mean(shares) == pytest.approx(20, abs=4 * 50 * math.sqrt(0.24 / 500))


@pytest.mark.parametrize("made", [Dropout(), PacketLoss()])
def test_more_is_lost_at_a_higher_level_of_the_same_seed(made):
    audio = noise(4 * RATE)
    lost = [
        (made.apply(audio, level, context(3.0, seed=5)) != audio).numpy()
        for level in (1.0, 5.0, 20.0)
    ]
    assert (lost[0] <= lost[1]).all()
    assert (lost[1] <= lost[2]).all()
    assert lost[2].sum() > lost[0].sum()


@pytest.mark.parametrize("made", [Dropout(), PacketLoss()])
@pytest.mark.parametrize("samples", [1, 50, 321])
def test_losses_of_the_shortest_speech_keep_its_length(made, samples: int):
    for seed in range(20):
        heard = made.apply(noise(samples), 60, context(3.0, seed=seed))
        assert heard.shape == (samples,)
        assert torch.isfinite(heard).all()

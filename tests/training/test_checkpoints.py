from pathlib import Path

import pytest
import torch
from small import Small
from torch import nn
from torch.optim import Adam, Optimizer

from spoofbench.errors import InvalidRun
from spoofbench.training import checkpoints
from spoofbench.training.checkpoints import Epoch, Position


def trained(seed: int, steps: int = 2) -> tuple[dict[str, nn.Module], Optimizer]:
    """A model as the part that is judged, and an optimiser that has made some steps with it."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        model = Small()
        optimiser = Adam(model.parameters())
        for _ in range(steps):
            audio = torch.randn(4, 50)
            model.loss(audio, torch.full((4,), 50), torch.rand(4) < 0.5).sum().backward()
            optimiser.step()
    return {"model": model}, optimiser


def epoch(number: int, eer: float) -> Epoch:
    return Epoch(epoch=number, loss=0.5, dev_eer=eer, learning_rate=1e-3, seconds=1.0)


POSITION = Position(
    epoch=3, step=4, loss_sum=1 / 3, seconds=2.5, history=(epoch(1, 0.3), epoch(2, 0.2))
)


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    file = tmp_path / "last.safetensors"
    checkpoints.save(file, *trained(1), POSITION)
    return file


def test_everything_comes_back_weights_optimiser_random_state_and_position(tmp_path):
    file = tmp_path / "last.safetensors"
    parts, optimiser = trained(1)
    with torch.random.fork_rng():
        torch.manual_seed(99)
        checkpoints.save(file, parts, optimiser, POSITION)
        expected = torch.rand(3)
        others, other_optimiser = trained(2, steps=0)
        torch.manual_seed(1)
        assert checkpoints.load(file, others, other_optimiser) == POSITION
        assert torch.equal(torch.rand(3), expected)
    for name, tensor in parts["model"].state_dict().items():
        assert torch.equal(others["model"].state_dict()[name], tensor)
    mine, yours = optimiser.state_dict()["state"], other_optimiser.state_dict()["state"]
    assert mine.keys() == yours.keys()
    for index, state in mine.items():
        for name, tensor in state.items():
            assert torch.equal(yours[index][name], tensor), (index, name)


def test_the_position_is_read_without_a_model(saved):
    assert checkpoints.position(saved) == POSITION


def test_a_truncated_checkpoint_is_refused_wherever_it_was_cut(saved):
    whole = saved.read_bytes()
    for length in (0, 1, 8, 100, len(whole) // 2, len(whole) - 1):
        saved.write_bytes(whole[:length])
        with pytest.raises(InvalidRun, match=r"last\.safetensors") as error:
            checkpoints.load(saved, *trained(2))
        assert "remove its folder" in error.value.hint


def test_a_checkpoint_of_another_model_is_refused(saved):
    model = nn.Linear(3, 1)
    with pytest.raises(InvalidRun, match="cannot be used"):
        checkpoints.load(saved, {"model": model}, Adam(model.parameters()))


def test_a_file_without_a_position_is_refused(tmp_path):
    from safetensors.torch import save_file

    save_file({"model.weight": torch.zeros(1)}, tmp_path / "last.safetensors")
    with pytest.raises(InvalidRun):
        checkpoints.position(tmp_path / "last.safetensors")


def test_saving_over_a_checkpoint_leaves_one_whole_file_and_nothing_else(saved):
    checkpoints.save(saved, *trained(2), Position(epoch=9))
    assert checkpoints.position(saved).epoch == 9
    assert list(saved.parent.iterdir()) == [saved]


def test_the_best_epoch_is_the_last_of_those_with_the_lowest_eer():
    history = (epoch(1, 0.3), epoch(2, 0.1), epoch(3, 0.1), epoch(4, 0.2))
    assert Position(history=history).best() == history[2]
    assert Position().best() is None


def test_the_mean_of_the_first_tenth_of_the_first_epoch_is_remembered():
    position = Position()
    for loss in (1.0, 2.0, 9.0):
        position = position.after_step(loss, seconds=0.5, waited=0.25, steps=15)
    assert (position.step, position.loss_sum, position.opening) == (3, 12.0, 1.5)
    assert (position.seconds, position.waited) == (1.5, 0.75)
    later = Position(epoch=2, history=(epoch(1, 0.3),))
    assert later.after_step(1.0, seconds=0, waited=0, steps=1).opening is None


def test_the_history_is_written_as_a_table():
    assert checkpoints.csv([epoch(1, 0.25)]) == (
        "epoch,loss,dev_eer,learning_rate,seconds,waiting,utterances_per_second,peak_mb,"
        "cache_mb,cache_hits,micro_batch\n"
        "1,0.5,0.25,0.001,1.0,0.0,0.0,0.0,0.0,0.0,0\n"
    )

"""Event files, read again by TensorBoard itself."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from spoofbench.errors import MissingExtra
from spoofbench.plugins import catalogue
from spoofbench.testing import parametrize_contract
from spoofbench.testing.kit import Clause
from spoofbench.testing.trackers import RECORD, TERMS, epoch


@parametrize_contract("tracker", "tensorboard")
def test_contract(clause: Clause):
    clause.check()


def begun(folder: Path):
    return catalogue().trackers.get("tensorboard").spec.resolve()(folder, TERMS)


def read(folder: Path) -> EventAccumulator:
    written = EventAccumulator(str(folder / "tensorboard"))
    written.Reload()
    return written


def test_every_number_of_an_epoch_is_a_scalar_at_its_step(tmp_path):
    board = begun(tmp_path)
    for number in (1, 2, 3):
        board.epoch(epoch(number))
    events = read(tmp_path)
    expected = {n: epoch(n).loss for n in (1, 2, 3)}
    assert {e.step: e.value for e in events.Scalars("loss")} == pytest.approx(expected)
    assert set(events.Tags()["scalars"]) == set(epoch(1).model_dump()) - {"epoch"}


def test_an_epoch_that_comes_again_is_there_once(tmp_path):
    for number in (1, 2):
        begun(tmp_path).epoch(epoch(number))
    resumed = begun(tmp_path)
    resumed.epoch(epoch(2))
    resumed.epoch(epoch(3))
    assert [event.step for event in read(tmp_path).Scalars("loss")] == [1, 2, 3]


def test_the_terms_and_the_end_are_texts(tmp_path):
    begun(tmp_path).end(RECORD)
    text = {
        tag: read(tmp_path).Tensors(f"{tag}/text_summary")[0].tensor_proto.string_val[0].decode()
        for tag in ("terms", "training")
    }
    assert '"epochs": 20' in text["terms"]
    assert f'"best_epoch": {RECORD.best_epoch}' in text["training"]


def test_without_tensorboard_the_way_to_get_it_is_said(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtra) as refused:
        begun(tmp_path)
    assert "spoofbench[tensorboard]" in refused.value.hint

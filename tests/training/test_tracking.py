"""Trackers are told every epoch, whatever interrupts a training, and cannot end one."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest
import strangers
from inprocess import run_here
from program import Outcome

from spoofbench.errors import InvalidRun
from spoofbench.training.checkpoints import Epoch
from spoofbench.training.tracking import TOLD, Tracking

HISTORY = [
    Epoch(epoch=n, loss=1 / n, dev_eer=0.5 / n, learning_rate=1e-3, seconds=1.0)
    for n in (1, 2, 3, 4)
]


class Log:
    """Keeps the numbers of the epochs; raises at one of them, if so told."""

    def __init__(self, fails_at: int = 0) -> None:
        self.fails_at = fails_at
        self.heard: list[int] = []

    def epoch(self, epoch: Epoch) -> None:
        if epoch.epoch == self.fails_at:
            raise ConnectionError("no route")
        self.heard.append(epoch.epoch)

    def end(self, record: object) -> None:
        self.heard.append(-1)


def tracking(folder: Path, **trackers: Log) -> Tracking:
    return Tracking(trackers, folder, lambda said: None)


def test_what_was_told_before_is_not_told_again(tmp_path):
    first, second = Log(), Log()
    tracking(tmp_path, log=first).tell(HISTORY[:2])
    tracking(tmp_path, log=second).tell(HISTORY)
    assert (first.heard, second.heard) == ([1, 2], [3, 4])


def test_an_epoch_whose_logging_was_cut_off_is_told_when_training_goes_on(tmp_path):
    class Killed(BaseException):
        pass

    class Dying(Log):
        def epoch(self, epoch: Epoch) -> None:
            if epoch.epoch == 2:
                raise Killed
            super().epoch(epoch)

    with pytest.raises(Killed):
        tracking(tmp_path, log=Dying()).tell(HISTORY[:2])
    later = Log()
    tracking(tmp_path, log=later).tell(HISTORY[:2])
    assert later.heard == [2]


def test_a_tracker_that_comes_later_is_told_everything(tmp_path):
    old, new = Log(), Log()
    tracking(tmp_path, old=old).tell(HISTORY[:3])
    tracking(tmp_path, old=old, new=new).tell(HISTORY)
    assert (old.heard, new.heard) == ([1, 2, 3, 4], [1, 2, 3, 4])


def test_a_training_that_begins_anew_is_told_anew(tmp_path):
    tracking(tmp_path, log=Log()).tell(HISTORY)
    anew = Log()
    tracking(tmp_path, log=anew).tell(HISTORY[:1])
    assert anew.heard == [1]


def test_a_tracker_that_raises_is_put_aside_and_the_others_are_not(tmp_path):
    notes: list[str] = []
    bad, good = Log(fails_at=2), Log()
    told = Tracking({"bad": bad, "good": good}, tmp_path, notes.append)
    told.tell(HISTORY[:2])
    told.tell(HISTORY)
    assert (bad.heard, good.heard) == ([1], [1, 2, 3, 4])
    (note,) = notes
    assert "'bad' is put aside" in note
    assert "ConnectionError: no route" in note


def test_what_a_tracker_missed_while_it_was_put_aside_is_told_when_training_goes_on(tmp_path):
    tracking(tmp_path, log=Log(fails_at=2)).tell(HISTORY[:3])
    again = Log()
    tracking(tmp_path, log=again).tell(HISTORY)
    assert again.heard == [2, 3, 4]


@pytest.mark.parametrize("content", ["", "[1]", '{"log": "two"}'])
def test_a_damaged_note_of_what_was_told_is_refused_by_name(tmp_path, content):
    (tmp_path / TOLD).write_text(content)
    with pytest.raises(InvalidRun, match=r"trackers\.json"):
        tracking(tmp_path, log=Log())


PLUGIN = """
import json
from spoofbench import TrackerSpec, hookimpl
from spoofbench.errors import InvalidSettings

@hookimpl
def spoofbench_trackers():
    return [
        TrackerSpec(name=name.lower(), target=f"log_plugin:{name}", summary="For a test.")
        for name in ("Lines", "Failing", "Fussy", "Unmade")
    ]

class Lines:
    def __init__(self, folder, terms):
        self.file = folder.parent / "lines.txt"
        self.add("terms", terms.recipe.epochs)

    def add(self, *said):
        with self.file.open("a") as file:
            print(*said, file=file)

    def epoch(self, epoch):
        self.add("epoch", epoch.epoch, epoch.loss)

    def end(self, record):
        self.add("end", record.best_epoch)

class Failing(Lines):
    def epoch(self, epoch):
        raise OSError("the server is down")

class Fussy:
    def __init__(self, folder, terms):
        raise InvalidSettings("no key", hint="get a key")

class Unmade:
    def __init__(self, folder, terms):
        raise ZeroDivisionError("by nought")
"""

Train = Callable[..., Outcome]


@pytest.fixture
def train(example: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Train:
    """``spoofbench train lfcc-linear`` for three epochs, with the trackers of `PLUGIN` about."""
    site = tmp_path / "site"
    strangers.write(site, "log", PLUGIN)
    monkeypatch.syspath_prepend(example)
    monkeypatch.syspath_prepend(site)
    monkeypatch.chdir(tmp_path)
    defaults = ("--train", tiny / "tiny-train.toml", "--data", tiny, "--workers", "0")
    return lambda *args: run_here("train", "lfcc-linear", *defaults, "--set", "epochs=3", *args)


def losses(file: Path) -> list[float]:
    with (file.parent / "epochs.csv").open(newline="") as lines:
        return [float(line["loss"]) for line in csv.DictReader(lines)]


def test_a_tracker_hears_of_a_training_from_terms_to_end(train):
    done = train("--tracker", "lines")
    assert done.code == 0, done.err
    file = Path(done.out.strip())
    first, *epochs, last = (file.parents[1] / "lines.txt").read_text().splitlines()
    best = json.loads((file.parent / "training.json").read_text())["best_epoch"]
    assert (first, last) == ("terms 3", f"end {best}")
    assert epochs == [f"epoch {n} {loss}" for n, loss in enumerate(losses(file), start=1)]


def test_a_tracker_that_fails_costs_no_epoch(train):
    done = train("--tracker", "failing", "--tracker", "lines")
    assert done.code == 0, done.err
    assert done.err.count("'failing' is put aside") == 1
    assert "the server is down" in done.err
    assert len(losses(Path(done.out.strip()))) == 3
    assert (Path(done.out.strip()).parents[1] / "lines.txt").read_text().count("epoch ") == 3


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fussy", "get a key"),
        ("unmade", "ZeroDivisionError: by nought"),
        ("line", "did you mean 'lines'?"),
    ],
)
def test_a_tracker_that_cannot_be_made_ends_it_before_it_begins(train, name, said):
    refused = train("--tracker", name)
    assert refused.code == 2
    assert said in refused.err
    assert not [path for path in Path("runs").rglob("*") if path.is_file()]


def test_a_file_of_epochs_that_was_cut_off_is_whole_when_training_goes_on(train):
    """The last process died after its last checkpoint, before ``epochs.csv`` and the tracker."""
    file = Path(train("--tracker", "lines").out.strip())
    whole = (file.parent / "epochs.csv").read_text()
    record = json.loads((file.parent / "training.json").read_text())
    (file.parent / "terms.json").write_text(json.dumps(record["terms"]))
    (file.parent / "training.json").unlink()
    (file.parent / "epochs.csv").write_text("".join(whole.splitlines(keepends=True)[:-1]))
    (file.parent / TOLD).write_text('{"lines": 2}')
    (file.parents[1] / "lines.txt").unlink()
    assert train("--tracker", "lines").code == 0
    assert (file.parent / "epochs.csv").read_text() == whole
    told = (file.parents[1] / "lines.txt").read_text().splitlines()
    assert [line.split()[:2] for line in told[:2]] == [["terms", "3"], ["epoch", "3"]]
    assert len(told) == 3

import math
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from filelock import FileLock
from torch import Tensor, nn

from spoofbench import audio, scoring
from spoofbench.errors import BrokenPlugin, FailedTrials, InvalidAudio, InvalidRun, StorageError
from spoofbench.processes import Processes
from spoofbench.scores import ScoreTable
from spoofbench.scoring import Lane, Options
from spoofbench.trials import Trial

RATE = 16_000
COUNT = 7


class Judge:
    """Gives the mean of an utterance, counts what it is given, and stops where it is told to."""

    def __init__(self, *, stop_after: int | None = None) -> None:
        self.seen: list[float] = []
        self.stop_after = stop_after

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        if self.stop_after is not None and len(self.seen) >= self.stop_after:
            raise KeyboardInterrupt
        means = audio.mean(dim=1)
        self.seen += means.tolist()
        return means


class Answers:
    """Gives the same answer whatever it hears."""

    def __init__(self, answer: Tensor) -> None:
        self.answer = answer

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return self.answer


def mean_of(number: int) -> float:
    return float(np.float32(number / 8))


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Recordings whose samples are all ``number / 8``, so that their mean is exact."""
    root = tmp_path / "corpus"
    root.mkdir()
    for number in range(COUNT):
        write(root, number)
    return root


def write(root: Path, number: int) -> None:
    soundfile.write(root / f"u{number}.wav", np.full(16, mean_of(number)), RATE, subtype="FLOAT")


TRIALS = [
    Trial(
        utterance=f"u{number}",
        speaker="s",
        attack="-" if number % 2 else "X01",
        bonafide=bool(number % 2),
        audio=f"u{number}.wav",
    )
    for number in range(COUNT)
]


def options(root: Path, *, batch_size: int = 2, workers: int = 0) -> Options:
    return Options(
        device=torch.device("cpu"), batch_size=batch_size, workers=workers, root=root, rate=RATE
    )


def silent(done: int, total: int) -> None:
    pass


def score(
    model: object,
    folder: Path,
    chosen: Options,
    processes: Processes = Processes(),  # noqa: B008
) -> tuple[ScoreTable, scoring.Tally]:
    (result,), tally = score_in([Lane(folder=folder)], model, chosen, processes)
    return result.table, tally


def score_in(
    lanes: Sequence[Lane],
    model: object,
    chosen: Options,
    processes: Processes = Processes(),  # noqa: B008
) -> tuple[tuple[scoring.Result, ...], scoring.Tally]:
    result = scoring.score_lanes(model, TRIALS, lanes, chosen, processes=processes, progress=silent)
    assert result is not None
    results, tally = result
    for each in results:
        if isinstance(each, FailedTrials):
            raise each
    return results, tally


EXPECTED = [mean_of(number) for number in range(COUNT)]


@pytest.mark.parametrize("workers", [0, 1, 2])
def test_scores_are_in_the_order_of_the_trials_however_many_workers_read(corpus, tmp_path, workers):
    table, tally = score(Judge(), tmp_path / "run", options(corpus, workers=workers))
    assert table.scores.tolist() == EXPECTED
    assert [trial.utterance for trial in table.trials] == [f"u{n}" for n in range(COUNT)]
    assert tally.scored == COUNT


def test_a_call_after_an_interruption_scores_only_what_is_missing(corpus, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        score(Judge(stop_after=4), tmp_path / "run", options(corpus))
    rest = Judge()
    table, tally = score(rest, tmp_path / "run", options(corpus))
    assert rest.seen == EXPECTED[4:]
    assert tally.scored == 3
    assert table.scores.tolist() == EXPECTED


def test_a_line_that_was_cut_off_in_writing_is_scored_again(corpus, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        score(Judge(stop_after=4), tmp_path / "run", options(corpus))
    (part,) = (tmp_path / "run").glob("scores.part-*")
    part.write_text(part.read_text().removesuffix("5\n"))  # of u3's 0.375
    rest = Judge()
    table, _ = score(rest, tmp_path / "run", options(corpus))
    assert rest.seen == EXPECTED[2:]  # the whole batch of u3: its company may matter
    assert table.scores.tolist() == EXPECTED


def test_the_parts_are_gone_once_they_are_discarded(corpus, tmp_path):
    score(Judge(), tmp_path / "run", options(corpus))
    scoring.discard_parts(tmp_path / "run")
    assert list((tmp_path / "run").iterdir()) == []


def test_one_bad_recording_costs_no_other_its_score(corpus, tmp_path):
    (corpus / "u2.wav").write_bytes(b"no audio")
    run = tmp_path / "run"
    with pytest.raises(FailedTrials, match=r"1 of 7 trials.*\n.*u2") as error:
        score(Judge(), run, options(corpus))
    assert error.value.exit_code == 2
    header, line = (run / "failures.tsv").read_text().splitlines()
    assert header == "utterance\treason"
    assert line.startswith(f"u2\t{corpus / 'u2.wav'}")

    write(corpus, 2)
    rest = Judge()
    table, _ = score(rest, run, options(corpus, batch_size=1))
    assert rest.seen == [mean_of(2)]
    assert table.scores.tolist() == EXPECTED


def test_failures_left_by_a_call_that_was_killed_do_not_outlive_their_cause(corpus, tmp_path):
    run = tmp_path / "run"
    with pytest.raises(KeyboardInterrupt):
        score(Judge(stop_after=2), run, options(corpus))
    (run / "failures.part-1.tsv").write_text("u5\tit was broken then\n")
    table, _ = score(Judge(), run, options(corpus))
    assert table.scores.tolist() == EXPECTED


class CompanyJudge:
    """Gives every utterance the size of its batch, as if rounding depended on it."""

    def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
        return torch.full((len(audio),), float(len(audio)))


def test_after_mending_every_score_is_that_of_a_run_without_the_fault(corpus, tmp_path):
    (corpus / "u2.wav").unlink()
    for _ in range(12):  # enough calls for their numbers to have two digits
        with pytest.raises(FailedTrials):
            score(CompanyJudge(), tmp_path / "run", options(corpus))
    write(corpus, 2)
    table, _ = score(CompanyJudge(), tmp_path / "run", options(corpus))
    assert table.scores.tolist() == [2.0] * 6 + [1.0]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_a_failure_of_its_trial(corpus, tmp_path, value):
    class Stumbles(Judge):
        def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
            means = super().score(audio, lengths)
            means[means == mean_of(3)] = value
            return means

    with pytest.raises(FailedTrials, match=f"u3: the score is {value}"):
        score(Stumbles(), tmp_path / "run", options(corpus))
    rest = Judge()
    score(rest, tmp_path / "run", options(corpus, batch_size=1))
    assert rest.seen == [mean_of(3)]


def test_failures_are_listed_in_the_order_of_the_trials_and_named_up_to_three(corpus, tmp_path):
    for number in (6, 0, 3, 1, 4):
        (corpus / f"u{number}.wav").unlink()
    with pytest.raises(FailedTrials, match="and 2 more") as error:
        score(Judge(), tmp_path / "run", options(corpus))
    assert [line.split(":")[0].strip() for line in str(error.value).splitlines()[1:4]] == [
        "u0", "u1", "u3",
    ]  # fmt: skip
    lines = (tmp_path / "run" / "failures.tsv").read_text().splitlines()[1:]
    assert [line.split("\t")[0] for line in lines] == ["u0", "u1", "u3", "u4", "u6"]


@pytest.mark.parametrize("shape", [(), (1,), (2, 1), (2, 2), (3,)])
def test_scores_of_another_shape_are_the_fault_of_the_plugin(corpus, tmp_path, shape):
    with pytest.raises(BrokenPlugin, match="for 2 utterances"):
        score(Answers(torch.zeros(shape)), tmp_path / "run", options(corpus))


def test_scores_that_are_no_tensor_are_the_fault_of_the_plugin(corpus, tmp_path):
    with pytest.raises(BrokenPlugin, match="list"):
        score(Answers([0.0, 1.0]), tmp_path / "run", options(corpus))


def test_float32_scores_are_written_with_as_many_digits_as_they_have(corpus, tmp_path):
    model = Answers(torch.tensor([0.1, 1 / 3]))
    with pytest.raises(BrokenPlugin):  # the last batch has one utterance
        score(model, tmp_path / "run", options(corpus))
    (part,) = (tmp_path / "run").glob("scores.part-*")
    assert part.read_text().splitlines()[:2] == ["u0\t0.1", "u1\t0.33333334"]


def test_two_processes_share_the_batches_and_nothing_is_scored_twice(corpus, tmp_path):
    class Alone(Processes):
        def wait_for_all(self) -> None:  # one after the other in this test
            pass

    run, second, first = tmp_path / "run", Judge(), Judge()
    nothing = scoring.score_lanes(
        second,
        TRIALS,
        [Lane(folder=run)],
        options(corpus),
        processes=Alone(rank=1, count=2),
        progress=silent,
    )
    table, _ = score(first, run, options(corpus), Alone(rank=0, count=2))
    assert nothing is None
    assert second.seen == [EXPECTED[2], EXPECTED[3], EXPECTED[6]]
    assert first.seen == [EXPECTED[0], EXPECTED[1], EXPECTED[4], EXPECTED[5]]
    assert table.scores.tolist() == EXPECTED


def test_a_folder_in_which_another_process_is_at_work_is_left_alone(corpus, tmp_path):
    run = tmp_path / "run"
    run.mkdir()
    with FileLock(run / ".lock"), pytest.raises(InvalidRun, match="another process"):
        score(Judge(), run, options(corpus))
    assert [file.name for file in run.iterdir() if file.name != ".lock"] == []


def test_a_file_where_the_folder_should_be_is_an_error_of_storage(corpus, tmp_path):
    (tmp_path / "run").write_text("mine")
    with pytest.raises(StorageError, match="run"):
        score(Judge(), tmp_path / "run", options(corpus))
    assert (tmp_path / "run").read_text() == "mine"


def test_models_are_judged_in_evaluation_mode_and_given_back_as_they_were(corpus, tmp_path):
    class Module(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.modes: list[tuple[bool, bool]] = []

        def score(self, audio: Tensor, lengths: Tensor) -> Tensor:
            self.modes.append((self.training, torch.is_grad_enabled()))
            return audio.mean(dim=1)

    model = Module()
    score(model, tmp_path / "run", options(corpus))
    assert set(model.modes) == {(False, False)}
    assert model.training
    assert torch.is_grad_enabled()


def test_progress_counts_the_trials_of_this_call(corpus, tmp_path):
    told: list[tuple[int, int]] = []
    scoring.score_lanes(
        Judge(),
        TRIALS,
        [Lane(folder=tmp_path / "run")],
        options(corpus),
        processes=Processes(),
        progress=lambda done, total: told.append((done, total)),
    )
    assert told == [(2, 7), (4, 7), (6, 7), (7, 7)]


def test_only_modules_with_something_to_set_need_weights():
    assert scoring.has_parameters(nn.Linear(1, 1))
    assert not scoring.has_parameters(nn.ReLU())
    assert not scoring.has_parameters(Judge())


def plus(offset: float):
    """A variant that adds ``offset`` to the audio, and says so."""
    return lambda waveform, trial: (waveform + np.float32(offset), {"offset": offset})


def lanes(folder: Path, *offsets: float) -> list[Lane]:
    return [Lane(folder=folder / f"plus-{offset:g}", variant=plus(offset)) for offset in offsets]


def test_every_lane_hears_its_own_variant(corpus, tmp_path):
    results, tally = score_in(lanes(tmp_path, 0.0, 0.5), Judge(), options(corpus))
    assert results[0].table.scores.tolist() == EXPECTED
    assert results[1].table.scores.tolist() == [score + 0.5 for score in EXPECTED]
    assert tally.scored == 2 * COUNT


def test_a_recording_is_decoded_once_for_all_lanes(corpus, tmp_path, monkeypatch):
    read: list[str] = []
    decode = audio.read

    def counted(file: Path, rate: int) -> audio.Audio:
        read.append(file.name)
        return decode(file, rate)

    monkeypatch.setattr(audio, "read", counted)
    score_in(lanes(tmp_path, 0.0, 0.25, 0.5), Judge(), options(corpus))
    assert sorted(read) == sorted(f"u{number}.wav" for number in range(COUNT))


def test_what_was_measured_is_kept_beside_the_scores_over_an_interruption(corpus, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        score_in(lanes(tmp_path, 0.5), Judge(stop_after=4), options(corpus))
    (result,), _ = score_in(lanes(tmp_path, 0.5), Judge(), options(corpus))
    assert result.notes == {f"u{number}": {"offset": 0.5} for number in range(COUNT)}


def test_an_interrupted_pass_goes_on_where_each_lane_stopped(corpus, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        score_in(lanes(tmp_path, 0.0, 0.5), Judge(stop_after=6), options(corpus))
    rest = Judge()
    results, tally = score_in(lanes(tmp_path, 0.0, 0.5), rest, options(corpus))
    # Three batches of two were scored: both lanes of the first, and the first lane of the second.
    assert tally.scored == 2 * COUNT - 6
    assert [result.table.scores.tolist() for result in results] == [
        EXPECTED,
        [score + 0.5 for score in EXPECTED],
    ]


def test_a_lane_that_is_added_is_all_that_is_scored(corpus, tmp_path):
    score_in(lanes(tmp_path, 0.0), Judge(), options(corpus))
    added = Judge()
    score_in(lanes(tmp_path, 0.0, 0.5), added, options(corpus))
    assert added.seen == [score + 0.5 for score in EXPECTED]


def test_a_variant_that_makes_no_audio_of_a_trial_fails_in_its_lane_alone(corpus, tmp_path):
    def fragile(waveform, trial):
        if trial.utterance == "u3":
            raise InvalidAudio("nothing is left of u3")
        return waveform, {}

    both = [Lane(folder=tmp_path / "good"), Lane(folder=tmp_path / "bad", variant=fragile)]
    with pytest.raises(FailedTrials, match="nothing is left of u3"):
        score_in(both, Judge(), options(corpus))
    assert not (tmp_path / "good" / scoring.FAILURES).exists()
    assert "u3" in (tmp_path / "bad" / scoring.FAILURES).read_text()


def test_two_processes_share_the_batches_of_all_lanes(corpus, tmp_path):
    class Alone(Processes):
        def wait_for_all(self) -> None:  # one after the other in this test
            pass

    second, first = Judge(), Judge()
    both = lanes(tmp_path, 0.0, 0.5)
    chosen = options(corpus)
    scoring.score_lanes(
        second, TRIALS, both, chosen, processes=Alone(rank=1, count=2), progress=silent
    )
    results, _ = score_in(both, first, chosen, Alone(rank=0, count=2))
    assert (len(second.seen), len(first.seen)) == (2 * 3, 2 * 4)
    assert results[1].table.scores.tolist() == [score + 0.5 for score in EXPECTED]
    assert set(results[1].notes) == {trial.utterance for trial in TRIALS}

"""What a task is, and what is refused as one."""

from dataclasses import replace

import pytest
from small import task, terms

from spoofbench.errors import InvalidRecipe
from spoofbench.training import tasks
from spoofbench.training.recipe import Recipe


def check(train_terms: object, dev_terms: object, **changes: object) -> str:
    with pytest.raises(InvalidRecipe) as error:
        tasks.check(train_terms, dev_terms, Recipe(**{"batch_size": 4} | changes))
    return str(error.value)


def test_train_and_dev_parts_are_accepted(tiny):
    tasks.check(terms(tiny, "train"), terms(tiny, "dev"), Recipe(batch_size=4))


@pytest.mark.parametrize(("on", "by"), [("eval", "dev"), ("train", "eval"), ("eval", "eval")])
def test_nothing_is_trained_on_or_chosen_by_an_eval_protocol(tiny, on, by):
    assert "tiny-eval has the role eval" in check(terms(tiny, on), terms(tiny, by))


def test_a_model_is_not_chosen_by_what_it_was_trained_on(tiny):
    on, by = terms(tiny, "train"), terms(tiny, "dev")
    leaking = replace(by, trials=(*by.trials, on.trials[3]))
    assert f"share 1 utterances, {on.trials[3].utterance}" in check(on, leaking)


def test_one_class_alone_is_refused(tiny):
    on, by = terms(tiny, "train"), terms(tiny, "dev")
    only = tuple(trial for trial in by.trials if trial.bonafide)
    assert "tiny-dev needs bona fide and spoof" in check(on, replace(by, trials=only))


def test_fewer_trials_than_a_batch_are_refused(tiny):
    said = check(terms(tiny, "train"), terms(tiny, "dev"), batch_size=11)
    assert "10 trials, fewer than one batch of 11" in said


def test_the_last_incomplete_batch_is_dropped(tiny, tmp_path):
    chosen = task(tiny, tmp_path / "t")
    assert len(chosen.train.trials) == 10
    assert chosen.steps_per_epoch() == 2

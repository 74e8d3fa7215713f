from __future__ import annotations

from textwrap import dedent

import pytest
from pydantic import BaseModel, ConfigDict, Field

from spoofbench import tomlfile
from spoofbench.errors import InvalidRecipe, SpoofbenchError


class Engine(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    power: int
    fuel: str = "diesel"
    gears: tuple[int, ...] = Field(default=(), strict=False)


class Car(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    make: str
    version_: int = Field(default=1, alias="version")
    engine: Engine | None = None


def read(text: str) -> Car:
    text = dedent(text).lstrip()
    table = tomlfile.parse(text, where="car.toml", error=InvalidRecipe)
    return tomlfile.validate(Car, table, text=text, where="car.toml", error=InvalidRecipe)


def fault(text: str) -> SpoofbenchError:
    with pytest.raises(InvalidRecipe) as raised:
        read(text)
    return raised.value


def test_a_right_file_becomes_the_model():
    car = read('make = "Saab"\n[engine]\npower = 90\n')
    assert (car.make, car.engine.power) == ("Saab", 90)


def test_text_that_is_no_toml_names_file_and_line():
    error = fault('make = "Saab"\nversion =\n')
    assert "car.toml" in str(error)
    assert "line 2" in str(error)


def test_an_unknown_key_names_its_line():
    assert str(fault('make = "Saab"\ncolour = 1\n')) == "car.toml, line 2: unknown key 'colour'"


def test_an_unknown_key_of_a_table_names_its_line():
    error = fault('make = "Saab"\n\n[engine]\npower = 1\nsound = "loud"\n')
    assert str(error) == "car.toml, line 5: unknown key 'engine.sound'"


def test_a_key_is_looked_for_in_its_own_table_only():
    error = fault('fuel = "air"\nmake = "Saab"\n[engine]\npower = 1\nfuel = 2\n')
    assert str(error).startswith(("car.toml, line 1: unknown", "car.toml, line 5: 'engine.fuel'"))


def test_an_unknown_table_names_its_line():
    assert str(fault('make = "Saab"\n[wheels]\ncount = 3\n')).startswith("car.toml, line 2:")


@pytest.mark.parametrize(
    ("typo", "meant"), [("[engin]", "engine"), ("versoin = 1", "version")], ids=str
)
def test_an_unknown_key_gets_the_nearest_one(typo: str, meant: str):
    assert fault(f'make = "Saab"\n{typo}\n').hint == f"did you mean '{meant}'?"


def test_an_unknown_key_of_a_table_gets_the_nearest_one_of_that_table():
    error = fault('make = "Saab"\n[engine]\npower = 1\nfeul = "air"\n')
    assert error.hint == "did you mean 'fuel'?"


def test_a_key_near_nothing_gets_the_list_as_files_spell_it():
    assert fault('make = "Saab"\nxyz = 1\n').hint == "known here: make, version, engine"


def test_a_key_that_is_spelt_wrongly_is_called_unknown_rather_than_missing():
    assert fault('maek = "Saab"\n').hint == "did you mean 'make'?"


def test_a_key_that_is_there_already_is_not_suggested():
    assert fault('make = "Saab"\nmkae = "Saab"\n').hint.startswith("known here:")


def test_a_missing_key_is_named():
    assert "'make' is missing" in str(fault("version = 1\n"))


def test_a_missing_key_of_a_table_names_the_line_on_which_the_table_begins():
    error = fault('make = "Saab"\n\n[engine]\nfuel = "air"\n')
    assert str(error) == "car.toml, line 3: 'engine.power' is missing"


def test_a_value_of_the_wrong_type_is_shown_with_its_line():
    error = fault('make = "Saab"\n[engine]\npower = "90"\n')
    assert str(error).startswith("car.toml, line 3: 'engine.power' is '90':")


def test_an_element_of_a_list_names_the_line_of_its_list():
    error = fault('make = "Saab"\n[engine]\npower = 1\ngears = [1, "two"]\n')
    assert str(error).startswith("car.toml, line 4:")

"""What is public stands in the reference."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from spoofbench import contracts, errors, hookspecs, protocols, specs
from spoofbench.plugins import catalogue
from spoofbench.runs import RunRecord
from spoofbench.settings import Settings
from spoofbench.training.recipe import Recipe

REFERENCE = Path(__file__).parent.parent / "docs" / "reference"
TABLES = (
    protocols.Protocol,
    protocols.Data,
    protocols.Expect,
    protocols.Report,
    protocols.Detection,
    protocols.Tandem,
    protocols.ExpectAsv,
)


def names_of(page: str) -> str:
    return (REFERENCE / page).read_text(encoding="utf-8")


def fields(model) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


@pytest.mark.parametrize("hook", [n for n in vars(hookspecs) if n.startswith("spoofbench_")])
def test_every_hook_is_in_the_plugin_reference(hook):
    assert f"`{hook}`" in names_of("plugins.md")


@pytest.mark.parametrize(
    "spec", [n for n, v in vars(specs).items() if inspect.isclass(v) and n.endswith("Spec")]
)
def test_every_kind_of_spec_is_in_the_plugin_reference(spec):
    assert spec in ("Spec",) or f"`{spec}`" in names_of("plugins.md")


@pytest.mark.parametrize(
    "error",
    [n for n, v in vars(errors).items() if inspect.isclass(v) and v.__module__ == errors.__name__],
)
def test_every_error_is_in_the_reference_with_what_it_is_raised_for(error):
    assert f"`{error}`" in names_of("settings.md")


@pytest.mark.parametrize("name", fields(Settings))
def test_every_setting_is_in_the_reference(name):
    assert name in names_of("settings.md")


@pytest.mark.parametrize("name", fields(Recipe))
def test_every_number_of_a_recipe_is_in_the_reference_with_its_default(name):
    (line,) = [li for li in names_of("recipes.md").splitlines() if li.startswith(f"| `{name}` |")]
    default = Recipe.model_fields[name].default
    stated = line.split("|")[2].strip()
    if default is None:
        assert stated in ("none", "the model's")
    elif isinstance(default, tuple):
        assert stated == str(list(default))
    elif isinstance(default, str):
        assert stated == default
    elif isinstance(default, dict):
        assert stated == str(default)
    else:
        assert float(stated) == default


@pytest.mark.parametrize("name", sorted({name for table in TABLES for name in fields(table)}))
def test_every_key_of_a_protocol_is_in_the_reference(name):
    assert name == "name" or name in names_of("protocols.md")


@pytest.mark.parametrize("name", fields(RunRecord))
def test_every_field_of_a_run_record_is_in_the_reference(name):
    assert f"`{name}`" in names_of("scores.md")


def test_every_metric_on_offer_is_in_the_reference():
    page = names_of("metrics.md")
    assert [m.spec.name for m in catalogue().metrics if f"`{m.spec.name}`" not in page] == []


def test_every_protocol_on_offer_is_in_the_reference():
    page = names_of("protocols.md")
    assert [p.spec.name for p in catalogue().protocols if f"`{p.spec.name}`" not in page] == []


def test_every_model_on_offer_is_in_the_reference_with_its_size():
    page = names_of("models.md")
    own = [m.spec for m in catalogue().models if m.plugin.distribution == "spoofbench"]
    assert [spec.name for spec in own if f"`{spec.name}`" not in page] == []
    for spec in (spec for spec in own if spec.parameters):
        assert f"| `{spec.name}` | {spec.parameters:,} |" in page


def test_every_published_figure_is_in_the_reference():
    page = names_of("models.md")
    for spec in (offer.spec for offer in catalogue().models if offer.spec.figures):
        (line,) = [li for li in page.splitlines() if li.startswith(f"| `{spec.name}` | ")][:1]
        for figure in spec.figures:
            shown = f"{100 * figure.value:.2f} %" if figure.metric == "eer" else f"{figure.value}"
            assert shown in line


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        (kind, field)
        for kind in (
            specs.ModelSpec,
            specs.MetricSpec,
            specs.AugmentationSpec,
            specs.ObjectiveSpec,
            specs.Download,
        )
        for field in kind.__dataclass_fields__
        if field not in ("name", "target", "summary")
    ],
)
def test_every_field_of_a_spec_is_in_the_plugin_reference(spec, field):
    assert f"`{field}`" in names_of("plugins.md")


def test_the_plugin_reference_names_no_hook_that_is_not_there():
    named = set(re.findall(r"`(spoofbench_[a-z]+)`", names_of("plugins.md")))
    assert named == {n for n in vars(hookspecs) if n.startswith("spoofbench_")}


@pytest.mark.parametrize(
    "contract",
    [
        n
        for n, v in vars(contracts).items()
        if getattr(v, "_is_protocol", False) and n != "Protocol"
    ],
)
def test_every_contract_is_in_the_plugin_reference(contract):
    assert f"`{contract}`" in names_of("plugins.md")


PLUGINS = REFERENCE.parent.parent / "plugins"


def test_the_gallery_shows_every_plugin_by_size():
    """Its numbers of lines may lag behind by a tenth, its order may not be wrong by more."""
    page = names_of("gallery.md")
    rows = re.findall(r"\| `plugins/(\w+)` \| ([\d,]+) \|", page)
    assert {name for name, _ in rows} == {folder.name for folder in PLUGINS.glob("spoofbench_*")}
    stated = [int(lines.replace(",", "")) for _, lines in rows]
    assert stated == sorted(stated)
    for (name, _), lines in zip(rows, stated, strict=True):
        files = (PLUGINS / name).rglob("*.py")
        actual = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in files)
        assert lines == pytest.approx(actual, rel=0.1), name

"""The catalogue, tried with plugins that are written into a folder as if they were installed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from importlib.metadata import EntryPoint, distributions, entry_points
from pathlib import Path
from textwrap import dedent

import pytest

from spoofbench.errors import BrokenPlugin, DisputedName, InvalidSettings, UnknownName
from spoofbench.plugins import Catalogue, build, catalogue, instantiate

Install = Callable[..., None]

GOOD = """
from spoofbench import ModelSpec, hookimpl

@hookimpl
def spoofbench_models():
    return [ModelSpec(name="good", target="collections:OrderedDict", summary="Good.")]
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install the source of a plugin: its module, and the metadata of its distribution."""
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)

    def install(module: str, source: str, *, distribution: str = "", name: str = "") -> None:
        distribution = distribution or f"dist-{module}"
        (tmp_path / f"{module}.py").write_text(dedent(source))
        info = tmp_path / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5")
        (info / "entry_points.txt").write_text(f"[spoofbench]\n{name or module} = {module}\n")

    yield install
    for module in set(sys.modules) - before:
        if Path(getattr(sys.modules[module], "__file__", None) or "/").is_relative_to(tmp_path):
            del sys.modules[module]


@pytest.fixture
def entries(tmp_path: Path) -> Callable[[], list[EntryPoint]]:
    """Return the entry points of what was installed by the test, and no others."""
    return lambda: [
        entry
        for distribution in distributions(path=[str(tmp_path)])
        for entry in distribution.entry_points
    ]


def only_problem(found: Catalogue) -> str:
    (problem,) = found.problems
    return str(problem)


BROKEN = {
    "fails on import": ("import no_such_package_at_all", "no_such_package_at_all"),
    "leaves the program on import": ("import sys; sys.exit('bye')", "SystemExit: bye"),
    "has a syntax error": ("def (", "SyntaxError"),
    "speaks another API": ("SPOOFBENCH_API = 99", "plugin API 99, this spoofbench speaks 1"),
    "implements an unknown hook": (
        """
        from spoofbench import hookimpl
        @hookimpl
        def spoofbench_modles():
            return []
        """,
        "spoofbench_modles",
    ),
    "asks for an unknown argument": (
        """
        from spoofbench import hookimpl
        @hookimpl
        def spoofbench_models(wish):
            return []
        """,
        "wish",
    ),
    "raises in a hook": (
        """
        from spoofbench import hookimpl
        @hookimpl
        def spoofbench_models():
            raise ZeroDivisionError("by nought")
        """,
        "spoofbench_models(): ZeroDivisionError: by nought",
    ),
    "returns a spec of another kind": (
        """
        from spoofbench import DatasetSpec, hookimpl
        @hookimpl
        def spoofbench_models():
            return [DatasetSpec(name="d", target="a:b", summary="")]
        """,
        "not a ModelSpec",
    ),
    "returns a spec without a list around it": (
        """
        from spoofbench import ModelSpec, hookimpl
        @hookimpl
        def spoofbench_models():
            return ModelSpec(name="d", target="a:b", summary="")
        """,
        "spoofbench_models(): TypeError",
    ),
    "declares a bad name": (
        """
        from spoofbench import ModelSpec, hookimpl
        @hookimpl
        def spoofbench_models():
            return [ModelSpec(name="Not Kebab", target="a:b", summary="")]
        """,
        "kebab-case",
    ),
}


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_reported_with_its_reason(
    source: str, reason: str, install: Install, entries
):
    install("broken", source)
    assert reason in only_problem(build(entries()))


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_is_reported_with_its_distribution(
    source: str, reason: str, install: Install, entries
):
    install("broken", source, distribution="their-plugin")
    assert only_problem(build(entries())).startswith("broken (their-plugin 1.5): ")


@pytest.mark.parametrize(("source", "reason"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_plugin_does_not_hide_a_good_one(
    source: str, reason: str, install: Install, entries
):
    install("broken", source)
    install("fine", GOOD)
    assert build(entries()).models.names() == ["good"]


def test_a_hook_that_raises_does_not_hide_the_other_hooks_of_its_plugin(install: Install, entries):
    install(
        "half",
        GOOD + "\n@hookimpl\ndef spoofbench_metrics():\n    raise ValueError\n",
    )
    assert build(entries()).models.names() == ["good"]


def test_a_wrong_spec_does_not_hide_the_right_ones_beside_it(install: Install, entries):
    install("half", GOOD.replace('summary="Good.")]', 'summary="Good."), "nonsense"]'))
    found = build(entries())
    assert (found.models.names(), len(found.problems)) == (["good"], 1)


def test_a_plugin_that_says_the_api_version_of_this_program_is_loaded(install: Install, entries):
    install("fine", GOOD + "\nSPOOFBENCH_API = 1\n")
    assert [plugin.name for plugin in build(entries()).plugins] == ["fine"]


def test_a_plugin_that_is_not_loaded_is_not_listed_as_loaded(install: Install, entries):
    install("broken", "1 / 0")
    assert build(entries()).plugins == []


def test_a_name_that_two_plugins_offer_is_an_error_that_names_both(install: Install, entries):
    install("first", GOOD, distribution="dist-one")
    install("second", GOOD, distribution="dist-two")
    with pytest.raises(DisputedName) as raised:
        build(entries()).models.get("good")
    assert "first (dist-one 1.5) and second (dist-two 1.5)" in str(raised.value)


def test_the_error_of_a_disputed_name_says_what_to_write(install: Install, entries):
    install("first", GOOD, distribution="dist-one")
    install("second", GOOD, distribution="dist-two")
    with pytest.raises(DisputedName) as raised:
        build(entries()).models.get("good")
    assert "'dist-one:good' or 'dist-two:good'" in raised.value.hint


@pytest.mark.parametrize("distribution", ["dist-one", "dist-two"])
def test_the_distribution_before_a_disputed_name_picks_one(
    distribution: str, install: Install, entries
):
    install("first", GOOD, distribution="dist-one")
    install("second", GOOD, distribution="dist-two")
    offer = build(entries()).models.get(f"{distribution}:good")
    assert offer.plugin.distribution == distribution


def test_a_dispute_does_not_touch_other_names(install: Install, entries):
    install("first", GOOD)
    install("second", GOOD)
    install("third", GOOD.replace('"good"', '"undisputed"'))
    assert build(entries()).models.get("undisputed").plugin.name == "third"


def test_both_sides_of_a_dispute_are_listed(install: Install, entries):
    install("first", GOOD)
    install("second", GOOD)
    assert [offer.plugin.name for offer in build(entries()).models] == ["first", "second"]


def test_two_distributions_may_call_their_entry_points_alike(install: Install, entries):
    install("one", GOOD, distribution="dist-one", name="same")
    install("two", GOOD.replace('"good"', '"other"'), distribution="dist-two", name="same")
    assert build(entries()).models.names() == ["good", "other"]


def test_an_alias_that_is_another_protocols_name_is_disputed(install: Install, entries):
    install(
        "aliased",
        """
        from spoofbench import ProtocolSpec, hookimpl
        @hookimpl
        def spoofbench_protocols():
            one = ProtocolSpec(name="one", target="p:one.toml", summary="", aliases=("two",))
            return [one, ProtocolSpec(name="two", target="p:two.toml", summary="")]
        """,
    )
    assert build(entries()).protocols.is_disputed("two")


def test_an_unknown_name_gets_the_nearest_one(install: Install, entries):
    install("fine", GOOD)
    with pytest.raises(UnknownName, match="no model 'goood'") as raised:
        build(entries()).models.get("goood")
    assert raised.value.hint == "did you mean 'good'?"


def test_a_name_near_nothing_gets_the_list_of_those_on_offer(install: Install, entries):
    install("fine", GOOD)
    with pytest.raises(UnknownName) as raised:
        build(entries()).models.get("xyz")
    assert raised.value.hint == "known: good"


def test_a_name_of_a_kind_that_nobody_offers_says_so(install: Install, entries):
    with pytest.raises(UnknownName) as raised:
        build(entries()).metrics.get("eer")
    assert raised.value.hint == "no plugin offers a metric"


def test_a_name_of_a_distribution_that_does_not_offer_it_is_unknown(install: Install, entries):
    install("fine", GOOD)
    with pytest.raises(UnknownName):
        build(entries()).models.get("another-dist:good")


def test_a_blocked_plugin_is_not_imported(install: Install, entries):
    install("unwanted", "raise SystemExit('it was imported')")
    found = build(entries(), blocked=["unwanted"])
    assert ([plugin.name for plugin in found.blocked], found.problems) == (["unwanted"], [])


def test_all_of_several_blocked_plugins_are_blocked(install: Install, entries):
    install("one", GOOD)
    install("two", GOOD)
    assert build(entries(), blocked=iter(["one", "two"])).models.names() == []


def test_the_settings_block_plugins_in_the_catalogue(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SPOOFBENCH_BLOCK", "aasist")
    assert "aasist" not in catalogue().models.names()


def test_the_catalogue_of_this_installation_has_no_problems():
    found = build(
        entry
        for entry in entry_points(group="spoofbench")
        if entry.dist is not None and entry.dist.name == "spoofbench"
    )
    assert found.problems == []


def test_an_entry_point_that_no_distribution_owns_is_listed_as_such(install: Install):
    install("fine", GOOD)
    found = build([EntryPoint("fine", "fine", "spoofbench")])
    assert found.plugins[0].distribution == "unknown"


def test_a_factory_that_fails_is_an_error_that_names_model_and_plugin(install: Install, entries):
    install("fine", GOOD.replace("collections:OrderedDict", "json:loads"))
    offer = build(entries()).models.get("good")
    with pytest.raises(BrokenPlugin, match=r"the model 'good' of fine \(dist-fine 1\.5\)"):
        instantiate(offer, "model")


def test_a_factory_is_called_without_arguments(install: Install, entries):
    install("fine", GOOD)
    assert instantiate(build(entries()).models.get("good"), "model") == {}


def test_settings_that_cannot_be_read_stop_the_catalogue(tmp_path, monkeypatch):
    (tmp_path / "settings.toml").write_text("block = ")
    monkeypatch.setenv("SPOOFBENCH_SETTINGS", str(tmp_path / "settings.toml"))
    with pytest.raises(InvalidSettings):
        catalogue()


def test_a_plugin_that_hangs_on_import_is_put_aside(install, entries, monkeypatch):
    monkeypatch.setattr("spoofbench.plugins.IMPORT_SECONDS", 0.1)
    install("hanging", "import time\ntime.sleep(60)")
    install("good", GOOD)
    found = build(entries())
    assert "TookTooLong: not done after 0.1 s" in only_problem(found)
    assert found.models.names() == ["good"]


def test_a_hook_that_hangs_is_put_aside_and_the_others_are_kept(install, entries, monkeypatch):
    monkeypatch.setattr("spoofbench.plugins.IMPORT_SECONDS", 0.1)
    hanging = "\n@hookimpl\ndef spoofbench_metrics():\n    import time\n    time.sleep(60)\n"
    install("good", GOOD + hanging)
    found = build(entries())
    assert "spoofbench_metrics(): TookTooLong" in only_problem(found)
    assert found.models.names() == ["good"]


def test_a_problem_keeps_its_traceback(install, entries):
    install("broken", "def fail():\n    raise RuntimeError('no luck')\nfail()")
    (problem,) = build(entries()).problems
    assert "no luck" in problem.traceback
    assert "broken.py" in problem.traceback
    assert "in fail" in problem.traceback

"""The wheel, installed in a clean environment outside the repository, does the main job there."""

import os
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def command(*args: str | Path, cwd: Path, seconds: int = 300) -> str:
    """Run a command with nothing of this environment but its path; return what it printed."""
    done = subprocess.run(
        list(map(str, args)),
        cwd=cwd,
        env={"PATH": os.environ["PATH"], "HOME": str(cwd), "COLUMNS": "200"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    work = tmp_path_factory.mktemp("wheel")
    tracked = ("spoofbench", "plugins", "protocols", "pyproject.toml", "README.md", "LICENSE")
    source = work / "source"  # a copy: building leaves files behind
    source.mkdir()
    for name in tracked:
        command("cp", "-r", REPOSITORY / name, source, cwd=work)
    pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "-q")
    command(*pip, "--no-deps", "--no-build-isolation", "-w", work, source, cwd=work)
    (built,) = work.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The Python of a clean environment: the wheel, and this environment's packages behind it."""
    home = tmp_path_factory.mktemp("clean")
    command(sys.executable, "-m", "venv", "env", cwd=home)
    own = home / "env" / "bin" / "python"
    pip = (own, "-m", "pip", "--disable-pip-version-check", "install", "-q")
    command(*pip, "--no-deps", "--no-index", wheel, cwd=home)
    ask = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = Path(command(own, "-c", ask, cwd=home).strip())
    # Folders that a .pth file names come last, and .pth files in them are not read: so the
    # editable install of the repository, which is such a file, stays out.
    (packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return own


def test_every_data_file_of_the_sources_is_in_the_wheel(wheel: Path):
    inside = set(zipfile.ZipFile(wheel).namelist())
    expected = {f"spoofbench_protocols/{f.name}" for f in REPOSITORY.glob("protocols/*.toml")}
    expected |= {
        str(f.relative_to(REPOSITORY / "plugins")) for f in REPOSITORY.glob("plugins/**/*.toml")
    }
    assert len(expected) >= 10
    assert expected <= inside
    assert "spoofbench/py.typed" in inside


def test_every_module_of_the_sources_is_in_the_wheel_and_no_test(wheel: Path):
    inside = {name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".py")}
    roots = ((REPOSITORY, "spoofbench/**/*.py"), (REPOSITORY / "plugins", "*/**/*.py"))
    expected = {str(f.relative_to(root)) for root, pattern in roots for f in root.glob(pattern)}
    assert inside == expected | {"spoofbench_protocols/__init__.py"}


def test_what_runs_there_is_the_wheel_not_the_repository(python: Path, tmp_path: Path):
    where = command(
        python,
        "-c",
        "import spoofbench, spoofbench_aasist, spoofbench_protocols as p;"
        "print(spoofbench.__file__, spoofbench_aasist.__file__, p.__file__)",
        cwd=tmp_path,
    )
    for file in where.split():
        assert Path(file).is_relative_to(python.parents[1]), file


def test_the_main_job_runs_there_in_an_empty_folder(python: Path, tmp_path: Path):
    program = python.with_name("spoofbench")
    job = ("run", "aasist-l", "--protocol", "toy", "--limit", "16", "--workers", "0")
    said = command(program, *job, "--format", "markdown", cwd=tmp_path, seconds=500)
    assert "no human speech" in said
    assert "limited: 16 of" in said
    assert "aasist-l (trained)" in said
    assert "EER" in said
    assert "t-DCF" in said
    assert "aasist-l" in command(program, "models", cwd=tmp_path)

"""Plugins of strangers: those in ``third_party``, installed by pip, and one made on the spot."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

THIRD_PARTY = Path(__file__).parent / "third_party"


def install(name: str, target: Path, work: Path) -> None:
    """Install the distribution ``third_party/NAME`` into ``target`` with pip, offline."""
    source = work / name  # a copy, since building leaves files behind
    shutil.copytree(THIRD_PARTY / name, source)
    offline = ("--no-deps", "--no-index", "--no-build-isolation", "--disable-pip-version-check")
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "-q", *offline, "--target", target, source],
        check=True,
        timeout=120,
    )


SLOW = """
import time
from spoofbench import ModelSpec, hookimpl

@hookimpl
def spoofbench_models():
    return [ModelSpec(name="slow", target="slow_plugin:Slow", summary="Takes its time.")]

class Slow:
    def score(self, audio, lengths):
        time.sleep(0.1)
        return (audio * audio).sum(dim=1) / 3
"""


def write(folder: Path, name: str, code: str) -> None:
    """Make the plugin ``name``, one module with ``code``, in ``folder``, as pip installs one."""
    information = folder / f"{name}_plugin-1.0.dist-info"
    information.mkdir(parents=True)
    (folder / f"{name}_plugin.py").write_text(code)
    (information / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}-plugin\nVersion: 1.0\n"
    )
    (information / "entry_points.txt").write_text(f"[spoofbench]\n{name} = {name}_plugin\n")


def write_slow(folder: Path) -> None:
    """Make a plugin in ``folder`` whose model ``slow`` takes 0.1 s a batch and needs no weights."""
    write(folder, "slow", SLOW)


OFFLINE = {"PIP_NO_INDEX": "1", "PIP_NO_BUILD_ISOLATION": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}


def environment(folder: Path) -> dict[str, str]:
    """Make a virtual environment that sees what is installed here, and may be installed into.

    Returns the environment variables with which a stranger uses it, without a network.
    """
    venv = [sys.executable, "-m", "venv", "--without-pip", folder / "venv"]
    subprocess.run(venv, check=True, timeout=120)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    here = sysconfig.get_path("purelib")
    (site / "here.pth").write_text(f"import site; site.addsitedir({here!r})\n")
    programs = folder / "venv" / "bin"
    for name in ("spoofbench", "pip"):
        (programs / name).write_text(f'#!/bin/sh\nexec {programs / "python"} -m {name} "$@"\n')
        (programs / name).chmod(0o755)
    path = f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}"
    own = {"SPOOFBENCH_SETTINGS": str(folder / "s.toml"), "SPOOFBENCH_CACHE": str(folder / "cache")}
    return os.environ | OFFLINE | own | {"PATH": path}

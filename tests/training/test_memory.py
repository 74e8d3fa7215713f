"""Reading memory: the machine's, the control groups', what a piece of work takes."""

from __future__ import annotations

import mmap
import time
from pathlib import Path
from typing import NamedTuple

import psutil
import pytest
import torch

from spoofbench.training import memory
from spoofbench.training.memory import HostGauge

GB = 1 << 30
NO_LIMIT = 9_223_372_036_854_771_712
"""What version 1 says where there is no limit."""


class Machine(NamedTuple):
    total: int
    available: int


def has(monkeypatch: pytest.MonkeyPatch, total: int, available: int) -> None:
    monkeypatch.setattr(memory.psutil, "virtual_memory", lambda: Machine(total, available))


@pytest.fixture(autouse=True)
def _machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine of 16 GB, of which 10 are left."""
    has(monkeypatch, 16 * GB, 10 * GB)


def gauge(tmp_path: Path, own: str, processes: int = 1) -> HostGauge:
    (tmp_path / "own").write_text(own)
    return HostGauge(processes=processes, groups=tmp_path / "groups", own=tmp_path / "own")


def write(folder: Path, **files: object) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name.replace("__", ".")).write_text(f"{value}\n")


def version_2(folder: Path, most: object, used: int, cached: int = 0, high: object = "max") -> None:
    stat = f"anon 1\ninactive_file {cached}\nactive_file 0\nshmem 7"
    files = {"memory__max": most, "memory__high": high, "memory__current": used}
    write(folder, **files, memory__stat=stat)


def version_1(folder: Path, most: int, used: int, cached: int = 0) -> None:
    stat = f"inactive_file 0\ntotal_inactive_file {cached}\ntotal_active_file 0"
    files = {"memory__limit_in_bytes": most, "memory__usage_in_bytes": used}
    write(folder, **files, memory__stat=stat)


def test_without_control_groups_it_is_the_machine_that_counts(tmp_path):
    left = HostGauge(groups=tmp_path, own=tmp_path / "none").left()
    assert left[:2] == (10 * GB, 16 * GB)
    assert left.where == "on this machine"


@pytest.mark.parametrize(("total", "reserve"), [(2 * GB, 2 * GB // 20), (900 * GB, 10**9)])
def test_a_twentieth_is_reserved_and_a_gigabyte_at_most(tmp_path, monkeypatch, total, reserve):
    has(monkeypatch, total, total)
    assert HostGauge(groups=tmp_path, own=tmp_path / "none").left().reserve == reserve


@pytest.mark.parametrize(
    ("high", "left", "limit"), [("max", 1 * GB, 4 * GB), (3 * GB, 0, 3 * GB), (9 * GB, GB, 4 * GB)]
)
def test_version_2_limits_by_max_or_high_whichever_is_lower(tmp_path, high, left, limit):
    version_2(tmp_path / "groups" / "job", 4 * GB, 3 * GB, high=high)
    found = gauge(tmp_path, "0::/job\n").left()
    assert found[:2] == (left, limit)
    assert found.where == "in the control group /job"


def test_cached_files_count_as_left(tmp_path):
    version_2(tmp_path / "groups" / "job", 4 * GB, 3 * GB, cached=2 * GB)
    assert gauge(tmp_path, "0::/job\n").left().bytes == 3 * GB


def test_a_group_above_may_be_the_tighter_one(tmp_path):
    groups = tmp_path / "groups"
    version_2(groups / "user" / "job", 8 * GB, 1 * GB)
    version_2(groups / "user", 6 * GB, 5 * GB)
    version_2(groups, "max", 0)
    found = gauge(tmp_path, "0::/user/job\n").left()
    assert found[:2] == (1 * GB, 6 * GB)
    assert found.where == "in the control group /user"


def test_version_1_has_its_own_names_beside_other_controllers(tmp_path):
    version_1(tmp_path / "groups" / "memory" / "docker" / "x", 2 * GB, 2 * GB, cached=GB)
    found = gauge(tmp_path, "9:name=systemd:/\n4:cpu,memory:/docker/x\n0::/\n").left()
    assert found[:2] == (GB, 2 * GB)


def test_version_1_without_a_limit_limits_nothing(tmp_path):
    version_1(tmp_path / "groups" / "memory" / "x", NO_LIMIT, 12 * GB)
    assert gauge(tmp_path, "4:memory:/x\n").left()[:2] == (10 * GB, 16 * GB)


@pytest.mark.parametrize("own", ["0::/docker/seen/from/outside\n", "0::/../elsewhere\n"])
def test_a_container_that_sees_its_own_group_as_the_root_is_read_there(tmp_path, own):
    version_2(tmp_path / "groups", 4 * GB, 3 * GB)
    version_2(tmp_path / "elsewhere", 3 * GB, 3 * GB)
    assert gauge(tmp_path, own).left()[:2] == (GB, 4 * GB)


def test_the_machine_counts_where_it_is_tighter_than_the_group(tmp_path):
    version_2(tmp_path / "groups" / "job", 15 * GB, 1 * GB)
    assert gauge(tmp_path, "0::/job\n").left()[:2] == (10 * GB, 16 * GB)


def test_processes_of_one_training_share_what_is_left(tmp_path):
    version_2(tmp_path / "groups", 4 * GB, 1 * GB)
    assert gauge(tmp_path, "0::/\n", processes=3).left().bytes == GB


def test_more_than_the_limit_in_use_leaves_nothing(tmp_path):
    version_2(tmp_path / "groups", 4 * GB, 5 * GB)
    assert gauge(tmp_path, "0::/\n").left().bytes == 0


@pytest.mark.parametrize("system_tells", [True, False])
def test_growth_is_the_most_that_was_taken_though_it_was_given_back(monkeypatch, system_tells):
    if not system_tells:
        monkeypatch.setattr(HostGauge, "forget_peak", lambda self: False)
    size = 200_000_000
    # Not from numpy, which may be given what this process has freed and still holds.
    with memory.growth(HostGauge()) as grown, mmap.mmap(-1, size) as taken:
        for page in range(0, size, mmap.PAGESIZE):
            taken[page] = 1
        time.sleep(0.05)
    assert grown.bytes == pytest.approx(size, rel=0.1)


def test_the_peak_is_not_less_than_what_is_used_now():
    host = HostGauge()
    assert 0 < host.used() <= host.peak() * 1.01
    assert host.used() == pytest.approx(psutil.Process().memory_info().rss, rel=0.05)
    assert host.peak() == memory.peak_bytes(torch.device("cpu"))

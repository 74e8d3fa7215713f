"""Writing files whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from spoofbench.errors import StorageError

if TYPE_CHECKING:
    from torch import Tensor


WAY_OUT = "free some space or choose another folder, with --out for results"
_RANDOM = "[a-z0-9_]" * 8  # what mkstemp puts behind a prefix


@contextmanager
def storage_errors(path: Path, *, hint: str = WAY_OUT) -> Iterator[None]:
    """Turn what the system says of ``path`` (full, read-only, no folder) into a clear error."""
    try:
        yield
    except OSError as error:
        raise StorageError(f"{path}: {error.strerror or error}", hint=hint) from error


@contextmanager
def replaced(path: Path) -> Iterator[Path]:
    """Give a temporary path beside ``path``; it takes the place of ``path`` if all went well."""
    with storage_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        os.close(handle)
        beside = Path(name)
        try:
            yield beside
            with beside.open("rb") as file:
                os.fsync(file.fileno())
            beside.chmod(0o644)
            beside.replace(path)
        finally:
            beside.unlink(missing_ok=True)


def remove_leftovers(folder: Path, *names: str) -> None:
    """Remove from ``folder`` what a process left that was killed while it wrote one of ``names``.

    A name may be a pattern. It is for who knows that nobody else writes them: see `locks.reserved`.
    """
    for name in names:
        for beside in folder.glob(f".{name}.{_RANDOM}"):
            with storage_errors(beside):
                beside.unlink()


def write_text(path: Path, text: str) -> None:
    """Write ``text`` to ``path`` as UTF-8, whole or not at all."""
    with replaced(path) as beside:
        beside.write_text(text, encoding="utf-8", newline="\n")


def copy(source: Path, target: Path) -> None:
    """Make ``target`` what ``source`` is, whole or not at all; it takes no room where links do."""
    with replaced(target) as beside:
        beside.unlink()
        try:
            beside.hardlink_to(source)
        except OSError:  # not every file system has links
            shutil.copyfile(source, beside)


def write_tensors(path: Path, tensors: Mapping[str, Tensor], note: Mapping[str, str]) -> None:
    """Write ``tensors``, and ``note`` beside them, to ``path`` as safetensors, whole or not at all.

    Tensors that share memory are written each.
    """
    from safetensors import SafetensorError
    from safetensors.torch import save_file

    whole = {name: tensor.detach().cpu().contiguous().clone() for name, tensor in tensors.items()}
    with replaced(path) as beside:
        try:
            save_file(whole, beside, metadata=dict(note))
        except SafetensorError as error:  # it does not say that a disk is full by an OSError
            raise OSError(str(error)) from error

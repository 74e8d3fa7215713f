"""Importing torchaudio, also where its compiled extension does not fit the installed torch.

The wheels of torchaudio are built against CUDA; beside a CPU-only torch ``import torchaudio``
raises ``OSError``. Its Python code is written to run without the extension (``lfilter`` is then
slower, and forced alignment is missing), but only where the library file is absent. Every other
module imports torchaudio through here.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType


def torchaudio() -> ModuleType:
    """Import torchaudio, without its extension where that cannot be loaded.

    Raises ImportError if torchaudio is not installed.
    """
    try:
        return importlib.import_module("torchaudio")
    except (OSError, RuntimeError):
        # The half-done import leaves this module behind: it holds the loader of the extension.
        loader = sys.modules["torchaudio._extension.utils"]
        loader.__dict__["_load_lib"] = lambda lib: False  # noqa: ARG005
        return importlib.import_module("torchaudio")

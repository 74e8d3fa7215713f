from pathlib import Path

import pytest

from spoofbench_toy.corpus import build


@pytest.fixture(scope="session")
def built_toy(tmp_path_factory) -> Path:
    """The whole corpus ``toy``, built once."""
    folder = tmp_path_factory.mktemp("toy")
    build(folder, lambda done, total: None)
    return folder

"""What the tests of staying power share."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def networks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the small networks are that commands start from, each trained when it is needed."""
    return tmp_path_factory.mktemp("networks")

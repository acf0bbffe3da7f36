"""In a study every place is patched, also those where nothing differs."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from symscope.network import NothingChanged


@contextmanager
def idle_patches() -> Iterator[None]:
    """No warning where a patch changes nothing: it is meant."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NothingChanged)
        yield

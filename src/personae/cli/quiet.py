"""Libraries speak to their developers; a user of a command hears the command alone.

`PERSONAE_DEBUG=1` lets them speak, and shows the traceback of every error.
"""

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

CALM = {
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "TOKENIZERS_PARALLELISM": "false",
    "TORCH_CPP_LOG_LEVEL": "ERROR",
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}


def debugging() -> bool:
    """Whether the user asked for everything: tracebacks of errors, warnings of libraries."""
    return os.environ.get("PERSONAE_DEBUG", "") not in ("", "0")


def calm_environment() -> None:
    """Tell the libraries, before they are imported, to draw no bars; what the user has set stays as it is."""
    if not debugging():
        for name, value in CALM.items():
            os.environ.setdefault(name, value)


@contextmanager
def libraries_quiet() -> Iterator[None]:
    """No warnings, no log lines below an error, and no bars."""
    if debugging():
        yield
        return
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), _no_bars():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


@contextmanager
def _no_bars() -> Iterator[None]:
    """Where the library that draws them was imported already, the environment comes too late."""
    settings = sys.modules.get("transformers.utils.logging")
    drawn = settings is not None and settings.is_progress_bar_enabled()
    if settings is not None:
        settings.disable_progress_bar()
    try:
        yield
    finally:
        if settings is not None and drawn:
            settings.enable_progress_bar()

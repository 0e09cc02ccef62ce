"""A folder held by one process while it works there, so that no other works there too.

The lock is the system's (`flock`), on the folder itself: it leaves no file, and ends with the process that holds it,
however that ends. Where there is none, as on some network drives, nothing is held. A worker process is of the work of
the process that started it, and asks for no lock of its own; in one process a folder may be opened again.
"""

import multiprocessing
import os
import weakref
from pathlib import Path

from personae.errors import BadInput

_HELD: "weakref.WeakValueDictionary[Path, Hold]" = weakref.WeakValueDictionary()


class Hold:
    """A lock that is open as `descriptor`; it is given back with the last reference to this."""

    def __init__(self, descriptor: int) -> None:
        weakref.finalize(self, os.close, descriptor)


def hold(folder: Path) -> Hold | None:
    """The lock of `folder`, which is made if it is not there; None where there is no lock to be had.

    Raises `BadInput` where another process holds it.
    """
    if multiprocessing.parent_process() is not None:
        return None
    try:
        folder.mkdir(parents=True, exist_ok=True)
        place = folder.resolve()
        held = _HELD.get(place)
        if held is None:
            held = _HELD[place] = Hold(_locked(place))
    except BlockingIOError:
        remedy = "wait until it ends, or name another --out"
        raise BadInput("another process works in this folder", file=folder, remedy=remedy) from None
    except (OSError, ImportError):  # a folder that cannot be written is told by whoever writes there
        return None
    return held


def _locked(folder: Path) -> int:
    """A descriptor of `folder` with its lock. Raises `BlockingIOError` where another process has that."""
    import fcntl  # not on every system

    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor

"""What the kernel tells of this process; without torch, so that a process that is measured can do without it too."""

from pathlib import Path


def status(field: str) -> int:
    """Bytes. `VmHWM` is the most that was in use: `ru_maxrss` starts at what the process that started this one had."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:"))

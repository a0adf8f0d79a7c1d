"""How much memory there is, and the sentence to say when it is not enough."""

from __future__ import annotations

from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")


def free_memory() -> int:
    """Bytes that this process can still take without the machine having to swap: what the system has available, and what is
    left of the limits set on this process (a container's, a shell's `ulimit -v`)."""
    return max(0, min([psutil.virtual_memory().available, *_container_room(), *_process_room()]))


def size(n_bytes: float) -> str:
    """A number of bytes as a person reads it: 3.1 GiB, 640 MiB."""
    for unit, step in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20)):
        if n_bytes >= step:
            return f"{n_bytes / step:,.1f} {unit}" if n_bytes < 100 * step else f"{n_bytes / step:,.0f} {unit}"
    return f"{n_bytes / 1024:,.0f} KiB"


def _container_room() -> list[int]:
    """What a Linux control group leaves, by its version 2 files; nothing where there is no limit."""
    try:
        limit = (_CGROUP / "memory.max").read_text().strip()
        if limit == "max":
            return []
        statistics = dict(line.split() for line in (_CGROUP / "memory.stat").read_text().splitlines())
        used = int((_CGROUP / "memory.current").read_text()) - int(statistics.get("inactive_file", 0))
        return [int(limit) - used]
    except (OSError, ValueError):
        return []


def _process_room() -> list[int]:
    """What the limit on this process's address space leaves, where the system has such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return []
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    return [] if limit == resource.RLIM_INFINITY else [limit - psutil.Process().memory_info().vms]

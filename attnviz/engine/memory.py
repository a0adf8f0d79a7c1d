"""How much memory there is, and the sentence to say when it is not enough."""

from __future__ import annotations

from pathlib import Path

import psutil

_CGROUP = Path("/sys/fs/cgroup")
# Under it, of version 2 and of version 1: the limit, what is used, and the statistics with the name of what of it are files that
# can be dropped. Source: Linux, admin-guide/cgroup-v2.rst and cgroup-v1/memory.rst.
_GROUPS = (
    ("memory.max", "memory.current", "memory.stat", "inactive_file"),
    ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes", "memory/memory.stat", "total_inactive_file"),
)


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
    """What Linux control groups leave; nothing where there is no limit."""
    return [room for group in _GROUPS for room in _group_room(*group)]


def _group_room(limit: str, used: str, statistics: str, droppable: str) -> list[int]:
    try:
        most = (_CGROUP / limit).read_text().strip()
        if most == "max":
            return []
        told = dict(line.split() for line in (_CGROUP / statistics).read_text().splitlines())
        return [int(most) - int((_CGROUP / used).read_text()) + int(told.get(droppable, 0))]
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

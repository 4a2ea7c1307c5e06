"""Facts about this host and process that do not change while it runs."""

import os
import socket
import sys


def facts() -> dict[str, str]:
    """What a run's page shows of the machine; plain text, read in microseconds from the standard library."""
    return {
        "python_version": sys.version.split()[0],
        "python_exec": sys.executable or "",
        "platform": sys.platform,
        "OS": f"{os.uname().sysname} {os.uname().release}" if hasattr(os, "uname") else sys.platform,
        "processor": os.uname().machine if hasattr(os, "uname") else "",
        "cpu_cores": str(_cores()),
        "memory_gb": _memory(),
        "hostname": socket.gethostname(),
        "pid": str(os.getpid()),
    }


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / (1 << 30):.1f}"
    except (AttributeError, ValueError, OSError):
        return ""

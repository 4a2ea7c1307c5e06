"""What this host and this process tree use: processor, memory, disk, network. Read through psutil and cgroups."""

import os
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

_GIB = float(1 << 30)
_MIB = float(1 << 20)
_CGROUP = Path("/sys/fs/cgroup")
_UNLIMITED = 1 << 60


class Usage:
    """One look after the other; rates are those since the look before.

    Args:
        folder: the disk that it lies on is watched.
        cgroup: root of the control group files; a container sees its own limits there.
    """

    def __init__(self, folder: Path, cgroup: Path = _CGROUP) -> None:
        # Here, since importing it takes tens of milliseconds that no program should wait for.
        psutil: Any = import_module("psutil")
        self._psutil = psutil
        # Asking for all processes of the machine costs milliseconds; Linux has the children in small files.
        self._proc = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").exists()
        self._folder = folder
        self._cgroup = cgroup
        self._quota = _quota(cgroup)
        self._limit = _number(cgroup / "memory.max")
        self._at = time.monotonic()
        self._counters = self._read_counters()
        self._has_temperature = True
        psutil.cpu_percent(None)

    def look(self) -> dict[str, float]:
        """The values now, by series name: percents, GiB, MiB per second, °C."""
        psutil = self._psutil
        now = time.monotonic()
        elapsed = max(1e-6, now - self._at)
        counters = self._read_counters()
        rates = {name: (counters[name] - self._counters.get(name, 0.0)) / elapsed for name in counters}
        busy = psutil.cpu_percent(None)
        if self._quota and "cpu" in rates:
            # Of what the container may use, not of the machine.
            busy = 100.0 * rates["cpu"] / self._quota
        self._at, self._counters = now, counters
        values = {"cpu_usage": min(100.0, float(busy)), "memory_free_gb": self._free_memory() / _GIB}
        disk = psutil.disk_usage(str(self._folder))
        values["disk_free_percent"] = 100.0 * disk.free / disk.total if disk.total else 0.0
        for name in ("network_tx_mbs", "network_rx_mbs", "io_read_mbs", "io_write_mbs"):
            if name in rates:
                values[name] = max(0.0, rates[name]) / _MIB
        temperature = self._temperature()
        if temperature is not None:
            values["cpu_temperature"] = temperature
        return values

    def tree_memory(self) -> float:
        """Resident GiB of this process and its descendants."""
        total = 0
        for pid in self._tree():
            with suppress(self._psutil.Error):
                total += self._psutil.Process(pid).memory_info().rss
        return total / _GIB

    def _tree(self) -> list[int]:
        root = os.getpid()
        if not self._proc:
            return [root, *(child.pid for child in self._psutil.Process(root).children(recursive=True))]
        found, waiting = [], [root]
        while waiting:
            pid = waiting.pop()
            found.append(pid)
            waiting += _children(pid)
        return found

    def _read_counters(self) -> dict[str, float]:
        found: dict[str, float] = {}
        network: Any = self._psutil.net_io_counters()
        if network is not None:
            found.update(network_tx_mbs=network.bytes_sent, network_rx_mbs=network.bytes_recv)
        disk: Any = self._psutil.disk_io_counters()
        if disk is not None:
            found.update(io_read_mbs=disk.read_bytes, io_write_mbs=disk.write_bytes)
        if self._quota:
            for line in _lines(self._cgroup / "cpu.stat"):
                name, _, value = line.partition(" ")
                if name == "usage_usec":
                    found["cpu"] = float(value) / 1e6
        return found

    def _free_memory(self) -> float:
        free = float(self._psutil.virtual_memory().available)
        if self._limit is None or self._limit > _UNLIMITED:
            return free
        used = _number(self._cgroup / "memory.current") or 0
        for line in _lines(self._cgroup / "memory.stat"):
            if line.startswith("inactive_file "):
                # The kernel gives cached files back before it refuses memory.
                used -= int(line.split()[1])
        return min(free, max(0.0, float(self._limit - used)))

    def _temperature(self) -> float | None:
        if not self._has_temperature or not hasattr(self._psutil, "sensors_temperatures"):
            return None
        found = self._psutil.sensors_temperatures()
        for chip in ("coretemp", "k10temp", "cpu_thermal", "zenpower"):
            values = [entry.current for entry in found.get(chip, ()) if entry.current]
            if values:
                return float(max(values))
        self._has_temperature = False
        return None


def _children(pid: int) -> list[int]:
    """Direct children, from one small file per thread; empty for a process that ended a moment ago."""
    found: list[int] = []
    with suppress(OSError, ValueError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (thread / "children").read_text().split())
    return found


def _quota(cgroup: Path) -> float | None:
    """Processors that the control group may use; None without a limit."""
    lines = _lines(cgroup / "cpu.max")
    parts = lines[0].split() if lines else []
    if len(parts) == 2 and parts[0].isdigit() and int(parts[1]):
        return int(parts[0]) / int(parts[1])
    return None


def _number(path: Path) -> int | None:
    lines = _lines(path)
    return int(lines[0]) if lines and lines[0].isdigit() else None


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text().splitlines()
    except OSError:
        return []

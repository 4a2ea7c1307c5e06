"""The resource monitor: its axis, its values, its cost."""

import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.waiting import until
from trialbook.machine.gpu import Gpus
from trialbook.machine.usage import Usage
from trialbook.sdk.process.monitor import Axis, ResourceMonitor

GIB = 1 << 30


def test_the_axis_waits_then_counts_seconds_then_iterations() -> None:
    axis = Axis(60.0)
    assert axis.place(59.0, None) is None
    assert axis.place(59.5, -(1 << 31)) is None, "a single value has no iteration"
    assert axis.place(61.5, None) == 61
    assert axis.place(90.0, 4) == 4
    assert axis.place(95.0, 2) == 4
    assert axis.place(120.0, None) == 4


def test_usage_of_this_machine(tmp_path: Path) -> None:
    usage = Usage(tmp_path)
    end = time.monotonic() + 0.3
    while time.monotonic() < end:
        pass
    seen = usage.look()
    assert 0.0 < seen["cpu_usage"] <= 100.0
    assert 0.0 < seen["memory_free_gb"] < 1e5
    assert 0.0 < seen["disk_free_percent"] <= 100.0
    assert {"network_tx_mbs", "network_rx_mbs"} <= set(seen)
    own = usage.tree_memory()
    assert own > 0.005
    code = "x = bytearray(200 << 20); print(len(x), flush=True); input()"
    child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert child.stdout is not None and child.stdin is not None
    child.stdout.readline()
    assert usage.tree_memory() - own > 0.19, "children are counted"
    child.communicate(b"\n")
    assert usage.tree_memory() - own < 0.1


def test_a_container_sees_its_own_limits(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("50000 100000\n")
    (tmp_path / "cpu.stat").write_text("usage_usec 1000000\nuser_usec 1\n")
    (tmp_path / "memory.max").write_text(f"{GIB}\n")
    (tmp_path / "memory.current").write_text(f"{GIB * 3 // 4}\n")
    (tmp_path / "memory.stat").write_text(f"anon 5\ninactive_file {GIB // 4}\n")
    usage = Usage(tmp_path, cgroup=tmp_path)
    began = time.monotonic()
    (tmp_path / "cpu.stat").write_text("usage_usec 1100000\n")
    seen = usage.look()
    assert seen["memory_free_gb"] == pytest.approx(0.5)
    # A tenth of a second of work, at half a processor.
    expected = min(100.0, 100.0 * 0.1 / (time.monotonic() - began) / 0.5)
    assert seen["cpu_usage"] == pytest.approx(expected, rel=0.5)


class _Refused(Exception):
    pass


class _Unsupported(_Refused):
    pass


class _Driver:
    """Stands for the library of a machine with two NVIDIA boards; this one has none."""

    NVMLError, NVMLError_NotSupported, NVML_TEMPERATURE_GPU = _Refused, _Unsupported, 0
    broken = False

    def nvmlInit(self) -> None: ...
    def nvmlDeviceGetCount(self) -> int:
        return 2

    def nvmlDeviceGetHandleByIndex(self, number: int) -> int:
        return number

    def nvmlDeviceGetUUID(self, device: int) -> bytes:
        return f"GPU-{device}abc".encode()

    def nvmlDeviceGetName(self, device: int) -> str:
        return "NVIDIA Test"

    def nvmlSystemGetDriverVersion(self) -> str:
        return "1.2"

    def nvmlDeviceGetMemoryInfo(self, device: int) -> Any:
        if self.broken:
            raise _Refused
        return SimpleNamespace(total=8 * GIB, used=2 * GIB, free=6 * GIB)

    def nvmlDeviceGetUtilizationRates(self, device: int) -> Any:
        return SimpleNamespace(gpu=40 + device)

    def nvmlDeviceGetTemperature(self, device: int, sensor: int) -> int:
        return 50

    def nvmlDeviceGetPowerUsage(self, device: int) -> int:
        raise _Unsupported


@pytest.mark.parametrize(
    ("visible", "numbers"),
    [(None, "01"), ("all", "01"), ("1", "1"), ("GPU-0", "0"), ("", ""), ("-1", ""), ("7", "")],
)
def test_only_visible_boards_are_watched(visible: str | None, numbers: str) -> None:
    seen = Gpus(visible, _Driver()).look()
    assert {name.split("_")[1] for name in seen} == set(numbers)
    if "1" in numbers:
        assert seen["gpu_1_utilization"] == 41.0
        assert seen["gpu_1_mem_usage"] == 25.0 and seen["gpu_1_mem_free_gb"] == 6.0
        assert seen["gpu_1_temperature"] == 50.0
        assert "gpu_1_power_usage" not in seen


def test_a_failing_driver_is_given_up() -> None:
    driver = _Driver()
    gpus = Gpus(None, driver)
    assert gpus.facts() == {
        "gpu_count": "2",
        "gpu_type": "NVIDIA Test",
        "gpu_memory": "8GB",
        "gpu_driver_version": "1.2",
    }
    driver.broken = True
    assert [gpus.look() for _ in range(4)] == [{}] * 4
    driver.broken = False
    assert gpus.look() == {}


def test_without_a_driver_there_is_nothing() -> None:
    gpus = Gpus()
    if len(gpus):
        pytest.skip("this machine has NVIDIA boards")
    assert gpus.look() == {} and gpus.facts() == {}


class _Task:
    def __init__(self) -> None:
        self.latest: int | None = None
        self.seen: list[tuple[str, str, int, float]] = []

    @property
    def _record(self) -> Any:
        return self

    @property
    def journal(self) -> Any:
        return self

    def set_runtime(self, **values: Any) -> None: ...

    def point_at(self, metric: str, variant: str, iteration: int, value: float, moment: float) -> None:
        self.seen.append((metric, variant, iteration, value))


def test_means_are_reported_on_the_iterations_of_the_program() -> None:
    task = _Task()
    monitor = ResourceMonitor(task, report_seconds=0.2, sample_seconds=0.02)
    monitor.start()
    task.latest = 12
    until(lambda: len(task.seen) >= 5)
    monitor.stop()
    assert {iteration for _, _, iteration, _ in task.seen} == {12}
    assert {metric for metric, _, _, _ in task.seen} == {":monitor:machine"}
    assert {"cpu_usage", "memory_used_gb", "memory_free_gb"} <= {variant for _, variant, _, _ in task.seen}


def test_it_costs_less_than_a_hundredth_of_a_processor() -> None:
    task = _Task()
    task.latest = 0
    monitor = ResourceMonitor(task, report_seconds=2.0, sample_seconds=0.05)
    monitor.start()
    until(lambda: bool(task.seen), 20.0)
    ident = monitor._thread.ident
    assert ident is not None
    clock = time.pthread_getcpuclockid(ident)
    wall, spent = time.monotonic(), time.clock_gettime(clock)
    count = len(task.seen)
    until(lambda: len(task.seen) > count, 20.0)
    share = (time.clock_gettime(clock) - spent) / (time.monotonic() - wall)
    monitor.stop()
    print(f"share of a processor: {share:.4%}")
    assert share < 0.01

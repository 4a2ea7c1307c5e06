"""NVIDIA GPUs, through nvidia-ml-py when it and a driver are there."""

from contextlib import suppress
from importlib import import_module
from typing import Any

_GIB = float(1 << 30)
_MOST_FAILURES = 3


class Gpus:
    """The NVIDIA GPUs that this process may use; none is fine.

    Args:
        visible: the text of ``CUDA_VISIBLE_DEVICES`` or ``NVIDIA_VISIBLE_DEVICES``; None means all.
        library: ``pynvml``; None imports it.
    """

    def __init__(self, visible: str | None = None, library: Any = None) -> None:
        self._library = library
        self._devices: list[tuple[int, Any]] = []
        self._failures = 0
        if library is None:
            try:
                self._library = import_module("pynvml")
            except ImportError:
                return
        try:
            self._library.nvmlInit()
            self._devices = self._select(visible)
        except self._library.NVMLError:
            self._devices = []

    def __len__(self) -> int:
        return len(self._devices)

    def facts(self) -> dict[str, str]:
        """For the page of the run: type, memory and number of the GPUs, and the driver."""
        if not self._devices:
            return {}
        library = self._library
        try:
            names = [_text(library.nvmlDeviceGetName(device)) for _, device in self._devices]
            memory = [library.nvmlDeviceGetMemoryInfo(device).total / _GIB for _, device in self._devices]
            driver = _text(library.nvmlSystemGetDriverVersion())
        except library.NVMLError:
            return {}
        return {
            "gpu_count": str(len(names)),
            "gpu_type": ", ".join(dict.fromkeys(names)),
            "gpu_memory": ", ".join(dict.fromkeys(f"{size:.0f}GB" for size in memory)),
            "gpu_driver_version": driver,
        }

    def look(self) -> dict[str, float]:
        """The values now, by series name: percents, GiB, W, °C. Empty for good after repeated failures."""
        if not self._devices or self._failures >= _MOST_FAILURES:
            return {}
        values: dict[str, float] = {}
        self._failures += 1
        with suppress(self._library.NVMLError):
            for number, device in self._devices:
                values.update(self._device(f"gpu_{number}", device))
            self._failures = 0
        return values

    def _device(self, name: str, device: Any) -> dict[str, float]:
        library = self._library
        memory = library.nvmlDeviceGetMemoryInfo(device)
        values = {
            f"{name}_utilization": float(library.nvmlDeviceGetUtilizationRates(device).gpu),
            f"{name}_mem_usage": 100.0 * memory.used / memory.total if memory.total else 0.0,
            f"{name}_mem_used_gb": memory.used / _GIB,
            f"{name}_mem_free_gb": memory.free / _GIB,
        }
        # Some boards have no sensor for these; the rest still counts.
        for key, read in (
            (
                "temperature",
                lambda: float(library.nvmlDeviceGetTemperature(device, library.NVML_TEMPERATURE_GPU)),
            ),
            ("power_usage", lambda: library.nvmlDeviceGetPowerUsage(device) / 1000.0),
        ):
            with suppress(library.NVMLError_NotSupported):
                values[f"{name}_{key}"] = read()
        return values

    def _select(self, visible: str | None) -> list[tuple[int, Any]]:
        library = self._library
        devices = [
            (number, library.nvmlDeviceGetHandleByIndex(number))
            for number in range(library.nvmlDeviceGetCount())
        ]
        # An empty text hides all of them, as CUDA reads it.
        wanted = "all" if visible is None else visible.strip()
        if wanted == "all":
            return devices
        chosen = []
        for part in wanted.split(","):
            part = part.strip()
            for number, device in devices:
                identity = _text(library.nvmlDeviceGetUUID(device)) if part.startswith("GPU-") else ""
                if part == str(number) or (identity and identity.startswith(part)):
                    chosen.append((number, device))
        return chosen


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)

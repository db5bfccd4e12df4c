"""What a figure was measured on."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import psutil


def description() -> dict[str, Any]:
    """Processor, cores, memory, system, and how busy the machine was."""
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gibibytes": round(psutil.virtual_memory().total / 2**30, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def stolen_seconds() -> float:
    """Processor time that other machines on the same host have taken since the start, of all cores: what no program here can mend."""
    return float(getattr(psutil.cpu_times(), "steal", 0.0))


def cpu_seconds() -> float:
    """Processor time that the machine has spent since it started, in all processes."""
    times = psutil.cpu_times()
    return float(times.user + times.system)

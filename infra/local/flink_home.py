"""Assembles a FLINK_HOME from the installed wheel and the locked jars, with which Flink's own scripts work."""

from __future__ import annotations

import shutil
from pathlib import Path

from infra.local import paths


def assemble() -> None:
    """Build `.tickflow/flink` beside the old one, then swap.

    `bin` and `opt` are copies: through a link the scripts would fall back to the wheel's folders. The connectors lie in `lib`, on
    Flink's own class path: Iceberg and Hadoop do not load from a job's jars.
    """
    fresh = paths.FLINK_HOME.with_name("flink.new")
    shutil.rmtree(fresh, ignore_errors=True)
    wheel = paths.site_packages() / "pyflink"
    for folder in ("bin", "opt", "conf"):
        shutil.copytree(wheel / folder, fresh / folder)
    make_executable(fresh / "bin")
    shutil.copytree(wheel / "plugins", fresh / "plugins")
    (fresh / "log").mkdir()
    (fresh / "lib").mkdir()
    libraries = [*(wheel / "lib").glob("*.jar"), *(wheel / "opt").glob("flink-python*.jar"), *(paths.JARS / "flink").glob("*.jar")]
    for jar in libraries:
        (fresh / "lib" / jar.name).symlink_to(jar)
    shutil.rmtree(paths.FLINK_HOME, ignore_errors=True)
    fresh.rename(paths.FLINK_HOME)


def make_executable(directory: Path) -> None:
    """Give the scripts the execute bit that a wheel does not carry."""
    for script in directory.iterdir():
        script.chmod(script.stat().st_mode | 0o755)

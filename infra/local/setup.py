"""`infra/tickflow setup`: the environment, Java, the jars and a FLINK_HOME, all from locks with hashes. Standard library only."""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import json
import os
import shutil
import ssl
import subprocess
import sys
import time
import venv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from infra.local import environment, flink_home, paths
from infra.local.console import SetupError, print_json, say

LOCKS = (paths.BOOTSTRAP_LOCK, paths.BUILD_LOCK, paths.PYTHON_LOCK, paths.JARS_LOCK)
LAYOUT_VERSION = 1


def fingerprint() -> str:
    """What a finished setup depends on: the locks, the checkout's place (environments do not move), the layout's version."""
    digest = hashlib.sha256(f"{LAYOUT_VERSION} {paths.ROOT}".encode())
    for lock in LOCKS:
        digest.update(lock.read_bytes())
    return digest.hexdigest()


def is_current() -> bool:
    """Whether setup has finished for exactly these locks."""
    try:
        stamp = json.loads(paths.SETUP_STAMP.read_text())
    except (OSError, ValueError):
        return False
    return bool(stamp.get("fingerprint") == fingerprint() and paths.PYTHON.exists())


@contextmanager
def exclusive() -> Iterator[None]:
    """One setup at a time in a checkout; a second one waits for the first."""
    paths.HOME.mkdir(exist_ok=True)
    with paths.SETUP_LOCK.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("setup: waiting for another setup of this checkout")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def trusted_certificates() -> dict[str, str]:
    """The system's own certificates for all downloads (companies add theirs there), unless the user has chosen others."""
    candidates = [ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"]
    bundle = next((path for path in candidates if path and Path(path).exists()), None)
    names = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT")
    return {name: os.environ.get(name, bundle) for name in names} if bundle else {}


def run(command: Sequence[str | Path], **variables: str) -> None:
    """Run a step; its output goes to standard error."""
    full = environment.program_environment() | trusted_certificates() | variables
    result = subprocess.run([str(part) for part in command], cwd=paths.ROOT, env=full, stdout=sys.stderr)
    if result.returncode:
        raise SetupError(
            f"setup stopped: `{' '.join(str(part) for part in command[:6])} …` ended with {result.returncode}; see the lines above"
        )


def make_environment() -> None:
    """An empty virtual environment with pip, made by the Python that runs this."""
    if paths.PYTHON.exists() and (paths.VENV / "bin" / "pip").exists():
        return
    say("setup: making the Python environment")
    shutil.rmtree(paths.VENV, ignore_errors=True)
    try:
        venv.EnvBuilder(with_pip=True, symlinks=True).create(paths.VENV)
    except (OSError, subprocess.CalledProcessError, SystemExit) as error:
        shutil.rmtree(paths.VENV, ignore_errors=True)
        raise SetupError(f"could not make a virtual environment ({error}); on Debian and Ubuntu install python3-venv") from error


def installer(directory: Path = paths.VENV) -> Path:
    """The pinned uv inside the environment; installed by pip against its hash when absent."""
    uv = directory / "bin" / "uv"
    if not uv.exists():
        say("setup: installing the installer (uv)")
        run(
            [
                paths.PYTHON,
                "-m",
                "pip",
                "install",
                "--quiet",
                "--require-hashes",
                "--no-deps",
                "--only-binary",
                ":all:",
                "-r",
                paths.BOOTSTRAP_LOCK,
            ]
        )
    return uv


def uv_cache() -> str:
    """uv's cache: the user's choice, or beside our other downloads."""
    return os.environ.get("UV_CACHE_DIR") or str(paths.cache_directory() / "uv")


def install_packages() -> None:
    """Make the environment hold exactly what the lock lists, every hash verified, build tools included."""
    say("setup: installing Python packages")
    command: list[str | Path] = [
        installer(),
        "pip",
        "sync",
        "--python",
        paths.PYTHON,
        "--require-hashes",
        "--build-constraints",
        paths.BUILD_LOCK,
    ]
    run([*command, paths.PYTHON_LOCK], UV_CACHE_DIR=uv_cache(), UV_HTTP_TIMEOUT="300")


def archive_java_classes() -> None:
    """Let the Java runtime make its class-data archive, without which each start takes half a second more. Not vital."""
    java = paths.java_home() / "bin" / "java"
    if not (paths.java_home() / "lib" / "server" / "classes.jsa").exists():
        subprocess.run([java, "-Xshare:dump"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def install() -> None:
    """Every step in order. Each can be run again; what is already there is only verified."""
    started = time.monotonic()
    paths.SETUP_STAMP.unlink(missing_ok=True)
    shutil.rmtree(paths.BYTECODE, ignore_errors=True)
    make_environment()
    install_packages()
    run([paths.PYTHON, "-m", "infra.local.jars", "install"])
    archive_java_classes()
    say("setup: assembling Flink")
    flink_home.assemble()
    paths.SETUP_STAMP.write_text(json.dumps({"fingerprint": fingerprint()}))
    say(f"setup: done in {time.monotonic() - started:.0f} s")


def relock() -> None:
    """Write the locks anew from pyproject.toml, then install from them."""
    make_environment()
    uv = installer()
    options: list[str | Path] = [
        "--quiet",
        "--upgrade",
        "--generate-hashes",
        "--python-version",
        "3.11",
        "--no-header",
        "--python",
        paths.PYTHON,
    ]
    compile_command: list[str | Path] = [uv, "pip", "compile", *options]
    run(
        [*compile_command, "pyproject.toml", "--extra", "local", "--extra", "development", "-o", paths.PYTHON_LOCK.name],
        UV_CACHE_DIR=uv_cache(),
    )
    for name in ("build", "peers", "neural"):
        run([*compile_command, f"infra/{name}.in", "-o", f"infra/{name}.lock"], UV_CACHE_DIR=uv_cache())
    paths.BOOTSTRAP_LOCK.write_text(lock_entry(paths.PYTHON_LOCK.read_text(), "uv"))
    install_packages()
    run([paths.PYTHON, "-m", "infra.local.jars", "relock"])


def lock_entry(lock: str, package: str) -> str:
    """The lines of one package in a compiled lock: `name==version` with its hashes."""
    lines = lock.splitlines()
    start = next(index for index, line in enumerate(lines) if line.startswith(f"{package}=="))
    rest = lines[start + 1 :]
    length = next((index for index, line in enumerate(rest) if not line.startswith("    --hash")), len(rest))
    return "\n".join(lines[start : start + 1 + length]) + "\n"


def main(arguments: list[str]) -> int:
    """Entry point of the verb."""
    parser = argparse.ArgumentParser(prog="infra/tickflow setup", description="Install everything into .tickflow/ from the locks.")
    parser.add_argument("--relock", action="store_true", help="resolve pyproject.toml anew and write the lock files first")
    parser.add_argument("--force", action="store_true", help="verify and install again even when nothing has changed")
    parser.add_argument("--json", action="store_true", help="print one JSON object at the end")
    options = parser.parse_args(arguments)
    started = time.monotonic()
    try:
        with exclusive():
            if options.relock:
                relock()
            if options.relock or options.force or not is_current():
                install()
    except SetupError as error:
        say(f"tickflow: {error}")
        return 2
    if options.json:
        print_json({"ready": True, "seconds": round(time.monotonic() - started, 1), "directory": str(paths.HOME)})
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

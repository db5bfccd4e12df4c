"""Java archives by coordinates from a lock with sizes and sha256, fetched with jgo (no Maven, no pom) into the user's cache."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from jgo.maven import MavenContext, PythonResolver
from jgo.util import http

from infra.local import paths
from infra.local.console import SetupError, say

CHUNK_BYTES = 1 << 18
ATTEMPTS = 5
PARALLEL_DOWNLOADS = 4
TIMEOUT_SECONDS = 60


@dataclass(frozen=True)
class LockedJar:
    """One archive: `coordinates` are group:artifact:version, `size` is in bytes, `sha256` in hexadecimal."""

    coordinates: str
    size: int
    sha256: str

    @property
    def file_name(self) -> str:
        """The archive's usual name, `artifact-version.jar`."""
        _, artifact, version = self.coordinates.split(":")
        return f"{artifact}-{version}.jar"


class ResumingResolver(PythonResolver):  # type: ignore[misc]
    """Downloads into `NAME.part`, goes on where an interrupted download stopped, and renames only a complete file."""

    def download(self, artifact: Any) -> Path | None:
        """Fetch one artifact from the first repository that has it."""
        target: Path = artifact.cached_path
        target.parent.mkdir(parents=True, exist_ok=True)
        for repository in artifact.context.remote_repos.values():
            url = f"{repository}/{artifact.component.path_prefix.as_posix()}/{artifact.filename}"
            if fetch(url, target):
                return target
        raise RuntimeError(f"{artifact} was not found in the Maven repository that jgo is configured for")  # the type jgo expects


def fetch(url: str, target: Path) -> bool:
    """Download `url` to `target` with retries; False when the server does not have it."""
    partial = target.with_name(target.name + ".part")
    for attempt in range(ATTEMPTS):
        try:
            if not fetch_rest(url, partial):
                return False
            partial.replace(target)
            return True
        except OSError as error:  # requests' exceptions are OSErrors
            say(f"  {target.name}: {error}; trying again ({attempt + 1}/{ATTEMPTS})")
            time.sleep(2**attempt)
    raise SetupError(f"could not download {target.name} after {ATTEMPTS} attempts; run the command again to go on where it stopped")


def fetch_rest(url: str, partial: Path) -> bool:
    """Append what is missing of `url` to `partial`; False when the server does not have it."""
    have = partial.stat().st_size if partial.exists() else 0
    headers = {"Range": f"bytes={have}-"} if have else {}
    response = http.get(url, stream=True, timeout=TIMEOUT_SECONDS, headers=headers)
    if response.status_code == 404:
        return False
    if response.status_code == 416:  # the part is complete, or longer than the file: begin anew
        partial.unlink()
        raise OSError("the partial file did not fit")
    response.raise_for_status()
    with partial.open("ab" if response.status_code == 206 else "wb") as stream:
        for chunk in response.iter_content(chunk_size=CHUNK_BYTES):
            stream.write(chunk)
    expected = int(response.headers.get("Content-Length", 0)) + (have if response.status_code == 206 else 0)
    if "Content-Encoding" not in response.headers and expected and partial.stat().st_size < expected:
        raise OSError(f"connection closed after {partial.stat().st_size} of {expected} bytes")
    return True


def context() -> Any:
    """The resolver's configuration: jgo's own repository, or the mirror named by `TICKFLOW_MAVEN_REPOSITORY`."""
    mirror = os.environ.get("TICKFLOW_MAVEN_REPOSITORY")
    repositories = {"mirror": mirror.rstrip("/")} if mirror else None
    return MavenContext(ResumingResolver(), paths.cache_directory() / "maven", remote_repos=repositories, timeout=TIMEOUT_SECONDS)


def sha256_of(path: Path) -> str:
    """The file's sha256 in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verified(jar: LockedJar, maven: Any) -> Path:
    """The cached archive, downloaded if absent, downloaded once more if its hash is wrong."""
    path: Path | None = None
    for _ in range(2):
        path = Path(maven.create_dependency(jar.coordinates).artifact.resolve())
        if path.stat().st_size == jar.size and sha256_of(path) == jar.sha256:
            return path
        path.unlink()
    raise SetupError(
        f"{jar.file_name}: its sha256 is not the one in {paths.JARS_LOCK.name}, twice; the source of the download is not to be trusted"
    )


def place(source: Path, target: Path) -> None:
    """Put a file into the checkout: a hard link where the file system allows, else a copy."""
    partial = target.with_name(target.name + ".part")
    partial.unlink(missing_ok=True)
    try:
        os.link(source, partial)
    except OSError:
        shutil.copyfile(source, partial)
    partial.replace(target)


def read_lock() -> dict[str, list[LockedJar]]:
    """Group name to its archives."""
    groups = json.loads(paths.JARS_LOCK.read_text())
    return {group: [LockedJar(**jar) for jar in jars] for group, jars in groups.items()}


def install() -> None:
    """Make `.tickflow/jars/GROUP/` hold exactly the locked archives, every hash verified."""
    maven = context()
    for group, jars in read_lock().items():
        directory = paths.JARS / group
        directory.mkdir(parents=True, exist_ok=True)
        say(f"jars: {group}, {len(jars)} archives, {sum(jar.size for jar in jars) / 1e6:.0f} MB")
        with ThreadPoolExecutor(PARALLEL_DOWNLOADS) as pool:
            for jar, source in zip(jars, pool.map(lambda jar: verified(jar, maven), jars), strict=True):
                place(source, directory / jar.file_name)
        for stray in {path.name for path in directory.iterdir()} - {jar.file_name for jar in jars}:
            (directory / stray).unlink()


def closure(group: dict[str, Any], maven: Any) -> list[Any]:
    """A group's direct dependencies, with everything they need at run time unless `without` names it.

    Each is resolved by itself: together, the versions that one manages would be forced on the others.
    """
    found = []
    for coordinates in group["coordinates"]:
        direct, further = [maven.create_dependency(coordinates)], []
        if group["transitive"]:
            direct, further = maven.resolver.resolve(direct)
        found += [*direct, *(jar for jar in further if not any(fnmatch(jar.groupId, pattern) for pattern in group["without"]))]
    return list({(jar.groupId, jar.artifactId): jar for jar in reversed(found)}.values())


def relock() -> None:
    """Write the lock anew from the coordinates in the project file."""
    groups = tomllib.loads(paths.PROJECT.read_text())["tool"]["tickflow"]["jars"]
    maven, lock = context(), {}
    for name, group in groups.items():
        entries = {}
        for dependency in closure(group, maven):
            path = Path(dependency.artifact.resolve())
            coordinates = f"{dependency.groupId}:{dependency.artifactId}:{dependency.version}"
            entries[coordinates] = {"coordinates": coordinates, "size": path.stat().st_size, "sha256": sha256_of(path)}
        lock[name] = [entries[key] for key in sorted(entries)]
        say(f"jars: locked {name}, {len(entries)} archives")
    paths.JARS_LOCK.write_text(json.dumps(lock, indent=1) + "\n")


if __name__ == "__main__":
    try:
        relock() if sys.argv[1:] == ["relock"] else install()
    except (SetupError, RuntimeError) as error:
        sys.exit(f"tickflow: {error}")

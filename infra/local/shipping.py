"""The code that a cluster runs, as one reproducible zip: `jobs/` and `udfs/` at its root, fixed times, sorted names."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

from infra.local import paths

PACKAGES = ("jobs", "udfs")
SUFFIXES = (".py", ".sql", ".json", ".yaml", ".proto")
FIXED_TIME = (1980, 1, 1, 0, 0, 0)
READ_WRITE = 0o100644 << 16


def shipped_files(root: Path = paths.ROOT) -> list[Path]:
    """Every file that goes into the zip, relative to the root, sorted."""
    found = [path for package in PACKAGES for path in (root / package).rglob("*") if path.suffix in SUFFIXES and path.is_file()]
    return sorted(path.relative_to(root) for path in found if "__pycache__" not in path.parts)


def zip_bytes(root: Path = paths.ROOT) -> bytes:
    """The zip's content: the same for the same sources on every machine (stored, so that no compressor's version matters)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for relative in shipped_files(root):
            entry = zipfile.ZipInfo(relative.as_posix(), FIXED_TIME)
            entry.external_attr = READ_WRITE
            entry.create_system = 3
            archive.writestr(entry, (root / relative).read_bytes())
    return buffer.getvalue()


def code_hash(root: Path = paths.ROOT) -> str:
    """The sha256 of the zip, in hexadecimal: names the code that a run executed."""
    return hashlib.sha256(zip_bytes(root)).hexdigest()


def build_zip(root: Path = paths.ROOT) -> Path:
    """Write the zip to `.tickflow/code/tickflow-HASH.zip` unless it is there; its path."""
    content = zip_bytes(root)
    target = paths.CODE / f"tickflow-{hashlib.sha256(content).hexdigest()[:16]}.zip"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".part")
        partial.write_bytes(content)
        partial.replace(target)
    return target

"""Which documents hold generated tables, and what they should hold."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from infra.documentation.markdown import filled
from infra.documentation.tables import BLOCKS
from infra.local import paths

README: Final = paths.ROOT / "README.md"
REFERENCE: Final = paths.ROOT / "infra" / "reference"
MONITORING: Final = paths.ROOT / "infra" / "monitoring" / "README.md"
DOCUMENTS: Final[tuple[Path, ...]] = (README, *(REFERENCE / name for name in ("features.md", "lake.md", "codes.md")), MONITORING)


def written(path: Path) -> str:
    """The document with every generated block as the code has it now."""
    return filled(path.read_text(encoding="utf-8"), BLOCKS)

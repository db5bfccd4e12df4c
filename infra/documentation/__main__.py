"""`python -m infra.documentation`: check that the generated tables are what the code says, or write them with `--write`."""

from __future__ import annotations

import argparse
import sys

from infra.documentation.files import DOCUMENTS, written
from infra.local.console import say


def main(arguments: list[str]) -> int:
    """Run the program; 0 current or written, 1 not current."""
    parser = argparse.ArgumentParser(prog="python -m infra.documentation", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the tables")
    options = parser.parse_args(arguments)
    stale = [path for path in DOCUMENTS if not path.exists() or path.read_text(encoding="utf-8") != written(path)]
    for path in stale:
        if options.write:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(written(path), encoding="utf-8")
        say(f"{'wrote' if options.write else 'not current'}: {path.name}")
    return 0 if options.write or not stale else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

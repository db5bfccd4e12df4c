"""`features`: every feature of the vector, with all that is known of it. Needs no service."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from rich.console import Console
from rich.table import Column, Table

from udfs.kernels.feature_traits import Scaling
from udfs.kernels.feature_vector import FEATURE_SET, Feature

PLAIN_WIDTH = 200


def main(arguments: list[str]) -> int:
    """Run the verb; 0."""
    options = parser().parse_args(arguments)
    if options.json:
        print(json.dumps(report()))
    else:
        show(options.find)
    return 0


def parser() -> argparse.ArgumentParser:
    """Options of the verb."""
    options = argparse.ArgumentParser(prog="tickflow features", description=__doc__)
    options.add_argument(
        "--find", default="", metavar="WORDS", help="show only features with these words in their name, unit, formula or source"
    )
    options.add_argument("--json", action="store_true", help="print one JSON object, with all features")
    return options


def report() -> dict[str, Any]:
    """All features in the order of the vector."""
    return {"feature_set": FEATURE_SET, "count": len(Feature), "features": [description_of(feature) for feature in Feature]}


def description_of(feature: Feature) -> dict[str, Any]:
    """One feature. `scaling`: what happens to the value when prices or sizes are told in another unit."""
    scaling = feature.scaling
    return {
        "number": int(feature),
        "name": feature.name.lower(),
        "unit": feature.unit,
        "formula": feature.formula,
        "source": feature.source or None,
        "warm_up": feature.warm_up,
        "scaling": {"price_power": scaling.price, "size_power": scaling.size, "shifts_with_log_price": scaling.shifts},
        "memory": feature.memory.value,
        "model_input": feature.model_input,
    }


def show(words: str) -> None:
    """Print a table for a person."""
    console = Console() if sys.stdout.isatty() else Console(width=PLAIN_WIDTH)
    name = Column("feature", no_wrap=True)
    table = Table("no.", name, "unit", "formula", "valid after", "scales with", "memory", "model", "source", show_lines=True)
    shown = [feature for feature in Feature if words.lower() in searched(feature)]
    for feature in shown:
        scaling, model = scaling_words(feature.scaling), "yes" if feature.model_input else ""
        cells = feature.unit, feature.formula, feature.warm_up, scaling, feature.memory.value, model, feature.source
        table.add_row(str(int(feature)), feature.name.lower(), *cells)
    table.caption = f"{len(shown)} of {len(Feature)} features; feature set {FEATURE_SET}"
    console.print(table, markup=False)


def searched(feature: Feature) -> str:
    """What `--find` looks in."""
    return f"{feature.name} {feature.unit} {feature.formula} {feature.source}".lower()


def scaling_words(scaling: Scaling) -> str:
    """`price`, `size`, products of their powers, or nothing."""
    powers = [_power(name, power) for name, power in (("price", scaling.price), ("size", scaling.size)) if power]
    return "log price, by shifting" if scaling.shifts else " * ".join(powers)


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"

"""`infra/tickflow train news`: a sentiment model from labelled sentences, kept in the model store, and released over the control log."""

from __future__ import annotations

import argparse
import os
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.model_store import ModelStore
from jobs.releasing import add_release_options, chosen_store, release_if_asked, require_broker
from jobs.verb_result import NOT_HELD, USAGE, finish
from udfs.errors import TickflowError
from udfs.records import ControlKind, ModelReference

if TYPE_CHECKING:
    from jobs.training.news.corpus import Corpus

_SHOWN = ("sentences", "macro_f1", "macro_f1_interval", "accuracy", "majority_macro_f1", "lexicon_macro_f1", "gain_over_lexicon")


def train_news(store: ModelStore, data: Path | None = None) -> tuple[ModelReference, dict[str, Any]]:
    """Train on a file's sentences, or without one on synthetic ones, and store the model; gives its reference and card.

    Raises SourceError, NotEnoughData, and ModelMismatch when the gate refuses.
    """
    from jobs.training.news.train_news import train_news_model

    trained = train_news_model(_corpus(data))
    card = trained.card | {"synthetic": data is None}
    return store.put(trained.version, trained.data, card), card


def _corpus(data: Path | None) -> Corpus:
    from jobs.training.news.corpus import read_corpus
    from jobs.training.news.synthetic import synthetic_corpus

    return synthetic_corpus() if data is None else read_corpus(data)


def main(arguments: list[str]) -> int:
    """Run the verb; 0 trained, 1 not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    return finish("train news", options.json, partial(_run, options), _tell, {TickflowError: NOT_HELD, ValueError: USAGE})


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.settings import lake_from_environment

    require_broker(options)
    lake = lake_from_environment(os.environ, options.lake)
    reference, card = train_news(chosen_store(options, lake), options.data)
    version = release_if_asked(reference, options, ControlKind.NEWS_MODEL)
    return {**asdict(reference), "control_version": version, "synthetic": card["synthetic"], "metrics": card["metrics"], "card": card}


def _tell(result: dict[str, Any]) -> None:
    print(f"news model {result['version']}\n  file     {result['uri']}\n  sha256   {result['sha256']}")
    for name in _SHOWN:
        print(f"  {name.replace('_', ' '):<24} {result['metrics'][name]}")
    verdict = "better than a word list" if result["metrics"]["beats_baselines"] else "NOT better than a word list"
    print(f"On sentences of groups that it had not seen, the model is {verdict}.")
    if result["synthetic"]:
        print("These sentences are synthetic, made from templates: the figures say nothing of real news. Give real ones with --data.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tickflow train news", description="Train a model that tells good news from bad.")
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="labelled sentences: `sentence@label` lines, CSV or JSON lines (default: synthetic ones)"
    )
    add_release_options(parser, "released by `tickflow train news`")
    return parser

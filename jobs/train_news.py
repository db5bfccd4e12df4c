"""`infra/tickflow train news`: a sentiment model from labelled sentences, kept in the model store, and released over the control log."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jobs.model_store import ModelStore, models_location, open_store
from udfs.errors import TickflowError
from udfs.records import ControlEvent, ControlKind, ModelReference

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


def release_news_event(reference: ModelReference, author: str, reason: str, event_time: int) -> ControlEvent:
    """The control event that puts a sentiment model into force."""
    return ControlEvent(version=0, kind=ControlKind.NEWS_MODEL, event_time=event_time, author=author, reason=reason, model=reference)


def main(arguments: list[str]) -> int:
    """Run the verb; 0 trained, 1 not, 2 usage or environment."""
    options = _parser().parse_args(arguments)
    try:
        result = _run(options)
    except (TickflowError, ValueError) as error:
        print(f"train news: {error}", file=sys.stderr)
        if options.json:
            print(json.dumps({"error": str(error)}))
        return 1 if isinstance(error, TickflowError) else 2
    _report(result, options.json)
    return 0


def _run(options: argparse.Namespace) -> dict[str, Any]:
    from jobs.lake.settings import lake_from_environment

    if options.release and not options.bootstrap_servers:
        raise ValueError("--release needs a broker: set TICKFLOW_KAFKA_BOOTSTRAP_SERVERS or give --bootstrap-servers")
    lake = lake_from_environment(os.environ, options.lake)
    reference, card = train_news(
        open_store(options.models or models_location(lake.warehouse), lake.s3_endpoint, lake.s3_region), options.data
    )
    version = _release(reference, options) if options.release else None
    return {**asdict(reference), "control_version": version, "synthetic": card["synthetic"], "metrics": card["metrics"], "card": card}


def _release(reference: ModelReference, options: argparse.Namespace) -> int:
    from jobs.audit.control import audited
    from jobs.control import publish
    from jobs.gateway.publisher import PublisherSettings
    from jobs.settings import load_settings

    event = release_news_event(reference, options.author, "released by `tickflow train news`", time.time_ns())
    publisher = PublisherSettings(options.bootstrap_servers, client=load_settings().kafka.librdkafka_properties())
    return audited([event], lambda found: publish(found, publisher))[0]


def _report(result: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print(json.dumps(result))
        return
    print(f"news model {result['version']}\n  file     {result['uri']}\n  sha256   {result['sha256']}")
    for name in _SHOWN:
        print(f"  {name.replace('_', ' '):<24} {result['metrics'][name]}")
    verdict = "better than a word list" if result["metrics"]["beats_baselines"] else "NOT better than a word list"
    print(f"On sentences of groups that it had not seen, the model is {verdict}.")
    if result["synthetic"]:
        print("These sentences are synthetic, made from templates: the figures say nothing of real news. Give real ones with --data.")


def _parser() -> argparse.ArgumentParser:
    from infra.local.paths import DATA

    parser = argparse.ArgumentParser(prog="tickflow train news", description="Train a model that tells good news from bad.")
    parser.add_argument(
        "--data", type=Path, metavar="FILE", help="labelled sentences: `sentence@label` lines, CSV or JSON lines (default: synthetic ones)"
    )
    parser.add_argument("--lake", type=Path, default=DATA / "lake", metavar="FOLDER", help="the local lake, beside which models are kept")
    parser.add_argument("--models", default=os.environ.get("TICKFLOW_MODELS", ""), metavar="LOCATION", help="folder or s3://… of models")
    parser.add_argument("--release", action="store_true", help="put the model into force over the control log")
    parser.add_argument(
        "--bootstrap-servers", default=os.environ.get("TICKFLOW_KAFKA_BOOTSTRAP_SERVERS", ""), help="Kafka broker for --release"
    )
    parser.add_argument("--author", default=os.environ.get("USER", "unknown"), help="who releases it")
    parser.add_argument("--json", action="store_true", help="one JSON object on the last line")
    return parser

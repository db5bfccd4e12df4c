"""The sentiment model: no sentence of the test is known from training, the file says what was fitted, and the figures are honest."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import f1_score

from jobs.model_store import FolderStore
from jobs.train import main
from jobs.train_news import train_news
from jobs.training.dataset import NotEnoughData
from jobs.training.news.corpus import NEAR_BITS, Corpus, near_groups, read_corpus
from jobs.training.news.evaluate_sentiment import f1_by_class, lexicon_class, macro_f1
from jobs.training.news.fit_sentiment import NewsTrainingSettings, bucket_matrix, fit_sentiment
from jobs.training.news.synthetic import synthetic_corpus
from jobs.training.news.train_news import LARGE_GROUP, check_news_release, split_by_group, train_news_model
from udfs.errors import ModelMismatch, SourceError
from udfs.scoring.news_model import load_news_model
from udfs.scoring.news_text import fingerprint

ROOT = Path(__file__).resolve().parents[2]
PHRASES = ROOT.parent / "shared" / "data" / "news_phrasebank"


def test_the_same_sentences_give_the_same_bytes() -> None:
    first, second = (train_news_model(synthetic_corpus()) for _ in range(2))
    assert first.data == second.data
    assert first.version == second.version
    assert train_news_model(synthetic_corpus(seed=9)).version != first.version


def test_no_group_lies_on_both_sides() -> None:
    """Neither a template nor a sentence that is near to one of another part."""
    corpus = synthetic_corpus()
    parts = split_by_group(corpus, 1)
    groups = [set(corpus.groups[rows].tolist()) for rows in parts.values()]
    assert sum(map(len, groups)) == len(set().union(*groups))
    assert sorted(np.concatenate(list(parts.values())).tolist()) == list(range(len(corpus.texts)))
    assert not {corpus.texts[place] for place in parts["train"]} & {corpus.texts[place] for place in parts["test"]}


def test_sentences_that_are_near_are_one_group() -> None:
    texts = ["Net sales rose by 5 % to EUR 12 mn", "Net sales rose by 7 % to EUR 31 mn", "The board appointed a new chairman on Monday"]
    groups = near_groups(texts)
    assert groups[0] == groups[1] != groups[2]
    assert (fingerprint(texts[0]) ^ fingerprint(texts[1])).bit_count() <= NEAR_BITS


def test_a_story_told_often_is_trained_on_and_not_tested_on() -> None:
    corpus = synthetic_corpus()
    groups = np.where(corpus.groups < 3, 0, corpus.groups)
    for seed in range(5):
        parts = split_by_group(corpus._replace(groups=groups), seed)
        assert 0 in groups[parts["train"]]
    assert (groups == 0).mean() > LARGE_GROUP


def test_macro_f1_is_that_of_the_textbook() -> None:
    generator = np.random.default_rng(3)
    labels, said = generator.integers(0, 3, 500), generator.integers(0, 3, 500)
    assert macro_f1(labels, said) == pytest.approx(f1_score(labels, said, average="macro"))
    assert f1_by_class(labels, said).tolist() == pytest.approx(f1_score(labels, said, average=None).tolist())


def test_the_gate_sees_one_changed_weight() -> None:
    corpus = synthetic_corpus()
    trained = train_news_model(corpus)
    matrix, settings = bucket_matrix(corpus.texts), NewsTrainingSettings()
    parts = split_by_group(corpus, settings.seed)
    train, held_out = parts["train"], parts["calibration"]
    model = fit_sentiment(matrix[train], corpus.labels[train], matrix[held_out], corpus.labels[held_out], settings)
    scorer, texts = load_news_model(trained.data, trained.sha256), (corpus.texts[0],)
    assert check_news_release(model, scorer, trained.data, texts) < 1e-6
    model.weights[matrix[0].indices[0], 2] += 500
    with pytest.raises(ModelMismatch, match="not released"):
        check_news_release(model, scorer, trained.data, texts)


def test_a_word_list_is_the_rival() -> None:
    assert [lexicon_class(text) for text in ("Profit falls", "The board met", "Record profit, shares rise", "Gain and loss")] == [
        0,
        1,
        2,
        1,
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.txt", "Profit rose 5 %@positive\nSales fell@negative\n\nThe board met@neutral\n"),
        ("a.csv", 'Sentence,Sentiment\n"Profit rose 5 %",positive\nSales fell,-1\nThe board met,neutral\n'),
        (
            "a.jsonl",
            '{"text": "Profit rose 5 %", "label": "bullish"}\n{"text": "Sales fell", "label": -1}\n{"text": "The board met", "label": 0}\n',
        ),
    ],
)
def test_corpora_of_every_form_are_read_alike(name: str, text: str, tmp_path: Path) -> None:
    path = tmp_path / name
    path.write_text(text)
    corpus = read_corpus(path)
    assert corpus.texts == ("Profit rose 5 %", "Sales fell", "The board met")
    assert corpus.labels.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("text", "words"), [("Profit rose@splendid\n", "a.txt:1: found label 'splendid'"), ("a,b\nc,d\n", "found columns a, b")]
)
def test_a_corpus_that_is_not_understood_is_told(text: str, words: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(SourceError, match=words):
        read_corpus(path)


def test_too_few_sentences_train_nothing() -> None:
    corpus = synthetic_corpus()
    with pytest.raises(NotEnoughData, match="expected 20 of each"):
        train_news_model(Corpus("few", corpus.texts[:60], corpus.labels[:60], corpus.groups[:60]))


def test_the_verb_stores_a_model_and_says_that_its_sentences_are_made_up(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["news", "--models", str(tmp_path), "--json"]) == 0
    result = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert result["synthetic"] is True
    assert result["metrics"]["macro_f1"] > result["metrics"]["majority_macro_f1"]
    assert FolderStore(tmp_path).versions() == (result["version"],)
    assert main(["news", "--models", str(tmp_path), "--data", str(tmp_path / "missing")]) == 1
    assert main(["news", "--models", str(tmp_path), "--release", "--bootstrap-servers", ""]) == 2


def test_on_real_sentences_the_model_beats_majority_and_word_list(tmp_path: Path) -> None:
    """On sentences that people labelled, of groups that it had not seen."""
    data = PHRASES / "Sentences_50Agree.txt"
    if not data.exists():
        pytest.skip(f"{data} is not there")
    _, card = train_news(FolderStore(tmp_path), data)
    metrics = card["metrics"]
    assert metrics["macro_f1"] > 0.65
    assert metrics["macro_f1_interval"][0] > metrics["majority_macro_f1"] + 0.3
    assert metrics["gain_over_lexicon_interval"][0] > 0
    assert card["parts"]["test"]["sentences"] > 900

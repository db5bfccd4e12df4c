"""Every recipe of the cookbook gives the answer that stands below it."""

from __future__ import annotations

import pytest

from jobs.lake.flink_session import FlinkSession
from tests.sql.cookbook import COOKBOOK, Recipe, answered, recipes
from tests.support.documents import FENCE

TEXT = COOKBOOK.read_text()


def test_every_query_of_the_cookbook_has_an_answer() -> None:
    assert len(recipes(TEXT)) == len([body for language, body in FENCE.findall(TEXT) if language == "sql"]) >= 8
    assert all(recipe.answer.count("\n") > 2 for recipe in recipes(TEXT)), "an empty answer would prove nothing"


@pytest.mark.parametrize("recipe", recipes(TEXT), ids=lambda recipe: recipe.question)
def test_a_recipe_gives_the_answer_below_it(recipe: Recipe, flink: FlinkSession) -> None:
    assert answered(flink, recipe.query) == recipe.answer

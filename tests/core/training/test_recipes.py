"""What holds where the user leaves settings of a training open."""

from dataclasses import fields

import pytest

from twinns_qgis.jobs.declarations import TrainModel
from twinns_qgis.training.fit import Fitting
from twinns_qgis.training.recipes import RECIPES


def test_the_recipes_are_those_that_can_be_asked_for():
    assert list(RECIPES) == list(TrainModel.parameters()["recipe"].choices)


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_a_recipe_settles_what_is_left_open_by_default_and_nothing_else(recipe):
    open_ones = {name for name, item in TrainModel.parameters().items() if item.default in (None, "auto")}
    of_fitting = {field.name for field in fields(Fitting)} - {"precision"}  # which is measured
    assert set(recipe.settings) == open_ones & of_fitting


def test_the_papers_recipe_is_that_of_its_authors():
    # METHOD section 4: Adam, 2e-4, batches of 64, 300 epochs, no schedule, the best epoch by its own accuracy
    paper = RECIPES["paper"]
    assert paper.size == "paper"
    fitting = Fitting(**paper.settings, batch_size=64, seed=0)
    assert (fitting.epochs, fitting.optimizer, fitting.label_smoothing) == (300, "adam", 0.0)
    assert {fitting.step_size(epoch) for epoch in (1, 2, 150, 300)} == {2e-4}
    assert fitting.smoothing == 1

"""The short and old names of modules, under which notebooks and readers' own import them."""

import importlib
import subprocess
import sys

import pytest

import helpers.dpo
from helpers.common import moved
from helpers.facts import policy


@pytest.mark.parametrize("old", moved.MOVED)
def test_an_old_name_is_the_module_itself(old):
    found = importlib.import_module(f"helpers.{old}")
    assert found is importlib.import_module(f"helpers.{moved.MOVED[old]}")
    assert found.__name__ == found.__spec__.name == f"helpers.{moved.MOVED[old]}"


@pytest.mark.parametrize(
    "cell",
    [
        "from helpers import prices; assert prices.cost",
        "from helpers.prices import cost",
        "import helpers.prices; helpers.prices.cost",
        "import helpers.bills.pricing as old, helpers.costs.bills.pricing as new; assert old is new",
        "import helpers.costs.bills.pricing as new, helpers.bills.pricing as old; assert old is new",
        "from helpers import dpo; from helpers.dpo import Policy; from helpers import labelling; assert dpo.train",
        "from helpers.exercises.preferences import TICKET",
        "import importlib; from helpers import tax; assert importlib.reload(tax) is tax",
    ],
)
def test_each_way_to_import_works_in_a_new_process(cell):
    subprocess.run([sys.executable, "-c", cell], check=True)


def test_a_command_goes_on_under_its_old_name(tmp_path):
    (tmp_path / "a.py").write_text('model = "o1"\n')
    for name in ("migration", "sdks.migration"):
        done = subprocess.run(
            [sys.executable, "-m", f"helpers.{name}", str(tmp_path)], capture_output=True, text=True
        )
        assert done.returncode == 1 and done.stdout.startswith("a.py:1:10: model o1"), done


def test_dpo_has_the_names_of_the_stand_in():
    assert {"Policy", "train", "read_pairs", "features"} <= set(helpers.dpo.__all__)
    for name in helpers.dpo.__all__:
        assert getattr(helpers.dpo, name) is getattr(policy, name)


def test_a_name_that_never_was_is_told_as_before():
    with pytest.raises(ImportError, match="cannot import name 'nowhere' from 'helpers'"):
        from helpers import nowhere  # noqa: F401

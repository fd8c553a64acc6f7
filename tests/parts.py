"""What a test run and a refresh go without, so that neither depends on which optional parts of the
set-up are there.
"""

from helpers.common import left_out
from helpers.sdks import frameworks

# The packages that children and kernels cannot import (no_network/sitecustomize.py): of each part
# those that no test without it needs. A voice or a language model would answer what other tests say
# nobody does, and in the place of frameworks 5_sdks/03 sends what was kept of them. The tests of a
# part ask for its own.
WITHOUT = ",".join((*left_out.EARS[:2], left_out.MODEL[0], *frameworks.MODULES))

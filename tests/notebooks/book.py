"""A notebook under test: nbval runs its cells and compares what they give, and then, in the same
kernel, those of test_cells, which are its cells as readers change them.

A pytest plugin, loaded by pyproject.toml: it collects notebooks in nbval's place.
"""

from collections import defaultdict

import nbformat.v4
from nbval.plugin import IPyNbCell, IPyNbFile

from tests.tools import refresh


def pytest_collect_file(file_path, parent):
    if file_path.suffix == ".ipynb":
        return Book.from_parent(parent, path=file_path)


class Book(IPyNbFile):
    terse = False  # whether its kernel shows errors without their stacks, which take a third of a second each

    def collect(self):
        cells = list(super().collect())
        if self.path in refresh.notebooks():
            cells += self._changed()
        for cell in cells:
            # That a cell has ended and what it shows come on two ways; on a busy machine one is
            # late.
            cell.output_timeout = self.config.option.nbval_cell_timeout
        return cells

    def _changed(self):
        from tests.notebooks import test_cells  # not before: pytest must have found its asserts

        for name, source, check in test_cells.changed(self.path):
            cell = nbformat.v4.new_code_cell(source)
            options = defaultdict(bool, check_exception=True)
            item = Changed.from_parent(self, name=name, cell_num=0, cell=cell, options=options)
            item.check_shown = check
            yield item


class Changed(IPyNbCell):
    """A cell whose text is not the notebook's. `check_shown` holds what it shows, a list of texts,
    to be right.
    """

    def setup(self):
        super().setup()
        if not self.parent.terse:
            self.parent.kernel.execute_cell_input("%xmode Minimal")
            self.parent.terse = True

    def runtest(self):
        from tests.notebooks import test_cells

        super().runtest()
        try:
            self.check_shown(test_cells.texts(self.test_outputs))
        except AssertionError as e:
            self.raise_cell_error(str(e))

    def reportinfo(self):
        return self.path, 0, self.nodeid

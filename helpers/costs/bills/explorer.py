"""explore(): a bill under one's hands. Drop in a file, turn what-if, and read the figure's numbers
in its tables.
"""


def explore(path, on):
    """A widget that reads, prices and shows a usage export, and what the same usage would cost
    otherwise.

    path: the file to begin with; another is dropped in by the button, or its path typed. on: the
    day whose prices a model has that takes over the work of another. Nothing leaves the machine:
    the button hands the file to this kernel. A file that cannot be read is told so in place of the
    table. A name that has no price can be given another's. Below stand the file's odd days, what
    the next month may cost, its models that end, and a warning where prices are old.
    """
    from ._explorer_widget import Explorer

    return Explorer(path, on)

"""Read a census extract, a row at a time, and guess nothing.

A row is a record of the CSV file, a blank line included. Its number in the file
is its id from here to the prediction, so no row may vanish: one that cannot be
used comes with the reason, and a file whose rows cannot be told apart is refused.
"""

import contextlib
import csv
import os


class Refused(Exception):
    """What the user can put right, in one line."""


def only_file(path):
    """Return path if it is a file, or the one file in the folder that it is."""
    if not os.path.isdir(path):
        return path
    names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    if len(names) != 1:
        raise Refused("%s holds %d files instead of one" % (path, len(names)))
    return os.path.join(path, names[0])


@contextlib.contextmanager
def opened(path, wanted):
    """Open an extract that has the wanted columns; give its rows, as rows yields them."""
    # Python's own reader makes no number of anything and drops nothing. A byte
    # that is no UTF-8 is let through, so that it costs one row and not the file.
    with open(path, newline="", encoding="utf-8-sig", errors="surrogateescape") as file:
        reader = csv.reader(file, strict=True)
        try:
            header = [name.strip() for name in next(reader, [])]
        except csv.Error as error:
            raise Refused("%s is no CSV file: %s" % (path, error))
        if not header:
            raise Refused("%s is empty" % path)
        if not readable(header):
            raise Refused("%s is no CSV file: its header is not UTF-8" % path)
        absent = [name for name in wanted if name not in header]
        if absent:
            raise Refused("%s has no column %s" % (path, ", ".join(map(repr, absent))))
        twice = [name for name in wanted if header.count(name) > 1]
        if twice:
            raise Refused("%s has two columns %r" % (path, twice[0]))
        yield rows(path, reader, len(header), [header.index(name) for name in wanted])


def rows(path, reader, width, at):
    """Yield of each row its number, its cells at the given places, and what is wrong with it or None."""
    number = 0
    while True:
        number += 1
        above = reader.line_num
        try:
            row = next(reader)
            wrong = None if len(row) == width else "has %d cells, its header %d" % (len(row), width)
        except StopIteration:
            return
        except csv.Error as error:
            wrong = "is no CSV: %s" % error
        if wrong is None:
            cells = [row[i].strip() for i in at]
            yield number, cells, None if readable(cells) else "holds what is not UTF-8"
        elif reader.line_num > above + 1:
            # A quote that was left open has taken the rows below for its cell.
            raise Refused("%s is no CSV file: row %d begins at line %d and %s" % (path, number, above + 1, wrong))
        else:
            yield number, None, wrong


def readable(cells):
    """Whether all cells are text."""
    text = "".join(cells)
    if text.isascii():
        return True
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True

"""Turn people into features: the one place that does, in training and at inference.

What a person's features are depends on that person's cells and on what was
learned, and on nothing else: not on the mode, not on the other rows, not on how
many of them are read at a time.
"""

import csv
import io
import math

import numpy as np
import pandas as pd

from extract import Refused

# The columns that features are made of. Amounts are money: mostly nothing,
# sometimes a lot, hence the logarithm. Race, sex, origin and citizenship are in
# the extract and are left alone.
NUMBERS = ["age", "num persons worked for employer"]
AMOUNTS = ["capital gains", "capital losses", "dividends from stocks"]
CATEGORIES = ["education", "major industry code", "class of worker"]
COLUMNS = NUMBERS + AMOUNTS + CATEGORIES

MISSING = "?"
FORMAT = "census-transformer/1"

# So many rows are made text at a time: enough to be fast, few enough to be small.
CHUNK = 10000


def person(cells):
    """Return the cells of COLUMNS, numbers as floats: NaN for a missing one. ValueError says what is wrong."""
    return [*map(number, NUMBERS + AMOUNTS, cells), *[cell or MISSING for cell in cells[len(NUMBERS + AMOUNTS) :]]]


def number(column, cell):
    """Return a cell as a float. Python would take 1_000, too, and digits of other scripts."""
    if cell in ("", MISSING):
        return math.nan
    try:
        value = float(cell) if cell.isascii() and "_" not in cell else math.nan
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise ValueError("column %r holds %s, which is no number" % (column, short(cell)))
    return value


def short(cell):
    """Return a cell for a message."""
    return repr(cell) if len(cell) <= 40 else repr(cell[:40]) + "..."


def tabled(ids, people, more=()):
    """Return people as a table, their row numbers as row_id; more are columns behind those of COLUMNS."""
    columns = {"row_id": ids}
    for at, name in enumerate([*COLUMNS, *more]):
        columns[name] = [cells[at] for cells in people]
    return pd.DataFrame(columns)


def numbers(table):
    """Return the numeric columns, amounts as their logarithm."""
    columns = {}
    for name in NUMBERS + AMOUNTS:
        values = table[name].to_numpy(dtype=float)
        columns[name] = np.sign(values) * np.log1p(np.abs(values)) if name in AMOUNTS else values
    return pd.DataFrame(columns, index=table.index)


def fit(table):
    """Learn from the rows to train on what transform needs, as plain data."""
    fitted = {"format": FORMAT, "numbers": {}, "categories": {}}
    for name, values in numbers(table).items():
        known = values.dropna() if values.notna().any() else pd.Series([0.0])
        fitted["numbers"][name] = {
            "median": float(known.median()),
            "mean": float(known.mean()),
            "spread": float(known.std(ddof=0)) if known.nunique() > 1 else 1.0,
        }
    for name in CATEGORIES:
        # A missing value is a category like any other: who does not answer is
        # not a random choice.
        fitted["categories"][name] = sorted(table[name].unique())
    fitted["features"] = list(transform(table, fitted).columns)
    return fitted


def check(path, fitted):
    """Refuse a transformer that is not what fit returns."""
    learned, known = fitted.get("numbers"), fitted.get("categories")
    if not isinstance(learned, dict) or list(learned) != NUMBERS + AMOUNTS:
        raise Refused("%s is not of this step: it has other numbers" % path)
    for name, values in learned.items():
        for what in ("median", "mean", "spread"):
            value = values.get(what) if isinstance(values, dict) else None
            # A float and not an int: fit makes 1.0, never 1.
            if not isinstance(value, float) or not math.isfinite(value) or (what == "spread" and value <= 0):
                raise Refused("%s holds %r as the %s of %r" % (path, value, what, name))
    if not isinstance(known, dict) or list(known) != CATEGORIES:
        raise Refused("%s is not of this step: it has other categories" % path)
    for name, values in known.items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise Refused("%s holds no list of the categories of %r" % (path, name))
    if fitted.get("features") != list(transform(tabled([], []), fitted).columns):
        raise Refused("%s names other features than it makes" % path)


def transform(table, fitted):
    """Return the features of a table. A category that is not known is none of the known ones."""
    columns = {}
    values = numbers(table)
    for name, learned in fitted["numbers"].items():
        columns[name] = (values[name].fillna(learned["median"]) - learned["mean"]) / learned["spread"]
    for name, known in fitted["categories"].items():
        for category in known:
            columns[name + "=" + category] = (table[name] == category).astype(int)
    return pd.DataFrame(columns, index=table.index)


def unknown(table, fitted):
    """Count the cells whose category was not learned."""
    return int(sum((~table[name].isin(known)).sum() for name, known in fitted["categories"].items()))


def header(names):
    """Return names as the first line of a CSV file."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(names)
    return text.getvalue()


def lines(rows):
    """Return rows of numbers as lines of CSV; six digits say all that the model can use."""
    form = ",".join("%.6f" if kind.kind == "f" else "%d" for kind in rows.dtypes) + "\n"
    return "".join([form % tuple(row) for row in rows.to_numpy(dtype=float).tolist()])

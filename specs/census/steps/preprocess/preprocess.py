"""Split a census extract and turn both parts into features.

What turns rows into features (medians, spreads, categories) is learned from
the rows to train on alone, and written as JSON beside the two parts, so that
whoever scores new extracts can do exactly the same to them. No row is dropped,
and each carries its number in the extract, so that a score can be joined to
the person it is about.
"""

import argparse
import csv
import json
import os
import sys

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

# The columns that features are made of. Amounts are money: mostly nothing,
# sometimes a lot, hence the logarithm. Race, sex, origin and citizenship are in
# the extract and are left alone.
NUMBERS = ["age", "num persons worked for employer"]
AMOUNTS = ["capital gains", "capital losses", "dividends from stocks"]
CATEGORIES = ["education", "major industry code", "class of worker"]

LABEL = "income"
LABELS = {"- 50000.": 0, "50000+.": 1}
MISSING = "?"

FORMAT = "census-transformer/1"


class Refused(Exception):
    """What the user can put right, in one line."""


def arguments(argv):
    """Return the arguments, or leave with a usage message."""
    parser = argparse.ArgumentParser(
        description="Split a census extract and turn both parts into features.",
        epilog="example:\n  python preprocess.py --raw census.csv"
        " --train out/train --test out/test --transformer out/transformer",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--raw", required=True, metavar="PATH", help="the extract: a CSV file, or a folder with one")
    parser.add_argument("--train", required=True, metavar="FOLDER", help="where to write train.csv")
    parser.add_argument("--test", required=True, metavar="FOLDER", help="where to write test.csv")
    parser.add_argument("--transformer", required=True, metavar="FOLDER", help="where to write transformer.json")
    parser.add_argument(
        "--train-test-split-ratio",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="share of the rows that is held out (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="decides which rows these are (default: %(default)s)")
    given = parser.parse_args(argv)
    if not 0 < given.train_test_split_ratio < 1:
        parser.error("argument --train-test-split-ratio: not between 0 and 1: %g" % given.train_test_split_ratio)
    if not 0 <= given.seed < 2**32:
        parser.error("argument --seed: not between 0 and 4294967295: %d" % given.seed)
    return given


def only_file(path):
    """Return path if it is a file, or the one file in the folder that it is."""
    if not os.path.isdir(path):
        return path
    names = sorted(name for name in os.listdir(path) if not name.startswith("."))
    if len(names) != 1:
        raise Refused("%s holds %d files instead of one" % (path, len(names)))
    return os.path.join(path, names[0])


def read(path):
    """Return the columns that matter as text, and each row's number as row_id."""
    wanted = NUMBERS + AMOUNTS + CATEGORIES + [LABEL]
    try:
        # Python's own reader guesses nothing: what is missing or a number is
        # decided below, and a row that is cut short is an error.
        with open(path, newline="", encoding="utf-8-sig") as file:
            return pd.DataFrame(cells(path, csv.reader(file, strict=True), wanted))
    except (csv.Error, UnicodeDecodeError) as error:
        raise Refused("%s is no CSV file: %s" % (path, error))


def cells(path, rows, wanted):
    """Return the wanted columns by name, cells without blanks around them, and row_id."""
    header = [name.strip() for name in next(rows, [])]
    if not header:
        raise Refused("%s is empty" % path)
    absent = [name for name in wanted if name not in header]
    if absent:
        raise Refused("%s has no column %s" % (path, ", ".join(map(repr, absent))))
    twice = [name for name in wanted if header.count(name) > 1]
    if twice:
        raise Refused("%s has two columns %r" % (path, twice[0]))
    at = [header.index(name) for name in wanted]
    kept = []
    for number, row in enumerate(rows, 1):
        if len(row) != len(header):
            raise Refused("row %d of %s has %d cells, its header %d" % (number, path, len(row), len(header)))
        kept.append([row[i].strip() or MISSING for i in at])
    if not kept:
        raise Refused("%s has a header and no rows" % path)
    columns = {"row_id": list(range(1, len(kept) + 1))}
    columns.update(zip(wanted, map(list, zip(*kept))))
    return columns


def numbers(table):
    """Return the numeric columns as floats, NaN where a cell is missing."""
    columns = {}
    for name in NUMBERS + AMOUNTS:
        missing = (table[name] == MISSING).to_numpy()
        values = pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=float)
        wrong = ~missing & ~np.isfinite(values)
        if wrong.any():
            cell = table.iloc[int(wrong.argmax())]
            raise Refused("row %d: column %r holds %r, which is no number" % (cell["row_id"], name, cell[name]))
        if name in AMOUNTS:
            values = np.sign(values) * np.log1p(np.abs(values))
        columns[name] = values
    return pd.DataFrame(columns, index=table.index)


def labels(table):
    """Return the labels as 0 and 1."""
    wrong = ~table[LABEL].isin(list(LABELS)).to_numpy()
    if wrong.any():
        cell = table.iloc[int(wrong.argmax())]
        either = " or ".join(map(repr, LABELS))
        raise Refused("row %d: column %r holds %r instead of %s" % (cell["row_id"], LABEL, cell[LABEL], either))
    return table[LABEL].map(LABELS).astype(int)


def split(table, ratio, seed):
    """Return the rows to train on and those held out, in the extract's order."""
    label = labels(table)
    if label.nunique() == 1:
        raise Refused("%d rows cannot be split: they are all of one class" % len(table))
    try:
        train, test = train_test_split(table, test_size=ratio, random_state=seed, stratify=label)
    except ValueError as error:
        raise Refused("%d rows cannot be split: %s" % (len(table), error))
    return train.sort_index(), test.sort_index()


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
    """Return how many cells hold a category that is not known."""
    return int(sum((~table[name].isin(known)).sum() for name, known in fitted["categories"].items()))


def write_rows(folder, name, table, fitted):
    """Write row id, label and features; six digits say all that the model can use."""
    rows = transform(table, fitted)
    rows.insert(0, "row_id", table["row_id"])
    rows.insert(1, LABEL, labels(table))
    os.makedirs(folder, exist_ok=True)
    rows.to_csv(os.path.join(folder, name), index=False, float_format="%.6f", lineterminator="\n")


def write_json(folder, name, value):
    """Write value as strict JSON: NaN is refused."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, indent=2, allow_nan=False)
        file.write("\n")


def run(given):
    """Do what the arguments say."""
    table = read(only_file(given.raw))
    train, test = split(table, given.train_test_split_ratio, given.seed)
    fitted = fit(train)
    write_rows(given.train, "train.csv", train, fitted)
    write_rows(given.test, "test.csv", test, fitted)
    write_json(given.transformer, "transformer.json", fitted)
    counts = (len(table), len(train), len(test), len(fitted["features"]))
    print("%d rows: %d to train on, %d held out; %d features" % counts)
    if unknown(test, fitted):
        print("cells held out whose category no row to train on has: %d" % unknown(test, fitted))


def refuse(reason):
    """Say in one line why there is no result; return the exit code."""
    print("preprocess: " + " ".join(str(reason).split()), file=sys.stderr)
    return 1


def main(argv=None):
    """Run as a command; return its exit code."""
    given = arguments(argv)
    try:
        run(given)
    except OSError as error:
        return refuse("%s: %s" % (error.filename, error.strerror))
    except Refused as error:
        return refuse(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())

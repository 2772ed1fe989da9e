"""Turn a census extract into features, to train on or to be scored.

In mode train the extract is split. What turns rows into features (medians,
spreads, categories) is learned from the rows to train on alone, and written as
JSON beside the two parts. In mode infer that JSON is read, and the same code
does exactly the same to a new extract, which needs no label and may be larger
than memory. No row is dropped, and each carries its number in the extract, so
that a score can be joined to the person it is about.
"""

import argparse
import csv
import itertools
import json
import os
import sys

import numpy as np
from sklearn.model_selection import train_test_split

import features
from extract import Refused, only_file, opened

LABEL = "income"
LABELS = {"- 50000.": 0, "50000+.": 1}

# What goes with one mode only, and whether it is needed there.
MODES = {
    "train": {
        "--train": True,
        "--test": True,
        "--transformer": True,
        "--train-test-split-ratio": False,
        "--seed": False,
    },
    "infer": {"--fitted": True, "--features": True},
}

# A transformer larger than this is not one of ours.
MOST_BYTES = 64 << 20


def arguments(argv):
    """Return the arguments, or leave with a usage message."""
    parser = argparse.ArgumentParser(
        description="Turn a census extract into features, to train on or to be scored.",
        epilog="example:\n  python preprocess.py --mode train --raw census.csv"
        " --train out/train --test out/test --transformer out/transformer\n"
        "  python preprocess.py --mode infer --raw unlabelled.csv"
        " --fitted out/transformer --features out/features",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--mode", required=True, choices=["train", "infer"], help="what the features are for")
    parser.add_argument("--raw", required=True, metavar="PATH", help="the extract: a CSV file, or a folder with one")
    parser.add_argument("--train", metavar="FOLDER", help="train: where to write train.csv")
    parser.add_argument("--test", metavar="FOLDER", help="train: where to write test.csv")
    parser.add_argument("--transformer", metavar="FOLDER", help="train: where to write transformer.json")
    parser.add_argument(
        "--train-test-split-ratio",
        type=float,
        default=0.2,
        metavar="SHARE",
        help="train: share of the rows that is held out (default: %(default)s)",
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="train: decides which rows these are (default: %(default)s)"
    )
    parser.add_argument("--fitted", metavar="FOLDER", help="infer: where training wrote transformer.json")
    parser.add_argument("--features", metavar="FOLDER", help="infer: where to write features.csv and rejected.csv")
    given = parser.parse_args(argv)
    # Whether an argument was given cannot be told from a value that has a default.
    words = sys.argv[1:] if argv is None else argv
    belong(parser, given.mode, {word.split("=")[0] for word in words})
    if not 0 < given.train_test_split_ratio < 1:
        parser.error("argument --train-test-split-ratio: not between 0 and 1: %g" % given.train_test_split_ratio)
    if not 0 <= given.seed < 2**32:
        parser.error("argument --seed: not between 0 and 4294967295: %d" % given.seed)
    return given


def belong(parser, mode, words):
    """Leave with a usage message unless the arguments are those of the mode."""
    for other, flags in MODES.items():
        wrong = [flag for flag in flags if flag in words]
        if other != mode and wrong:
            parser.error("argument %s: only with --mode %s" % (wrong[0], other))
    absent = [flag for flag, needed in MODES[mode].items() if needed and flag not in words]
    if absent:
        parser.error("the following arguments are required with --mode %s: %s" % (mode, ", ".join(absent)))


def read(path):
    """Return the people of an extract to learn from, label and all; one that cannot be used is an error."""
    ids, people = [], []
    with opened(path, [*features.COLUMNS, LABEL]) as rows:
        for number, cells, wrong in rows:
            if wrong:
                raise Refused("row %d of %s %s" % (number, path, wrong))
            try:
                people.append([*features.person(cells[:-1]), cells[-1] or features.MISSING])
            except ValueError as error:
                raise Refused("row %d: %s" % (number, error))
            ids.append(number)
    if not people:
        raise Refused("%s has a header and no rows" % path)
    return features.tabled(ids, people, [LABEL])


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


def write_part(folder, name, table, fitted):
    """Write row id, label and features."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        file.write(features.header(["row_id", LABEL, *fitted["features"]]))
        for start in range(0, len(table), features.CHUNK):
            part = table.iloc[start : start + features.CHUNK]
            made = features.transform(part, fitted)
            made.insert(0, "row_id", part["row_id"])
            made.insert(1, LABEL, labels(part))
            file.write(features.lines(made))


def write_json(folder, name, value):
    """Write value as strict JSON: NaN is refused."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, indent=2, allow_nan=False)
        file.write("\n")


def train(given):
    """Split, learn, and write both parts and what was learned."""
    table = read(only_file(given.raw))
    kept, held = split(table, given.train_test_split_ratio, given.seed)
    fitted = features.fit(kept)
    write_part(given.train, "train.csv", kept, fitted)
    write_part(given.test, "test.csv", held, fitted)
    write_json(given.transformer, "transformer.json", fitted)
    counts = (len(table), len(kept), len(held), len(fitted["features"]))
    print("%d rows: %d to train on, %d held out; %d features" % counts)
    if features.unknown(held, fitted):
        print("cells held out whose category no row to train on has: %d" % features.unknown(held, fitted))


def read_fitted(folder):
    """Return what training learned."""
    path = os.path.join(folder, "transformer.json")
    if os.path.getsize(path) > MOST_BYTES:
        raise Refused("%s is too large for a file of this pipeline" % path)

    def constant(word):
        raise ValueError("%s is no JSON" % word)

    try:
        with open(path, encoding="utf-8") as file:
            fitted = json.load(file, parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Refused("%s is no JSON: %s" % (path, error))
    if not isinstance(fitted, dict) or fitted.get("format") != features.FORMAT:
        raise Refused("%s is not of the format %r" % (path, features.FORMAT))
    features.check(path, fitted)
    return fitted


def infer(given):
    """Write the features of all rows that can be scored, and which others there are and why."""
    fitted = read_fitted(given.fitted)
    with opened(only_file(given.raw), features.COLUMNS) as rows:
        os.makedirs(given.features, exist_ok=True)
        paths = [os.path.join(given.features, name) for name in ("features.csv", "rejected.csv")]
        try:
            with open(paths[0], "w", encoding="utf-8", newline="\n") as good:
                with open(paths[1], "w", encoding="utf-8", newline="\n") as bad:
                    good.write(features.header(["row_id", *fitted["features"]]))
                    bad.write(features.header(["row_id", "reason"]))
                    counts = [make(chunk, fitted, good, bad) for chunk in chunks(rows)]
        except BaseException:
            # Half a batch must not be taken for one.
            for path in paths:
                if os.path.exists(path):
                    os.remove(path)
            raise
    scored, rejected, unknown = [sum(column) for column in zip((0, 0, 0), *counts)]
    print(
        "%d rows: %d to score, %d rejected; %d features"
        % (scored + rejected, scored, rejected, len(fitted["features"]))
    )
    if unknown:
        print("cells whose category no row trained on has: %d" % unknown)


def chunks(rows):
    """Yield rows in lists of no more than a chunk."""
    while True:
        chunk = list(itertools.islice(rows, features.CHUNK))
        if not chunk:
            return
        yield chunk


def make(chunk, fitted, good, bad):
    """Write a chunk's features and rejected rows; return how many of each, and of unknown categories."""
    ids, people, rejected = [], [], []
    for number, cells, wrong in chunk:
        try:
            if wrong is None:
                people.append(features.person(cells))
                ids.append(number)
        except ValueError as error:
            wrong = str(error)
        if wrong:
            rejected.append([number, wrong])
    table = features.tabled(ids, people)
    made = features.transform(table, fitted)
    fit = np.isfinite(made.to_numpy()).all(axis=1)
    for number in table["row_id"][~fit]:
        rejected.append([number, "holds a number too large to be made a feature"])
    made.insert(0, "row_id", table["row_id"])
    good.write(features.lines(made[fit]))
    csv.writer(bad, lineterminator="\n").writerows(sorted(rejected))
    return int(fit.sum()), len(rejected), features.unknown(table[fit], fitted)


def refuse(reason):
    """Say in one line why there is no result; return the exit code."""
    print("preprocess: " + " ".join(str(reason).split()), file=sys.stderr)
    return 1


def main(argv=None):
    """Run as a command; return its exit code."""
    given = arguments(argv)
    try:
        if given.mode == "train":
            train(given)
        else:
            infer(given)
    except OSError as error:
        return refuse(": ".join(filter(None, (error.filename, error.strerror))))
    except Refused as error:
        return refuse(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())

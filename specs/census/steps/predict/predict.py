"""Score every row of an extract that was made into features.

Every row gets a line, in the extract's order: one that could not be made into
features has no score, and the reason instead. Rows are read, scored and written
in chunks, so a batch may be larger than memory.

The model comes as SageMaker packs it, as model.tar.gz. Its one member that is
needed is read where it lies; nothing is ever extracted, so that no archive,
wherever it is from, can write a file.
"""

import argparse
import csv
import heapq
import json
import math
import operator
import os
import sys
import tarfile
import zlib

import numpy as np
import pandas as pd

ROW_ID = "row_id"

MODEL_FORMAT = "logistic-regression/1"

# An archive with more than this in it is not one of ours, or a bomb.
MOST_BYTES = 64 << 20
MOST_MEMBERS = 1000

# So many rows are scored at a time: enough to be fast, few enough to be small.
CHUNK = 10000


class Refused(Exception):
    """What the user can put right, in one line."""


def arguments(argv):
    """Return the arguments, or leave with a usage message."""
    parser = argparse.ArgumentParser(
        description="Score every row of an extract that was made into features.",
        epilog="example:\n  python predict.py --model out/model --features out/features --predictions out/predictions",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", required=True, metavar="PATH", help="model.tar.gz or model.json, or its folder")
    parser.add_argument("--features", required=True, metavar="FOLDER", help="where features.csv and rejected.csv are")
    parser.add_argument(
        "--predictions", required=True, metavar="FOLDER", help="where to write predictions.csv and summary.json"
    )
    return parser.parse_args(argv)


def member(path, wanted):
    """Return the text of the archive's one file of that name, without extracting anything."""
    found = []
    size = 0
    try:
        with tarfile.open(path, "r:gz") as archive:
            for count, entry in enumerate(archive, 1):
                size += entry.size
                if count > MOST_MEMBERS or size > MOST_BYTES:
                    raise Refused("%s is too large for a model of this pipeline" % path)
                if entry.isfile() and entry.name in (wanted, "./" + wanted):
                    found.append(archive.extractfile(entry).read())
    except (tarfile.TarError, EOFError, zlib.error) as error:
        raise Refused("%s is no archive: %s" % (path, error))
    if len(found) != 1:
        raise Refused("%s holds %d files %r instead of one" % (path, len(found), wanted))
    return found[0]


def read_bytes(path):
    """Return what a file holds, within bounds."""
    if os.path.getsize(path) > MOST_BYTES:
        raise Refused("%s is too large for a file of this pipeline" % path)
    with open(path, "rb") as file:
        return file.read()


def strict(text, name, form):
    """Return the JSON object in text: NaN, and any format but form, is refused."""

    def constant(word):
        raise ValueError("%s is no JSON" % word)

    try:
        value = json.loads(text.decode("utf-8"), parse_constant=constant)
    except (ValueError, RecursionError) as error:
        raise Refused("%s is no JSON: %s" % (name, error))
    if not isinstance(value, dict) or value.get("format") != form:
        raise Refused("%s is not of the format %r" % (name, form))
    return value


def read_model(path):
    """Return intercept and coefficients by name."""
    if os.path.isdir(path):
        archive = os.path.join(path, "model.tar.gz")
        path = archive if os.path.exists(archive) else os.path.join(path, "model.json")
    text = member(path, "model.json") if path.endswith(".tar.gz") else read_bytes(path)
    model = strict(text, path, MODEL_FORMAT)
    coefficients = model.get("coefficients")
    if not isinstance(coefficients, dict) or not coefficients:
        raise Refused("%s has no coefficients" % path)
    for value in [model.get("intercept"), *coefficients.values()]:
        # A float and not an int: train.py writes 1.0, never 1.
        if not isinstance(value, float) or not math.isfinite(value):
            raise Refused("%s holds %r where a finite float must be" % (path, value))
    return model["intercept"], coefficients


def same(what, names, other, others):
    """Refuse two lists of features that differ."""
    if list(names) != list(others):
        raise Refused("%s and %s do not belong together: they differ in their features" % (what, other))


def chunks(path, coefficients):
    """Yield row ids and features, a chunk at a time, of features that the model has coefficients for.

    The features are named as the transformer made them, so this is where one that
    is not the model's is found out.
    """
    try:
        with open(path, "rb") as file:
            names = pd.read_csv(file, nrows=0).columns
        if ROW_ID not in names:
            raise Refused("%s has no column %r" % (path, ROW_ID))
        same("features", names.drop(ROW_ID), "model", coefficients)
        kinds = {name: int if name == ROW_ID else float for name in names}
        with open(path, "rb") as file, pd.read_csv(file, dtype=kinds, chunksize=CHUNK) as tables:
            for table in tables:
                features = table.drop(columns=[ROW_ID])
                if not np.isfinite(features.to_numpy()).all():
                    raise Refused("%s holds a feature that is missing or infinite" % path)
                yield table[ROW_ID].tolist(), features
    except (ValueError, OverflowError) as error:
        raise Refused("%s is no table of features: %s" % (path, error))


def score(features, intercept, coefficients):
    """Return a score for each row: the logarithm of the odds. Above 0 is yes.

    One feature after the other and no product of matrices, for the last digits of
    that depend on how many rows are scored together, and where in them a row is.
    """
    scores = np.full(len(features), intercept)
    for name, coefficient in coefficients.items():
        scores += features[name].to_numpy() * coefficient
    return scores


def scored(path, intercept, coefficients):
    """Yield row id, score, label and no reason of each row that has features."""
    for ids, features in chunks(path, coefficients):
        with np.errstate(over="ignore", invalid="ignore"):
            scores = score(features, intercept, coefficients).tolist()
        for number, value in zip(ids, scores):
            if math.isfinite(value):
                yield number, value, int(value > 0), ""
            else:
                yield number, "", "", "has a score that is not finite"


def rejected(path):
    """Yield row id, no score, no label and the reason of each row that has no features."""
    try:
        with open(path, newline="", encoding="utf-8") as file:
            rows = csv.reader(file, strict=True)
            if next(rows, None) != [ROW_ID, "reason"]:
                raise Refused("%s has not the columns %s and reason" % (path, ROW_ID))
            for row in rows:
                if len(row) != 2 or not row[1]:
                    raise Refused("%s: line %d is no row id with a reason" % (path, rows.line_num))
                yield int(row[0]), "", "", row[1]
    except (ValueError, csv.Error) as error:
        raise Refused("%s is no list of rows: %s" % (path, error))


def joined(scores, reasons, summary):
    """Yield the rows of both in the extract's order, and count them; each must be there, and once."""
    for number, row in enumerate(heapq.merge(scores, reasons, key=operator.itemgetter(0)), 1):
        if row[0] != number:
            raise Refused("row %d is neither scored nor rejected, or is not in its place" % number)
        summary["rows"] += 1
        summary["rejected" if row[3] else "scored"] += 1
        summary["positives"] += row[2] == 1
        yield row


def write_json(path, value):
    """Write value as strict JSON: NaN is refused."""
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, indent=2, allow_nan=False)
        file.write("\n")


def run(given):
    """Do what the arguments say."""
    intercept, coefficients = read_model(given.model)
    scores = scored(os.path.join(given.features, "features.csv"), intercept, coefficients)
    reasons = rejected(os.path.join(given.features, "rejected.csv"))
    summary = {"rows": 0, "scored": 0, "rejected": 0, "positives": 0}
    os.makedirs(given.predictions, exist_ok=True)
    path = os.path.join(given.predictions, "predictions.csv")
    try:
        with open(path, "w", encoding="utf-8", newline="\n") as file:
            lines = csv.writer(file, lineterminator="\n")
            lines.writerow([ROW_ID, "score", "label", "reason"])
            lines.writerows(joined(scores, reasons, summary))
    except BaseException:
        # Half a batch must not be taken for one.
        if os.path.exists(path):
            os.remove(path)
        raise
    write_json(os.path.join(given.predictions, "summary.json"), summary)
    print("%(rows)d rows: %(scored)d scored, %(positives)d of them positive; %(rejected)d rejected" % summary)


def refuse(reason):
    """Say in one line why there is no result; return the exit code."""
    print("predict: " + " ".join(str(reason).split()), file=sys.stderr)
    return 1


def main(argv=None):
    """Run as a command; return its exit code."""
    given = arguments(argv)
    try:
        run(given)
    except OSError as error:
        return refuse(": ".join(filter(None, (error.filename, error.strerror))))
    except Refused as error:
        return refuse(error)
    return 0


if __name__ == "__main__":
    sys.exit(main())

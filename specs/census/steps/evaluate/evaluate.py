"""Judge a classifier by the rows that were held out.

The model comes as SageMaker packs it, as model.tar.gz. Its one member that is
needed is read where it lies; nothing is ever extracted, so that no archive,
wherever it is from, can write a file.
"""

import argparse
import json
import math
import os
import sys
import tarfile
import zlib

import numpy as np
import pandas as pd
from sklearn.metrics import accuracy_score, average_precision_score, roc_auc_score

ROW_ID = "row_id"
LABEL = "income"

TRANSFORMER_FORMAT = "census-transformer/1"
MODEL_FORMAT = "logistic-regression/1"

# An archive with more than this in it is not one of ours, or a bomb.
MOST_BYTES = 64 << 20
MOST_MEMBERS = 1000


class Refused(Exception):
    """What the user can put right, in one line."""


def arguments(argv):
    """Return the arguments, or leave with a usage message."""
    parser = argparse.ArgumentParser(
        description="Judge a classifier by the rows that were held out.",
        epilog="example:\n  python evaluate.py --model out/model"
        " --transformer out/transformer --test out/test --report out/report.json",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--model", required=True, metavar="PATH", help="model.tar.gz or model.json, or its folder")
    parser.add_argument("--transformer", required=True, metavar="FOLDER", help="where transformer.json is")
    parser.add_argument("--test", required=True, metavar="FOLDER", help="where test.csv is")
    parser.add_argument("--report", required=True, metavar="FILE", help="the JSON file to write")
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


def read_rows(folder):
    """Return features and labels of test.csv."""
    path = os.path.join(folder, "test.csv")
    try:
        with open(path, "rb") as file:
            table = pd.read_csv(file)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Refused("%s is no CSV file: %s" % (path, error))
    absent = [name for name in (ROW_ID, LABEL) if name not in table.columns]
    if absent:
        raise Refused("%s has no column %s" % (path, ", ".join(map(repr, absent))))
    if set(table[LABEL].unique()) != {0, 1}:
        raise Refused("%s: column %r must hold both 0 and 1 and nothing else" % (path, LABEL))
    features = table.drop(columns=[ROW_ID, LABEL])
    try:
        features = features.astype(float)
    except ValueError as error:
        raise Refused("%s: %s" % (path, error))
    if not np.isfinite(features.to_numpy()).all():
        raise Refused("%s holds a feature that is missing or infinite" % path)
    return features, table[LABEL]


def same(what, names, other, others):
    """Refuse two lists of features that differ."""
    if list(names) != list(others):
        raise Refused("%s and %s do not belong together: they differ in their features" % (what, other))


def score(features, intercept, coefficients):
    """Return a score for each row: the logarithm of the odds. Above 0 is yes.

    One feature after the other and no product of matrices, for the last digits of
    that depend on how many rows are scored together, and where in them a row is.
    """
    scores = np.full(len(features), intercept)
    for name, coefficient in coefficients.items():
        scores += features[name].to_numpy() * coefficient
    return scores


def judge(scores, label):
    """Return the report: ROC AUC and average precision of the scores, accuracy of the decisions."""
    return {
        "roc_auc": round(float(roc_auc_score(label, scores)), 6),
        "average_precision": round(float(average_precision_score(label, scores)), 6),
        "accuracy": round(float(accuracy_score(label, scores > 0)), 6),
        "rows": len(label),
        "positives": int(label.sum()),
    }


def write_json(path, value):
    """Write value as strict JSON: NaN is refused."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, indent=2, allow_nan=False)
        file.write("\n")


def run(given):
    """Do what the arguments say."""
    intercept, coefficients = read_model(given.model)
    path = os.path.join(given.transformer, "transformer.json")
    transformer = strict(read_bytes(path), path, TRANSFORMER_FORMAT)
    features, label = read_rows(given.test)
    same("transformer", transformer.get("features", []), "model", coefficients)
    same("test set", features.columns, "model", coefficients)
    report = judge(score(features, intercept, coefficients), label)
    write_json(given.report, report)
    print("ROC AUC %(roc_auc).3f on %(rows)d rows, %(positives)d of them positive" % report)


def refuse(reason):
    """Say in one line why there is no result; return the exit code."""
    print("evaluate: " + " ".join(str(reason).split()), file=sys.stderr)
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

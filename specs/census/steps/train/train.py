"""Fit a logistic regression on features and write it as JSON.

On SageMaker the folders come from SM_CHANNEL_TRAIN and SM_MODEL_DIR and the
hyperparameters as flags; in a shell everything is a flag. The model is written
as its coefficients by name: it can be read with any version of anything, and
reading it runs no code, as unpickling would.
"""

import argparse
import json
import math
import os
import sys
import warnings

import numpy as np
import pandas as pd
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

ROW_ID = "row_id"
LABEL = "income"

FORMAT = "logistic-regression/1"


class Refused(Exception):
    """What the user can put right, in one line."""


def boolean(text):
    """Read a flag's value; SageMaker writes True and False. bool("False") would be true."""
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    raise argparse.ArgumentTypeError("neither true nor false: %r" % text)


def arguments(argv):
    """Return the arguments, or leave with a usage message."""
    parser = argparse.ArgumentParser(
        description="Fit a logistic regression on features and write it as JSON.",
        epilog="example:\n  python train.py --train out/train --model-dir out/model --strength 0.5",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument(
        "--train",
        default=os.environ.get("SM_CHANNEL_TRAIN"),
        metavar="FOLDER",
        help="where train.csv is (default: $SM_CHANNEL_TRAIN)",
    )
    parser.add_argument(
        "--model-dir",
        default=os.environ.get("SM_MODEL_DIR"),
        metavar="FOLDER",
        help="where to write model.json (default: $SM_MODEL_DIR)",
    )
    parser.add_argument("--strength", type=float, default=1.0, help="hold on coefficients (default: %(default)s)")
    parser.add_argument("--balanced", type=boolean, default=True, help="weigh classes alike (default: %(default)s)")
    parser.add_argument("--max-iterations", type=int, default=1000, help="of the solver (default: %(default)s)")
    given = parser.parse_args(argv)
    if given.train is None or given.model_dir is None:
        parser.error("--train and --model-dir are needed outside SageMaker")
    if not (math.isfinite(given.strength) and given.strength >= 0):
        parser.error("argument --strength: not 0 or more: %g" % given.strength)
    if given.max_iterations < 1:
        parser.error("argument --max-iterations: not 1 or more: %d" % given.max_iterations)
    return given


def read(folder):
    """Return features and labels of train.csv."""
    path = os.path.join(folder, "train.csv")
    try:
        with open(path, "rb") as file:
            table = pd.read_csv(file)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise Refused("%s is no CSV file: %s" % (path, error))
    absent = [name for name in (ROW_ID, LABEL) if name not in table.columns]
    if absent:
        raise Refused("%s has no column %s" % (path, ", ".join(map(repr, absent))))
    features = table.drop(columns=[ROW_ID, LABEL])
    if features.empty:
        raise Refused("%s holds no rows or no features" % path)
    wrong = [name for name in features.columns if not pd.api.types.is_numeric_dtype(features[name])]
    if not wrong:
        wrong = [name for name in features.columns if not np.isfinite(features[name]).all()]
    if wrong:
        raise Refused("%s: column %r is not all numbers" % (path, wrong[0]))
    if set(table[LABEL].unique()) != {0, 1}:
        raise Refused("%s: column %r must hold both 0 and 1 and nothing else" % (path, LABEL))
    return features, table[LABEL]


def fit(features, label, given):
    """Return the fitted classifier; a solver that stops short of its goal is an error."""
    classifier = LogisticRegression(
        C=1 / given.strength if given.strength > 0 else np.inf,
        class_weight="balanced" if given.balanced else None,
        max_iter=given.max_iterations,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error", ConvergenceWarning)
        try:
            return classifier.fit(features, label)
        except ConvergenceWarning:
            reason = "the solver did not converge in %d iterations: raise --max-iterations or --strength"
            raise Refused(reason % given.max_iterations)


def describe(classifier, features, given):
    """Return the classifier as plain data."""
    return {
        "format": FORMAT,
        "rows": len(features),
        "strength": given.strength,
        "balanced": given.balanced,
        "iterations": int(classifier.n_iter_[0]),
        "intercept": float(classifier.intercept_[0]),
        "coefficients": {name: float(value) for name, value in zip(features.columns, classifier.coef_[0])},
    }


def write_json(folder, name, value):
    """Write value as strict JSON: NaN is refused."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "w", encoding="utf-8", newline="\n") as file:
        json.dump(value, file, indent=2, allow_nan=False)
        file.write("\n")


def run(given):
    """Do what the arguments say."""
    features, label = read(given.train)
    classifier = fit(features, label, given)
    write_json(given.model_dir, "model.json", describe(classifier, features, given))
    print("%d rows, %d features, converged in %d iterations" % (*features.shape, classifier.n_iter_[0]))


def refuse(reason):
    """Say in one line why there is no result; return the exit code."""
    print("train: " + " ".join(str(reason).split()), file=sys.stderr)
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

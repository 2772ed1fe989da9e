"""What the tests of the step scripts share: the scripts as modules, and small extracts."""

import contextlib
import csv
import importlib.util
import io
import os
import shutil
import sys
import tarfile
import tempfile
import unittest
import warnings

# A code folder's digest leaves byte code out, but a test should not litter.
sys.dont_write_bytecode = True

CENSUS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
EXTRACT = os.path.join(CENSUS, "testdata", "census.csv")
UNLABELLED = os.path.join(CENSUS, "testdata", "unlabelled.csv")


def script(step):
    """Return the path of a step's script."""
    return os.path.join(CENSUS, "steps", step, step + ".py")


def load(step):
    """Return a step's script as a module; what it imports from its folder is found there."""
    sys.path.insert(0, os.path.dirname(script(step)))
    spec = importlib.util.spec_from_file_location("census_" + step, script(step))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


preprocess = load("preprocess")
train = load("train")
evaluate = load("evaluate")
predict = load("predict")

# The module that preprocess makes features with.
features = preprocess.features


def person(number, **cells):
    """Return one row of an extract; every fourth person has the income, and is older."""
    rich = number % 4 == 0
    row = {
        "age": str(50 + number % 7 if rich else 20 + number % 9),
        "class of worker": " Private" if number % 3 else " Local government",
        "education": " Bachelors degree(BA AB BS)" if number % 5 else " High school graduate",
        "major industry code": " Construction",
        "capital gains": "1000" if number % 8 == 0 else "0",
        "capital losses": "0",
        "dividends from stocks": "0",
        "sex": " Female" if number % 2 else " Male",
        "num persons worked for employer": str(number % 6),
        "income": " 50000+." if rich else " - 50000.",
    }
    row.update({name.replace("_", " "): value for name, value in cells.items()})
    return row


def people(count):
    """Return the rows of an extract."""
    return [person(number) for number in range(count)]


class Case(unittest.TestCase):
    """A test with a folder of its own, and ways to run the steps in it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="census ü ")
        self.addCleanup(shutil.rmtree, self.folder)

    def path(self, *names):
        """Return a path in the test's folder."""
        return os.path.join(self.folder, *names)

    def put(self, text, *names):
        """Write text, or bytes, to a file and return its path."""
        path = self.path(*names)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(text if isinstance(text, bytes) else text.encode("utf-8"))
        return path

    def extract(self, rows, *names):
        """Write rows as an extract and return its path."""
        text = io.StringIO()
        writer = csv.DictWriter(text, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return self.put(text.getvalue(), *(names or ("census.csv",)))

    def read(self, *names):
        """Return a file's bytes."""
        with open(self.path(*names), "rb") as file:
            return file.read()

    def rows(self, *names):
        """Return the rows of a CSV file as dicts."""
        with open(self.path(*names), newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def run_step(self, module, *argv):
        """Run a step in this process; return exit code, standard output and error.

        A warning that is meant for the step fails the test; what libraries
        deprecate in each other is theirs.
        """
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), warnings.catch_warnings():
            warnings.simplefilter("error")
            for category in (DeprecationWarning, PendingDeprecationWarning):
                warnings.filterwarnings("ignore", category=category, module=r"(?!census_|extract|features)")
            try:
                code = module.main([str(a) for a in argv])
            except SystemExit as leaving:
                code = leaving.code
        return code, out.getvalue(), err.getvalue()

    def succeeds(self, module, *argv):
        """Run a step that has to succeed; return what it printed."""
        code, out, err = self.run_step(module, *argv)
        self.assertEqual((code, err), (0, ""))
        return out

    def refuses(self, module, *argv):
        """Run a step that has to refuse with one line and no traceback; return the line."""
        code, out, err = self.run_step(module, *argv)
        self.assertEqual((code, out), (1, ""), err)
        self.assertRegex(err, r"\A[a-z]+: [^\n]+\n\Z")
        return err

    def misused(self, module, *argv):
        """Run a step with arguments that it does not take; return the message."""
        code, out, err = self.run_step(module, *argv)
        self.assertEqual((code, out), (2, ""))
        return err

    def preprocess(self, raw, *more, out="out"):
        """Return the arguments of preprocess for training, with outputs below a folder."""
        folders = ["--mode", "train", "--train", self.path(out, "train"), "--test", self.path(out, "test")]
        return ["--raw", raw, *folders, "--transformer", self.path(out, "transformer"), *more]

    def infer(self, raw, *more, out="out"):
        """Return the arguments of preprocess for inference, with folders below a folder."""
        folders = ["--fitted", self.path(out, "transformer"), "--features", self.path(out, "features")]
        return ["--mode", "infer", "--raw", raw, *folders, *more]

    def train(self, *more, out="out"):
        """Return the arguments of train, with folders below a folder."""
        return ["--train", self.path(out, "train"), "--model-dir", self.path(out, "model"), *more]

    def evaluate(self, *more, out="out"):
        """Return the arguments of evaluate, with folders below a folder."""
        folders = ["--model", self.path(out, "model"), "--transformer", self.path(out, "transformer")]
        return [*folders, "--test", self.path(out, "test"), "--report", self.path(out, "report", "report.json"), *more]

    def predict(self, *more, out="out"):
        """Return the arguments of predict, with folders below a folder."""
        folders = ["--model", self.path(out, "model"), "--features", self.path(out, "features")]
        return [*folders, "--predictions", self.path(out, "predictions"), *more]

    def pack(self, out="out"):
        """Pack a model as SageMaker does."""
        with tarfile.open(self.path(out, "model", "model.tar.gz"), "w:gz") as tar:
            tar.add(self.path(out, "model", "model.json"), "model.json")
        os.remove(self.path(out, "model", "model.json"))

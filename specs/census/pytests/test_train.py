"""Tests of steps/train."""

import json
import os
import unittest
from unittest import mock

from support import Case, train


def table(count, *columns):
    """Return a train.csv with given columns, each a function of the row's number."""
    names = ["row_id", "income", *["x%d" % i for i in range(len(columns))]]
    lines = [",".join(names)]
    for n in range(count):
        cells = [n + 1, int(n % 4 == 0), *[column(n) for column in columns]]
        lines.append(",".join(str(cell) for cell in cells))
    return "\n".join(lines) + "\n"


def useful(n):
    """Return a feature that tells most of the label."""
    return (1.0 if n % 4 == 0 else -1.0) + (n % 7) * 0.5


def noise(n):
    """Return a feature that tells nothing."""
    return n % 5


class Fit(Case):
    def fit(self, *more, text=None):
        """Train on a table; return the model."""
        self.put(text or table(80, useful, noise), "out/train/train.csv")
        self.succeeds(train, *self.train(*more))
        return json.loads(self.read("out/model/model.json"))

    def test_the_model_names_its_features(self):
        model = self.fit()
        self.assertEqual(list(model["coefficients"]), ["x0", "x1"])
        self.assertGreater(model["coefficients"]["x0"], 5 * abs(model["coefficients"]["x1"]))
        self.assertEqual(model["rows"], 80)

    def test_strength_holds_coefficients_down(self):
        sizes = [abs(self.fit("--strength", s)["coefficients"]["x0"]) for s in ("0", "1", "100")]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertGreater(sizes[1], 2 * sizes[2])

    def test_balanced_moves_the_border(self):
        self.assertGreater(self.fit("--balanced", "True")["intercept"], self.fit("--balanced", "False")["intercept"])

    def test_both_spellings_of_a_boolean(self):
        for text, want in (("True", True), ("true", True), ("False", False), ("false", False)):
            self.assertIs(self.fit("--balanced", text)["balanced"], want)

    def test_same_input_same_bytes(self):
        self.fit()
        first = self.read("out/model/model.json")
        self.fit()
        self.assertEqual(self.read("out/model/model.json"), first)

    def test_row_id_and_label_are_no_features(self):
        self.assertFalse({"row_id", "income"} & set(self.fit()["coefficients"]))

    def test_folders_come_from_sagemakers_variables(self):
        self.put(table(80, useful), "channel/train.csv")
        names = {"SM_CHANNEL_TRAIN": self.path("channel"), "SM_MODEL_DIR": self.path("left")}
        with mock.patch.dict(os.environ, names):
            self.succeeds(train)
        self.assertEqual(os.listdir(self.path("left")), ["model.json"])

    def test_flags_go_before_variables(self):
        self.put(table(80, useful), "out/train/train.csv")
        with mock.patch.dict(os.environ, {"SM_CHANNEL_TRAIN": "/nowhere", "SM_MODEL_DIR": "/nowhere"}):
            self.succeeds(train, *self.train())


class Refusals(Case):
    def test_a_solver_that_stops_short_leaves_no_model(self):
        self.put(table(80, useful, noise), "out/train/train.csv")
        line = self.refuses(train, *self.train("--max-iterations", "1"))
        self.assertIn("did not converge in 1 iterations: raise --max-iterations or --strength", line)
        self.assertFalse(os.path.exists(self.path("out/model")))

    def test_what_cannot_be_used_is_refused(self):
        good = table(8, useful)
        cases = {
            "empty": ("", "is no CSV file"),
            "no label": (good.replace("income", "label"), "has no column 'income'"),
            "no row id": (good.replace("row_id", "id"), "has no column 'row_id'"),
            "no rows": ("row_id,income,x0\n", "holds no rows or no features"),
            "no features": ("row_id,income\n1,0\n2,1\n", "holds no rows or no features"),
            "text": (good + "9,1,much\n", "column 'x0' is not all numbers"),
            "missing": (good + "9,1,\n", "column 'x0' is not all numbers"),
            "infinite": (good + "9,1,inf\n", "column 'x0' is not all numbers"),
            "one class": ("row_id,income,x0\n1,0,1\n2,0,2\n", "must hold both 0 and 1"),
            "one row": ("row_id,income,x0\n1,0,1\n", "must hold both 0 and 1"),
            "third class": (good + "9,2,1\n", "must hold both 0 and 1"),
            "label missing": (good + "9,,1\n", "must hold both 0 and 1"),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                self.put(text, "out/train/train.csv")
                self.assertIn(words, self.refuses(train, *self.train()))

    def test_no_such_file(self):
        self.assertIn("train.csv: No such file or directory", self.refuses(train, *self.train()))

    def test_misuse(self):
        given = self.train()
        cases = {
            "unknown": ([*given, "--epochs", "3"], "unrecognized arguments: --epochs"),
            "shortened": ([*given, "--max-iter", "3"], "unrecognized arguments: --max-iter"),
            "no boolean": ([*given, "--balanced", "yes"], "neither true nor false: 'yes'"),
            "boolean alone": ([*given, "--balanced"], "expected one argument"),
            "negative": ([*given, "--strength", "-1"], "not 0 or more: -1"),
            "not a number": ([*given, "--strength", "nan"], "not 0 or more: nan"),
            "no iterations": ([*given, "--max-iterations", "0"], "not 1 or more: 0"),
        }
        for name, (argv, words) in cases.items():
            with self.subTest(name):
                self.assertIn(words, self.misused(train, *argv))

    def test_folders_are_needed_outside_sagemaker(self):
        rest = {name: value for name, value in os.environ.items() if not name.startswith("SM_")}
        with mock.patch.dict(os.environ, rest, clear=True):
            self.assertIn("--train and --model-dir are needed", self.misused(train, "--strength", "1"))


if __name__ == "__main__":
    unittest.main()

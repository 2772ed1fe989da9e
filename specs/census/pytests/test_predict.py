"""Tests of steps/predict."""

import inspect
import io
import json
import os
import tarfile
import unittest
from unittest import mock

from support import Case, evaluate, predict

MODEL = {"format": "logistic-regression/1", "intercept": -1.0, "coefficients": {"a": 2.0, "b": -0.5}}
FEATURES = "row_id,a,b\n1,0,0\n3,1,0\n4,0.5,0\n"
REJECTED = "row_id,reason\n2,\"column 'age' holds 'x, y'\"\n5,has 2 cells\n"


class Predict(Case):
    def setUp(self):
        super().setUp()
        self.model(MODEL)
        self.batch(FEATURES, REJECTED)

    def model(self, model):
        """Put a model where SageMaker would, packed."""
        self.put(json.dumps(model), "out/model/model.json")
        self.pack()

    def batch(self, features, rejected):
        """Put what preprocess leaves."""
        self.put(features, "out/features/features.csv")
        self.put(rejected, "out/features/rejected.csv")

    def predictions(self):
        """Predict; return the predictions as tuples."""
        self.succeeds(predict, *self.predict())
        return [tuple(row.values()) for row in self.rows("out/predictions/predictions.csv")]

    def left(self):
        """Return what there is of predictions."""
        return os.listdir(self.path("out/predictions")) if os.path.exists(self.path("out/predictions")) else []


class Rows(Predict):
    def test_every_row_in_order_with_score_or_reason(self):
        out = self.succeeds(predict, *self.predict())
        self.assertEqual(out, "5 rows: 3 scored, 1 of them positive; 2 rejected\n")
        self.assertEqual(
            self.read("out/predictions/predictions.csv").decode("utf-8"),
            "row_id,score,label,reason\n1,-1.0,0,\n2,,,\"column 'age' holds 'x, y'\"\n3,1.0,1,\n4,0.0,0,\n5,,,has 2 cells\n",
        )
        summary = json.loads(self.read("out/predictions/summary.json"))
        self.assertEqual(summary, {"rows": 5, "scored": 3, "rejected": 2, "positives": 1})

    def test_no_rows(self):
        self.batch("row_id,a,b\n", "row_id,reason\n")
        self.assertEqual(self.predictions(), [])
        summary = json.loads(self.read("out/predictions/summary.json"))
        self.assertEqual(summary, {"rows": 0, "scored": 0, "rejected": 0, "positives": 0})

    def test_one_row(self):
        self.batch("row_id,a,b\n1,1,0\n", "row_id,reason\n")
        self.assertEqual(self.predictions(), [("1", "1.0", "1", "")])

    def test_nothing_but_rejected(self):
        self.batch("row_id,a,b\n", "row_id,reason\n1,x\n2,y\n")
        self.assertEqual(self.predictions(), [("1", "", "", "x"), ("2", "", "", "y")])

    def test_a_score_that_is_no_number_is_rejected(self):
        self.batch("row_id,a,b\n1,1e308,0\n2,0,0\n3,1e308,1e308\n", "row_id,reason\n")
        self.model(dict(MODEL, coefficients={"a": 1e10, "b": -1e10}))
        reason = "has a score that is not finite"
        self.assertEqual(self.predictions(), [("1", "", "", reason), ("2", "-1.0", "0", ""), ("3", "", "", reason)])

    def test_chunks_make_no_difference(self):
        rows = ["%d,%.6f,%.6f" % (n, n / 7, n / 3) for n in range(1, 60) if n % 5]
        self.batch(
            "\n".join(["row_id,a,b", *rows, ""]),
            "\n".join(["row_id,reason", *["%d,x" % n for n in range(5, 60, 5)], ""]),
        )
        texts = set()
        for chunk in (1, 2, 7, 10000):
            with mock.patch.object(predict, "CHUNK", chunk):
                self.predictions()
            texts.add(self.read("out/predictions/predictions.csv"))
        self.assertEqual(len(texts), 1)

    def test_scores_are_those_that_evaluate_judges(self):
        rows = ["%d,%.6f,%.6f" % (n, n / 7, n / 3) for n in range(1, 60)]
        self.batch("\n".join(["row_id,a,b", *rows, ""]), "row_id,reason\n")
        labelled = ["row_id,income,a,b", *[row.replace(",", ",%d," % (n % 2), 1) for n, row in enumerate(rows)], ""]
        self.put("\n".join(labelled), "out/test/test.csv")
        table, _ = evaluate.read_rows(self.path("out/test"))
        judged = evaluate.score(table, *evaluate.read_model(self.path("out/model"))).tolist()
        self.assertEqual([row[1] for row in self.predictions()], [repr(value) for value in judged])

    def test_rows_that_do_not_add_up_are_refused(self):
        cases = {
            "a gap": (FEATURES, "row_id,reason\n5,x\n", "row 2 is neither"),
            "a gap before the end": (FEATURES, "row_id,reason\n2,x\n6,x\n", "row 5 is neither"),
            "twice": (FEATURES, "row_id,reason\n2,x\n3,x\n", "row 4 is neither"),
            "another order": ("row_id,a,b\n3,1,0\n1,0,0\n", "row_id,reason\n2,x\n", "row 1 is neither"),
            "from nothing": ("row_id,a,b\n0,1,0\n", "row_id,reason\n", "row 1 is neither"),
        }
        for name, (features, rejected, words) in cases.items():
            with self.subTest(name):
                self.batch(features, rejected)
                self.assertIn(words, self.refuses(predict, *self.predict()))
                self.assertEqual(self.left(), [])

    def test_features_that_are_refused(self):
        cases = {
            "empty": ("", "is no table of features"),
            "no row id": (FEATURES.replace("row_id", "id"), "has no column 'row_id'"),
            "of another transformer": (FEATURES.replace(",b", ",c"), "features and model do not belong together"),
            "in another order": (FEATURES.replace(",a,b", ",b,a"), "features and model do not belong together"),
            "with a label": (FEATURES.replace(",b", ",b,income"), "features and model do not belong together"),
            "missing": (FEATURES + "5,,0\n", "a feature that is missing or infinite"),
            "too short": (FEATURES + "5,1\n", "a feature that is missing or infinite"),
            "too long": (FEATURES + "5,1,2,3\n", "is no table of features"),
            "infinite": (FEATURES + "5,inf,0\n", "a feature that is missing or infinite"),
            "text": (FEATURES + "5,much,0\n", "is no table of features"),
            "no number": (FEATURES + "x,1,0\n", "is no table of features"),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                self.batch(text, REJECTED)
                self.assertIn(words, self.refuses(predict, *self.predict()))
                self.assertEqual(self.left(), [])

    def test_lists_of_the_rejected_that_are_refused(self):
        cases = {
            "empty": ("", "has not the columns"),
            "other columns": ("row_id,why\n2,x\n", "has not the columns"),
            "no reason": ("row_id,reason\n2,\n", "line 2 is no row id with a reason"),
            "no number": ("row_id,reason\ntwo,x\n", "is no list of rows"),
            "not text": (b"row_id,reason\n2,\xff\n", "is no list of rows"),
            "quote left open": ('row_id,reason\n2,"x', "is no list of rows"),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                self.batch(FEATURES, text)
                self.assertIn(words, self.refuses(predict, *self.predict()))
                self.assertEqual(self.left(), [])


class Model(Predict):
    def test_every_way_to_name_it(self):
        want = self.predictions()
        self.put(json.dumps(MODEL), "bare/model.json")
        for path in ("out/model/model.tar.gz", "bare", "bare/model.json"):
            with self.subTest(path):
                self.succeeds(predict, *self.predict("--model", self.path(path)))
                self.assertEqual([tuple(row.values()) for row in self.rows("out/predictions/predictions.csv")], want)

    def test_nothing_is_extracted(self):
        text = json.dumps(MODEL).encode("utf-8")
        outside = os.path.basename(self.folder) + " outside"
        with tarfile.open(self.path("out/model/model.tar.gz"), "w:gz") as tar:
            for name in ("../../../" + outside, "model.json"):
                entry = tarfile.TarInfo(name)
                entry.size = len(text)
                tar.addfile(entry, io.BytesIO(text))
        self.predictions()
        self.assertFalse(os.path.lexists(os.path.join(os.path.dirname(self.folder), outside)))
        self.assertEqual(os.listdir(self.path("out/model")), ["model.tar.gz"])

    def test_models_that_are_refused(self):
        cases = {
            "another format": (dict(MODEL, format="pickle"), "is not of the format"),
            "NaN": (dict(MODEL, intercept=float("nan")), "NaN is no JSON"),
            "text": (dict(MODEL, coefficients={"a": "2", "b": 1.0}), "holds '2' where"),
            "another feature": (
                dict(MODEL, coefficients={"a": 1.0, "c": 1.0}),
                "features and model do not belong together",
            ),
            "a feature less": (dict(MODEL, coefficients={"a": 1.0}), "features and model do not belong together"),
        }
        for name, (model, words) in cases.items():
            with self.subTest(name):
                self.model(model)
                self.assertIn(words, self.refuses(predict, *self.predict()))
                self.assertEqual(self.left(), [])
        self.put(b"PK", "out/model/model.tar.gz")
        self.assertIn("is no archive", self.refuses(predict, *self.predict()))

    def test_the_code_that_reads_it_is_that_of_evaluate(self):
        # The steps share no module, so that each can be taken alone; what is there
        # twice must stay the same.
        for name in ("member", "read_bytes", "strict", "read_model", "same", "score"):
            self.assertEqual(
                inspect.getsource(getattr(predict, name)), inspect.getsource(getattr(evaluate, name)), name
            )


class Arguments(Predict):
    def test_misuse(self):
        self.assertIn(
            "unrecognized arguments: --transformer", self.misused(predict, *self.predict("--transformer", "x"))
        )
        self.assertIn("unrecognized arguments: --pred", self.misused(predict, *self.predict("--pred", "x")))
        self.assertIn("required: --model, --features, --predictions", self.misused(predict))

    def test_no_such_file(self):
        self.assertIn("nowhere: No such file", self.refuses(predict, *self.predict("--model", self.path("nowhere"))))
        self.assertIn(
            "features.csv: No such file", self.refuses(predict, *self.predict("--features", self.path("nowhere")))
        )
        os.remove(self.path("out/features/rejected.csv"))
        self.assertIn("rejected.csv: No such file", self.refuses(predict, *self.predict()))
        self.assertEqual(self.left(), [])


if __name__ == "__main__":
    unittest.main()

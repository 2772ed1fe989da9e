"""Tests of steps/evaluate."""

import gzip
import io
import json
import os
import tarfile
import unittest
from unittest import mock

from support import Case, evaluate

MODEL = {"format": "logistic-regression/1", "intercept": -1.0, "coefficients": {"a": 2.0, "b": -0.5}}
TRANSFORMER = {"format": "census-transformer/1", "features": ["a", "b"]}
TEST = "row_id,income,a,b\n1,0,0,0\n2,0,0.4,0\n3,1,0.3,0\n4,1,1,0\n5,0,0.1,4\n"


def regular(name, text):
    """Return an archive's entry for a file."""
    entry = tarfile.TarInfo(name)
    entry.size = len(text)
    return entry, text


def special(name, kind, target=""):
    """Return an archive's entry that is no file."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, b""


def archive(*entries):
    """Return the bytes of a gzipped tar."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as tar:
        for entry, text in entries:
            tar.addfile(entry, io.BytesIO(text))
    return out.getvalue()


class Evaluate(Case):
    def setUp(self):
        super().setUp()
        self.model(MODEL)
        self.put(json.dumps(TRANSFORMER), "out/transformer/transformer.json")
        self.put(TEST, "out/test/test.csv")

    def model(self, model):
        """Put a model where SageMaker would, packed."""
        text = json.dumps(model).encode("utf-8")
        self.put(archive(regular("model.json", text)), "out/model/model.tar.gz")

    def report(self):
        """Evaluate; return the report."""
        self.succeeds(evaluate, *self.evaluate())
        return json.loads(self.read("out/report/report.json"))


class Report(Evaluate):
    def test_the_curve_is_of_scores_and_not_of_decisions(self):
        # The scores are -1, -0.2, -0.4, 1, -2.8: of six pairs one is the wrong
        # way round. Of the decisions alone it would be 0.75.
        report = self.report()
        self.assertEqual(report["roc_auc"], round(5 / 6, 6))
        self.assertEqual(report["accuracy"], 0.8)
        self.assertEqual(report["average_precision"], round((1 + 2 / 3) / 2, 6))
        self.assertEqual((report["rows"], report["positives"]), (5, 2))

    def test_every_value_is_a_plain_number(self):
        self.assertEqual({type(value) for value in self.report().values()}, {int, float})

    def test_nothing_but_strict_json_is_written(self):
        with mock.patch.object(evaluate, "roc_auc_score", return_value=float("nan")):
            with self.assertRaisesRegex(ValueError, "not JSON compliant"):
                self.run_step(evaluate, *self.evaluate())

    def test_same_input_same_bytes(self):
        self.report()
        first = self.read("out/report/report.json")
        self.report()
        self.assertEqual(self.read("out/report/report.json"), first)


class Model(Evaluate):
    def test_every_way_to_name_it(self):
        want = self.report()
        text = json.dumps(MODEL).encode("utf-8")
        self.put(text, "bare/model.json")
        self.put(archive(special(".", tarfile.DIRTYPE), regular("./model.json", text)), "dotted/model.tar.gz")
        for path in ("out/model/model.tar.gz", "bare", "bare/model.json", "dotted"):
            with self.subTest(path):
                given = self.evaluate("--model", self.path(path))
                self.succeeds(evaluate, *given)
                self.assertEqual(json.loads(self.read("out/report/report.json")), want)

    def test_hostile_members_are_left_alone(self):
        before = sorted(os.listdir(self.folder))
        text = json.dumps(MODEL).encode("utf-8")
        outside = os.path.join(os.path.dirname(self.folder), os.path.basename(self.folder) + " outside")
        self.put(
            archive(
                regular("../" + os.path.basename(outside), b"x"),
                regular(outside, b"x"),
                special("link", tarfile.SYMTYPE, "/etc/passwd"),
                special("hard", tarfile.LNKTYPE, "/etc/passwd"),
                special("device", tarfile.CHRTYPE),
                regular("model.json", text),
            ),
            "out/model/model.tar.gz",
        )
        self.report()
        self.assertFalse(os.path.lexists(outside))
        self.assertEqual(sorted(os.listdir(self.folder)), before)
        self.assertEqual(os.listdir(self.path("out/model")), ["model.tar.gz"])

    def test_archives_that_are_refused(self):
        text = json.dumps(MODEL).encode("utf-8")
        whole = archive(regular("model.json", text), regular("other", os.urandom(4096)))
        cases = {
            "no archive": (b"PK", "is no archive"),
            "empty": (b"", "is no archive"),
            "cut short": (whole[: len(whole) // 2], "is no archive"),
            "no tar in it": (gzip.compress(b"x" * 2000), "is no archive"),
            "without a model": (archive(regular("other.json", text)), "holds 0 files 'model.json'"),
            "in a folder": (archive(regular("model/model.json", text)), "holds 0 files 'model.json'"),
            "a link": (archive(special("model.json", tarfile.SYMTYPE, "/etc/passwd")), "holds 0 files 'model.json'"),
            "two models": (archive(*[regular("model.json", text)] * 2), "holds 2 files 'model.json'"),
            "many members": (archive(*[regular("n%d" % n, b"") for n in range(1001)]), "is too large"),
        }
        for name, (packed, words) in cases.items():
            with self.subTest(name):
                self.put(packed, "out/model/model.tar.gz")
                self.assertIn(words, self.refuses(evaluate, *self.evaluate()))

    def test_an_archive_that_says_it_is_huge(self):
        entry = tarfile.TarInfo("model.json")
        entry.size = 1 << 40
        self.put(gzip.compress(entry.tobuf() + b"{}"), "out/model/model.tar.gz")
        self.assertIn("is too large", self.refuses(evaluate, *self.evaluate()))

    def test_models_that_are_refused(self):
        cases = {
            "a list": ([], "is not of the format"),
            "another format": (dict(MODEL, format="pickle"), "is not of the format"),
            "NaN": (dict(MODEL, intercept=float("nan")), "NaN is no JSON"),
            "too large": (dict(MODEL, intercept=10**400), "where a finite float must be"),
            "text": (dict(MODEL, coefficients={"a": "2", "b": 1}), "holds '2' where"),
            "true": (dict(MODEL, coefficients={"a": True, "b": 1}), "holds True where"),
            "no intercept": ({"format": MODEL["format"], "coefficients": {"a": 1}}, "holds None"),
            "an infinity": (dict(MODEL, intercept=1e308 * 10), "Infinity is no JSON"),
            "nothing in it": (dict(MODEL, coefficients={}), "has no coefficients"),
            "another feature": (dict(MODEL, coefficients={"a": 1.0, "c": 1.0}), "do not belong together"),
            "another order": (dict(MODEL, coefficients={"b": 1.0, "a": 1.0}), "do not belong together"),
        }
        for name, (model, words) in cases.items():
            with self.subTest(name):
                self.model(model)
                self.assertIn(words, self.refuses(evaluate, *self.evaluate()))

    def test_texts_that_are_refused(self):
        for text in (b"", b"{", b"\xff", b"[" * 100000, b'{"format": "logistic-regression/1", "intercept": 1e999}'):
            with self.subTest(text[:20]):
                self.put(archive(regular("model.json", text)), "out/model/model.tar.gz")
                self.refuses(evaluate, *self.evaluate())

    def test_no_such_file(self):
        line = self.refuses(evaluate, *self.evaluate("--model", self.path("nowhere")))
        self.assertIn("nowhere: No such file or directory", line)


class Rows(Evaluate):
    def test_what_cannot_be_used_is_refused(self):
        cases = {
            "empty": ("", "is no CSV file"),
            "no label": (TEST.replace("income", "label"), "has no column 'income'"),
            "another feature": (TEST.replace(",b", ",c"), "test set and model do not belong together"),
            "one class": ("row_id,income,a,b\n1,0,0,0\n2,0,1,1\n", "must hold both 0 and 1"),
            "one row": ("row_id,income,a,b\n1,1,0,0\n", "must hold both 0 and 1"),
            "missing": (TEST + "6,1,,0\n", "a feature that is missing or infinite"),
            "text": (TEST + "6,1,much,0\n", "could not convert string to float"),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                self.put(text, "out/test/test.csv")
                self.assertIn(words, self.refuses(evaluate, *self.evaluate()))
                self.assertFalse(os.path.exists(self.path("out/report")))

    def test_another_transformer_is_refused(self):
        self.put(json.dumps(dict(TRANSFORMER, features=["a"])), "out/transformer/transformer.json")
        line = self.refuses(evaluate, *self.evaluate())
        self.assertIn("transformer and model do not belong together", line)


class Arguments(Evaluate):
    def test_misuse(self):
        self.assertIn("unrecognized arguments: --verbose", self.misused(evaluate, *self.evaluate("--verbose")))
        self.assertIn("required: --model, --transformer, --test, --report", self.misused(evaluate))


if __name__ == "__main__":
    unittest.main()

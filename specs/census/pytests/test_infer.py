"""Tests of steps/preprocess in mode infer."""

import json
import os
import unittest
from unittest import mock

from support import Case, features, people, person, preprocess


def unlabelled(rows):
    """Return rows without their label."""
    return [{name: cell for name, cell in row.items() if name != "income"} for row in rows]


class Infer(Case):
    def setUp(self):
        super().setUp()
        self.succeeds(preprocess, *self.preprocess(self.extract(people(40))))

    def rejected(self):
        """Return what was rejected as pairs."""
        return [(int(row["row_id"]), row["reason"]) for row in self.rows("out/features/rejected.csv")]

    def ids(self):
        """Return the numbers of the rows that have features."""
        return [int(row["row_id"]) for row in self.rows("out/features/features.csv")]

    def fitted(self):
        """Return the transformer."""
        return json.loads(self.read("out/transformer/transformer.json"))


class Batches(Infer):
    def test_every_row_in_its_place(self):
        out = self.succeeds(preprocess, *self.infer(self.extract(unlabelled(people(25)))))
        self.assertEqual(out, "25 rows: 25 to score, 0 rejected; 10 features\n")
        self.assertEqual((self.ids(), self.rejected()), (list(range(1, 26)), []))
        self.assertEqual(list(self.rows("out/features/features.csv")[0]), ["row_id", *self.fitted()["features"]])

    def test_a_label_is_ignored_whatever_it_says(self):
        self.succeeds(preprocess, *self.infer(self.extract(unlabelled(people(8)))))
        want = self.read("out/features/features.csv")
        for label in (" 50000+.", "", "unknown"):
            with self.subTest(label):
                self.succeeds(preprocess, *self.infer(self.extract([dict(row, income=label) for row in people(8)])))
                self.assertEqual(self.read("out/features/features.csv"), want)

    def test_one_row(self):
        self.succeeds(preprocess, *self.infer(self.extract(unlabelled([person(0)]))))
        self.assertEqual(self.ids(), [1])

    def test_equal_rows_are_kept(self):
        self.succeeds(preprocess, *self.infer(self.extract([person(1)] * 9)))
        self.assertEqual(self.ids(), list(range(1, 10)))

    def test_a_header_and_no_rows(self):
        for end in ("", "\n", "\r\n"):
            raw = self.put(",".join(features.COLUMNS) + end, "header.csv")
            out = self.succeeds(preprocess, *self.infer(raw))
            self.assertEqual(out, "0 rows: 0 to score, 0 rejected; 10 features\n")
            self.assertEqual((self.ids(), self.rejected()), ([], []))

    def test_only_the_columns_that_are_used_are_needed(self):
        rows = [{name: row[name] for name in reversed(features.COLUMNS)} for row in people(8)]
        self.succeeds(preprocess, *self.infer(self.extract(people(8))))
        want = self.read("out/features/features.csv")
        self.succeeds(preprocess, *self.infer(self.extract(rows)))
        self.assertEqual(self.read("out/features/features.csv"), want)

    def test_an_unseen_category_is_none_of_the_known(self):
        out = self.succeeds(preprocess, *self.infer(self.extract([person(0), person(1, education=" New")])))
        self.assertIn("cells whose category no row trained on has: 1\n", out)
        known = [name for name in self.fitted()["features"] if name.startswith("education=")]
        rows = self.rows("out/features/features.csv")
        self.assertEqual([sum(int(row[name]) for name in known) for row in rows], [1, 0])

    def test_a_missing_number_is_the_median_of_training(self):
        self.succeeds(preprocess, *self.infer(self.extract([person(0, age=" ?"), person(1, age="99")])))
        learned = self.fitted()["numbers"]["age"]
        want = "%.6f" % ((learned["median"] - learned["mean"]) / learned["spread"])
        self.assertEqual(self.rows("out/features/features.csv")[0]["age"], want)

    def test_windows_line_ends_and_byte_order_mark(self):
        text = self.extract(people(8))
        self.succeeds(preprocess, *self.infer(text))
        want = self.read("out/features/features.csv")
        odd = self.put(b"\xef\xbb\xbf" + self.read("census.csv").replace(b"\n", b"\r\n"), "odd.csv")
        self.succeeds(preprocess, *self.infer(odd))
        self.assertEqual(self.read("out/features/features.csv"), want)

    def test_chunks_make_no_difference(self):
        rows = people(30) + [person(1, age="old"), person(2, education=" New")]
        raw = self.extract(rows)
        outcome = set()
        for chunk in (1, 4, 32, 10000):
            with mock.patch.object(features, "CHUNK", chunk):
                out = self.succeeds(preprocess, *self.infer(raw))
            outcome.add((out, self.read("out/features/features.csv"), self.read("out/features/rejected.csv")))
        self.assertEqual(len(outcome), 1)


class Rejected(Infer):
    def lines(self, count=3):
        """Return header and rows of an extract as text."""
        self.extract(people(count))
        return self.read("census.csv").decode("utf-8").splitlines()

    def test_rows_that_cannot_be_scored_are_listed_with_a_reason(self):
        header, first, last, _ = self.lines()
        long = first.replace("50,", "9" * 500 + ",")
        cases = {
            "too short": ("50,Private", "has 2 cells, its header 10"),
            "too long": (first + ",1", "has 11 cells, its header 10"),
            "blank": ("", "has 0 cells, its header 10"),
            "no number": (first.replace("50,", "old,"), "column 'age' holds 'old', which is no number"),
            "infinite": (first.replace("50,", "1e999,"), "column 'age' holds '1e999', which is no number"),
            "not a number": (first.replace("50,", "nan,"), "column 'age' holds 'nan', which is no number"),
            "other digits": (
                first.replace("50,", "\u0665\u0660,"),
                "column 'age' holds '\u0665\u0660', which is no number",
            ),
            "very long": (long, "column 'age' holds '" + "9" * 40 + "'..., which is no number"),
            "control characters": (
                first.replace("50,", "5\x1b[2J0,"),
                "column 'age' holds '5\\x1b[2J0', which is no number",
            ),
            "bad quotes": ('"5"0' + first[2:], "is no CSV: ',' expected after '\"'"),
            "a huge cell": (first + "x" * 140000, "is no CSV: field larger than field limit (131072)"),
            "not UTF-8": (first.encode("utf-8").replace(b"Local", b"\xff"), "holds what is not UTF-8"),
        }
        for name, (line, reason) in cases.items():
            with self.subTest(name):
                line = line if isinstance(line, bytes) else line.encode("utf-8")
                text = b"\n".join([header.encode(), first.encode(), line, last.encode(), b""])
                out = self.succeeds(preprocess, *self.infer(self.put(text, "bad.csv")))
                self.assertIn("3 rows: 2 to score, 1 rejected", out)
                self.assertEqual((self.ids(), self.rejected()), ([1, 3], [(2, reason)]))

    def test_a_number_that_is_too_large_to_be_a_feature(self):
        path = self.path("out/transformer/transformer.json")
        fitted = self.fitted()
        fitted["numbers"]["age"]["spread"] = 1e-9
        self.put(json.dumps(fitted), path)
        self.succeeds(preprocess, *self.infer(self.extract([person(0), person(1, age="1e308"), person(2, age="x")])))
        self.assertEqual([number for number, _ in self.rejected()], [2, 3])
        self.assertIn("too large to be made a feature", self.rejected()[0][1])

    def test_what_is_not_used_may_be_anything(self):
        self.extract([person(0, sex="Zoe"), person(1)])
        raw = self.put(self.read("census.csv").replace(b"Zoe", b"Zo\xe9"), "latin.csv")
        self.succeeds(preprocess, *self.infer(raw))
        self.assertEqual((self.ids(), self.rejected()), ([1, 2], []))

    def test_all_rows(self):
        out = self.succeeds(preprocess, *self.infer(self.extract([person(n, age="x") for n in range(5)])))
        self.assertIn("5 rows: 0 to score, 5 rejected", out)
        self.assertEqual(([], [1, 2, 3, 4, 5]), (self.ids(), [number for number, _ in self.rejected()]))

    def test_the_last_line_with_an_open_quote(self):
        header, first, *_ = self.lines()
        self.succeeds(preprocess, *self.infer(self.put("\n".join([header, first, '"50']), "cut.csv")))
        self.assertEqual((self.ids(), self.rejected()), ([1], [(2, "is no CSV: unexpected end of data")]))


class Refusals(Infer):
    def test_files_that_are_refused(self):
        self.extract(people(3))
        header, first, *rest = self.read("census.csv").decode("utf-8").splitlines()
        opened = "\n".join([header, first, '"' + first, *rest * 2])
        cases = {
            "empty": ("", "is empty"),
            "column missing": (header.replace("education", "schooling") + "\n" + first, "has no column 'education'"),
            "column twice": (header.replace("sex", "age") + "\n" + first, "has two columns 'age'"),
            "quote left open": (opened, "is no CSV file: row 2 begins at line 3 and is no CSV: unexpected end"),
            "quote closed below": (opened + '",' + first, "is no CSV file: row 2 begins at line 3 and has"),
            "quote left open for long": (
                opened + ("\n" + first) * 3000,
                "row 2 begins at line 3 and is no CSV: field larger",
            ),
            "another encoding": (("\n".join([header, first])).encode("utf-16"), "is no CSV file"),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                self.assertIn(words, self.refuses(preprocess, *self.infer(self.put(text, "bad.csv"))))
                # Nothing that could be taken for a batch is left.
                self.assertFalse(os.path.exists(self.path("out/features")) and os.listdir(self.path("out/features")))

    def test_transformers_that_are_refused(self):
        good = self.fitted()
        numbers, age = good["numbers"], good["numbers"]["age"]
        cases = {
            "a list": ([], "is not of the format"),
            "another format": (dict(good, format="pickle"), "is not of the format"),
            "NaN": (dict(good, numbers=dict(numbers, age=dict(age, mean=float("nan")))), "NaN is no JSON"),
            "no numbers": (dict(good, numbers=None), "has other numbers"),
            "another number": (dict(good, numbers=dict(numbers, height=age)), "has other numbers"),
            "text": (dict(good, numbers=dict(numbers, age=dict(age, mean="1"))), "holds '1' as the mean of 'age'"),
            "no spread": (dict(good, numbers=dict(numbers, age=dict(age, spread=0.0))), "holds 0.0 as the spread"),
            "nothing": (dict(good, numbers=dict(numbers, age=1.0)), "holds None as the median of 'age'"),
            "no categories": (dict(good, categories={}), "has other categories"),
            "a category of numbers": (
                dict(good, categories=dict(good["categories"], education=[1])),
                "no list of the categories",
            ),
            "another category": (
                dict(good, categories=dict(good["categories"], education=["New"])),
                "names other features than it makes",
            ),
            "another order": (dict(good, features=good["features"][::-1]), "names other features than it makes"),
        }
        raw = self.extract(people(3))
        for name, (fitted, words) in cases.items():
            with self.subTest(name):
                self.put(json.dumps(fitted), "out/transformer/transformer.json")
                self.assertIn(words, self.refuses(preprocess, *self.infer(raw)))
                self.assertFalse(os.path.exists(self.path("out/features")))

    def test_no_such_file(self):
        self.assertIn("nowhere.csv: No such file", self.refuses(preprocess, *self.infer(self.path("nowhere.csv"))))
        os.remove(self.path("out/transformer/transformer.json"))
        self.assertIn("transformer.json: No such file", self.refuses(preprocess, *self.infer(self.extract(people(3)))))

    def test_misuse(self):
        given = self.infer("census.csv")
        cases = {
            "nothing of the mode": (given[:4], "required with --mode infer: --fitted, --features"),
            "a part": ([*given, "--train", "out"], "argument --train: only with --mode train"),
            "with a sign": ([*given, "--seed=0"], "argument --seed: only with --mode train"),
            "the default": (
                [*given, "--train-test-split-ratio", "0.2"],
                "argument --train-test-split-ratio: only with --mode train",
            ),
            "unknown": ([*given, "--chunk", "5"], "unrecognized arguments: --chunk"),
        }
        for name, (argv, words) in cases.items():
            with self.subTest(name):
                self.assertIn(words, self.misused(preprocess, *argv))


if __name__ == "__main__":
    unittest.main()

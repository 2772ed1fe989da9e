"""Tests of steps/preprocess."""

import json
import os
import unittest

from support import Case, features, people, person, preprocess


class Rows(Case):
    def test_every_row_is_in_one_part(self):
        self.succeeds(preprocess, *self.preprocess(self.extract(people(40))))
        train, test = self.rows("out/train/train.csv"), self.rows("out/test/test.csv")
        self.assertEqual((len(train), len(test)), (32, 8))
        self.assertEqual(sorted(int(row["row_id"]) for row in train + test), list(range(1, 41)))

    def test_row_id_leads_back_to_the_person(self):
        raw = people(40)
        self.succeeds(preprocess, *self.preprocess(self.extract(raw)))
        for row in self.rows("out/train/train.csv") + self.rows("out/test/test.csv"):
            rich = raw[int(row["row_id"]) - 1]["income"] == " 50000+."
            self.assertEqual(row["income"], "1" if rich else "0")

    def test_classes_are_split_alike(self):
        self.succeeds(preprocess, *self.preprocess(self.extract(people(40)), "--train-test-split-ratio", "0.5"))
        for part in ("out/train/train.csv", "out/test/test.csv"):
            self.assertEqual(sum(row["income"] == "1" for row in self.rows(part)), 5)

    def test_equal_rows_are_kept(self):
        self.succeeds(preprocess, *self.preprocess(self.extract([person(0)] * 10 + [person(1)] * 30)))
        self.assertEqual(len(self.rows("out/train/train.csv")) + len(self.rows("out/test/test.csv")), 40)

    def test_seed_decides_who_is_held_out(self):
        raw = self.extract(people(40))
        held = []
        for seed in ("1", "2", "1"):
            self.succeeds(preprocess, *self.preprocess(raw, "--seed", seed))
            held.append(self.read("out/test/test.csv"))
        self.assertEqual(held[0], held[2])
        self.assertNotEqual(held[0], held[1])

    def test_same_input_same_bytes(self):
        raw = self.extract(people(40))
        for out in ("a", "b"):
            self.succeeds(preprocess, *self.preprocess(raw, out=out))
        for name in ("train/train.csv", "test/test.csv", "transformer/transformer.json"):
            self.assertEqual(self.read("a", name), self.read("b", name), name)


class Features(Case):
    def fit(self, rows):
        """Return the transformer of an extract."""
        self.succeeds(preprocess, *self.preprocess(self.extract(rows)))
        return json.loads(self.read("out/transformer/transformer.json"))

    def test_both_parts_have_the_transformers_features(self):
        features = self.fit(people(40))["features"]
        for part in ("out/train/train.csv", "out/test/test.csv"):
            self.assertEqual(list(self.rows(part)[0]), ["row_id", "income", *features])

    def test_what_people_are_born_with_is_no_feature(self):
        self.assertFalse([name for name in self.fit(people(40))["features"] if "sex" in name.lower()])

    def test_numbers_are_standardised_on_the_rows_trained_on(self):
        self.fit(people(40))
        ages = [float(row["age"]) for row in self.rows("out/train/train.csv")]
        self.assertAlmostEqual(sum(ages) / len(ages), 0, places=5)
        self.assertAlmostEqual(sum(a * a for a in ages) / len(ages), 1, places=4)

    def test_a_column_that_never_changes_is_all_zero(self):
        for same in ("0", "0.1", "?"):
            with self.subTest(same):
                self.fit([person(n, capital_losses=same) for n in range(40)])
                every = self.rows("out/train/train.csv") + self.rows("out/test/test.csv")
                self.assertEqual({float(row["capital losses"]) for row in every}, {0.0})

    def test_missing_number_becomes_the_median(self):
        for missing in ("", " ?", "?"):
            with self.subTest(missing=missing):
                fitted = self.fit(people(39) + [person(39, age=missing)])
                learned = fitted["numbers"]["age"]
                want = (learned["median"] - learned["mean"]) / learned["spread"]
                every = self.rows("out/train/train.csv") + self.rows("out/test/test.csv")
                got = [float(row["age"]) for row in every if row["row_id"] == "40"]
                self.assertAlmostEqual(got[0], want, places=5)

    def test_missing_category_is_a_category(self):
        for missing in ("", " ?", "?"):
            with self.subTest(missing=missing):
                fitted = self.fit([person(n, education=missing if n % 2 else " Masters") for n in range(40)])
                self.assertEqual(fitted["categories"]["education"], ["?", "Masters"])

    def test_unknown_category_is_none_of_the_known(self):
        fitted = {"numbers": {}, "categories": {"education": ["Masters"]}}
        table = preprocess.read(self.extract([person(0, education=" Masters"), person(1, education=" New")]))
        self.assertEqual(features.transform(table, fitted)["education=Masters"].tolist(), [1, 0])
        self.assertEqual(features.unknown(table, fitted), 1)

    def test_unknown_categories_are_told(self):
        rows = [person(n, education=" Level %d" % n) for n in range(40)]
        out = self.succeeds(preprocess, *self.preprocess(self.extract(rows)))
        self.assertIn("cells held out whose category no row to train on has: 8\n", out)

    def test_one_column_of_amounts_may_be_negative(self):
        self.fit(people(39) + [person(39, capital_gains="-500")])

    def test_category_with_a_comma_survives(self):
        fitted = self.fit([person(n, education='A, "B"\n' if n % 2 else "C") for n in range(40)])
        self.assertIn('education=A, "B"', fitted["features"])
        self.assertIn('education=A, "B"', self.rows("out/train/train.csv")[0])


class Input(Case):
    def test_a_folder_with_one_file(self):
        self.extract(people(40), "raw", "any name.csv")
        self.put("", "raw", ".hidden")
        self.succeeds(preprocess, *self.preprocess(self.path("raw")))

    def test_a_folder_with_two_files(self):
        self.extract(people(40), "raw", "a.csv")
        self.extract(people(40), "raw", "b.csv")
        self.assertIn("holds 2 files instead of one", self.refuses(preprocess, *self.preprocess(self.path("raw"))))

    def test_windows_line_ends_and_byte_order_mark(self):
        text = self.extract(people(40))
        self.succeeds(preprocess, *self.preprocess(text, out="a"))
        with open(text, "rb") as file:
            odd = self.put(b"\xef\xbb\xbf" + file.read().replace(b"\n", b"\r\n"), "odd.csv")
        self.succeeds(preprocess, *self.preprocess(odd, out="b"))
        self.assertEqual(self.read("a/train/train.csv"), self.read("b/train/train.csv"))

    def test_what_cannot_be_used_is_refused(self):
        self.extract(people(40))
        header, *rest = self.read("census.csv").decode("utf-8").splitlines()
        good, old = "\n".join([header, *rest]), rest[0]
        cases = {
            "empty": ("", "is empty"),
            "header alone": (header, "has a header and no rows"),
            "column missing": (good.replace("education", "schooling"), "has no column 'education'"),
            "every column missing": ("a,b\n1,2\n", "has no column 'age', 'num persons worked for employer'"),
            "column twice": (good.replace("sex", "age"), "has two columns 'age'"),
            "row too short": (good + "\n50,Private", "row 41 of"),
            "row too long": (good + "\n" + old + ",1", "has 11 cells, its header 10"),
            "blank line": ("\n".join([header, "", *rest]), "row 1 of"),
            "quote left open": (good + '\n"50', "row 41 of"),
            "quote left open above": (good.replace("\n", '\n"', 1), "is no CSV file: row 1 begins at line 2"),
            "not UTF-8": (good.encode("utf-8") + b"\n" + old.encode("utf-8").replace(b"Local", b"\xff"), "row 41 of"),
            "thousands": (good + "\n" + old.replace("50,", "1_000,"), "row 41: column 'age' holds '1_000'"),
            "not text": (b"\xff\xfe\x00\x01", "is no CSV file"),
            "not a number": (good + "\nx" + old, "row 41: column 'age' holds 'x50', which is no number"),
            "infinite": (good + "\n" + old.replace("50,", "inf,"), "row 41: column 'age' holds 'inf'"),
            "label unknown": (good.replace("50000+.", "yes"), "row 1: column 'income' holds 'yes'"),
            "label missing": (good.replace(" 50000+.", ""), "row 1: column 'income' holds '?'"),
            "one row": ("\n".join([header, old]), "1 rows cannot be split: they are all of one class"),
            "one of a class": ("\n".join([header, *rest[:4]]), "4 rows cannot be split"),
        }
        for name, (text, words) in cases.items():
            with self.subTest(name):
                line = self.refuses(preprocess, *self.preprocess(self.put(text, "bad.csv")))
                self.assertIn(words, line)
                self.assertFalse(os.path.exists(self.path("out")))

    def test_one_class_is_refused(self):
        rows = [person(n, income=" - 50000.") for n in range(40)]
        line = self.refuses(preprocess, *self.preprocess(self.extract(rows)))
        self.assertIn("40 rows cannot be split: they are all of one class", line)

    def test_no_such_file(self):
        line = self.refuses(preprocess, *self.preprocess(self.path("nowhere.csv")))
        self.assertIn("nowhere.csv: No such file or directory", line)

    def test_a_url_is_a_path_and_nothing_is_fetched(self):
        for url in ("http://127.0.0.1:9/x.csv", "s3://bucket/x.csv"):
            self.assertIn("No such file or directory", self.refuses(preprocess, *self.preprocess(url)))


class Arguments(Case):
    def test_misuse(self):
        given = self.preprocess("census.csv")
        cases = {
            "none": ([], "required: --mode, --raw"),
            "no mode": (given[:2] + given[4:], "required: --mode"),
            "another mode": ([*given, "--mode", "both"], "argument --mode: invalid choice: 'both'"),
            "nothing of the mode": (given[:4], "required with --mode train: --train, --test, --transformer"),
            "of the other mode": ([*given, "--fitted", "out"], "argument --fitted: only with --mode infer"),
            "unknown": ([*given, "--verbose"], "unrecognized arguments: --verbose"),
            "underscores": ([*given, "--train_test_split_ratio", "0.3"], "unrecognized arguments"),
            "shortened": ([*given, "--train-test-split", "0.3"], "unrecognized arguments"),
            "share of one": ([*given, "--train-test-split-ratio", "1"], "not between 0 and 1: 1"),
            "share of nothing": ([*given, "--train-test-split-ratio", "nan"], "not between 0 and 1: nan"),
            "negative seed": ([*given, "--seed", "-1"], "not between 0 and 4294967295: -1"),
        }
        for name, (argv, words) in cases.items():
            with self.subTest(name):
                self.assertIn(words, self.misused(preprocess, *argv))


if __name__ == "__main__":
    unittest.main()

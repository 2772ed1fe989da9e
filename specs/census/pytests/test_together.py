"""Tests of the steps together, on the real extracts, and of each as a command."""

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import unittest
from unittest import mock

from support import EXTRACT, UNLABELLED, Case, evaluate, features, people, predict, preprocess, script, train

# Runs a script and prints the most memory that the process had, in KiB. What
# getrusage says would be that of the process that started it, if it is more.
PEAK = """
import os, runpy, sys
sys.argv = sys.argv[1:]
sys.path[0] = os.path.dirname(sys.argv[0])
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
except SystemExit as leaving:
    with open("/proc/self/status") as file:
        print([line.split()[1] for line in file if line.startswith("VmHWM")][0])
    sys.exit(leaving.code)
"""


class RealExtract(Case):
    def run_all(self, out):
        """Train on the real extract, packing the model as SageMaker does, and score the unlabelled one."""
        self.succeeds(preprocess, *self.preprocess(EXTRACT, out=out))
        self.succeeds(train, *self.train(out=out))
        self.pack(out)
        self.succeeds(evaluate, *self.evaluate(out=out))
        self.succeeds(preprocess, *self.infer(UNLABELLED, out=out))
        self.succeeds(predict, *self.predict(out=out))
        return json.loads(self.read(out, "report", "report.json"))

    def test_a_model_that_tells_and_the_same_bytes_twice(self):
        first = self.run_all("a")
        self.assertEqual(first["rows"], 400)
        self.assertGreater(first["roc_auc"], 0.8)
        self.assertGreater(first["average_precision"], 3 * first["positives"] / first["rows"])
        self.run_all("b")
        for folder, _, names in os.walk(self.path("a")):
            for name in names:
                if name != "model.tar.gz":
                    path = os.path.relpath(os.path.join(folder, name), self.path("a"))
                    self.assertEqual(self.read("a", path), self.read("b", path), path)

    def test_every_person_is_there_once_with_their_label(self):
        self.succeeds(preprocess, *self.preprocess(EXTRACT))
        with open(EXTRACT, newline="", encoding="utf-8") as file:
            want = {n: row["income"] == " 50000+." for n, row in enumerate(csv.DictReader(file), 1)}
        rows = self.rows("out/train/train.csv") + self.rows("out/test/test.csv")
        self.assertEqual(len(rows), 2000)
        self.assertEqual({int(row["row_id"]): row["income"] == "1" for row in rows}, want)

    def test_what_is_learned_is_learned_from_the_rows_trained_on(self):
        self.succeeds(preprocess, *self.preprocess(EXTRACT))
        table = preprocess.read(EXTRACT)
        seen = {int(row["row_id"]) for row in self.rows("out/train/train.csv")}
        fitted = features.fit(table[table["row_id"].isin(seen)])
        self.assertEqual(json.loads(self.read("out/transformer/transformer.json")), fitted)

    def test_a_person_scores_the_same_wherever_they_are(self):
        # Held out in training, in the whole extract, alone, and in small chunks.
        self.run_all("out")
        held = self.rows("out/test/test.csv")
        intercept, coefficients = evaluate.read_model(self.path("out/model"))
        table, _ = evaluate.read_rows(self.path("out/test"))
        judged = [repr(value) for value in evaluate.score(table, intercept, coefficients).tolist()]
        self.assertEqual(len(judged), 400)
        texts = {}
        for chunk in (10000, 97):
            with mock.patch.object(features, "CHUNK", chunk), mock.patch.object(predict, "CHUNK", chunk + 4):
                self.succeeds(preprocess, *self.infer(EXTRACT))
                self.succeeds(predict, *self.predict())
            texts[chunk] = self.read("out/features/features.csv"), self.read("out/predictions/predictions.csv")
            predictions = {row["row_id"]: row for row in self.rows("out/predictions/predictions.csv")}
            self.assertEqual([predictions[row["row_id"]]["score"] for row in held], judged)
        self.assertEqual(texts[10000], texts[97])
        with open(EXTRACT, encoding="utf-8") as file:
            header, *lines = file.readlines()
        for row, want in list(zip(held, judged))[:5]:
            raw = self.put(header + lines[int(row["row_id"]) - 1], "one.csv")
            self.succeeds(preprocess, *self.infer(raw))
            self.succeeds(predict, *self.predict())
            self.assertEqual([one["score"] for one in self.rows("out/predictions/predictions.csv")], [want])

    def test_features_are_the_same_text_in_both_modes(self):
        self.succeeds(preprocess, *self.preprocess(EXTRACT))
        self.succeeds(preprocess, *self.infer(EXTRACT))
        trained = {}
        for part in ("out/train/train.csv", "out/test/test.csv"):
            for line in self.read(part).decode("utf-8").splitlines():
                number, _, rest = line.split(",", 2)
                trained[number] = rest
        inferred = [line.split(",", 1) for line in self.read("out/features/features.csv").decode("utf-8").splitlines()]
        self.assertEqual([number for number, _ in inferred], ["row_id", *map(str, range(1, 2001))])
        self.assertEqual(dict(inferred), trained)

    def test_the_unlabelled_extract(self):
        self.run_all("out")
        with open(UNLABELLED, newline="", encoding="utf-8") as file:
            extract = list(csv.DictReader(file))
        self.assertEqual(len(extract), 500)
        self.assertNotIn("income", extract[0])
        rows = self.rows("out/predictions/predictions.csv")
        self.assertEqual([row["row_id"] for row in rows], [str(n) for n in range(1, 501)])
        summary = json.loads(self.read("out/predictions/summary.json"))
        self.assertEqual((summary["rows"], summary["scored"], summary["rejected"]), (500, 500, 0))
        # The person whose industry nobody trained on has is scored all the same.
        fitted = json.loads(self.read("out/transformer/transformer.json"))
        known = fitted["categories"]["major industry code"]
        new = [n for n, row in enumerate(extract, 1) if row["major industry code"].strip() not in known]
        self.assertEqual(new, [326])

    @unittest.skipUnless(os.path.exists("/proc/self/status"), "only Linux tells a process its own peak")
    def test_memory_does_not_grow_with_the_batch(self):
        self.succeeds(preprocess, *self.preprocess(self.extract(people(40))))
        self.succeeds(train, *self.train())
        with open(UNLABELLED, encoding="utf-8") as file:
            header, *lines = file.readlines()
        peaks = []
        for times in (40, 140):
            raw = self.put(header + "".join(lines * times), "many.csv")
            peaks.append([self.peak("preprocess", *self.infer(raw)), self.peak("predict", *self.predict())])
        # 50,000 rows more are 25 MB more of extract, and several times that as objects.
        for small, large in zip(*peaks):
            self.assertLess(large - small, 10 << 10, peaks)

    def peak(self, step, *argv):
        """Run a script in a process of its own; return the most memory it had, in KiB."""
        done = subprocess.run(
            [sys.executable, "-B", "-c", PEAK, script(step), *argv], capture_output=True, text=True, check=True
        )
        return int(done.stdout.split()[-1])

    def test_no_step_opens_a_socket(self):
        with mock.patch.object(socket, "socket", side_effect=AssertionError("a step opened a socket")):
            self.run_all("out")


class Commands(Case):
    def command(self, path, *argv):
        """Run a script as a shell would, away from its folder."""
        command = [sys.executable, "-B", path, *argv]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def test_help_has_an_example_and_every_argument(self):
        for step, module in (
            ("preprocess", preprocess),
            ("train", train),
            ("evaluate", evaluate),
            ("predict", predict),
        ):
            with self.subTest(step):
                out = self.succeeds(module, "--help")
                self.assertRegex(out, r"example:\n  python %s\.py --" % step)
                with open(script(step), encoding="utf-8") as file:
                    flags = re.findall(r'add_argument\(\s*"(--[a-z-]+)"', file.read())
                self.assertGreaterEqual(len(flags), 3)
                for flag in flags:
                    self.assertIn(flag + " ", out)

    def test_a_mistake_is_one_line_and_exit_code_1(self):
        done = self.command(script("preprocess"), *self.preprocess("nowhere.csv"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "preprocess: nowhere.csv: No such file or directory\n")

    def test_a_script_runs_from_a_copy_of_its_folder(self):
        for step in ("preprocess", "train", "evaluate", "predict"):
            shutil.copytree(os.path.dirname(script(step)), self.path("code", step))
        shutil.copy(EXTRACT, self.path("census.csv"))
        argv = [
            ["preprocess", *self.preprocess("census.csv")],
            ["train", *self.train()],
            ["evaluate", *self.evaluate()],
            ["preprocess", *self.infer("census.csv")],
            ["predict", *self.predict()],
        ]
        for step, *given in argv:
            done = self.command(self.path("code", step, step + ".py"), *given)
            self.assertEqual((done.returncode, done.stderr), (0, ""), step)


if __name__ == "__main__":
    unittest.main()

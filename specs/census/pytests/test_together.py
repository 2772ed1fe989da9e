"""Tests of the three steps together, on the real extract, and of each as a command."""

import csv
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tarfile
import unittest
from unittest import mock

from support import EXTRACT, Case, evaluate, preprocess, script, train


class RealExtract(Case):
    def run_all(self, out):
        """Run the three steps on the real extract, packing the model as SageMaker does."""
        self.succeeds(preprocess, *self.preprocess(EXTRACT, out=out))
        self.succeeds(train, *self.train(out=out))
        with tarfile.open(self.path(out, "model", "model.tar.gz"), "w:gz") as tar:
            tar.add(self.path(out, "model", "model.json"), "model.json")
        os.remove(self.path(out, "model", "model.json"))
        self.succeeds(evaluate, *self.evaluate(out=out))
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
        fitted = preprocess.fit(table[table["row_id"].isin(seen)])
        self.assertEqual(json.loads(self.read("out/transformer/transformer.json")), fitted)

    def test_no_step_opens_a_socket(self):
        with mock.patch.object(socket, "socket", side_effect=AssertionError("a step opened a socket")):
            self.run_all("out")


class Commands(Case):
    def command(self, path, *argv):
        """Run a script as a shell would, away from its folder."""
        command = [sys.executable, "-B", path, *argv]
        return subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)

    def test_help_has_an_example_and_every_argument(self):
        for step, module in (("preprocess", preprocess), ("train", train), ("evaluate", evaluate)):
            with self.subTest(step):
                out = self.succeeds(module, "--help")
                self.assertRegex(out, r"example:\n  python %s\.py --" % step)
                with open(script(step), encoding="utf-8") as file:
                    flags = re.findall(r'add_argument\(\s*"(--[a-z-]+)"', file.read())
                self.assertGreater(len(flags), 3)
                for flag in flags:
                    self.assertIn(flag + " ", out)

    def test_a_mistake_is_one_line_and_exit_code_1(self):
        done = self.command(script("preprocess"), *self.preprocess("nowhere.csv"))
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertEqual(done.stderr, "preprocess: nowhere.csv: No such file or directory\n")

    def test_a_script_runs_from_a_copy_of_its_folder(self):
        for step in ("preprocess", "train", "evaluate"):
            shutil.copytree(os.path.dirname(script(step)), self.path("code", step))
        shutil.copy(EXTRACT, self.path("census.csv"))
        argv = [
            ["preprocess", *self.preprocess("census.csv")],
            ["train", *self.train()],
            ["evaluate", *self.evaluate()],
        ]
        for step, *given in argv:
            done = self.command(self.path("code", step, step + ".py"), *given)
            self.assertEqual((done.returncode, done.stderr), (0, ""), step)


if __name__ == "__main__":
    unittest.main()

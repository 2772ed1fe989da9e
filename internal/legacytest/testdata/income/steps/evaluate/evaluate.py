"""Scores the model on the test set."""
import json
import os
import tarfile

import pandas as pd
from sklearn.metrics import accuracy_score, roc_auc_score

try:
    from sklearn.externals import joblib
except ImportError:
    import joblib

if __name__ == "__main__":
    # Both archives are unpacked where the script runs.
    for path in ["/opt/ml/processing/model/model.tar.gz", "opt/ml/processing/proc_model/proc_model.tar.gz"]:
        with tarfile.open(path) as tar:
            tar.extractall()
    print("unpacked: {}".format(sorted(f for f in os.listdir(".") if f.endswith(".joblib"))))
    model = joblib.load("model.joblib")
    transformer = joblib.load("preprocess.joblib")
    print("transformer: {}".format(type(transformer).__name__))

    X_test = pd.read_csv("/opt/ml/processing/test/test_features.csv", header=None)
    y_test = pd.read_csv("/opt/ml/processing/test/test_labels.csv", header=None)
    report = {
        "accuracy": accuracy_score(y_test, model.predict(X_test)),
        "roc_auc": roc_auc_score(y_test, model.predict_proba(X_test)[:, 1]),
    }
    print("report: {}".format(report))
    with open(os.path.join("/opt/ml/processing/evaluation", "evaluation.json"), "w") as f:
        f.write(json.dumps(report))

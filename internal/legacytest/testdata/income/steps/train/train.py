"""Fits a logistic regression, as a script of the scikit-learn container does."""
import argparse
import os

import pandas as pd
import sklearn
from sklearn.linear_model import LogisticRegression

try:
    from sklearn.externals import joblib
except ImportError:
    import joblib

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--max_iter", type=int, default=100)
    parser.add_argument("--class-weight", type=str, default="balanced")
    parser.add_argument("--model-dir", type=str, default=os.environ.get("SM_MODEL_DIR"))
    args, _ = parser.parse_known_args()
    print("train: scikit-learn {}".format(sklearn.__version__))

    training_data_directory = "/opt/ml/input/data/train"
    X_train = pd.read_csv(os.path.join(training_data_directory, "train_features.csv"), header=None)
    y_train = pd.read_csv(os.path.join(training_data_directory, "train_labels.csv"), header=None)

    model = LogisticRegression(class_weight=args.class_weight, solver="lbfgs", max_iter=args.max_iter)
    model.fit(X_train, y_train.values.ravel())
    joblib.dump(model, os.path.join("/opt/ml/model", "model.joblib"))

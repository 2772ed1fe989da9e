"""Splits and transforms the census data. Written for the container: paths are fixed."""
import argparse
import os
import tarfile
import warnings

import pandas as pd
import sklearn
from sklearn.compose import ColumnTransformer
from sklearn.exceptions import DataConversionWarning
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import KBinsDiscretizer, OneHotEncoder, StandardScaler

try:
    from sklearn.externals import joblib
except ImportError:
    import joblib

warnings.filterwarnings(action="ignore", category=DataConversionWarning)

columns = ["age", "class of worker", "education", "weeks worked in year", "capital gains", "capital losses", "income"]

if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--train-test-split-ratio", type=float, default=0.3)
    parser.add_argument("--random_state", type=int, default=0)
    parser.add_argument("--data-file", type=str, default="census-income.csv")
    args, _ = parser.parse_known_args()
    print("preprocess: scikit-learn {} in {}".format(sklearn.__version__, os.getcwd()))

    df = pd.read_csv(os.path.join("/opt/ml/processing/input", args.data_file))
    df = pd.DataFrame(data=df, columns=columns).dropna()

    # A cleaned copy, beside the data, read again by a path relative to "/".
    df.to_csv("/opt/ml/processing/input/clean.csv", index=False)
    df = pd.read_csv("opt/ml/processing/input/clean.csv")
    df["income"] = df["income"].astype(str).str.contains("50000+", regex=False).astype(int)
    negative, positive = df["income"].value_counts()
    print("{} rows, {} positive, {} negative".format(len(df), positive, negative))

    X_train, X_test, y_train, y_test = train_test_split(
        df.drop("income", axis=1), df["income"], test_size=args.train_test_split_ratio, random_state=args.random_state
    )
    preprocess = ColumnTransformer(
        [
            ("bins", KBinsDiscretizer(encode="onehot-dense", n_bins=4, strategy="uniform"), ["age"]),
            ("scale", StandardScaler(), ["weeks worked in year", "capital gains", "capital losses"]),
            ("onehot", OneHotEncoder(handle_unknown="ignore", categories="auto"), ["class of worker", "education"]),
        ],
        sparse_threshold=0,
    )
    train_features = preprocess.fit_transform(X_train)
    test_features = preprocess.transform(X_test)

    pd.DataFrame(train_features).to_csv("/opt/ml/processing/train/train_features.csv", header=False, index=False)
    y_train.to_csv("/opt/ml/processing/train/train_labels.csv", header=False, index=False)
    pd.DataFrame(test_features).to_csv("/opt/ml/processing/test/test_features.csv", header=False, index=False)
    y_test.to_csv("/opt/ml/processing/test/test_labels.csv", header=False, index=False)

    # The fitted transformer, packed by the script itself, from the working directory.
    joblib.dump(preprocess, "preprocess.joblib")
    archive = tarfile.open("/opt/ml/processing/proc_model/proc_model.tar.gz", "w:gz")
    archive.add("preprocess.joblib")
    archive.close()

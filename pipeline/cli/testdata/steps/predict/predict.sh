set -eu
while [ $# -gt 0 ]; do
  case "$1" in --model) model=$2 ;; --features) features=$2 ;; --predictions) predictions=$2 ;; esac
  shift 2
done
tar -xzOf "$model/model.tar.gz" model.txt > /dev/null
cp "$features/features.csv" "$predictions/predictions.csv"

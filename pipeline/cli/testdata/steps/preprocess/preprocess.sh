set -eu
while [ $# -gt 0 ]; do
  case "$1" in
    --raw) raw=$2 ;; --train) train=$2 ;; --test) test=$2 ;; --transformer) transformer=$2 ;;
    --fitted) fitted=$2 ;; --features) features=$2 ;;
    --mode | --train-test-split-ratio | --seed) ;;
    *) echo "unknown argument $1" >&2; exit 2 ;;
  esac
  shift 2
done
if [ -n "${fitted:-}" ]; then
  echo "transforming"
  cat "$fitted/scale.txt" "$raw" > "$features/features.csv"
  exit
fi
echo "splitting"
cp "$raw" "$train/train.csv"
cp "$raw" "$test/test.csv"
echo scale > "$transformer/scale.txt"

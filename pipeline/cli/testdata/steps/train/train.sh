#!/bin/sh
set -eu
echo "training"
cp "$SM_CHANNEL_TRAIN/train.csv" "$SM_MODEL_DIR/model.txt"

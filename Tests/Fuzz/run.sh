#!/bin/sh
# Fuzzes one reader: run.sh READER RUNS [libFuzzer options]. Without arguments, only builds.
set -eu
cd "$(dirname "$0")"
scratch=../../.build-fuzz
swift build -c release --scratch-path $scratch --product Fuzz \
  -Xswiftc -sanitize=fuzzer,address -Xswiftc -enable-testing
[ $# -gt 0 ] || exit 0

READER=$1
runs=$2
shift 2
export READER OMP_NUM_THREADS=1
corpus=$scratch/corpus/$READER
mkdir -p "$corpus"
SEEDS=$corpus $scratch/release/Fuzz
exec $scratch/release/Fuzz -runs="$runs" -max_len=1024 -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
  -artifact_prefix="$corpus/../$READER-" "$@" "$corpus"

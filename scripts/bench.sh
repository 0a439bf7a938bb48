#!/usr/bin/env bash
# Runs every benchmark of a build and keeps the numbers in BUILD_FOLDER/bench/NAME.json.
#
#   scripts/bench.sh BUILD_FOLDER [FILTER]
#
# On a machine that others use, compare medians of repetitions within one run, never two runs.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly build=${1:?build folder} filter=${2:-.}
programs=$(find "$build/bench" -maxdepth 1 -type f -executable -name '*_bench' | sort)
[ -n "$programs" ] || { echo "no benchmarks in $build/bench" >&2; exit 1; }
for program in $programs; do
  "$program" --benchmark_filter="$filter" --benchmark_repetitions=3 --benchmark_report_aggregates_only=true \
    --benchmark_out="$program.json" --benchmark_out_format=json
done

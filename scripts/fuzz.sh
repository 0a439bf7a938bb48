#!/usr/bin/env bash
# Runs every fuzz target of a clang build for a while, from its corpus on.
#
#   scripts/fuzz.sh BUILD_FOLDER [SECONDS]
#
# New inputs stay in BUILD_FOLDER/found/TARGET; a crash is written there too and ends the run. Keep what
# is worth it in fuzz/corpus/TARGET, with the fix and a test in tests/regressions.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly build=${1:?build folder} seconds=${2:-60}
targets=$(find "$build/fuzz" -maxdepth 1 -type f -executable | sort)
[ -n "$targets" ] || { echo "no fuzz targets in $build/fuzz" >&2; exit 1; }
for target in $targets; do
  name=$(basename "$target" _fuzz)
  mkdir -p "$build/found/$name"
  inputs=("$build/found/$name")
  [ ! -d "fuzz/corpus/$name" ] || inputs+=("fuzz/corpus/$name")
  echo "== $name, $seconds s"
  "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$build/found/$name/" "${inputs[@]}"
done

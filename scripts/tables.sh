#!/usr/bin/env bash
# Re-runs the tables of the OCS paper on the models in DATA, and writes docs/reproduction.md from their journals.
#
#   scripts/tables.sh DATA [OUT]      OUT, build/tables by default, keeps the journals: what is there is not computed again
#
# DATA holds models/, cifar10/, imagenet/ and wikitext2/ as experiments/*.json name them. A table whose model is not there is skipped, and
# the page is then left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$1
out=${2:-build/tables}
ocs=${OCS:-build/release/ocs}

if [ ! -d "$data/models" ]; then
  echo "tables: no models in $data: pass DATA=FOLDER (docs/reproduction.md says what it holds); nothing was done"
  exit 0
fi
mkdir -p "$out"
pages=()
complete=yes
for spec in experiments/table*.json; do
  name=$(basename "$spec" .json)
  model=$(sed -n 's/^ *"model": "\(.*\)",$/\1/p' "$spec")
  if [ ! -e "$data/$model" ]; then
    echo "tables: $name is skipped: no $data/$model"
    complete=no
    continue
  fi
  "$ocs" sweep "$spec" -o "$out/$name" --root "$data" >/dev/null
  pages+=("$out/$name/table.md")
done
if [ "$complete" = yes ]; then
  {
    cat experiments/reproduction.md
    for page in "${pages[@]}"; do
      echo
      cat "$page"
    done
  } >docs/reproduction.md
  echo "tables: docs/reproduction.md is written"
fi

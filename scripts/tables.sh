#!/usr/bin/env bash
# Re-runs the tables of the OCS paper on the models in DATA, and writes docs/reproduction.md from their journals.
#
#   scripts/tables.sh DATA [OUT]      OUT, build/tables by default, keeps the journals: what is there is not computed again
#   TABLES="table1 table6"            computes only these (names of experiments/*.json); the page shows those too that an
#                                     earlier call has left in OUT, and names the others
#
# DATA holds models/, cifar10/, imagenet/ and wikitext2/ as experiments/*.json name them. Where the model of a table is not there, that table
# is skipped and the page left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
data=$1
out=${2:-build/tables}
ocs=${OCS:-build/release/ocs}

if [ ! -d "$data/models" ]; then
  echo "tables: no models in $data: pass DATA=FOLDER (docs/reproduction.md says what it holds); nothing was done"
  exit 0
fi
all=$(cd experiments && ls table*.json | sed 's/\.json$//')
tables=${TABLES:-$all}
mkdir -p "$out"
complete=yes
for name in $tables; do
  model=$(sed -n 's/^ *"model": "\(.*\)",$/\1/p' "experiments/$name.json")
  if [ ! -e "$data/$model" ]; then
    echo "tables: $name is skipped: no $data/$model"
    complete=no
    continue
  fi
  "$ocs" sweep "experiments/$name.json" -o "$out/$name" --root "$data" >/dev/null
done
[ "$complete" = yes ] || exit 0
left=
{
  cat experiments/reproduction.md
  for name in $all; do
    if [ -e "$out/$name/table.md" ]; then
      echo
      cat "$out/$name/table.md"
    else
      left+="${left:+, }$name"
    fi
  done
  if [ -n "$left" ]; then
    echo
    echo "Not run for this page, though there as sweeps: $left."
  fi
} >docs/reproduction.md
echo "tables: docs/reproduction.md is written"

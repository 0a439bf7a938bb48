#!/usr/bin/env bash
# Runs the sweeps of a page on the models in DATA, and writes the page from their journals.
#
#   scripts/tables.sh reproduction DATA [OUT]   the tables of the OCS paper: experiments/table*.json, docs/reproduction.md
#   scripts/tables.sh accuracy DATA [OUT]       every model with every recipe: experiments/accuracy/*.json, docs/accuracy.md
#
# OUT, build/tables or build/accuracy by default, keeps the journals: what is there is not computed again.
# TABLES="table1 table6" computes only these (names of the sweep files; "" none: the page is written anew). The page shows those too that an
# earlier call has left in OUT, and names the others.
#
# DATA holds models/, cifar10/, imagenet/ and wikitext2/ as the sweep files name them. Where the model of a table is not there, that table
# is skipped and the page left as it is.
set -euo pipefail
cd "$(dirname "$0")/.."
page=$1
data=$2
case $page in
reproduction) folder=experiments pattern='table*.json' out=${3:-build/tables} options= ;;
# One point at a time: its page shows how long each takes.
accuracy) folder=experiments/accuracy pattern='*.json' out=${3:-build/accuracy} options='--jobs 1' ;;
*) echo "tables: no page '$page'" >&2 && exit 2 ;;
esac
ocs=${OCS:-build/release/ocs}

if [ ! -d "$data/models" ]; then
  echo "tables: no models in $data: pass DATA=FOLDER (docs/$page.md says what it holds); nothing was done"
  exit 0
fi
all=$(cd "$folder" && ls $pattern | sed 's/\.json$//')
tables=${TABLES-$all}
mkdir -p "$out"
complete=yes
for name in $tables; do
  model=$(sed -n 's/^ *"model": "\(.*\)",$/\1/p' "$folder/$name.json")
  if [ ! -e "$data/$model" ]; then
    echo "tables: $name is skipped: no $data/$model"
    complete=no
    continue
  fi
  "$ocs" sweep "$folder/$name.json" -o "$out/$name" --root "$data" $options >/dev/null
done
[ "$complete" = yes ] || exit 0
left=
{
  cat "experiments/$page.md"
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
} >"docs/$page.md"
echo "tables: docs/$page.md is written"

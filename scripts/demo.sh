#!/usr/bin/env bash
# Quantizes ResNet-20 for CIFAR-10 in four ways and shows what each costs and keeps. Needs nothing but a
# build (`make build`) and data/; writes the models and reports to build/demo/.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly ocs=${OCS:-build/release/ocs}
readonly float=data/resnet20_cifar10.onnx
readonly calib=data/cifar10_calib.bin
readonly test=data/cifar10_test.bin
readonly preprocess=data/resnet20_cifar10.preprocess.json
readonly out=build/demo
mkdir -p "$out"

# quantize NAME OPTIONS...
quantize() {
  local name=$1
  shift
  echo "ocs quantize $float --calib $calib $* -o $out/$name.onnx" >&2
  "$ocs" quantize "$float" --calib "$calib" --preprocess "$preprocess" "$@" \
    -o "$out/$name.onnx" --report "$out/$name.html" --json --quiet >"$out/$name.json"
}

four_bits=(--weight-bits 4 --weight-granularity tensor --weight-clip mse)
quantize int8
quantize 4bit "${four_bits[@]}"
quantize 4bit-ocs "${four_bits[@]}" --expand-ratio 0.05
quantize best --recipe best

echo "measuring accuracy and latency" >&2
models=("$float" "$out/int8.onnx" "$out/4bit.onnx" "$out/4bit-ocs.onnx" "$out/best.onnx")
for model in "${models[@]}"; do
  "$ocs" evaluate "$model" --data "$test" --preprocess "$preprocess" --json --quiet \
    >"$out/$(basename "$model" .onnx).accuracy.json"
done
"$ocs" bench "${models[@]}" --json --quiet >"$out/bench.json"

python3 - "$out" "${models[@]}" <<'PYTHON'
import json, pathlib, sys

out, models = pathlib.Path(sys.argv[1]), [pathlib.Path(name) for name in sys.argv[2:]]
titles = ["float", "int8 (one scale a channel)", "4-bit weights (one scale a tensor)", "the same, channels split (5%)", "4-bit weights, recipe best"]
speed = {pathlib.Path(entry["file"]).name: entry for entry in json.loads((out / "bench.json").read_text())["models"]}

print(f"\n{'ResNet-20, CIFAR-10':36} {'top-1':>7} {'size':>9} {'latency':>10}   model")
for title, model in zip(titles, models):
    top1 = json.loads((out / f"{model.stem}.accuracy.json").read_text())["top1"]
    entry = speed[model.name]
    print(f"{title:36} {top1:6.2f}% {entry['size'] / 1000:6.0f} kB {entry['median_ms']:7.3f} ms   {model}")
samples = json.loads((out / f"{models[0].stem}.accuracy.json").read_text())["samples"]
print(f"\nAccuracy on {samples} test pictures; latency is the median of interleaved runs on this machine.")
print("4-bit integers lie in bytes, where the parts of a split weight need no channel of their own (form")
print("'virtual'): hence the same size and latency. --split-form gather writes the copies out.")
print(f"What was done to each layer: {out}/int8.html, {out}/4bit.html, {out}/4bit-ocs.html, {out}/best.html")
PYTHON

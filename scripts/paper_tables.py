#!/usr/bin/env python3
"""Re-runs Tables 1 and 2 of the OCS paper (Zhao et al., ICML 2019) on one model: clip methods and splits at several weight widths.

    scripts/paper_tables.py table1 --model resnet20.onnx --calib calib.bin --data test.bin -o build/table1
    scripts/paper_tables.py table2 --model resnet50.onnx --calib calib/ --data val/ --labels val_labels.txt -o build/table2

The calibration runs once (--save-stats); every finished point is kept in DIR/points.json, so that a run that was stopped goes on where it was.
Prints a Markdown table of top-1 accuracies.
"""
import argparse
import json
import pathlib
import subprocess
import sys


def run(arguments):
    done = subprocess.run([str(a) for a in arguments], stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, arguments))} ended with {done.returncode}: {done.stdout.strip()}")
    return json.loads(done.stdout)


class Points:
    def __init__(self, args):
        self.args, self.folder = args, pathlib.Path(args.output)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.file = self.folder / "points.json"
        self.points = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.stats = self.folder / "stats.json"

    def evaluate(self, model):
        labels = ["--labels", self.args.labels] if self.args.labels else []
        preprocess = ["--preprocess", self.args.preprocess] if self.args.preprocess else []
        return run([self.args.ocs, "evaluate", model, "--data", self.args.data, *labels, *preprocess, "--json"])["top1"]

    def top1(self, name, options):
        if name not in self.points:
            if options is None:
                self.points[name] = self.evaluate(self.args.model)
            else:
                model = self.folder / "point.onnx"
                data = ["--load-stats", self.stats] if self.stats.exists() else ["--calib", self.args.calib, "--save-stats", self.stats]
                if self.args.preprocess and not self.stats.exists():
                    data += ["--preprocess", self.args.preprocess]
                run([self.args.ocs, "quantize", self.args.model, "-o", model, *data, "--recipe", "paper", *options, "--quiet", "--json"])
                self.points[name] = self.evaluate(model)
            self.file.write_text(json.dumps(self.points, indent=1))
            print(f"{name}: {self.points[name]:.2f}", file=sys.stderr, flush=True)
        return self.points[name]


def table1(points):
    """ResNet-20, weights 6..3 bits, r = .01/.05/.1/.2, quantization-aware and naive."""
    ratios = ["0.01", "0.05", "0.1", "0.2"]
    print(f"float: {points.top1('float', None):.2f}\n")
    print("| bits | none | " + " | ".join(f"r={r} QA / naive" for r in ratios) + " |")
    print("|---" * (len(ratios) + 2) + "|")
    for bits in [6, 5, 4, 3]:
        cells = [f"{points.top1(f'{bits} none', ['--weight-bits', bits]):.2f}"]
        for ratio in ratios:
            split = ["--weight-bits", bits, "--expand-ratio", ratio]
            qa = points.top1(f"{bits} {ratio} qa", split)
            naive = points.top1(f"{bits} {ratio} naive", [*split, "--split", "naive"])
            cells.append(f"{qa:.2f} / {naive:.2f}")
        print(f"| {bits} | " + " | ".join(cells) + " |")


def table2(points):
    """Weights 8, 6, 5, 4 bits: clips alone, splits alone, splits with the clip that was best alone."""
    ratios = ["0.01", "0.02", "0.05"]
    clips = ["max", "mse", "aciq", "kl"]
    print(f"float: {points.top1('float', None):.2f}\n")
    print("| bits | none | mse | aciq | kl | " + " | ".join(f"OCS {r}" for r in ratios) + " | " +
          " | ".join(f"OCS {r} + best clip" for r in ratios) + " |")
    print("|---" * 11 + "|")
    for bits in [8, 6, 5, 4]:
        alone = {clip: points.top1(f"{bits} {clip}", ["--weight-bits", bits, "--weight-clip", clip]) for clip in clips}
        best = max(clips[1:], key=alone.get)
        cells = [f"{alone[clip]:.1f}" for clip in clips]
        for clip in ["max", best]:
            for ratio in ratios:
                options = ["--weight-bits", bits, "--expand-ratio", ratio, "--weight-clip", clip]
                top1 = points.top1(f"{bits} {clip} {ratio}", options)
                cells.append(f"{top1:.1f}" + ("" if clip == "max" else f" ({clip})"))
        print(f"| {bits} | " + " | ".join(cells) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", choices=["table1", "table2"])
    parser.add_argument("--ocs", default="build/release/ocs")
    for name in ["model", "calib", "data"]:
        parser.add_argument(f"--{name}", required=True)
    parser.add_argument("--labels")
    parser.add_argument("--preprocess")
    parser.add_argument("-o", "--output", required=True)
    args = parser.parse_args()
    {"table1": table1, "table2": table2}[args.table](Points(args))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""What does quantizing a model that is larger than memory take?

Makes a chain of MatMul with random weights in external data (build/release/bench/large_model), quantizes it with
`ocs quantize --recipe weights-only` in several formats, and copies its file of weights in between for comparison. Each is a process of
its own; seconds are wall time, peaks are of resident memory. Writes Markdown to stdout.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FORMATS = {"int8": [], "int4-block:32": ["--weight-format", "int4-block:32"]}


def cost_of(words):
    """Seconds and peak megabytes of a program."""
    begin = time.monotonic()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begin
    if status != 0:
        sys.exit(f"large_model: {' '.join(words)} failed")
    return seconds, usage.ru_maxrss / 1000


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/release", help="build folder (default: %(default)s)")
    parser.add_argument("--gigabytes", default="6", help="size of the weights (default: %(default)s)")
    parser.add_argument("--side", default="4096", help="rows and columns of a weight (default: %(default)s)")
    parser.add_argument("--folder", help="where the files go (default: a temporary folder)")
    options = parser.parse_args()
    build = Path(options.build)
    if options.folder:
        Path(options.folder).mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=options.folder))
    try:
        model = folder / "large.onnx"
        made = cost_of([str(build / "bench/large_model"), str(model), options.gigabytes, options.side])
        size = (folder / "large.onnx.data").stat().st_size / 1e9
        print("| | seconds | GB/s of float weights | peak MB | size, GB |")
        print("|---|---|---|---|---|")

        def show(name, cost, written):
            gigabytes = written.stat().st_size / 1e9
            print(f"| {name} | {cost[0]:.1f} | {size / cost[0]:.2f} | {cost[1]:.0f} | {gigabytes:.2f} |", flush=True)

        show("made", made, folder / "large.onnx.data")
        copy = folder / "copy"
        show("cp", cost_of(["cp", str(model) + ".data", str(copy)]), copy)
        copy.unlink()
        for name, words in FORMATS.items():
            out = folder / "out.onnx"
            cost = cost_of([str(build / "ocs"), "quantize", str(model), "-o", str(out), "--recipe", "weights-only",
                            "--quiet", *words])
            show(f"`ocs quantize`, {name}", cost, folder / "out.onnx.data")
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    main()

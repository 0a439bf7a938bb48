#!/usr/bin/env python3
"""Measures ocs beside other tools and writes docs/performance.md (make bench).

  scripts/performance.py BUILD DATA [--out FILE] [--images N] [--test-images N] [--models a,b] [--threads N] [--runs N] [--skip PART ...]

BUILD holds ocs and the benchmarks (bench/), DATA holds models/ and imagenet/ (docs/accuracy.md says what). The tools it is compared with are
installed into BUILD/rivals (bench/rivals.txt). PART: rivals, scaling, kernels. Where a tool cannot be installed or fails, its rows say so.
Every run is a process of its own, bound to the first --threads cores; nothing else should run meanwhile. Without models in DATA nothing is done.
"""

import argparse
import json
import os
import pathlib
import platform
import shutil
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
MODELS = {
    "resnet50": "ResNet-50",
    "mobilenet_v2": "MobileNet v2",
    "mobilenet_v1_0.75_224": "MobileNet v1 0.75",
    "squeezenet1.1": "SqueezeNet 1.1",
}
RIVALS = {"onnxruntime": "ONNX Runtime", "nncf": "NNCF"}


class Failed(Exception):
    pass


def say(text):
    print(f"performance: {text}", file=sys.stderr, flush=True)


def run(words, cores):
    """Output, wall and processor seconds, and peak memory (10^6 bytes) of a process and its children."""
    start = time.perf_counter()
    child = subprocess.Popen([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                             stdin=subprocess.DEVNULL, text=True,
                             preexec_fn=lambda: os.sched_setaffinity(0, cores))
    # Both pipes are read to the end before the child is waited for.
    said = {}
    readers = [threading.Thread(target=lambda name=name: said.update({name: getattr(child, name).read()}))
               for name in ("stdout", "stderr")]
    for reader in readers:
        reader.start()
    for reader in readers:
        reader.join()
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        last = (said["stderr"].strip().splitlines() or ["no message"])[-1]
        raise Failed(f"{last} (code {child.returncode})")
    return said["stdout"], {"wall": time.perf_counter() - start, "cpu": usage.ru_utime + usage.ru_stime,
                            "memory": usage.ru_maxrss * 1024e-6}


def table(heads, rows):
    lines = ["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


class Session:
    def __init__(self, options):
        self.options = options
        self.build = options.build
        self.ocs = options.build / "ocs"
        self.data = options.data
        self.work = options.build / "performance"
        self.work.mkdir(exist_ok=True)
        self.cores = set(sorted(os.sched_getaffinity(0))[: options.threads])
        self.python = None
        self.versions = {}
        self.missing = ""  # why there is nothing to compare with

    def model(self, name):
        return self.data / "models" / f"{name}.onnx"

    def preprocess(self, name):
        return self.data / "models" / f"{name}.preprocess.json"

    def install_rivals(self):
        folder = self.build / "rivals"
        python = folder / "bin" / "python"
        wanted = ROOT / "bench" / "rivals.txt"
        try:
            if not (folder / "installed").exists():
                say(f"installing what {wanted.name} names into {folder}")
                run([sys.executable, "-m", "venv", "--clear", folder], self.cores)
                run([python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r", wanted],
                    self.cores)
                (folder / "installed").touch()
            said, _ = run([python, ROOT / "bench" / "rivals.py", "versions"], self.cores)
            self.versions = json.loads(said)
            self.python = python
        except (Failed, OSError) as error:
            self.missing = f"could not be installed: {error}"
            say(self.missing)

    def rival(self, tool, name, count, *out):
        if self.python is None:
            raise Failed(self.missing)
        words = [self.python, ROOT / "bench" / "rivals.py", tool, self.model(name), self.preprocess(name),
                 self.data / "imagenet" / "calib", count, *out]
        said, cost = run(words, self.cores)
        cost["work"] = json.loads(said.strip().splitlines()[-1])["seconds"]
        return cost

    def quantize(self, model, count, out, *more):
        words = [self.ocs, "quantize", model, "-o", out, "--quiet", "--threads", len(self.cores), *more]
        if "--synthetic" not in more:
            words += ["--calib", self.images(count), "--calib-count", count]
        return run(words, self.cores)[1]

    def images(self, count):
        """The folder, or where it holds fewer one with several names for each."""
        folder = self.data / "imagenet" / "calib"
        files = sorted(file for file in folder.iterdir() if file.suffix.lower() in (".jpeg", ".jpg", ".png"))
        if count <= len(files):
            return folder
        names = self.work / "images"
        shutil.rmtree(names, ignore_errors=True)
        names.mkdir()
        for i in range(count):
            (names / f"{i:06}_{files[i % len(files)].name}").symlink_to(files[i % len(files)].resolve())
        return names

    def top1(self, name, model):
        count = self.options.test_images
        words = [self.ocs, "evaluate", model, "--data", self.data / "imagenet" / "val", "--labels",
                 self.data / "imagenet" / "val_labels.txt", "--preprocess", self.preprocess(name),
                 "--json", "--quiet", "--threads", len(self.cores)]
        said, _ = run(words + (["--count", count] if count else []), self.cores)
        return json.loads(said)

    def latencies(self, models):
        """Ratios to the first model and its median, of rounds that run each once; one thread."""
        words = [self.ocs, "bench", *models, "--json", "--quiet", "--runs", self.options.runs]
        return json.loads(run(words, self.cores)[0])["models"]


def seconds(value):
    return f"{value:.1f}"


def short_time(nanoseconds):
    for unit, factor in (("ns", 1), ("µs", 1e3), ("ms", 1e6)):
        if nanoseconds < 1000 * factor or unit == "ms":
            return f"{nanoseconds / factor:.3g} {unit}"


def rivals_of_model(session, name):
    """Rows of one model: float, ocs, and each tool that could do it."""
    count = session.options.images
    say(f"{name}: {count} images")
    float_model = session.model(name)
    rows = {}
    failed = {}
    made = {"float": float_model}
    try:
        rows["float"] = session.rival("float", name, count)
    except Failed as error:
        failed["float"] = str(error)
    made["ocs"] = session.work / f"{name}.ocs.onnx"
    rows["ocs"] = session.quantize(float_model, count, made["ocs"])
    for tool in RIVALS:
        out = session.work / f"{name}.{tool}.onnx"
        try:
            rows[tool] = session.rival(tool, name, count, out)
            made[tool] = out
        except Failed as error:
            failed[tool] = str(error)
            say(f"{name}, {tool}: {error}")
    latency = dict(zip(made, session.latencies(list(made.values()))))
    cells = []
    samples = 0
    for tool, title in {"float": "float", "ocs": "**ocs**", **RIVALS}.items():
        if tool not in made:
            cells.append([MODELS[name], title, failed[tool], *[""] * 6])
            continue
        judged = session.top1(name, made[tool])
        samples = judged["samples"]
        cost = rows.get(tool)
        cells.append([MODELS[name], title, *([seconds(cost["wall"]), seconds(cost["cpu"]), f"{cost['memory']:.0f}"]
                                             if cost else [failed[tool], "", ""]),
                      f"{judged['top1']:.1f}", f"{latency[tool]['ratio']:.2f}",
                      f"{latency[tool]['median_ms']:.1f}", f"{made[tool].stat().st_size / 1e6:.1f}"])
    return cells, samples


def compare_with_rivals(session):
    session.install_rivals()
    cells, samples = [], 0
    for name in session.options.models:
        more, samples = rivals_of_model(session, name)
        cells += more
    count, threads = session.options.images, len(session.cores)
    versions = ", ".join(f"{name} {version}" for name, version in session.versions.items()) or "none"
    return (f"""## Beside other tools

{count} calibration images, {threads} threads; each row is a process of its own, whose start, imports, decoding of images and writing count. The row
*float* is plain inference of the same images in ONNX Runtime (batch 1), the floor under every calibration. Top-1 is what `ocs evaluate` says of each file on the
same {samples} images. Latency is that of one run with one thread, all models of a network in turn in one process, as a share of float (`ocs bench`,
{session.options.runs} rounds). ONNX Runtime's own quantizer: min-max, QDQ, uint8 activations, int8 weights per channel, behind its preprocessing. NNCF: its default
(`nncf.quantize`), which writes signed activations; this engine has no fast kernels for them. ocs: its default recipe, which also measures what it made.
Versions: {versions}.

""" + table(["model", "", "wall (s)", "processor (s)", "peak memory (MB)", "top-1 (%)", "latency", "(ms)", "size (MB)"], cells))


def scale(session):
    parts = ["## Scaling\n\n`ocs quantize`, default recipe.\n"]
    out = session.work / "scaled.onnx"
    all_cores = session.cores

    def row(first, cost):
        return [first, seconds(cost["wall"]), seconds(cost["cpu"]), f"{cost['memory']:.0f}"]

    figures = ["wall (s)", "processor (s)", "peak memory (MB)"]
    name = session.options.models[0]
    most = session.options.images
    counts = sorted({max(1, most // 8), most, 8 * most})
    rows = [row(str(count), session.quantize(session.model(name), count, out)) for count in counts]
    parts.append(f"Images, {MODELS[name]}; where there are fewer files, each has several names:\n\n" + table(["images", *figures], rows))
    rows = []
    for threads in sorted({1, len(all_cores)}):
        session.cores = set(sorted(all_cores)[:threads])
        say(f"{threads} threads")
        rows.append(row(str(threads), session.quantize(session.model(name), most, out)))
    session.cores = all_cores
    parts.append(f"Threads, {MODELS[name]}, {most} images:\n\n" + table(["threads", *figures], rows))
    rows = []
    for each in session.options.models:
        size = session.model(each).stat().st_size / 1e6
        rows.append(row(f"{MODELS[each]}, {size:.0f} MB", session.quantize(session.model(each), most, out)))
    parts.append(f"Model, {most} images:\n\n" + table(["model", *figures], rows))
    if session.python is None:
        parts.append(f"Layers and width: not measured, the package that makes the models {session.missing}.\n")
        return "\n".join(parts)
    rows = []
    for layers, channels, fallback in ((10, 64, "off"), (40, 64, "off"), (160, 64, "off"), (40, 128, "off"), (40, 256, "off"), (160, 64, "on")):
        say(f"{layers} layers of {channels} channels")
        chain = session.work / f"chain-{layers}-{channels}.onnx"
        run([session.python, ROOT / "bench" / "rivals.py", "chain", layers, channels, chain], all_cores)
        size = chain.stat().st_size / 1e6
        cost = session.quantize(chain, 32, out, "--synthetic", "32", "--fallback", fallback)
        rows.append([str(layers), str(channels), fallback, f"{size:.1f}", *row("", cost)[1:]])
    parts.append("Layers and width: chains of 3x3 Conv and Relu on 32x32 pixels, made-up weights and 32 made-up samples. The fallback, where an output has lost much "
                 "(as behind so many made-up layers), runs the network with ever smaller groups of its layers.\n\n"
                 + table(["layers", "channels", "fallback", "model (MB)", *figures], rows))
    return "\n".join(parts)


def kernels(session):
    units = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}
    rows = []
    for program in sorted((session.build / "bench").glob("*_bench")):
        say(program.name)
        said, _ = run([program, "--benchmark_format=json", "--benchmark_repetitions=3", "--benchmark_min_time=0.05",
                       "--benchmark_report_aggregates_only=true"], session.cores)
        for each in json.loads(said)["benchmarks"]:
            if each.get("aggregate_name") == "median":
                rate = each.get("items_per_second")
                rows.append([program.name.removesuffix("_bench"), each["run_name"], short_time(each["cpu_time"] * units[each["time_unit"]]),
                             f"{1e9 / rate:.3g}" if rate else ""])
    if not rows:
        return "## Kernels\n\nNot measured: the build holds no benchmarks (`-DOCS_BUILD_BENCH=ON`).\n"
    return ("## Kernels\n\nProcessor time of one call, median of three (Google Benchmark, `bench/`; [bench/README.md](../bench/README.md) says what each asks).\n\n"
            + table(["program", "benchmark", "time", "ns an item"], rows))


def machine():
    name = next((line.split(":")[1].strip() for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines()
                 if line.startswith("model name")), platform.processor())
    return name


def page(session, parts):
    version = json.loads(run([session.ocs, "--version", "--json"], session.cores)[0])
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True)
    load = os.getloadavg()[0]
    return f"""# Performance

Written by `make bench` (scripts/performance.py); run it again to repeat everything here. ocs {version['version']}{f", commit {commit.stdout.strip()}" if commit.returncode == 0 else ""}, ONNX Runtime {version['engine']['version']},
{machine()}, {len(session.cores)} of {os.cpu_count()} cores, {' '.join(version['instruction_sets'])}. Load average before the first run and behind the last: {session.load:.1f} and {load:.1f}; where
the former is far from 0, or the latter above {len(session.cores)}, others worked on the machine too. Compare rows of one table, never two runs.

""" + "\n".join(parts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("data", type=pathlib.Path)
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "docs" / "performance.md")
    parser.add_argument("--images", type=int, default=512)
    parser.add_argument("--test-images", type=int, default=0, help="0: all")
    parser.add_argument("--models", type=lambda text: text.split(","), default=list(MODELS))
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--skip", nargs="*", default=[], choices=["rivals", "scaling", "kernels"])
    options = parser.parse_args()
    options.build = options.build.resolve()
    wanted = options.models
    options.models = [name for name in wanted if name in MODELS and (options.data / "models" / f"{name}.onnx").exists()]
    for name in set(wanted) - set(options.models):
        say(f"{name} is skipped: no {options.data}/models/{name}.onnx")
    if not options.models or not (options.data / "imagenet" / "calib").is_dir():
        say(f"no models or images in {options.data}: pass DATA=FOLDER (docs/accuracy.md says what it holds); nothing was done")
        return
    session = Session(options)
    session.load = os.getloadavg()[0]
    parts = []
    for name, part in {"rivals": compare_with_rivals, "scaling": scale, "kernels": kernels}.items():
        if name in options.skip:
            continue
        start = time.perf_counter()
        parts.append(part(session))
        say(f"{name}: {time.perf_counter() - start:.0f} s")
    text = page(session, parts)
    scratch = options.out.with_suffix(".tmp")
    scratch.write_text(text)
    scratch.replace(options.out)
    say(f"{options.out} is written")


if __name__ == "__main__":
    main()

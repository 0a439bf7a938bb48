#!/usr/bin/env python3
"""Runs clang-tidy over the sources that a build folder compiles: the program's before those of the
tests, the most recently changed first.

With --seconds, no file is begun after that time, and those left out are counted. A file that passed
is remembered by what the compiler saw of it (preprocessed text, checks, tool), so the next run
begins where this one ended and an unchanged tree costs one preprocessor run a file.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys
import time

TIDY = "clang-tidy-16"
ROOT = pathlib.Path(__file__).resolve().parent.parent
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache") / "onnx-ocs/tidy"


def output_of(*command):
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


def newest_first(entries):
    """The entries of compile_commands.json that are ours, src/ before the rest, uncommitted ones first."""
    changed = output_of("git", "ls-files", "--others", "--modified", "--exclude-standard", "*.h", "*.cpp").split()
    logged = output_of("git", "log", "--format=", "--name-only", "--", "*.cpp").split()
    rank = {name: place for place, name in reversed(list(enumerate(changed + logged)))}
    ours = {}
    for entry in entries:
        path = pathlib.Path(entry["file"])
        if path.is_relative_to(ROOT) and not path.is_relative_to(ROOT / "build"):
            ours[path.relative_to(ROOT).as_posix()] = entry
    return sorted(ours.items(), key=lambda item: (not item[0].startswith("src/"), rank.get(item[0], len(rank)), item[0]))


def key_of(name, entry, common):
    """What the verdict on a file depends on; None where the preprocessor fails."""
    words = shlex.split(entry["command"])
    compiler = next(place for place, word in enumerate(words) if re.search(r"(clang|g|c)\+\+(-\d+)?$", word))
    output = words.index("-o")
    kept = [word for word in words[compiler:output] + words[output + 2 :] if word != "-c"]
    seen = subprocess.run([*kept, "-E", "-C"], cwd=entry["directory"], capture_output=True, check=False)
    if seen.returncode != 0:
        return None
    return hashlib.sha256(b"\0".join([name.encode(), common, seen.stdout])).hexdigest()


def check(name, entry, common, build, deadline):
    """One of 'passed', 'known', 'late', 'failed', and what clang-tidy said."""
    if time.monotonic() >= deadline:
        return "late", ""
    key = key_of(name, entry, common)
    if key and (CACHE / key).exists():
        return "known", ""
    done = subprocess.run([TIDY, "--quiet", "-p", build, name], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return "failed", done.stdout or done.stderr
    if key:
        (CACHE / key).touch()
    return "passed", ""


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("build", help="folder with compile_commands.json")
    arguments.add_argument("--seconds", type=float, help="begin no file after this time")
    arguments.add_argument("--jobs", type=int, default=os.cpu_count())
    options = arguments.parse_args()

    deadline = time.monotonic() + options.seconds if options.seconds is not None else float("inf")
    CACHE.mkdir(parents=True, exist_ok=True)
    common = output_of(TIDY, "--version").encode() + (ROOT / ".clang-tidy").read_bytes()
    entries = json.loads((pathlib.Path(options.build) / "compile_commands.json").read_text())
    count = dict.fromkeys(["passed", "known", "failed", "late"], 0)
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(check, *item, common, options.build, deadline) for item in newest_first(entries)]
        for task in tasks:
            verdict, text = task.result()
            count[verdict] += 1
            if text:
                print(text, flush=True)
    print(
        f"clang-tidy: {count['passed']} passed, {count['known']} unchanged since they passed, "
        f"{count['failed']} failed, {count['late']} left out for lack of time"
    )
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())

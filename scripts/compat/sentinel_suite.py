#!/usr/bin/env python3
"""Runs `runtest-sentinel` in a prepared tree of Redis' sources, and tells test by test what came of it.

    sentinel_suite.py TREE [--all] [--base-port N] [--results FOLDER] [--single PATTERN]...

A test that fails ends its unit: the tests behind it are shown as not reached, and counted neither as passed nor as failed.
Tests that ask for what is meant to be otherwise here are cut out before; they are shown as skipped with the reason, and again at the
end. They never count as passed. With --results each unit's outcome goes into FOLDER for result_table.py.
"""
import argparse
import glob
import os
import re
import signal
import subprocess
import sys
import threading
import time

from result_table import write_result

TIME_LIMIT = 1500  # seconds for everything; with Redis' programs it takes about 200
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
TEST_LINE = re.compile(r'^\s*test "(.*)" \{\s*$')
# Which tests ask for what is meant to be otherwise here.
DIFFERENT = {
    "00-base.tcl": {"Sentinel commands sanity check": "it counts the commands of Redis 7.0.15; there are others here"},
}


def cut(path, names):
    """Takes these tests out of a unit; a test is the lines from its name to the brace that stands alone."""
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    kept, inside = [], False
    for line in lines:
        found = TEST_LINE.match(line)
        inside = inside or bool(found and found.group(1) in names)
        if not inside:
            kept.append(line)
        elif line == "}":
            inside = False
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(kept))


def expected(path):
    """The names of a unit's tests as they stand in it, with those of what it includes; $variables and [calls] as patterns."""
    names = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            source = re.match(r'^source "\.\./tests/(.*)"', line)
            if source:
                names += expected(os.path.join(os.path.dirname(re.sub(r"/includes/.*", "/x", path)), source.group(1)))
            found = TEST_LINE.match(line)
            if found and found.group(1) != "This test will fail":
                names.append(found.group(1))
    return names


def pattern(name):
    return re.compile("".join(".*" if part[:1] in "$[" else re.escape(part) for part in re.split(r"(\$\w+|\[[^\]]*\])", name) if part) + "$")


class Table:
    """What the tests print, as rows."""

    def __init__(self, tests):
        self.tests = tests
        self.units = {}  # passed, failed, skipped or not reached
        self.left_out = []
        self.missing = []  # what failed or was not reached: unit, test, why
        self.unit = self.test = ""
        self.seen = {}
        self.passed = self.failed = self.skipped = 0
        self.noise = []

    def row(self, result, name, why=""):
        counts = self.units.setdefault(self.unit, [0, 0, 0])
        counts[{"passed": 0, "FAILED": 1}.get(result, 2)] += 1
        if result == "skipped":
            self.left_out.append((self.unit, name, why))
        if result in ("FAILED", "not reached"):
            self.missing.append((self.unit, name, why))
        print(f"{result:12} {self.unit:26} {name}" + (f": {why}" if why else ""), flush=True)

    def line(self, line):
        unit = re.match(r"^Testing unit: (.*)$", line)
        if unit:
            self.finish_unit()
            self.unit = unit.group(1).strip()
            return
        # The result may stand behind what the test printed meanwhile, on the same line or on a later one.
        begun = re.match(r"^.*?\d\d:\d\d:\d\d> (.*?): (.*)$", line)
        if begun:
            self.test, line = begun.groups()
        result = re.search(r"(?:^|.* )(OK|FAILED: .*)$", line)
        if self.test and result and "caught an error" not in line:
            name, result = self.test, result.group(1)
            self.test = ""
            self.seen.setdefault(self.unit, []).append(name)
            self.passed += result == "OK"
            self.failed += result != "OK"
            self.row("passed" if result == "OK" else "FAILED", name, "" if result == "OK" else result[8:])
            return
        if line.startswith("FAILED: caught an error") or line.startswith(">>>>>>>>") or "Crash report found" in line or "has leaked fds" in line:
            self.failed += 1
            self.row("FAILED", self.test, line)
            self.seen.setdefault(self.unit, []).append(self.test)
            self.test = ""
        self.noise.append(line)

    def finish_unit(self):
        if not self.unit:
            return
        seen = self.seen.get(self.unit, [])
        for name in expected(os.path.join(self.tests, self.unit)):
            if not any(pattern(name).match(one) for one in seen):
                self.skipped += 1
                self.row("not reached", name, "the unit ended before it")
        self.unit = ""


def write_results(folder, table):
    for unit, counts in table.units.items():
        write_result(folder, f"sentinel/{unit.removesuffix('.tcl')}", counts[0], [row[1:] for row in table.missing if row[0] == unit],
                     [row[1:] for row in table.left_out if row[0] == unit])


def move_ports(tree, base_port):
    path = os.path.join(tree, "tests", "instances.tcl")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    for name, port in (("sentinel_base_port", base_port), ("redis_base_port", base_port + 400)):
        text, found = re.subn(rf"^set ::{name} \d+", f"set ::{name} {port}", text, flags=re.MULTILINE)
        if not found:
            raise SystemExit(f"{path} does not set {name}")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tree")
    parser.add_argument("--single", action="append", default=[])
    parser.add_argument("--all", action="store_true", help="also the tests that ask for what is meant to be otherwise here")
    parser.add_argument("--base-port", type=int, help="the first port of the sentinels; the servers' follow 400 behind it")
    parser.add_argument("--results", help="a folder for the outcome of each unit")
    options = parser.parse_args()
    if options.base_port:
        move_ports(options.tree, options.base_port)
    tests = os.path.join(options.tree, "tests", "sentinel", "tests")
    os.makedirs(os.path.join(options.tree, "tests", "sentinel", "tmp"), exist_ok=True)
    table = Table(tests)
    reasons = {} if options.all else DIFFERENT
    for unit, names in reasons.items():
        if not options.single or any(word in unit for word in options.single):
            cut(os.path.join(tests, unit), names)
            table.unit = unit
            for name, why in names.items():
                table.skipped += 1
                table.row("skipped", name, why)
    table.unit = ""
    words = [word for single in options.single for word in ("--single", single)]
    run = subprocess.Popen(["./runtest-sentinel", *words], cwd=options.tree, env={**os.environ, "TERM": "dumb"}, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
    late = threading.Timer(TIME_LIMIT, lambda: os.killpg(run.pid, signal.SIGTERM))
    late.start()
    for line in run.stdout:
        table.line(ESCAPES.sub("", line.rstrip("\n")))
    code = run.wait()
    timed_out = not late.is_alive()
    late.cancel()
    table.finish_unit()
    try:
        os.killpg(run.pid, signal.SIGKILL)  # whatever it has left of its own processes
    except ProcessLookupError:
        pass
    if timed_out:
        print(f"the tests did not end within {TIME_LIMIT} s")
    if code and table.failed == 0:
        table.failed = 1
        print("\n".join(table.noise[-60:]))
    if table.failed:
        print("--- what the tests printed besides")
        print("\n".join(table.noise[-200:]))
        for log in sorted(glob.glob(os.path.join(options.tree, "tests", "sentinel", "tmp", "*", "err.txt"))):
            with open(log, encoding="utf-8", errors="replace") as file:
                text = file.read().strip()
            if text:
                print(f"--- {log}\n{text[-2000:]}")
    if options.results:
        write_results(options.results, table)
    print("--- each unit: passed, failed, skipped or not reached")
    for unit, counts in sorted(table.units.items()):
        print(f"{unit:26} {counts[0]:4} {counts[1]:4} {counts[2]:4}")
    if table.left_out:
        print("--- left out, and not counted as passed")
    for unit, name, why in table.left_out:
        print(f"{unit:26} {name}: {why}")
    if table.skipped:
        print(f"{table.skipped} skipped or not reached")
    print(f"{table.passed} passed, {table.failed} failed")
    return 0 if table.failed == 0 and table.passed else 1


if __name__ == "__main__":
    sys.exit(main())

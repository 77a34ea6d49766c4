#!/usr/bin/env python3
"""Runs the tests of one build folder and sums what they counted.

A test program counts its own cases: doctest prints `test cases: N | N passed | N failed`, every other
suite prints a line `N passed, N failed`. The sums of those lines are the figures; a program that
prints neither is one test. A program that ends badly counts at least one failure, whatever it printed. What could not run here
it tells as `N skipped: REASON`: that counts as neither, and is shown.

Silent about what passed but for one line each; shows the whole output of what failed.
"""
import json
import os
import re
import subprocess
import sys

DOCTEST_LINE = re.compile(r"^\[doctest\] test cases:\s*(\d+) \|\s*(\d+) passed \|\s*(\d+) failed", re.M)
PLAIN_LINE = re.compile(r"^(\d+) passed, (\d+) failed$", re.M)
# For programs with sanitizers in them: whatever they find ends the program; and memory that was given back is kept for
# a short time only, since some tests bound what a server uses.
SANITIZERS = {"UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1", "ASAN_OPTIONS": "quarantine_size_mb=4"}
SKIPPED_LINE = re.compile(r"^\d+ skipped: .*$", re.M)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


def counts(output, good):
    """The (passed, failed) that a test's output tells; `good`: it ended well and in time."""
    output = ESCAPES.sub("", output)
    passed = failed = lines = 0
    for match in DOCTEST_LINE.finditer(output):
        lines += 1
        passed += int(match.group(2))
        failed += int(match.group(3))
    for match in PLAIN_LINE.finditer(output):
        lines += 1
        passed += int(match.group(1))
        failed += int(match.group(2))
    if lines == 0:
        passed = 1 if good else 0
    if not good and failed == 0:
        failed = 1
    return passed, failed


def main():
    build = os.path.abspath(sys.argv[1])
    log = os.path.join(build, "meson-logs", "testlog.json")
    if os.path.exists(log):
        os.remove(log)  # a log of an earlier run must never be counted as this one's
    # One test program at a time: several of them start servers and measure deadlines.
    run = subprocess.run(["meson", "test", "-C", build, "--no-rebuild", "--num-processes", "1"], env={**SANITIZERS, **os.environ},
                         stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    total_passed = total_failed = 0
    if os.path.exists(log):
        with open(log, encoding="utf-8") as lines:
            for line in lines:
                entry = json.loads(line)
                good = entry["result"] == "OK"
                output = (entry.get("stdout") or "") + (entry.get("stderr") or "")
                passed, failed = counts(output, good)
                total_passed += passed
                total_failed += failed
                print(f"{entry['name']}: {passed} passed, {failed} failed ({entry['duration']:.1f} s)")
                for skipped in SKIPPED_LINE.findall(ESCAPES.sub("", output)):
                    print(f"{entry['name']}: {skipped}")
                if failed:
                    print(f"--- output of {entry['name']} ({entry['result']})")
                    print(output.rstrip())
                    print(f"--- end of {entry['name']}")
    if run.returncode != 0 and total_failed == 0:
        total_failed = 1
        print(run.stdout)
    if total_passed + total_failed == 0:
        print("no test ran")
    print(f"{total_passed} passed, {total_failed} failed")
    return 0 if total_failed == 0 and total_passed > 0 else 1


if __name__ == "__main__":
    sys.exit(main())

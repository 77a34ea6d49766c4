#!/usr/bin/env python3
"""Runs files of Redis' own test suite in a prepared tree of its sources, one by one, and tells test by test what came of it.

    redis_suite.py TREE [--all] [--tls] [--large-memory] [--base-port N] [--results FOLDER] [FILE]...

Without a FILE it is every file that applies (NOT_APPLICABLE says which do not, and why). With --results each file's outcome goes into
FOLDER for result_table.py.

The suite starts the servers itself, waits for some events without a limit, and leaves what it started behind when it is ended; so
each file is a process group with a time limit. It runs with --durable: an unexpected error fails its test, not all that stand behind
it. The tests that cannot pass (redis_suite_exceptions.py) are left out, and tried alone afterwards.
"""
import argparse
import fnmatch
import glob
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from redis_suite_exceptions import CANNOT_PASS, HANGS, NOT_APPLICABLE, OTHER_NAMES, PARTS, SAID
from result_table import write_result

# With --tls: what is about it, and what moves bytes in every way.
TLS_LIST = [
    "unit/tls", "unit/protocol", "unit/pubsub", "unit/multi", "unit/limits", "unit/obuf-limits", "unit/querybuf", "unit/networking", "unit/tracking",
    "unit/introspection", "unit/type/string", "unit/dump", "integration/block-repl", "integration/replication", "integration/replication-psync",
    "integration/psync2", "integration/failover",
]

# Seconds for a file, with some to spare for a slow machine; Redis' own server takes a tenth of it and less.
TIME_LIMIT = 600
TIME_LIMITS = {"integration/replication": 1200, "integration/replication-psync": 1200, "unit/memefficiency": 900, "unit/obuf-limits": 900}
TRIAL_LIMIT = 120  # for what is expected to fail
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")
RESULT_LINE = re.compile(r"^\[(ok|err|skip|ignore|exception|TIMEOUT)\]: (.*)$", re.DOTALL)
OTHER_LINE = re.compile(r"^(\[\d+/\d+ done\]|\[ready\]|Testing |Waiting for process|Forcing process|Cleanup: |Killing still|\s+The End|!!! |\\o/)")
# Small lists and sets of strings are listpacks, as in Redis 7.2, where 7.0 says quicklist and hashtable.
LATER_ENCODINGS = """
proc assert_encoding {enc key} {
    set val [r object encoding $key]
    if {$val eq {listpack} && [lsearch {list set} [r type $key]] >= 0 && [lsearch {quicklist hashtable} $enc] >= 0} return
    assert_match $enc $val
}
"""
# There is no child to kill; but what the tests want of that is a save that fails. So its file goes away under it, and it runs to its end,
# which is an error then. A process that only waits is there to be killed.
NO_CHILD = """
proc get_child_pid {idx} {
    set server [srv $idx client]
    set at {}
    wait_for_condition 50 100 {
        [llength [set at [glob -nocomplain -directory [lindex [$server config get dir] 1] temp-*.rdb */temp-rewriteaof-*]]] > 0
    } else {
        error "nothing is being saved"
    }
    file delete {*}$at
    set delay [lindex [$server config get rdb-key-save-delay] 1]
    $server config set rdb-key-save-delay 0
    wait_for_condition 50 100 {
        [status $server rdb_bgsave_in_progress] == 0 && [status $server aof_rewrite_in_progress] == 0
    } else {
        error "the save did not end"
    }
    $server config set rdb-key-save-delay $delay
    return [exec sleep 600 >/dev/null 2>/dev/null &]
}
"""
STATIC_NAME = re.compile(r'^\s*test (?:"([^"$\[]+)"|\{([^}]+)\}) ')


def matches(name, pattern):
    return bool(re.search(pattern[1:], name)) if pattern.startswith("/") else name == pattern


class Run:
    """One process of the suite on one file: its results as (result, test, explanation), and how it ended."""

    def __init__(self, tree, file, base_port, limit, selection):
        self.results = []  # ok, err, skip, ignore
        self.ending = ""   # why it ended before its end
        self.noise = []
        self.unstarted = False
        command = ["tclsh", "tests/test_helper.tcl", "--single", file, "--clients", "1", "--baseport", str(base_port), "--durable", "--dont-clean",
                   "--timeout", str(limit), *selection]
        run = subprocess.Popen(command, cwd=tree, env={**os.environ, "TERM": "dumb"}, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True)
        late = threading.Timer(limit + 5, lambda: end_group(run.pid))
        late.start()
        for line in run.stdout:
            self.line(ESCAPES.sub("", line.rstrip("\n")))
        code = run.wait()
        if not late.is_alive():
            self.ending = self.ending or f"it did not end within {limit} s"
        late.cancel()
        end_group(run.pid)  # whatever it has left of its own processes
        if code and not self.ending and not any(result == "err" for result, _, _ in self.results):
            self.ending = f"it ended with code {code}"

    def line(self, line):
        self.noise.append(line)
        found = RESULT_LINE.match(line)
        if found:
            kind, text = found.groups()
            if kind == "ok":
                # A test whose server did not start was not run, and yet is told as passed.
                outcome = ("err", "its server did not start") if self.unstarted else ("ok", "")
                self.results.append((outcome[0], re.sub(r" \(\d+ ms\)$", "", text), outcome[1]))
                self.unstarted = False
            elif kind == "err":
                self.results.append(("err", re.sub(r" in tests/\S+\.tcl$", "", text), ""))
                self.unstarted = text.startswith("Can't start the")
            elif kind == "skip":
                self.results.append(("skip", text, ""))
            elif kind == "ignore":
                name, _, why = text.rpartition(": ") if ": " in text and not text.startswith("Tag") else ("", "", text)
                self.results.append(("ignore", name or "a part of the file", SAID.get(why, why)))
            elif kind == "TIMEOUT":
                self.ending = "nothing went on for too long"
            else:
                self.ending = f"an error outside of a test: {text}"
        elif line.startswith("sock") and "=> (" in line:
            self.ending += f": {line.split('=> ', 1)[1]}"
        elif self.results and self.results[-1][0] == "err" and line.strip() and not OTHER_LINE.match(line):
            result, name, text = self.results[-1]
            self.results[-1] = (result, name, f"{text}\n{line}".strip())


def end_group(pid):
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


class Table:
    """What the runs found, as rows."""

    def __init__(self, options):
        self.options = options
        self.how = ["--tls"] * options.tls + ["--large-memory"] * options.large_memory
        self.files = {}      # passed, failed, skipped, seconds
        self.left_out = []   # file, test, why
        self.failed = []     # file, test, why
        self.stale = []      # file, test

    def row(self, file, result, name, why=""):
        self.files[file][{"passed": 0, "FAILED": 1, "skipped": 2}[result]] += 1
        if result == "skipped":
            self.left_out.append((file, name, why))
        if result == "FAILED":
            self.failed.append((file, name, why))
        first = why.split("\n")[0]
        print(f"{result:8} {file:32} {name}" + (f": {first}" if first else ""), flush=True)

    def run(self, file):
        begun = time.monotonic()
        self.files[file] = [0, 0, 0, 0]
        reasons = {} if self.options.all else CANNOT_PASS.get(file, {})
        with tempfile.NamedTemporaryFile("w", suffix=".skip") as names:
            names.write("\n".join(reasons))
            names.flush()
            run = Run(self.options.tree, file, self.options.base_port, TIME_LIMITS.get(file, TIME_LIMIT), ["--skipfile", names.name, *self.how])
        for name, _, why in [] if self.options.all else PARTS.get(file, []):
            self.row(file, "skipped", name, why)
        for result, name, text in run.results:
            if result == "skip":
                text = next((why for pattern, why in reasons.items() if matches(name, pattern)), "")
            self.row(file, {"ok": "passed", "err": "FAILED"}.get(result, "skipped"), name, text)
        if run.ending:
            self.row(file, "FAILED", "the whole file", run.ending)
            self.not_reached(file, run)
        if self.files[file][1]:
            self.keep(file, run)
        self.try_left_out(file, reasons)
        self.files[file][3] = int(time.monotonic() - begun)
        if self.options.results:
            name = f"{file} through TLS" if self.options.tls else file
            write_result(self.options.results, name, self.files[file][0], [row[1:] for row in self.failed if row[0] == file],
                         [(test, why.removeprefix(HANGS)) for where, test, why in self.left_out if where == file])

    def not_reached(self, file, run):
        seen = {name for _, name, _ in run.results}
        with open(os.path.join(self.options.tree, "tests", f"{file}.tcl"), encoding="utf-8", errors="replace") as text:
            for line in text:
                found = STATIC_NAME.match(line)
                name = found and (found.group(1) or found.group(2))
                if name and name not in seen:
                    self.row(file, "skipped", name, "the file ended before it")

    def keep(self, file, run):
        """The servers' logs, and what the suite said, go out of the next file's way."""
        folder = os.path.join(os.path.dirname(self.options.tree), "failed", file.replace("/", "-"))
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(os.path.dirname(folder), exist_ok=True)
        os.rename(os.path.join(self.options.tree, "tests", "tmp"), folder)  # copying would stumble on sockets
        os.makedirs(os.path.join(self.options.tree, "tests", "tmp"))
        with open(os.path.join(folder, "output"), "w", encoding="utf-8") as output:
            output.write("\n".join(run.noise) + "\n")

    def try_left_out(self, file, reasons):
        tried = [pattern for pattern, why in reasons.items() if not why.startswith(HANGS)]
        if not tried:
            return
        words = [word for pattern in tried for word in ("--only", pattern)] + self.how
        run = Run(self.options.tree, file, self.options.base_port, TRIAL_LIMIT, words)
        failed = {name for result, name, _ in run.results if result == "err"}
        self.stale += [(file, name) for result, name, _ in run.results if result == "ok" and name not in failed]

    def end(self):
        print("--- each file: passed, failed, skipped; seconds")
        for file, (passed, failed, skipped, seconds) in self.files.items():
            print(f"{file:36} {passed:5} {failed:5} {skipped:5} {seconds:6}")
        if self.left_out:
            print("--- left out, and not counted as passed")
        for file, name, why in self.left_out:
            print(f"{file:32} {name}: {why}")
        if self.stale:
            print("--- in the list of what cannot pass, but passes alone")
        for file, name in self.stale:
            print(f"{file:32} {name}")
        passed, failed, skipped = (sum(counts[i] for counts in self.files.values()) for i in range(3))
        if skipped:
            print(f"{skipped} skipped")
        print(f"{passed} passed, {failed} failed")
        return 0 if passed and not failed else 1


def replace(tree, file, part, by):
    path = os.path.join(tree, "tests", f"{file}.tcl")
    with open(path, encoding="utf-8") as test:
        text = test.read()
    if part not in text:
        raise SystemExit(f"{file} has no such part: {part}\n0 passed, 1 failed")
    with open(path, "w", encoding="utf-8") as test:
        test.write(text.replace(part, by))


def applies(file):
    return not any(fnmatch.fnmatchcase(file, pattern) for pattern in NOT_APPLICABLE)


def chosen(tree, patterns):
    """The files that are meant: a name is that file whatever it is, a pattern only means those that apply, as no pattern does."""
    folder = os.path.join(tree, "tests")
    there = sorted(os.path.relpath(path, folder)[:-4] for part in ("unit", "unit/*", "integration")
                   for path in glob.glob(os.path.join(folder, part, "*.tcl")))
    files = []
    for pattern in patterns or ["*"]:
        found = [file for file in there if file == pattern or (fnmatch.fnmatchcase(file, pattern) and applies(file))]
        if not found:
            raise SystemExit(f"no file of the tests is called {pattern}\n0 passed, 1 failed")
        files += [file for file in found if file not in files]
    return files


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tree")
    parser.add_argument("files", nargs="*", default=[])
    parser.add_argument("--all", action="store_true", help="also the tests that cannot pass here")
    parser.add_argument("--tls", action="store_true", help="everything speaks TLS; the tree has its certificates")
    parser.add_argument("--large-memory", action="store_true", help="also the tests that take several GiB")
    parser.add_argument("--base-port", type=int, default=21111)
    parser.add_argument("--results", help="a folder for the outcome of each file")
    options = parser.parse_intermixed_args()
    os.makedirs(os.path.join(options.tree, "tests", "tmp"), exist_ok=True)
    if not options.all:
        for file, text in (("test.tcl", LATER_ENCODINGS), ("util.tcl", NO_CHILD)):
            with open(os.path.join(options.tree, "tests", "support", file), "a", encoding="utf-8") as procedures:
                procedures.write(text)
        for file, parts in PARTS.items():
            for _, part, _ in parts:
                replace(options.tree, file, part, "")
        for file, (name, own) in OTHER_NAMES.items():
            replace(options.tree, file, name, own)
    table = Table(options)
    for file in chosen(options.tree, options.files or (TLS_LIST if options.tls else [])):
        table.run(file)
    return table.end()


if __name__ == "__main__":
    sys.exit(main())

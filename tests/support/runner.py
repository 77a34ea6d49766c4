"""Runs the cases of a Python suite, some at a time, and counts them.

A case is (name, function, parameters). What it works on is made for it by `make`, and has end(failed) -> problems, logs()
and clean().
"""
import argparse
import collections
import concurrent.futures
import importlib
import os
import shutil
import tempfile
import time
import traceback

import servers


class Failed(Exception):
    """A case's finding; its text says it all."""


class Skipped(Exception):
    """The case cannot run here; its text says why. It counts neither as passed nor as failed."""


def check(condition, text):
    if not condition:
        raise Failed(text() if callable(text) else text)


class Folder:
    """What a case works on that starts its servers itself: a path. The servers log in folders of their own."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="vedette-case-")

    def end(self, _failed):
        return []

    def logs(self):
        return ""

    def clean(self):
        shutil.rmtree(self.path, ignore_errors=True)


def main(functions):
    """A suite that is one file: its cases are functions of a folder's path, one after the other. Its server is servers.VEDETTE."""
    named = [(function.__name__.replace("_", " "), lambda folder, function=function: function(folder.path), ()) for function in functions]
    return play_alone(named, Folder)


def play_alone(chosen, make):
    """The same of cases as run_all() takes them."""
    options = argparse.ArgumentParser()
    options.add_argument("--server", required=True)
    options.add_argument("--only", default="", help="only the cases whose name contains this")
    options = options.parse_args()
    servers.VEDETTE = os.path.abspath(options.server)
    return run_all([case for case in chosen if options.only in case[0]], make, 1)


def cases(modules, shown=str):
    """(name, function, parameters) of every test of the modules, in order. `shown`: a parameter as text."""
    for module in modules:
        for function, parameters in importlib.import_module(module).CASES:
            for values in parameters or [()]:
                values = values if isinstance(values, tuple) else (values,)
                text = ", ".join(map(shown, values))
                yield f"{module}: {function.__name__.replace('_', ' ')}" + (f" ({text})" if text else ""), function, values


def run(case, make):
    """(name, fault, why it was skipped, seconds) of one case."""
    name, function, values = case
    began = time.monotonic()
    things = make()
    fault = skipped = ""
    try:
        function(things, *values)
    except Skipped as reason:
        skipped = str(reason)
    except Failed as error:
        fault = str(error)
    except Exception:  # any: a case's own mistake is a failure of the case
        fault = traceback.format_exc()
    try:
        problems = things.end(bool(fault))
    except Exception:
        problems = [traceback.format_exc()]
    fault = "\n".join([fault, *problems]).strip()
    if fault:
        fault += "\n" + things.logs()
    things.clean()
    return name, fault, skipped, time.monotonic() - began


def run_all(chosen, make, jobs):
    """Runs them; a line for each, the logs of those that failed, and the figures on the last line. The exit code."""
    passed = failed = 0
    skips = collections.Counter()
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, case, make) for case in chosen]):
            name, fault, skipped, seconds = future.result()
            if fault:
                failed += 1
            elif skipped:
                skips[skipped] += 1
            else:
                passed += 1
            print(f"{'FAILED' if fault else 'skipped' if skipped else 'ok'}: {name} ({skipped or f'{seconds:.1f} s'})", flush=True)
            if fault:
                print(fault, flush=True)
    for reason, cases in skips.items():
        print(f"{cases} skipped: {' '.join(reason.split())}")
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and (passed or skips) else 1

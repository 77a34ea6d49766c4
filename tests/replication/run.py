#!/usr/bin/env python3
"""Replication between real servers: Vedette and Redis 7.0.15 as primaries, replicas and replicas of replicas.

    run.py --server build/server/vedette-server [--only WORD] [--jobs N]

Each case is a function of a Topology; one that is listed with parameters is as many tests. A failure shows the case, what was
waited for, and the servers' logs. The last line is `N passed, N failed`.
"""
import argparse
import concurrent.futures
import importlib
import sys
import time
import traceback

import topology

MODULES = ("synchronization", "continuation", "commands", "failover", "safety", "bad_primaries", "bad_replicas", "slow_replica")


def cases():
    """(name, function, parameters) of every test, in order."""
    for module in MODULES:
        for function, parameters in importlib.import_module(module).CASES:
            for values in parameters or [()]:
                values = values if isinstance(values, tuple) else (values,)
                shown = ", ".join("-".join(v[0] for v in value) if isinstance(value, tuple) else str(value) for value in values)
                yield f"{module}: {function.__name__.replace('_', ' ')}" + (f" ({shown})" if shown else ""), function, values


def run(case):
    name, function, values = case
    began = time.monotonic()
    servers = topology.Topology()
    fault = ""
    try:
        function(servers, *values)
    except topology.Failed as error:
        fault = str(error)
    except Exception:  # any: a case's own mistake is a failure of the case
        fault = traceback.format_exc()
    problems = []
    try:
        problems = servers.end(bool(fault))
    except Exception:
        problems = [traceback.format_exc()]
    fault = "\n".join([fault, *problems]).strip()
    if fault:
        fault += "\n" + servers.logs()
    servers.clean()
    return name, fault, time.monotonic() - began


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    topology.BINARIES[topology.VEDETTE] = options.server
    chosen = [case for case in cases() if options.only in case[0]]
    passed = failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for future in concurrent.futures.as_completed([pool.submit(run, case) for case in chosen]):
            name, fault, seconds = future.result()
            passed, failed = passed + (not fault), failed + bool(fault)
            print(f"{'FAILED' if fault else 'ok'}: {name} ({seconds:.1f} s)", flush=True)
            if fault:
                print(fault, flush=True)
    print(f"{passed} passed, {failed} failed")
    return 0 if failed == 0 and passed else 1


if __name__ == "__main__":
    sys.exit(main())

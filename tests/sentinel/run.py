#!/usr/bin/env python3
"""Sentinels and servers as real processes: Vedette's and Redis 7.0.15's, in all mixes.

    run.py --server build/server/vedette-server --sentinel build/sentinel/vedette-sentinel [--module NAME]... [--only WORD] [--jobs N]

`redis` in place of either path lets Redis 7.0.15 play that program: where the behaviour is Redis', the tests pass with it too.
Each case is a function of a Group; one that is listed with parameters is as many tests. A failure shows the case, what was
waited for, and the logs. The last line is `N passed, N failed`; what cannot run here is skipped, with the reason.
"""
import argparse
import os
import sys

import group
from runner import cases, run_all

MODULES = ("compatible", "failovers", "events", "partitions", "clients", "bad_input", "extensions", "users", "endings", "over_tls")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True, help="vedette-server, or `redis`")
    parser.add_argument("--sentinel", required=True, help="vedette-sentinel, or `redis`")
    parser.add_argument("--module", action="append", choices=MODULES, help="only this one; may be given several times")
    parser.add_argument("--only", default="", help="only the cases whose name contains this")
    parser.add_argument("--jobs", type=int, default=4, help="cases at a time")
    parser.add_argument("--work", default=os.path.join(group.servers.tempfile.gettempdir(), "vedette-sentinel-clients"), help="where npm installs clients")
    options = parser.parse_args()
    group.play(options.server, options.sentinel)
    group.WORK = os.path.abspath(options.work)
    chosen = [module for module in MODULES if module in (options.module or MODULES) and os.path.exists(os.path.join(group.HERE, module + ".py"))]
    return run_all([case for case in cases(chosen) if options.only in case[0]], group.Group, options.jobs)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    sys.exit(main())

#!/usr/bin/env python3
"""Replication between real servers: Vedette and Redis 7.0.15 as primaries, replicas and replicas of replicas.

    run.py --server build/server/vedette-server [--only WORD] [--jobs N]

Each case is a function of a Topology; one that is listed with parameters is as many tests. A failure shows the case, what was
waited for, and the servers' logs. The last line is `N passed, N failed`.
"""
import argparse
import sys

import topology
from runner import cases, run_all

MODULES = ("synchronization", "continuation", "commands", "failover", "safety", "bad_primaries", "bad_replicas", "slow_replica",
           "for_sentinels", "encrypted")


def shown(value):
    return "-".join(kind[0] for kind in value) if isinstance(value, tuple) else str(value)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--server", required=True)
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=4)
    options = parser.parse_args()
    topology.BINARIES[topology.VEDETTE] = options.server
    return run_all([case for case in cases(MODULES, shown) if options.only in case[0]], topology.Topology, options.jobs)


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""The outcome of Redis' own tests as a table of README.md.

    result_table.py FOLDER README

FOLDER holds a file for each file of the tests, as redis_suite.py and sentinel_suite.py leave them there with --results: of one run or
of several, of which the latest counts. What stands in README between the two lines BEGIN and END gives way to the table: a line for each
file, then the reasons why something was left out, each once.
"""
import argparse
import json
import os
import sys

from redis_suite_exceptions import NOT_APPLICABLE

BEGIN = "<!-- results of Redis' own tests: written by scripts/compat/result_table.py -->"
END = "<!-- end of the results -->"


def write_result(folder, name, passed, failed, left_out):
    """Of one file: how many tests passed, and those that failed or were left out, as (test, why)."""
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name.replace("/", "-").replace(" ", "-") + ".json"), "w", encoding="utf-8") as file:
        json.dump({"name": name, "passed": passed, "failed": failed, "left_out": left_out}, file, indent=1)
        file.write("\n")


def read_results(folder):
    results = []
    for entry in sorted(os.listdir(folder)):
        if entry.endswith(".json"):
            with open(os.path.join(folder, entry), encoding="utf-8") as file:
                results.append(json.load(file))
    # The main files first, then what is encrypted, then the sentinels'.
    return sorted(results, key=lambda result: (result["name"].startswith("sentinel"), result["name"].endswith("through TLS"), result["name"]))


def cell(text):
    return text.split("\n")[0].replace("|", "\\|").replace("<", "&lt;")


def counted(files):
    return ", ".join(f"{file}" + (f" ({count})" if count > 1 else "") for file, count in files.items())


def table(results):
    reasons = {}  # why -> {file: how many}
    for result in results:
        for _, why in result["left_out"]:
            files = reasons.setdefault(why, {})
            files[result["name"]] = files.get(result["name"], 0) + 1
    numbers = {why: number for number, why in enumerate(reasons, 1)}
    lines = ["| file | passed | failed | left out | why |", "|---|---|---|---|---|"]
    for result in results:
        why = sorted({numbers[reason] for _, reason in result["left_out"]})
        counts = f"{result['passed']} | {len(result['failed'])} | {len(result['left_out'])}"
        lines.append(f"| {result['name']} | {counts} | {', '.join(map(str, why))} |")
    sums = [str(sum(count(result) for result in results)) for count in
            (lambda one: one["passed"], lambda one: len(one["failed"]), lambda one: len(one["left_out"]))]
    lines.append(f"| all {len(results)} | {sums[0]} | {sums[1]} | {sums[2]} | |")
    failed = [(result["name"], name, why) for result in results for name, why in result["failed"]]
    if failed:
        lines += ["", "What failed:", ""] + [f"- {file}: {cell(name)}: {cell(why)}" for file, name, why in failed]
    if reasons:
        lines += ["", "Why tests are left out; a number in parentheses says how many:", ""]
        lines += [f"{numbers[why]}. {cell(why)}: {counted(files)}" for why, files in reasons.items()]
    without = {}
    for file, why in NOT_APPLICABLE.items():
        without.setdefault(why, []).append(file)
    lines += ["", "Files that are not run:", ""] + [f"- {', '.join(f'`{file}`' for file in files)}: {cell(why)}" for why, files in without.items()]
    return lines


def write_table(folder, readme):
    results = read_results(folder)
    if not results:
        raise SystemExit(f"there are no results in {folder}")
    with open(readme, encoding="utf-8") as file:
        lines = file.read().split("\n")
    if lines.count(BEGIN) != 1 or lines.count(END) != 1 or lines.index(BEGIN) > lines.index(END):
        raise SystemExit(f"{readme} does not have the lines between which the table stands:\n{BEGIN}\n{END}")
    lines[lines.index(BEGIN) + 1:lines.index(END)] = ["", *table(results), ""]
    with open(readme, "w", encoding="utf-8") as file:
        file.write("\n".join(lines))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("readme")
    options = parser.parse_args()
    write_table(options.folder, options.readme)
    return 0


if __name__ == "__main__":
    sys.exit(main())

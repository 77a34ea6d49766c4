#!/usr/bin/env python3
"""Checks that every source file includes only what its folder may, by the table in layers.txt.

Reads #include lines, not the program: an include in a disabled #if counts too. Project files are
included with quotes and from the root of the tree, system headers with angle brackets.

  check_layers.py [ROOT]     checks the tree; prints file:line: reason for each violation
  check_layers.py --test     checks this checker against small made-up trees

Both end on the line `N passed, N failed`: folders checked, or cases.
"""
import os
import re
import sys
import tempfile

INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)')
SUFFIXES = (".h", ".cc", ".cpp", ".hpp")
TOP_FOLDERS = ("common", "server", "sentinel", "tests")


class TableError(Exception):
    pass


def parse_table(text):
    """The rows of the table as they stand: folder -> list of words."""
    rows = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0].strip()
        if not line:
            continue
        folder, colon, words = line.partition(":")
        if not colon or folder.strip() in rows:
            raise TableError(f"layers.txt:{number}: not `folder: what it may include`, or the folder twice")
        rows[folder.strip()] = words.split()
    return rows


def allowed_of(folder, rows, trail=()):
    """The set of folders and <headers> that `folder` may include, itself included."""
    if folder in trail:
        raise TableError(f"layers.txt: {' -> '.join(trail + (folder,))} is a circle")
    allowed = {folder}
    for word in rows[folder]:
        if word.startswith("<"):
            allowed.add(word)
        elif word.endswith("/*"):
            below = [other for other in rows if other.startswith(word[:-1])]
            if not below:
                raise TableError(f"layers.txt: {folder} names {word}, which is no folder")
            allowed.update(below)
        else:
            name = word.rstrip("+")
            if name not in rows:
                raise TableError(f"layers.txt: {folder} names {name}, which has no line")
            allowed.add(name)
            if word.endswith("+"):
                # System headers are not handed on: who wants libuv says so in its own line.
                allowed.update(item for item in allowed_of(name, rows, trail + (folder,)) if item[0] != "<")
    return allowed


def folder_of(path, rows):
    """The folder of the table that holds `path`, the most specific one, or None."""
    holders = [folder for folder in rows if path.startswith(folder + "/")]
    return max(holders, key=len, default=None)


def sources(root):
    for top in TOP_FOLDERS:
        for folder, names, files in os.walk(os.path.join(root, top)):
            names[:] = sorted(name for name in names if name not in ("node_modules", "__pycache__"))
            for name in sorted(files):
                if name.endswith(SUFFIXES):
                    yield os.path.relpath(os.path.join(folder, name), root)


def check_file(path, text, root, rows, allowed, restricted):
    """The violations of one file, as `path:line: reason`."""
    own = folder_of(path, rows)
    if own is None:
        return [f"{path}:1: this folder has no line in scripts/layers.txt"]
    found = []
    for number, line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        quoted, system = match.groups()
        if system is not None:
            if f"<{system}>" in restricted and f"<{system}>" not in allowed[own]:
                found.append(f"{path}:{number}: {own} may not include <{system}>")
            if system.split("/")[0] in TOP_FOLDERS:
                found.append(f"{path}:{number}: a file of the project is included with quotes: <{system}>")
        elif not os.path.isfile(os.path.join(root, quoted)):
            found.append(f'{path}:{number}: no such file from the root of the tree: "{quoted}"')
        else:
            target = folder_of(quoted, rows)
            if target not in allowed[own]:
                found.append(f'{path}:{number}: {own} may not include {target or "what has no layer"}: "{quoted}"')
    return found


def check(root, table):
    """All violations of the tree, and the set of folders that hold sources."""
    rows = parse_table(table)
    allowed = {folder: allowed_of(folder, rows) for folder in rows}
    restricted = {word for words in rows.values() for word in words if word.startswith("<")}
    found, seen = [], set()
    for path in sources(root):
        with open(os.path.join(root, path), encoding="utf-8") as file:
            found += check_file(path, file.read(), root, rows, allowed, restricted)
        seen.add(folder_of(path, rows) or os.path.dirname(path))
    return found, seen


CASE_TABLE = """
common/base:
common/net:   common/base <uv.h>
server/store: common/base
server/app:   server/* common/*
tests:        server/app+
"""
CASES = [  # name, files, the violation expected or None
    ("a layer may include what its line names", {"server/store/a.cc": '#include "common/base/b.h"'}, None),
    ("a layer may include itself", {"common/base/a.cc": '#include "common/base/b.h"'}, None),
    ("an upward include is found", {"common/base/a.cc": '\n#include "server/store/s.h"', "server/store/s.h": ""},
     'common/base/a.cc:2: common/base may not include server/store: "server/store/s.h"'),
    ("spaces hide nothing", {"common/base/a.cc": '  #  include   "common/net/n.h"', "common/net/n.h": ""},
     'common/base/a.cc:1: common/base may not include common/net: "common/net/n.h"'),
    ("libuv is refused where the line does not name it", {"server/store/a.h": "#include <uv.h>"},
     "server/store/a.h:1: server/store may not include <uv.h>"),
    ("libuv is allowed where the line names it", {"common/net/a.h": "#include <uv.h>\n#include <vector>"}, None),
    ("libuv is not inherited", {"server/app/a.h": "#include <uv.h>"}, "server/app/a.h:1: server/app may not include <uv.h>"),
    ("the star opens the folders below", {"server/app/a.cc": '#include "common/net/n.h"', "common/net/n.h": ""}, None),
    ("the plus hands on what the other may", {"tests/a.cc": '#include "common/net/n.h"', "common/net/n.h": ""}, None),
    ("a path beside the file is refused", {"common/base/a.cc": '#include "b.h"'},
     'common/base/a.cc:1: no such file from the root of the tree: "b.h"'),
    ("a folder without a line is found", {"server/odd/a.cc": ""},
     "server/odd/a.cc:1: this folder has no line in scripts/layers.txt"),
    ("angle brackets do not evade the check", {"common/base/a.cc": "#include <server/store/s.h>"},
     "common/base/a.cc:1: a file of the project is included with quotes: <server/store/s.h>"),
]


def self_test():
    passed = failed = 0
    for name, files, expected in CASES:
        with tempfile.TemporaryDirectory() as root:
            for path, text in {"common/base/b.h": "", **files}.items():
                os.makedirs(os.path.join(root, os.path.dirname(path)), exist_ok=True)
                with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                    file.write(text)
            found, _ = check(root, CASE_TABLE)
        if found == ([expected] if expected else []):
            passed += 1
        else:
            failed += 1
            print(f"failed: {name}: expected {expected}, found {found}")
    for name, table in (("a circle", "a: b+\nb: a+"), ("an unknown folder", "a: b"), ("a line twice", "a:\na:")):
        try:
            check("/nonexistent", table)
            failed += 1
            print(f"failed: {name} in the table is not found")
        except TableError:
            passed += 1
    return passed, failed


def main():
    if sys.argv[1:] == ["--test"]:
        passed, failed = self_test()
    else:
        here = os.path.dirname(os.path.abspath(__file__))
        root = sys.argv[1] if len(sys.argv) > 1 else os.path.dirname(here)
        with open(os.path.join(here, "layers.txt"), encoding="utf-8") as table:
            found, seen = check(root, table.read())
        for violation in found:
            print(violation)
        bad = {violation.split(":")[0] for violation in found}
        failed = sum(1 for folder in seen if any(path.startswith(folder + "/") for path in bad))
        passed = len(seen) - failed
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())

"""What the house checkers share: the tree, C++ text without comments, lists of exceptions, the report."""

import argparse
import fnmatch
import os
import re
import sys

SOURCE_SUFFIXES = (".h", ".cpp", ".c")


class Report:
    """Collects violations as `file:line: message`; `finish` prints them and gives the exit status."""

    def __init__(self, name):
        self.name = name
        self.lines = []

    def add(self, path, line, message):
        self.lines.append(f"{path}:{line}: {message}")

    def finish(self, checked):
        for line in self.lines:
            print(line)
        verdict = f"{len(self.lines)} violations" if self.lines else "good"
        print(f"{self.name}: {checked}, {verdict}")
        return 1 if self.lines else 0


class Exceptions:
    """A file of allowed violations. A line is `path-pattern token-pattern  # reason`; a reason is a must, and an entry that
    no longer matches anything is a violation itself, so that the list only holds what is needed."""

    def __init__(self, root, path, report):
        self.path = path
        self.report = report
        self.entries = []
        full = os.path.join(root, path)
        if not os.path.exists(full):
            return
        for number, text in enumerate(read_lines(full), 1):
            entry, _, reason = text.partition("#")
            fields = entry.split()
            if not fields:
                continue
            if not reason.strip():
                report.add(path, number, "an exception needs its reason after '#'")
            self.entries.append({"line": number, "path": fields[0], "token": fields[1] if len(fields) > 1 else "*", "used": False})

    def allows(self, path, token="*"):
        allowed = False
        for entry in self.entries:
            if fnmatch.fnmatch(path, entry["path"]) and fnmatch.fnmatch(token, entry["token"]):
                entry["used"] = allowed = True
        return allowed

    def report_unused(self):
        for entry in self.entries:
            if not entry["used"]:
                self.report.add(self.path, entry["line"], f"exception for {entry['path']} {entry['token']} is not needed; take it out")


def parse_arguments(description, *extra):
    """--root of the tree to check (default: the tree this file lies in), and what the caller adds."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--root", default=os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    for flags, options in extra:
        parser.add_argument(*flags, **options)
    return parser.parse_args()


def read_text(path):
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def read_lines(path):
    return read_text(path).splitlines()


def source_files(root, *folders, suffixes=SOURCE_SUFFIXES):
    """Paths relative to `root`, sorted, with `/`."""
    found = []
    for folder in folders:
        for directory, names, files in os.walk(os.path.join(root, folder)):
            names.sort()
            for name in files:
                if name.endswith(suffixes):
                    found.append(os.path.relpath(os.path.join(directory, name), root).replace(os.sep, "/"))
    return sorted(found)


def read_layers(root, report=None):
    """tools/layers.txt as {room: (line number, rooms it may include)}; arrows may only point to rooms named above."""
    layers = {}
    path = "tools/layers.txt"
    for number, text in enumerate(read_lines(os.path.join(root, path)), 1):
        match = re.match(r"([a-z_]+):(.*)", text)
        if not match:
            continue
        room, needs = match.group(1), match.group(2).split()
        for need in needs:
            if need not in layers and report:
                report.add(path, number, f"room '{room}' names '{need}', which is not above it in the table")
        layers[room] = (number, needs)
    return layers


_TOKEN = re.compile(
    r"""(?P<line>//[^\n]*)|(?P<block>/\*.*?\*/)"""
    r"""|(?P<raw>(?:u8|u|U|L)?R"(?P<tag>[^()\s\\]{0,16})\(.*?\)(?P=tag)")"""
    r"""|(?P<string>"(?:\\.|[^"\\\n])*")|(?P<char>(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+')""",
    re.DOTALL | re.VERBOSE,
)


def strip_code(text, keep_strings=False):
    """`text` with comments (and strings, unless kept) blanked; lines keep their numbers."""

    def blank(match):
        if keep_strings and match.lastgroup in ("string", "char", "raw", "tag"):
            return match.group(0)
        quotes = "" if match.lastgroup in ("line", "block") else '""'
        return quotes + "\n" * match.group(0).count("\n")

    return _TOKEN.sub(blank, text)


def fail_usage(message):
    print(message, file=sys.stderr)
    sys.exit(2)

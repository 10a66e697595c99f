#!/usr/bin/env python3
"""Checks how long files and functions are, and prints how the sizes are spread.

A file longer than its place allows must be on tools/exceptions/sizes.txt with a reason (`path` or `path data` for a table
or generated file, which has no hard limit). Nothing else may be longer than 800 lines, no function longer than 70.
"""

import fnmatch
import os
import re
import sys

import house

# First match counts: (path pattern, lines above which a file must explain itself).
PLACES = [
    ("include/jina/*", 200),
    ("src/ops/*", 300),
    ("src/nn/*", 300),
    ("src/*", 500),
    ("tests/*", 500),
    ("*", 500),
]
HARD_LIMIT = 800
FUNCTION_LIMIT = 70
NOT_A_FUNCTION = re.compile(r"^(?:namespace\b|extern \"C\"|#|//|/\*|\*|\}|\)|public:|private:|protected:|\w+:$)")


def function_lengths(lines):
    """(first line, length) of each function at namespace level: formatted code ends one with a lone `}` in the first column."""
    start = None
    for number, line in enumerate(lines, 1):
        if line == "}" and start is not None:
            yield start, number - start + 1
            start = None
        elif line and not line[0].isspace() and not NOT_A_FUNCTION.match(line):
            start = number


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0


def print_spread(sizes):
    for folder in ("src", "tests", "include", "fuzz", "bench"):
        ordered = sorted(lines for path, lines in sizes.items() if path.startswith(folder + "/"))
        if ordered:
            print(f"  {folder}: {len(ordered)} files, {sum(ordered)} lines, median {percentile(ordered, 0.5)}, "
                  f"90th percentile {percentile(ordered, 0.9)}, longest {ordered[-1]}")
    tail = sorted(((lines, path) for path, lines in sizes.items() if lines > 300), reverse=True)
    for lines, path in tail[:20]:
        print(f"  {lines:5d} {path}")


def main():
    arguments = house.parse_arguments(__doc__)
    report = house.Report("check_sizes")
    exceptions = house.Exceptions(arguments.root, "tools/exceptions/sizes.txt", report)
    sizes = {}
    for path in house.source_files(arguments.root, "src", "include", "tests", "fuzz", "bench", "examples"):
        lines = house.read_lines(os.path.join(arguments.root, path))
        sizes[path] = len(lines)
        limit = next(limit for pattern, limit in PLACES if fnmatch.fnmatch(path, pattern))
        if len(lines) <= limit:
            pass
        elif exceptions.allows(path, "data"):
            continue
        elif len(lines) > HARD_LIMIT:
            report.add(path, len(lines), f"{len(lines)} lines; the hard limit is {HARD_LIMIT}")
        elif not exceptions.allows(path, "long"):
            report.add(path, len(lines), f"{len(lines)} lines; above {limit} a file explains itself in tools/exceptions/sizes.txt")
        for start, length in function_lengths(lines):
            if length > FUNCTION_LIMIT and not exceptions.allows(path, "function"):
                report.add(path, start, f"a function of {length} lines; the limit is {FUNCTION_LIMIT}")
    exceptions.report_unused()
    print_spread(sizes)
    return report.finish(f"{len(sizes)} files")


if __name__ == "__main__":
    sys.exit(main())

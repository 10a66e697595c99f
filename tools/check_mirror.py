#!/usr/bin/env python3
"""Checks that each source file has its test: src/nn/rotary.cpp and tests/nn/rotary_test.cpp.

A backend or instruction-set variant is tested through its contract: src/ops/cpu/softmax_avx2.cpp by tests/ops/cpu/softmax_test.cpp
or tests/ops/softmax_test.cpp; a model's parts by tests/models/<model>_test.cpp. A test without a source is reported too.
Exceptions: tools/exceptions/mirror.txt, `path  # what tests it instead`.
"""

import os
import re
import sys

import house

VARIANT = re.compile(r"_(?:avx2|avx512|avx512bf16|sse4|neon)$")


def twins(path):
    """The test files of which any one is enough."""
    parts = path[len("src/"):-len(".cpp")].split("/")
    names = [parts, parts[:-1] + [VARIANT.sub("", parts[-1])]]
    if len(parts) > 2:
        names += [[parts[0], name[-1]] for name in list(names)] + [parts[:2]]
    return ["tests/" + "/".join(name) + "_test.cpp" for name in names]


def sources_of(path, layers):
    """The source files of which a test file may be the twin; nothing for tests of no room."""
    parts = path[len("tests/"):-len("_test.cpp")].split("/")
    return parts if parts[0] in layers else None


def main():
    arguments = house.parse_arguments(__doc__)
    root = arguments.root
    report = house.Report("check_mirror")
    exceptions = house.Exceptions(root, "tools/exceptions/mirror.txt", report)
    layers = house.read_layers(root)
    sources = house.source_files(root, "src", suffixes=(".cpp",))
    tests = set(house.source_files(root, "tests", suffixes=("_test.cpp",)))
    claimed = set()
    for path in sources:
        found = [twin for twin in twins(path) if twin in tests]
        claimed.update(found)
        if not found and not exceptions.allows(path):
            report.add(path, 1, f"has no test {twins(path)[0]}")
    headers = {path[len("src/"):-len(".h")] for path in house.source_files(root, "src", suffixes=(".h",))}
    for path in sorted(tests - claimed):
        stem = path[len("tests/"):-len("_test.cpp")]
        if sources_of(path, layers) and stem not in headers and not exceptions.allows(path):
            report.add(path, 1, f"is the test of src/{stem}.cpp, which is not there")
    exceptions.report_unused()
    return report.finish(f"{len(sources)} sources, {len(tests)} tests")


if __name__ == "__main__":
    sys.exit(main())

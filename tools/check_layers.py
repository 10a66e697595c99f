#!/usr/bin/env python3
"""Checks that arrows between the rooms of src/ only point down, and what only some rooms may use.

- an include of another room must be allowed by tools/layers.txt; includes are written from the root of src/;
- a third-party header may appear only in the rooms tools/third_party.txt gives it;
- only cli reads the environment, prints, or ends the process; nothing is thread_local;
- platform conditions (#if on the processor or compiler) live in ops and base only.

Exceptions: tools/exceptions/layers.txt.
"""

import fnmatch
import os
import re
import sys

import house

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')

# (token, pattern on code without comments and strings, rooms that may, message)
FORBIDDEN = [
    ("getenv", re.compile(r"\b(?:secure_)?getenv\s*\("), {"cli"}, "reads the environment; only cli may"),
    ("print", re.compile(r"\b(?:std::(?:cout|cerr|clog)|stdout|stderr)\b|(?<![\w.>])(?:std::)?(?:printf|puts|putchar|perror|vprintf)\s*\(|\bfmt::print\b"),
     {"cli"}, "prints; the library reports through LogHook or Error"),
    ("exit", re.compile(r"(?<![\w.>])(?:std::)?(?:exit|_exit|_Exit|quick_exit|abort|terminate)\s*\("), {"cli"},
     "ends the process; throw Error"),
    ("assert", re.compile(r"(?<![\w.>])assert\s*\("), set(), "assert aborts and vanishes in release builds; use JINA_CHECK"),
    ("thread_local", re.compile(r"\bthread_local\b"), set(), "hidden state; pass it in a context"),
    ("platform", re.compile(r"^\s*#\s*(?:el)?if.*\b(?:__x86_64__|__i386__|__aarch64__|__arm__|__AVX\w*|__SSE\w*|__F16C__|__FMA__|"
                            r"__GNUC__|__clang__|__linux__|__APPLE__|_WIN32|_MSC_VER)\b", re.MULTILINE),
     {"ops", "base"}, "platform condition; they live in ops and base"),
]


def read_third_party(root, report):
    """[(header pattern, rooms)]; a line is `pattern...: room...`, `*` for all rooms."""
    rules = []
    path = "tools/third_party.txt"
    for number, text in enumerate(house.read_lines(os.path.join(root, path)), 1):
        text = text.partition("#")[0].strip()
        if not text:
            continue
        patterns, colon, rooms = text.partition(":")
        if not colon:
            report.add(path, number, "expected 'pattern...: room...'")
            continue
        rules += [(pattern, set(rooms.split())) for pattern in patterns.split()]
    return rules


def check_system_include(report, place, path, header, rules):
    if "." not in header and "/" not in header:
        return  # the C++ standard library
    for pattern, rooms in rules:
        if fnmatch.fnmatch(header, pattern):
            if "*" not in rooms and not any(path.startswith(f"src/{room}/") for room in rooms):
                report.add(*place, f"<{header}> belongs to {', '.join(sorted(rooms))} only")
            return
    report.add(*place, f"<{header}> is not in tools/third_party.txt")


def check_room_include(report, place, room, header, layers):
    target = header.split("/")[0]
    if target == "jina":
        return
    if target not in layers:
        report.add(*place, f'"{header}": includes are written from the root of src/ (or jina/ for the public headers)')
    elif target != room and target not in layers[room][1]:
        report.add(*place, f'room \'{room}\' may not include "{header}"; it may include: {" ".join(layers[room][1]) or "nothing"}')


def check_file(root, path, layers, rules, exceptions, report):
    room = path.split("/")[1]
    if room not in layers:
        report.add(path, 1, f"folder '{room}' is not in tools/layers.txt")
        return
    text = house.read_text(os.path.join(root, path))
    for number, line in enumerate(house.strip_code(text, keep_strings=True).splitlines(), 1):
        match = INCLUDE.match(line)
        if not match or exceptions.allows(path, match.group(2)):
            continue
        if match.group(1) == "<":
            check_system_include(report, (path, number), path, match.group(2), rules)
        else:
            check_room_include(report, (path, number), room, match.group(2), layers)
    code = house.strip_code(text)
    for token, pattern, rooms, message in FORBIDDEN:
        if room in rooms:
            continue
        for match in pattern.finditer(code):
            if not exceptions.allows(path, token):
                report.add(path, code.count("\n", 0, match.start()) + 1, f"'{match.group(0).strip()}' {message}")


def main():
    arguments = house.parse_arguments(__doc__)
    report = house.Report("check_layers")
    layers = house.read_layers(arguments.root, report)
    rules = read_third_party(arguments.root, report)
    exceptions = house.Exceptions(arguments.root, "tools/exceptions/layers.txt", report)
    files = [path for path in house.source_files(arguments.root, "src") if path.count("/") > 1]
    for path in files:
        check_file(arguments.root, path, layers, rules, exceptions, report)
    for path in house.source_files(arguments.root, "include"):
        check_public_header(arguments.root, path, report)
    exceptions.report_unused()
    return report.finish(f"{len(files)} files in {len(layers)} rooms")


def check_public_header(root, path, report):
    """Public headers stand alone: the standard library and each other."""
    for number, line in enumerate(house.read_lines(os.path.join(root, path)), 1):
        match = INCLUDE.match(line)
        if not match:
            continue
        header = match.group(2)
        is_standard = match.group(1) == "<" and ("/" not in header) and ("." not in header or header.startswith("std"))
        if not is_standard and not header.startswith("jina/"):
            report.add(path, number, f"a public header includes '{header}'; only the standard library and jina/ may appear")


if __name__ == "__main__":
    sys.exit(main())

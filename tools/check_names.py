#!/usr/bin/env python3
"""Checks that nothing outside src/models/ names a model: the rest reads the model's card, never who it is.

Code and strings count; comments do not. The name of the default model has one place, Environment in cli.
Exceptions: tools/exceptions/names.txt, `path name-as-found  # reason`.
"""

import os
import re
import sys

import house

FIXED = [
    r"jina-embeddings?", r"jina_embeddings_v\d", r"jina[-_ ]?v\d", r"jina[-_]?(?:bert|clip|colbert|reranker)", r"mini[-_]?lm", r"xlm", r"qwen\d?",
    r"\w*bert", r"bge", r"gte", r"nomic", r"(?<![0-9a-z.])e5(?![0-9a-z])",
]


def model_pattern(root):
    """The families known everywhere, and every folder of src/models/."""
    models = os.path.join(root, "src/models")
    folders = sorted(n for n in os.listdir(models) if os.path.isdir(os.path.join(models, n))) if os.path.isdir(models) else []
    return re.compile(r"(?<![A-Za-z])(?:" + "|".join([re.escape(name) for name in folders] + FIXED) + r")\w*", re.IGNORECASE)


def main():
    arguments = house.parse_arguments(__doc__)
    report = house.Report("check_names")
    exceptions = house.Exceptions(arguments.root, "tools/exceptions/names.txt", report)
    pattern = model_pattern(arguments.root)
    files = [p for p in house.source_files(arguments.root, "src", "include") if not p.startswith("src/models/")]
    for path in files:
        code = house.strip_code(house.read_text(os.path.join(arguments.root, path)), keep_strings=True)
        for match in pattern.finditer(code):
            if not exceptions.allows(path, match.group(0)):
                line = code.count("\n", 0, match.start()) + 1
                report.add(path, line, f"'{match.group(0)}' names a model; only src/models/ may (read the card instead)")
    exceptions.report_unused()
    return report.finish(f"{len(files)} files")


if __name__ == "__main__":
    sys.exit(main())

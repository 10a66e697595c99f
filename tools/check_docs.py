#!/usr/bin/env python3
"""Checks the documents: links lead somewhere, quoted files are quoted truly, and commands work.

    tools/check_docs.py                     links and quotes
    tools/check_docs.py --run build/bin     also runs every ```sh block with that folder first in PATH

Blocks of one document run in order in one scratch folder, where `examples`, `recipes` and `tests` are the tree's. A ```sh
block is skipped, and counted, when the line above it is `<!-- not run: reason -->`, or `<!-- needs: FILE -->` and no such
file lies in the folder lib beside the programs; a ```console block shows output and is never run. A block below
`<!-- file: PATH -->` must be that file, word for word. Exit 77: the default model is not there, nothing was run.
"""

import glob
import os
import re
import subprocess
import sys
import tempfile
import time

import house

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
REMARK = re.compile(r"<!--\s*(not run|needs|file):\s*(.*?)\s*-->")
TIME_LIMIT_S = 300


class Block:
    def __init__(self, path, line, language, remark):
        self.path, self.line, self.language, self.remark, self.lines = path, line, language, remark, []

    def text(self):
        return "\n".join(self.lines) + "\n"


def documents(root):
    found = sorted(glob.glob(os.path.join(root, "*.md"))) + sorted(glob.glob(os.path.join(root, "docs/**/*.md"), recursive=True))
    return [os.path.relpath(path, root) for path in found] + [
        os.path.relpath(path, root) for path in sorted(glob.glob(os.path.join(root, "src/**/README.md"), recursive=True))]


def split(root, path):
    """The prose lines [(number, text)] and the fenced blocks of a document."""
    prose, blocks, open_block, remark = [], [], None, None
    for number, text in enumerate(house.read_lines(os.path.join(root, path)), 1):
        fence = re.match(r"\s*```(\S*)", text)
        if open_block is not None:
            if fence:
                blocks.append(open_block)
                open_block = None
            else:
                open_block.lines.append(text)
        elif fence:
            open_block, remark = Block(path, number, fence.group(1), remark), None
        else:
            prose.append((number, text))
            found = REMARK.search(text)
            remark = found.groups() if found else (remark if not text.strip() else None)
    return prose, blocks, open_block


def slug(heading):
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def check_link(root, path, number, target, report):
    if re.match(r"[a-z]+:", target):
        return
    file, _, anchor = target.partition("#")
    full = os.path.normpath(os.path.join(root, os.path.dirname(path), file)) if file else os.path.join(root, path)
    if not os.path.exists(full):
        report.add(path, number, f"link to '{target}': there is no {os.path.relpath(full, root)}")
    elif anchor and full.endswith(".md"):
        headings = [slug(text.lstrip("#")) for text in house.read_lines(full) if text.startswith("#")]
        if anchor not in headings:
            report.add(path, number, f"link to '{target}': no such heading in {os.path.relpath(full, root)}")


def check_document(root, path, report):
    prose, blocks, unclosed = split(root, path)
    if unclosed:
        report.add(path, unclosed.line, "fenced block is not closed")
    for number, text in prose:
        for match in LINK.finditer(re.sub(r"`[^`]*`", "", text)):
            check_link(root, path, number, match.group(1) or match.group(2), report)
    for block in blocks:
        if not block.language:
            report.add(path, block.line, "fenced block has no language (sh is run, console and text are not)")
        if block.remark and block.remark[0] == "not run" and not block.remark[1]:
            report.add(path, block.line, "'not run' needs its reason")
        if block.remark and block.remark[0] == "file":
            check_quote(root, block, report)
    return blocks


def check_quote(root, block, report):
    file = os.path.join(root, block.remark[1])
    if not os.path.exists(file):
        report.add(block.path, block.line, f"quotes {block.remark[1]}, which is not there")
    elif house.read_text(file).strip() != block.text().strip():
        report.add(block.path, block.line, f"differs from {block.remark[1]}, which it quotes")


def run_block(block, folder, environment, report):
    started = time.monotonic()
    try:
        done = subprocess.run(["sh", "-eu", "-c", block.text()], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=TIME_LIMIT_S, check=False)
        status, output = done.returncode, done.stdout.decode("utf-8", "replace")
    except subprocess.TimeoutExpired:
        status, output = "timeout", ""
    print(f"  ran {block.path}:{block.line} in {time.monotonic() - started:.1f} s")
    if status != 0:
        report.add(block.path, block.line, f"these commands end with {status}:\n{block.text()}--- output\n{output.rstrip()}")


def why_not_run(block, programs):
    kind, value = block.remark or ("", "")
    if kind == "needs" and not os.path.exists(os.path.join(programs, "..", "lib", value)):
        return f"needs {value}"
    return value if kind == "not run" else ""


def run_documents(blocks_by_path, root, programs, report):
    environment = dict(os.environ, PATH=os.path.abspath(programs) + os.pathsep + os.environ["PATH"])
    ran = skipped = 0
    for path, blocks in blocks_by_path.items():
        with tempfile.TemporaryDirectory() as folder:
            for name in ("examples", "recipes", "tests"):
                os.symlink(os.path.abspath(os.path.join(root, name)), os.path.join(folder, name))
            for block in blocks:
                if block.language != "sh":
                    continue
                reason = why_not_run(block, programs)
                if reason:
                    print(f"  not run {path}:{block.line}: {reason}")
                    skipped += 1
                    continue
                run_block(block, folder, environment, report)
                ran += 1
    return f"{ran} blocks run, {skipped} not run"


def default_model():
    """Where tools/fetch_default_model.sh puts the model."""
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return os.path.join(os.environ.get("JINA_CACHE") or os.path.join(caches, "jina"), "models")


def main():
    arguments = house.parse_arguments(__doc__, (["--run"], {"metavar": "FOLDER", "help": "run the commands with these programs"}))
    report = house.Report("check_docs")
    blocks = {path: check_document(arguments.root, path, report) for path in documents(arguments.root)}
    counts = f"{len(blocks)} documents"
    if arguments.run:
        if not os.path.isdir(default_model()) and not os.environ.get("JINA_MODEL"):
            print(f"check_docs: skipped, no model in {default_model()} (tools/fetch_default_model.sh fetches it)")
            return 77
        counts += ", " + run_documents(blocks, arguments.root, arguments.run, report)
    return report.finish(counts)


if __name__ == "__main__":
    sys.exit(main())

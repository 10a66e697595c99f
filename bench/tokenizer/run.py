#!/usr/bin/env python3
"""Times the tokenizer against Hugging Face `tokenizers`, one thread each, on the same lines in the same run.

    python3 bench/tokenizer/run.py --bench build/dev/bin/tokenizer_bench --text LINES.txt TOKENIZER.json...

For Hugging Face the better of `encode` line by line and `encode_batch` with one rayon thread counts. One JSON line per
engine and tokenizer, then the ratio. All times are processor time, which other work on the machine disturbs less. The
numbers of tokens must be equal. Needs: pip install tokenizers==0.23.3
"""

import argparse
import json
import os
import subprocess
import sys
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers


def time_reference(path, lines, size, seconds):
    reference = tokenizers.Tokenizer.from_file(path)
    reference.no_truncation()
    reference.no_padding()
    best = {}
    ways = {"encode": lambda: [reference.encode(line) for line in lines], "encode_batch": lambda: reference.encode_batch(lines)}
    for way, run in ways.items():
        begin = time.process_time()
        while way not in best or time.process_time() - begin < seconds:
            start = time.process_time()
            encodings = run()
            best[way] = min(best.get(way, 1e9), time.process_time() - start)
            tokens = sum(len(encoding.ids) for encoding in encodings)
            del encodings
    way = min(best, key=best.get)
    return {"engine": f"tokenizers {tokenizers.__version__}", "way": way, "mb_per_s": round(size / best[way] / 1e6, 2),
            "tokens_per_s": round(tokens / best[way]), "tokens": tokens}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/dev/bin/tokenizer_bench")
    parser.add_argument("--text", required=True)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("tokenizers", nargs="+")
    options = parser.parse_args()
    with open(options.text, encoding="utf-8", newline="\n") as file:
        content = file.read()
    lines = content.removesuffix("\n").split("\n")
    size = len(content.encode())
    for path in options.tokenizers:
        ours = json.loads(subprocess.run([options.bench, path, options.text, str(options.seconds)], check=True,
                                         stdout=subprocess.PIPE).stdout)
        theirs = time_reference(path, lines, size, options.seconds)
        for row in (ours, theirs):
            print(json.dumps({"tokenizer": path, **row}))
        if ours["tokens"] != theirs["tokens"]:
            sys.exit("different numbers of tokens: the comparison would be void")
        print(json.dumps({"tokenizer": path, "ratio": round(ours["mb_per_s"] / theirs["mb_per_s"], 1)}), flush=True)


if __name__ == "__main__":
    main()

"""Rows for the runs that compare.py compares: batches of (query, positive), the same for both sides.

A batch is a file of its own, and no text of it occurs twice: so a step of `jina train` is a whole batch in whatever
order, and the number of its tokens tells which one.
"""

import gzip
import itertools
import json
import os

from tokenizers import Tokenizer

MIXED = ["stackexchange", "medquad", "openstax", "docs-sections", "tldr", "wordnet"]


def read_rows(folder, name):
    with gzip.open(os.path.join(folder, name + ".jsonl.gz"), "rt", encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def open_tokenizer(model):
    """The model's tokenizer without the cut and the padding that its file asks for."""
    tokenizer = Tokenizer.from_file(os.path.join(model, "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def mixed_pairs(folder, tokenizer, tokens):
    """Pairs of all sources in turn, as they are: longer texts are cut by both sides."""
    del tokenizer, tokens
    for rows in zip(*(read_rows(folder, "pairs-" + name) for name in MIXED)):
        yield from ((row["query"], row["positive"]) for row in rows)


def uniform_pairs(folder, tokenizer, tokens):
    """Two pieces that follow each other in one text, each of exactly so many tokens."""
    inner = tokens - 2
    for name in ("pairs-openstax", "pairs-docs-sections"):
        for row in read_rows(folder, name):
            text = row["positive"]
            offsets = tokenizer.encode(text, add_special_tokens=False).offsets
            if len(offsets) < 2 * inner:
                continue
            pair = text[: offsets[inner - 1][1]], text[offsets[inner][0] : offsets[2 * inner - 1][1]]
            if all(len(tokenizer.encode(piece).ids) == tokens for piece in pair):
                yield pair


def long_pairs(folder, tokenizer, tokens):
    """Documents joined until they fill `tokens`; the query is their first twenty words."""
    parts, count = [], 0
    for row in read_rows(folder, "text-long"):
        parts.append(row["text"])
        count += len(tokenizer.encode(row["text"], add_special_tokens=False).ids)
        if count < tokens:
            continue
        text = " ".join(parts)
        yield " ".join(text.split()[:20]), text
        parts, count = [], 0


PAIRS = {"mixed": mixed_pairs, "uniform": uniform_pairs, "long": long_pairs}


def different(pairs):
    """The pairs whose texts did not come before."""
    seen = set()
    for pair in pairs:
        if pair[0] == pair[1] or not seen.isdisjoint(pair):
            continue
        seen.update(pair)
        yield pair


def write_batches(case, folder, model, target):
    """Writes the files of a case and returns for each its path and the tokens of its texts, cut as in training."""
    tokenizer = open_tokenizer(model)
    pairs = different(PAIRS[case.data](folder, tokenizer, case.tokens))
    batches = []
    for number in range(case.batches):
        rows = list(itertools.islice(pairs, case.rows))
        if len(rows) < case.rows:
            raise SystemExit(f"{case.name}: {folder} has too few rows for {case.batches} batches of {case.rows}")
        path = os.path.join(target, f"batch-{number:02}.jsonl")
        with open(path, "w", encoding="utf-8") as file:
            for query, positive in rows:
                file.write(json.dumps({"query": query, "positive": positive}) + "\n")
        encoded = tokenizer.encode_batch([text for row in rows for text in row])
        batches.append({"path": path, "tokens": sum(min(len(text.ids), case.tokens) for text in encoded)})
    if len({batch["tokens"] for batch in batches}) < len(batches):
        raise SystemExit(f"{case.name}: two batches have the same number of tokens; take other rows")
    return batches

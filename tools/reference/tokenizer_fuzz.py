#!/usr/bin/env python3
"""Compares `jina tokenize` with Hugging Face `tokenizers` on every code point and on random strings.

    python3 tools/reference/tokenizer_fuzz.py --jina build/bin/jina --count 50000 --sweep TOKENIZER.json...

Ids, byte offsets and special-token masks must be equal. Prints the first differences and exits 1 if there are any.
Needs: pip install tokenizers==0.23.3
"""

import argparse
import json
import os
import random
import subprocess
import sys
import threading
import unicodedata

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
import tokenizers

EXPECTED_VERSION = "0.23.3"
BATCH = 2000
SHOWN = 10

SCRIPTS = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x3FF), (0x400, 0x4FF), (0x590, 0x5FF), (0x600, 0x6FF), (0x900, 0x97F),
           (0x980, 0x9FF), (0xB80, 0xBFF), (0xC80, 0xCFF), (0xD00, 0xD7F), (0xE00, 0xE7F), (0xE80, 0xEFF), (0xF00, 0xFFF),
           (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x137F), (0x1780, 0x17FF), (0x1E00, 0x1FFF),
           (0x2000, 0x206F), (0x2070, 0x218F), (0x2190, 0x2BFF), (0x3000, 0x30FF), (0x3130, 0x318F), (0x4E00, 0x9FFF),
           (0xAC00, 0xD7A3), (0xA840, 0xABFF), (0xF900, 0xFAFF), (0xFB00, 0xFDFF), (0xFE00, 0xFFEF), (0x1B00, 0x1BFF),
           (0x11000, 0x1137F), (0x1D100, 0x1D24F), (0x1D400, 0x1D7FF), (0x1F000, 0x1FAFF), (0x20000, 0x2A6DF),
           (0x2F800, 0x2FA1F), (0xE0000, 0xE01EF)]
EMOJI = ["\U0001F600", "\U0001F468\u200D\U0001F469\u200D\U0001F467", "\U0001F1E9\U0001F1EA", "\u2764\uFE0F",
         "\U0001F44D\U0001F3FD", "1\uFE0F\u20E3", "\U0001F3F4\U000E0067\U000E0062\U000E007F"]
BLANKS = [" ", " ", " ", "  ", "   ", "\n", "\r\n", "\t", "\u00A0", "\u3000", "\u2003", "\u200B", "\u2028", "\u1680", "\u0085"]
CONTROLS = [chr(c) for c in (*range(0, 32), 0x7F, 0x80, 0x85, 0x8F, 0x9F, 0xAD, 0x200D, 0x200E, 0x202E, 0x2060, 0xFEFF,
                             0xFFFC, 0xFFFD, 0xFFFE, 0xFFFF, 0xE000, 0x10FFFF)]
PUNCTUATION = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~") + ["\u2019", "\u201C", "\u2026", "\u3002", "\u00BF", "\u2581", "'s", "'LL"]
WORDS = ("the quick brown fox jumps over lazy dog embedding Transformer unaffordable electroencephalography isn't We'll "
         "naïve café Straße Großmutter ÉCOLE İstanbul Ḱυριος ΣΊΣΥΦΟΣ Москва ёлка तुम्हारा বাংলা ภาษาไทย 日本語 中文字符 한국어 العربية "
         "עברית ἀρχή e\u0301\u0323 q\u0307\u0323 \u1100\u1161\u11A8 ｆｕｌｌｗｉｄｔｈ ﬁﬂ ½ ² 12345 3.14 0xFF https://a.b/c?d=e&f user@host "
         "snake_case camelCase C++ \u0344\u0345 \u0DD9\u0DCF\u0DCA \u302E\u302F").split(" ")


def combining_marks():
    return [chr(c) for c in range(0x110000) if unicodedata.combining(chr(c)) or unicodedata.category(chr(c)) in ("Mn", "Mc")]


class RandomTexts:
    """Strings that mix what tokenizers stumble over; the same for the same seed."""

    def __init__(self, seed, lines, specials):
        self.random = random.Random(seed)
        self.lines = lines
        self.specials = specials
        self.marks = combining_marks()

    def character(self):
        first, last = self.random.choice(SCRIPTS)
        return chr(self.random.randint(first, last))

    def piece(self):
        r = self.random
        kind = r.randrange(12)
        if kind <= 2:
            return r.choice(WORDS)
        if kind == 3:
            first, last = r.choice(SCRIPTS)
            return "".join(chr(r.randint(first, last)) for _ in range(r.randint(1, 8)))
        if kind == 4:
            return self.character() + "".join(r.choice(self.marks) for _ in range(r.randint(1, 4)))
        if kind == 5:
            return r.choice(EMOJI)
        if kind == 6:
            return r.choice(CONTROLS)
        if kind == 7:
            return r.choice(self.specials) if self.specials else ""
        if kind == 8:
            return r.choice(PUNCTUATION) * r.randint(1, 3)
        if kind == 9:
            return "".join(chr(r.randint(33, 126)) for _ in range(r.randint(1, 12)))
        if kind == 10:
            return str(r.randint(0, 10 ** r.randint(1, 9)))
        code = r.randrange(0x110000 - 0x800)
        return chr(code if code < 0xD800 else code + 0x800)

    def mutated_line(self):
        r = self.random
        text = list(r.choice(self.lines))
        for _ in range(r.randint(0, 4)):
            at = r.randint(0, len(text))
            action = r.randrange(4)
            if action == 0:
                text.insert(at, self.piece())
            elif action == 1 and text:
                del text[at % len(text)]
            elif action == 2 and text:
                text[at % len(text)] = text[at % len(text)].swapcase()
            else:
                text.insert(at, r.choice(BLANKS))
        form = r.choice([None, None, None, "NFC", "NFD", "NFKC", "NFKD"])
        joined = "".join(text)
        return unicodedata.normalize(form, joined) if form else joined

    def text(self):
        r = self.random
        if self.lines and r.random() < 0.4:
            return self.mutated_line()
        pieces = []
        for _ in range(r.randint(0, 12)):
            pieces.append(self.piece())
            if r.random() < 0.6:
                pieces.append(r.choice(BLANKS))
        return "".join(pieces)


def sweep_texts():
    """Every code point alone, between letters, between blanks, and twice."""
    for c in range(0x110000):
        if 0xD800 <= c <= 0xDFFF:
            continue
        text = chr(c)
        yield text
        yield "a" + text + "b"
        yield "x " + text + " y" + text + text


def byte_offsets(text, offsets):
    starts = [0]
    for character in text:
        starts.append(starts[-1] + len(character.encode("utf-8")))
    return [[starts[begin], starts[end]] for begin, end in offsets]


class Jina:
    """`jina tokenize` as a stream; a thread feeds it, so that neither side waits for the other."""

    def __init__(self, binary, model):
        self.process = subprocess.Popen([binary, "tokenize", "-i", "-", "--jsonl", "-m", model], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)

    def encode(self, texts):
        lines = "".join(json.dumps({"text": text}) + "\n" for text in texts).encode()
        feeder = threading.Thread(target=lambda: (self.process.stdin.write(lines), self.process.stdin.flush()))
        feeder.start()
        rows = [json.loads(self.process.stdout.readline()) for _ in texts]
        feeder.join()
        return rows

    def close(self):
        self.process.stdin.close()
        return self.process.wait()


def differences(reference, jina, texts):
    for text, expected, actual in zip(texts, reference.encode_batch(texts), jina.encode(texts)):
        wanted = (expected.ids, byte_offsets(text, expected.offsets), expected.special_tokens_mask)
        found = (actual["ids"], actual["offsets"], actual["special"])
        if wanted != found:
            yield text, wanted, found


def compare(name, reference, jina, texts):
    count = bad = 0
    batch = []

    def run():
        nonlocal bad
        for text, wanted, found in differences(reference, jina, batch):
            bad += 1
            if bad <= SHOWN:
                print(f"DIFFERS {json.dumps(text)}\n  expected {wanted}\n  found    {found}", flush=True)
        batch.clear()

    for text in texts:
        batch.append(text)
        count += 1
        if len(batch) == BATCH:
            run()
    run()
    print(f"{name}: {count} texts, {bad} differences", flush=True)
    return bad


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--jina", default="build/bin/jina")
    parser.add_argument("--count", type=int, default=50000, help="random strings for each tokenizer")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--lines", action="append", default=[], help="a file of real lines to mutate; may be repeated")
    parser.add_argument("--sweep", action="store_true", help="every code point alone and in company")
    parser.add_argument("tokenizers", nargs="+", help="tokenizer.json files")
    options = parser.parse_args()
    if tokenizers.__version__ != EXPECTED_VERSION:
        sys.exit(f"tokenizers {tokenizers.__version__}, the reference is {EXPECTED_VERSION}")
    lines = [line.rstrip("\n") for path in options.lines for line in open(path, encoding="utf-8", newline="\n")]
    bad = 0
    for path in options.tokenizers:
        reference = tokenizers.Tokenizer.from_file(path)
        reference.no_truncation()
        reference.no_padding()
        specials = [token.content for token in reference.get_added_tokens_decoder().values()]
        specials += [token[:-1] for token in specials] + [" " + token + " " for token in specials]
        jina = Jina(options.jina, path)
        if options.sweep:
            bad += compare(path + " sweep", reference, jina, sweep_texts())
        texts = RandomTexts(options.seed, lines, specials)
        bad += compare(path + " random", reference, jina, (texts.text() for _ in range(options.count)))
        if jina.close() != 0:
            sys.exit("jina tokenize failed")
    sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()

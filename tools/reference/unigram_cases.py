#!/usr/bin/env python3
"""Writes what Hugging Face `tokenizers` makes of short texts with a Unigram tokenizer.json, its two engines apart.

    python3 tools/reference/unigram_cases.py tests/golden/models/v3-tiny/model/tokenizer.json \\
        tests/golden/text/unigram_cases.jsonl

One line each: `text`, `normalized`, `origin` (start, end of the original bytes of each normalised character, flattened),
`tokens` (id, start, end of `text` itself through the model alone, flattened).
Needs: pip install tokenizers==0.23.3
"""

import json
import random
import sys

import tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

EXPECTED_VERSION = "0.23.3"
TEXTS = [
    "", "a", "plain ascii, unchanged 123.", "two\nlines\tand\ra tab", "\r\n", "a\r\nb", "  ", "\u00a0\u3000x\u2003",
    "ﬁne ﬂow", "™", "™\x1eg", "a™\x1e\x1e\x1eb", "\x01abc", "\x01\x02ab™c", "ab\x01c\x7fd", "\x00a\x00", "\x01", "\x1e\x1e",
    "e\u0301te\u0301", "A\u0300\u0301B", "①\u0301x", "ｱﾞ", "ｶﾞｷﾞ", "ﾊﾟ", "が か\u3099", "ㅏ한\u1112\u1161\u11ab글",
    "１２３ＡＢＣ。！", "…‥", "㍿株式会社", "㎏㎡", "ﷺ", "Ω Å ℵ", "ʼn ſ ẛ\u0323", "½ ¼ ⅓", "①②⑳", "x²₃",
    "\u200b\u200c\u200dzero", "\ufeffbom", "soft\u00adhyphen", "a\u0308\u0323", "क्षि", "क\u094d\u200dष", "ก็ที่", "नि\u0903",
    "👨\u200d👩\u200d👧", "🇩🇪🇫🇷🇬", "👍🏽", "☺\ufe0f", "©\u20dd", "\u0600123", "ᄀᄀ각ᆨ", "\u1100\uac00\u11a8", "\u202eabc",
    "中文 字符", "日本語のテキスト", "Ünïcödé", "Straße", "ΑΒΓ άέή", "Привет, мир", "العربية \u064e", "שָׁלוֹם", "\u0378\u0378 \U0001f9ff",
    "▁the▁house", "----------", "=========", "aaaaaaaaaaa", "......", "!!!!!!!", "hahahahaha", "<unk>", "<s>a</s>", "<unk><unk>",
    "x<unk>\u0378y", "\u0378<unk>", "▁▁▁", "\U0010ffff\ufffe", "\ufffd", "e\u0301\u0301\u0301\u0301", "ﬃ\u0301", "ﬃ\x01\x01", "Ǆ\x08",
    "ｶ\u3099", "\u0e33\u0e33", "a\u0345", "\u1e9b\u0323", "\u212b\u0301",
]


def random_texts(count):
    generator = random.Random(20260101)
    alphabet = [c for text in TEXTS for c in text]
    return ["".join(generator.choices(alphabet, k=generator.randint(2, 24))) for _ in range(count)]


def main():
    assert tokenizers.__version__ == EXPECTED_VERSION, tokenizers.__version__
    tokenizer = Tokenizer.from_file(sys.argv[1])
    # One token per character of the normalised text: its offsets are the alignment.
    characters = Tokenizer(models.WordLevel({"?": 0}, "?"))
    characters.normalizer = tokenizer.normalizer
    characters.pre_tokenizer = pre_tokenizers.Split(Regex(r"[\s\S]"), "isolated")
    with open(sys.argv[2], "w", encoding="ascii", newline="\n") as out:
        for text in TEXTS + random_texts(60):
            starts = [0]
            for c in text:
                starts.append(starts[-1] + len(c.encode()))
            origin = [starts[i] for pair in characters.encode(text, add_special_tokens=False).offsets for i in pair]
            tokens = [v for t in tokenizer.model.tokenize(text) for v in (t.id, *t.offsets)]
            row = {"text": text, "normalized": tokenizer.normalizer.normalize_str(text), "origin": origin, "tokens": tokens}
            out.write(json.dumps(row, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()

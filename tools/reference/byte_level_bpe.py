#!/usr/bin/env python3
"""Writes tests/golden/text/byte_level_bpe.json: what HF tokenizers makes of texts with byte-level split patterns and BPE.

    pip install tokenizers==0.23.3
    python3 tools/reference/byte_level_bpe.py tests/golden/text [QWEN2.5_TOKENIZER_JSON]

Ranges are bytes. "classes": runs of code points [first, class], 0 other, 1 \\p{L}, 2 \\p{N}, 3 \\s. "splits": a text and its
pieces' ends for each pattern. "models": small BPE models and the tokens [id, begin, end] of texts as one pre-token; ranges of
byte-level ones are those of the plain bytes. "v2_code" and "qwen2": ids of each text cut by GPT-2's and Qwen2's pattern.
"""
import json
import random
import sys

import tokenizers
from tokenizers import Regex, Tokenizer, models, pre_tokenizers

GPT2 = r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
         r"|\s+(?!\S)|\s+")
CL100K = QWEN2.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
PATTERNS = {"gpt2": GPT2, "qwen2": QWEN2, "cl100k": CL100K}

HAND = [
    "", " ", "  ", "\n", "a", " a", "  a", "   a", "a ", "a  ", "a   b", "\ta", " \ta", "\t\ta", "a\n\nb", "a \n b", "a\n \nb",
    " \r\n \r\n x", "\r\r\nx", "x\r\n", "!\n\n", "!\r\n x", " !\n", "!!a", "!a", " !a", "\u00a0a", "\u00a0 a", "\u3000中文", "1234567", " 12",
    "a1b2", "½Ⅷ٣一", "I'm you're he's we've I'll I'd don't", "I'M YOU'RE HE'S WE'VE I'LL I'D DON'T", "'s", " 's", "''s", "'\u017fa",
    "x'\u017fet", "'l", "'L'lL", "'r'e", "'vex", "don’t", "'S'T", "a\u180eb", "a\u0085b", "a\u200bb", "a\x1cb", "a\x00b", "\ufeffa",
    "e\u0301a", "한국어 テスト", "नमस्ते", "👩‍👩‍👧 ok", "\U0001d7ce\U0001d400", "for (int i = 0; i < n; ++i) {\n\tx[i] += 1;\n}\n",
    "snake_case CamelCase", "https://example.org/a?b=c#d", "   \n\n\t  end", "end   \n\n\t  ", "\u2028\u2029x",
]
TEXTS = [
    "The quick brown fox jumps over the lazy dog.", "def mean(values):\n    return sum(values) / len(values)  # naïve\n",
    "Größe, übermäßig; ça va? Привет, мир! 你好，世界。今天天气很好。日本語のテキスト 한국어", "x" * 40 + " " * 70 + "ab" * 90, "中文" * 60,
]


def byte_alphabet():
    printable = [*range(33, 127), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    return {**{b: chr(b) for b in printable}, **{b: chr(256 + i) for i, b in enumerate(others)}}


ALPHABET = byte_alphabet()


def expand(data):
    return "".join(ALPHABET[b] for b in data)


def class_runs():
    kinds = bytearray(0x110000)
    for number, pattern in ((1, r"\p{L}"), (2, r"\p{N}"), (3, r"\s")):
        splitter = pre_tokenizers.Split(Regex(pattern), "removed")
        points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
        for begin in range(0, len(points), 4096):
            chunk = points[begin:begin + 4096]
            kept = {ord(c) for piece, _ in splitter.pre_tokenize_str("".join(map(chr, chunk))) for c in piece}
            for c in chunk:
                kinds[c] = kinds[c] if c in kept else number
    return [[c, kinds[c]] for c in range(0x110000) if c == 0 or kinds[c] != kinds[c - 1]]


def random_texts(count):
    rng = random.Random(3)
    pools = [
        [chr(c) for c in range(32, 127)], list(" \t\n\r\x0b\x85\xa0\u2003\u3000"), list("'sStTrReEvVmMlLdD\u017f "), list("0123٣½ "), list("abc ABC"),
        [chr(c) for c in range(0x4E00, 0x4E20)], [chr(c) for c in range(0x300, 0x310)] + ["a"], list("!?.,-_=\"' \n"),
    ]
    return ["".join(rng.choice(rng.choice(pools[:rng.randint(1, 8)])) for _ in range(rng.randint(1, 24))) for _ in range(count)]


def piece_ends(pattern, text):
    splitter = pre_tokenizers.Split(Regex(pattern), "isolated")
    return [len(text[:end].encode()) for _, (_, end) in splitter.pre_tokenize_str(text)]


def tokens(model, text, is_byte_level):
    """[id, begin, end] of one pre-token; a range of characters in the byte alphabet becomes the bytes they stand for."""
    if not is_byte_level:
        return [[t.id, *t.offsets] for t in model.tokenize(text)]
    data = text.encode()
    origin = [i for i, b in enumerate(data) for _ in ALPHABET[b].encode()]
    return [[t.id, origin[t.offsets[0]], origin[t.offsets[1] - 1] + 1] for t in model.tokenize(expand(data))]


def model_case(name, is_byte_level, texts, symbols, merges, **options):
    vocab = {}
    for symbol in [*symbols, *(a + b for a, b in merges), *options.pop("extra", [])]:
        vocab.setdefault(symbol, len(vocab))
    spec = {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, **options, "vocab": vocab, "merges": merges}
    model = Tokenizer.from_str(json.dumps({"version": "1.0", "added_tokens": [], "model": spec})).model
    return {"name": name, "is_byte_level": is_byte_level, "model": spec, "cases": [[t, tokens(model, t, is_byte_level)] for t in texts]}


def small_models():
    words = ["a", "ab", "abc", "abcabc", "aabbcc", "cab", "abababab", "aaaaa", "xay", "axxb", "éa", "aéé", "中a", "x", "", "ab ab", "<unk>a"]
    abc = [("a", "b"), ("b", "c"), ("ab", "c"), ("a", "a"), ("aa", "aa"), ("abc", "abc")]
    hexes = [f"<0x{b:02X}>" for b in range(256) if b != 0xAD]
    yield model_case("no unknown token", False, words, "abc", abc)
    yield model_case("unknown tokens", False, words, [*"abc", "<unk>"], abc, unk_token="<unk>")
    yield model_case("fused unknown tokens", False, words, [*"abc", "<unk>"], abc, unk_token="<unk>", fuse_unk=True)
    yield model_case("merge of the unknown token", False, words, [*"abc", "<unk>"], [*abc, ("<unk>", "a")], unk_token="<unk>")
    yield model_case("byte fallback", False, words, [*"abc", "<unk>", *hexes], abc, unk_token="<unk>", byte_fallback=True)
    yield model_case("byte fallback before a pending unknown token", False, ["中é", "中éa", "é中é", "中中é"], [*"a", "<unk>", *hexes], [],
                     unk_token="<unk>", fuse_unk=True, byte_fallback=True)
    yield model_case("ignore_merges", False, words, "abc", [("a", "b")], extra=["cab", "aaaaa"], ignore_merges=True)
    yield model_case("vocabulary word that merges do not reach", False, words, "abc", [("a", "b")], extra=["cab", "aaaaa"])
    yield model_case("a pair twice: the last rank counts", False, words, "abc", [("a", "b"), ("b", "c"), ("a", "b")])
    yield model_case("a token of two merges", False, words, "abc", [("b", "c"), ("a", "bc"), ("a", "b"), ("ab", "c")])
    yield model_case("old merges", False, words, "abc", [("a", "b"), ("ab", "c")])
    level = ["a", "ab", " a", "\n", "éa", "aé", "ñé", "中a中", "a\u00a0b", "aXb", "XYa", " aX "]
    some = [expand(x) for x in (b"a", b"b", b" ", "é".encode()[:1], "é".encode()[1:], b"\xe4")]
    pairs = [(expand(b" "), "a"), (expand(b"\xc3"), expand(b"\xa9")), (expand("é".encode()), "a")]
    yield model_case("missing bytes are left out", True, level, some, pairs)
    yield model_case("missing bytes are unknown", True, level, [*some, "<unk>"], pairs, unk_token="<unk>")
    yield model_case("missing bytes are unknown, fused", True, level, [*some, "<unk>"], pairs, unk_token="<unk>", fuse_unk=True)
    yield model_case("missing bytes fall back", True, level, [*some, *hexes], pairs, byte_fallback=True)
    yield model_case("byte-level ignore_merges", True, level, some, pairs, extra=[expand(b"ab"), expand(" a".encode())], ignore_merges=True)


def main():
    folder = sys.argv[1]
    splits = [[t, {name: piece_ends(regex, t) for name, regex in PATTERNS.items()}] for t in [*HAND, *random_texts(250)]]
    cases = list(small_models())
    old = next(c for c in cases if c["name"] == "old merges")
    old["model"]["merges"] = ["#version: 0.2", *(" ".join(m) for m in old["model"]["merges"])]
    golden = {"tokenizers": tokenizers.__version__, "classes": class_runs(), "splits": splits, "models": cases}
    files = {"v2_code": (folder + "/v2_code_tokenizer.json", GPT2)}
    if len(sys.argv) > 2:
        files["qwen2"] = (sys.argv[2], QWEN2)
    for name, (path, regex) in files.items():
        model = Tokenizer.from_file(path).model
        splitter = pre_tokenizers.Split(Regex(regex), "isolated")
        golden[name] = [[t, [k.id for piece, _ in splitter.pre_tokenize_str(t) for k in model.tokenize(expand(piece.encode()))]]
                        for t in TEXTS]
    with open(folder + "/byte_level_bpe.json", "w") as out:
        out.write("{\n" + ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in golden.items()) + "\n}\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Expected tokens of small tokenizers, each about one component of tokenizer.json, from Hugging Face `tokenizers`.

    python3 tools/reference/tokenizer_components.py tests/golden/tokenizer_components.jsonl.gz
    python3 tools/reference/tokenizer_components.py --files DIR      one tokenizer.json each, for tokenizer_fuzz.py

Two models make the other components visible: "bytes" (byte-level BPE without merges) gives every byte of the
normalised text with its origin, "words" (WordPiece that knows few words) gives every pre-token. Rows are a component,
with the file's parts and `cases`: text (and pair), ids, byte offsets, special mask, type ids, max_length if truncated.
Needs: pip install tokenizers==0.23.3
"""

import gzip
import json
import os
import sys

import tokenizers

EXPECTED_VERSION = "0.23.3"
QWEN2 = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")

TEXTS = [
    "", " ", "a", "Hello, World!  It's   12 o'clock.", "  lead and trail  ", "\t tabs\nand\r\nlines \u00a0\u3000x\u2003",
    "caf\u00e9 na\u00efve \u00c9COLE \u0130stanbul Stra\u00dfe \u03a3\u03af\u03c3\u03c5\u03c6\u03bf\u03c2 \u1e9e",
    "e\u0301e\u0323\u0301e\u0301\u0323 q\u0307\u0323\u0301 \u0344\u0345a\u0315\u0300", "\u0301starts with a mark", "\u1100\u1161\u11a8 \ud55c\uad6d\uc5b4\u11a8 \uac00\u11a7",
    "\u0dd9\u0dcf\u0dca \u0cc6\u0cc2\u0cd5 \u09c7\u09be \u0b92\u0bd7 \u302e\u302fx\u302e\u0301", "\u4e2d\u6587\u5b57\u7b26 mixed\u6df7\u5408 \uf900\U0002f800 \u3042\u3044\u30a2\uff76\uff9e",
    "\ufb01ne \u00bd \u00b2 \u2460 \uff21\uff42\uff43\uff01 \u2126 \u212b \u1e9b\u0323", "\u0627\u0644\u0633\u064e\u0651\u0644\u064e\u0627\u0645\u064f \u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd \u0928\u093c\u092e\u0938\u094d\u0924\u0947",
    "nul\0 bell\x07 del\x7f nel\x85 soft\u00adhyphen zw\u200bsp \ufeffbom \ufffd \ufffe \U0010ffff \ue000", "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1e9\U0001f1ea \u2764\ufe0f \U0001f44d\U0001f3fd",
    "snake_case camelCase C++ a.b,c;d!?...--- (x) [y] {z} $5 50% #1 @me ~ ^ ` | \\ / < > = + * & \" '", "12345 3.14 \u0661\u0662\u0663 \u0967\u0968 x1y2z3 \u216b \u00bc1",
    "\u2581under\u2581score \u2581 \u2581\u2581x", "a-b--c---d-", "---", "-a", "We'll they'RE I'm 'tis rock'n'roll don''t", "[CLS] [MASK] x[SEP]y [mask] <s> a</s>b",
    "ab abc abcd bcd ABC Abc xabcx", " <mask>  <mask> x <mask>\u3000\u00a0 y<mask>", "day days today Day. (day) DAY\u0301 d\u00e0y", "word " * 40 + "end",
    "x" * 150, "\u00e9" * 120 + " tail", "\U0001d15e\U0001d1bb\u0958 \u2adc\u0338 \u0f73\u0f71", "\u00a0\u00a0", "\n\n\n", "trailing newline\n",
]
PAIRS = [("first text here", "second"), ("", "only second"), ("one", ""), ("a b c d e f g h", "i j k l m n o p q r s t"), (" caf\u00e9 ", " na\u00efve ")]


def bytes_model():
    printable = [*range(33, 127), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [b for b in range(256) if b not in printable]
    alphabet = {b: chr(b) for b in printable} | {b: chr(256 + i) for i, b in enumerate(others)}
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False,
            "vocab": {alphabet[b]: b for b in range(256)}, "merges": []}


def words_model():
    words = ["[UNK]", "[CLS]", "[SEP]", "[MASK]", "<s>", "</s>", "hello", "world", "Hello", "cafe", "caf\u00e9", "a", "b", "##b", "##c", "ab", "x", "##x", "12",
             "##3", "\u2581hello", "\u2581", "\u2581x", "\u4e2d", "##\u6587", "-", "##-", "day", "e", "##e", "\u0301", "##\u0301", "_"]
    return {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100,
            "vocab": {word: i for i, word in enumerate(words)}}


MODELS = {"bytes": bytes_model(), "words": words_model()}


def byte_level(prefix=False, trim=False, regex=False):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": regex}


def bert(clean=True, chinese=True, strip=None, lower=True):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": chinese, "strip_accents": strip, "lowercase": lower}


def added(content, id, **flags):
    row = {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": False}
    return {**row, **flags}


def metaspace(scheme, split):
    return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}


def template(single, pair, names):
    def pieces(text):
        out = []
        for word in text.split():
            name, type_id = word.rsplit(":", 1)
            kind = {"Sequence": {"id": name[1:], "type_id": int(type_id)}} if name in ("$A", "$B") else {"SpecialToken": {"id": name, "type_id": int(type_id)}}
            out.append(kind)
        return out
    tokens = {name: {"id": name, "ids": ids, "tokens": [name] * len(ids)} for name, ids in names.items()}
    return {"type": "TemplateProcessing", "single": pieces(single), "pair": pieces(pair), "special_tokens": tokens}


def components():
    sequence = lambda *steps: {"type": "Sequence", "normalizers": list(steps)}
    both = lambda *steps: {"type": "Sequence", "pretokenizers": list(steps)}
    simple = lambda name: {"type": name}
    normalizers = {
        "NFC": simple("NFC"), "NFD": simple("NFD"), "NFKC": simple("NFKC"), "NFKD": simple("NFKD"), "Lowercase": simple("Lowercase"),
        "StripAccents": simple("StripAccents"), "NFD StripAccents Lowercase": sequence(simple("NFD"), simple("StripAccents"), simple("Lowercase")),
        "NFKC Lowercase NFD": sequence(simple("NFKC"), simple("Lowercase"), simple("NFD")), "NFD NFC": sequence(simple("NFD"), simple("NFC")),
        "NFKD NFKC": sequence(simple("NFKD"), simple("NFKC")),
        "Strip": {"type": "Strip", "strip_left": True, "strip_right": True}, "Strip left": {"type": "Strip", "strip_left": True, "strip_right": False},
        "Strip right": {"type": "Strip", "strip_left": False, "strip_right": True}, "Prepend": {"type": "Prepend", "prepend": "\u2581\u00e9"},
        "Replace": {"type": "Replace", "pattern": {"String": "a"}, "content": "\u00e4\u00f6"}, "Replace by nothing": {"type": "Replace", "pattern": {"String": "--"}, "content": ""},
        "Replace blanks": {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"},
        "Prepend Replace": sequence({"type": "Prepend", "prepend": "\u2581"}, {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}),
        "NFKC Strip Replace": sequence(simple("NFKC"), {"type": "Strip", "strip_left": False, "strip_right": True}, {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}),
        "Bert": bert(), "Bert cased": bert(lower=False), "Bert strip only": bert(False, False, True, False), "Bert clean only": bert(True, False, False, False),
        "Bert chinese only": bert(False, True, False, False), "Bert lower only": bert(False, False, False, True), "Bert cased strip": bert(strip=True, lower=False),
        "NFD Bert": sequence(simple("NFD"), bert()), "Bert NFC": sequence(bert(strip=False), simple("NFC")),
    }
    for name, normalizer in normalizers.items():
        yield {"name": "normalizer " + name, "model": "bytes", "normalizer": normalizer, "pre_tokenizer": byte_level()}
    yield {"name": "no components", "model": "words"}
    pre_tokenizers = {
        "Bert": simple("BertPreTokenizer"), "Whitespace": simple("Whitespace"), "WhitespaceSplit": simple("WhitespaceSplit"),
        "Digits": {"type": "Digits", "individual_digits": False}, "Digits individual": {"type": "Digits", "individual_digits": True},
        "Whitespace Punctuation": both(simple("Whitespace"), {"type": "Punctuation", "behavior": "Isolated"}),
        "WhitespaceSplit Metaspace": both(simple("WhitespaceSplit"), {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}),
        "WhitespaceSplit Metaspace first": both(simple("WhitespaceSplit"), metaspace("first", True)),
        "Metaspace Digits": both(metaspace("first", False), {"type": "Digits", "individual_digits": True}),
        "Metaspace twice": both(metaspace("always", True), metaspace("always", True)),
    }
    for behavior in ("Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"):
        pre_tokenizers["Punctuation " + behavior] = {"type": "Punctuation", "behavior": behavior}
        for invert in (False, True):
            pre_tokenizers[f"Split {behavior} {invert}"] = {"type": "Split", "pattern": {"String": "-"}, "behavior": behavior, "invert": invert}
    for scheme in ("always", "first", "never"):
        for split in (True, False):
            pre_tokenizers[f"Metaspace {scheme} {split}"] = metaspace(scheme, split)
    for name, pre_tokenizer in pre_tokenizers.items():
        yield {"name": "pre-tokenizer " + name, "model": "words", "pre_tokenizer": pre_tokenizer}
        if "Metaspace" in name:
            yield {"name": "pre-tokenizer NFKD and " + name, "model": "words", "normalizer": simple("NFKD"), "pre_tokenizer": pre_tokenizer,
                   "added_tokens": [added("[MASK]", 3, lstrip=True)]}
    split = {"type": "Split", "pattern": {"Regex": QWEN2}, "behavior": "Isolated", "invert": False}
    for prefix in (False, True):
        for trim in (False, True):
            yield {"name": f"ByteLevel prefix {prefix} trim {trim}", "model": "bytes", "normalizer": simple("NFKC"), "pre_tokenizer": byte_level(prefix, trim, True),
                   "post_processor": byte_level(prefix, trim, True), "added_tokens": [added("<mask>", 256, lstrip=True, special=True)]}
            yield {"name": f"Roberta prefix {prefix} trim {trim}", "model": "bytes", "pre_tokenizer": byte_level(prefix, True, True),
                   "post_processor": {"type": "RobertaProcessing", "sep": ["</s>", 257], "cls": ["<s>", 256], "trim_offsets": trim, "add_prefix_space": prefix},
                   "added_tokens": [added("<s>", 256, special=True), added("</s>", 257, special=True), added("<mask>", 258, lstrip=True, rstrip=True)]}
    yield {"name": "Qwen2", "model": "bytes", "normalizer": simple("NFC"), "pre_tokenizer": both(split, byte_level())}
    yield {"name": "Digits ByteLevel", "model": "bytes", "pre_tokenizer": both({"type": "Digits", "individual_digits": True}, byte_level(True, True, True))}
    cls = template("[CLS]:0 $A:0 [SEP]:0", "[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", {"[CLS]": [1], "[SEP]": [2]})
    odd = template("$A:3 [SEP]:4", "$B:5 two:6 $A:7 two:6", {"[SEP]": [2], "two": [1, 3]})
    processors = {
        "Template": cls, "Template odd": odd, "Bert": {"type": "BertProcessing", "sep": ["[SEP]", 2], "cls": ["[CLS]", 1]},
        "Sequence": {"type": "Sequence", "processors": [byte_level(True, True, True), cls]},
        "Sequence reversed": {"type": "Sequence", "processors": [cls, byte_level(False, True, True)]},
        "Roberta words": {"type": "RobertaProcessing", "sep": ["</s>", 5], "cls": ["<s>", 4], "trim_offsets": True, "add_prefix_space": False},
    }
    for name, processor in processors.items():
        yield {"name": "post-processor " + name, "model": "words", "normalizer": bert(), "pre_tokenizer": simple("BertPreTokenizer"), "post_processor": processor}
    tokens = {
        "plain": [added("ab", 15), added("abc", 100), added("bcd", 101), added("x", 16)], "single word": [added("ab", 15, single_word=True), added("day", 27, single_word=True)],
        "strip": [added("<mask>", 100, lstrip=True), added("[MASK]", 3, lstrip=True, rstrip=True), added("-", 25, rstrip=True)],
        "normalized": [added("Day", 100, normalized=True), added("ABC", 101, normalized=True), added("d\u00e0y!", 102, normalized=True), added("[MASK]", 3)],
        "normalized strip": [added("Day", 100, normalized=True, lstrip=True, rstrip=True, single_word=True), added("caf\u00c9", 101, normalized=True)],
        "blanks": [added(" ", 100), added("  ", 101), added(" a", 102, lstrip=True), added("\n", 103, rstrip=True)],
    }
    for name, rows in tokens.items():
        for with_normalizer in (False, True):
            yield {"name": f"added tokens {name} {with_normalizer}", "model": "words", "added_tokens": rows, "post_processor": cls,
                   "normalizer": bert() if with_normalizer else None, "pre_tokenizer": simple("BertPreTokenizer")}


def file_of(component):
    names = ("added_tokens", "normalizer", "pre_tokenizer", "post_processor")
    parts = {name: component.get(name) for name in names}
    parts["added_tokens"] = parts["added_tokens"] or []
    return {"version": "1.0", "truncation": None, "padding": None, **parts, "decoder": None, "model": MODELS[component["model"]]}


def byte_offsets(encoding, first, second):
    """Offsets in characters of the own text, as bytes; special tokens have (0, 0)."""
    offsets = []
    for i, (begin, end) in enumerate(encoding.offsets):
        text = second if second is not None and encoding.sequence_ids[i] == 1 else first
        if encoding.special_tokens_mask[i]:
            offsets += [begin, end]
        else:
            offsets += [len(text[:begin].encode()), len(text[:end].encode())]
    return offsets


def row_of(encoding, first, second=None, **more):
    row = {"text": first} if second is None else {"text": first, "pair": second}
    return {**row, **more, "ids": encoding.ids, "off": byte_offsets(encoding, first, second), "special": encoding.special_tokens_mask,
            "type_ids": encoding.type_ids}


def cases(tokenizer, with_pairs):
    rows = [row_of(tokenizer.encode(text), text) for text in TEXTS]
    if not with_pairs:
        return rows
    rows += [row_of(tokenizer.encode(*pair), *pair) for pair in PAIRS]
    rows += [row_of(tokenizer.encode(text, add_special_tokens=False), text, no_special=True) for text in TEXTS[:4]]
    for length in (6, 8, 11):
        tokenizer.enable_truncation(length)
        rows += [row_of(tokenizer.encode(text), text, max_length=length) for text in TEXTS[3:7]]
        rows += [row_of(tokenizer.encode(*pair), *pair, max_length=length) for pair in PAIRS]
    tokenizer.no_truncation()
    return rows


def main():
    if tokenizers.__version__ != EXPECTED_VERSION:
        sys.exit(f"tokenizers {tokenizers.__version__}, the reference is {EXPECTED_VERSION}")
    if sys.argv[1] == "--files":
        os.makedirs(sys.argv[2], exist_ok=True)
        for component in components():
            path = os.path.join(sys.argv[2], component["name"].replace(" ", "_") + ".json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump(file_of(component), file)
        return
    with gzip.GzipFile(sys.argv[1], "wb", mtime=0) as file:
        file.write((json.dumps({"about": f"tools/reference/tokenizer_components.py, tokenizers {tokenizers.__version__}", "models": MODELS}) + "\n").encode())
        for component in components():
            tokenizer = tokenizers.Tokenizer.from_str(json.dumps(file_of(component)))
            # After a template, ByteLevel numbers the template's pieces as if they were texts: which offset is whose is lost.
            with_pairs = "post_processor" in component and not component["name"].endswith("reversed")
            component["cases"] = cases(tokenizer, with_pairs)
            file.write((json.dumps(component) + "\n").encode())


if __name__ == "__main__":
    main()

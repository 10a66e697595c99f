#!/usr/bin/env python3
"""Writes src/text/unicode_tables.cpp from the behaviour of Hugging Face `tokenizers`.

Every code point goes through the reference's own normalizers and pre-tokenizers, because its Unicode tables come from
crates of different Unicode versions that no library on the system matches.

    python3 tools/unicode/generate_text_tables.py > src/text/unicode_tables.cpp     (needs: pip install tokenizers==0.23.3)
"""

import sys
import unicodedata

import tokenizers
from tokenizers import normalizers, pre_tokenizers

EXPECTED_VERSION = "0.23.3"
CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF]
HANGUL = range(0xAC00, 0xD7A4)  # composed and decomposed by arithmetic, not by table

# Bits of CharacterFlag in src/text/unicode.h.
(CLEANED, WHITESPACE, PUNCTUATION, MARK_NONSPACING, COMBINING_MARK, NUMERIC, WORD, NFC_UNSAFE, DECOMPOSED, LOWERED, ORDERED,
 CHINESE) = (1 << i for i in range(12))


def check(condition, message):
    if not condition:
        sys.exit("the reference does not behave as these tables assume: " + message)


def pieces_between_letters(pre_tokenizer):
    """For each code point, how many pieces the pre-tokenizer makes of it between two letters."""
    return {c: len(pre_tokenizer.pre_tokenize_str("a" + chr(c) + "b")) for c in CODE_POINTS}


def mapping(normalizer, skip=()):
    """Code points that the normalizer changes, with what they become."""
    changed = {}
    for c in CODE_POINTS:
        if c in skip:
            continue
        text = normalizer.normalize_str(chr(c))
        if text != chr(c):
            changed[c] = text
    return changed


def character_flags(nfd, lower, classes, composed_second):
    flags = [0] * 0x110000
    clean = normalizers.BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    strip = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    chinese = normalizers.BertNormalizer(clean_text=False, handle_chinese_chars=True, strip_accents=False, lowercase=False)
    accents = normalizers.StripAccents()
    bert = pieces_between_letters(pre_tokenizers.BertPreTokenizer())
    split = pieces_between_letters(pre_tokenizers.WhitespaceSplit())
    words = pieces_between_letters(pre_tokenizers.Whitespace())
    digits = pieces_between_letters(pre_tokenizers.Digits(individual_digits=True))
    nfc = normalizers.NFC()
    for c in CODE_POINTS:
        cleaned = clean.normalize_str(chr(c))
        check(cleaned in ("", " ", chr(c)), f"clean_text of U+{c:04X}")
        if cleaned == "":
            flags[c] |= CLEANED
        is_space = split[c] == 2
        check((cleaned == " ") == (is_space and cleaned != ""), f"whitespace of clean_text, U+{c:04X}")
        check((words[c] == 2) == is_space and (bert[c] == 2) == is_space, f"whitespace of pre-tokenizers, U+{c:04X}")
        if is_space:
            flags[c] |= WHITESPACE
        if bert[c] == 3:
            flags[c] |= PUNCTUATION
        if words[c] == 1:
            flags[c] |= WORD
        if digits[c] == 3:
            flags[c] |= NUMERIC
        if accents.normalize_str(chr(c)) == "":
            flags[c] |= COMBINING_MARK
        if c not in nfd and c not in HANGUL and strip.normalize_str(chr(c)) == "":
            flags[c] |= MARK_NONSPACING
        if c in nfd or c in HANGUL:
            flags[c] |= DECOMPOSED
        if c in lower:
            flags[c] |= LOWERED
        if classes[c] != 0:
            flags[c] |= ORDERED
        if chinese.normalize_str(chr(c)) != chr(c):
            check(chinese.normalize_str(chr(c)) == " " + chr(c) + " ", f"Chinese character U+{c:04X}")
            flags[c] |= CHINESE
        if nfc.normalize_str(chr(c)) != chr(c) or c in composed_second:
            flags[c] |= NFC_UNSAFE
    for c, text in nfd.items():  # the strip table is not stored: it must follow from the others
        stripped = "".join(d for d in text if not flags[ord(d)] & MARK_NONSPACING)
        check(strip.normalize_str(chr(c)) == stripped, f"strip_accents of U+{c:04X}")
    return flags


def combining_classes():
    """The class of each code point, found by how NFD orders it against a mark of each known class."""
    nfd = normalizers.NFD()
    candidates = [c for c in CODE_POINTS if c not in HANGUL]
    high, low = "\u0345", "\u0334"  # classes 240 and 1
    marks = [c for c in candidates if nfd.normalize_str(chr(c)) == chr(c) and
             (nfd.normalize_str(high + chr(c)) == chr(c) + high or nfd.normalize_str(chr(c) + low) == low + chr(c))]
    probes = {}
    for c in marks:
        probes.setdefault(unicodedata.combining(chr(c)), chr(c))
    probes.pop(0, None)
    classes = [0] * 0x110000
    for c in marks:
        not_above = [k for k, probe in probes.items() if nfd.normalize_str(probe + chr(c)) == probe + chr(c)]
        not_below = [k for k, probe in probes.items() if nfd.normalize_str(chr(c) + probe) == chr(c) + probe]
        check(max(not_above) == min(not_below), f"combining class of U+{c:04X}")
        classes[c] = max(not_above)
    return classes


def compositions(nfd, classes):
    nfc = normalizers.NFC()
    pairs = {}
    for c, text in nfd.items():
        if nfc.normalize_str(chr(c)) != chr(c):
            continue
        first = nfc.normalize_str(text[:-1])
        check(len(first) == 1 and nfc.normalize_str(first + text[-1]) == chr(c), f"composition of U+{c:04X}")
        pairs[(ord(first), ord(text[-1]))] = c
    return dict(sorted(pairs.items()))


def two_stage(values, block):
    stages, blocks, seen = [], [], {}
    for start in range(0, len(values), block):
        part = tuple(values[start:start + block])
        if part not in seen:
            seen[part] = len(seen)
            blocks.extend(part)
        stages.append(seen[part])
    return stages, blocks


def print_array(kind, name, values):
    print(f"const {kind} {name}[] = {{")
    line = " "
    for value in values:
        item = f" {value},"
        if len(line) + len(item) > 120:
            print(line)
            line = " "
        line += item
    print(line)
    print("};\n")


def print_table(kind, name, values, block=128):
    stages, blocks = two_stage(values, block)
    check(max(stages) < 65536, "too many blocks")
    print_array("uint8_t" if max(stages) < 256 else "uint16_t", f"{name}_index_of_block", stages)
    print_array(kind, f"{name}_blocks", blocks)


def print_mapping(name, changed):
    """The table holds 0, or 1 + the place in the pool of: length, code points."""
    values, pool, seen = [0] * 0x110000, [], {}
    for c, text in sorted(changed.items()):
        if text not in seen:
            seen[text] = len(pool) + 1
            pool.extend([len(text)] + [ord(d) for d in text])
        values[c] = seen[text]
    check(len(pool) < 65535, "pool too large")
    print_table("uint16_t", name, values)
    print_array("char32_t", f"{name}_pool", pool)


def main():
    check(tokenizers.__version__ == EXPECTED_VERSION, f"version {tokenizers.__version__}, not {EXPECTED_VERSION}")
    nfd = mapping(normalizers.NFD(), skip=HANGUL)
    nfkd = {c: t for c, t in mapping(normalizers.NFKD(), skip=HANGUL).items() if nfd.get(c) != t}
    lower = mapping(normalizers.Lowercase())
    classes = combining_classes()
    pairs = compositions(nfd, classes)
    # Composition also involves Hangul vowels and trailing consonants.
    seconds = {second for _, second in pairs} | set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    seconds |= {c for c in CODE_POINTS if classes[c] != 0}
    flags = character_flags(nfd, lower, classes, seconds)

    print(f"// Generated by tools/unicode/generate_text_tables.py from the behaviour of tokenizers {EXPECTED_VERSION}. Do not edit.")
    print('#include "text/unicode_tables.h"\n')
    print("// clang-format off")
    print("namespace jina::unicode_tables {\n")
    print_table("uint16_t", "flags", flags)
    print_table("uint8_t", "combining_class", classes)
    print_mapping("lowercase", lower)
    print_mapping("canonical", nfd)
    print_mapping("compatible", nfkd)
    print_array("Composition", "compositions", [f"{{{a}, {b}, {c}}}" for (a, b), c in pairs.items()])
    print(f"const size_t composition_count = {len(pairs)};\n")
    print("}  // namespace jina::unicode_tables")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes what `jina verify` compares checkpoints with, reading safetensors files directly.

    python3 tools/reference/expectations.py tensors MODEL_DIRECTORY OUT.json
        the digest and the sum of every floating-point tensor, for tensors.json beside an expected.json

    python3 tools/reference/expectations.py reduce REFERENCE_DIRECTORY MODEL_DIRECTORY data/expectations/NAME.json
        a known expectation: the "match", "pooling", … of the file as it is, its run made anew from the first texts of
        expected.json and expected.safetensors, and the tensors of the model

A digest is the first 16 hexadecimal digits of SHA-256 over the values as little-endian float32.
Needs: pip install numpy
"""

import hashlib
import json
import os
import struct
import sys

import numpy as np

KEPT_TEXTS = 8


def read_safetensors(path):
    """name → (type, shape, bytes)"""
    with open(path, "rb") as file:
        data = file.read()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    header.pop("__metadata__", None)
    return {name: (entry["dtype"], entry["shape"], data[8 + size + entry["data_offsets"][0]:8 + size + entry["data_offsets"][1]])
            for name, entry in header.items()}


def as_float32(dtype, raw):
    """Nothing for types that are no floating-point numbers."""
    if dtype == "F32":
        return np.frombuffer(raw, "<f4")
    if dtype == "F16":
        return np.frombuffer(raw, "<f2").astype("<f4")
    if dtype == "BF16":
        return (np.frombuffer(raw, "<u2").astype("<u4") << 16).view("<f4")
    return None


def tensors_of(directory):
    tensors = {}
    for file in sorted(name for name in os.listdir(directory) if name.endswith(".safetensors")):
        for name, (dtype, _, raw) in sorted(read_safetensors(os.path.join(directory, file)).items()):
            values = as_float32(dtype, raw)
            if values is not None:
                tensors[name] = {"digest": hashlib.sha256(values.tobytes()).hexdigest()[:16], "sum": float(values.sum(dtype="f8"))}
    return tensors


def lines(name, entries):
    """A JSON object with one entry a line."""
    return f'"{name}": {{\n' + ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items()) + "\n}"


def write_known(path, known):
    """One text and one tensor a line."""
    parts = []
    for key, value in known.items():
        if key == "runs":
            runs = []
            for run in value:
                head = json.dumps({k: v for k, v in run.items() if k != "texts"}, ensure_ascii=False)[:-1]
                texts = ",\n   ".join(json.dumps(text, ensure_ascii=False) for text in run["texts"])
                runs.append(f'{head}, "texts": [\n   {texts}]}}')
            parts.append('"runs": [\n  ' + ",\n  ".join(runs) + "\n]")
        elif key == "tensors":
            parts.append(lines(key, value))
        else:
            parts.append(f"{json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}")
    with open(path, "w", encoding="utf-8") as file:
        file.write("{\n" + ",\n".join(parts) + "\n}\n")


def reduce(reference, model, path):
    with open(path, encoding="utf-8") as file:
        known = json.load(file)
    with open(os.path.join(reference, "expected.json"), encoding="utf-8") as file:
        expected = json.load(file)
    dtype, shape, raw = read_safetensors(os.path.join(reference, "expected.safetensors"))["embedding"]
    vectors = as_float32(dtype, raw).reshape(shape)
    texts = [{"text": text, "ids": ids, "unit": [float(str(value)) for value in vector]}
             for text, ids, vector in zip(expected["texts"][:KEPT_TEXTS], expected["ids"], vectors)]
    known["runs"] = [{"source": expected["reference"], "task": None, "tolerance": 1e-5, "texts": texts}]
    known["tensors"] = tensors_of(model)
    write_known(path, known)


def main():
    if len(sys.argv) == 4 and sys.argv[1] == "tensors":
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            file.write("{\n" + ",\n".join(f"  {json.dumps(k)}: {json.dumps(v)}" for k, v in tensors_of(sys.argv[2]).items()) + "\n}\n")
    elif len(sys.argv) == 5 and sys.argv[1] == "reduce":
        reduce(*sys.argv[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()

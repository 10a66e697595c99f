"""Reads and writes safetensors files with numpy alone (8 bytes of header length, a JSON header, then the values)."""

import json

import numpy

_TYPES = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4"}
_NAMES = {numpy.dtype(kind): name for name, kind in _TYPES.items()}


def read(path):
    """All tensors by name; bf16 comes as float32 of the same values."""
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        values = file.read()
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = entry["data_offsets"]
        if entry["dtype"] == "BF16":
            bits = numpy.frombuffer(values[begin:end], dtype="<u2").astype("<u4") << 16
            tensor = bits.view("<f4")
        else:
            tensor = numpy.frombuffer(values[begin:end], dtype=_TYPES[entry["dtype"]])
        tensors[name] = tensor.reshape(entry["shape"])
    return tensors


def write(path, tensors, metadata):
    header = {"__metadata__": metadata}
    position = 0
    for name in sorted(tensors):
        tensor = tensors[name]
        header[name] = {"dtype": _NAMES[tensor.dtype], "shape": list(tensor.shape),
                        "data_offsets": [position, position + tensor.nbytes]}
        position += tensor.nbytes
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        for name in sorted(tensors):
            file.write(numpy.ascontiguousarray(tensors[name]).tobytes())

#!/usr/bin/env python3
"""Writes the hidden states of every layer of the tiny checkpoints, after proving itself against their expected values.

    python3 tools/reference/layers.py tests/golden/models tests/golden/layers [--check-only]

For each checkpoint: first every expected hidden state of expected.safetensors must agree with encoders.py (float64) to
the tolerance below, then <name>.safetensors is written with, for a few short texts, "<case>/ids" (tokens) i32 and
"<case>/embeddings", "<case>/layer.N" (tokens, hidden) f32. A case is "<text>" or, with tasks, "<task or none>/<text>".
Needs: pip install numpy==2.4.6
"""

import argparse
import hashlib
import json
import os

import numpy

import encoders
import safetensors_file

NAMES = ["bert-tiny-mean", "bert-tiny-cls", "v2-small-8h", "v2-base-12h", "v2-code-6h", "v3-tiny", "v3-tiny-bf16"]
TEXTS = 3  # per checkpoint, of at most LONGEST tokens
TASK_TEXTS = 2  # per task
LONGEST = 40
# Rounding of the expected values to float32; the expected values of v3 also hold rotary angles computed in float32,
# which by themselves are off by up to 5e-5 at 1,500 tokens (`agreement` in its expected.json).
TOLERANCE, TASK_TOLERANCE, LONG_TASK_TOLERANCE = 1e-6, 1e-5, 1e-4


def runs_of(expected):
    """(prefix of the names in expected.safetensors, task, token ids of each text, positions kept of each text)."""
    if "runs" not in expected:
        return [("", None, expected["texts"])]
    plain = expected["runs"][0]["tokens"]
    return [(run["key"] + ".", run["task"], plain if not run["instruction"] else run["tokens"])
            for run in expected["runs"]]


def prove(encoder, expected, values):
    """Largest difference to the expected hidden states, for short and for long inputs."""
    worst = {False: 0.0, True: 0.0}
    compared = 0
    for prefix, task, tokens in runs_of(expected):
        for i, token in enumerate(tokens):
            name = f"{prefix}hidden.{i}"
            if name not in values:
                continue
            hidden = encoder.hidden_states(token["ids"], task)[-1][1]
            positions = token.get("hidden_positions", "all")
            if positions != "all":
                hidden = hidden[positions]
            is_long = len(token["ids"]) > 600
            worst[is_long] = max(worst[is_long], float(numpy.abs(hidden - values[name]).max()))
            compared += 1
    assert compared > 0
    tasks = "runs" in expected
    assert worst[False] <= (TASK_TOLERANCE if tasks else TOLERANCE), worst
    assert worst[True] <= (LONG_TASK_TOLERANCE if tasks else TOLERANCE), worst
    return compared, worst


def layers(encoder, expected):
    tensors = {}
    for prefix, task, tokens in runs_of(expected):
        if prefix.endswith(".instruction."):
            continue
        short = [i for i, token in enumerate(tokens) if len(token["ids"]) <= LONGEST]
        for i in short[:TASK_TEXTS if prefix else TEXTS]:
            case = f"{task or 'none'}/{i}" if prefix else str(i)
            tensors[f"{case}/ids"] = numpy.array(tokens[i]["ids"], dtype="<i4")
            for name, value in encoder.hidden_states(tokens[i]["ids"], task):
                tensors[f"{case}/{name}"] = value.astype("<f4")
    return tensors


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("models")
    parser.add_argument("target")
    parser.add_argument("--check-only", action="store_true")
    arguments = parser.parse_args()
    for name in NAMES:
        directory = os.path.join(arguments.models, name)
        encoder = encoders.load(os.path.join(directory, "model"))
        with open(os.path.join(directory, "expected.json")) as file:
            expected = json.load(file)
        compared, worst = prove(encoder, expected, safetensors_file.read(os.path.join(directory, "expected.safetensors")))
        print(f"{name}: {compared} hidden states agree to {worst[False]:.1e} (above 600 tokens {worst[True]:.1e})")
        if arguments.check_only:
            continue
        with open(os.path.join(directory, "model", "model.safetensors"), "rb") as file:
            digest = hashlib.sha256(file.read()).hexdigest()
        os.makedirs(arguments.target, exist_ok=True)
        safetensors_file.write(os.path.join(arguments.target, name + ".safetensors"), layers(encoder, expected),
                               {"writer": "tools/reference/layers.py", "numpy": numpy.__version__,
                                "arithmetic": "float64, rounded once to float32", "model_sha256": digest})


if __name__ == "__main__":
    main()

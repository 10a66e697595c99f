#!/usr/bin/env python3
"""Loads a model directory written by this project with transformers and PEFT and compares its vectors with `jina embed`.

    python3 tools/reference/check_export.py MODEL_DIRECTORY [--jina build/bin/jina] [--tolerance 1e-5]

For models of the native rotary layout: the base model and each adapter folder by load_adapter(subfolder). Fails when
transformers or PEFT finds a tensor missing or unexpected (the unused pooler excepted), when an adapter's names or shapes
are not exactly those that PEFT wants, or when a component of a unit vector differs by more than the tolerance.
Needs: pip install -r tools/reference/export.requirements.txt
"""

import argparse
import json
import os
import subprocess
import sys

import numpy
import torch
from peft import get_peft_model_state_dict
from safetensors import safe_open
from transformers import AutoModel, AutoTokenizer, logging

TEXTS = ["A man is playing a guitar.", "", "How do I save electricity at home?", "Grüße aus Köln, 東京 and naïve façades",
         "word " * 60]


def folder_of(task):
    return task.replace(".", "_").replace("-", "_")


def jina_vectors(jina, directory, task):
    rows = "".join(json.dumps({"text": text, "task": task}) + "\n" for text in TEXTS)
    command = [jina, "embed", "-i", "-", "--jsonl", "-m", directory, "--precision", "f32", "--no-prompt", "--format", "jsonl"]
    result = subprocess.run(command, input=rows, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        sys.exit(result.stderr)
    return numpy.array([json.loads(line)["embedding"] for line in result.stdout.splitlines()])


def reference_vectors(model, tokenizer):
    vectors = []
    with torch.no_grad():
        for text in TEXTS:
            hidden = model(**tokenizer(text, return_tensors="pt")).last_hidden_state[0].double()
            pooled = hidden.mean(dim=0)
            vectors.append((pooled / pooled.norm()).numpy())
    return numpy.array(vectors)


def check_names(model, directory, task):
    """PEFT must want exactly the tensors that the folder holds, in their shapes."""
    state = get_peft_model_state_dict(model, adapter_name=task, save_embedding_layers=False)
    wanted = {name.removeprefix("base_model.model."): tuple(value.shape) for name, value in state.items()}
    with safe_open(os.path.join(directory, folder_of(task), "adapter_model.safetensors"), "pt") as file:
        found = {name.removeprefix("base_model.model."): tuple(file.get_slice(name).get_shape()) for name in file.keys()}
    if wanted != found:
        sys.exit(f"{task}: names or shapes differ from what PEFT wants: {sorted(set(wanted.items()) ^ set(found.items()))[:8]}")


def main():
    logging.set_verbosity_error()  # PEFT's tensors come in after transformers reports them missing; checked below
    logging.disable_progress_bar()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory")
    parser.add_argument("--jina", default="build/bin/jina")
    parser.add_argument("--tolerance", type=float, default=1e-5)
    arguments = parser.parse_args()
    with open(os.path.join(arguments.directory, "config.json"), encoding="utf-8") as file:
        tasks = json.load(file).get("lora_adaptations") or []
    tokenizer = AutoTokenizer.from_pretrained(arguments.directory)
    model, information = AutoModel.from_pretrained(arguments.directory, dtype=torch.float32, output_loading_info=True)
    model.eval()
    unknown = [name for key in ("missing_keys", "unexpected_keys", "mismatched_keys") for name in information[key]
               if "pooler" not in str(name)]
    if unknown:
        sys.exit(f"tensors missing, unexpected or of another shape: {unknown[:8]}")
    failed = False
    base = None
    for task in [None, *tasks]:
        if task is not None:
            # PEFT module names take no dots.
            name = folder_of(task)
            model.load_adapter(arguments.directory, adapter_name=name, adapter_kwargs={"subfolder": name})
            model.set_adapter(name)
            check_names(model, arguments.directory, name)
        expected = reference_vectors(model, tokenizer)
        worst = numpy.abs(expected - jina_vectors(arguments.jina, arguments.directory, task)).max()
        base = expected if base is None else base
        print(f"{task}: worst difference {worst:.1e}, distance from the base model {numpy.abs(expected - base).max():.1e}")
        failed = failed or not worst <= arguments.tolerance
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

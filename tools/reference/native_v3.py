#!/usr/bin/env python3
"""Rewrites a checkpoint of the original v3 layout in the native transformers one, its adapters as PEFT folders.

    python3 tools/reference/native_v3.py tests/golden/models/v3-tiny/model tests/golden/models/v3-tiny-native/model

The tokenizer is not copied. The result is read back by encoders.py and must give the same hidden states, bit for bit up
to the order of float64 sums, for every task.
Needs: pip install numpy==2.4.6
"""

import json
import os
import sys

import numpy

import encoders
import safetensors_file

MARKER = ".parametrizations.weight."
ATTENTION = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"]
MODULES = {"mixer.out_proj": "self_attn.o_proj", "norm1": "post_attention_layernorm", "norm2": "post_mlp_layernorm"}


def targets(module):
    """The native modules that the rows of an original module become, in order."""
    module = module.removeprefix("roberta.")
    if module == "emb_ln":
        return ["embeddings.LayerNorm"]
    if not module.startswith("encoder.layers."):
        return [module]
    _, _, index, rest = module.split(".", 3)
    return [f"layers.{index}.{name}" for name in (ATTENTION if rest == "mixer.Wqkv" else [MODULES.get(rest, rest)])]


def convert(tensors, tasks):
    """(plain tensors, PEFT tensors of each task)."""
    plain, adapters = {}, {task: {} for task in tasks}
    for name, tensor in tensors.items():
        module, is_adapted, rest = name.partition(MARKER)
        if not is_adapted:
            module, rest = name.rsplit(".", 1)
        into = targets(module)
        if not is_adapted or rest == "original":
            for target, part in zip(into, numpy.split(tensor, len(into))):
                plain[f"{target}.{'weight' if is_adapted else rest}"] = part
            continue
        for index, task in enumerate(tasks):
            matrix = tensor[index]
            is_a = rest.endswith("lora_A")
            if module.endswith("_embeddings"):
                key = f"base_model.model.{into[0]}.lora_embedding_{'A' if is_a else 'B'}"
                adapters[task][key] = matrix.T
                continue
            parts = [matrix] * len(into) if is_a else numpy.split(matrix, len(into))
            for target, part in zip(into, parts):
                adapters[task][f"base_model.model.{target}.lora_{'A' if is_a else 'B'}.weight"] = part
    return plain, adapters


def native_config(config):
    kept = ["bos_token_id", "eos_token_id", "pad_token_id", "hidden_act", "hidden_dropout_prob", "hidden_size",
            "attention_probs_dropout_prob", "initializer_range", "intermediate_size", "layer_norm_eps",
            "max_position_embeddings", "num_attention_heads", "num_hidden_layers", "type_vocab_size", "use_cache",
            "vocab_size", "matryoshka_dimensions", "lora_adaptations", "task_instructions"]
    return {"architectures": ["JinaEmbeddingsV3Model"], "model_type": "jina_embeddings_v3", "dtype": "float32",
            "rope_parameters": {"rope_theta": config["rotary_emb_base"], "rope_type": "default"}} | {
                key: config[key] for key in kept}


def adapter_config(config, modules):
    return {"auto_mapping": None, "base_model_name_or_path": None, "bias": "none", "fan_in_fan_out": False,
            "inference_mode": True, "init_lora_weights": True, "lora_alpha": config["lora_alpha"], "lora_dropout": 0.0,
            "modules_to_save": None, "peft_type": "LORA", "r": config["lora_rank"], "rank_pattern": {},
            "alpha_pattern": {}, "target_modules": modules, "task_type": None, "use_dora": False, "use_rslora": False}


def write_json(path, value):
    with open(path, "w") as file:
        json.dump(value, file, indent=2)
        file.write("\n")


def verify(source, target, tasks):
    original, native = encoders.load(source), encoders.load(target)
    ids = numpy.arange(3, 40)
    for task in [None, *tasks]:
        pairs = zip(original.hidden_states(ids, task), native.hidden_states(ids, task))
        worst = max(numpy.abs(a[1] - b[1]).max() for a, b in pairs)
        assert worst < 1e-12, (task, worst)


def main():
    source, target = sys.argv[1:3]
    with open(os.path.join(source, "config.json")) as file:
        config = json.load(file)
    tasks = config["lora_adaptations"]
    plain, adapters = convert(safetensors_file.read(os.path.join(source, "model.safetensors")), tasks)
    metadata = {"writer": "tools/reference/native_v3.py", "numpy": numpy.__version__, "format": "pt"}
    os.makedirs(target, exist_ok=True)
    safetensors_file.write(os.path.join(target, "model.safetensors"), plain, metadata)
    write_json(os.path.join(target, "config.json"), native_config(config))
    modules = sorted({"word_embeddings", "token_type_embeddings", "o_proj", "fc1", "fc2", "dense",
                      *(name.rsplit(".", 1)[1] for name in ATTENTION)})
    for task, tensors in adapters.items():
        folder = os.path.join(target, task.replace(".", "_").replace("-", "_"))
        os.makedirs(folder, exist_ok=True)
        safetensors_file.write(os.path.join(folder, "adapter_model.safetensors"), tensors, metadata)
        write_json(os.path.join(folder, "adapter_config.json"), adapter_config(config, modules))
    verify(source, target, tasks)


if __name__ == "__main__":
    main()

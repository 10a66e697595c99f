#!/usr/bin/env python3
"""Loads a native v3 checkpoint and its adapter folders with transformers and PEFT and compares with encoders.py.

    python3 tools/reference/native_v3_peft.py tests/golden/models/v3-tiny-native/model

Fails when PEFT finds a tensor missing or unexpected, or when a hidden state differs by more than 2e-5 (float32
rotary angles in transformers).
Needs: pip install numpy==2.4.6 torch==2.11.0 transformers==5.23.0 peft==0.21.2
"""

import os
import sys

import numpy
import torch
from peft import LoraConfig, PeftModel, get_peft_model_state_dict
from transformers import AutoModel

import encoders
import safetensors_file

TOLERANCE = 2e-5


def check_names(model, folder):
    """PEFT must want exactly the tensors that the folder holds, in their shapes."""
    wanted = {name: tuple(value.shape) for name, value in get_peft_model_state_dict(model, save_embedding_layers=False).items()}
    found = {name: value.shape for name, value in
             safetensors_file.read(os.path.join(folder, "adapter_model.safetensors")).items()}
    assert wanted == found, sorted(set(wanted.items()) ^ set(found.items()))


def main():
    directory = sys.argv[1]
    own = encoders.load(directory)
    ids = numpy.arange(3, 40)
    for task in [None, *own.config["lora_adaptations"]]:
        model, information = AutoModel.from_pretrained(directory, dtype=torch.float64, output_loading_info=True)
        assert not information["missing_keys"] and not information["mismatched_keys"], information
        if task is not None:
            folder = os.path.join(directory, task.replace(".", "_").replace("-", "_"))
            model = PeftModel.from_pretrained(model, folder, torch_dtype=torch.float64, autocast_adapter_dtype=False)
            check_names(model, folder)
            LoraConfig.from_pretrained(folder)
            model = model.merge_and_unload().double()
        with torch.no_grad():
            hidden = model.eval()(torch.tensor([ids.tolist()])).last_hidden_state[0].numpy()
        worst = numpy.abs(hidden - own.hidden_states(ids, task)[-1][1]).max()
        print(f"{task}: {worst:.1e}")
        assert worst <= TOLERANCE


if __name__ == "__main__":
    main()

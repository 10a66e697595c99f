#!/usr/bin/env python3
"""Writes twenty optimiser steps of a tiny jina-embeddings-v3, computed by PyTorch, for tests/training/steps_test.cpp.

    python3 tools/reference/training_steps.py tests/golden/models/v3-tiny-native/model tests/golden/training

Two runs: "lora" trains two adapters jointly (queries through one, passages through the other, InfoNCE both ways with
temperature 0.05), "mlm" trains the whole model and a word head. The forward pass is written out here, in float32, with
torch.optim.AdamW and torch.nn.utils.clip_grad_norm_. <run>.safetensors holds the inputs ("step.K.ids", "step.K.lengths",
for mlm also "places" in the packed tokens and "words"), the first weights of the word head ("start/NAME"), the loss and
the gradient norm of every step ("losses", "norms"), and the trained tensors after the last ("end/NAME").
Needs: pip install torch==2.11.0 numpy==2.4.6 safetensors==0.8.0
"""

import argparse
import os

import numpy
import torch
from safetensors.torch import load_file, save_file

STEPS = 20
ROWS = 4  # pairs, or texts
TEMPERATURE = 0.05
RATE, BETAS, EPSILON, DECAY, CLIP = 1e-3, (0.9, 0.98), 1e-6, 0.01, 1.0
WARMUP, FINAL = 4, 0.1
HEADS, LAYERS, NORM_EPSILON, ROPE_BASE, LORA_SCALE = 4, 3, 1e-5, 20000.0, 0.25
QUERY, PASSAGE = "retrieval_query", "retrieval_passage"


class Model:
    """Weights by name; `adapter` names the LoRA in use, or is None."""

    def __init__(self, folder):
        self.base = load_file(os.path.join(folder, "model.safetensors"))
        self.adapters = {}
        for task in (QUERY, PASSAGE):
            tensors = load_file(os.path.join(folder, task, "adapter_model.safetensors"))
            self.adapters[task] = {name.removeprefix("base_model.model."): value for name, value in tensors.items()}

    def linear(self, x, name, adapter):
        y = torch.nn.functional.linear(x, self.base[name + ".weight"], self.base[name + ".bias"])
        if adapter is None:
            return y
        a, b = (self.adapters[adapter][f"{name}.lora_{part}.weight"] for part in "AB")
        return y + LORA_SCALE * (x @ a.T @ b.T)

    def embedding(self, ids, name, adapter):
        rows = self.base[name + ".weight"][ids]
        if adapter is None:
            return rows
        a, b = (self.adapters[adapter][f"{name}.lora_embedding_{part}"] for part in "AB")
        return rows + LORA_SCALE * (a[:, ids].T @ b.T)

    def norm(self, x, name):
        return torch.nn.functional.layer_norm(x, x.shape[-1:], self.base[name + ".weight"], self.base[name + ".bias"],
                                              NORM_EPSILON)

    def attention(self, x, name, adapter):
        tokens, hidden = x.shape
        width = hidden // HEADS
        query, key, value = (
            self.linear(x, f"{name}.{part}_proj", adapter).view(tokens, HEADS, width).transpose(0, 1) for part in "qkv")
        frequencies = ROPE_BASE ** (-torch.arange(0, width, 2, dtype=torch.float64) / width)
        angles = torch.arange(tokens, dtype=torch.float64)[:, None] * frequencies
        cosine, sine = (torch.cat([f(angles)] * 2, dim=1).float() for f in (torch.cos, torch.sin))

        def rotate(z):
            return z * cosine + torch.cat([-z[..., width // 2:], z[..., :width // 2]], dim=-1) * sine

        scores = rotate(query) @ rotate(key).transpose(1, 2) / width**0.5
        context = (scores.softmax(-1) @ value).transpose(0, 1).reshape(tokens, hidden)
        return self.linear(context, name + ".o_proj", adapter)

    def __call__(self, ids, adapter=None):
        """Hidden states (tokens, hidden) of one text."""
        x = self.embedding(ids, "embeddings.word_embeddings", adapter)
        x = x + self.embedding(torch.zeros_like(ids), "embeddings.token_type_embeddings", adapter)
        x = self.norm(x, "embeddings.LayerNorm")
        for layer in range(LAYERS):
            name = f"layers.{layer}"
            x = self.norm(x + self.attention(x, name + ".self_attn", adapter), name + ".post_attention_layernorm")
            inner = torch.nn.functional.gelu(self.linear(x, name + ".mlp.fc1", adapter))
            x = self.norm(x + self.linear(inner, name + ".mlp.fc2", adapter), name + ".post_mlp_layernorm")
        return x


def rate_at(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 1 - (1 - FINAL) * (step - WARMUP) / (STEPS - 1 - WARMUP)


def train(trained, loss_of_step):
    """→ losses, gradient norms."""
    for value in trained.values():
        value.requires_grad_(True)
    groups = [{"params": [v for v in trained.values() if (v.dim() > 1) == wide], "weight_decay": DECAY if wide else 0}
              for wide in (False, True)]
    optimiser = torch.optim.AdamW([group for group in groups if group["params"]], lr=RATE, betas=BETAS, eps=EPSILON)
    losses, norms = [], []
    for step in range(STEPS):
        for group in optimiser.param_groups:
            group["lr"] = RATE * rate_at(step)
        optimiser.zero_grad()
        loss = loss_of_step(step)
        loss.backward()
        norms.append(torch.nn.utils.clip_grad_norm_(list(trained.values()), CLIP).item())
        optimiser.step()
        losses.append(loss.item())
    return torch.tensor(losses), torch.tensor(norms)


def random_texts(numbers, count, vocabulary):
    texts = []
    for _ in range(count):
        inner = numbers.integers(5, vocabulary - 1, numbers.integers(1, 14))
        texts.append(torch.tensor([0, *inner, 2]))
    return texts


def put_inputs(out, step, texts):
    out[f"step.{step}.ids"] = torch.cat(texts).int()
    out[f"step.{step}.lengths"] = torch.tensor([len(text) for text in texts]).int()


def run_lora(folder):
    model, numbers, out = Model(folder), numpy.random.default_rng(1), {}
    vocabulary = model.base["embeddings.word_embeddings.weight"].shape[0]
    trained = {f"{task}/{name}": value for task in (QUERY, PASSAGE)
               for name, value in model.adapters[task].items() if not name.startswith("pooler")}

    def loss_of_step(step):
        texts = random_texts(numbers, 2 * ROWS, vocabulary)
        put_inputs(out, step, texts)
        vectors = [torch.nn.functional.normalize(model(text, QUERY if i < ROWS else PASSAGE).mean(0), dim=0)
                   for i, text in enumerate(texts)]
        scores = torch.stack(vectors[:ROWS]) @ torch.stack(vectors[ROWS:]).T / TEMPERATURE
        own = torch.arange(ROWS)
        return torch.nn.functional.cross_entropy(scores, own) + torch.nn.functional.cross_entropy(scores.T, own)

    out["losses"], out["norms"] = train(trained, loss_of_step)
    out.update({f"end/{name}": value.detach() for name, value in trained.items()})
    return out


def run_mlm(folder):
    model, numbers, out = Model(folder), numpy.random.default_rng(2), {}
    table = model.base["embeddings.word_embeddings.weight"]
    vocabulary, hidden = table.shape
    torch.manual_seed(3)
    head = {"lm_head.dense.weight": 0.02 * torch.randn(hidden, hidden), "lm_head.dense.bias": torch.zeros(hidden),
            "lm_head.layer_norm.weight": torch.ones(hidden), "lm_head.layer_norm.bias": torch.zeros(hidden),
            "lm_head.bias": torch.zeros(vocabulary)}
    out.update({f"start/{name}": value.clone() for name, value in head.items()})
    trained = {name: value for name, value in model.base.items() if not name.startswith("pooler")}
    trained.update({f"head/{name}": value for name, value in head.items()})

    def loss_of_step(step):
        texts = random_texts(numbers, ROWS, vocabulary)
        put_inputs(out, step, texts)
        tokens = sum(len(text) for text in texts)
        places = torch.tensor(sorted(numbers.choice(tokens, max(1, tokens // 5), replace=False)))
        words = torch.tensor(numbers.integers(5, vocabulary - 1, len(places)))
        out[f"step.{step}.places"], out[f"step.{step}.words"] = places.int(), words.int()
        states = torch.cat([model(text) for text in texts])[places]
        functional = torch.nn.functional
        states = functional.gelu(functional.linear(states, head["lm_head.dense.weight"], head["lm_head.dense.bias"]))
        states = functional.layer_norm(states, (hidden,), head["lm_head.layer_norm.weight"],
                                       head["lm_head.layer_norm.bias"], NORM_EPSILON)
        return functional.cross_entropy(functional.linear(states, table, head["lm_head.bias"]), words)

    out["losses"], out["norms"] = train(trained, loss_of_step)
    out.update({f"end/{name}": value.detach() for name, value in trained.items()})
    return out


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("output")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    os.makedirs(arguments.output, exist_ok=True)
    for name, run in (("lora", run_lora), ("mlm", run_mlm)):
        out = {key: value.contiguous() for key, value in run(arguments.model).items()}
        metadata = {"torch": torch.__version__, "model": "v3-tiny-native"}
        save_file(out, os.path.join(arguments.output, f"steps-{name}.safetensors"), metadata)
        print(name, out["losses"][[0, -1]].tolist())


if __name__ == "__main__":
    main()

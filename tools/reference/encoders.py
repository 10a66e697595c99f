"""The text encoders in plain float64 numpy, one text at a time, read from a checkpoint's config.json and safetensors.

`load(directory)` picks the family; the result's `hidden_states(ids, task)` gives [("embeddings", x), ("layer.0", x), …],
each (tokens, hidden). Written from the published papers and the checkpoints' own names; no speed, no batching.
"""

import json
import math
import os

import numpy

import safetensors_file

_erf = numpy.vectorize(math.erf, otypes=[numpy.float64])


def gelu(x):
    return 0.5 * x * (1 + _erf(x / math.sqrt(2)))


def relu(x):
    return numpy.maximum(x, 0)


def softmax(x):
    powers = numpy.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


class Checkpoint:
    """Tensors by name, as float64, below an optional prefix."""

    def __init__(self, tensors, prefixes=()):
        self.tensors = tensors
        self.prefix = next((p for p in prefixes if any(name.startswith(p) for name in tensors)), "")

    def has(self, name):
        return self.prefix + name in self.tensors

    def get(self, name):
        return self.tensors[self.prefix + name].astype(numpy.float64)

    def linear(self, x, name):
        y = x @ self.get(name + ".weight").T
        return y + self.get(name + ".bias") if self.has(name + ".bias") else y

    def norm(self, x, name, epsilon):
        centred = x - x.mean(axis=-1, keepdims=True)
        variance = (centred * centred).mean(axis=-1, keepdims=True)
        return centred / numpy.sqrt(variance + epsilon) * self.get(name + ".weight") + self.get(name + ".bias")


def attend(q, k, v, heads, bias=0.0):
    """q, k, v: (tokens, hidden) → (tokens, hidden); `bias` is added to the scores (heads, tokens, tokens)."""
    tokens, hidden = q.shape
    q, k, v = (x.reshape(tokens, heads, hidden // heads).transpose(1, 0, 2) for x in (q, k, v))
    scores = q @ k.transpose(0, 2, 1) / math.sqrt(hidden // heads) + bias
    return (softmax(scores) @ v).transpose(1, 0, 2).reshape(tokens, hidden)


class Bert:
    """BERT and XLM-RoBERTa with learnt absolute positions."""

    def __init__(self, config, tensors):
        self.config = config
        self.w = Checkpoint(tensors, ("bert.", "roberta."))

    def hidden_states(self, ids, task=None):
        assert task is None
        w, c = self.w, self.config
        first = c["pad_token_id"] + 1 if c["model_type"] != "bert" else 0
        x = w.get("embeddings.word_embeddings.weight")[ids]
        x = x + w.get("embeddings.position_embeddings.weight")[first:first + len(ids)]
        x = x + w.get("embeddings.token_type_embeddings.weight")[0]
        x = w.norm(x, "embeddings.LayerNorm", c["layer_norm_eps"])
        states = [("embeddings", x)]
        for i in range(c["num_hidden_layers"]):
            at = f"encoder.layer.{i}."
            q, k, v = (w.linear(x, f"{at}attention.self.{part}") for part in ("query", "key", "value"))
            o = w.linear(attend(q, k, v, c["num_attention_heads"]), at + "attention.output.dense")
            h = w.norm(x + o, at + "attention.output.LayerNorm", c["layer_norm_eps"])
            y = w.linear(gelu(w.linear(h, at + "intermediate.dense")), at + "output.dense")
            x = w.norm(h + y, at + "output.LayerNorm", c["layer_norm_eps"])
            states.append((f"layer.{i}", x))
        return states


def alibi_slopes(heads):
    """The form printed in arXiv 2310.19923: with a = 2^floor(log2 n) and b = 2^(-8 / 2^ceil(log2 n))."""
    a = 2 ** math.floor(math.log2(heads))
    b = 2.0 ** (-8 / 2 ** math.ceil(math.log2(heads)))
    if a == heads:
        return numpy.array([b ** (i + 1) for i in range(heads)])
    return numpy.array([b ** (2 * i) for i in range(1, a + 1)] + [b ** (1 + 2 * i) for i in range(heads - a)])


class JinaV2:
    """JinaBERT: symmetric ALiBi, gated feed-forward; with norms on q and k in the form of base-code."""

    def __init__(self, config, tensors):
        self.config = config
        self.w = Checkpoint(tensors, ("bert.",))
        self.activation = {"geglu": gelu, "reglu": relu}[config["feed_forward_type"]]

    def hidden_states(self, ids, task=None):
        assert task is None
        w, c = self.w, self.config
        epsilon = c["layer_norm_eps"]
        places = numpy.arange(len(ids))
        distance = numpy.abs(places[:, None] - places[None, :])
        bias = -alibi_slopes(c["num_attention_heads"])[:, None, None] * distance
        x = w.get("embeddings.word_embeddings.weight")[ids] + w.get("embeddings.token_type_embeddings.weight")[0]
        x = w.norm(x, "embeddings.LayerNorm", epsilon)
        states = [("embeddings", x)]
        for i in range(c["num_hidden_layers"]):
            x = self.layer(x, f"encoder.layer.{i}.", bias, epsilon)
            states.append((f"layer.{i}", x))
        return states

    def layer(self, x, at, bias, epsilon):
        w, inner = self.w, self.config["intermediate_size"]
        q, k, v = (w.linear(x, f"{at}attention.self.{part}") for part in ("query", "key", "value"))
        if w.has(at + "attention.self.layer_norm_q.weight"):
            q = w.norm(q, at + "attention.self.layer_norm_q", epsilon)
            k = w.norm(k, at + "attention.self.layer_norm_k", epsilon)
        o = w.linear(attend(q, k, v, self.config["num_attention_heads"], bias), at + "attention.output.dense")
        h = w.norm(x + o, at + "attention.output.LayerNorm", epsilon)
        if w.has(at + "layer_norm_1.weight"):
            h = w.norm(x + h, at + "layer_norm_1", epsilon)
        if w.has(at + "mlp.gated_layers.weight"):
            g = w.linear(h, at + "mlp.gated_layers")
            y = w.linear(self.activation(g[:, :inner]) * g[:, inner:], at + "mlp.wo")
            return w.norm(y + h, at + "mlp.layernorm", epsilon)
        g = w.linear(h, at + "mlp.up_gated_layer")
        y = w.linear(g[:, :inner] * self.activation(g[:, inner:]), at + "mlp.down_layer")
        return w.norm(y + h, at + "layer_norm_2", epsilon)


def merge_adapter(tensors, index, scale):
    """Plain weights of the original v3 layout, adapter `index` (None: none) added to them in float64."""
    merged = {}
    marker = ".parametrizations.weight."
    for name, tensor in tensors.items():
        module, found, rest = name.partition(marker)
        if not found:
            merged[name] = tensor
            continue
        if rest != "original":
            continue
        weight = tensor.astype(numpy.float64)
        if index is not None:
            a = tensors[module + marker + "0.lora_A"][index].astype(numpy.float64)
            b = tensors[module + marker + "0.lora_B"][index].astype(numpy.float64)
            is_embedding = module.endswith("_embeddings")
            weight = weight + scale * (a @ b if is_embedding else b @ a)
        merged[module + ".weight"] = weight
    return merged


def merge_peft(tensors, directory, task):
    """Plain weights of the native v3 layout, the PEFT folder of `task` (None: none) added to them in float64."""
    if task is None:
        return tensors
    folder = os.path.join(directory, task.replace(".", "_").replace("-", "_"))
    with open(os.path.join(folder, "adapter_config.json")) as file:
        config = json.load(file)
    scale = config["lora_alpha"] / config["r"]
    adapter = safetensors_file.read(os.path.join(folder, "adapter_model.safetensors"))
    merged = dict(tensors)
    for name, a in adapter.items():
        module = name.removeprefix("base_model.model.")
        if name.endswith(".lora_A.weight"):
            b = adapter[name.replace(".lora_A.", ".lora_B.")].astype(numpy.float64)
            weight = module.replace(".lora_A.weight", ".weight")
            merged[weight] = merged[weight] + scale * (b @ a)
        elif name.endswith(".lora_embedding_A"):
            b = adapter[name.replace("_A", "_B")].astype(numpy.float64)
            weight = module.replace(".lora_embedding_A", ".weight")
            merged[weight] = merged[weight] + scale * (b @ a).T
    return merged


ORIGINAL_NAMES = {"norm": "emb_ln", "layer": "encoder.layers.{}.", "qkv": ["mixer.Wqkv"], "output": "mixer.out_proj",
                  "norm1": "norm1", "norm2": "norm2"}
NATIVE_NAMES = {"norm": "embeddings.LayerNorm", "layer": "layers.{}.",
                "qkv": ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"], "output": "self_attn.o_proj",
                "norm1": "post_attention_layernorm", "norm2": "post_mlp_layernorm"}


class JinaV3:
    """XLM-RoBERTa with rotary positions and a LoRA adapter per task, in both published layouts."""

    def __init__(self, config, tensors, directory):
        self.config, self.tensors, self.directory = config, tensors, directory
        self.is_native = config["model_type"] == "jina_embeddings_v3"
        self.names = NATIVE_NAMES if self.is_native else ORIGINAL_NAMES
        if self.is_native:
            self.base = config["rope_parameters"]["rope_theta"]
        else:
            self.base = config.get("rotary_emb_base", 10000.0)

    def merged(self, task):
        if self.is_native:
            return merge_peft(self.tensors, self.directory, task)
        index = None if task is None else self.config["lora_adaptations"].index(task)
        return merge_adapter(self.tensors, index, self.config["lora_alpha"] / self.config["lora_rank"])

    def rotate(self, x):
        """Half-rotated rotary positions on each head of (tokens, hidden)."""
        tokens, hidden = x.shape
        dim = hidden // self.config["num_attention_heads"]
        frequencies = self.base ** (-2.0 * numpy.arange(dim // 2) / dim)
        angles = numpy.arange(tokens)[:, None, None] * frequencies  # (tokens, 1, dim / 2)
        first, second = numpy.split(x.reshape(tokens, -1, dim), 2, axis=-1)
        cosine, sine = numpy.cos(angles), numpy.sin(angles)
        rotated = [first * cosine - second * sine, second * cosine + first * sine]
        return numpy.concatenate(rotated, axis=-1).reshape(tokens, hidden)

    def hidden_states(self, ids, task=None):
        w, c, names = Checkpoint(self.merged(task), ("roberta.",)), self.config, self.names
        epsilon = c["layer_norm_eps"]
        x = w.get("embeddings.word_embeddings.weight")[ids] + w.get("embeddings.token_type_embeddings.weight")[0]
        x = w.norm(x, names["norm"], epsilon)
        states = [("embeddings", x)]
        for i in range(c["num_hidden_layers"]):
            at = names["layer"].format(i)
            qkv = numpy.concatenate([w.linear(x, at + part) for part in names["qkv"]], axis=-1)
            q, k, v = numpy.split(qkv, 3, axis=-1)
            o = attend(self.rotate(q), self.rotate(k), v, c["num_attention_heads"])
            h = w.norm(x + w.linear(o, at + names["output"]), at + names["norm1"], epsilon)
            y = w.linear(gelu(w.linear(h, at + "mlp.fc1")), at + "mlp.fc2")
            x = w.norm(h + y, at + names["norm2"], epsilon)
            states.append((f"layer.{i}", x))
        return states


def load(directory):
    with open(os.path.join(directory, "config.json")) as file:
        config = json.load(file)
    tensors = safetensors_file.read(os.path.join(directory, "model.safetensors"))
    positions = config.get("position_embedding_type", "absolute")
    if config["model_type"] == "jina_embeddings_v3" or positions == "rotary":
        return JinaV3(config, tensors, directory)
    return (JinaV2 if positions == "alibi" else Bert)(config, tensors)

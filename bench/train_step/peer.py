"""The step of bench_train_step by transformers: BertModel with random weights, SDPA attention, autocast to bf16.

Mixed lengths are padded to the longest of the step, as transformers' collators do; only real tokens count.

    python bench/train_step/peer.py [--threads 2] [--rows 256] [--length 64 | --mixed] [--steps 5]
"""

import argparse
import json
import statistics
import time

import torch
from transformers import BertConfig, BertModel


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--type", choices=["f32", "bf16"], default="bf16")
    parser.add_argument("--rows", type=int, default=256)
    parser.add_argument("--length", type=int, default=64)
    parser.add_argument("--mixed", action="store_true")
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(3)
    config = BertConfig(vocab_size=30522, hidden_size=384, num_hidden_layers=6, num_attention_heads=12,
                        intermediate_size=1536, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    config._attn_implementation = "sdpa"
    model = BertModel(config, add_pooling_layer=False).train()
    lengths = [8 + (37 * row + 11) % 120 if arguments.mixed else arguments.length for row in range(arguments.rows)]
    longest = max(lengths)
    mask = (torch.arange(longest)[None, :] < torch.tensor(lengths)[:, None]).long()
    ids = torch.randint(0, config.vocab_size, (arguments.rows, longest))
    seconds, forward, processor = [], [], []
    for _ in range(arguments.steps + 1):
        model.zero_grad(set_to_none=True)
        start, clock = time.perf_counter(), time.process_time()
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=arguments.type == "bf16"):
            hidden = model(input_ids=ids, attention_mask=mask).last_hidden_state
            weights = mask.unsqueeze(-1).float()
            pooled = (hidden * weights).sum(1) / weights.sum(1)
        forward.append(time.perf_counter() - start)
        pooled.float().square().sum().backward()
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - clock)
    for name, parameter in model.named_parameters():
        if parameter.grad is None or not torch.isfinite(parameter.grad).all():
            raise SystemExit(f"{name}: no gradient")
    step, ahead, cpu = (statistics.median(values[1:]) for values in (seconds, forward, processor))
    tokens = sum(lengths)
    print(json.dumps({"tokens": tokens, "tokens_per_s": round(tokens / step), "tokens_per_cpu_s": round(tokens / cpu),
                      "forward_ms": round(1e3 * ahead, 1), "step_ms": round(1e3 * step, 1),
                      "cpu_ms": round(1e3 * cpu, 1)}))


if __name__ == "__main__":
    main()

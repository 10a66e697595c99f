"""One training run by sentence-transformers, as compare.py asks for it: a JSON file of settings in, JSON out.

SentenceTransformerTrainer as its documentation shows it: autocast to bf16, fused AdamW, SDPA attention, texts padded to
the longest of their column. The batches come in the given order.
"""

import json
import sys
import time

import torch
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments
from sentence_transformers.sentence_transformer import losses as st_losses
from torch.utils.data import BatchSampler, SequentialSampler
from transformers import TrainerCallback


class Trainer(SentenceTransformerTrainer):
    """Takes the rows in their order."""

    def get_batch_sampler(self, dataset, batch_size, drop_last, **_):
        return BatchSampler(SequentialSampler(dataset), batch_size, drop_last)


class Clock(TrainerCallback):
    """Seconds from one step's end to the next, which holds the reading of the batch too."""

    def __init__(self):
        self.seconds = []
        self.last = 0

    def on_train_begin(self, *_, **__):
        self.last = time.perf_counter()

    def on_step_end(self, *_, **__):
        now = time.perf_counter()
        self.seconds.append(now - self.last)
        self.last = now


def make_loss(model, mini_batch, losses):
    """InfoNCE in both directions, their mean; the values go to `losses`."""
    settings = {"scale": 20.0, "directions": ("query_to_doc", "doc_to_query"), "partition_mode": "per_direction"}
    if mini_batch:
        loss = st_losses.CachedMultipleNegativesRankingLoss(model, mini_batch_size=mini_batch, **settings)
    else:
        loss = st_losses.MultipleNegativesRankingLoss(model, **settings)
    loss.register_forward_hook(lambda _, __, value: losses.append(value.item()))
    return loss


def read_dataset(files):
    rows = []
    for path in files:
        with open(path, encoding="utf-8") as file:
            rows += [json.loads(line) for line in file]
    return Dataset.from_dict({column: [row[column] for row in rows] for column in ("query", "positive")})


def peak_bytes():
    with open("/proc/self/status", encoding="ascii") as file:
        return next(1024 * int(line.split()[1]) for line in file if line.startswith("VmHWM"))


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        asked = json.load(file)
    torch.set_num_threads(asked["threads"])
    dropout = {"hidden_dropout_prob": asked["dropout"], "attention_probs_dropout_prob": asked["dropout"]}
    model = SentenceTransformer(asked["model"], device="cpu", config_kwargs=dropout,
                                model_kwargs={"attn_implementation": "sdpa"})
    model.max_seq_length = asked["tokens"]
    args = SentenceTransformerTrainingArguments(
        output_dir=asked["output"], max_steps=len(asked["files"]), per_device_train_batch_size=asked["rows"],
        learning_rate=asked["learning_rate"], lr_scheduler_type="constant", weight_decay=0.01, max_grad_norm=1.0,
        use_cpu=True, bf16=asked["bf16"], activation_checkpointing=asked["checkpointing"], save_strategy="no",
        eval_strategy="no", logging_strategy="no", report_to=[], disable_tqdm=True)
    losses, clock = [], Clock()
    Trainer(model=model, args=args, train_dataset=read_dataset(asked["files"]),
            loss=make_loss(model, asked["mini_batch"], losses), callbacks=[clock]).train()
    with open(asked["result"], "w", encoding="ascii") as file:
        json.dump({"seconds": clock.seconds, "losses": losses, "peak": peak_bytes()}, file)


if __name__ == "__main__":
    main()

"""Whole training runs: `jina train` beside sentence-transformers' trainer; same model, rows, batches, loss, optimiser.

    python bench/train_peers/compare.py --data DATA --jina build/ci/bin/jina [--cases mixed,uniform] [--rounds 3]

DATA holds pairs-*.jsonl.gz ("query", "positive") and text-long.jsonl.gz ("text"). The packages of requirements.txt go
into a virtual environment below --work, unless --python names an interpreter that has them. The model is what
tools/fetch_default_model.sh fetches, or --model. The sides run in turn. Tokens are those of the texts, padding not
counted; tokens/s leave out the first steps; peak memory is VmHWM after the last step. Prints a Markdown table; every
run goes, as a JSON line, to WORK/runs.jsonl.
"""

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
RATE = 2e-5


@dataclasses.dataclass
class Case:
    name: str
    data: str  # a row of data.PAIRS
    tokens: int  # of one text; longer ones are cut
    rows: int  # of a batch
    batches: int  # different ones, drawn at random; with one, every step is the same
    checkpointing: bool = False


CASES = [
    Case("mixed", "mixed", 256, 256, 12),
    Case("uniform", "uniform", 64, 256, 1),
    Case("long", "long", 8192, 4, 1),
    Case("long-checkpointing", "long", 8192, 4, 1, checkpointing=True),
]

RECIPE = """[run]
seed = 1
precision = "{precision}"
device = "cpu"
threads = {threads}
checkpoint_every = 1000000

[model]
from = {model}
{initialise}
{data}
[[stage]]
name = "run"
kind = "pairs"
data = {names}
loss = {{ name = "info_nce", weight = 0.5, temperature = 0.05 }}  # the peer takes the mean of both directions
steps = {steps}
batch = {rows}
max_tokens = {tokens}
chunk_tokens = {chunk_tokens}
checkpointing = {checkpointing}
dropout = {dropout}
learning_rate = {rate}
schedule = "constant"
warmup = 0
beta1 = 0.9
beta2 = 0.999
epsilon = 1e-8
weight_decay = 0.01
clip = 1.0
"""

DATA = """[[data]]
name = "{name}"
files = [{file}]
columns = {{ query = "query", positive = "positive" }}
rate = 1
is_filtered = false
"""

# The table of 512 positions ends too early: ours gets rotary ones, the peer a longer table with random weights.
ROTARY = 'initialise = "rotary"\nalign_heads = false\nmax_tokens = {tokens}\n'
TABLE_POSITIONS = 512


def is_long(case):
    return case.tokens > TABLE_POSITIONS


def write_recipe(args, case, batches, path):
    names = [f"b{number:02}" for number in range(len(batches))]
    data = "".join(DATA.format(name=name, file=json.dumps(batch["path"])) for name, batch in zip(names, batches))
    with open(path, "w", encoding="utf-8") as file:
        file.write(RECIPE.format(
            threads=args.threads, model=json.dumps(args.model), data=data, names=json.dumps(names), steps=args.steps,
            initialise=ROTARY.format(tokens=case.tokens) if is_long(case) else "", rows=case.rows, tokens=case.tokens,
            chunk_tokens=args.chunk_tokens, checkpointing=str(case.checkpointing).lower(), dropout=args.dropout,
            rate=RATE, precision=args.precision))


def call(command, log, threads):
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="true")
    with open(log, "w", encoding="utf-8") as file:
        result = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False, env=environment)
    if result.returncode != 0:
        raise SystemExit(f"failed: {' '.join(command)}; see {log}")


def run_jina(args, case, batches, folder):
    recipe, output = os.path.join(folder, "recipe.toml"), os.path.join(folder, "jina")
    write_recipe(args, case, batches, recipe)
    shutil.rmtree(output, ignore_errors=True)
    call([args.jina, "train", recipe, "-o", output], os.path.join(folder, "jina.log"), args.threads)
    with open(os.path.join(output, "log.jsonl"), encoding="utf-8") as file:
        steps = [line for line in map(json.loads, file) if line["event"] == "step"]
    shutil.rmtree(output)
    return {"seconds": [step["seconds"] for step in steps], "tokens": [step["tokens"] for step in steps],
            "losses": [step["loss"] for step in steps], "peak": steps[-1]["memory_bytes"]}


def run_peer(args, case, batches, folder, tokens):
    """`tokens` of each step of the other side tell which batch it took."""
    by_tokens = {batch["tokens"]: batch["path"] for batch in batches}
    missing = sorted(set(tokens) - set(by_tokens))
    if missing:
        raise SystemExit(f"{case.name}: steps of {missing} tokens, batches have {sorted(by_tokens)}")
    asked = {"model": peer_model(args, case), "files": [by_tokens[count] for count in tokens], "rows": case.rows,
             "tokens": case.tokens, "threads": args.threads, "dropout": args.dropout, "learning_rate": RATE,
             "checkpointing": case.checkpointing, "mini_batch": args.mini_batch, "bf16": args.precision == "bf16",
             "output": os.path.join(folder, "peer"), "result": os.path.join(folder, "peer.json")}
    path = os.path.join(folder, "asked.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(asked, file)
    call([sys.executable, os.path.join(HERE, "peer.py"), path], os.path.join(folder, "peer.log"), args.threads)
    with open(asked["result"], encoding="ascii") as file:
        return dict(json.load(file), tokens=tokens)


def peer_model(args, case):
    if not is_long(case):
        return args.model
    target = os.path.join(args.work, f"bert-{case.tokens}")
    if not os.path.isdir(target):
        from transformers import AutoTokenizer, BertConfig, BertModel
        BertModel(BertConfig.from_pretrained(args.model, max_position_embeddings=case.tokens)).save_pretrained(target)
        AutoTokenizer.from_pretrained(args.model).save_pretrained(target)
    return target


def speed(run, skipped):
    return sum(run["tokens"][skipped:]) / sum(run["seconds"][skipped:])


def compare(args, case, out):
    from data import write_batches
    folder = os.path.join(args.work, case.name)
    os.makedirs(folder, exist_ok=True)
    batches = write_batches(case, args.data, args.model, folder)
    runs = {"jina": [], "peer": []}
    for number in range(args.rounds):
        runs["jina"].append(run_jina(args, case, batches, folder))
        runs["peer"].append(run_peer(args, case, batches, folder, runs["jina"][-1]["tokens"]))
        for side, rows in runs.items():
            facts = {"case": case.name, "rows": case.rows, "side": side, "round": number, "precision": args.precision,
                     "chunk_tokens": args.chunk_tokens, "mini_batch": args.mini_batch}
            run = rows[-1]
            out.write(json.dumps({**facts, **run}) + "\n")
            out.flush()
            print(f"# {case.name} {number + 1}: {side} {speed(run, args.skip):.0f} tokens/s, {run['peak'] >> 20} MiB, "
                  f"losses {[round(loss, 5) for loss in run['losses'][:4]]}", file=sys.stderr)
    return table_row(case, runs, args.skip)


def table_row(case, runs, skipped):
    speeds = {side: [speed(run, skipped) for run in rows] for side, rows in runs.items()}
    ratios = [own / other for own, other in zip(speeds["jina"], speeds["peer"])]
    peaks = {side: max(run["peak"] for run in rows) / 2**20 for side, rows in runs.items()}
    losses = {side: rows[0]["losses"] for side, rows in runs.items()}
    own, other = losses["jina"][0], losses["peer"][0]
    distance = "other weights" if is_long(case) else f"{own:.5f} / {other:.5f} ({abs(own - other) / abs(other):.1e})"
    return (f"| {case.name} | {statistics.median(speeds['jina']):,.0f} | {statistics.median(speeds['peer']):,.0f} "
            f"| {statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f}) "
            f"| {peaks['jina']:,.0f} | {peaks['peer']:,.0f} | {peaks['jina'] / peaks['peer']:.2f} | {distance} |")


def default_model():
    result = subprocess.run([os.path.join(ROOT, "tools", "fetch_default_model.sh")], stdout=subprocess.PIPE, text=True,
                            check=True)
    return result.stdout.splitlines()[-1]


def enter_environment(args):
    """Goes on in the interpreter that has the packages; makes it when there is none."""
    python = args.python or os.path.join(args.work, "venv", "bin", "python")
    if not os.path.exists(python):
        subprocess.run([sys.executable, "-m", "venv", os.path.join(args.work, "venv")], check=True)
    if not args.python:
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", os.path.join(HERE, "requirements.txt")], check=True)
    os.execv(python, [python, os.path.abspath(__file__), *sys.argv[1:], "--inside"])


def read_arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", required=True)
    parser.add_argument("--jina", default=os.path.join(ROOT, "build", "ci", "bin", "jina"))
    parser.add_argument("--model", help="directory of all-MiniLM-L6-v2")
    parser.add_argument("--work", default=os.path.join(ROOT, "build", "train_peers"))
    parser.add_argument("--python", help="an interpreter that has the packages of requirements.txt")
    parser.add_argument("--cases", default=",".join(case.name for case in CASES))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=6)
    parser.add_argument("--skip", type=int, default=2, help="first steps that are not counted")
    parser.add_argument("--rows", type=int, help="of a batch, in place of the case's")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--precision", choices=["bf16", "f32"], default="bf16", help="f32: losses agree closely")
    parser.add_argument("--dropout", type=float, default=0.0, help="0: both sides compute the same numbers")
    parser.add_argument("--chunk-tokens", type=int, default=0, help="ours: encode in chunks of so many; 0: whole")
    parser.add_argument("--mini-batch", type=int, default=0, help="peer's: rows of its cached loss; 0: the plain loss")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    unknown = set(args.cases.split(",")) - {case.name for case in CASES}
    if unknown:
        parser.error(f"no case is named {', '.join(sorted(unknown))}")
    if not 0 < args.skip < args.steps:
        parser.error("--skip: expected at least 1 and fewer than --steps")
    args.work, args.jina = os.path.abspath(args.work), os.path.abspath(args.jina)
    return args


def main():
    args = read_arguments()
    os.makedirs(args.work, exist_ok=True)
    if not args.inside:
        enter_environment(args)
    args.model = os.path.abspath(args.model or default_model())
    rows = []
    with open(os.path.join(args.work, "runs.jsonl"), "a", encoding="ascii") as out:
        for case in CASES:
            if case.name in args.cases.split(","):
                rows.append(compare(args, dataclasses.replace(case, rows=args.rows or case.rows), out))
    print("| case | jina, tokens/s | sentence-transformers, tokens/s | ratio (least–most) | peak of jina, MiB "
          "| of sentence-transformers | ratio | first loss: jina / other (relative distance) |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    print("\n".join(rows))


if __name__ == "__main__":
    main()

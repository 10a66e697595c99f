#!/usr/bin/env python3
"""The claims of the training recipe in small: trains each arm of each claim with `jina train`, reads the evaluations from
the runs' logs, and writes a table and a figure per claim. Arms that are done are not run again.

    python bench/claims/run.py --data DIR -o OUT [--figures docs/figures] [CLAIM ...]

DIR holds train/ and sts/; OUT gets the data as it was cut, the runs and results.json. Figures need requirements.txt.
"""

import argparse
import collections
import concurrent.futures
import gzip
import json
import math
import pathlib
import re
import statistics
import subprocess

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
HELD_OUT = 500  # the last rows of a file of pairs
SEEDS = [1, 2]
ONE_ADAPTER = {
    "stage.retrieval.query_task": "text-matching",
    "stage.retrieval.positive_task": "text-matching",
    "evaluate.questions.query_task": "text-matching",
    "evaluate.questions.positive_task": "text-matching",
    "evaluate.sections.query_task": "text-matching",
    "evaluate.sections.positive_task": "text-matching",
}

# claim: recipe, seeds, and by arm what --set changes ({arm} stands for the folder of another arm's run), or --until.
CLAIMS = {
    "masked-words": {
        "recipe": "masked-words.toml",
        "seeds": [1],
        "arms": {
            "rotary put into MiniLM, then long": {},
            "rotary put into MiniLM, short only": {
                "stage.long.max_tokens": 512,
                "stage.long.batch": 16,
                "stage.long.checkpointing": "false",
            },
            "random weights": {"--until": "short", "model.initialise": "random", "model.from": "{rotary put into MiniLM, then long}/initial"},
        },
    },
    "adapters": {
        "recipe": "adapters.toml",
        "seeds": SEEDS,
        "arms": {"two adapters, instructions": {}, "one adapter, no instruction": ONE_ADAPTER},
    },
    "pairs": {
        "recipe": "pairs.toml",
        "seeds": SEEDS,
        "arms": {
            "at five widths": {"stage.pairs.negatives": 0},
            "at full width only": {"stage.pairs.negatives": 0, "stage.pairs.matryoshka": "[]"},
            "at five widths, two mined negatives": {},
        },
    },
    "failures": {
        "recipe": "failures.toml",
        "seeds": SEEDS,
        "arms": {"with failure cases": {}, "as many steps of pairs alone": {"stage.retrieval.steps": 160, "stage.retrieval.objective.2.rate": "1e-9"}},
    },
}


def folder_of(claim, arm, seed):
    return f"{claim}/{arm.replace(' ', '-').replace(',', '')}-{seed}"


class Bench:
    def __init__(self, options):
        self.options = options
        self.work = pathlib.Path(options.output).resolve()
        self.data = self.work / "data"
        self.data.mkdir(parents=True, exist_ok=True)

    def jina(self, *arguments, log):
        command = [self.options.jina, *map(str, arguments)]
        with open(log, "w") as out:
            if subprocess.run(command, stdout=out, stderr=out, stdin=subprocess.DEVNULL).returncode != 0:
                raise SystemExit(f"{' '.join(command)}\n{pathlib.Path(log).read_text()[-2000:]}")

    def rows(self, name):
        with gzip.open(f"{self.options.data}/train/{name}.jsonl.gz", "rt") as file:
            return [json.loads(line) for line in file]

    def write(self, name, rows):
        (self.data / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    def prepare(self):
        """Cuts the data; what is held out is at the end of the files and never trained on."""
        if not (self.data / "openstax.jsonl").exists():
            texts = self.rows("text-long")
            held_out = texts[-200:]
            self.write("long", texts[:-200])
            self.write("held-out-short", [{"text": row["text"][:1500]} for row in held_out[:60]])
            self.write("held-out-long", [row for row in held_out if len(row["text"]) > 16000][:16])
            for name in ["medquad", "openstax"]:
                seen, pairs = set(), []
                for row in self.rows(f"pairs-{name}"):
                    if row["query"] not in seen:
                        seen.add(row["query"])
                        pairs.append({"query": row["query"], "positive": row["positive"][:600]})
                self.write(f"held-out-{name}", pairs[-HELD_OUT:])
                self.write(name, pairs[:-HELD_OUT][:6000])
        if not (self.work / "recovered").exists():
            run = self.work / "recover"
            self.jina("train", ROOT / "recipes/minilm-rotary.toml", "-o", run, "--set", f"run.data_folder={self.options.data}", "--set",
                      "stage.recover.steps=100", "--until", "recover", "--resume", log=self.work / "recover.log")
            (self.work / "recovered").symlink_to(run / "stage-1")
        if not (self.data / "mined.jsonl").exists():
            self.jina("mine", self.data / "medquad.jsonl", "-m", self.work / "recovered", "-o", self.data / "mined.jsonl", "-n", 4, "--only-full",
                      log=self.work / "mine.log")

    def run(self, claim, arm, seed):
        form = CLAIMS[claim]
        run = self.work / folder_of(claim, arm, seed)
        if not (run / "done").exists():
            run.mkdir(parents=True, exist_ok=True)
            changes = {"run.seed": seed, "run.data_folder": self.data, "run.threads": 1}
            if form["recipe"] != "masked-words.toml":
                changes["model.from"] = self.work / "recovered"
            until = []
            for key, value in form["arms"][arm].items():
                if key == "--until":
                    until = [key, value]
                    continue
                if str(value).startswith("{"):
                    other, rest = value[1:].split("}")
                    value = f"{self.work / folder_of(claim, other, seed)}{rest}"
                changes[key] = value
            sets = [part for key, value in changes.items() for part in ("--set", f"{key}={value}")]
            self.jina("train", HERE / form["recipe"], "-o", run, "--resume", *until, *sets, log=f"{run}.log")
            (run / "done").touch()
        events = [json.loads(line) for line in open(run / "log.jsonl")]
        return {"claim": claim, "arm": arm, "seed": seed, "evaluations": [event for event in events if event["event"] == "evaluation"],
                "losses": [[event["overall"], event["loss"]] for event in events if event["event"] == "step"]}


def values_of(results, arm, is_wanted=lambda event: True):
    """{evaluation: [value of each seed]}, of the last of the evaluations that are wanted."""
    values = {}
    for result in results:
        if result["arm"] == arm:
            for name, value in {event["name"]: event["value"] for event in result["evaluations"] if is_wanted(event)}.items():
                values.setdefault(name, []).append(value)
    return values


def table(claim, results):
    arms = [arm for arm in CLAIMS[claim]["arms"] if any(result["arm"] == arm for result in results)]
    names = list(values_of(results, arms[0]))
    lines = [f"| {claim} | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for arm in arms:
        before, after = values_of(results, arm, lambda event: event["overall"] == 0), values_of(results, arm)
        cells = []
        for name in names:
            values = after[name]
            first = f"{before[name][0]:.4f} → " if name in before else ""
            spread = f" ({min(values):.4f}-{max(values):.4f})" if len(values) > 1 else ""
            cells.append(f"{first}{statistics.mean(values):.4f}{spread}")
        lines.append(f"| {arm} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def draw(claim, results, figures):
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": claim, "font.size": 9, "axes.spines.top": False, "axes.spines.right": False})
    from matplotlib import pyplot

    is_curve = claim == "masked-words"
    figure, axes = pyplot.subplots(1, 2 if is_curve else 1, figsize=(8 if is_curve else 5.5, 3))
    if is_curve:
        for axis, name in zip(axes, ["short-texts", "long-texts"]):
            for result in results:
                points = [(event["overall"], event["value"]) for event in result["evaluations"] if event["name"] == name]
                axis.plot(*zip(*points), marker="o", markersize=3, label=result["arm"])
            axis.set(title=f"held-out {name.replace('-', ' ')}", xlabel="step", ylabel="loss of masked words (nats)")
        axes[0].legend(frameon=False, fontsize=7)
    elif claim == "pairs":
        for arm in CLAIMS[claim]["arms"]:
            values = values_of(results, arm)
            line = axes.plot(list(values), [100 * statistics.mean(v) for v in values.values()], marker="o", label=arm)[0]
            for name, seeds in values.items():
                axes.scatter([name] * len(seeds), [100 * value for value in seeds], s=8, color=line.get_color(), alpha=0.5)
        axes.set(ylabel="nDCG@10 x 100, a small dot a seed", xlabel="dimensions")
        axes.legend(frameon=False, fontsize=8)
    else:
        width = 0.38
        for number, arm in enumerate(CLAIMS[claim]["arms"]):
            values, before = values_of(results, arm), values_of(results, arm, lambda event: event["overall"] == 0)
            places = [place + width * (number - 0.5) for place in range(len(values))]
            axes.bar(places, [100 * statistics.mean(v) for v in values.values()], width * 0.94, label=arm)
            firsts = [100 * statistics.mean(v) for v in before.values()]
            axes.hlines(firsts, [x - width / 2 for x in places], [x + width / 2 for x in places], "black",
                        label=None if number else "before training")
        axes.set_xticks(range(len(values)), list(values))
        axes.set(ylabel="nDCG@10 x 100", ylim=(0, 125))
        axes.legend(frameon=False, fontsize=8, loc="upper right", ncols=2)
    figure.tight_layout()
    pathlib.Path(figures).mkdir(parents=True, exist_ok=True)
    figure.savefig(f"{figures}/claim-{claim}.svg", metadata={"Date": None, "Creator": None})


def words(text):
    return re.findall(r"\w+", text.lower())


def bm25_ndcg(rows, k1=0.9, b=0.4):
    """nDCG@10 of BM25 where each query searches all positives."""
    documents = [collections.Counter(words(row["positive"])) for row in rows]
    lengths = [sum(document.values()) for document in documents]
    mean = statistics.mean(lengths)
    found = collections.Counter(word for document in documents for word in document)
    gain = 0
    for own, row in enumerate(rows):
        scores = [0.0] * len(rows)
        for word in set(words(row["query"])):
            idf = math.log(1 + (len(rows) - found[word] + 0.5) / (found[word] + 0.5))
            for i, document in enumerate(documents):
                if word in document:
                    scores[i] += idf * document[word] * (k1 + 1) / (document[word] + k1 * (1 - b + b * lengths[i] / mean))
        equal = sum(score == scores[own] for score in scores)
        rank = sum(score > scores[own] for score in scores) + (equal + 1) / 2
        gain += 1 / math.log2(rank + 1) if rank <= 10 else 0
    return gain / len(rows)


def random_ndcg(candidates):
    return sum(1 / math.log2(rank + 1) for rank in range(1, min(10, candidates) + 1)) / candidates


def token_counts(jina, path):
    lines = subprocess.run([jina, "tokenize", "-i", path, "--jsonl", "-m", "all-MiniLM-L6-v2"], capture_output=True, check=True).stdout
    return collections.Counter(token for line in lines.splitlines() for token in json.loads(line)["ids"])


def frequency_loss(jina, data, vocabulary=30522):
    """Cross entropy of guessing held-out tokens by how often they are in the training texts (each half a time more)."""
    seen = token_counts(jina, data / "long.jsonl")
    total = sum(seen.values()) + vocabulary / 2
    for kind in ["short", "long"]:
        held_out = token_counts(jina, data / f"held-out-{kind}.jsonl")
        loss = -sum(count * math.log((seen[token] + 0.5) / total) for token, count in held_out.items()) / sum(held_out.values())
        yield f"word frequencies, held-out {kind} texts: {loss:.3f} nats"


def floors(jina, data):
    lines = [f"random order: {random_ndcg(HELD_OUT):.4f} of {HELD_OUT} positives, {random_ndcg(8):.4f} of a positive and 7 negatives"]
    for name in ["medquad", "openstax"]:
        rows = [json.loads(line) for line in open(data / f"held-out-{name}.jsonl")]
        lines.append(f"BM25, held-out {name}: {bm25_ndcg(rows):.4f}")
    return "\n".join([*lines, *frequency_loss(jina, data)])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("claims", nargs="*", metavar="CLAIM", help=", ".join(CLAIMS))
    parser.add_argument("--data", required=True)
    parser.add_argument("-o", "--output", required=True)
    parser.add_argument("--jina", default=ROOT / "build/ci/bin/jina")
    parser.add_argument("--figures", help="folder for the figures")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time, of one thread each")
    options = parser.parse_args()
    bench = Bench(options)
    bench.prepare()
    claims = options.claims or list(CLAIMS)
    jobs = [(claim, arm, seed) for claim in claims for seed in CLAIMS[claim]["seeds"] for arm in CLAIMS[claim]["arms"]]
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        waiting = {job: pool.submit(bench.run, *job) for job in jobs}
        results = [waiting[job].result() for job in jobs]
    (bench.work / "results.json").write_text(json.dumps(results))
    for claim in claims:
        own = [result for result in results if result["claim"] == claim]
        print(table(claim, own), end="\n\n")
        if options.figures:
            draw(claim, own, options.figures)
    print(floors(options.jina, bench.data))


if __name__ == "__main__":
    main()

"""The engine beside other engines, in one sitting: same shapes, random weights, token ids in, mean-pooled vectors out.

    python bench/peers/compare.py --peers PEERS_DIR --engine build/bin/jina --dtype bf16 --shapes minilm,v2-small
    python bench/peers/compare.py … --mixed LENGTHS.txt       # real mixed lengths, 32 texts a call; peers pad

PEERS_DIR holds peer.py (its README names the packages to install). For each shape and length one line: tokens/s of
each side and the engine's ratio over the best peer. Results also go, as JSON lines, to --out.
"""
import argparse
import json
import os
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = os.path.join(HERE, "..", "shapes")
PEERS = {"bf16": ["openvino", "torch"], "f32": ["openvino", "ort", "torch"]}


def run(command):
    """The JSON lines a command prints; none when it fails, which is said."""
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode != 0:
        print(f"# failed: {' '.join(command)}: {result.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
        return []
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def chosen_peers(args):
    return [peer for peer in PEERS[args.dtype] if not args.only or peer in args.only.split(",")]


def engine_command(args, shape):
    return [args.engine, "bench", "-m", os.path.join(SHAPES, shape), "--random-weights", "--precision", args.dtype,
            "--threads", str(args.threads), "--seconds", str(args.seconds)]


def peer_rows(args, peer, shape):
    command = [sys.executable, os.path.join(args.peers, "peer.py"), peer, args.dtype, shape, "--seq", args.lengths,
               "--threads", str(args.threads), "--seconds", str(args.seconds)]
    return run(command + (["--batch", args.batch] if args.batch else []))


def compare(args):
    for shape in args.shapes.split(","):
        engine = engine_command(args, shape) + ["--lengths", args.lengths]
        rows = run(engine + (["--batch", args.batch] if args.batch else []))
        for peer in chosen_peers(args):
            rows += peer_rows(args, peer, shape)
        yield from rows
        for length in map(int, args.lengths.split(",")):
            speeds = {row["peer"]: row["tok_s"] for row in rows if row["seq"] == length}
            print_line(shape, args.dtype, length, speeds)


def print_line(shape, dtype, length, speeds):
    own = speeds.pop("jina", None)
    if own is None or not speeds:
        return
    best = max(speeds, key=speeds.get)
    others = "  ".join(f"{name} {speed:.0f}" for name, speed in speeds.items())
    print(f"{shape:9} {dtype:5} {length!s:>6}  jina {own:.0f}  {others}  ratio {own / speeds[best]:.2f} over {best}",
          flush=True)


def padded_speed(args, peer, shape, lengths):
    """Tokens/s of a peer that pads each call of 32 texts to its longest; only real tokens count."""
    sys.path.insert(0, args.peers)
    import numpy as np
    import peer as harness
    options = argparse.Namespace(peer=peer, dtype=args.dtype, shape=shape, threads=args.threads,
                                 cache=os.path.join(args.peers, ".cache"))
    config = harness.SHAPES[shape]
    feed = getattr(harness, "open_" + peer)(options, config)
    rng = np.random.default_rng(1)
    calls = [lengths[i:i + 32] for i in range(0, len(lengths), 32)]
    work = [feed(rng.integers(0, config["vocab"], (len(call), max(call)), dtype=np.int64)) for call in calls]
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        for go in work:
            go()
        best = min(best, time.perf_counter() - start)
    return sum(lengths) / best


def compare_mixed(args):
    with open(args.mixed, encoding="ascii") as file:
        lengths = [int(line) for line in file]
    for shape in args.shapes.split(","):
        rows = run(engine_command(args, shape) + ["--mixed", args.mixed])
        limit = 512 if shape == "minilm" else 8192
        for peer in chosen_peers(args):
            speed = padded_speed(args, peer, shape, [min(length, limit) for length in lengths])
            rows.append({"peer": peer, "shape": shape, "dtype": args.dtype, "seq": "mixed", "batch": 32,
                         "tok_s": round(speed, 1)})
        yield from rows
        print_line(shape, args.dtype, "mixed", {row["peer"]: row["tok_s"] for row in rows})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peers", required=True)
    parser.add_argument("--engine", default="build/bin/jina")
    parser.add_argument("--dtype", choices=list(PEERS), default="bf16")
    parser.add_argument("--shapes", default="minilm,v2-small,v2-base,v3")
    parser.add_argument("--lengths", default="16,128,512,8192")
    parser.add_argument("--batch", default="", help="texts a call (default: best of 1, 4, 16)")
    parser.add_argument("--mixed", default="", help="file of token counts, one a line")
    parser.add_argument("--only", default="", help="peers to run, separated by commas (default: all of the precision)")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--out", default="/dev/null")
    args = parser.parse_args()
    with open(args.out, "a", encoding="ascii") as out:
        for row in (compare_mixed if args.mixed else compare)(args):
            out.write(json.dumps(row) + "\n")
            out.flush()


if __name__ == "__main__":
    main()

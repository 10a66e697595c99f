#!/bin/sh
# Makes libtorch (headers and the libraries for the CPU) available in the model cache, from the pinned `torch` package of
# PyPI; nothing of Python is installed. Does nothing when it is there. With a CUDA device, install the whole package
# instead (pip install torch==2.11.0) and point JINA_TORCH_ROOT at its site-packages.
#
# usage: tools/fetch_torch.sh            prints the folder on its last line
set -eu

version=2.11.0
packages="torch==$version nvidia-cuda-runtime==13.0.96 nvidia-cuda-cupti==13.0.85"

home=${JINA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jina}
target=${JINA_TORCH_ROOT:-$home/torch/$version}

if [ -e "$target/torch/lib/libtorch_cpu.so" ]; then
  printf '%s\n' "$target"
  exit 0
fi

mkdir -p "$target.part"
trap 'rm -rf "$target.part"' EXIT
trap 'exit 130' INT TERM
printf '    fetching libtorch %s (530 MB, once)\n' "$version" >&2
# shellcheck disable=SC2086 # the list is meant to be split
python3 -m pip download -q --disable-pip-version-check --no-deps --only-binary :all: -d "$target.part/wheels" $packages >&2
python3 - "$target.part" <<'PY'
import pathlib, sys, zipfile

WANTED_LIBRARIES = ("libtorch_cpu.so", "libtorch.so", "libc10.so", "libgomp", "libcudart.so", "libcupti.so")


def is_wanted(name):
    if name.startswith("torch/include/") or name.endswith("torch/version.py"):
        return True
    return "/lib/lib" in name and pathlib.PurePath(name).name.startswith(WANTED_LIBRARIES)


root = pathlib.Path(sys.argv[1])
for wheel in (root / "wheels").glob("*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(root, [name for name in archive.namelist() if is_wanted(name)])
PY
rm -rf "$target.part/wheels"
mkdir -p "$(dirname "$target")"
mv "$target.part" "$target"
printf '%s\n' "$target"

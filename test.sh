#!/bin/sh
# Every test that fits 40 minutes on 2 cores; `./test.sh long` adds the long attacks. Each stage runs even when an earlier
# one failed; the summary names what failed and counts what was skipped. Nothing but a base system is assumed.
#
# usage: ./test.sh [long] [STAGE...]      stages: ci check tokenizers interchange asan tsan fuzz (default: all)
set -eu
cd "$(dirname "$0")"
. tools/stages.sh

jobs=$(nproc 2>/dev/null || echo 2)
export NINJA_STATUS='    [%f/%t %es] '
export ASAN_OPTIONS="${ASAN_OPTIONS:-detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"
export CCACHE_SLOPPINESS="${CCACHE_SLOPPINESS:-pch_defines,time_macros}"  # else precompiled headers are never found again
export TSAN_OPTIONS="${TSAN_OPTIONS:-halt_on_error=1 second_deadlock_stack=1}"

is_long=no
if [ "${1:-}" = long ]; then
  is_long=yes
  shift
fi
wanted=${*:-ci check tokenizers interchange asan tsan fuzz}
summary=''
failures=0

# build PRESET [TARGET...]: configure and build; quiet unless it fails
build() {
  preset=$1
  shift
  mkdir -p "build/$preset"
  if ! cmake --preset "$preset" >"build/$preset/configure.log" 2>&1; then
    cat "build/$preset/configure.log"
    return 1
  fi
  if [ $# -gt 0 ]; then set -- --target "$@"; fi
  if ! cmake --build --preset "$preset" "$@" >"build/$preset/build.log" 2>&1; then
    tail -n 60 "build/$preset/build.log"
    return 1
  fi
}

# run_ctest PRESET ARGUMENT...: the tests of a build; the names of skipped ones are kept for the summary
run_ctest() {
  directory=build/$1
  shift
  result=0
  ctest --test-dir "$directory" --output-on-failure --no-tests=error -j "$jobs" "$@" || result=$?
  sed -n -e 's/^\[  SKIPPED \] \(.*\) ([0-9]* ms)$/\1/p' "$directory/Testing/Temporary/LastTest.log" |
    sort -u >"$directory/skipped.txt"
  return "$result"
}

stage_ci() {
  build ci || return 1
  if [ "$is_long" = yes ]; then run_ctest ci; else run_ctest ci -LE long; fi
}

stage_check() {
  if [ -f build/ci/compile_commands.json ]; then tools/check --tidy build/ci; else tools/check; fi
}

# `jina tokenize` beside Hugging Face `tokenizers` on random strings; in the long form many more of them, and every code
# point. The files of published tokenizers are not part of the tree.
stage_tokenizers() {
  build ci jina || return 1
  venv=build/tokenizers/venv
  if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
  "$venv/bin/pip" install -q -r tools/reference/tokenizers.requirements.txt || return 1
  set -- "${JINA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jina}/models/all-MiniLM-L6-v2/tokenizer.json"
  for name in bert-base-uncased jina-v2 xlm-roberta qwen2.5; do
    file=${JINA_SHARED_DIR:-../shared}/data/tokenizers/$name/tokenizer.json
    if [ -e "$file" ]; then set -- "$@" "$file"; else printf '%s\n' "$name" >>build/tokenizers/skipped.txt; fi
  done
  if [ "$is_long" = yes ]; then
    differential "--count 1000000 --sweep" "$@" || return 1
    "$venv/bin/python" tools/reference/tokenizer_components.py --files build/tokenizers/components || return 1
    set -- build/tokenizers/components/*.json
  fi
  differential "--count 50000" "$@"
}

# differential OPTIONS TOKENIZER...
differential() {
  options=$1
  shift
  # shellcheck disable=SC2086 # the options are meant to be split
  printf '%s\0' "$@" | xargs -0 -P "$jobs" -n 1 "$venv/bin/python" tools/reference/tokenizer_fuzz.py --jina build/ci/bin/jina $options
}

# A model trained here, with its adapters, in transformers and PEFT: the same vectors.
stage_interchange() {
  build ci jina jina_torch || return 1
  venv=build/interchange/venv
  if [ ! -x "$venv/bin/python" ]; then python3 -m venv "$venv"; fi
  "$venv/bin/pip" install -q -r tools/reference/export.requirements.txt || return 1
  rm -rf build/interchange/run
  build/ci/bin/jina train recipes/tiny.toml -o build/interchange/run >build/interchange/train.log 2>&1 ||
    { tail -n 60 build/interchange/train.log; return 1; }
  "$venv/bin/python" tools/reference/check_export.py build/interchange/run/model --jina build/ci/bin/jina
}

stage_asan() { build asan && run_ctest asan -LE 'long|slow|house'; }

stage_tsan() { build tsan concurrency_tests && run_ctest tsan -L concurrency; }

# libFuzzer from the kept corpus: a fixed number of runs, more of them in the long form.
stage_fuzz() {
  build fuzz fuzz || return 1
  runs=20000
  if [ "$is_long" = yes ]; then runs=2000000; fi
  for target in build/fuzz/bin/*_fuzz; do
    name=$(basename "$target")
    mkdir -p "build/fuzz/corpus/$name"
    printf '    %s: %s runs\n' "$name" "$runs"
    if ! "$target" -runs="$runs" -seed=1 -max_len=8192 -timeout=20 -rss_limit_mb=2048 -artifact_prefix="build/fuzz/$name-" \
      "build/fuzz/corpus/$name" "fuzz/corpus/$name" >"build/fuzz/$name.log" 2>&1; then
      tail -n 60 "build/fuzz/$name.log"
      return 1
    fi
  done
}

# run_stage NAME TITLE
run_stage() {
  case " $wanted " in
    *" $1 "*) ;;
    *) return 0 ;;
  esac
  begin_stage "$2"
  rm -f "build/$1/skipped.txt"
  status=passed
  "stage_$1" || status=FAILED
  if [ "$status" = FAILED ]; then failures=$((failures + 1)); fi
  seconds=$(($(now) - stage_started))
  skipped=''
  if [ -s "build/$1/skipped.txt" ]; then skipped=", $(wc -l <"build/$1/skipped.txt" | tr -d ' ') tests skipped"; fi
  end_stage
  summary="$summary
    $(printf '%-10s %s, %s s%s' "$1" "$status" "$seconds" "$skipped")"
}

started=$(now)
begin_stage 'Packages'
install_packages tools/packages-build.txt tools/packages-test.txt
end_stage

begin_stage 'Default model'
tools/fetch_default_model.sh
end_stage

begin_stage 'libtorch'
tools/fetch_torch.sh
end_stage

run_stage ci 'gcc release, training, warnings are errors: all tests, docs commands, installed package'
run_stage check 'House rules: format, layers, names, sizes, mirror, docs, clang-tidy'
run_stage tokenizers 'Tokenizers: random strings beside Hugging Face tokenizers'
run_stage interchange 'A model trained here in transformers and PEFT'
run_stage asan 'gcc address and undefined-behaviour sanitizers'
run_stage tsan 'clang thread sanitizer: concurrency tests'
run_stage fuzz 'libFuzzer, short fixed runs'

printf '\n==> Summary (%s s)%s\n' "$(($(now) - started))" "$summary"
for stage in $wanted; do
  list=build/$stage/skipped.txt
  if [ -s "$list" ]; then
    printf '\n    skipped in %s:\n' "$stage"
    sed 's/^/        /' "$list"
  fi
done
if [ "$failures" -gt 0 ]; then
  printf '\n%s stages failed\n' "$failures"
  exit 1
fi
printf '\nall stages passed\n'

#!/bin/sh
# Installs a build into a scratch prefix and uses it as a stranger would: CMake, pkg-config, the manual page, completions.
#
# usage: install_test.sh BUILD_DIR SOURCE_DIR [CXX [CC]]      exit 77: the model for the examples is not there
set -eu
build=$1
source=$2
cxx=${3:-c++}
cc=${4:-cc}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
prefix=$scratch/prefix

fail() {
  printf 'install_test: %s\n' "$*" >&2
  exit 1
}

cmake --install "$build" --prefix "$prefix" >"$scratch/install.log" || fail "cmake --install failed"
library=$(find "$prefix" -name 'libjina.so')
[ -n "$library" ] || fail "no libjina.so in the prefix"
LD_LIBRARY_PATH=$(dirname "$library")
PKG_CONFIG_PATH=$LD_LIBRARY_PATH/pkgconfig
export LD_LIBRARY_PATH PKG_CONFIG_PATH

echo '-- only the public interface is exported'
nm -DC --defined-only "$library" | sed -e 's/^[0-9a-f]* [A-Za-z] //' >"$scratch/symbols.txt"
grep -q '^jina::Error::Error' "$scratch/symbols.txt" || fail "jina::Error is not exported"
if grep -v -e '^jina::Error' -e '^jina::Embedder' -e '^jina::to_string' -e '^jina_' -e '^\(typeinfo\|typeinfo name\|vtable\) for jina::' \
  "$scratch/symbols.txt"; then
  fail "the symbols above are exported but are no part of include/jina"
fi

echo '-- the public headers compile alone'
for header in "$prefix"/include/jina/*.h; do
  name=jina/$(basename "$header")
  printf '#include <%s>\n' "$name" >"$scratch/alone.cpp"
  "$cxx" -std=c++20 -Wall -Wextra -Wpedantic -Werror -I"$prefix/include" -fsyntax-only "$scratch/alone.cpp" || fail "$name"
done

echo '-- manual page and completions'
man=$(find "$prefix" -name jina.1)
warnings=$(man --warnings -E UTF-8 -l -Tutf8 -Z "$man" 2>&1 >/dev/null)
[ -z "$warnings" ] || fail "manual page: $warnings"
for command in tokenize completion; do
  grep -q "^\\.SS $command" "$man" || fail "the manual page lacks $command"
done
bash -c '
  source "$1"
  COMP_WORDS=(jina comp) COMP_CWORD=1; _jina; [[ ${COMPREPLY[*]} == completion ]] || exit 1
  COMP_WORDS=(jina completion "") COMP_CWORD=2; _jina; [[ ${COMPREPLY[*]} == "bash zsh fish" ]] || exit 2
  COMP_WORDS=(jina tokenize --mo) COMP_CWORD=2; _jina; [[ ${COMPREPLY[*]} == --model ]] || exit 3
' bash "$(find "$prefix" -path '*bash-completion*' -name jina)" || fail "bash completion"
for shell in zsh fish; do
  if command -v "$shell" >/dev/null 2>&1; then
    case $shell in
      zsh) script=$(find "$prefix" -name _jina) ;;
      fish) script=$(find "$prefix" -name jina.fish) ;;
    esac
    "$shell" -n "$script" || fail "$shell completion"
  else
    echo "   $shell is not here: its script was not tried"
  fi
done

model=${JINA_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/jina}/models/all-MiniLM-L6-v2
for example in cpp c; do
  if [ "$example" = c ] && [ ! -f "$prefix/include/jina/jina.h" ]; then
    echo '-- jina/jina.h is not installed: the C example was not built'
    continue
  fi
  echo "-- examples/$example by find_package(jina)"
  cmake --no-warn-unused-cli -S "$source/examples/$example" -B "$scratch/$example" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_CXX_COMPILER="$cxx" \
    -DCMAKE_C_COMPILER="$cc" >"$scratch/configure.log" || fail "examples/$example: configure"
  cmake --build "$scratch/$example" >"$scratch/build.log" 2>&1 || {
    cat "$scratch/build.log" >&2
    fail "examples/$example: build"
  }
  if [ -d "$model" ]; then
    "$scratch/$example/embed" "$model" | tee "$scratch/output.txt"
    grep -q 'dimensions 384, cosine 0\.[0-9]' "$scratch/output.txt" || fail "examples/$example: unexpected output"
  fi
done

echo '-- examples/cpp by pkg-config'
# shellcheck disable=SC2046 # flags are meant to be split
"$cxx" -std=c++20 "$source/examples/cpp/embed.cpp" $(pkg-config --define-variable=prefix="$prefix" --cflags --libs jina) \
  -o "$scratch/by_pkg_config" || fail "pkg-config"

if [ ! -d "$model" ]; then
  echo "install_test: skipped running the examples, no model in $model"
  exit 77
fi
"$scratch/by_pkg_config" "$model" | grep -q 'dimensions 384' || fail "the example built by pkg-config"

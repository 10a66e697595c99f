#!/bin/sh
# Builds the jina program, fetches the default model and shows both at work. Nothing but a base system is assumed
# (Debian 12 or Ubuntu 24.04; root, or sudo). A second run fetches and builds nothing again and needs no network.
set -eu
cd "$(dirname "$0")"
. tools/stages.sh

started=$(now)
say 'jina.cpp: builds build/bin/jina, fetches a small English model (80 MB, once) and shows both at work.'

begin_stage 'Packages'
install_packages tools/packages-build.txt
end_stage

begin_stage 'Build (release; a few minutes the first time)'
mkdir -p build
cmake --preset release >build/configure.log 2>&1 || {
  cat build/configure.log >&2
  die 'cmake could not configure the build'
}
NINJA_STATUS='    [%f/%t %es] ' cmake --build --preset release
end_stage

begin_stage 'Default model'
model=$(tools/fetch_default_model.sh)
end_stage

jina=build/bin/jina

begin_stage 'How alike are these sentences? (cosine: 1 is the same, 0 has nothing in common)'
"$jina" similarity 'A cat sleeps on the sofa.' 'The kitten is napping on the couch.' 'Dogs love long walks.' \
  'The central bank raised interest rates.' 'Borrowing money has become more expensive.'

begin_stage 'Search by meaning in examples/text/household.txt'
for query in 'my bread did not rise' 'how do I save electricity' 'the sink is leaking'; do
  printf '\n    query: %s\n' "$query"
  "$jina" search "$query" -i examples/text/household.txt -k 3
done

cat <<END

The default model is all-MiniLM-L6-v2 (Apache-2.0), in
    $model
It is for English sentences and short paragraphs: at most 256 tokens a text, 384 numbers a vector, one vector for every
purpose (no tasks). It is not a Jina model and knows other languages poorly. For those, get one of the Jina models
($jina pull --help) and name it with -m.

To have jina at hand in this shell:
    export PATH="$PWD/build/bin:\$PATH"
Then: jina embed "some text"     jina search "a question" -i notes.txt     jina --help

All of it took $(($(now) - started)) s.
END

# shellcheck shell=sh
# Shared by run.sh and test.sh: stages with their times, and packages. Sourced, POSIX sh.

stage_started=0

now() { date +%s; }

say() { printf '%s\n' "$*"; }

die() {
  printf '%s: error: %s\n' "${0##*/}" "$*" >&2
  exit 1
}

# begin_stage TITLE
begin_stage() {
  stage_started=$(now)
  printf '\n==> %s\n' "$*"
}

# end_stage: how long the stage took
end_stage() { printf '    done in %s s\n' "$(($(now) - stage_started))"; }

# as_root COMMAND...: directly for root, by sudo for others
as_root() {
  if [ "$(id -u)" -eq 0 ]; then
    "$@"
  elif command -v sudo >/dev/null 2>&1; then
    sudo "$@"
  else
    die "this needs root and there is no sudo; run as root: $*"
  fi
}

# missing_packages LIST...: the packages of the lists that are not installed
missing_packages() {
  grep -hv -e '^#' -e '^$' "$@" | while read -r package; do
    dpkg-query -W -f '${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed$' || printf '%s ' "$package"
  done
}

# install_packages LIST...: installs what is missing, touches nothing else
install_packages() {
  command -v dpkg-query >/dev/null 2>&1 || {
    say "    no dpkg here: install what $* name by your system's own means"
    return 0
  }
  missing=$(missing_packages "$@")
  if [ -z "$missing" ]; then
    say "    all there"
    return 0
  fi
  say "    installing: $missing"
  # shellcheck disable=SC2086 # the list is meant to be split
  set -- env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends $missing
  if ls /var/lib/apt/lists/*_Packages* >/dev/null 2>&1 && as_root "$@" >"$install_log" 2>&1; then
    return 0
  fi
  as_root apt-get update -q >"$install_log" 2>&1 || {
    tail -n 20 "$install_log" >&2
    die "apt-get update failed"
  }
  as_root "$@" >"$install_log" 2>&1 || {
    tail -n 20 "$install_log" >&2
    die "could not install: $missing"
  }
}

install_log=${TMPDIR:-/tmp}/jina-install.$$.log
trap 'rm -f "$install_log"' EXIT
trap 'exit 130' INT TERM

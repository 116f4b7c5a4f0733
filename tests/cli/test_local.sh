#!/bin/sh
# jobs/local.sh: what a failing run says stays alone on stderr, and its exit status goes through.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"

# A checkout whose "build" takes the program that is tested.
mkdir -p root/jobs root/build tools
cp "$TESTS/../jobs/local.sh" root/jobs/
echo 'exit 0' >root/jobs/install.sh
printf '#!/bin/sh\nln -sf "$DTRAIN" root/build/dtrain\n' >tools/cmake
chmod +x tools/cmake
PATH=$PWD/tools:$PATH

status=0
RANKS=2 sh root/jobs/local.sh missing.npz >stdout 2>stderr || status=$?
expect_status 3
expect_one_stderr_line "dtrain: error: missing.npz: no such file"
status=0
RANKS=2 sh root/jobs/local.sh --version >stdout 2>stderr || status=$?
expect_status 0
expect_empty_stderr
expect_stdout '^dtrain '

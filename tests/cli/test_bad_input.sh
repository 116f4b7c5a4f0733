#!/bin/sh
# Bad files: exit status 3, one line that names the file and what is wrong, and nothing left behind.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=bad_input.sh
. "$TESTS/cli/bad_input.sh"

# ---- not a .npz at all ----
bad 0 "missing.npz: no such file" missing.npz
bad 3 "no such file" missing.npz
bad 0 "is empty (0 bytes)" empty.npz
bad 0 "HTML page" page.npz
bad 3 "HTML page" page.npz
bad 0 "git lfs pull" pointer.npz
bad 0 "contains only array [80,4]; inputs and targets must be in one .npz" array.npy
bad 0 "not a ZIP archive" table.npz
mkdir folder
bad 0 "contains neither train.npz" folder

# ---- damaged archives ----
bad 0 "truncated ZIP" truncated-stored.npz
bad 3 "truncated ZIP" truncated-deflated.npz
# These are found in the middle of dealing: the other ranks wait for rows then.
bad 0 "'inputs' is damaged: its CRC-32" flipped-stored.npz
bad 3 "'inputs' is damaged: its CRC-32" flipped-stored.npz
bad 3 "'inputs' is damaged" flipped-deflated.npz
bad 0 "'targets' is damaged: its CRC-32" crc-stored.npz
bad 3 "'targets' is damaged: its CRC-32" crc-deflated.npz
bad 0 "does not fit its size" claims-more.npz
bad 3 "does not fit its size" claims-more.npz
bad 0 "does not fit its size" claims-more-columns.npz
bad 0 "does not fit its size" claims-less.npz
bad 0 "negative length" negative.npz
bad 0 "the shape is beyond" overflow.npz
bad 0 "malformed .npy header" garbage.npz

# ---- arrays of the wrong kind ----
bad 0 "'inputs': expected numbers, found pickled Python objects" objects.npz
bad 0 "'inputs': expected numbers, found strings" strings.npz
bad 0 "'inputs': expected numbers, found complex numbers" complex.npz
bad 0 "'inputs': expected numbers, found dates" dates.npz
bad 0 "'inputs': expected numbers, found records" records.npz
bad 0 "it contains alpha [80,4], beta [80,4]: use --inputs alpha --targets beta" names.npz
bad 0 "contains only inputs [80,4]" no-targets.npz
bad 0 "no arrays" no-arrays.npz
bad 0 "no array 'gamma'" names.npz --inputs gamma --targets beta

# A try that failed must not make the next one go to results/NAME-2.
expect_no_file results

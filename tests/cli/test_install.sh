#!/bin/sh
# cmake --install: what goes where, that the program works from there, the man pages, bash's completion.
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
build=$(dirname "$DTRAIN")
[ -f "$build/cmake_install.cmake" ] || skip "needs dtrain's build folder"
run 0 --help
commands=$(sed -n '/^Usage: /q; s/^  \([a-z][a-z-]*\) .*/\1/p' stdout)
[ -n "$commands" ] || fail "the commands stand above the usage"

# Where it is installed is not where it will be; and nothing is written elsewhere.
DESTDIR=$PWD/staged cmake --install "$build" --prefix "/opt/some place" >log 2>&1 ||
    { cat log >&2 && fail "cmake --install succeeds"; }
mv "staged/opt/some place" moved
rmdir staged/opt staged || fail "nothing outside the prefix"
for file in bin/dtrain share/bash-completion/completions/dtrain share/doc/dtrain/README.md \
    share/doc/dtrain/LICENSE share/doc/dtrain/CHANGELOG.md share/doc/dtrain/results/README.md; do
    expect_file "moved/$file"
done
grep -o '](results/[^)#]*\|](jobs/[^)#]*\|]([A-Z][^)#]*' moved/share/doc/dtrain/README.md |
    sed 's/^](//' | sort -u >links
[ -s links ] || fail "README.md has links"
while read -r link; do
    expect_file "moved/share/doc/dtrain/$link"
done <links

# ---- the program ----
mkdir empty
(cd empty && env -i PATH="$PATH" HOME="$PWD" ${OPENBLAS_CORETYPE:+"OPENBLAS_CORETYPE=$OPENBLAS_CORETYPE"} ../moved/bin/dtrain --version) >installed 2>stderr ||
    fail "the installed program starts"
"$DTRAIN" --version >built
expect_same_file installed built
run 0 --version
DTRAIN=$PWD/moved/bin/dtrain
commit=$(git -c safe.directory='*' -C "$TESTS/.." rev-parse --short=7 HEAD 2>/dev/null) || commit=""
if [ -n "$commit" ] && [ -e "$TESTS/../.git" ]; then
    expect_stdout "^dtrain [0-9.]+ \\([0-9a-f]{7,}\\)\$"
else
    expect_stdout "^dtrain [0-9.]+\$"
fi
cd empty
run 2 --epochs 1 --quiet --out results
expect_status 0
expect_empty_stderr
expect_stdout_line summary.status=ok
run 0 inspect results/model.h5
expect_status 0
cd ..

# ---- man pages ----
pages=moved/share/man/man1
if grep -q '^HELP2MAN:FILEPATH=/' "$build/CMakeCache.txt"; then
    # `make dtrain` alone makes no pages.
    [ -f "$build/man_pages.stamp" ] || skip "the man pages were not built; the rest passed"
    expect_file $pages/dtrain.1
    [ "$(find $pages -type f | wc -l)" -eq $(($(echo "$commands" | wc -l) + 1)) ] ||
        fail "a page for each command, and one for all"
    for command in "" $commands; do
        page=$pages/dtrain${command:+-$command}.1
        run 0 ${command:+"$command"} --help
        cp stdout help
        cp "$page" stdout || fail "a page for $command"
        for section in NAME SYNOPSIS DESCRIPTION OPTIONS '"EXIT STATUS"' '"SEE ALSO"'; do
            expect_stdout_line ".SH $section"
        done
        expect_stdout "^dtrain${command:+-$command} \\\\- [a-z]"
        expect_stdout '^\\fBdtrain\\fR '
        # The groups of options, and nothing that help2man could not read.
        sed -n '/^Options:/d; s/^\([A-Z][a-z ]*\):$/.SS "\1:"/p' help >groups
        grep '^\.SS' stdout >sections || :
        expect_same_file sections groups
        sed -n 's/^  --\([a-z0-9-]*\).*/\1/p' help >options
        [ -s options ] || fail "$command has options"
        while read -r option; do
            expect_stdout "^\\\\fB\\\\-\\\\-$(echo "$option" | sed 's/-/\\\\-/g')\\\\fR"
        done <options
        [ "$(grep -c '^\\fB[0-9]*\\fR$' stdout)" -ge 7 ] || fail "seven exit statuses"
        if command -v lexgrog >/dev/null; then
            lexgrog "$page" >said || fail "lexgrog reads the NAME of $page"
        fi
        if command -v groff >/dev/null; then
            groff -ww -man -Tascii "$page" 2>said >/dev/null
            [ ! -s said ] || { cat said >&2 && fail "groff has nothing to say of $page"; }
        fi
    done
    cp $pages/dtrain.1 stdout
    for command in $commands; do
        expect_stdout_line "\\fB$command\\fR"
        expect_stdout "dtrain\\\\-$command\\\\fR\\(1\\)"
    done
else
    expect_no_file $pages/dtrain.1
fi

# ---- completion ----
command -v bash >/dev/null || skip "needs bash for its completion; the rest passed"
cat >complete.bash <<'EOS'
source moved/share/bash-completion/completions/dtrain
COMP_WORDS=("$DTRAIN" "$@")
COMP_CWORD=$#
_dtrain "$DTRAIN" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
echo "${COMPREPLY[*]}"
EOS
# completes EXPECTED WORDS...: the last word is what was typed of it so far
completes() {
    expected=$1
    shift
    harness_command="completion of: dtrain $*"
    bash --norc complete.bash "$@" >stdout 2>stderr || fail "the completion works"
    expect_empty_stderr
    [ "$(cat stdout)" = "$expected" ] || fail "'$expected'"
}
completes "$(echo "$commands" | tr '\n' ' ' | sed 's/ $//')" ""
completes train tr
completes prepare prep
completes "" no-such
completes --hidden --hid
completes --hidden train --hid
completes --space search --spa
completes --hidden search --hid # as of train
completes "--help --json" inspect --
completes "--split --split-column --split-by" prepare table.csv --out x --spli
completes "relu tanh sigmoid gelu silu elu selu leaky_relu softplus hard_sigmoid linear" --activation ""
completes tanh train --activation t
completes tanh train --activation = t
completes "relu tanh sigmoid gelu silu elu selu leaky_relu softplus hard_sigmoid linear" train --activation =
completes "stratified random ordered" prepare --split ""
completes "" prepare --hidd
completes "" train --out ""
completes "" train --hidden ""
completes "" prepare --fill ""
completes "" train --quiet ""
completes --version --vers
# The words above are all of an option; file names are bash's own matter, if it is told so.
bash --norc -c 'source moved/share/bash-completion/completions/dtrain && complete -p dtrain' >stdout
expect_stdout '-o default .*-F _dtrain dtrain$'

#!/bin/sh
# cpack: what the Debian package and the RPM contain and require; and the recipes of jobs/site/ are of this version.
# long: packs
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
need_python sys
root=$(cd "$TESTS/.." && pwd)
build=$(dirname "$DTRAIN")
version=$("$DTRAIN" --version | sed -n '1s/^dtrain \([0-9.]*\).*/\1/p')

# ---- recipes ----
expect_file "$root/jobs/site/dtrain-$version-foss-2023b.eb"
grep -qx "version = '$version'" "$root/jobs/site/dtrain-$version-foss-2023b.eb" || fail "the easyconfig is of $version"
"$PYTHON" - "$root"/jobs/site/package.py "$root"/jobs/site/*.eb <<'EOS' || fail "Python compiles the recipes"
import sys
for name in sys.argv[1:]:
    with open(name, encoding="utf-8") as file:
        compile(file.read(), name, "exec")
EOS
# What the container is built from exists.
sed -n '/^%files$/,/^$/s/^ *\([^ ]*\) .*/\1/p' "$root/jobs/site/dtrain.def" >copied
[ "$(wc -l <copied)" -ge 8 ] || fail "dtrain.def copies the source"
while read -r name; do
    [ "$name" = .git ] || [ -e "$root/$name" ] || fail "dtrain.def copies $name"
done <copied

# ---- packages ----
command -v dpkg-shlibdeps >/dev/null && command -v file >/dev/null && command -v rpmbuild >/dev/null ||
    skip "needs dpkg-dev, file and rpm; the rest passed"
harness_command="cpack"
cpack --config "$build/CPackConfig.cmake" -G 'DEB;RPM' -B "$PWD/packed" >log 2>&1 || { cat log >&2 && fail "cpack succeeds"; }
cp packed/*.deb dtrain.deb
cp packed/*.rpm dtrain.rpm
dpkg-deb -f dtrain.deb >stdout
expect_stdout "^Version: $version\$"
expect_stdout "^Depends: .*libc6"
expect_stdout "^Depends: .*(openmpi|mpich)"
expect_stdout "^Recommends: openmpi-bin"
rpm -qp --requires dtrain.rpm >stdout 2>stderr
expect_stdout "^libmpi"

# Both have the same files, below /usr, owned by root, and writable by nobody else.
dpkg-deb -c dtrain.deb >listed
! grep -vE '^(-rw-r--r--|[-d]rwxr-xr-x) root/root ' listed || fail "owners and modes"
sed -n '/^-/s|.* \./|/|p' listed | sort >files
rpm -qpl dtrain.rpm 2>stderr | grep -vE '^/usr/share/doc/dtrain(/jobs|/results)?$' | sort >stdout
expect_same_file stdout files
! grep -vE '^/usr/(bin/dtrain|share/(bash-completion/completions/dtrain|man/man1/dtrain(-[a-z]*)?\.1|doc/dtrain/.*))$' files ||
    fail "no other files"
for name in bin/dtrain share/bash-completion/completions/dtrain share/doc/dtrain/LICENSE; do
    grep -qx "/usr/$name" files || fail "/usr/$name is packed"
done
! grep -q '/jobs/\(site/\|local\|install\)' files || fail "what builds is left out"
dpkg-deb -x dtrain.deb root
root/usr/bin/dtrain --version >stdout || fail "the packed program starts"
"$DTRAIN" --version >built
expect_same_file stdout built

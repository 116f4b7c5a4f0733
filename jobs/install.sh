#!/bin/sh
# install.sh KIND...    KIND: build, test, long, clang, analyse, coverage, bench
#
# Installs missing packages that dtrain needs, with apt (Debian, Ubuntu), as root or with sudo. On other
# systems it prints the Debian names of the missing packages, and the exit status is 1. If nothing is
# missing, it changes nothing.
set -eu

# Folders of daemons and network tools, which are not in every user's PATH.
PATH=$PATH:/usr/sbin:/sbin

python_has() {
    for python in python3 /usr/bin/python3; do
        if "$python" -c "import $1" 2>/dev/null; then return; fi
    done
    return 1
}

has() { command -v "$1" >/dev/null 2>&1; }
includes() { echo "#include <$1>" | gcc -E - >/dev/null 2>&1; }
links() { pkg-config --exists "$1" 2>/dev/null; }
is_there() {
    case $1 in
    gcc | cmake | make | pkg-config | clang | clang-format | clang-tidy | cppcheck | valgrind | gcovr | help2man)
        has "$1"
        ;;
    libc6-dev) includes stdio.h ;;
    openmpi-bin) has mpirun ;;
    libopenmpi-dev) has mpicc ;;
    mpich) has mpiexec.mpich ;;
    libmpich-dev) has mpicc.mpich ;;
    libopenblas-dev) links openblas ;;
    libhdf5-dev) links hdf5 || links hdf5-serial || has h5cc ;;
    zlib1g-dev) links zlib ;;
    libjansson-dev) links jansson ;;
    libcmocka-dev) links cmocka ;;
    g++) has g++ ;;
    python3-dev) has python3-config ;;
    python3-venv) python_has ensurepip ;; # venv itself is there without it, and fails
    python3-*) python_has "${1#python3-}" ;;
    hdf5-tools) has h5dump ;;
    gnuplot-nox) has gnuplot ;;
    slurm-wlm) has sbatch && has slurmctld && has slurmd ;;
    munge) has munged ;;
    iproute2) has ip && has tc ;;
    procps) has pgrep ;;
    dpkg-dev) has dpkg-shlibdeps ;;
    file) has file ;;
    rpm) has rpmbuild ;;
    util-linux) has unshare && has nsenter ;;
    gcc-aarch64-linux-gnu) has aarch64-linux-gnu-gcc ;;
    libc6-dev-arm64-cross) [ -f "$(aarch64-linux-gnu-gcc -print-file-name=libc.a 2>/dev/null)" ] ;;
    qemu-user) has qemu-aarch64 ;;
    protobuf-c-compiler) has protoc-c ;;
    libprotobuf-c-dev) links libprotobuf-c ;;
    libonnx-dev) includes onnx/onnx.proto ;;
    *) false ;;
    esac
}

packages=""
for kind in "$@"; do
    case $kind in
    build) packages="$packages gcc libc6-dev cmake make pkg-config openmpi-bin libopenmpi-dev
                     libopenblas-dev libhdf5-dev zlib1g-dev libjansson-dev" ;;
    test) packages="$packages libcmocka-dev python3-numpy python3-h5py python3-pandas python3-sklearn
                    hdf5-tools gnuplot-nox help2man clang-format
                    protobuf-c-compiler libprotobuf-c-dev libonnx-dev" ;;
    # Keras in an environment of its own, valgrind, another MPI, a Slurm, several hosts on one machine, packages;
    # and AArch64 under emulation, which an AArch64 machine does not need.
    long) packages="$packages python3-venv valgrind mpich libmpich-dev slurm-wlm munge iproute2 procps util-linux
                    dpkg-dev file rpm"
        [ "$(uname -m)" = aarch64 ] ||
            packages="$packages gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user" ;;
    mpich) packages="$packages mpich libmpich-dev" ;;
    clang) packages="$packages clang" ;;
    analyse) packages="$packages clang-tidy cppcheck" ;;
    coverage) packages="$packages gcovr" ;;
    # The peers of tests/bench have their own environment; torch.compile compiles C++.
    bench) packages="$packages python3-numpy python3-pandas python3-sklearn python3-venv python3-dev
                     g++ util-linux" ;;
    *) echo "install.sh: $kind is none of build, test, long, mpich, clang, analyse, coverage, bench" >&2; exit 2 ;;
    esac
done

missing_packages() {
    missing=""
    for package in $packages; do
        is_there "$package" || missing="$missing $package"
    done
}

missing_packages
[ -n "$missing" ] || exit 0

give_up() {
    echo "dtrain needs these packages, or what your system calls them:$missing" >&2
    echo "$1" >&2
    exit 1
}

has apt-get || give_up "Install them, then start this script again."
as_root=""
if [ "$(id -u)" -ne 0 ]; then
    has sudo || give_up "Ask an administrator to install them: this user is not root and has no sudo."
    # Without a terminal sudo cannot ask for a password.
    if ! sudo -n true 2>/dev/null && [ ! -t 0 ]; then
        give_up "Install them, then start this script again: sudo wants a password."
    fi
    as_root=sudo
fi

log=$(mktemp)
trap 'rm -f "$log"' EXIT
trap 'exit 1' HUP INT TERM
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
        apt-get -qq -y -o Acquire::Retries=3 -o DPkg::Lock::Timeout=300 "$@" </dev/null >>"$log" 2>&1
}
echo "installing:$missing" >&2
# Word splitting is meant: one argument a package.
# shellcheck disable=SC2086
if ! apt update || ! apt install --no-install-recommends $missing; then
    tail -n 20 "$log" >&2
    give_up "apt-get could not install them."
fi
missing_packages
[ -z "$missing" ] || give_up "They were installed, but are not found."

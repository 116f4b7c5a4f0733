#!/bin/sh
# The same bits on AArch64. dtrain's trainer is built for this machine and for AArch64 (steps.c). It
# runs with each version of the kernels, for AArch64 under emulation: all come to the pinned weights
# and losses, and to the same evaluations. The unit tests of nn and base run there too, and all of
# src compiles without a warning.
#
# Emulation shows the arithmetic. It shows neither the speed nor the order in which a real AArch64
# machine lets other threads see what was written.
# shellcheck source-path=SCRIPTDIR source=../cli/harness.sh
. "$(dirname "$0")/../cli/harness.sh"
ln -s "$(dirname "$TESTS")" root # short names, without blanks
ln -s "$(dirname "$DTRAIN")" build
machine=$(uname -m)
host_cc=${CC:-cc}

case $machine in
x86_64) cross_cc=aarch64-linux-gnu-gcc emulator=qemu-aarch64 ;;
aarch64) cross_cc=$host_cc emulator="" ;; # by itself
*) skip "needs an x86-64 or AArch64 machine" ;;
esac
command -v "$host_cc" >/dev/null || skip "needs a C compiler named $host_cc"
command -v "$cross_cc" >/dev/null || skip "needs $cross_cc (Debian: gcc-aarch64-linux-gnu)"
[ -z "$emulator" ] || command -v "$emulator" >/dev/null ||
    skip "needs $emulator (Debian: qemu-user)"
echo 'int main(void) { return 0; }' >nothing.c
"$cross_cc" -static nothing.c -o nothing 2>stderr ||
    skip "$cross_cc finds no C library (Debian: libc6-dev-arm64-cross)"

# ---- building ----

# The options of all files, and those of one, as CMakeLists.txt has them.
options=$(sed -n 's/^add_compile_options(\(-[^$]*\))$/\1/p' root/CMakeLists.txt)
options_of() {
    tr '\n' ' ' <root/CMakeLists.txt |
        sed -n "s|.*(src/nn/$1 PROPERTIES *COMPILE_OPTIONS \"\{0,1\}\([^\")]*\).*|\1|p" | tr ';' ' '
}
case $options in
*-Wall*-ffp-contract=off*) ;;
*) fail "add_compile_options of warnings and of arithmetic in CMakeLists.txt, found: $options" ;;
esac
[ -n "$(options_of linalg_avx2.c)" ] && [ -n "$(options_of linalg_neon.c)" ] ||
    fail "the options of the kernels' files in CMakeLists.txt"
for name in VERSION COMMIT COMPILER FLAGS OPENBLAS HDF5 ZLIB JANSSON PROTOBUF_C; do
    echo "#define DTRAIN_$name \"0\""
done >version.h
options="-std=gnu11 -O3 -DNDEBUG $options -Werror -include version.h -Iroot/tests/cross
         -Iroot/tests/support -Iroot/include"

object_of() {
    echo "${1%.c}.o" | tr / _
}

# compile FOLDER COMPILER MACHINE FILE...: objects in the FOLDER
compile() {
    compile_to=$1 compiler=$2 compile_for=$3
    shift 3
    mkdir -p "$compile_to"
    for file in "$@"; do
        name=${file##*/}
        own=""
        case $compile_for/$name in
        x86_64/linalg_avx*.c | aarch64/linalg_neon.c) own=$(options_of "$name") ;;
        esac
        harness_command="$compiler $own -c $file"
        # Word splitting is meant: one argument an option.
        # shellcheck disable=SC2086
        # Files of two folders may have one name.
        "$compiler" $options $own -c "root/$file" -o "$compile_to/$(object_of "$file")" 2>stderr ||
            fail "$file compiles for $compile_for"
    done
}

# All that the trainer consists of, without MPI and files. one_rank.c has the checksum, without zlib.
sources="$(cd root && ls src/base/*.c src/nn/*.c src/nn/*/*.c src/task/*.c | grep -v -e /crc32.c -e /explanation)
    src/comm/exact_sum.c src/data/dataset.c src/data/dataset_measure.c src/train/early_stopping.c
    src/comm/exact_total.c src/train/gradient_exact.c
    src/train/gradient_fast.c src/train/gradient_sum.c src/train/phases.c
    src/train/learning_rate.c src/train/stepper.c src/train/time_limit.c src/train/trainer.c
    src/train/trainer_evaluation.c src/train/update.c
    tests/support/exact_activation.c tests/support/kernels.c tests/support/run.c tests/support/ulps.c
    tests/cross/cblas.c tests/cross/one_rank.c"
# shellcheck disable=SC2086
compile host "$host_cc" "$machine" $sources
# shellcheck disable=SC2086
compile cross "$cross_cc" aarch64 $sources

# link FOLDER COMPILER MACHINE FILE OPTION...: the program FOLDER/NAME, of FILE and all objects
link() {
    linked=$1/$(basename "$4" .c) linker=$2
    compile "$1/main" "$2" "$3" "$4"
    objects=$1 main=$(object_of "$4")
    shift 4
    "$linker" "$@" "$objects/main/$main" "$objects"/*.o -o "$linked" -lm -lpthread \
        2>stderr || fail "$linked links"
}
link host "$host_cc" "$machine" tests/cross/steps.c
link cross "$cross_cc" aarch64 tests/cross/steps.c -static

start() {
    harness_command="$*"
    status=0
    timeout -k 5 "$RUN_TIMEOUT" "$@" </dev/null >stdout 2>stderr || status=$?
}

# ---- the pinned runs, with all kernels of both machines ----

found=""
for where in host cross; do
    for isa in avx512 avx2 neon portable; do
        export DTRAIN_ISA=$isa
        # shellcheck disable=SC2086
        if [ $where = host ]; then start host/steps; else start $emulator cross/steps; fi
        if [ "$status" -eq 2 ]; then
            expect_one_stderr_line "steps: error: DTRAIN_ISA=$isa: this CPU does not have it; unset it, or choose another"
            continue
        fi
        expect_status 0
        # base/subnormals.h describes how AArch64 differs, and must be right.
        case $where/$machine in
        host/x86_64) expect_stdout_line "edge: 0x1p-126" ;;
        *) expect_stdout_line "edge: 0x0p+0" ;;
        esac
        grep -v '^edge: ' stdout >"$where.$isa"
        found="$found $where.$isa"
    done
done
unset DTRAIN_ISA
for result in $found; do
    cmp -s host.portable "$result" || {
        diff host.portable "$result" >stdout || :
        fail "the same bits as host.portable in $result"
    }
done
case $found in
*host.portable*cross.neon*cross.portable*) ;;
*) fail "portable kernels here, neon and portable ones for AArch64, found:$found" ;;
esac

# ---- unit tests ----

unset DTRAIN_LONG # an emulated long double is computed by software
for test in activation batch_norm elementary exact_sum kernels layers loss memory network normalization optimizer pool \
    random schedule signals status text vector_math; do
    link cross "$cross_cc" aarch64 "tests/unit/test_$test.c" -static
    # shellcheck disable=SC2086
    start $emulator "cross/test_$test"
    expect_status 0
done

# ---- all else compiles ----

# Headers of libraries say nothing about the architecture here: those of this machine serve.
headers=""
for word in $(mpicc -show) $(pkg-config --cflags-only-I hdf5 openblas jansson 2>/dev/null) \
    -Ibuild/onnx; do
    case $word in
    -I*) headers="$headers -isystem ${word#-I}" ;;
    esac
done
headers="$headers -idirafter /usr/include/$("$host_cc" -print-multiarch)"
[ ! -d build/onnx ] || headers="$headers -DDTRAIN_WITH_ONNX"
printf '#include <%s>\n' mpi.h hdf5.h hdf5_hl.h zlib.h jansson.h >headers.c
# shellcheck disable=SC2086
if "$cross_cc" $headers -fsyntax-only headers.c 2>headers.log; then
    for file in root/src/*/*.c root/src/*/*/*.c; do
        harness_command="$cross_cc -fsyntax-only $file"
        # shellcheck disable=SC2086
        "$cross_cc" $options $headers -fsyntax-only "$file" 2>stderr ||
            fail "$file compiles for AArch64"
    done
else
    echo "not compiled for AArch64: what includes headers of libraries; $(head -n 1 headers.log)"
fi

#!/bin/sh
# The contract under other options: layers, activations, batches, early stopping.
# long: many runs, most of them on several ranks
# shellcheck source-path=SCRIPTDIR source=harness.sh
. "$(dirname "$0")/harness.sh"
# shellcheck source-path=SCRIPTDIR source=contract.sh
. "$TESTS/cli/contract.sh"

same deep "1 3 8" --epochs 3 --hidden 64,32 --activation tanh data/two
same sigmoid "1 4 8" --epochs 3 --activation sigmoid data/two
same batch7 "1 3 8" --epochs 2 --batch 7 data/two
same logistic "1 8" --epochs 3 --hidden none data/two
same wide "1 3 8" --epochs 3 --hidden 200,100 data/two
wide_crc=$same_crc
# The last of 8 steps has 5 rows, and so has the whole of tiny: on 8 ranks some have none.
same batch-norm "1 2 3 8" --epochs 3 --batch 85 --hidden 40,20 --norm batch data/two
batch_crc=$same_crc
run 8 --quiet --epochs 3 --batch 85 --hidden 40,20 --norm batch --overlap on --out batch-norm/overlap data/two
expect_status 0
[ "$(summary weights_crc)" = "$batch_crc" ] || fail "the weights without --overlap: $batch_crc"
same batch-norm-tiny "1 8" --epochs 3 --norm batch --clip-norm 0.1 --reduce allreduce data/tiny
# OpenBLAS with one thread.
same blas "1 3 8" --epochs 3 --engine blas --hidden 200,100 data/two
# dtrain's own kernels with two threads.
run 3 --quiet --epochs 3 --hidden 200,100 --threads 2 --out wide/threads data/two
expect_status 0
[ "$(summary weights_crc)" = "$wide_crc" ] || fail "the weights of one thread: $wide_crc"
is_long || exit 0

same linear "2 7" --epochs 2 --activation linear data/two
same batch1 "1 8" --epochs 2 --batch 1 data/two
same batch-of-all "1 5 8" --epochs 4 --batch 100000 data/two
same monitor "1 8" --epochs 8 --monitor val_accuracy --patience 1 --learning-rate 0.01 data/two
same last "1 4" --epochs 4 --patience 0 --no-restore-best --learning-rate 0.2 data/two

# OpenBLAS with two threads, also on more ranks than CPUs.
run 1 --quiet --engine blas --epochs 3 --hidden 300 --threads 2 --out threads/1 data/two
expect_status 0
crc=$(summary weights_crc)
run 3 --quiet --engine blas --epochs 3 --hidden 300 --threads 2 --out threads/3 data/two
expect_stdout_line "summary.weights_crc=$crc"

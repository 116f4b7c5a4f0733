#include "dtrain/base/log.h"
#include "dtrain/cli/train.h"
#include "dtrain/comm/comm.h"
#include "dtrain/comm/launch.h"
#include "dtrain/io/crc32.h"
#include "dtrain/io/h5.h"
#include "dtrain/nn/linalg.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static void print_version(void)
{
    printf("dtrain " DTRAIN_VERSION "\n%s\n%s, %s kernels\nHDF5 %s\nzlib %s\n", dt_comm_library(),
           dt_linalg_library(), dt_linalg_kernels(), dt_h5_version(), dt_zlib_version());
}

int main(int argc, char **argv)
{
    /* What needs no ranks is answered without MPI, in milliseconds; once, also under a launcher. */
    if (has_word(argc, argv, "--version") || has_word(argc, argv, "--help")) {
        if (dt_launch_is_first() && has_word(argc, argv, "--version"))
            print_version();
        else if (dt_launch_is_first())
            dt_cli_train_help();
        return (int)dt_log_check();
    }
    dt_comm *comm = NULL;
    dt_status status = dt_comm_start(&comm);
    if (status != DT_OK) {
        dt_log_init(dt_launch_is_first(), false);
        dt_log_error("%s", dt_status_text());
        return (int)status;
    }
    dt_log_init(dt_comm_rank(comm) == 0, false);
    const int first = argc > 1 && strcmp(argv[1], "train") == 0 ? 2 : 1;
    status = dt_cli_train(comm, argc - first, argv + first);
    if (status == DT_OK)
        status = dt_comm_agree(comm, dt_log_check());
    if (status != DT_OK)
        dt_log_error("%s", dt_status_text());
    dt_comm_end(comm);
    return (int)status;
}

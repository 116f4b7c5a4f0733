#include "commands.h"
#include "training.h"

#include "dtrain/base/memory.h"
#include "dtrain/run/search.h"

#include <stdio.h>

void dt_cli_search_help(void)
{
    dt_options_print_help(dt_search_options());
    printf("\nFor all trials, the options of `dtrain train`; dtrain train --help lists them.\n");
}

dt_status dt_cli_search(const dt_comm *comm, int argc, char **argv)
{
    dt_status status = DT_OK;
    dt_search_settings search = {0};
    dt_settings *settings = NULL; /* too large for the stack */
    char command_line[DT_COMMAND_BYTES] = "";
    status = dt_memory_alloc(&settings, 1, sizeof *settings, "settings");
    if (status == DT_OK && dt_comm_rank(comm) == 0) {
        dt_training_join_words(command_line, sizeof command_line, argc, argv, " search");
        status = dt_search_parse(&search, settings, argc, argv);
    }
    DT_TRY(dt_comm_agree(comm, status));
    status = dt_search_run(comm, &search, settings, command_line, dt_training_report_table);
out:
    dt_memory_free(settings);
    return status;
}

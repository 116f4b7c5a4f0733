#include "commands.h"
#include "prepare_report.h"
#include "training.h"

#include "dtrain/run/run.h"

#include <stdio.h>

void dt_cli_train_help(void)
{
    dt_options_print_help(dt_settings_table());
}

void dt_training_join_words(char *out, size_t bytes, int argc, char **argv, const char *command)
{
    size_t used = (size_t)snprintf(out, bytes, "dtrain%s", command);
    for (int i = 0; i < argc && used < bytes; i++)
        used += (size_t)snprintf(out + used, bytes - used, " %s", argv[i]);
}

dt_status dt_training_report_table(const dt_preparation *preparation, bool dealt)
{
    if (!dealt)
        return dt_prepare_report_columns(preparation);
    dt_prepare_report_split(preparation);
    return DT_OK;
}

dt_status dt_cli_train(const dt_comm *comm, int argc, char **argv)
{
    dt_settings settings = {0};
    char command_line[DT_COMMAND_BYTES] = "";
    dt_run *run = NULL;
    dt_status status = dt_run_new(&run, comm);
    if (status == DT_OK && dt_comm_rank(comm) == 0) {
        dt_training_join_words(command_line, sizeof command_line, argc, argv,
                               ""); /* parsing moves them */
        status = dt_settings_parse(&settings, argc, argv);
    }
    DT_TRY(dt_comm_agree(comm, status));
    dt_run_set_table_report(run, dt_training_report_table);
    DT_TRY(dt_run_start(run, &settings, command_line));
    DT_TRY(dt_run_train(run));
    DT_TRY(dt_run_save(run));
out:
    dt_run_end(run, status);
    dt_run_free(run);
    return status;
}

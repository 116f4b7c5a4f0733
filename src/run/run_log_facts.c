#include "run_log_internal.h"

#include "dtrain/base/clock.h"
#include "dtrain/base/crc32.h"
#include "dtrain/base/memory.h"
#include "dtrain/comm/comm.h"
#include "dtrain/run/run_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static dt_status write_config(dt_h5 *h5, const dt_settings *settings)
{
    dt_status status = DT_OK;
    const dt_option_table *table = dt_settings_table();
    DT_TRY(dt_h5_make_group(h5, "/config"));
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        const void *value = (const char *)settings + option->offset;
        char name[64], text[DT_OPTION_TEXT_BYTES];
        (void)dt_options_log_name(name, option);
        if (option->kind == DT_OPTION_INT)
            DT_TRY(dt_h5_set_int(h5, "/config", name, *(const int64_t *)value));
        else if (option->kind == DT_OPTION_FLAG)
            DT_TRY(dt_h5_set_int(h5, "/config", name, *(const bool *)value));
        else if (option->kind == DT_OPTION_FLOAT)
            DT_TRY(dt_h5_set_double(h5, "/config", name, *(const double *)value));
        else
            DT_TRY(dt_h5_set_text(h5, "/config", name,
                                  dt_options_format(text, sizeof text, option, settings)));
    }
    const char *data[DT_DATA_MAX];
    for (int i = 0; i < settings->data_count; i++)
        data[i] = settings->data[i];
    DT_TRY(dt_h5_set_texts(h5, "/config", "data", data, (size_t)settings->data_count));
out:
    return status;
}

/* An environment variable; "" when it is not set. */
static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value != NULL ? value : "";
}

static dt_status write_rank_hosts(dt_h5 *h5, const dt_environment *environment)
{
    dt_status status = DT_OK;
    const size_t ranks = (size_t)environment->ranks;
    const char **hosts = NULL;
    DT_TRY(dt_memory_alloc(&hosts, ranks, sizeof *hosts, "host names"));
    for (size_t rank = 0; rank < ranks; rank++)
        hosts[rank] = environment->hosts[rank];
    DT_TRY(dt_h5_write_texts(h5, "/environment/rank_hosts", hosts, ranks));
    DT_TRY(dt_h5_label_dimension(h5, "/environment/rank_hosts", 0, "rank", NULL));
out:
    dt_memory_free(hosts);
    return status;
}

static dt_status write_environment(dt_h5 *h5, const dt_environment *environment,
                                   const char *command_line)
{
    char started[32] = "", folder[4096] = "";
    dt_clock_utc(started, sizeof started, DT_CLOCK_ISO);
    if (getcwd(folder, sizeof folder) == NULL)
        folder[0] = '\0';
    const struct {
        const char *name, *text;
    } texts[] = {
        {"dtrain_version", DTRAIN_VERSION},
        {"git_commit", DTRAIN_COMMIT},
        {"started", started},
        {"working_directory", folder},
        {"command_line", command_line},
        {"host", environment->launch.host},
        {"cpu", environment->cpu},
        {"kernels", environment->isa},
        {"blas", environment->blas},
        {"blas_kernels", environment->kernels},
        {"blas_picked", variable("DTRAIN_BLAS_PICKED")},
        {"openblas_coretype", variable("OPENBLAS_CORETYPE")},
        {"mpi", dt_comm_library()},
        {"hdf5", dt_h5_version()},
        {"zlib", dt_zlib_version()},
        {"slurm_job_id", variable("SLURM_JOB_ID")},
        {"slurm_job_name", variable("SLURM_JOB_NAME")},
        {"slurm_node_list", variable("SLURM_JOB_NODELIST")},
        {"slurm_tasks_per_node", variable("SLURM_TASKS_PER_NODE")},
        {"slurm_cpus_per_task", variable("SLURM_CPUS_PER_TASK")},
        {"slurm_array_job_id", variable("SLURM_ARRAY_JOB_ID")},
        {"slurm_array_task_id", variable("SLURM_ARRAY_TASK_ID")},
        {"slurm_restart_count", variable("SLURM_RESTART_COUNT")},
    };
    dt_status status = DT_OK;
    DT_TRY(dt_h5_make_group(h5, "/environment"));
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        DT_TRY(dt_h5_set_text(h5, "/environment", texts[i].name, texts[i].text));
    DT_TRY(dt_h5_set_int(h5, "/environment", "ranks", environment->ranks));
    DT_TRY(dt_h5_set_int(h5, "/environment", "hosts", environment->launch.host_count));
    DT_TRY(dt_h5_set_int(h5, "/environment", "host_cpus", environment->launch.host_cpus));
    DT_TRY(dt_h5_set_int(h5, "/environment", "blas_threads", environment->threads));
    DT_TRY(write_rank_hosts(h5, environment));
out:
    return status;
}

/* The names of the classes, or their ids. Empty names would be useless as labels. */
static dt_status write_class_names(dt_h5 *h5, const dt_run_facts *facts)
{
    enum { ID_BYTES = 24 };
    dt_status status = DT_OK;
    const size_t C = facts->network->C;
    char(*ids)[ID_BYTES] = NULL;
    const char **names = NULL;
    DT_TRY(dt_memory_alloc(&names, C, sizeof *names, "class names"));
    DT_TRY(dt_memory_alloc(&ids, C, sizeof *ids, "class names"));
    for (size_t c = 0; c < C; c++) {
        (void)snprintf(ids[c], sizeof ids[c], "%zu", c);
        names[c] = facts->class_names != NULL ? facts->class_names[c] : ids[c];
    }
    DT_TRY(dt_h5_write_texts(h5, CLASS_NAMES, names, C));
out:
    dt_memory_free(names);
    dt_memory_free(ids);
    return status;
}

static dt_status write_set(dt_h5 *h5, const dt_dataset *set, dt_set which)
{
    dt_status status = DT_OK;
    char path[64];
    const uint64_t C = set->C;
    (void)snprintf(path, sizeof path, "%s_rows", dt_set_name(which));
    DT_TRY(dt_h5_set_int(h5, "/data", path, (int64_t)set->N));
    if (C == 0) /* values */
        goto out;
    (void)snprintf(path, sizeof path, "/data/%s_class_rows", dt_set_name(which));
    DT_TRY(dt_h5_write_array(h5, path, DT_H5_I64, 1, &C, set->class_rows));
    DT_TRY(dt_h5_label_dimension(h5, path, 0, "class", CLASS_NAMES));
out:
    return status;
}

static dt_status write_init(dt_h5 *h5, const dt_run_facts *facts)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_set_int(h5, "/data", "init_weights_crc", facts->init_weights_crc));
    DT_TRY(dt_h5_set_int(h5, "/data", "init_state_crc", facts->init_state_crc));
out:
    return status;
}

static dt_status write_data(dt_h5 *h5, const dt_run_facts *facts)
{
    dt_status status = DT_OK;
    const dt_network *network = facts->network;
    char shape[1024];
    dt_network_print_widths(shape, sizeof shape, network);
    DT_TRY(dt_h5_make_group(h5, "/data"));
    DT_TRY(dt_h5_set_int(h5, "/data", "inputs", (int64_t)network->D));
    DT_TRY(dt_h5_set_int(h5, "/data", network->loss->classes ? "classes" : "values",
                         (int64_t)network->C));
    DT_TRY(dt_h5_set_text(h5, "/data", "task", dt_task_of(network->loss)->name));
    DT_TRY(dt_h5_set_int(h5, "/data", "parameters", (int64_t)network->P));
    DT_TRY(dt_h5_set_text(h5, "/data", "network", shape));
    if (facts->has_init)
        DT_TRY(write_init(h5, facts));
    if (network->loss->classes)
        DT_TRY(write_class_names(h5, facts));
    else if (facts->target_names != NULL)
        DT_TRY(dt_h5_write_texts(h5, "/data/target_names", (const char *const *)facts->target_names,
                                 network->C));
    for (int p = 0; p < DT_SET_COUNT; p++)
        DT_TRY(write_set(h5, &facts->sets[p], (dt_set)p));
    DT_TRY(dt_h5_write_table(h5, "/data/members", &dt_fingerprint_table, facts->members,
                             facts->member_count));
out:
    return status;
}

dt_status dt_run_log_write_facts(dt_h5 *h5, const dt_run_facts *facts)
{
    dt_status status = DT_OK;
    DT_TRY(dt_h5_set_int(h5, "/", "format_version", DT_RUN_FORMAT_VERSION));
    DT_TRY(write_data(h5, facts));
    DT_TRY(write_config(h5, facts->settings));
    DT_TRY(write_environment(h5, facts->environment, facts->command_line));
out:
    return status;
}

#include "dtrain/run/previous.h"

#include "previous_internal.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/nn/linalg.h"
#include "dtrain/run/checkpoint.h"
#include "dtrain/run/preset.h"
#include "dtrain/run/run_file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- paths ---- */

/* A path relative to the current folder. */
DT_MUST_USE static dt_status take_path(char out[DT_OPTION_TEXT_BYTES], const char *path,
                                       const char *folder)
{
    char here[4096];
    const bool as_it_is = path[0] == '/' || strcmp(path, "-") == 0 || folder[0] == '\0' ||
                          (getcwd(here, sizeof here) != NULL && strcmp(here, folder) == 0) ||
                          access(folder, F_OK) != 0;
    const int length = snprintf(out, DT_OPTION_TEXT_BYTES, "%s%s%s", as_it_is ? "" : folder,
                                as_it_is ? "" : "/", path);
    if (length < 0 || length >= DT_OPTION_TEXT_BYTES)
        return dt_fail(DT_DATA, "the path of its data is longer than %d bytes",
                       DT_OPTION_TEXT_BYTES - 1);
    return DT_OK;
}

/* Paths given by the user are already relative to the current folder. */
typedef struct own_paths {
    bool init_from, csv_log;
} own_paths;

DT_MUST_USE static dt_status take_paths(dt_previous *previous, dt_settings *settings, own_paths own,
                                        dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_h5_names data = {0};
    char *folder = NULL;
    char path[DT_OPTION_TEXT_BYTES];
    DT_TRY(dt_h5_get_text(&folder, h5, "/environment", "working_directory"));
    DT_TRY(dt_h5_get_texts(&data, h5, "/config", "data"));
    if (!own.init_from && settings->init_from[0] != '\0') {
        (void)snprintf(path, sizeof path, "%s", settings->init_from);
        DT_TRY(take_path(settings->init_from, path, folder));
    }
    if (previous->resumes && !own.csv_log && settings->csv_log[0] != '\0') {
        (void)snprintf(path, sizeof path, "%s", settings->csv_log);
        DT_TRY(take_path(settings->csv_log, path, folder));
    }
    previous->own_data = settings->data_count > 0;
    if (previous->own_data)
        goto out;
    if (data.count > DT_DATA_MAX)
        DT_TRY(dt_fail(DT_DATA, "data in /config has %zu paths, expected at most %d", data.count,
                       DT_DATA_MAX));
    for (size_t i = 0; i < data.count; i++)
        DT_TRY(take_path(settings->data[i], data.texts[i], folder));
    settings->data_count = (int)data.count;
out:
    dt_memory_free(folder);
    dt_h5_names_clear(&data);
    return status;
}

/* ---- what the run came from, and to ---- */

DT_MUST_USE static dt_status read_members(dt_previous *previous, dt_h5 *h5)
{
    static const char table[] = "/data/members";
    dt_status status = DT_OK;
    dt_h5_shape shape;
    DT_TRY(dt_h5_describe(&shape, h5, table));
    if (shape.count > DT_FINGERPRINT_MAX)
        DT_TRY(dt_fail(DT_DATA, "%s has %llu rows, expected at most %d", table,
                       (unsigned long long)shape.count, DT_FINGERPRINT_MAX));
    previous->member_count = (size_t)shape.count;
    DT_TRY(dt_h5_read_rows(h5, table, &dt_fingerprint_table, previous->members,
                           previous->member_count));
out:
    return status;
}

/* The arithmetic that the bits depend on; dtrain's own kernels give the same bits on any CPU. */
static void name_arithmetic(char out[DT_ARITHMETIC_BYTES], bool uses_blas, const char *kernels)
{
    if (uses_blas)
        (void)snprintf(out, DT_ARITHMETIC_BYTES, "OpenBLAS's %s kernels", kernels);
    else
        (void)snprintf(out, DT_ARITHMETIC_BYTES, "dtrain's own kernels");
}

DT_MUST_USE static dt_status read_facts(dt_previous *previous, bool own_init, dt_h5 *h5)
{
    dt_status status = DT_OK;
    char *isa = NULL, *kernels = NULL, *run_status = NULL;
    int64_t crc = 0;
    DT_TRY(dt_h5_get_text(&isa, h5, "/environment", "kernels"));
    DT_TRY(dt_h5_get_text(&kernels, h5, "/environment", "blas_kernels"));
    name_arithmetic(previous->arithmetic, strcmp(isa, "blas") == 0, kernels);
    if (!previous->resumes)
        DT_TRY(dt_h5_get_text(&run_status, h5, "/", "status"));
    previous->has_weights = run_status != NULL && strcmp(run_status, "ok") == 0 &&
                            dt_h5_has(h5, "/summary") == DT_H5_GROUP;
    if (previous->has_weights) {
        DT_TRY(dt_h5_get_int(&crc, h5, "/summary", "weights_crc"));
        previous->weights_crc = (uint32_t)crc;
    }
    previous->has_init = !own_init && dt_h5_has_attribute(h5, "/data", "init_weights_crc");
    if (previous->has_init) {
        DT_TRY(dt_h5_get_int(&crc, h5, "/data", "init_weights_crc"));
        previous->init_weights_crc = (uint32_t)crc;
        DT_TRY(dt_h5_get_int(&crc, h5, "/data", "init_state_crc"));
        previous->init_state_crc = (uint32_t)crc;
    }
    DT_TRY(read_members(previous, h5));
out:
    dt_memory_free(isa);
    dt_memory_free(kernels);
    dt_memory_free(run_status);
    return status;
}

DT_MUST_USE static dt_status read_log(dt_previous *out, dt_settings *settings, dt_h5 *h5)
{
    dt_status status = DT_OK;
    dt_settings *defaults = NULL; /* too large for the stack */
    const own_paths own = {dt_options_given(dt_settings_table(), settings, "init-from"),
                           dt_options_given(dt_settings_table(), settings, "csv-log")};
    DT_TRY(dt_memory_alloc(&defaults, 1, sizeof *defaults, "settings"));
    dt_options_set_defaults(dt_settings_table(), defaults);
    DT_TRY(dt_previous_take_settings(out, settings, defaults, h5));
    DT_TRY(take_paths(out, settings, own, h5));
    /* A run on arrays does not record how its preset prepares a table. */
    if (!out->resumes && !out->had_table && dt_settings_has_table(settings))
        DT_TRY(dt_preset_prepare(dt_settings_table(), settings, (dt_preset)settings->preset));
    DT_TRY(read_facts(out, own.init_from, h5));
    DT_TRY(dt_previous_read_recipe(out, h5));
    DT_TRY(dt_h5_check(h5));
out:
    dt_memory_free(defaults);
    return status;
}

dt_status dt_previous_read(dt_previous *out, dt_settings *settings)
{
    dt_status status = DT_OK;
    dt_h5 *h5 = NULL;
    *out = (dt_previous){.resumes = settings->resume[0] != '\0', .forced = settings->force};
    if (settings->like[0] == '\0' && !out->resumes)
        return DT_OK;
    out->asked = true;
    out->option = out->resumes ? "--resume" : "--like";
    (void)snprintf(out->path, sizeof out->path, "%s",
                   out->resumes ? settings->resume : settings->like);
    if (out->resumes)
        DT_TRY(dt_previous_check_unfinished(settings));
    DT_TRY(out->resumes ? dt_checkpoint_open(&h5, out->path) : dt_run_file_open(&h5, out->path));
    status = read_log(out, settings, h5);
    if (status == DT_DATA)
        status = dt_fail(status, "%s %s: %s", out->option, out->path, dt_status_text());
    if (status == DT_OK && out->resumes && settings->out[0] == '\0')
        (void)snprintf(settings->out, sizeof settings->out, "%s", out->path);
out:
    dt_h5_free(h5);
    return status;
}

/* ---- comparing ---- */

static const dt_fingerprint *find_member(const dt_fingerprint *members, size_t count,
                                         const dt_fingerprint *wanted)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(members[i].set, wanted->set) == 0 &&
            strcmp(members[i].array, wanted->array) == 0)
            return &members[i];
    return NULL;
}

DT_MUST_USE static dt_status compare(const dt_previous *previous, const dt_fingerprint *members,
                                     size_t count)
{
    for (size_t i = 0; i < previous->member_count; i++) {
        const dt_fingerprint *was = &previous->members[i], *is = find_member(members, count, was);
        if (is == NULL)
            return dt_fail(DT_DATA, "%s %s: it had %s %s, but the data has none", previous->option,
                           previous->path, was->set, was->array);
        if (is->crc32 != was->crc32)
            return dt_fail(DT_DATA,
                           "%s %s: its %s %s had the CRC-32 %08x, but %s has %08x: other data",
                           previous->option, previous->path, was->set, was->array, was->crc32,
                           is->file, is->crc32);
    }
    if (count > previous->member_count)
        return dt_fail(DT_DATA, "%s %s: it was trained on %zu arrays, but the data now has %zu",
                       previous->option, previous->path, previous->member_count, count);
    return DT_OK;
}

dt_status dt_previous_check(const dt_previous *previous, const dt_fingerprint *members,
                            size_t count, const dt_recipe *recipe,
                            const dt_environment *environment)
{
    if (!previous->asked)
        return DT_OK;
    dt_status status = compare(previous, members, count);
    if (status == DT_OK)
        status = dt_previous_check_recipe(previous, recipe);
    const bool may_differ = previous->own_data || previous->remakes;
    if (status != DT_OK && (previous->resumes ? previous->forced : may_differ)) {
        dt_log_warn("%s; this is therefore another run, with the same settings", dt_status_text());
        status = DT_OK;
    } else if (status != DT_OK && previous->resumes) {
        status = dt_fail(status, "%s; use --force to resume with this data", dt_status_text());
    } else if (status != DT_OK) {
        status = dt_fail(status, "%s; name DATA to train on this data", dt_status_text());
    }
    char arithmetic[DT_ARITHMETIC_BYTES];
    name_arithmetic(arithmetic, strcmp(environment->isa, "blas") == 0, environment->kernels);
    if (strcmp(previous->arithmetic, arithmetic) != 0)
        dt_log_warn("%s %s: it used %s, but this run uses %s: the last bits may differ",
                    previous->option, previous->path, previous->arithmetic, arithmetic);
    return status;
}

dt_status dt_previous_check_init(const dt_previous *previous, const char *path,
                                 uint32_t weights_crc, uint32_t state_crc)
{
    const char *otherwise = previous->resumes ? "use --force to resume all the same"
                                              : "use --init-from to start from another model";
    if (!previous->has_init)
        return DT_OK;
    /* Weights and Adam come from the checkpoint; only the model's Normalization matters. */
    const bool same =
        previous->init_weights_crc == weights_crc && previous->init_state_crc == state_crc;
    if (!same && previous->resumes && previous->forced) {
        dt_log_warn("%s %s: %s is not the model that it started from, or has changed since",
                    previous->option, previous->path, path);
        return DT_OK;
    }
    if (previous->init_weights_crc != weights_crc)
        return dt_fail(
            DT_DATA,
            "%s %s: it started from weights with the CRC-32 %08x, but those of %s have %08x; %s",
            previous->option, previous->path, previous->init_weights_crc, path, weights_crc,
            otherwise);
    if (previous->init_state_crc != state_crc)
        return dt_fail(DT_DATA,
                       "%s %s: it started from the weights of %s, but with another Normalization "
                       "or state of Adam; %s",
                       previous->option, previous->path, path, otherwise);
    return DT_OK;
}

const char *dt_previous_verdict(const dt_previous *previous, uint32_t weights_crc)
{
    if (!previous->asked || !previous->has_weights || !previous->same_settings ||
        previous->own_data)
        return NULL;
    return weights_crc == previous->weights_crc ? "same" : "other";
}

void dt_previous_report(const dt_previous *previous, uint32_t weights_crc)
{
    if (dt_previous_verdict(previous, weights_crc) == NULL)
        return;
    if (weights_crc == previous->weights_crc)
        dt_log_say("like       %s: the same weights, bit for bit\n\n", previous->path);
    else
        dt_log_warn("--like %s: its weights had the CRC-32 %08x, but those of this run have %08x",
                    previous->path, previous->weights_crc, weights_crc);
}

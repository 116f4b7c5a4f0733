#include "commands.h"
#include "prepare_report.h"

#include "dtrain/base/log.h"
#include "dtrain/base/memory.h"
#include "dtrain/base/text.h"
#include "dtrain/data/set_sizes.h"
#include "dtrain/data/shared_rows.h"
#include "dtrain/io/file.h"
#include "dtrain/io/npz.h"
#include "dtrain/run/preparation.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The file of one set, and the buffer of its current member. */
typedef struct dt_prepare_file {
    dt_npz_writer *writer; /* NULL: no such set */
    char *buffer;
    size_t used, capacity;
} dt_prepare_file;

/* One preparation, from the command line to the results. */
typedef struct dt_prepare_run {
    dt_preparation table;
    dt_prepare_file files[DT_SET_COUNT];
    uint32_t *id; /* of a row: its characters */
    dt_row_hashes *hashes;
    dt_shared_rows shared;
    char *recipe; /* JSON */
    dt_file *recipe_file;
    bool folder_made; /* the part of --out's path behind present_bytes was created */
    size_t present_bytes;
} dt_prepare_run;

/* ---- the sets' files ---- */

enum { BUFFER_BYTES = 64 * 1024, LEVEL = 3 };

static dt_status flush_file(dt_prepare_file *file)
{
    dt_status status = dt_npz_writer_write(file->writer, file->buffer, file->used);
    file->used = 0;
    return status;
}

static dt_status put(dt_prepare_file *file, const void *items, size_t bytes)
{
    if (file->capacity - file->used < bytes) {
        dt_status status = flush_file(file);
        if (status != DT_OK)
            return status;
    }
    memcpy(file->buffer + file->used, items, bytes);
    file->used += bytes;
    return DT_OK;
}

static dt_status put_targets(void *context, const dt_prepare_row *row)
{
    dt_prepare_run *r = context;
    const int64_t label = row->label;
    if (row->values == NULL)
        return put(&r->files[row->set], &label, sizeof label);
    return put(&r->files[row->set], row->values,
               dt_prepare_table_of(r->table.prepare)->T * sizeof *row->values);
}

static dt_status put_weight(void *context, const dt_prepare_row *row)
{
    dt_prepare_run *r = context;
    return put(&r->files[row->set], &row->weight, sizeof row->weight);
}

static dt_status put_number(void *context, const dt_prepare_row *row)
{
    dt_prepare_run *r = context;
    const int64_t number = (int64_t)row->row;
    return put(&r->files[row->set], &number, sizeof number);
}

/* A number, or characters as NumPy has them: UTF-32, zeros behind. */
static dt_status put_id(void *context, const dt_prepare_row *row)
{
    dt_prepare_run *r = context;
    const size_t characters = dt_prepare_table_of(r->table.prepare)->id_characters;
    if (characters == 0) {
        const int64_t number = strtoll(row->id->text, NULL, 10);
        return put(&r->files[row->set], &number, sizeof number);
    }
    memset(r->id, 0, characters * sizeof *r->id);
    (void)dt_text_to_utf32(r->id, characters, row->id->text, row->id->bytes);
    return put(&r->files[row->set], r->id, characters * sizeof *r->id);
}

static dt_status put_inputs(void *context, const dt_prepare_row *row)
{
    dt_prepare_run *r = context;
    const dt_status status = dt_row_hashes_add(r->hashes, row);
    return status != DT_OK ? status
                           : put(&r->files[row->set], row->x,
                                 dt_prepare_recipe(r->table.prepare)->D * sizeof *row->x);
}

static dt_status begin_members(dt_prepare_run *r, const char *name, const char *descr, size_t width,
                               size_t item_bytes)
{
    dt_status status = DT_OK;
    const dt_prepare_table *found = dt_prepare_table_of(r->table.prepare);
    for (int set = 0; set < DT_SET_COUNT; set++) {
        dt_prepare_file *file = &r->files[set];
        const uint64_t shape[2] = {found->set_rows[set], width};
        if (file->writer == NULL)
            continue;
        DT_TRY(dt_npz_writer_begin(file->writer, name, descr, width > 0 ? 2 : 1, shape));
        dt_memory_free(file->buffer);
        const size_t row_bytes = (width > 0 ? width : 1) * item_bytes;
        file->capacity = row_bytes > BUFFER_BYTES ? row_bytes : BUFFER_BYTES;
        DT_TRY(dt_memory_alloc(&file->buffer, file->capacity, 1, "writing buffer"));
    }
out:
    return status;
}

static dt_status flush_all(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    for (int set = 0; set < DT_SET_COUNT && status == DT_OK; set++)
        if (r->files[set].writer != NULL)
            status = flush_file(&r->files[set]);
    return status;
}

/* ---- the folder ---- */

/* Finds the existing part of --out's path, and checks that the folder can be written. */
static dt_status check_folder(dt_prepare_run *r)
{
    struct stat info;
    const char *out = r->table.settings.out;
    char folder[DT_OPTION_TEXT_BYTES];
    (void)snprintf(folder, sizeof folder, "%s", out);
    while (folder[0] != '\0' && stat(folder, &info) != 0) {
        char *slash = strrchr(folder, '/');
        *(slash != NULL ? slash : folder) = '\0';
    }
    r->present_bytes = strlen(folder);
    if (folder[0] != '\0' && !S_ISDIR(info.st_mode))
        return dt_fail(DT_OUTPUT, "%s: cannot make the folder: '%s' is a file", out, folder);
    const char *present = folder[0] != '\0' ? folder : out[0] == '/' ? "/" : ".";
    if (access(present, W_OK | X_OK) != 0)
        return dt_fail(DT_OUTPUT, "%s: cannot %s the folder: %s", out,
                       strcmp(folder, out) == 0 ? "write into" : "make", strerror(errno));
    return DT_OK;
}

static dt_status make_folder(dt_prepare_run *r)
{
    dt_status status = check_folder(r); /* again, because another process may have created it during
                                         * the first pass */
    r->folder_made = status == DT_OK;
    return status == DT_OK ? dt_file_make_folder(r->table.settings.out) : status;
}

/* After a failure; a folder that is not empty is kept. */
static void remove_folder(dt_prepare_run *r)
{
    char *folder = r->table.settings.out;
    while (r->folder_made && strlen(folder) > r->present_bytes) {
        char *slash = strrchr(folder, '/');
        (void)rmdir(folder);
        *(slash != NULL ? slash : folder) = '\0';
    }
}

enum { PATH_BYTES = DT_OPTION_TEXT_BYTES + 32 };

static void path_of(char out[PATH_BYTES], const dt_prepare_run *r, const char *name)
{
    (void)snprintf(out, PATH_BYTES, "%s/%s", r->table.settings.out, name);
}

static void path_of_set(char out[PATH_BYTES], const dt_prepare_run *r, int set)
{
    char name[32];
    (void)snprintf(name, sizeof name, "%s.npz", dt_set_name((dt_set)set));
    path_of(out, r, name);
}

/* A set of an earlier preparation next to the new ones would look like one of them. */
static dt_status open_files(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    const dt_prepare_table *found = dt_prepare_table_of(r->table.prepare);
    char path[PATH_BYTES];
    DT_TRY(make_folder(r));
    for (int set = 0; set < DT_SET_COUNT; set++) {
        path_of_set(path, r, set);
        if (found->set_rows[set] > 0)
            DT_TRY(dt_npz_writer_open(&r->files[set].writer, path,
                                      r->table.settings.store ? 0 : LEVEL));
        else if (access(path, F_OK) == 0)
            DT_TRY(dt_fail(
                DT_OUTPUT,
                "%s exists, but this preparation has no %s set; remove it, or choose another --out",
                path, dt_set_name((dt_set)set)));
    }
    path_of(path, r, "recipe.json");
    DT_TRY(dt_file_create(&r->recipe_file, path));
out:
    return status;
}

/* All slow steps, and all that may not fit on the disk, before the first old file is replaced. */
static dt_status seal(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    for (int set = 0; set < DT_SET_COUNT; set++)
        if (r->files[set].writer != NULL)
            DT_TRY(dt_npz_writer_seal(r->files[set].writer));
    DT_TRY(dt_file_write(r->recipe_file, r->recipe, strlen(r->recipe)));
    DT_TRY(dt_file_sync(r->recipe_file));
out:
    return status;
}

/* Only renames, because a preparation that is killed between two of them leaves new sets next to
 * old ones. */
static dt_status rename_all(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    for (int set = 0; set < DT_SET_COUNT && status == DT_OK; set++) {
        dt_npz_writer *writer = r->files[set].writer;
        if (writer == NULL)
            continue;
        r->files[set].writer = NULL; /* freed in any case */
        status = dt_npz_writer_finish(writer);
    }
    if (status == DT_OK) {
        dt_file *file = r->recipe_file;
        r->recipe_file = NULL;
        status = dt_file_commit(file);
    }
    return status;
}

/* Of each file, as one may be a link to another folder. */
static dt_status sync_folders(const dt_prepare_run *r)
{
    dt_status status = DT_OK;
    char path[PATH_BYTES];
    for (int set = 0; set < DT_SET_COUNT; set++) {
        path_of_set(path, r, set);
        if (dt_prepare_table_of(r->table.prepare)->set_rows[set] > 0)
            DT_TRY(dt_file_sync_folder(path));
    }
    path_of(path, r, "recipe.json");
    DT_TRY(dt_file_sync_folder(path));
out:
    return status;
}

static void tell(void *context, const char *pass, double share)
{
    (void)context;
    dt_log_progress(pass, share);
}

/* ---- the run ---- */

static dt_status write_targets(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    const dt_prepare_table *found = dt_prepare_table_of(r->table.prepare);
    if (found->targets == NULL)
        DT_TRY(begin_members(r, "targets", "<i8", 0, sizeof(int64_t)));
    else
        DT_TRY(begin_members(r, "targets", "<f8", found->T > 1 ? found->T : 0, sizeof(double)));
    DT_TRY(dt_prepare_fit(r->table.prepare, put_targets, r));
    DT_TRY(flush_all(r));
out:
    return status;
}

static dt_status write_weights(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    DT_TRY(begin_members(r, DT_SOURCE_WEIGHTS, "<f8", 0, sizeof(double)));
    DT_TRY(dt_prepare_weigh(r->table.prepare, put_weight, r));
    DT_TRY(flush_all(r));
out:
    return status;
}

/* The arrays that identify the rows of the table. */
static dt_status write_traces(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    const size_t characters = dt_prepare_table_of(r->table.prepare)->id_characters;
    char descr[32] = "<i8";
    DT_TRY(begin_members(r, DT_SOURCE_ROW, descr, 0, sizeof(int64_t)));
    DT_TRY(dt_prepare_trace(r->table.prepare, put_number, r));
    DT_TRY(flush_all(r));
    if (r->table.settings.id[0] == '\0')
        goto out;
    if (characters > 0)
        (void)snprintf(descr, sizeof descr, "<U%zu", characters);
    DT_TRY(dt_memory_alloc(&r->id, characters + 2, sizeof *r->id, "id"));
    DT_TRY(begin_members(r, DT_SOURCE_ID, descr, 0, (characters + 2) * sizeof *r->id));
    DT_TRY(dt_prepare_identify(r->table.prepare, put_id, r));
    DT_TRY(flush_all(r));
out:
    return status;
}

static dt_status write_inputs(dt_prepare_run *r)
{
    dt_status status = DT_OK;
    const size_t D = dt_prepare_recipe(r->table.prepare)->D;
    const size_t T = dt_prepare_table_of(r->table.prepare)->T;
    DT_TRY(dt_row_hashes_new(&r->hashes, r->table.settings.out, D, T));
    DT_TRY(begin_members(r, "inputs", "<f4", D, sizeof(float)));
    DT_TRY(dt_prepare_apply(r->table.prepare, put_inputs, r));
    DT_TRY(flush_all(r));
    DT_TRY(dt_row_hashes_count(&r->shared, r->hashes));
    dt_row_hashes_free(r->hashes);
    r->hashes = NULL;
out:
    return status;
}

static void warn_of_sizes(const dt_prepare_run *r)
{
    const dt_prepare_table *found = dt_prepare_table_of(r->table.prepare);
    dt_set_sizes sizes = {.C = found->class_count, .class_names = found->classes};
    for (int set = 0; set < DT_SET_COUNT; set++) {
        sizes.rows[set] = found->set_rows[set];
        sizes.class_rows[set] = found->class_rows[set];
    }
    dt_set_sizes_warn(&sizes);
}

static dt_status run_all(dt_prepare_run *r, const char *path)
{
    dt_status status = DT_OK;
    const dt_prepare_settings *s = &r->table.settings;
    DT_TRY(dt_preparation_open(&r->table, path));
    DT_TRY(check_folder(r));
    DT_TRY(dt_preparation_survey(&r->table, dt_options_given(dt_prepare_options(), s, "split"),
                                 tell, NULL));
    DT_TRY(dt_prepare_report_columns(&r->table));
    DT_TRY(open_files(r));
    DT_TRY(write_targets(r));
    if (s->weights[0] != '\0')
        DT_TRY(write_weights(r));
    DT_TRY(dt_recipe_to_json(&r->recipe, dt_prepare_recipe(r->table.prepare)));
    DT_TRY(write_inputs(r));
    DT_TRY(write_traces(r));
    DT_TRY(seal(r));
    DT_TRY(rename_all(r));
    DT_TRY(sync_folders(r));
    dt_prepare_report_split(&r->table);
    warn_of_sizes(r);
    dt_shared_rows_warn(&r->shared,
                        s->drop_duplicates ? DT_SHARED_ROWS_OF_DIFFERENT : DT_SHARED_ROWS_OF_TABLE);
    dt_prepare_report_summary(&r->table);
out:
    return status;
}

void dt_cli_prepare_help(void)
{
    dt_options_print_help(dt_prepare_options());
}

dt_status dt_cli_prepare(int argc, char **argv)
{
    dt_prepare_run *r = NULL; /* too large for the stack */
    const char *path = NULL;
    dt_status status = dt_memory_alloc(&r, 1, sizeof *r, "run");
    if (status != DT_OK)
        return status;
    status = dt_prepare_parse(&r->table.settings, &path, argc, argv);
    if (status == DT_OK) {
        dt_log_init(true, r->table.settings.quiet);
        status = run_all(r, path);
    }
    for (int set = 0; set < DT_SET_COUNT; set++) {
        dt_npz_writer_discard(r->files[set].writer);
        dt_memory_free(r->files[set].buffer);
    }
    dt_file_discard(r->recipe_file);
    if (status != DT_OK)
        remove_folder(r);
    dt_preparation_close(&r->table);
    dt_row_hashes_free(r->hashes);
    dt_memory_free(r->recipe);
    dt_memory_free(r->id);
    dt_memory_free(r);
    return status;
}

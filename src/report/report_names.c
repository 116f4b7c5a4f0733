#include "report_internal.h"

#include "dtrain/base/memory.h"

#include <stdio.h>
#include <string.h>

/* A name has the last parts of the folder's path: as few as make it unique. */
typedef struct naming {
    const char *folder; /* into `place`; of length `bytes` */
    size_t bytes;
    size_t from; /* where the name begins */
} naming;

static naming name_last_part(const dt_report_run *run)
{
    static const char log[] = "/run.h5";
    naming n = {.folder = run->place, .bytes = strlen(run->place)};
    const size_t end = sizeof log - 1;
    if (n.bytes > end && strcmp(run->place + n.bytes - end, log) == 0)
        n.bytes -= end;
    n.from = n.bytes;
    while (n.from > 0 && n.folder[n.from - 1] != '/')
        n.from--;
    return n;
}

static bool same_name(const naming *a, const naming *b)
{
    return a->bytes - a->from == b->bytes - b->from &&
           memcmp(a->folder + a->from, b->folder + b->from, a->bytes - a->from) == 0;
}

static bool same_place(const naming *a, const naming *b)
{
    return a->bytes == b->bytes && memcmp(a->folder, b->folder, a->bytes) == 0;
}

/* Adds one more part of the path; false if there is none. */
static bool lengthen(naming *n)
{
    if (n->from < 2)
        return false;
    for (n->from--; n->from > 0 && n->folder[n->from - 1] != '/'; n->from--) {
    }
    return true;
}

static void distinguish(naming *names, bool *alike, size_t count)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < count; i++) {
            alike[i] = false;
            for (size_t j = 0; j < count && !alike[i]; j++)
                alike[i] =
                    j != i && same_name(&names[i], &names[j]) && !same_place(&names[i], &names[j]);
        }
        for (size_t i = 0; i < count; i++)
            again = (alike[i] && lengthen(&names[i])) || again;
    }
}

dt_status dt_report_name_runs(dt_report_run *runs, size_t count)
{
    dt_status status = DT_OK;
    naming *names = NULL;
    bool *alike = NULL;
    dt_report_buffer text = {0};
    DT_TRY(dt_memory_alloc(&names, count, sizeof *names, "names of runs"));
    DT_TRY(dt_memory_alloc(&alike, count, sizeof *alike, "names of runs"));
    for (size_t i = 0; i < count; i++)
        names[i] = name_last_part(&runs[i]);
    distinguish(names, alike, count);
    for (size_t i = 0; i < count; i++) {
        size_t earlier = 0; /* the same run, given twice */
        for (size_t j = 0; j < i; j++)
            earlier += same_name(&names[i], &names[j]);
        dt_report_buffer_clear(&text);
        dt_report_buffer_put(&text, names[i].folder + names[i].from,
                             names[i].bytes - names[i].from);
        if (text.bytes == 0)
            dt_report_buffer_puts(&text, "/");
        if (earlier > 0)
            dt_report_buffer_add(&text, " (%zu)", earlier + 1);
        DT_TRY(text.status);
        DT_TRY(dt_memory_copy_text(&runs[i].name, text.text));
    }
out:
    dt_report_buffer_clear(&text);
    dt_memory_free(names);
    dt_memory_free(alike);
    return status;
}

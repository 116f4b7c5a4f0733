/* An ordinary run that is a part of a larger one, for example a restart: it has its own folder, and
 * the data of the larger run. */
#include "run_internal.h"

#include "dtrain/io/file.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

void dt_run_part_borrow(dt_run *out, const dt_run *whole)
{
    dt_settings *s = &out->settings;
    out->started_s = whole->started_s;
    out->command_line = whole->command_line;
    out->environment = whole->environment;
    out->source = whole->source;
    memcpy(out->members, whole->members, sizeof out->members);
    out->member_count = whole->member_count;
    out->recipe = whole->recipe;
    out->example = whole->example;
    memcpy(out->sets, whole->sets, sizeof out->sets);
    out->input_mean = whole->input_mean;
    out->input_variance = whole->input_variance;
    memcpy(out->unscaled, whole->unscaled, sizeof out->unscaled);
    out->scale = whole->scale;
    memcpy(out->baseline_rmse, whole->baseline_rmse, sizeof out->baseline_rmse);
    out->load_s = whole->load_s;
    out->is_trial = whole->is_trial;
    out->between_steps = whole->between_steps;
    out->between_context = whole->between_context;
    *s = whole->settings;
    s->like[0] = s->resume[0] = s->config[0] = '\0';
}

void dt_run_part_give_back(dt_run *part)
{
    memset(&part->environment, 0, sizeof part->environment);
    memset(&part->source, 0, sizeof part->source);
    memset(&part->recipe, 0, sizeof part->recipe);
    memset(part->sets, 0, sizeof part->sets);
    part->input_mean = part->input_variance = NULL;
    part->scale = NULL;
}

void dt_run_part_settle(dt_run *part)
{
    dt_settings *s = &part->settings;
    char checkpoint[PATH_BYTES + 16];
    (void)snprintf(s->out, sizeof s->out, "%.*s", DT_OPTION_TEXT_BYTES - 1, part->folder);
    if (access(dt_checkpoint_path(checkpoint, sizeof checkpoint, part->folder), F_OK) == 0)
        memcpy(s->resume, s->out, sizeof s->resume);
}

dt_status dt_run_part_train(dt_run *part, dt_status (*train)(dt_run *part))
{
    dt_status status = DT_OK;
    if (part->root) {
        status = dt_file_make_folder(part->folder);
        if (status == DT_OK && !part->is_trial)
            status = dt_run_own(part, part->folder);
    }
    DT_TRY(dt_comm_agree(part->comm, status));
    DT_TRY(dt_run_begin(part));
    DT_TRY(train(part));
    DT_TRY(dt_run_save(part));
out:
    return status;
}

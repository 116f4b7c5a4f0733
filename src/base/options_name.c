#include "dtrain/base/options.h"

#include "dtrain/base/text.h"

#include <stdio.h>
#include <string.h>

/* Option names of Keras, scikit-learn, LightGBM, XGBoost and pandas. A name with the same meaning
 * is an alias of `option`; any other has a hint. */
typedef struct alias {
    const char *name, *option; /* a row applies if the table has the option; NULL: always */
    const char *hint; /* NULL: the same meaning */
} alias;

static const char with_ranks[] =
    "mpirun -np N starts N ranks, which train one network together with the same result";
static const char with_patience[] =
    "training stops early by itself; --patience N says after how many epochs without improvement";
static const char with_loss[] = "--task says what is predicted, and --loss how";
static const char with_monitor[] =
    "all metrics are computed; --monitor names the one that early stopping uses";
static const char with_trees[] =
    "dtrain trains a network, not trees; --epochs limits the training, and --preset tabular sets "
    "up a network for tables";
static const char with_penalty[] =
    "--l2 F adds F times the sum of squared weights to the loss, and --weight-decay is AdamW's";
static const char with_cpu[] = "dtrain computes on CPUs alone; mpirun -np N uses N of them";
static const char with_quiet[] =
    "each epoch is printed unless --quiet is given; --progress also shows the steps";
static const char with_start[] =
    "--init-from MODEL starts with the weights of a model, and --resume RUN resumes a run";

static const alias aliases[] = {
    {"lr", "learning-rate", NULL},
    {"learning-rate-init", "learning-rate", NULL},
    {"batch-size", "batch", NULL},
    {"max-iter", "epochs", NULL},
    {"max-epochs", "epochs", NULL},
    {"num-epochs", "epochs", NULL},
    {"n-epochs", "epochs", NULL},
    {"hidden-layer-sizes", "hidden", NULL},
    {"hidden-layers", "hidden", NULL},
    {"hidden-units", "hidden", NULL},
    {"layers", "hidden", NULL},
    {"kernel-initializer", "init", NULL},
    {"dropout-rate", "dropout", NULL},
    {"solver", "optimizer", NULL},
    {"loss-function", "loss", NULL},
    {"random-state", "seed", NULL},
    {"random-seed", "seed", NULL},
    {"n-iter-no-change", "patience", NULL},
    {"early-stopping-rounds", "patience", NULL},
    {"early-stopping-round", "patience", NULL},
    {"tol", "min-delta", NULL},
    {"validation-fraction", "validation-split", NULL},
    {"validation-size", "validation-split", NULL},
    {"val-split", "validation-split", NULL},
    {"test-size", "test-split", NULL},
    {"sample-weight", "weights", NULL},
    {"class-weights", "class-weight", NULL},
    {"n-splits", "folds", NULL},
    {"n-trials", "trials", NULL},
    {"max-trials", "trials", NULL},
    {"label", "target", NULL},
    {"label-column", "target", NULL},
    {"target-column", "target", NULL},
    {"categorical-feature", "categorical", NULL},
    {"categorical-features", "categorical", NULL},
    {"cat-features", "categorical", NULL},
    {"ignore-column", "drop", NULL},
    {"sep", "separator", NULL},
    {"delimiter", "separator", NULL},
    {"na-values", "missing", NULL},
    {"skiprows", "skip-lines", NULL},
    {"names", "columns", NULL},
    {"output", "out", NULL},
    {"output-dir", "out", NULL},
    {"silent", "quiet", NULL},
    {"early-stopping", "patience", with_patience},
    {"objective", "loss", with_loss},
    {"metric", "monitor", with_monitor},
    {"metrics", "monitor", with_monitor},
    {"eval-metric", "monitor", with_monitor},
    {"scoring", "monitor", with_monitor},
    {"n-estimators", "epochs", with_trees},
    {"num-boost-round", "epochs", with_trees},
    {"num-iterations", "epochs", with_trees},
    {"num-leaves", "epochs", with_trees},
    {"max-depth", "epochs", with_trees},
    {"alpha", "l2", with_penalty},
    {"reg-lambda", "l2", with_penalty},
    {"lambda-l2", "l2", with_penalty},
    {"warm-start", "init-from", with_start},
    {"verbose", "quiet", with_quiet},
    {"verbosity", "quiet", with_quiet},
    {"device", NULL, with_cpu},
    {"gpu", NULL, with_cpu},
    {"gpus", NULL, with_cpu},
    {"n-jobs", NULL, with_ranks},
    {"num-threads", NULL, with_ranks},
    {"num-workers", NULL, with_ranks},
    {"nthread", NULL, with_ranks},
};

/* Values of other programs that mean one of ours. */
static const struct {
    const char *option, *value, *own;
} values[] = {
    {"hidden", "0", "none"}, /* no hidden layers */
};

const char *dt_options_own_value(const dt_option *option, const char *value)
{
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (strcmp(values[i].option, option->name) == 0 && strcmp(values[i].value, value) == 0)
            return values[i].own;
    return value;
}

size_t dt_options_index(const dt_option_table *table, const char *name)
{
    size_t index = 0;
    while (index < table->count && strcmp(table->options[index].name, name) != 0)
        index++;
    return index;
}

static bool has(const dt_option_table *table, const char *name)
{
    return dt_options_index(table, name) < table->count;
}

/* The table's name for the option that other programs call `name`; else `name` itself. */
static dt_status resolve(const char **out, const dt_option_table *table, const char *name)
{
    *out = name;
    for (size_t i = 0; !has(table, name) && i < sizeof aliases / sizeof *aliases; i++) {
        const alias *row = &aliases[i];
        if (strcmp(row->name, name) != 0 || (row->option != NULL && !has(table, row->option)))
            continue;
        if (row->hint != NULL)
            return dt_fail(DT_USAGE, "unknown option --%s: %s", name, row->hint);
        *out = row->option;
    }
    return DT_OK;
}

dt_status dt_options_find(size_t *out, const dt_option_table *table, const char *given)
{
    const char *names[DT_OPTION_MAX];
    const char *name = NULL;
    char dashes[64]; /* batch_size, as in the attributes of run.h5, is batch-size */
    (void)snprintf(dashes, sizeof dashes, "%s", given);
    for (char *c = dashes; *c != '\0'; c++)
        *c = *c == '_' ? '-' : *c;
    *out = table->count;
    const dt_status status = resolve(&name, table, dashes);
    if (status != DT_OK)
        return status;
    *out = dt_options_index(table, name);
    if (*out < table->count)
        return DT_OK;
    for (size_t i = 0; i < table->count; i++)
        names[i] = table->options[i].name;
    const size_t nearest = dt_text_nearest(name, names, table->count);
    if (nearest != SIZE_MAX)
        return dt_fail(DT_USAGE, "unknown option --%s; did you mean --%s?", given, names[nearest]);
    return dt_fail(DT_USAGE, "unknown option --%s; --help lists them", given);
}

/* The table of `dtrain train`'s options. */
#include "dtrain/run/settings.h"

#include "dtrain/comm/exact_sum.h"
#include "dtrain/nn/network.h"
#include "dtrain/nn/optimizer.h"
#include "dtrain/nn/spec.h"
#include "dtrain/run/preset.h"

#include <stddef.h>
#include <string.h>

#define AT(field) offsetof(dt_settings, field)
#define LARGEST_INT 9007199254740991.0 /* 2^53 - 1: what a double counts to */

static const dt_option options[] = {
    {"inputs", "NAME", DT_OPTION_TEXT, AT(inputs), 0, 0, NULL, NULL,
     "array of inputs in the .npz, without the set if it has several (images for train_images); "
     "found by itself if its name is a usual one",
     DT_SETTING_DATA, .group = "Data"},
    {"targets", "NAME", DT_OPTION_TEXT, AT(targets), 0, 0, NULL, NULL,
     "array of class ids or names, one-hot rows, or values; likewise", DT_SETTING_DATA},
    {"weights", "NAME", DT_OPTION_TEXT, AT(weights), 0, 0, NULL, NULL,
     "array of the rows' weights in the .npz, or column of a table: they count in the loss and in "
     "all metrics",
     DT_SETTING_REMAKES | DT_SETTING_DATA | DT_SETTING_NEWER},
    {"class-weight", "WEIGHTS", DT_OPTION_TEXT, AT(class_weight), 0, 0, NULL, NULL,
     "factors of the training rows' weights: balanced, or as no=1,yes=5; others weigh 1. "
     "Validation "
     "and evaluation do not use them",
     DT_SETTING_NEWER},
    {"validation-split", "F", DT_OPTION_FLOAT, AT(validation_split), 0, 1e15, NULL, "0.1",
     "share of the rows for validation, where the data has no such set; of a table also their "
     "number",
     DT_SETTING_REMAKES | DT_SETTING_DATA},
    {"test-split", "F", DT_OPTION_FLOAT, AT(test_split), 0, 1e15, NULL, "0.1",
     "share of the rows for testing, likewise", DT_SETTING_REMAKES | DT_SETTING_DATA},
    {"scale", "LIST", DT_OPTION_WORDS, AT(scale), 0, 0, NULL, NULL,
     "scaling of inputs, measured on the training rows. Of arrays that dtrain prepare did not "
     "make: "
     "none (as without it), standard (mean 0, standard deviation 1) or minmax (0 to 1), as part of "
     "the model; inputs that are only 0 and 1 stay as they are. Of a table: as of dtrain prepare, "
     "also COLUMN=METHOD; standard without it",
     DT_SETTING_REMAKES | DT_SETTING_NEWER},
    {"threshold", "RULE", DT_OPTION_TEXT, AT(threshold), 0, 0, NULL, NULL,
     "of two classes: probability of class 1 from which on it is predicted once training has "
     "ended: a number, or chosen on the validation set: f1 (largest F1), recall=R (largest "
     "threshold that reaches recall R), precision=R (smallest one)",
     DT_SETTING_NEWER},
    {"task", "NAME", DT_OPTION_CHOICE, AT(task), 0, 0, "auto|classification|regression", "auto",
     "what targets are: classes, or values; auto: values if some are not whole numbers",
     DT_SETTING_REMAKES | DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"preset", "NAME", DT_OPTION_CHOICE, AT(preset), 0, 0, DT_PRESET_NAMES, "tutorial",
     "defaults of network and training: tutorial, the values shown below; tabular, an ensemble "
     "with "
     "encoded inputs, for models better than boosted trees on average. Options that are given "
     "override them",
     DT_SETTING_NEWER, .group = "Network"},
    {"hidden", "LIST", DT_OPTION_LIST, AT(hidden), 1, 1 << 30, NULL, "30",
     "units of each hidden layer, as 64,32; none: logistic regression"},
    {"activation", "NAME", DT_OPTION_CHOICES, AT(activation), 0, 0, DT_ACTIVATION_NAMES, "relu",
     "activation of the hidden layers; or one for each, as gelu,tanh"},
    {"norm", "NAME", DT_OPTION_CHOICE, AT(norm), 0, 0, DT_NORM_NAMES, "none",
     "normalization of the outputs of a hidden layer, before its activation: layer or RMS "
     "normalization of each row, or batch normalization of each unit over the batch",
     DT_SETTING_NEWER},
    {"residual", NULL, DT_OPTION_FLAG, AT(residual), 0, 0, NULL, NULL,
     "add the inputs of a hidden layer to its outputs, behind activation and dropout, if both have "
     "as many units; never in the first hidden layer",
     DT_SETTING_NEWER},
    {"numeric-embedding", "NAME", DT_OPTION_CHOICE, AT(numeric_embedding), 0, 0, DT_EMBEDDING_NAMES,
     "none",
     "encoding of inputs that are numbers: piecewise, a trained linear function in each bin of the "
     "input; periodic, a dense layer with relu of sines and cosines of the input. Inputs that are "
     "only 0 and 1 stay as they are",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"bins", "N", DT_OPTION_INT, AT(bins), 2, DT_BINS_MAX, NULL, "48",
     "maximum number of bins of an input, at quantiles of the training rows; an input with a very "
     "frequent value gets one bin for each value, up to 128",
     DT_SETTING_NEWER},
    {"bins-by", "NAME", DT_OPTION_CHOICE, AT(bins_by), 0, 0, DT_BINS_BY_NAMES, "quantile",
     "how bins are found: quantile, as --bins says; tree, the leaves of a decision tree on this "
     "input alone, at most --bins, each with at least 64 training rows",
     DT_SETTING_NEWER},
    {"embedding-width", "N", DT_OPTION_INT, AT(embedding_width), 1, DT_PANEL, NULL, "8",
     "outputs of an encoded input", DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"frequencies", "N", DT_OPTION_INT, AT(frequencies), 1, DT_FREQUENCIES_MAX, NULL, "48",
     "of --numeric-embedding periodic: trained frequencies of an input, each of one sine and one "
     "cosine",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"frequency-scale", "F", DT_OPTION_FLOAT, AT(frequency_scale), 1e-6, 1e6, NULL, "0.01",
     "of --numeric-embedding periodic: standard deviation of the initial frequencies; a larger one "
     "starts with finer waves",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"category-embedding", "N", DT_OPTION_INT, AT(category_embedding), 0, DT_PANEL, NULL, "0",
     "outputs of a column of categories, by a trained table; requires data that dtrain prepared; "
     "0: one input for each category",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"members", "N", DT_OPTION_INT, AT(members), 1, DT_MEMBERS_MAX, NULL, "1",
     "number of networks that are trained as one; they share the hidden layers, and each has its "
     "own "
     "input scales and last layer. Predictions are averaged",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"members-kind", "NAME", DT_OPTION_CHOICE, AT(members_kind), 0, 0, DT_MEMBERS_KIND_NAMES,
     "mini",
     "what each member has of its own: mini, see --members; full, also scales before and behind "
     "each hidden layer's weights, and biases",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"init", "NAME", DT_OPTION_CHOICE, AT(init), 0, 0, DT_INIT_NAMES, "glorot_uniform",
     "initial weights of all layers: random, with the variance of Glorot, He or LeCun, and biases "
     "of 0; fan_in_uniform: within 1 / sqrt(inputs), biases too, as PyTorch's layers",
     DT_SETTING_NEWER},
    {"dropout", "F", DT_OPTION_FLOAT, AT(dropout), 0, 0.95, NULL, "0",
     "dropout rate of the hidden layers' outputs in training, 0 to 0.95",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"noise", "F", DT_OPTION_FLOAT, AT(noise), 0, 1e6, NULL, "0",
     "standard deviation of Gaussian noise that is added to the inputs in training",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"init-from", "MODEL", DT_OPTION_TEXT, AT(init_from), 0, 0, NULL, NULL,
     "model to start from (.h5, .keras, or a run's folder): its weights, and with model.h5 its "
     "optimizer, dropout, noise and weight decay; options that are given win"},
    {"loss", "NAME", DT_OPTION_CHOICE, AT(loss), 0, 0, DT_LOSS_NAMES, "auto",
     "loss; auto: cross-entropy of classes, mse (mean squared error) of values; mae: absolute "
     "error, huber: squared near the target, quantile: see --quantile",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS, .group = "Training"},
    {"label-smoothing", "F", DT_OPTION_FLOAT, AT(label_smoothing), 0, 0.999, NULL, "0",
     "of cross-entropy: share of each target that is spread over all classes",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"huber-delta", "F", DT_OPTION_FLOAT, AT(huber_delta), 1e-6, 1e6, NULL, "1",
     "of --loss huber: the error, in standard deviations of the target, from which on it counts "
     "as absolute error",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"quantile", "F", DT_OPTION_FLOAT, AT(quantile), 1e-4, 0.9999, NULL, "0.5",
     "of --loss quantile: the quantile that is predicted; 0.5 is the median",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"batch", "N", DT_OPTION_INT, AT(batch), 1, 1 << 30, NULL, "100",
     "rows of a step, of all ranks together"},
    {"epochs", "N", DT_OPTION_INT, AT(epochs), 1, 1 << 30, NULL, "100", "maximum number of epochs"},
    {"optimizer", "NAME", DT_OPTION_CHOICE, AT(optimizer), 0, 0, DT_OPTIMIZER_NAMES, "adam",
     "optimizer, as Keras 3 computes it: Adam, SGD (stochastic gradient descent), AdamW (Adam with "
     "--weight-decay), Nadam, RMSprop, Adagrad",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"momentum", "F", DT_OPTION_FLOAT, AT(momentum), 0, 0.9999, NULL, "0",
     "momentum of --optimizer sgd, 0 to 0.9999",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"nesterov", NULL, DT_OPTION_FLAG, AT(nesterov), 0, 0, NULL, NULL,
     "use Nesterov's momentum with --optimizer sgd; requires --momentum",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"rho", "F", DT_OPTION_FLOAT, AT(rho), 0, 0.9999, NULL, "0.9",
     "decay of the mean of squares of --optimizer rmsprop, 0 to 0.9999",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"learning-rate", "F", DT_OPTION_FLOAT, AT(learning_rate), 1e-30, 1e6, NULL, "0.001",
     "learning rate of the optimizer; the default is Adam's, SGD usually needs 0.01 to 0.1",
     DT_SETTING_DEPENDS},
    {"schedule", "NAME", DT_OPTION_CHOICE, AT(schedule), 0, 0, DT_SCHEDULE_NAMES, "constant",
     "schedule of the learning rate. Over all --epochs, which early stopping does not shorten: "
     "constant; cosine, from --learning-rate to 0; onecycle, from 1/25 up to --learning-rate and "
     "down to almost 0. By --schedule-factor and --schedule-every: step, exponential; plateau, "
     "when "
     "validation does not improve",
     DT_SETTING_NEWER},
    {"schedule-factor", "F", DT_OPTION_FLOAT, AT(schedule_factor), 1e-6, 0.9999, NULL, "0.1",
     "factor of the learning rate at each reduction by --schedule step, exponential or plateau",
     DT_SETTING_NEWER},
    {"schedule-every", "N", DT_OPTION_INT, AT(schedule_every), 1, 1 << 30, NULL, "10",
     "epochs from one reduction to the next; of --schedule plateau, epochs without improvement "
     "before a reduction",
     DT_SETTING_NEWER},
    {"warmup", "F", DT_OPTION_FLOAT, AT(warmup), 0, 1 << 30, NULL, "0",
     "epochs, also fractions, in which the learning rate rises from 0 in a line; --schedule begins "
     "after them",
     DT_SETTING_NEWER},
    {"weight-decay", "F", DT_OPTION_FLOAT, AT(weight_decay), 0, 1, NULL, "0",
     "decoupled weight decay, 0 to 1: each step subtracts learning rate * F * weight; biases do "
     "not decay. With --optimizer adamw, the default is 0.004",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"ema", "F", DT_OPTION_FLOAT, AT(ema), 0, 0.99999, NULL, "0",
     "decay of averaged weights, as 0.998: they are validated, saved and used to predict, and "
     "training goes on with the others; 0: no average",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"l2", "F", DT_OPTION_FLOAT, AT(l2), 0, 1e6, NULL, "0",
     "penalty F * (sum of squared weights) that is added to what the optimizer minimizes, not to "
     "the reported loss; biases are exempt",
     DT_SETTING_NEWER},
    {"l1", "F", DT_OPTION_FLOAT, AT(l1), 0, 1e6, NULL, "0",
     "penalty F * (sum of the weights' magnitudes), likewise", DT_SETTING_NEWER},
    {"clip-norm", "F", DT_OPTION_FLOAT, AT(clip_norm), 0, 1e30, NULL, "0",
     "largest norm of a step's gradient of all weights; a larger gradient is scaled down; 0: no "
     "limit",
     DT_SETTING_NEWER},
    {"clip-value", "F", DT_OPTION_FLOAT, AT(clip_value), 0, 1e30, NULL, "0",
     "largest magnitude of a single weight's gradient; it is clamped to -F ... F; 0: no limit",
     DT_SETTING_NEWER},
    {"max-norm", "F", DT_OPTION_FLOAT, AT(max_norm), 0, 1e30, NULL, "0",
     "largest norm of the weights into a hidden unit; larger ones are scaled down after each "
     "step; not with --reduce window; 0: no limit",
     DT_SETTING_NEWER},
    {"seed", "N", DT_OPTION_INT, AT(seed), 0, LARGEST_INT, NULL, "1",
     "seed of the initial weights, the shuffles, the split, dropout and noise", DT_SETTING_REMAKES},
    {"split-seed", "N", DT_OPTION_INT, AT(split_seed), -1, LARGEST_INT, NULL, "-1",
     "seed of the split alone, so that runs with other --seeds have the same rows in each set; -1: "
     "--seed",
     DT_SETTING_REMAKES | DT_SETTING_NEWER},
    {"restarts", "N", DT_OPTION_INT, AT(restarts), 1, DT_NETWORKS_MAX, NULL, "1",
     "train N times, with the seeds --seed, --seed + 1 ..., on the same split, and keep the model "
     "that is best by --monitor",
     DT_SETTING_NEWER},
    {"average", NULL, DT_OPTION_FLAG, AT(average), 0, 0, NULL, NULL,
     "keep the models of all --restarts as one that predicts their mean (probabilities or values)",
     DT_SETTING_NEWER},
    {"folds", "K", DT_OPTION_INT, AT(folds), 0, DT_NETWORKS_MAX, NULL, "0",
     "cross-validation: divide the training and validation rows into K folds, class by class, and "
     "train K times, each time with another fold as validation set; keep the K models as one that "
     "predicts their mean; 0: none",
     DT_SETTING_NEWER},
    {"folds-by-id", NULL, DT_OPTION_FLAG, AT(folds_by_id), 0, 0, NULL, NULL,
     "of --folds: keep rows with the same id in one fold: of a table by the column --id, of arrays "
     "by the array id; without regard to classes",
     DT_SETTING_NEWER},
    {"repeats", "R", DT_OPTION_INT, AT(repeats), 1, DT_NETWORKS_MAX, NULL, "1",
     "of --folds: how often the rows are divided, each time in another way", DT_SETTING_NEWER},
    {"fold", "N", DT_OPTION_INT, AT(fold), 0, DT_NETWORKS_MAX, NULL, "0",
     "of --folds: the only fold to train, from 1 to K * R; 0: all", DT_SETTING_NEWER},
    {"patience", "N", DT_OPTION_INT, AT(patience), 0, 1 << 30, NULL, "2",
     "epochs without improvement until training stops", .group = "Stopping"},
    {"min-delta", "F", DT_OPTION_FLOAT, AT(min_delta), 0, 1e30, NULL, "0",
     "what counts as an improvement"},
    {"monitor", "NAME", DT_OPTION_CHOICE, AT(monitor), 0, 0, DT_MONITOR_NAMES, "val_loss",
     "what has to improve: a metric, or a quality of the task that is then computed after each "
     "epoch "
     "and logged, too"},
    {"min-epochs", "N", DT_OPTION_INT, AT(min_epochs), 0, 1 << 30, NULL, "0",
     "epochs at the beginning that are not judged: none of them is the best one, and --patience "
     "does "
     "not count them; as start_from_epoch of Keras's EarlyStopping",
     DT_SETTING_NEWER},
    {"baseline", "F", DT_OPTION_FLOAT, AT(baseline), -1e30, 1e30, NULL, "none",
     "value that --monitor has to reach: until an epoch is better than it, improvements do not "
     "restart the count of --patience; as baseline of Keras's EarlyStopping",
     DT_SETTING_NEWER},
    {"no-restore-best", NULL, DT_OPTION_FLAG, AT(no_restore_best), 0, 0, NULL, NULL,
     "keep the last epoch's weights, not the best one's"},
    {"out", "DIR", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL,
     "folder of the results; results/<name of the data> without it", DT_SETTING_SESSION,
     .group = "Run and output"},
    {"force", NULL, DT_OPTION_FLAG, AT(force), 0, 0, NULL, NULL,
     "with --resume: with other options and data, too; else: over the checkpoint that is there",
     DT_SETTING_SESSION},
    {"like", "RUN", DT_OPTION_TEXT, AT(like), 0, 0, NULL, NULL,
     "repeat the run of this log (run.h5, or its folder); what else is given wins",
     DT_SETTING_SESSION},
    {"config", "FILE", DT_OPTION_TEXT, AT(config), 0, 0, NULL, NULL,
     "read options from FILE, lines of name = value; the command line wins", DT_SETTING_SESSION},
    {"csv-log", "FILE", DT_OPTION_TEXT, AT(csv_log), 0, 0, NULL, NULL,
     "also write each epoch to FILE, as Keras's CSVLogger does", DT_SETTING_NO_WEIGHT},
    {"progress", NULL, DT_OPTION_FLAG, AT(progress), 0, 0, NULL, NULL,
     "show how far an epoch is, and the time left of it and of all epochs: a live line on a "
     "terminal, elsewhere a line a minute",
     DT_SETTING_SESSION},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print the summary alone",
     DT_SETTING_SESSION},
    {"shards", "N", DT_OPTION_INT, AT(shards), 1, DT_EXACT_MAX_TERMS, NULL, "8",
     "parts the rows are dealt to; the same number gives the same model on any number of ranks",
     DT_SETTING_DEPENDS, .group = "Cluster"},
    {"sum", "NAME", DT_OPTION_CHOICE, AT(sum), 0, 0, "exact|fast", "exact",
     "exact: bit-identical on any number of ranks; fast: float32 sums over the ranks"},
    {"engine", "NAME", DT_OPTION_CHOICE, AT(engine), 0, 0, "auto|own|blas", "auto",
     "engine that computes matrix products: dtrain's own kernels (same bits on any supported CPU) "
     "or "
     "OpenBLAS; "
     "auto: own, unless an x86 CPU lacks AVX2 or FMA",
     DT_SETTING_NEWER},
    {"reduce", "NAME", DT_OPTION_CHOICE, AT(reduce), 0, 0, "auto|allreduce|window", "auto",
     "how ranks add gradients: MPI_Allreduce, or a window (shared memory of a host); auto: window "
     "if "
     "ranks share a host, unless --overlap is used",
     DT_SETTING_HOW_SUMMED | DT_SETTING_NEWER},
    {"overlap", "NAME", DT_OPTION_CHOICE, AT(overlap), 0, 0, "auto|on|off", "auto",
     "send gradients of later layers while those of earlier ones are computed; auto: a large "
     "network on several hosts",
     DT_SETTING_HOW_SUMMED},
    {"threads", "N", DT_OPTION_INT, AT(threads), 1, 1024, NULL, "1",
     "number of threads of each rank; does not change the result with dtrain's own kernels",
     DT_SETTING_THREADS},
    {"checkpoint-every", "TIME|EPOCHS", DT_OPTION_INTERVAL, AT(checkpoint_every), 0, 1 << 30, NULL,
     "10min", "save all that is needed to go on, as 90s, 10min, 1.5h, or a number of epochs; never",
     DT_SETTING_NO_WEIGHT},
    {"resume", "DIR", DT_OPTION_TEXT, AT(resume), 0, 0, NULL, NULL,
     "go on from the checkpoint in this folder of results, on any number of ranks up to --shards",
     DT_SETTING_SESSION},
    {"time-limit", "TIME", DT_OPTION_DURATION, AT(time_limit), 0, 1e9, NULL, "never",
     "stop with a checkpoint before so much time has passed, as 55min, 2d, HH:MM:SS; the end of a "
     "Slurm job is known where Slurm tells it",
     DT_SETTING_SESSION},
    {"stall-timeout", "TIME", DT_OPTION_DURATION, AT(stall_timeout), 0, 1e9, NULL, "10min",
     "end the job when nothing has moved for so long, and say which ranks are late; longer than "
     "the "
     "longest step",
     DT_SETTING_NO_WEIGHT},
};

static const char usage[] =
    "Usage: dtrain [train] [OPTIONS] [DATA]\n"
    "       mpirun -np 8 dtrain [OPTIONS] [DATA]\n"
    "       mpirun -np 8 dtrain TABLE.csv --target COLUMN [OPTIONS]\n\n"
    "Trains a neural network on tabular data to predict classes or values, with the\n"
    "same result on any number of MPI ranks. DATA is a table of text, whose rows are\n"
    "prepared as `dtrain prepare` does it, but without files in between; a folder with\n"
    "train.npz, validation.npz and test.npz; the prefix of three such files; one .npz\n"
    "with x_train, y_train and so on; one .npz to be split; three files; or .npy files,\n"
    "or a folder of them, as x.npy and y.npy. A .h5 with datasets may stand for each\n"
    ".npz. Without DATA it trains on a built-in example.";

/* Those of a preparation that a run does not have itself: of the table that DATA may be. */
static size_t add_table_options(dt_option *out, size_t count)
{
    const dt_option_table *table = dt_prepare_options();
    const size_t own = count;
    for (size_t i = 0; i < table->count; i++) {
        const dt_option *option = &table->options[i];
        bool is_own = (option->flags & DT_PREPARE_FILES) != 0;
        for (size_t j = 0; j < own; j++)
            is_own = is_own || strcmp(out[j].name, option->name) == 0;
        if (is_own)
            continue;
        DT_ASSERT(count < DT_OPTION_MAX);
        out[count] = *option;
        out[count].offset += AT(prepare);
        out[count].flags =
            DT_SETTING_TABLE | DT_SETTING_REMAKES | DT_SETTING_DATA | DT_SETTING_NEWER;
        out[count].group = count == own ? "Data that is a table of text" : NULL;
        count++;
    }
    return count;
}

const dt_option_table *dt_settings_table(void)
{
    static dt_option all[DT_OPTION_MAX];
    static dt_option_table table = {.options = all, .given = AT(given), .usage = usage};
    if (table.count == 0) {
        memcpy(all, options, sizeof options);
        table.count = add_table_options(all, sizeof options / sizeof *options);
    }
    return &table;
}

const dt_option *dt_settings_option(const char *name)
{
    char log_name[64];
    const dt_option_table *table = dt_settings_table();
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(dt_options_log_name(log_name, &table->options[i]), name) == 0)
            return &table->options[i];
    return NULL;
}

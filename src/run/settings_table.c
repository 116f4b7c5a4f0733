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
     "array of inputs in the .npz; of train_images and test_images the name is images. Usual names "
     "are found without this option",
     DT_SETTING_DATA, .group = "Data"},
    {"targets", "NAME", DT_OPTION_TEXT, AT(targets), 0, 0, NULL, NULL,
     "array of targets in the .npz: class ids or names, one-hot rows, or values; named as for "
     "--inputs",
     DT_SETTING_DATA},
    {"weights", "NAME", DT_OPTION_TEXT, AT(weights), 0, 0, NULL, NULL,
     "array in the .npz, or column of a table, with the weights of the rows; the loss and all "
     "metrics use them",
     DT_SETTING_REMAKES | DT_SETTING_DATA | DT_SETTING_NEWER},
    {"class-weight", "WEIGHTS", DT_OPTION_TEXT, AT(class_weight), 0, 0, NULL, NULL,
     "weights of the classes in training: balanced, or CLASS=WEIGHT such as no=1,yes=5 (other "
     "classes: 1). Validation and evaluation do not use them",
     DT_SETTING_NEWER},
    {"validation-split", "F", DT_OPTION_FLOAT, AT(validation_split), 0, 1e15, NULL, "0.1",
     "share of the rows for validation if the data has no validation set; of a table also a number "
     "of rows",
     DT_SETTING_REMAKES | DT_SETTING_DATA},
    {"test-split", "F", DT_OPTION_FLOAT, AT(test_split), 0, 1e15, NULL, "0.1",
     "share of the rows for testing if the data has no test set; of a table also a number of rows",
     DT_SETTING_REMAKES | DT_SETTING_DATA},
    {"scale", "LIST", DT_OPTION_WORDS, AT(scale), 0, 0, NULL, NULL,
     "scaling of the inputs, measured on the training rows. For a table: the methods of dtrain "
     "prepare, also COLUMN=METHOD; the default is standard. For arrays that dtrain prepare did not "
     "write: none (the default), standard (mean 0, standard deviation 1) or minmax (0 to 1); the "
     "scaling is part of the model, and inputs with only 0 and 1 are not scaled",
     DT_SETTING_REMAKES | DT_SETTING_NEWER},
    {"threshold", "RULE", DT_OPTION_TEXT, AT(threshold), 0, 0, NULL, NULL,
     "for two classes: minimum probability at which the trained model predicts class 1: a number, "
     "or chosen on the validation set: f1 (largest F1), recall=R (largest threshold with recall "
     "R), precision=R (smallest threshold with precision R)",
     DT_SETTING_NEWER},
    {"task", "NAME", DT_OPTION_CHOICE, AT(task), 0, 0, "auto|classification|regression", "auto",
     "type of the targets: classes or values; auto: values if some are not whole numbers",
     DT_SETTING_REMAKES | DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"preset", "NAME", DT_OPTION_CHOICE, AT(preset), 0, 0, DT_PRESET_NAMES, "tutorial",
     "defaults of network and training: tutorial, the values shown below; tabular, an ensemble "
     "with encoded inputs, on average better than boosted trees. Other options override the preset",
     DT_SETTING_NEWER, .group = "Network"},
    {"hidden", "LIST", DT_OPTION_LIST, AT(hidden), 1, 1 << 30, NULL, "30",
     "units of each hidden layer, for example 64,32; none: logistic regression"},
    {"activation", "NAME", DT_OPTION_CHOICES, AT(activation), 0, 0, DT_ACTIVATION_NAMES, "relu",
     "activation of the hidden layers, or one for each, for example gelu,tanh"},
    {"norm", "NAME", DT_OPTION_CHOICE, AT(norm), 0, 0, DT_NORM_NAMES, "none",
     "normalization of the outputs of a hidden layer, before its activation: layer or RMS "
     "normalization of each row, or batch normalization of each unit over the batch",
     DT_SETTING_NEWER},
    {"residual", NULL, DT_OPTION_FLAG, AT(residual), 0, 0, NULL, NULL,
     "add the inputs of a hidden layer to its outputs, after activation and dropout, if both have "
     "the same number of units; never in the first hidden layer",
     DT_SETTING_NEWER},
    {"numeric-embedding", "NAME", DT_OPTION_CHOICE, AT(numeric_embedding), 0, 0, DT_EMBEDDING_NAMES,
     "none",
     "encoding of inputs that are numbers: piecewise, a trained linear function in each bin of the "
     "input; periodic, a dense layer with relu of sines and cosines of the input. Inputs with only "
     "0 and 1 are not encoded",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"bins", "N", DT_OPTION_INT, AT(bins), 2, DT_BINS_MAX, NULL, "48",
     "maximum number of bins of an input, at quantiles of the training rows; an input with a very "
     "frequent value gets one bin for each value, up to 128",
     DT_SETTING_NEWER},
    {"bins-by", "NAME", DT_OPTION_CHOICE, AT(bins_by), 0, 0, DT_BINS_BY_NAMES, "quantile",
     "how bins are chosen: quantile, see --bins; tree, the leaves of a decision tree on this input "
     "alone, at most --bins leaves with at least 64 training rows each",
     DT_SETTING_NEWER},
    {"embedding-width", "N", DT_OPTION_INT, AT(embedding_width), 1, DT_PANEL, NULL, "8",
     "outputs of an encoded input", DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"frequencies", "N", DT_OPTION_INT, AT(frequencies), 1, DT_FREQUENCIES_MAX, NULL, "48",
     "for --numeric-embedding periodic: trained frequencies of an input; each gives one sine and "
     "one cosine",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"frequency-scale", "F", DT_OPTION_FLOAT, AT(frequency_scale), 1e-6, 1e6, NULL, "0.01",
     "for --numeric-embedding periodic: standard deviation of the initial frequencies; a larger "
     "value starts with finer waves",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"category-embedding", "N", DT_OPTION_INT, AT(category_embedding), 0, DT_PANEL, NULL, "0",
     "width of the trained embedding of a column of categories; requires data that dtrain "
     "prepared; 0: one input for each category",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"members", "N", DT_OPTION_INT, AT(members), 1, DT_MEMBERS_MAX, NULL, "1",
     "number of networks that are trained as one and whose predictions are averaged; they share "
     "the hidden layers, and each has its own input scales and last layer",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"members-kind", "NAME", DT_OPTION_CHOICE, AT(members_kind), 0, 0, DT_MEMBERS_KIND_NAMES,
     "mini",
     "parameters that each member has of its own: mini, see --members; full, also biases, and "
     "scales before and after the weights of each hidden layer",
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
     "model to start from (.h5, .keras, or a run's folder): its weights, and from model.h5 also "
     "optimizer, dropout, noise and weight decay; other options override them"},
    {"loss", "NAME", DT_OPTION_CHOICE, AT(loss), 0, 0, DT_LOSS_NAMES, "auto",
     "loss; auto: cross-entropy for classes, mse (mean squared error) for values; mae: absolute "
     "error; huber: squared for small errors, absolute for large ones; quantile: see --quantile",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS, .group = "Training"},
    {"label-smoothing", "F", DT_OPTION_FLOAT, AT(label_smoothing), 0, 0.999, NULL, "0",
     "for cross-entropy: share of each target that is spread over all classes",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"huber-delta", "F", DT_OPTION_FLOAT, AT(huber_delta), 1e-6, 1e6, NULL, "1",
     "for --loss huber: error, in standard deviations of the target, above which the loss is "
     "absolute instead of squared",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"quantile", "F", DT_OPTION_FLOAT, AT(quantile), 1e-4, 0.9999, NULL, "0.5",
     "for --loss quantile: the quantile to predict; 0.5 is the median",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS | DT_SETTING_NUMBER},
    {"batch", "N", DT_OPTION_INT, AT(batch), 1, 1 << 30, NULL, "100",
     "rows of a training step, over all ranks"},
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
     "epochs from one reduction to the next; for --schedule plateau, epochs without improvement "
     "before a reduction",
     DT_SETTING_NEWER},
    {"warmup", "F", DT_OPTION_FLOAT, AT(warmup), 0, 1 << 30, NULL, "0",
     "epochs (fractions are allowed) in which the learning rate rises linearly from 0; --schedule "
     "starts after them",
     DT_SETTING_NEWER},
    {"weight-decay", "F", DT_OPTION_FLOAT, AT(weight_decay), 0, 1, NULL, "0",
     "decoupled weight decay, 0 to 1: each step subtracts learning rate * F * weight; biases do "
     "not decay. With --optimizer adamw, the default is 0.004",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"ema", "F", DT_OPTION_FLOAT, AT(ema), 0, 0.99999, NULL, "0",
     "decay of averaged weights, for example 0.998. The averages are validated, saved and used for "
     "predictions; training continues with the weights themselves; 0: no average",
     DT_SETTING_NEWER | DT_SETTING_DEPENDS},
    {"l2", "F", DT_OPTION_FLOAT, AT(l2), 0, 1e6, NULL, "0",
     "penalty F * (sum of squared weights), added to the loss that is minimized, not to the loss "
     "that is reported; biases are exempt",
     DT_SETTING_NEWER},
    {"l1", "F", DT_OPTION_FLOAT, AT(l1), 0, 1e6, NULL, "0",
     "penalty F * (sum of absolute weights), as --l2", DT_SETTING_NEWER},
    {"clip-norm", "F", DT_OPTION_FLOAT, AT(clip_norm), 0, 1e30, NULL, "0",
     "maximum norm of the whole gradient of a step; a larger gradient is scaled down; 0: no limit",
     DT_SETTING_NEWER},
    {"clip-value", "F", DT_OPTION_FLOAT, AT(clip_value), 0, 1e30, NULL, "0",
     "maximum absolute gradient of a single weight; it is clamped to -F ... F; 0: no limit",
     DT_SETTING_NEWER},
    {"max-norm", "F", DT_OPTION_FLOAT, AT(max_norm), 0, 1e30, NULL, "0",
     "maximum norm of the weights into a hidden unit; larger weights are scaled down after each "
     "step; not with --reduce window; 0: no limit",
     DT_SETTING_NEWER},
    {"seed", "N", DT_OPTION_INT, AT(seed), 0, LARGEST_INT, NULL, "1",
     "seed of the initial weights, the shuffles, the split, dropout and noise", DT_SETTING_REMAKES},
    {"split-seed", "N", DT_OPTION_INT, AT(split_seed), -1, LARGEST_INT, NULL, "-1",
     "seed of the split alone, so that runs with different --seed have the same rows in each set; "
     "-1: the value of --seed",
     DT_SETTING_REMAKES | DT_SETTING_NEWER},
    {"restarts", "N", DT_OPTION_INT, AT(restarts), 1, DT_NETWORKS_MAX, NULL, "1",
     "number of training runs, with the seeds --seed, --seed + 1 ..., on the same split; the best "
     "model by --monitor is kept",
     DT_SETTING_NEWER},
    {"average", NULL, DT_OPTION_FLAG, AT(average), 0, 0, NULL, NULL,
     "keep all --restarts as one model that predicts their mean (probabilities or values)",
     DT_SETTING_NEWER},
    {"folds", "K", DT_OPTION_INT, AT(folds), 0, DT_NETWORKS_MAX, NULL, "0",
     "cross-validation: divide the training and validation rows into K folds, class by class, and "
     "train K times, each time with another fold as validation set. The K models are kept as one "
     "that predicts their mean; 0: none",
     DT_SETTING_NEWER},
    {"folds-by-id", NULL, DT_OPTION_FLAG, AT(folds_by_id), 0, 0, NULL, NULL,
     "for --folds: keep rows with the same id in one fold, by the column --id of a table or the "
     "array id; classes are then not balanced",
     DT_SETTING_NEWER},
    {"repeats", "R", DT_OPTION_INT, AT(repeats), 1, DT_NETWORKS_MAX, NULL, "1",
     "for --folds: how often the rows are divided, each time differently", DT_SETTING_NEWER},
    {"fold", "N", DT_OPTION_INT, AT(fold), 0, DT_NETWORKS_MAX, NULL, "0",
     "for --folds: the only fold to train, from 1 to K * R; 0: all", DT_SETTING_NEWER},
    {"patience", "N", DT_OPTION_INT, AT(patience), 0, 1 << 30, NULL, "2",
     "epochs without improvement after which training stops", .group = "Stopping"},
    {"min-delta", "F", DT_OPTION_FLOAT, AT(min_delta), 0, 1e30, NULL, "0",
     "minimum change of --monitor that counts as an improvement"},
    {"monitor", "NAME", DT_OPTION_CHOICE, AT(monitor), 0, 0, DT_MONITOR_NAMES, "val_loss",
     "metric that has to improve; a metric that is not computed anyway is then computed after each "
     "epoch and logged"},
    {"min-epochs", "N", DT_OPTION_INT, AT(min_epochs), 0, 1 << 30, NULL, "0",
     "number of first epochs that early stopping ignores: none can be the best, and --patience "
     "does not count them; start_from_epoch of Keras's EarlyStopping",
     DT_SETTING_NEWER},
    {"baseline", "F", DT_OPTION_FLOAT, AT(baseline), -1e30, 1e30, NULL, "none",
     "value that --monitor has to pass: improvements do not reset --patience unless they are "
     "better than it; baseline of Keras's EarlyStopping",
     DT_SETTING_NEWER},
    {"no-restore-best", NULL, DT_OPTION_FLAG, AT(no_restore_best), 0, 0, NULL, NULL,
     "keep the weights of the last epoch instead of the best"},
    {"out", "DIR", DT_OPTION_TEXT, AT(out), 0, 0, NULL, NULL,
     "folder of the results; the default is a new one, results/<name of the data>",
     DT_SETTING_SESSION, .group = "Run and output"},
    {"force", NULL, DT_OPTION_FLAG, AT(force), 0, 0, NULL, NULL,
     "replace a checkpoint or a finished run in --out; with --resume: allow other options and data",
     DT_SETTING_SESSION},
    {"like", "RUN", DT_OPTION_TEXT, AT(like), 0, 0, NULL, NULL,
     "repeat the run of this log (run.h5, or its folder); other options override its settings",
     DT_SETTING_SESSION},
    {"config", "FILE", DT_OPTION_TEXT, AT(config), 0, 0, NULL, NULL,
     "read options from FILE, with lines name = value; the command line overrides them",
     DT_SETTING_SESSION},
    {"csv-log", "FILE", DT_OPTION_TEXT, AT(csv_log), 0, 0, NULL, NULL,
     "also write each epoch to FILE, as Keras's CSVLogger", DT_SETTING_NO_WEIGHT},
    {"progress", NULL, DT_OPTION_FLAG, AT(progress), 0, 0, NULL, NULL,
     "show the progress within an epoch, and the time left of the epoch and of the run: a live "
     "line on a terminal, else one line a minute",
     DT_SETTING_SESSION},
    {"quiet", NULL, DT_OPTION_FLAG, AT(quiet), 0, 0, NULL, NULL, "print only the summary",
     DT_SETTING_SESSION},
    {"shards", "N", DT_OPTION_INT, AT(shards), 1, DT_EXACT_MAX_TERMS, NULL, "8",
     "number of parts that the training rows are divided into; the same number gives the same "
     "model on any number of ranks",
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
     "10min",
     "interval of checkpoints to resume from: a time such as 90s, 10min or 1.5h, a number of "
     "epochs, or never",
     DT_SETTING_NO_WEIGHT},
    {"resume", "DIR", DT_OPTION_TEXT, AT(resume), 0, 0, NULL, NULL,
     "resume from the checkpoint in this folder of results, on any number of ranks up to --shards",
     DT_SETTING_SESSION},
    {"time-limit", "TIME", DT_OPTION_DURATION, AT(time_limit), 0, 1e9, NULL, "never",
     "stop with a checkpoint before this time has passed, for example 55min, 2d or HH:MM:SS; the "
     "end of a Slurm job is found automatically",
     DT_SETTING_SESSION},
    {"stall-timeout", "TIME", DT_OPTION_DURATION, AT(stall_timeout), 0, 1e9, NULL, "10min",
     "end the job if no rank makes progress for this time, and report which ranks are late; must "
     "be longer than the longest step",
     DT_SETTING_NO_WEIGHT},
};

static const char usage[] =
    "Usage: dtrain [train] [OPTIONS] [DATA]\n"
    "       mpirun -np 8 dtrain [OPTIONS] [DATA]\n"
    "       mpirun -np 8 dtrain TABLE.csv --target COLUMN [OPTIONS]\n"
    "\n"
    "Trains a neural network on tabular data to predict classes or values, with the\n"
    "same result on any number of MPI ranks. DATA is one of:\n"
    "  a table of text, prepared as by `dtrain prepare`, but without files between\n"
    "  a folder with train.npz, validation.npz and test.npz, or their prefix\n"
    "  three .npz files: training, validation, test\n"
    "  one .npz with x_train, y_train and so on, or with one set, which is split\n"
    "  .npy files such as x.npy and y.npy, or a folder of them\n"
    "Each .npz may be a .h5 with datasets. Without DATA, dtrain trains on a built-in\n"
    "example.";

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
        out[count].group = count == own ? "Tables of text as data" : NULL;
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
    const dt_option_table *table = dt_settings_table();
    for (size_t i = 0; i < table->count; i++)
        if (dt_options_has_log_name(&table->options[i], name))
            return &table->options[i];
    return NULL;
}

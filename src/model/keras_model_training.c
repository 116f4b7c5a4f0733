#include "keras_losses.h"
#include "keras_model_chain.h"

#include "dtrain/base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- what dtrain would not train with ---- */

void dt_keras_leave_out(char *list, const char *format, ...)
{
    static const char more[] = "...", between[] = "; ";
    char item[128];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(item, sizeof item, format, arguments);
    va_end(arguments);
    for (char *c = item; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            *c = '?';
    const size_t used = strlen(list);
    const size_t needed = strlen(item) + sizeof between + sizeof more;
    if (used >= strlen(more) && strcmp(list + used - strlen(more), more) == 0)
        return;
    const char *next = used + strlen(between) + needed > DT_KERAS_LEFT_OUT_BYTES ? more : item;
    (void)snprintf(list + used, DT_KERAS_LEFT_OUT_BYTES - used, "%s%s", used > 0 ? between : "",
                   next);
}

/* The policy's name: "float32", or {"class_name": .., "config": {"name": "mixed_float16"}}. */
static const char *dtype_of(const json_t *config)
{
    const json_t *dtype = json_object_get(config, "dtype");
    const char *name = json_string_value(dtype);
    return name != NULL ? name
                        : dt_keras_text_of(json_object_get(dtype, "config"), "name", "float32");
}

static bool is_set(const json_t *config, const char *key)
{
    const json_t *value = json_object_get(config, key);
    return value != NULL && !json_is_null(value);
}

dt_status dt_keras_extras_read(dt_keras_chain *chain, const json_t *layer, const char *path)
{
    static const char *const extras[] = {
        "kernel_regularizer", "bias_regularizer", "activity_regularizer", "kernel_constraint",
        "bias_constraint",    "lora_rank",        "gamma_regularizer",    "beta_regularizer",
        "gamma_constraint",   "beta_constraint",  "W_regularizer",        "b_regularizer",
        "W_constraint",       "b_constraint",     "alpha_regularizer",    "alpha_constraint"};
    const json_t *config = json_object_get(layer, "config");
    const char *name = dt_keras_name_of(layer);
    const char *dtype = dtype_of(config);
    if (strstr(dtype, "_from_") != NULL || is_set(config, "quantization_config"))
        return dt_fail(DT_DATA,
                       "%s: layer '%.60s' is quantized (%.60s); dtrain accepts models of float32, "
                       "as they were before model.quantize",
                       path, name, dtype);
    if (strcmp(dtype, "bfloat16") == 0)
        return dt_fail(
            DT_DATA,
            "%s: layer '%.60s' has weights of bfloat16; in Keras save a copy of float32: "
            "m = keras.models.model_from_json(model.to_json().replace('bfloat16', "
            "'float32')); m.set_weights(model.get_weights()); m.save('float32.keras')",
            path, name);
    /* The layer before may have the same policy. */
    if (strcmp(dtype, "float32") != 0 && strstr(chain->left_out, dtype) == NULL)
        dt_keras_leave_out(chain->left_out, "dtype %.30s of '%.60s'", dtype, name);
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++)
        if (is_set(config, extras[i]))
            dt_keras_leave_out(chain->left_out, "%s of '%.60s'", extras[i], name);
    const char *class = dt_keras_text_of(layer, "class_name", "");
    if (json_is_false(json_object_get(config, "trainable")) &&
        (strcmp(class, "Dense") == 0 || strcmp(class, "BatchNormalization") == 0))
        dt_keras_leave_out(chain->left_out, "'%.60s' is not trainable", name);
    return DT_OK;
}

/* ---- the loss ---- */

/* That of the only output: alone, in a list, or by the output's name. */
static const json_t *loss_of(const json_t *training)
{
    const json_t *loss = json_object_get(training, "loss");
    if (json_object_size(loss) == 1)
        loss = json_object_iter_value(json_object_iter((json_t *)loss));
    return json_is_array(loss) ? dt_keras_only_element(loss) : loss;
}

bool dt_keras_loss_takes_logits(const json_t *training, bool one_output)
{
    const json_t *loss = loss_of(training);
    const char *class = dt_keras_text_of(loss, "class_name", "");
    const bool fits = one_output ? strcmp(class, "BinaryCrossentropy") == 0 ||
                                       strcmp(class, "BinaryFocalCrossentropy") == 0
                                 : strcmp(class, "SparseCategoricalCrossentropy") == 0 ||
                                       strcmp(class, "CategoricalCrossentropy") == 0;
    return fits && json_is_true(json_object_get(json_object_get(loss, "config"), "from_logits"));
}

const char *dt_keras_loss_name(const json_t *training)
{
    const json_t *loss = loss_of(training);
    const json_t *config = json_object_get(loss, "config");
    if (loss == NULL || json_is_null(loss))
        return NULL;
    if (json_is_string(loss))
        return json_string_value(loss);
    /* A class, or a function: its name is then the configuration. */
    return json_is_string(config) ? json_string_value(config)
                                  : dt_keras_text_of(loss, "class_name", "?");
}

/* Keras's number is in the units of the targets; its default is that of dtrain. */
static void read_loss_number(dt_keras_chain *chain, const json_t *config, const char *key)
{
    const dt_keras_rescaling *units = &chain->rescaling;
    const json_t *number = json_object_get(config, key);
    double value = json_is_number(number) ? json_number_value(number) : chain->loss->fallback;
    bool same = true;
    for (size_t j = 1; j < units->scales; j++)
        same = same && !(units->scale[j] < *units->scale) && !(units->scale[j] > *units->scale);
    if (units->there && same) /* dtrain itself multiplied it: without what rounding left */
        value = dt_keras_plain_number((double)(float)(value / *units->scale));
    if (same && value > 0.0 && isfinite(value))
        chain->loss_number = value;
    else
        dt_keras_leave_out(chain->left_out, "%s of the loss", key);
}

static void read_smoothing(dt_keras_chain *chain, const json_t *config, bool taken)
{
    const double smoothing = json_number_value(json_object_get(config, "label_smoothing"));
    if (smoothing > 0.0 && smoothing < 1.0 && taken)
        chain->loss_number = smoothing;
    else if (smoothing > 0.0)
        dt_keras_leave_out(chain->left_out, "label_smoothing of the loss");
}

static void read_loss(dt_keras_chain *chain, const json_t *training)
{
    const bool classes = chain->classes;
    const bool two = chain->one_logit || dt_keras_chain_outputs(chain) == 2;
    const json_t *config = json_object_get(loss_of(training), "config");
    const char *name = dt_keras_loss_name(training);
    const dt_keras_loss *known = name != NULL ? dt_keras_loss_find(name) : NULL;
    const bool fits = known != NULL && known->loss->classes == classes && (two || !known->of_two);
    chain->loss = classes ? &dt_cross_entropy : &dt_mean_squared_error;
    if (fits)
        chain->loss = known->loss;
    else if (name != NULL)
        dt_keras_leave_out(chain->left_out, "loss %.60s", name);
    chain->loss_number = chain->loss->fallback;
    if (fits && known->number != NULL)
        read_loss_number(chain, config, known->number);
    read_smoothing(chain, config, fits && classes);
    if (is_set(config, "ignore_class"))
        dt_keras_leave_out(chain->left_out, "ignore_class of the loss");
}

/* ---- the optimizer ---- */

double dt_keras_plain_number(double value)
{
    const float single = (float)value;
    if ((double)single < value || (double)single > value || !isfinite(value))
        return value;
    for (int digits = 1; digits <= 9; digits++) {
        char text[32];
        (void)snprintf(text, sizeof text, "%.*g", digits, value);
        const float back = strtof(text, NULL);
        if (!(back < single) && !(back > single))
            return strtod(text, NULL);
    }
    return value;
}

/* Keeps the old number if the file has no valid one. */
static void take_number(double *out, const json_t *config, const char *key, double below)
{
    const json_t *number = json_object_get(config, key);
    const double value = json_number_value(number);
    if (json_is_number(number) && isfinite(value) && value >= 0.0 && value < below)
        *out = value;
}

static void read_adam(dt_keras_chain *chain, const json_t *config)
{
    static const char *const extras[] = {"weight_decay", "clipnorm", "global_clipnorm", "clipvalue",
                                         "gradient_accumulation_steps"};
    static const char *const flags[] = {"amsgrad", "use_ema"};
    const json_t *rate = json_object_get(config, "learning_rate");
    chain->scheduled = json_is_object(rate);
    if (chain->scheduled)
        dt_keras_leave_out(chain->left_out, "learning rate schedule %.60s",
                           dt_keras_text_of(rate, "class_name", "?"));
    take_number(&chain->learning_rate, config, "lr", HUGE_VAL); /* before Keras 2.3 */
    take_number(&chain->learning_rate, config, "learning_rate", HUGE_VAL);
    chain->learning_rate = dt_keras_plain_number(chain->learning_rate);
    take_number(&chain->beta_1, config, "beta_1", 1.0);
    take_number(&chain->beta_2, config, "beta_2", 1.0);
    take_number(&chain->epsilon, config, "epsilon", HUGE_VAL);
    for (size_t i = 0; i < sizeof extras / sizeof *extras; i++)
        if (is_set(config, extras[i]) && !json_is_false(json_object_get(config, extras[i])))
            dt_keras_leave_out(chain->left_out, "%s of Adam", extras[i]);
    if (json_number_value(json_object_get(config, "decay")) > 0.0)
        dt_keras_leave_out(chain->left_out, "decay of Adam");
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (json_is_true(json_object_get(config, flags[i])))
            dt_keras_leave_out(chain->left_out, "%s of Adam", flags[i]);
}

void dt_keras_training_read(dt_keras_chain *chain, const json_t *training)
{
    static const char registered[] = "Custom>";
    const json_t *optimizer = json_object_get(training, "optimizer_config"); /* .h5 */
    if (optimizer == NULL)
        optimizer = json_object_get(training, "optimizer"); /* .keras */
    const char *class = json_is_string(optimizer) ? json_string_value(optimizer)
                                                  : dt_keras_text_of(optimizer, "class_name", "");
    if (strncmp(class, registered, strlen(registered)) == 0) /* of Keras 2.11 to 2.13 */
        class += strlen(registered);
    chain->learning_rate = 0.001;
    chain->beta_1 = 0.9;
    chain->beta_2 = 0.999;
    chain->epsilon = 1e-7;
    read_loss(chain, training);
    chain->adam = strcasecmp(class, "Adam") == 0;
    chain->other_optimizer = !chain->adam && class[0] != '\0';
    if (chain->adam)
        read_adam(chain, json_object_get(optimizer, "config"));
    else if (chain->other_optimizer)
        dt_keras_leave_out(chain->left_out,
                           "optimizer %.60s (dtrain reads only Adam; set --optimizer)", class);
}

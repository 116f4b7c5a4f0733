/* rooms: run */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dtrain/run/space.h"
#include "scratch_folder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static dt_space space;

static dt_status read_space(const char *text)
{
    (void)scratch_write(scratch_path("space"), text, strlen(text));
    return dt_space_read(&space, scratch_path("space"));
}

/* The text of the only setting's value. */
static const char *value(size_t index)
{
    static char out[DT_SPACE_VALUE_BYTES];
    return dt_space_value(out, &space.settings[0], index);
}

static const char *draw(size_t setting, int64_t trial)
{
    static char out[DT_SPACE_VALUE_BYTES];
    return dt_space_draw(out, &space.settings[setting], 1, trial);
}

static void choices_are_what_stands_between_bars(void **state)
{
    (void)state;
    assert_int_equal(read_space("# widths\nhidden =64| 256,256 |  none # and none\n\n"), DT_OK);
    assert_int_equal(space.count, 1);
    assert_string_equal(space.settings[0].name, "hidden");
    assert_int_equal(space.settings[0].count, 3);
    assert_string_equal(value(0), "64");
    assert_string_equal(value(1), "256,256");
    assert_string_equal(value(2), "none");
}

static void a_range_is_divided_with_equal_distances(void **state)
{
    (void)state;
    assert_int_equal(read_space("dropout = 0 .. 0.5 in 6"), DT_OK);
    assert_int_equal(space.settings[0].count, 6);
    assert_string_equal(value(0), "0");
    assert_string_equal(value(3), "0.3");
    assert_string_equal(value(5), "0.5");
    assert_int_equal(read_space("learning-rate = log 1e-4 .. 1e-2 in 3"), DT_OK);
    assert_string_equal(value(0), "0.0001");
    assert_string_equal(value(1), "0.001");
    assert_string_equal(value(2), "0.01");
}

static void a_range_of_whole_numbers_has_all_of_them(void **state)
{
    (void)state;
    assert_int_equal(read_space("batch = 30 .. 33"), DT_OK);
    assert_int_equal(space.settings[0].count, 4);
    assert_string_equal(value(0), "30");
    assert_string_equal(value(1), "31");
    assert_string_equal(value(3), "33");
    assert_int_equal(read_space("batch = log 32 .. 512 in 5"), DT_OK);
    assert_string_equal(value(1), "64");
    assert_string_equal(value(3), "256");
}

static void draws_stay_within_the_range_and_fill_it(void **state)
{
    (void)state;
    enum { TRIALS = 400 };
    int below = 0;
    assert_int_equal(
        read_space("learning-rate = log 1e-4 .. 1e-2\nbatch = 3 .. 4\ndropout = 0 .. 0.5"), DT_OK);
    int fours = 0;
    for (int64_t trial = 1; trial <= TRIALS; trial++) {
        const double rate = strtod(draw(0, trial), NULL);
        assert_true(rate >= 1e-4 && rate <= 1e-2);
        below += rate < 1e-3; /* half of the logarithms */
        const int batch = atoi(draw(1, trial));
        assert_true(batch == 3 || batch == 4);
        fours += batch == 4;
        const double dropout = strtod(draw(2, trial), NULL);
        assert_true(dropout >= 0.0 && dropout <= 0.5);
    }
    assert_true(below > TRIALS * 4 / 10 && below < TRIALS * 6 / 10);
    assert_true(fours > TRIALS * 4 / 10 && fours < TRIALS * 6 / 10);
}

/* The same bits for ever: else a search that is resumed would have other trials. */
static void draws_depend_on_seed_trial_and_name_alone(void **state)
{
    (void)state;
    char first[DT_SPACE_VALUE_BYTES], other[DT_SPACE_VALUE_BYTES];
    assert_int_equal(read_space("learning-rate = log 1e-4 .. 1e-2"), DT_OK);
    assert_string_equal(draw(0, 1), "0.00250609");
    assert_string_equal(draw(0, 2), "0.000634842");
    (void)snprintf(first, sizeof first, "%s", draw(0, 7));
    assert_string_not_equal(dt_space_draw(other, &space.settings[0], 2, 7), first);
    assert_int_equal(read_space("dropout = 0 .. 0.5\nlearning-rate = log 1e-4 .. 1e-2"), DT_OK);
    assert_string_equal(draw(1, 7), first);
}

static void the_grid_has_every_combination_once(void **state)
{
    (void)state;
    int64_t count = 0;
    assert_int_equal(read_space("optimizer = adam | sgd\nhidden = 8 | 16 | 32\nbatch = 10 .. 11"),
                     DT_OK);
    assert_int_equal(dt_space_count(&count, &space, 100), DT_OK);
    assert_int_equal(count, 12);
    bool seen[2][3][2] = {0};
    for (int64_t point = 1; point <= count; point++) {
        bool *at = &seen[dt_space_point(&space, 0, point)][dt_space_point(&space, 1, point)]
                        [dt_space_point(&space, 2, point)];
        assert_false(*at);
        *at = true;
    }
    assert_int_equal(dt_space_point(&space, 2, 2), 1); /* the last changes fastest */
    assert_int_equal(dt_space_point(&space, 0, 2), 0);
    assert_int_equal(dt_space_count(&count, &space, 11), DT_USAGE);
    assert_int_equal(read_space("dropout = 0 .. 0.5"), DT_OK);
    assert_int_equal(dt_space_count(&count, &space, 100), DT_USAGE);
    assert_non_null(strstr(dt_status_text(), "dropout = 0 .. 0.5 in 5"));
}

static void what_is_wrong_is_refused_with_its_line(void **state)
{
    (void)state;
    const struct {
        const char *line, *why;
    } bad[] = {
        {"hiden = 8", "unknown option --hiden; did you mean --hidden?"},
        {"hidden", "expected 'name = value'"},
        {"hidden = ", "expected values between bars"},
        {"hidden = 8 || 16", "expected values between bars"},
        {"hidden = 8 | -1", "--hidden is -1"},
        {"hidden = 8 | 16 | 8", "the value 8 is there twice"},
        {"hidden = [8, 16]", "not '[8'; values are written as 16 | 64, and a range as log"},
        {"dropout = 0 - 0.5", "not '0 - 0.5'; values are written as 16 | 64"},
        {"learning-rate = 1e-4 .. 1e-2 log", "not '1e-2 log'; values are written as 16 | 64"},
        {"hidden = 8 .. 16", "does not accept a range"},
        {"activation = relu | relo", "did you mean relu?"},
        {"dropout = 0 .. 2", "--dropout is 2, but must be between 0 and 0.95"},
        {"dropout = 0.5 .. 0", "the range from 0.5 to 0 is empty"},
        {"dropout = 0.5 .. 0.5", "is empty"},
        {"dropout = log 0 .. 0.5", "must start above 0"},
        {"dropout = 0 .. x", "not 'x'"},
        {"dropout = 0 .. 0.5 in 1", "2 to 10000 values"},
        {"dropout = 0 .. 0.5 in few", "2 to 10000 values"},
        {"batch = 2 .. 4 in 5", "would be there twice"},
        {"batch = 2 .. 4.5", "whole number"},
        {"dropout = 0 | 0.1\ndropout = 0.2", "line 2: dropout is there twice"},
        {"baseline = none .. 5", "its end is 'none'"},
        {"validation-split = 0.1 | 0.2", "--validation-split is the same for all trials"},
        {"monitor = val_loss", "is the same for all trials"},
        {"shards = 4 | 8", "is the same for all trials"},
        {"threads = 1 | 2", "is the same for all trials"},
        {"scale = none | standard", "is the same for all trials"},
        {"out = a | b", "is the same for all trials"},
        {"# nothing\n", "has no setting"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (read_space(bad[i].line) != DT_USAGE)
            fail_msg("'%s' was taken", bad[i].line);
        if (strstr(dt_status_text(), bad[i].why) == NULL)
            fail_msg("'%s': %s", bad[i].line, dt_status_text());
        assert_non_null(strstr(dt_status_text(), scratch_path("space")));
    }
    assert_int_equal(dt_space_read(&space, scratch_path("none")), DT_USAGE);
    assert_non_null(strstr(dt_status_text(), "--space"));
}

static void the_seed_and_numbers_of_training_may_vary(void **state)
{
    (void)state;
    assert_int_equal(
        read_space("seed = 1 .. 5\nresidual = yes | no\nema = 0 | 0.99\nmembers = 1 | 4\n"
                   "epochs = 5\nnumeric-embedding = none | piecewise"),
        DT_OK);
    assert_int_equal(space.count, 6);
}

static void spaces_differ_in_what_changes_trials(void **state)
{
    (void)state;
    char why[256];
    static dt_space was;
    assert_int_equal(read_space("hidden = 8 | 16\ndropout = 0 .. 0.5"), DT_OK);
    was = space;
    assert_int_equal(read_space("# the same\nhidden=8 | 16\n dropout =  0 .. 0.5"), DT_OK);
    assert_false(dt_space_differ(why, sizeof why, &was, &space));
    assert_int_equal(read_space("hidden = 8 | 16\ndropout = 0 .. 0.6"), DT_OK);
    assert_true(dt_space_differ(why, sizeof why, &was, &space));
    assert_string_equal(why, "dropout is 0 .. 0.6, and was 0 .. 0.5");
    assert_int_equal(read_space("hidden = 8 | 16"), DT_OK);
    assert_true(dt_space_differ(why, sizeof why, &was, &space));
    assert_string_equal(why, "dropout is not there, and was 0 .. 0.5");
    assert_int_equal(read_space("hidden = 8 | 16\ndropout = 0 .. 0.5\nbatch = 5"), DT_OK);
    assert_true(dt_space_differ(why, sizeof why, &was, &space));
    assert_string_equal(why, "batch is 5, and was not there");
    assert_int_equal(read_space("dropout = 0 .. 0.5\nhidden = 8 | 16"), DT_OK);
    assert_true(dt_space_differ(why, sizeof why, &was, &space));
    assert_string_equal(why, "dropout is line 1, and was line 2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(choices_are_what_stands_between_bars),
        cmocka_unit_test(a_range_is_divided_with_equal_distances),
        cmocka_unit_test(a_range_of_whole_numbers_has_all_of_them),
        cmocka_unit_test(draws_stay_within_the_range_and_fill_it),
        cmocka_unit_test(draws_depend_on_seed_trial_and_name_alone),
        cmocka_unit_test(the_grid_has_every_combination_once),
        cmocka_unit_test(what_is_wrong_is_refused_with_its_line),
        cmocka_unit_test(the_seed_and_numbers_of_training_may_vary),
        cmocka_unit_test(spaces_differ_in_what_changes_trials),
    };
    return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}

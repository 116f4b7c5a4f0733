/* rooms: data */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../src/data/recipe/dictionary.h"
#include "dtrain/base/random.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXTS = 200000, TEXT_BYTES = 40 };

typedef struct sample {
    char text[TEXT_BYTES];
    size_t bytes;
    size_t at; /* when it was drawn */
} sample;

static int compare_samples(const void *a, const void *b)
{
    const sample *x = a, *y = b;
    const int order = memcmp(x->text, y->text, TEXT_BYTES);
    if (order != 0)
        return order;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? -1 : 1;
    return x->at < y->at ? -1 : x->at > y->at;
}

static bool same(const sample *a, const sample *b)
{
    return a->bytes == b->bytes && memcmp(a->text, b->text, a->bytes) == 0;
}

/* Texts of few letters, so that many come twice; some with a long common beginning, some with any
 * bytes, NUL among them. */
static void draw(sample *out, dt_random *random, size_t at)
{
    memset(out, 0, sizeof *out);
    out->at = at;
    out->bytes = (size_t)dt_random_below(random, 9);
    if (at % 3 == 0) {
        memcpy(out->text, "a common beginning of 24", 24);
        out->bytes += 24;
    }
    for (size_t i = at % 3 == 0 ? 24 : 0; i < out->bytes; i++)
        out->text[i] =
            (char)(at % 3 == 1 ? dt_random_below(random, 256) : 'a' + dt_random_below(random, 4));
}

static void check_entry(const dt_dictionary_entry *entry, const sample *drawn, uint64_t count)
{
    assert_non_null(entry);
    assert_int_equal(entry->bytes, drawn->bytes);
    assert_memory_equal(entry->text, drawn->text, drawn->bytes);
    assert_int_equal(entry->text[drawn->bytes], '\0');
    assert_int_equal(entry->count, count);
}

static void test_against_a_sorted_list(void **state)
{
    (void)state;
    dt_dictionary dictionary = {0};
    dt_random random = dt_random_start(3, DT_RANDOM_EXAMPLE, 0);
    sample *drawn = malloc(TEXTS * sizeof *drawn);
    assert_non_null(drawn);
    for (size_t i = 0; i < TEXTS; i++) {
        dt_dictionary_entry *entry = NULL;
        draw(&drawn[i], &random, i);
        const size_t before = dictionary.count;
        const bool known = dt_dictionary_find(&dictionary, drawn[i].text, drawn[i].bytes) != NULL;
        assert_int_equal(dt_dictionary_add(&entry, &dictionary, drawn[i].text, drawn[i].bytes),
                         DT_OK);
        assert_int_equal(dictionary.count, known ? before : before + 1);
        if (!known) { /* zero but for its text, and the last */
            assert_int_equal(entry->count, 0);
            assert_int_equal(entry->index, 0);
            assert_int_equal(entry->kind, 0);
            assert_int_equal(entry - dictionary.entries, before);
        }
        entry->count++;
    }
    qsort(drawn, TEXTS, sizeof *drawn, compare_samples);
    size_t distinct = 0;
    for (size_t i = 0, next = 0; i < TEXTS; i = next, distinct++) {
        for (next = i + 1; next < TEXTS && same(&drawn[i], &drawn[next]);)
            next++;
        check_entry(dt_dictionary_find(&dictionary, drawn[i].text, drawn[i].bytes), &drawn[i],
                    next - i);
    }
    assert_int_equal(dictionary.count, distinct);
    assert_true(distinct > 60000 && distinct < TEXTS);
    free(drawn);
    dt_dictionary_clear(&dictionary);
    assert_int_equal(dictionary.count, 0);
    assert_null(dt_dictionary_find(&dictionary, "a", 1));
}

static void test_numbering_and_growth(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    dt_dictionary dictionary = {0};
    static const char *texts[COUNT];
    char text[32];
    for (size_t i = 0; i < COUNT; i++) {
        dt_dictionary_entry *entry = NULL;
        const size_t bytes = (size_t)snprintf(text, sizeof text, "value %zu", i * 7);
        assert_int_equal(dt_dictionary_add(&entry, &dictionary, text, bytes), DT_OK);
        entry->index = (int32_t)i;
        entry->number = (double)i;
        texts[i] = entry->text;
        /* at most half of the slots are ever taken: a search for what is not there ends */
        assert_true(dictionary.slot_count >= 2 * dictionary.count);
        assert_int_equal(dictionary.slot_count & (dictionary.slot_count - 1), 0);
    }
    for (size_t i = 0; i < COUNT; i++) {
        const size_t bytes = (size_t)snprintf(text, sizeof text, "value %zu", i * 7);
        const dt_dictionary_entry *entry = dt_dictionary_find(&dictionary, text, bytes);
        assert_ptr_equal(entry, &dictionary.entries[i]);
        assert_int_equal(entry->index, i);
        assert_ptr_equal(entry->text, texts[i]); /* texts stay where they are, entries move */
        assert_string_equal(texts[i], text);
        text[0] = 'V';
        assert_null(dt_dictionary_find(&dictionary, text, bytes));
    }
    assert_null(dt_dictionary_find(&dictionary, "value 1", 7));
    dt_dictionary_clear(&dictionary);
}

static void test_special_texts(void **state)
{
    (void)state;
    dt_dictionary dictionary = {0};
    dt_dictionary_entry *entry = NULL;
    assert_null(dt_dictionary_find(&dictionary, "", 0));
    assert_int_equal(dt_dictionary_add(&entry, &dictionary, "", 0), DT_OK);
    assert_string_equal(entry->text, "");
    entry->count = 7;
    /* Beginnings of one another, a NUL inside, and texts longer than a page. */
    static const char *const stairs[] = {"a", "aa", "aaa", "aaaa", "aaaaa"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(dt_dictionary_add(&entry, &dictionary, stairs[i], i + 1), DT_OK);
    assert_int_equal(dt_dictionary_add(&entry, &dictionary, "a\0b", 3), DT_OK);
    assert_int_equal(dt_dictionary_add(&entry, &dictionary, "a\0c", 3), DT_OK);
    static char longest[100000];
    memset(longest, 'z', sizeof longest);
    for (size_t bytes = 90000; bytes < 90003; bytes++)
        assert_int_equal(dt_dictionary_add(&entry, &dictionary, longest, bytes), DT_OK);
    assert_int_equal(dictionary.count, 11);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(dt_dictionary_find(&dictionary, stairs[4], i + 1),
                         &dictionary.entries[1 + i]);
    assert_ptr_equal(dt_dictionary_find(&dictionary, "a\0b", 3), &dictionary.entries[6]);
    assert_ptr_equal(dt_dictionary_find(&dictionary, "a\0c", 3), &dictionary.entries[7]);
    assert_null(dt_dictionary_find(&dictionary, "a\0d", 3));
    for (size_t i = 0; i < 3; i++)
        assert_ptr_equal(dt_dictionary_find(&dictionary, longest, 90000 + i),
                         &dictionary.entries[8 + i]);
    assert_null(dt_dictionary_find(&dictionary, longest, 90003));
    assert_int_equal(dt_dictionary_find(&dictionary, "", 0)->count, 7);
    /* To add what is there gives it back. */
    assert_int_equal(dt_dictionary_add(&entry, &dictionary, "aaa", 3), DT_OK);
    assert_ptr_equal(entry, &dictionary.entries[3]);
    assert_int_equal(dictionary.count, 11);
    dt_dictionary_clear(&dictionary);
    dt_dictionary_clear(&dictionary); /* an empty one too */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_a_sorted_list),
        cmocka_unit_test(test_numbering_and_growth),
        cmocka_unit_test(test_special_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

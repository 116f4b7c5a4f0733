#include "arrays.h"

#include "dtrain/base/log.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { NAME_BYTES = 256, INPUTS = 0, TARGETS = 1 };

/* ---- words ---- */

/* The words for each set in names of files and arrays; the set's own name is first. */
static const char *const set_words[DT_SET_COUNT][10] = {
    {"train", "training", "trainset", "trn", "tr", NULL},
    {"validation", "val", "valid", "dev", "eval", "valset", "validationset", "devset", "va", NULL},
    {"test", "testing", "testset", "holdout", "tst", "te", NULL}};

/* Shorter words could be part of another word, unless the name shows where they end. */
enum { GLUED_MIN = 3 };

/* The words for inputs and targets, the best first; words of a family belong together. */
static const struct {
    const char *word;
    int role, family;
} synonyms[] = {
    {"inputs", INPUTS, 0},      {"targets", TARGETS, 0},     {"x", INPUTS, 1},
    {"y", TARGETS, 1},          {"data", INPUTS, 2},         {"labels", TARGETS, 2},
    {"features", INPUTS, 3},    {"target", TARGETS, 3},      {"images", INPUTS, 2},
    {"label", TARGETS, 2},      {"input", INPUTS, 0},        {"output", TARGETS, 0},
    {"outputs", TARGETS, 0},    {"feature", INPUTS, 3},      {"image", INPUTS, 2},
    {"imgs", INPUTS, 2},        {"img", INPUTS, 2},          {"xs", INPUTS, 1},
    {"ys", TARGETS, 1},         {"xdata", INPUTS, 1},        {"ydata", TARGETS, 1},
    {"datax", INPUTS, 1},       {"datay", TARGETS, 1},       {"inputdata", INPUTS, 0},
    {"targetdata", TARGETS, 0}, {"inputx", INPUTS, 1},       {"inputy", TARGETS, 1},
    {"outputdata", TARGETS, 0}, {"feats", INPUTS, 3},        {"feat", INPUTS, 3},
    {"samples", INPUTS, 2},     {"examples", INPUTS, 2},     {"predictors", INPUTS, 4},
    {"response", TARGETS, 4},   {"responses", TARGETS, 4},   {"attributes", INPUTS, 2},
    {"vectors", INPUTS, 2},     {"embeddings", INPUTS, 2},   {"spectra", INPUTS, 2},
    {"signals", INPUTS, 2},     {"observations", INPUTS, 2}, {"covariates", INPUTS, 4},
    {"lbls", TARGETS, 2},       {"lbl", TARGETS, 2},         {"classes", TARGETS, 2},
    {"class", TARGETS, 2},      {"category", TARGETS, 2},    {"categories", TARGETS, 2},
    {"outcome", TARGETS, 4},    {"outcomes", TARGETS, 4},    {"groundtruth", TARGETS, 2},
    {"gt", TARGETS, 2},
};
enum { SYNONYMS = sizeof synonyms / sizeof *synonyms };

/* A name in lower case without the separators of its words. */
typedef struct plain_name {
    char text[NAME_BYTES];
    size_t length;
    size_t at[NAME_BYTES + 1]; /* position of each letter in the name itself */
    bool starts[NAME_BYTES + 1]; /* a word starts here, or the name has ended */
} plain_name;

static plain_name plain_name_of(const char *name)
{
    plain_name out = {0};
    bool starts = true;
    size_t i = 0;
    for (; name[i] != '\0' && out.length + 1 < NAME_BYTES; i++) {
        const unsigned char c = (unsigned char)name[i];
        const bool next_is_lower = islower((unsigned char)name[i + 1]) != 0;
        if (strchr("_-./ ", c) != NULL) {
            starts = true;
            continue;
        }
        if (i > 0 && isupper(c) && (islower((unsigned char)name[i - 1]) || next_is_lower))
            starts = true; /* trainX, XTrain */
        out.at[out.length] = i;
        out.starts[out.length] = starts;
        out.text[out.length++] = (char)tolower(c);
        starts = false;
    }
    out.at[out.length] = i;
    out.starts[out.length] = true;
    return out;
}

/* Removes a word from the beginning or end of the letters first .. end-1. */
static bool take_word(const plain_name *name, const char *word, bool glued, size_t *first,
                      size_t *end)
{
    const size_t length = strlen(word);
    if (*end - *first <= length)
        return false;
    if (memcmp(name->text + *first, word, length) == 0 &&
        (name->starts[*first + length] || (glued && length >= GLUED_MIN))) {
        *first += length;
        return true;
    }
    if (memcmp(name->text + *end - length, word, length) == 0 &&
        (name->starts[*end - length] || (glued && length >= GLUED_MIN))) {
        *end -= length;
        return true;
    }
    return false;
}

static bool rest_is(const plain_name *name, size_t first, size_t end, const char *word)
{
    return strlen(word) == end - first && memcmp(name->text + first, word, end - first) == 0;
}

/* Whether a name is `word`, alone or with a word for a set; then *set is that, or DT_SET_COUNT. */
static bool is_word(const plain_name *name, const char *word, dt_set *set, size_t *place)
{
    *set = DT_SET_COUNT;
    *place = 0;
    if (rest_is(name, 0, name->length, word))
        return true;
    for (int p = 0; p < DT_SET_COUNT; p++)
        for (const char *const *of_set = set_words[p]; *of_set != NULL; of_set++) {
            size_t first = 0, end = name->length;
            if (!take_word(name, *of_set, true, &first, &end) || !rest_is(name, first, end, word))
                continue;
            *set = (dt_set)p;
            *place = (size_t)(of_set - set_words[p]);
            return true;
        }
    return false;
}

const char *dt_set_name(dt_set set)
{
    return set_words[set][0];
}

const char *const *dt_array_set_words(dt_set set)
{
    return set_words[set];
}

dt_set dt_array_name_split(char *base, size_t bytes, const char *name)
{
    const plain_name plain = plain_name_of(name);
    for (int p = 0; p < DT_SET_COUNT; p++)
        for (const char *const *word = set_words[p]; *word != NULL; word++) {
            size_t first = 0, end = plain.length;
            if (!take_word(&plain, *word, false, &first, &end))
                continue;
            const size_t from = plain.at[first], to = plain.at[end - 1] + 1;
            (void)snprintf(base, bytes, "%.*s", (int)(to - from), name + from);
            return (dt_set)p;
        }
    (void)snprintf(base, bytes, "%s", name);
    return DT_SET_COUNT;
}

/* ---- candidates ---- */

/* An array that may be inputs or targets of a set. */
typedef struct candidate {
    const char *name;
    uint64_t rows; /* 0: it cannot be read */
    size_t rank; /* of its word, then of the set's; the lowest is the best */
    int family;
} candidate;

enum { CANDIDATES_MAX = 64 };

typedef struct candidates {
    candidate list[CANDIDATES_MAX];
    size_t count;
} candidates;

static void add(candidates *to, const dt_npz *npz, const char *name, size_t rank, int family)
{
    const dt_npz_member *member = dt_npz_look(npz, name);
    if (to->count == CANDIDATES_MAX)
        return;
    const uint64_t rows = member != NULL && member->npy.dims > 0 ? member->npy.shape[0] : 0;
    to->list[to->count++] = (candidate){name, rows, rank, family};
}

/* Finds the role that a name has for `wish`, and adds it to the candidates of its set. */
static void sort_in(candidates by_set[DT_SET_COUNT + 1][2], const dt_npz *npz, const char *name,
                    const dt_array_wish *wish)
{
    const plain_name plain = plain_name_of(name);
    const char *const asked[2] = {wish->inputs, wish->targets};
    dt_set set;
    size_t place;
    for (int role = INPUTS; role <= TARGETS; role++) {
        if (asked[role][0] == '\0')
            continue;
        const plain_name word = plain_name_of(asked[role]);
        if (is_word(&plain, word.text, &set, &place)) {
            const size_t other = strcmp(name, asked[role]) == 0 ? 0 : 1;
            add(&by_set[set][role], npz, name, 2 * place + other, -1);
        }
    }
    for (size_t i = 0; i < SYNONYMS; i++) {
        const int role = synonyms[i].role;
        if (asked[role][0] != '\0' || !is_word(&plain, synonyms[i].word, &set, &place))
            continue;
        /* Of x and X, the one with this spelling comes first. */
        const size_t other = strstr(name, synonyms[i].word) != NULL ? 0 : 1;
        add(&by_set[set][role], npz, name, 32 * i + 16 * other + place, synonyms[i].family);
        return;
    }
}

/* ---- choosing ---- */

/* Lower is better: equal numbers of rows, then the same family, then the best names. */
static size_t cost(const candidate *x, const candidate *y)
{
    enum { RANKS = 32 * SYNONYMS };
    const bool unequal = x->rows != y->rows || x->rows == 0;
    const bool apart = x->family != y->family && x->family >= 0 && y->family >= 0;
    return (((size_t)unequal * 2 + apart) * RANKS + x->rank) * RANKS + y->rank;
}

DT_MUST_USE static dt_status take(dt_source_set *out, const dt_npz *npz, dt_set set,
                                  const candidates by_role[2], bool labels)
{
    const candidates *xs = &by_role[INPUTS], *ys = &by_role[TARGETS];
    const char *x = NULL, *y = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < xs->count; i++)
        for (size_t j = 0; j < (labels ? ys->count : 1); j++) {
            const size_t now = labels ? cost(&xs->list[i], &ys->list[j]) : xs->list[i].rank;
            if (now >= least)
                continue;
            least = now;
            x = xs->list[i].name;
            y = labels ? ys->list[j].name : NULL;
        }
    if (labels && xs->count > 0 && ys->count == 0 && (set == DT_VALIDATION || set == DT_TEST))
        dt_log_warn("%s: %s is not used, because it has no targets", dt_npz_path(npz),
                    xs->list[0].name);
    if (x == NULL)
        return DT_OK;
    out->npz = npz;
    dt_status status = dt_npz_find(npz, x, &out->inputs);
    if (status == DT_OK && labels)
        status = dt_npz_find_any(npz, y, &out->targets);
    return status;
}

dt_status dt_array_sets_find(dt_array_sets *out, const dt_npz *npz, const dt_array_wish *wish)
{
    dt_status status = DT_OK;
    candidates by_set[DT_SET_COUNT + 1][2];
    for (int p = 0; p <= DT_SET_COUNT; p++)
        by_set[p][INPUTS].count = by_set[p][TARGETS].count = 0;
    *out = (dt_array_sets){0};
    for (size_t i = 0; i < dt_npz_count(npz); i++)
        sort_in(by_set, npz, dt_npz_name(npz, i), wish);
    for (int p = 0; p < DT_SET_COUNT; p++)
        DT_TRY(take(&out->sets[p], npz, (dt_set)p, by_set[p], wish->labels));
    DT_TRY(take(&out->bare, npz, DT_SET_COUNT, by_set[DT_SET_COUNT], wish->labels));
out:
    return status;
}

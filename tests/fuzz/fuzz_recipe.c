#include "dtrain/base/memory.h"
#include "dtrain/data/recipe.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Whatever is read can be written, and what was written is read back and written the same. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* DT_ASSERT of the library would end the process without a word to the fuzzer. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    dt_assert_set_hook(abort);
    return 0;
}

static void require(int condition)
{
    if (!condition)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    dt_recipe recipe;
    dt_recipe again;
    char *first = NULL;
    char *second = NULL;
    char name[16];
    if (dt_recipe_from_json(&recipe, (const char *)data, bytes, "fuzz") != DT_OK)
        return 0;
    require(dt_recipe_to_json(&first, &recipe) == DT_OK);
    require(dt_recipe_from_json(&again, first, strlen(first), "again") == DT_OK);
    require(dt_recipe_to_json(&second, &again) == DT_OK);
    require(strcmp(first, second) == 0);
    for (size_t i = 0; i < again.D; i++)
        (void)dt_recipe_input_name(name, sizeof name, &again, i);
    dt_memory_free(first);
    dt_memory_free(second);
    dt_recipe_clear(&recipe);
    dt_recipe_clear(&again);
    return 0;
}

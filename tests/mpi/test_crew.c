/* Groups of ranks that merge: the new number and the rows of each rank. */
#include "table_fixture.h"

#include "dtrain/comm/crew.h"

#include <math.h>

enum { SHARDS = 8 };
static const table rows = {.N = 53, .D = 3, .C = 2, .x_type = "'<f4'", .y_type = "'<i8'"};

/* The first group reads the table, and the others get it. */
static dt_status load(dt_dataset sets[DT_SET_COUNT], const dt_crew *crew)
{
    const char *path = scratch_path("rows.npz");
    const dt_deal deal = {.S = SHARDS, .host_ranks = test_size};
    dt_source source = {0};
    dt_status status = DT_OK;
    memset(sets, 0, DT_SET_COUNT * sizeof *sets);
    if (test_rank == 0)
        status = dt_source_open(&source, &path, 1, "", "");
    if (dt_crew_index(crew) == 0 && status == DT_OK)
        status = dt_dataset_load(sets, dt_crew_group(crew), &source, &deal);
    dt_source_clear(&source);
    assert_all_int(status, DT_OK);
    return dt_dataset_share(&sets[DT_TRAIN], dt_crew_peers(crew));
}

/* As if it had been dealt to the ranks of this group. */
static void check_rows(const dt_dataset *set, const dt_comm *group)
{
    const int rank = dt_comm_rank(group), size = dt_comm_size(group);
    const size_t first = dt_dataset_first_shard(rank, size, SHARDS);
    size_t wrong = 0;
    assert_all_int(set->first_shard, first);
    assert_all_int(set->shard_count, dt_dataset_first_shard(rank + 1, size, SHARDS) - first);
    for (size_t s = 0; s < set->shard_count; s++) {
        const size_t start = set->shard_start[s], count = set->shard_start[s + 1] - start;
        wrong += count != dt_dataset_positions(rows.N, first + s, SHARDS);
        for (size_t i = 0; i < count; i++) {
            const size_t row = first + s + i * SHARDS;
            wrong += set->y[start + i].label != (int32_t)table_class(&rows, row);
            for (size_t j = 0; j < rows.D; j++)
                wrong +=
                    fabs((double)set->x[(start + i) * rows.D + j] - table_input(&rows, row, j)) > 0;
        }
    }
    assert_all_int(wrong, 0);
}

/* Groups of `each` ranks, of which `together` become one. */
static void check_merge(int each, int together)
{
    const dt_comm all = ranks_all();
    dt_crew *crew = NULL;
    dt_dataset sets[DT_SET_COUNT];
    assert_all_int(dt_crew_new(&crew, &all, each), DT_OK);
    assert_all_int(load(sets, crew), DT_OK);
    check_rows(&sets[DT_TRAIN], dt_crew_group(crew));
    const int old_group = test_rank / each, old_rank = test_rank % each;
    dt_crew_merge(crew, &all, together);
    const dt_comm *group = dt_crew_group(crew);
    assert_all_int(dt_comm_size(group), each * together);
    assert_all_int(dt_comm_rank(group), old_rank * together + old_group % together);
    assert_all_int(dt_crew_index(crew), old_group / together);
    assert_all_int(dt_crew_count(crew), test_size / each / together);
    dt_dataset_narrow(&sets[DT_TRAIN], dt_comm_rank(group), dt_comm_size(group));
    check_rows(&sets[DT_TRAIN], group);
    int leader = test_rank;
    dt_crew_share(crew, group, &leader, sizeof leader);
    assert_all_int(leader, old_group / together * together * each);
    for (int p = 0; p < DT_SET_COUNT; p++)
        dt_dataset_clear(&sets[p]);
    dt_crew_free(crew);
}

static void test_merging(void **state)
{
    (void)state;
    assert_all(test_rank != 0 || write_table("rows.npz", &rows));
    for (int each = 1; each <= test_size; each++)
        for (int together = 1; each * together <= test_size; together++)
            if (test_size % (each * together) == 0)
                check_merge(each, together);
}

static const struct CMUnitTest tests[] = {with_folder(test_merging)};

MPI_SUITE(test_crew, tests);

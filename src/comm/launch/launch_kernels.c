#include "dtrain/comm/launch.h"

#include <stddef.h>
#include <strings.h>

/* Kernel families of which each runs wherever a later one does, by what they need:
 * SSE3, SSE4.2, AVX, AVX2 with FMA, AVX-512, its bfloat16, AMX. */
static const char *const ladder[] = {"Prescott", "Nehalem",    "Sandybridge",   "Haswell",
                                     "SkylakeX", "Cooperlake", "SapphireRapids"};

enum { RUNGS = sizeof ladder / sizeof *ladder };

/* Families beside the ladder, and the highest rung that their CPUs reach. */
static const struct {
    const char *family;
    int rung;
} beside[] = {
    {"Core2", 0},       {"Penryn", 0},    {"Dunnington", 0},   {"Atom", 0},      {"Nano", 0},
    {"Bobcat", 0},      {"Barcelona", 0}, {"Opteron_SSE3", 0}, {"Bulldozer", 2}, {"Piledriver", 2},
    {"Steamroller", 2}, {"Excavator", 3}, {"Zen", 3},
};

/* -1 where it is not known: another architecture, another library, the first 64-bit CPUs. */
static int rung_of(const char *family)
{
    for (int i = 0; i < RUNGS; i++)
        if (strcasecmp(family, ladder[i]) == 0)
            return i;
    for (size_t i = 0; i < sizeof beside / sizeof *beside; i++)
        if (strcasecmp(family, beside[i].family) == 0)
            return beside[i].rung;
    return -1;
}

const char *dt_launch_common_kernels(const char *const *families, size_t count)
{
    int lowest = RUNGS - 1;
    for (size_t i = 0; i < count; i++) {
        const int rung = rung_of(families[i]);
        if (rung < 0)
            return NULL;
        lowest = rung < lowest ? rung : lowest;
    }
    return ladder[lowest];
}

/* Which products of a dense layer are left out, because a factor is 0 or nobody uses them. */
#include "zeros.h"

#include "dtrain/base/memory.h"

#include <string.h>

/* ---- zeros among the inputs ---- */

/* The number of rows whose zeros are counted, as a sample of all rows: about the rows of a
 * product's tile. */
enum { SAMPLE = 14 };

/* The share of zeros above which a product skips steps. Finding them costs about 1/8 of the
 * products with one panel of the kernel's columns. */
static bool pays(const dt_layer *layer, double zeros)
{
    return zeros >= 0.125 + 0.25 / (double)dt_panels_count(layer->H);
}

/* Size of a kernel whose product takes no longer than finding zeros. */
enum { SMALL = 4096 };

/* The first dense layer reads the network's inputs, also scaled by members. In later layers zeros
 * are rarely in the same places of many rows. */
static bool can_mark(const dt_network *network, size_t l)
{
    const dt_layer *layer = &network->layers[l];
    return layer->number == 0 && !dt_network_is_narrow(network, l) && layer->D * layer->H >= SMALL;
}

static bool is_marked(const dt_traversal *t, size_t l)
{
    return can_mark(t->network, l) && t->kernels->is_rowwise;
}

/* The inputs' marks, panel by panel; some products read up to 31 words behind those of a panel. */
dt_status dt_zeros_allocate(dt_workspace *w, const dt_network *network, size_t l)
{
    const size_t rows = dt_workspace_rows(w, network, l);
    if (!can_mark(network, l))
        return DT_OK;
    return dt_memory_alloc(&w->marks, dt_panels_count(network->layers[l].D) * rows + DT_PANEL,
                           sizeof *w->marks, "marks of a step's inputs");
}

/* Whether the K rows of a row are multiples of it: then they have the same zeros. */
static bool makes_members(const dt_network *network, size_t l)
{
    return network->layers[l].kind == &dt_layer_member_scale &&
           network->layers[l].shifts == DT_SHIFTS_NONE && !dt_network_takes_members(network, l);
}

/* Marks rows from .. to-1 of a panel. */
static void mark_panel(const dt_traversal *t, size_t l, size_t p, size_t from, size_t to)
{
    const dt_layer *layer = &t->network->layers[l];
    const size_t before = dt_traversal_before(t, l);
    const bool scaled = before != SIZE_MAX && makes_members(t->network, before);
    const dt_panels *in = dt_traversal_inputs(t, scaled ? before : l);
    const size_t K = scaled ? layer->K : 1;
    uint32_t *marks = t->workspace->marks + p * dt_traversal_inputs(t, l)->pitch + from;
    dt_mark(marks, dt_panels_at(in, from / K, p), (to - from) / K,
            dt_panels_width(layer->D, p * DT_PANEL));
    for (size_t i = (to - from) / K; K > 1 && i-- > 0;)
        for (size_t k = K; k-- > 0;)
            marks[i * K + k] = marks[i];
}

/* It pays if the rows of a tile have many zeros in common. */
const uint32_t *dt_zeros_mark(const dt_traversal *t, size_t l, size_t from, size_t to)
{
    if (!is_marked(t, l))
        return NULL;

    const size_t D = t->network->layers[l].D, K = t->network->layers[l].K;
    const size_t panels = dt_panels_count(D), pitch = dt_traversal_inputs(t, l)->pitch;
    const size_t some = (SAMPLE + K - 1) / K * K, end = to - from < some ? to : from + some;
    uint32_t *marks = t->workspace->marks;
    size_t count = 0;
    for (size_t p = 0; p < panels; p++) {
        uint32_t any = 0;
        mark_panel(t, l, p, from, end);
        for (size_t i = from; i < end; i++)
            any |= marks[p * pitch + i];
        count += (size_t)__builtin_popcount(any);
    }
    const bool marked = pays(&t->network->layers[l], 1.0 - (double)count / (double)D);
    for (size_t p = 0; p < panels; p++)
        if (marked)
            mark_panel(t, l, p, end, to);
        else
            memset(marks + p * pitch + from, 0xff, (to - from) * sizeof *marks);
    return marked ? marks + from : NULL;
}

const uint32_t *dt_zeros_marks(const dt_traversal *t, size_t l, size_t panel)
{
    if (!is_marked(t, l))
        return NULL;
    const size_t count = dt_traversal_start(t, l, t->segments->count);
    const uint32_t *marks = t->workspace->marks + panel * dt_traversal_inputs(t, l)->pitch;
    return pays(&t->network->layers[l], dt_marks_zeros(marks, count)) ? marks : NULL;
}

/* ---- the gradients of the inputs ---- */

/* A block of rows, a panel when it is transposed; inputs whose gradients are computed together, two
 * tiles of a product; and outputs that are added up at a time. They take 64 KiB of the stack. */
enum { BLOCK = DT_PANEL, TOGETHER = 28, STRETCH = 256 };

/* Some rows of a layer: X[i,j] is an input, dY [BLOCK,H] are the gradients of the outputs. */
typedef struct block {
    const dt_traversal *traversal;
    size_t layer, before, from, rows;
    size_t loaded; /* the stretch in `turned`, from this output on; SIZE_MAX: none */
    float *turned; /* [STRETCH,BLOCK]: dY, transposed */
} block;

/* turned[h - from, i] = dY[i,h] */
static void turn(block *b, size_t from, size_t count)
{
    const dt_panels *dY = &b->traversal->workspace->deltas[b->layer];
    for (size_t h = 0; h < count && b->loaded != from; h += DT_PANEL)
        dt_pack_transposed(b->turned + h * BLOCK, dt_panels_at(dY, b->from, (from + h) / DT_PANEL),
                           b->rows, DT_PANEL);
    b->loaded = from;
}

/* Rows of the kernel side by side in panels, columns from .. from+count-1. */
static void gather(float *to, const float *W, size_t H, const size_t *inputs, size_t rows,
                   size_t from, size_t count)
{
    for (size_t h = 0; h < count; h += DT_PANEL)
        for (size_t r = 0; r < rows; r++)
            memcpy(to + h * rows + r * DT_PANEL, W + inputs[r] * H + from + h,
                   dt_panels_width(count, h) * sizeof *to);
}

/* The gradients of some inputs in all rows of a block: dX[i,j] = sum over h of W[j,h] dY[i,h]. */
static void add_up_inputs(block *b, const size_t *inputs, size_t count)
{
    const dt_traversal *t = b->traversal;
    const dt_layer *layer = &t->network->layers[b->layer];
    const dt_panels *dX = &t->workspace->deltas[b->before];
    float kernel[STRETCH * TOGETHER] __attribute__((aligned(64)));
    float sums[TOGETHER * BLOCK] __attribute__((aligned(64))) = {0};
    for (size_t h = 0; h < layer->H; h += STRETCH) {
        const size_t width = layer->H - h < STRETCH ? layer->H - h : STRETCH;
        const dt_multiply m = {
            .out = sums,
            .out_pitch = count,
            .A = kernel,
            .a_row = DT_PANEL,
            .a_panel = count * DT_PANEL,
            .B = b->turned,
            .start = sums,
            .start_row = BLOCK,
            .rows = count,
            .K = width,
            .N = BLOCK,
            .activation = DT_ACTIVATION_LINEAR,
        };
        turn(b, h, width);
        gather(kernel, t->network->params + layer->kernel, layer->H, inputs, count, h, width);
        t->kernels->multiply(&m);
    }
    for (size_t r = 0; r < count; r++)
        for (size_t i = 0; i < b->rows; i++)
            *dt_panels_element(dX, b->from + i, inputs[r]) = sums[r * BLOCK + i];
}

/* The inputs of a panel that are not zero in some row. */
static uint32_t join_marks(const block *b, size_t panel)
{
    const dt_traversal *t = b->traversal;
    const uint32_t *marks =
        t->workspace->marks + panel * dt_traversal_inputs(t, b->layer)->pitch + b->from;
    uint32_t any = 0;
    for (size_t i = 0; i < b->rows; i++)
        any |= marks[i];
    return any;
}

/* The gradients of the inputs from panel `first` on. */
static void multiply_all(const block *b, size_t first)
{
    const dt_traversal *t = b->traversal;
    const dt_layer *layer = &t->network->layers[b->layer];
    const dt_panels *dY = &t->workspace->deltas[b->layer], *dX = &t->workspace->deltas[b->before];
    const dt_multiply m = {
        .out = dt_panels_at(dX, b->from, first),
        .out_pitch = dX->pitch,
        .A = dt_panels_at(dY, b->from, 0),
        .a_row = DT_PANEL,
        .a_panel = dY->pitch * DT_PANEL,
        .B = t->workspace->transposed[b->layer] + first * layer->H * DT_PANEL,
        .rows = b->rows,
        .K = layer->H,
        .N = layer->D - first * DT_PANEL,
        .activation = DT_ACTIVATION_LINEAR,
    };
    t->kernels->multiply(&m);
}

/* Whether the inputs from panel `first` on are mostly zero in all rows of a block. */
static bool is_sparse(const block *b, size_t first)
{
    const size_t D = b->traversal->network->layers[b->layer].D;
    size_t count = 0;
    for (size_t p = first; p < dt_panels_count(D); p++)
        count += (size_t)__builtin_popcount(join_marks(b, p));
    return 2 * count <= D - first * DT_PANEL;
}

/* Computes only the gradients of inputs that are not zero in some row of the block. The others are
 * multiplied by these zeros later. */
static void multiply_used(block *b, size_t first)
{
    const dt_traversal *t = b->traversal;
    const size_t panels = dt_panels_count(t->network->layers[b->layer].D);
    size_t inputs[TOGETHER], count = 0;
    for (size_t p = first; p < panels; p++) {
        memset(dt_panels_at(&t->workspace->deltas[b->before], b->from, p), 0,
               b->rows * DT_PANEL * sizeof(float));
        for (uint32_t any = join_marks(b, p); any != 0; any &= any - 1) {
            inputs[count++] = p * DT_PANEL + (size_t)__builtin_ctz(any);
            if (count == TOGETHER) {
                add_up_inputs(b, inputs, count);
                count = 0;
            }
        }
    }
    if (count > 0)
        add_up_inputs(b, inputs, count);
}

/* A function of its own, so that a layer that computes all gradients does not take the stack. */
__attribute__((noinline)) static void go_through_blocks(const dt_traversal *t, size_t l,
                                                        size_t before, size_t from, size_t to,
                                                        size_t first)
{
    float turned[STRETCH * BLOCK] __attribute__((aligned(64))) = {0};
    for (; from < to; from += BLOCK) {
        block b = {t, l, before, from, to - from < BLOCK ? to - from : BLOCK, SIZE_MAX, turned};
        if (is_sparse(&b, first))
            multiply_used(&b, first);
        else
            multiply_all(&b, first);
    }
}

size_t dt_zeros_backward(const dt_traversal *t, size_t l, size_t before, size_t from, size_t to)
{
    const size_t D = t->network->layers[l].D;
    const bool scaled = makes_members(t->network, before);
    const size_t first = dt_panels_count(dt_traversal_used(t, scaled ? before : l));
    if (!t->kernels->is_rowwise || dt_network_is_narrow(t->network, l) || first * DT_PANEL >= D ||
        (scaled && !is_marked(t, l)))
        return D;
    if (scaled)
        go_through_blocks(t, l, before, from, to, first);
    return first * DT_PANEL;
}

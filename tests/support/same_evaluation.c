#include "same_evaluation.h"

#include <string.h>

bool same_evaluation(const dt_evaluation *a, const dt_evaluation *b)
{
    const size_t C = a->C;
    return a->N == b->N && C == b->C && a->majority_class == b->majority_class &&
           memcmp(&a->model, &b->model, sizeof a->model) == 0 &&
           memcmp(&a->majority, &b->majority, sizeof a->majority) == 0 &&
           (a->values != NULL) == (b->values != NULL) &&
           (a->values == NULL || memcmp(a->values, b->values, C * sizeof *a->values) == 0) &&
           (a->classes == NULL || memcmp(a->classes, b->classes, C * sizeof *a->classes) == 0) &&
           memcmp(a->bins, b->bins, sizeof a->bins) == 0 &&
           (a->confusion == NULL ||
            memcmp(a->confusion, b->confusion, C * C * sizeof *a->confusion) == 0) &&
           a->roc_count == b->roc_count &&
           (a->roc_count == 0 || memcmp(a->roc, b->roc, a->roc_count * sizeof *a->roc) == 0) &&
           a->pr_count == b->pr_count &&
           (a->pr_count == 0 || memcmp(a->pr, b->pr, a->pr_count * sizeof *a->pr) == 0);
}

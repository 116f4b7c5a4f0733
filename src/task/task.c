#include "dtrain/task/task.h"

const dt_task *dt_task_of(const dt_loss *loss)
{
    return loss->classes ? &dt_classification : &dt_regression;
}

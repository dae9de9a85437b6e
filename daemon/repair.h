/* What is done at a start when the store turns out to be damaged. */
#ifndef EG_REPAIR_H
#define EG_REPAIR_H
#include <base/err.h>
#include <base/fault.h>
/* Calls `build`; when that or an earlier commit found the store damaged, it is torn down, the store salvaged (store/salvage.h), and built
 * once more. As long as a list of what was lost lies beside the store, the fault `store.damaged` says so. */
int eg_repair_build(const char *path, struct eg_faults *faults, int (*build)(void *user, struct eg_err *err),
                    void (*tear)(void *user), void *user, struct eg_err *err);
#endif

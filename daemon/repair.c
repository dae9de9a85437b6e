/* From a damaged store to a running daemon that says so. Knows when to salvage and whom to tell; refuses to know how. Called by house.c. */
#include "repair.h"

#include <base/clock.h>
#include <base/log.h>
#include <store/salvage.h>

#include <stddef.h>

int eg_repair_build(const char *path, struct eg_faults *faults, int (*build)(void *user, struct eg_err *err),
                    void (*tear)(void *user), void *user, struct eg_err *err)
{
    struct eg_err why = {EG_OK, ""};
    struct eg_buf told;
    int code = eg_salvage_pending(path)
                   ? eg_err_set(err, EG_ECORRUPT, "%.300s was found damaged before", path)
                   : build(user, err);
    if (code == EG_ECORRUPT) { /* once: what is damaged after that, people must look at */
        tear(user);
        eg_log(EG_LOG_ERROR, "store: %s; saving what can be read", err->text);
        code = eg_salvage_run(path, eg_clock_now_ms(), &why);
        if (code != EG_OK) {
            struct eg_err first = *err;
            return eg_err_set(err, code, "%.220s; it could not be mended: %.220s", first.text, why.text);
        }
        code = build(user, err);
    }
    eg_buf_init(&told, 4096);
    if (code == EG_OK && eg_salvage_told(path, &told)) {
        eg_fault_raise(faults, "store.damaged", eg_clock_now_ms(), "%s", told.data);
        eg_log(EG_LOG_ERROR, "store: %s", told.data);
    }
    eg_buf_finish(&told);
    return code;
}

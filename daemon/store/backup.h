/* A copy of the store while it is in use, and the way back from a damaged one (docs/backup.md). */
#ifndef EG_STORE_BACKUP_H
#define EG_STORE_BACKUP_H
#include <store/store.h>
#include <stdatomic.h>

#define EG_BACKUP_PATH_MAX 1024 /* bytes of a name, with the NUL */

struct eg_backup_figures {
    int64_t bytes;     /* of the copy */
    uint64_t readings; /* in it */
    int64_t took_us;
};
/* Copies the database at `path` as of one moment into `to`, an absolute name that is not taken: writes `to`.part, checks it with
 * eg_store_verify(), then names it `to`. Any thread; its connections are its own, and nobody waits for it. *stop set by another thread:
 * it ends soon, with EG_EBUSY. Whatever the failure, nothing is left behind. EG_EINVAL: no name for a file; EG_ECONFLICT: the name is
 * taken; EG_EFULL: no room there; EG_ECORRUPT: the store itself has faults. */
int eg_store_backup(const char *path, const char *to, const atomic_bool *stop, struct eg_backup_figures *ret,
                    struct eg_err *err);
const char *eg_store_path(const struct eg_store *store);

/* eg_store_verify() that gives up when *stop is set (EG_EBUSY). */
int eg_store_verify_until(const char *path, const atomic_bool *stop, struct eg_buf *findings,
                          struct eg_err *err);
#endif

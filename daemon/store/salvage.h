/* The way back from a damaged database (docs/backup.md): set aside, never deleted; a new one made of what can be read. */
#ifndef EG_STORE_SALVAGE_H
#define EG_STORE_SALVAGE_H
#include <base/buf.h>
#include <base/err.h>
#include <stdbool.h>
#include <stdint.h>

/* Whether a salvage was begun and not ended, or the database was found damaged in service and a check agrees. */
bool eg_salvage_pending(const char *path);
/* The next start is to look closely: a commit, a bite of tidying or a question said EG_ECORRUPT. */
void eg_salvage_suspect(const char *path);
/* Sets `path` and its log aside as `path`.damaged-TIME, makes a new database of what their pages hold, and lists what was lost in
 * `path`.damaged-TIME.txt. Not while the store is open. EG_EINVAL: it is no database of ours, nothing was touched. */
int eg_salvage_run(const char *path, int64_t now_ms, struct eg_err *err);
/* The first line of the newest list beside `path`: the fault to show for as long as the list lies there. */
bool eg_salvage_told(const char *path, struct eg_buf *out);
#endif

/* The file that node_exporter's textfile collector reads: written whole, once an interval, under its name only when it is complete. Knows
 * the file and the interval; what is in it, metrics.c knows. */
#ifndef EG_TEXTFILE_H
#define EG_TEXTFILE_H

#include <notify/metrics.h>

struct eg_textfile;
struct eg_textfile_door {
    void *user;
    void (*state)(void *user, struct eg_metrics_state *ret);
};
/* Does nothing until it is configured. `faults` is borrowed. NULL: no memory. */
struct eg_textfile *eg_textfile_create(uv_loop_t *loop, const struct eg_pipeline *pipeline,
                                       struct eg_faults *faults, const struct eg_textfile_door *door);
/* Writes at the loop's next turn and then every interval. A file that is not wanted any more is removed. */
void eg_textfile_configure(struct eg_textfile *textfile, const struct eg_conf *conf);
/* Removes the file, so that nobody takes its values for today's; frees itself on the loop. Accepts NULL. */
void eg_textfile_close(struct eg_textfile *textfile);
/* All of it or nothing: what stood there stays until the new one is complete. The sentence names the file. */
int eg_textfile_put(const char *path, const void *data, size_t length, struct eg_err *err);

#endif

/* Puts the daemon's figures where node_exporter finds them (textfile.h). Called by house.c on the loop's thread.
 *
 * No fsync: the file is of this minute, and after a power cut a new one is written anyway. A file that cannot be written is a fault until
 * one can. */
#include <notify/textfile.h>
#include <base/clock.h>
#include <base/log.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct eg_textfile {
    uv_timer_t timer;
    const struct eg_pipeline *pipeline;
    struct eg_faults *faults;
    struct eg_textfile_door door;
    char path[PATH_MAX]; /* "": none is wanted */
    bool written;        /* ours to remove */
};

static bool write_all(int fd, const char *data, size_t length)
{
    while (length) {
        ssize_t took = write(fd, data, length);
        if (took < 0 && errno == EINTR)
            continue;
        if (took <= 0)
            return false;
        data += took;
        length -= (size_t)took;
    }
    return true;
}

int eg_textfile_put(const char *path, const void *data, size_t length, struct eg_err *err)
{
    char fresh[PATH_MAX + 8];
    snprintf(fresh, sizeof fresh, "%s.new", path); /* not *.prom: the collector passes it over */
    unlink(fresh);                                 /* whatever it is: nothing is written through it */
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
    if (fd < 0)
        return eg_err_set(err, EG_EIO, "%s cannot be made: %s", fresh, strerror(errno));
    /* The collector is another user, and our umask keeps others out. */
    bool ok = fchmod(fd, 0644) == 0 && write_all(fd, data, length);
    int why = errno;
    if (close(fd) != 0 && ok) {
        ok = false;
        why = errno;
    }
    if (ok && rename(fresh, path) == 0)
        return EG_OK;
    if (ok)
        why = errno;
    unlink(fresh);
    return eg_err_set(err, EG_EIO, "%s cannot be written: %s", path, strerror(why));
}

static void on_timer(uv_timer_t *timer)
{
    struct eg_textfile *textfile = timer->data;
    struct eg_metrics_state state = {0};
    struct eg_buf out;
    struct eg_err err = {EG_OK, ""};
    textfile->door.state(textfile->door.user, &state);
    eg_buf_init(&out, EG_METRICS_BYTES_MAX);
    eg_metrics_write(&out, textfile->pipeline, &state);
    int code = out.failed ? eg_err_set(&err, EG_ENOMEM, "no memory for what goes into %s", textfile->path)
                          : eg_textfile_put(textfile->path, out.data, out.length, &err);
    eg_buf_finish(&out);
    if (code == EG_OK) {
        textfile->written = true;
        if (eg_fault_clear(textfile->faults, "metrics"))
            eg_log(EG_LOG_INFO, "metrics: %s is written again", textfile->path);
    } else if (eg_fault_raise(textfile->faults, "metrics", eg_clock_now_ms(), "%s", err.text)) {
        eg_log(EG_LOG_WARNING, "metrics: %s", err.text);
    }
}

struct eg_textfile *eg_textfile_create(uv_loop_t *loop, const struct eg_pipeline *pipeline,
                                       struct eg_faults *faults, const struct eg_textfile_door *door)
{
    struct eg_textfile *textfile = calloc(1, sizeof *textfile);
    if (!textfile)
        return NULL;
    textfile->pipeline = pipeline;
    textfile->faults = faults;
    textfile->door = *door;
    uv_timer_init(loop, &textfile->timer);
    textfile->timer.data = textfile;
    return textfile;
}

static void forget(struct eg_textfile *textfile)
{
    if (textfile->written)
        unlink(textfile->path);
    textfile->written = false;
    textfile->path[0] = '\0';
}

void eg_textfile_configure(struct eg_textfile *textfile, const struct eg_conf *conf)
{
    const char *path = conf->metrics.file ? conf->metrics.file : "";
    if (strcmp(path, textfile->path) != 0)
        forget(textfile);
    snprintf(textfile->path, sizeof textfile->path, "%s", path);
    if (*path) {
        uv_timer_start(&textfile->timer, on_timer, 0, (uint64_t)conf->metrics.interval_ms);
    } else {
        uv_timer_stop(&textfile->timer);
        eg_fault_clear(textfile->faults, "metrics");
    }
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void eg_textfile_close(struct eg_textfile *textfile)
{
    if (!textfile)
        return;
    forget(textfile);
    uv_close((uv_handle_t *)&textfile->timer, on_closed);
}

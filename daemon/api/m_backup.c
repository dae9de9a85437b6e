/* Knows the one backup that may be under way: a job on a thread of libuv's pool, and its answer when it is done. Refuses to know how a
 * copy is made (store/backup.c). Called by the table in methods.c, and by server.c when the socket closes. */
#include <api/methods.h>
#include <base/log.h>
#include <store/backup.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct eg_backup_job {
    uv_work_t work;
    struct eg_desk *desk;
    atomic_bool stop;
    uint64_t ticket; /* 0: nobody waits for the answer */
    char *from, to[EG_BACKUP_PATH_MAX];
    struct eg_backup_figures figures;
    struct eg_err err;
    int code;
};

static void copy(uv_work_t *work)
{
    struct eg_backup_job *job = work->data;
    job->code = eg_store_backup(job->from, job->to, &job->stop, &job->figures, &job->err);
}

static void copied(uv_work_t *work, int status)
{
    struct eg_backup_job *job = work->data;
    struct eg_desk *desk = job->desk;
    struct eg_buf text;
    struct eg_json json;
    (void)status;
    eg_buf_init(&text, 8 * EG_BACKUP_PATH_MAX);
    eg_json_init(&json, &text);
    eg_json_open(&json, '{');
    eg_json_put_string(&json, "file", job->to);
    eg_json_put_int(&json, "bytes", job->figures.bytes);
    eg_json_put_int(&json, "readings", (int64_t)job->figures.readings);
    eg_json_put_number(&json, "seconds", (double)(job->figures.took_us / 1000) / 1000);
    eg_json_close(&json, '}');
    desk->backup = NULL;
    eg_log(job->code == EG_OK ? EG_LOG_INFO : EG_LOG_WARNING, "backup: %s",
           job->code == EG_OK ? text.data : job->err.text);
    desk->told(desk->told_user, job->ticket, job->code == EG_OK ? 0 : eg_call_code(job->code),
               job->code == EG_OK ? text.data : job->err.text);
    eg_buf_finish(&text);
    free(job->from);
    free(job);
}

int eg_m_backup(struct eg_call *call)
{
    struct eg_desk *desk = call->desk;
    const char *to = eg_call_text(call, "file");
    if (!desk->store || !desk->loop)
        return eg_call_no_store(call);
    if (desk->backup)
        return eg_call_fail(call, EG_RPC_BUSY, "A backup to %.200s is under way; wait for it to end.",
                            desk->backup->to);
    if (strlen(to) >= EG_BACKUP_PATH_MAX)
        return eg_call_fail(call, EG_RPC_PARAMS, "\"file\" is longer than %d bytes.", EG_BACKUP_PATH_MAX - 1);
    struct eg_backup_job *job = calloc(1, sizeof *job);
    char *from = strdup(eg_store_path(desk->store));
    if (!job || !from) {
        free(job);
        free(from);
        return eg_call_fail(call, EG_RPC_INTERNAL, "There is no memory for the backup.");
    }
    job->work.data = job;
    job->desk = desk;
    job->from = from;
    snprintf(job->to, sizeof job->to, "%s", to);
    job->ticket = call->ticket = call->asked ? ++desk->last_ticket : 0;
    desk->backup = job;
    uv_queue_work(desk->loop, &job->work, copy, copied);
    return EG_CALL_LATER;
}

bool eg_m_backup_stop(struct eg_desk *desk)
{
    if (!desk->backup)
        return false;
    atomic_store(&desk->backup->stop, true);
    return true;
}

/* One call being answered: what a handler may see, how it reads its parameters, how it refuses. */
#ifndef EG_API_CALL_H
#define EG_API_CALL_H

#include <api/api.h>
#include <base/json.h>

#include <cjson/cJSON.h>
#include <sys/types.h>

/* JSON-RPC's own codes, and ours (CONTRACT §5). */
enum eg_rpc_code {
    EG_RPC_PARSE = -32700,
    EG_RPC_REQUEST = -32600,
    EG_RPC_METHOD = -32601,
    EG_RPC_PARAMS = -32602,
    EG_RPC_INTERNAL = -32603,
    EG_RPC_FORBIDDEN = -32001,
    EG_RPC_NOT_FOUND = -32002,
    EG_RPC_CONFLICT = -32003,
    EG_RPC_BUSY = -32004,
};

#define EG_CALL_NAME_MAX 64   /* bytes of a site, device, channel … in a parameter, with the NUL */
#define EG_CALL_LIST_MAX 512  /* of names with commas between */
#define EG_CALL_PATH_MAX 208  /* of a device as site/domain/device, or a case id */
#define EG_CALL_TEXT_MAX 4096 /* bytes of a note */
#define EG_CALL_NUMBER_MAX 16
#define EG_CALL_EXPORT_MAX 4 /* exports under way in the whole server: each holds a snapshot of the store */

/* What answers are made of. Borrowed, but for the last lines, which the server owns. */
struct eg_backup_job;
struct eg_backtest_job;
struct eg_desk {
    const struct eg_conf *conf;
    const struct eg_pipeline *pipeline;
    struct eg_store *store;   /* NULL: no figures, no export */
    struct eg_reader *reader; /* NULL: what needs the store is answered "busy" */
    const struct eg_api_door *door;
    uid_t owner;                      /* who the daemon runs as */
    uint64_t last_ticket;             /* tickets are never used twice */
    size_t exports;                   /* under way */
    uv_loop_t *loop;                  /* NULL: no backups, no tests of rules */
    struct eg_backup_job *backup;     /* the one under way, or NULL; m_backup.c */
    struct eg_backtest_job *backtest; /* likewise; m_backtest.c */
    uint64_t
        retrying; /* the ticket of the retry under way, 0: none. One at a time: the next reads what it left */
    /* Its end: a code of 0 with the result as JSON, or an enum eg_rpc_code with the sentence. */
    void (*told)(void *user, uint64_t ticket, int code, const char *text);
    void *told_user;
};

struct eg_client;
struct eg_method;
struct eg_call {
    struct eg_desk *desk;
    struct eg_client *client;
    const struct eg_method *method;
    const cJSON *params;  /* NULL, or an object that fits method->params */
    struct eg_json *json; /* the result goes here: exactly one value */
    struct eg_api_state state;
    bool asked;         /* has an id: somebody waits for the answer */
    uint64_t ticket;    /* set by a handler that returns EG_CALL_LATER for a command */
    char sentence[512]; /* of the refusal */
};
/* What a handler returns, or an enum eg_rpc_code by `return eg_call_fail(…)`. */
enum { EG_CALL_DONE = 0, EG_CALL_LATER = 1 };

enum eg_param_kind {
    EG_PARAM_TEXT,    /* text shorter than EG_CALL_NAME_MAX, not empty */
    EG_PARAM_LIST,    /* text shorter than EG_CALL_LIST_MAX, not empty */
    EG_PARAM_CHANNEL, /* as EG_PARAM_TEXT, may be empty */
    EG_PARAM_NOTE,    /* text up to EG_CALL_TEXT_MAX */
    EG_PARAM_PATH,    /* device or case id: text shorter than EG_CALL_PATH_MAX, or a number */
    EG_PARAM_NUMBER,  /* finite */
    EG_PARAM_INT,     /* whole number in [low, high] */
    EG_PARAM_BOOL,
    EG_PARAM_TIME,     /* RFC 3339, "now", "-24h", "+2h" */
    EG_PARAM_CHOICE,   /* one of `choices` */
    EG_PARAM_CHOICES,  /* an array of them, not empty */
    EG_PARAM_QUANTITY, /* name or alias of a quantity */
    EG_PARAM_ROWS,     /* an array of arrays, not empty, at most `high` */
    EG_PARAM_CURSOR,   /* what `next` said: a decimal number as text */
};
struct eg_param {
    const char *name;
    enum eg_param_kind kind;
    bool required;
    const char *choices; /* blank-separated */
    int64_t low, high;
};

/* Checks params against the method's table, all of it; 0 or EG_RPC_PARAMS with the sentence set. */
int eg_call_check(struct eg_call *call, const cJSON *params);
/* Sets the sentence and gives `code` back, for `return`. */
int eg_call_fail(struct eg_call *call, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int eg_call_full(struct eg_call *call); /* the loop takes no more for now */
/* The command goes to the loop, by the client who asks; its other members are the caller's to fill. */
int eg_call_hand_over(struct eg_call *call, struct eg_command *command);
int eg_call_fail_err(struct eg_call *call, const struct eg_err *err); /* an enum eg_code and its sentence */
int eg_call_code(int eg_code);                                        /* enum eg_code → enum eg_rpc_code */
int eg_call_no_store(struct eg_call *call);                           /* there is no reader: busy */

/* Checked parameters; the default where not given. */
const char *eg_call_text(const struct eg_call *call, const char *name); /* NULL */
/* Of an EG_PARAM_PATH, a number as its digits; NULL. `out` holds the digits. */
const char *eg_call_path(const struct eg_call *call, const char *name, char out[EG_CALL_NUMBER_MAX]);
int64_t eg_call_int(const struct eg_call *call, const char *name, int64_t otherwise);
double eg_call_number(const struct eg_call *call, const char *name); /* 0: not given */
bool eg_call_bool(const struct eg_call *call, const char *name);
int64_t eg_call_time(const struct eg_call *call, const char *name, int64_t otherwise);
int eg_call_quantity(const struct eg_call *call); /* of "quantity"; EG_QUANTITY_NONE */
bool eg_call_given(const struct eg_call *call, const char *name);

/* The site filter: a site and all below it. */
struct eg_scope {
    bool all;
    uint32_t site; /* index in conf->sites, or EG_CONF_NONE: a site that left the configuration */
    char name[EG_CALL_NAME_MAX];
};
int eg_call_scope(struct eg_call *call, struct eg_scope *ret_scope); /* from "site"; 0 or EG_RPC_NOT_FOUND */
bool eg_scope_has(const struct eg_conf *conf, const struct eg_scope *scope, const char *site);
bool eg_scope_has_device(const struct eg_conf *conf, const struct eg_scope *scope,
                         const struct eg_device_view *view);

/* The device filter: "a1", or "site/domain/a1". */
bool eg_call_device_is(const struct eg_device_view *view, const char *name);
/* reporting or silent, as the device's own rhythm says. */

#endif

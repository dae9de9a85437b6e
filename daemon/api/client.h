/* Who is at the other end, and what he has going on. No sockets: the fuzzer and the tests make their own. */
#ifndef EG_API_CLIENT_H
#define EG_API_CLIENT_H

#include <api/call.h>

#define EG_CLIENT_USER_MAX 64
#define EG_RPC_LINE_MAX 65536               /* bytes of a line from a client, without its newline */
#define EG_RPC_BATCH_MAX 32                 /* calls in a batch array */
#define EG_RPC_ANSWER_MAX (8 * 1024 * 1024) /* bytes of the answer to one line */
#define EG_RPC_ID_MAX 160                   /* bytes of an id as JSON text, with the NUL */

enum eg_topic { EG_TOPIC_CASES = 1, EG_TOPIC_READINGS = 2, EG_TOPIC_STATUS = 4 };
struct eg_watch {
    unsigned topics; /* of enum eg_topic; 0: not watching */
    char site[EG_CALL_NAME_MAX], domain[EG_CALL_NAME_MAX], device[EG_CALL_PATH_MAX]; /* "": any */
    int quantity;  /* EG_QUANTITY_NONE: any */
    uint64_t told; /* fingerprint of the status that was told last */
};

struct eg_rpc_pending {
    uint64_t ticket; /* 0: the export */
    char id[EG_RPC_ID_MAX];
};
struct eg_rpc_reply { /* to the line being answered */
    struct eg_buf text;
    bool array; /* the line was a batch */
    size_t answers;
    size_t pending_count; /* commands whose commit is awaited, or the export */
    struct eg_rpc_pending pending[EG_RPC_BATCH_MAX];
};

struct eg_stream; /* an export under way; m_export.c */
struct eg_client {
    uid_t uid;
    gid_t gid;
    char user[EG_CLIENT_USER_MAX]; /* "": not looked up yet */
    struct eg_watch watch;
    struct eg_stream *stream;
    struct eg_rpc_reply reply;
};
void eg_client_init(struct eg_client *client, uid_t uid, gid_t gid);
void eg_client_finish(struct eg_desk *desk, struct eg_client *client); /* drops an export; forgets tickets */

/* His name for the case history: as the system knows him, or "uid:1234". Looked up once. */
const char *eg_client_user(struct eg_client *client);
/* The ids of the parties that have one of his groups among their members, blank-separated, to `out`. */
void eg_client_parties(const struct eg_desk *desk, struct eg_client *client, struct eg_buf *out);
/* Who is listed in reports.submitters. */
bool eg_client_may_report(const struct eg_desk *desk, struct eg_client *client);
/* Who may enter a repair and its verification, too, for parties without members: who is listed in socket.clerks; without that key root
 * and the daemon's own user. */
bool eg_client_is_clerk(const struct eg_desk *desk, struct eg_client *client);
/* root, the daemon's own user, and who is listed in socket.supervisors. */
bool eg_client_may_write(const struct eg_desk *desk, struct eg_client *client);

#endif

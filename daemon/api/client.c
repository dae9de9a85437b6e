/* Knows who may write: root, the daemon's own user, whom socket.supervisors lists. Refuses to know what is
 * written. Called by server.c (init, finish) and rpc.c. */
#include <api/methods.h>

#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUP_BYTES 16384 /* a line of passwd or group longer than this is treated as not there */
#define GROUPS_MAX 1024

void eg_client_init(struct eg_client *client, uid_t uid, gid_t gid)
{
    memset(client, 0, sizeof *client);
    client->uid = uid;
    client->gid = gid;
    client->watch.quantity = EG_QUANTITY_NONE;
    eg_buf_init(&client->reply.text, EG_RPC_ANSWER_MAX);
}

void eg_client_finish(struct eg_desk *desk, struct eg_client *client)
{
    eg_m_export_close(desk, client->stream);
    client->stream = NULL;
    client->reply.pending_count = 0;
    eg_buf_finish(&client->reply.text);
}

const char *eg_client_user(struct eg_client *client)
{
    if (client->user[0])
        return client->user;
    struct passwd entry, *found = NULL;
    char *memory = malloc(LOOKUP_BYTES);
    if (memory && getpwuid_r(client->uid, &entry, memory, LOOKUP_BYTES, &found) == 0 && found &&
        found->pw_name[0])
        snprintf(client->user, sizeof client->user, "%s", found->pw_name);
    else
        snprintf(client->user, sizeof client->user, "uid:%lu", (unsigned long)client->uid);
    free(memory);
    return client->user;
}

static bool group_id(const char *name, gid_t *ret_gid)
{
    struct group entry, *found = NULL;
    char *memory = malloc(LOOKUP_BYTES);
    bool there = memory && getgrnam_r(name, &entry, memory, LOOKUP_BYTES, &found) == 0 && found;
    if (there)
        *ret_gid = found->gr_gid;
    free(memory);
    return there;
}

static bool in_group(struct eg_client *client, const char *name)
{
    gid_t wanted;
    if (!group_id(name, &wanted))
        return false;
    if (client->gid == wanted)
        return true;
    gid_t *groups = calloc(GROUPS_MAX, sizeof *groups);
    int count = GROUPS_MAX;
    bool member = false;
    if (groups && getgrouplist(eg_client_user(client), client->gid, groups, &count) >= 0)
        for (int i = 0; i < count && !member; i++)
            member = groups[i] == wanted;
    free(groups);
    return member;
}

static bool among(struct eg_client *client, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (names[i][0] == '@' ? in_group(client, names[i] + 1)
                               : strcmp(eg_client_user(client), names[i]) == 0)
            return true;
    return false;
}

bool eg_client_may_report(const struct eg_desk *desk, struct eg_client *client)
{
    return among(client, desk->conf->reports.submitters, desk->conf->reports.submitter_count);
}

bool eg_client_may_write(const struct eg_desk *desk, struct eg_client *client)
{
    if (client->uid == 0 || client->uid == desk->owner)
        return true;
    return among(client, desk->conf->socket.supervisors, desk->conf->socket.supervisor_count);
}

bool eg_client_is_clerk(const struct eg_desk *desk, struct eg_client *client)
{
    if (!desk->conf->socket.clerks_told)
        return client->uid == 0 || client->uid == desk->owner;
    return among(client, desk->conf->socket.clerks, desk->conf->socket.clerk_count);
}

void eg_client_parties(const struct eg_desk *desk, struct eg_client *client, struct eg_buf *out)
{
    for (size_t i = 0; i < desk->conf->party_count; i++) {
        const struct eg_conf_party *party = &desk->conf->parties[i];
        bool member = false;
        for (size_t m = 0; m < party->member_count && !member; m++)
            member = party->members[m][0] == '@' && in_group(client, party->members[m] + 1);
        if (member)
            eg_buf_printf(out, "%s ", party->id);
    }
}

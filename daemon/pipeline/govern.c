/* Modes of governance: who leads, who stands in, who looks after the repair, who is told. Three schemes of grassroots governance:
 *
 *   gap_filling    a party of market or society leads; government is informed, and takes over when a deadline passes
 *   collaborative  all are told, one takes it; who looks after the repair is of another sector than who did it
 *   alternative    government leads; when it misses a deadline, market and society are offered the matter
 *
 * Whom that means telling, audience.c knows.
 *
 * In each of them who fixed does not verify alone. Pure questions about a case and the configuration: what comes of the answers is the
 * business of command.c and deadline.c. */
#include <pipeline/govern.h>
#include <pipeline/handling.h>

#include <stdio.h>
#include <string.h>

const struct eg_conf_terms *eg_govern_terms(const struct eg_conf *conf, const struct eg_case *row)
{
    const struct eg_conf_rule *rule;
    switch ((enum eg_case_kind)row->kind) {
    case EG_CASE_MAINTENANCE:
        rule = *row->rule ? eg_conf_rule_find(conf, row->rule) : NULL;
        return rule ? &rule->terms : &conf->maintenance;
    case EG_CASE_REPORT:
        return &conf->reports.terms;
    default:
        rule = eg_conf_rule_find(conf, row->rule);
        return rule ? &rule->terms : NULL;
    }
}

bool eg_govern_spared(const struct eg_conf *conf, const struct eg_case *row)
{
    const struct eg_conf_terms *terms = eg_govern_terms(conf, row);
    return row->kind == EG_CASE_MAINTENANCE || row->kind == EG_CASE_DEVICE || row->kind == EG_CASE_OUTAGE ||
           (row->kind == EG_CASE_BREACH && terms && terms->measured_hours);
}

/* --- sites and sectors --- */

static uint32_t site_of(const struct eg_conf *conf, const struct eg_case *row)
{
    return eg_conf_site_find(conf, row->site, strlen(row->site));
}

/* From this site upwards, the first that has parties. */
static uint32_t peopled(const struct eg_conf *conf, uint32_t site)
{
    while (site != EG_CONF_NONE && !conf->sites[site].party_count)
        site = conf->sites[site].parent;
    return site;
}

uint32_t eg_govern_rung(const struct eg_conf *conf, const struct eg_case *row, uint32_t rung)
{
    uint32_t site = peopled(conf, site_of(conf, row));
    for (; rung && site != EG_CONF_NONE; rung--)
        site = peopled(conf, conf->sites[site].parent);
    return site;
}

static bool of_government(const struct eg_conf *conf, uint32_t party)
{
    return conf->parties[party].sector == EG_SECTOR_GOVERNMENT;
}

uint32_t eg_govern_first(const struct eg_conf *conf, uint32_t site, bool government, bool is)
{
    for (; site != EG_CONF_NONE; site = conf->sites[site].parent)
        for (size_t i = 0; i < conf->sites[site].party_count; i++)
            if (!government || of_government(conf, conf->sites[site].parties[i]) == is)
                return conf->sites[site].parties[i];
    return EG_CONF_NONE;
}

void eg_govern_begin(const struct eg_conf *conf, struct eg_case *row)
{
    const struct eg_conf_terms *terms = eg_govern_terms(conf, row);
    uint32_t site = site_of(conf, row);
    if (site == EG_CONF_NONE)
        return;
    row->mode = (uint8_t)(terms && terms->has_mode ? terms->mode : conf->sites[site].mode);
    uint32_t lead =
        eg_govern_first(conf, site, row->mode != EG_MODE_COLLABORATIVE, row->mode == EG_MODE_ALTERNATIVE);
    if (lead != EG_CONF_NONE)
        snprintf(row->lead, sizeof row->lead, "%s", conf->parties[lead].id);
}

const struct eg_conf_calendar *eg_govern_calendar(const struct eg_conf *conf, const struct eg_case *row)
{
    uint32_t party = eg_conf_party_index(conf, *row->assignee ? row->assignee : row->lead), site;
    if (row->level == EG_LEVEL_CRITICAL || row->faster)
        return NULL; /* what is critical does not wait for Monday, and an exercise in fast motion is over by then */
    if (row->escalation && (site = eg_govern_rung(conf, row, row->escalation)) != EG_CONF_NONE)
        party = conf->sites[site].parties[0];
    if (party == EG_CONF_NONE || conf->parties[party].calendar == EG_CONF_NONE)
        return NULL;
    return &conf->calendars[conf->parties[party].calendar];
}

/* --- who speaks --- */

#define REMOTE "party:" /* a party that answers from afar (remote.c); no user's name holds a colon */

static bool listed(const char *words, const char *word)
{
    size_t length = strlen(word);
    for (const char *at = words; at && *at;) {
        size_t n = strcspn(at, " ");
        if (n == length && !memcmp(at, word, n))
            return true;
        at += n + (at[n] == ' ');
    }
    return false;
}

static bool member(const struct eg_conf *conf, uint32_t party, const struct eg_command *command)
{
    for (size_t i = 0; i < conf->parties[party].member_count; i++)
        if (!strcmp(conf->parties[party].members[i], command->user))
            return true;
    if (!strncmp(command->user, REMOTE, strlen(REMOTE)) &&
        !strcmp(command->user + strlen(REMOTE), conf->parties[party].id))
        return true;
    return listed(command->member_of, conf->parties[party].id);
}

uint32_t eg_govern_party(const struct eg_conf *conf, const struct eg_case *row,
                         const struct eg_command *command)
{
    if (command->party)
        return eg_conf_party_index(conf, command->party);
    for (uint32_t site = site_of(conf, row); site != EG_CONF_NONE; site = conf->sites[site].parent)
        for (size_t i = 0; i < conf->sites[site].party_count; i++)
            if (member(conf, conf->sites[site].parties[i], command))
                return conf->sites[site].parties[i];
    for (uint32_t party = 0; party < conf->party_count; party++)
        if (member(conf, party, command))
            return party;
    return EG_CONF_NONE;
}

/* --- who may say that it is over --- */

/* Somebody of another sector than this party's is there to look. */
static bool others_there(const struct eg_conf *conf, const struct eg_case *row, uint32_t party)
{
    for (uint32_t site = site_of(conf, row); site != EG_CONF_NONE; site = conf->sites[site].parent)
        for (size_t i = 0; i < conf->sites[site].party_count; i++)
            if (conf->parties[conf->sites[site].parties[i]].sector != conf->parties[party].sector)
                return true;
    return false;
}

static enum eg_code wrong_sector(const struct eg_conf *conf, const struct eg_case *row, uint32_t party,
                                 char *text, size_t size)
{
    uint32_t repairer = eg_conf_party_index(conf, row->repairer);
    if (row->mode != EG_MODE_COLLABORATIVE || repairer == EG_CONF_NONE || !others_there(conf, row, repairer))
        return EG_OK;
    if (party != EG_CONF_NONE && conf->parties[party].sector != conf->parties[repairer].sector)
        return EG_OK;
    if (party == EG_CONF_NONE)
        snprintf(text, size,
                 "case %s was repaired by %s (%s): somebody of another sector is to verify it; say for which "
                 "party",
                 row->id, row->repairer, eg_sector_name(conf->parties[repairer].sector));
    else
        snprintf(text, size,
                 "case %s was repaired by %s (%s), and %s is of the same sector: another one verifies it",
                 row->id, row->repairer, eg_sector_name(conf->parties[repairer].sector),
                 conf->parties[party].id);
    return EG_ECONFLICT;
}

/* Enters what others did. Replay knows no groups and no kernel: there only who is listed by name is one. */
static bool is_clerk(const struct eg_conf *conf, const struct eg_command *command)
{
    bool clerk = command->clerk;
    for (size_t i = 0; i < conf->socket.clerk_count; i++)
        clerk = clerk || !strcmp(conf->socket.clerks[i], command->user);
    return clerk;
}

enum eg_code eg_govern_objection(const struct eg_conf *conf, const struct eg_case *row,
                                 const struct eg_command *command, bool looks, char *text, size_t size)
{
    uint32_t party = eg_govern_party(conf, row, command);
    bool named = command->party && party != EG_CONF_NONE && conf->parties[party].member_count == 0;
    if (command->party && party != EG_CONF_NONE && !named && !member(conf, party, command)) {
        snprintf(text, size, "%s does not speak for %s: its members are listed under parties", command->user,
                 command->party);
        return EG_EFORBIDDEN;
    }
    if (!looks)
        return EG_OK;
    /* A clerk may enter what two parties did; whoever else speaks speaks for himself, whatever party he names. */
    bool same_party = party != EG_CONF_NONE && !strcmp(conf->parties[party].id, row->repairer),
         same_user = !strcmp(command->user, row->fixer);
    if (same_party || (same_user && !(named && is_clerk(conf, command)))) {
        snprintf(text, size, "%s fixed case %s, and who fixed does not verify alone: %s",
                 same_party ? row->repairer : row->fixer, row->id,
                 !same_party && named ? "whoever has looked enters it, or a clerk does (socket.clerks)"
                                      : "somebody else must have looked");
        return EG_ECONFLICT;
    }
    return wrong_sector(conf, row, party, text, size);
}
